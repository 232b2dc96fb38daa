"""Asking together: groups form by themselves, and everybody hears his own."""

import threading
import time

import pytest

from shopward.flows.together import Together


class Doubler:
    """Doubles what it is given, once it is let; remembers the groups, and whether two of them ever met."""

    def __init__(self):
        self.groups, self.met = [], False
        self.begun, self.let = threading.Event(), threading.Event()
        self._alone = threading.Lock()

    def __call__(self, asked):
        """Twice each; a 13 spoils its group."""
        self.met |= not self._alone.acquire(blocking=False)
        self.groups.append(list(asked))
        self.begun.set()
        self.let.wait()
        self._alone.release()
        if 13 in asked:
            raise ValueError("thirteen")
        return [2 * each for each in asked]


def ask_all(together, numbers, heard):
    """A thread for each number; what it heard, or the error."""

    def ask(number):
        try:
            heard[number] = together(number)
        except ValueError as error:
            heard[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    return threads


def behind_the_first(numbers, most):
    """The groups and the answers, where all numbers come while 0 is being carried out."""
    doubler, heard = Doubler(), {}
    together = Together(doubler, most=most)
    threads = ask_all(together, [0], heard)
    doubler.begun.wait()
    threads += ask_all(together, numbers, heard)
    while len(together._waiting) < len(numbers):
        time.sleep(0.001)
    doubler.let.set()
    for thread in threads:
        thread.join()
    assert not doubler.met
    return doubler.groups, heard


def test_what_waits_is_carried_out_in_one_group():
    """The first goes alone and at once; everybody hears his own answer."""
    groups, heard = behind_the_first(range(1, 9), most=64)
    assert [len(group) for group in groups] == [1, 8]
    assert heard == {number: 2 * number for number in range(9)}


@pytest.mark.parametrize("most", [1, 3, 4])
def test_no_group_is_larger_than_allowed(most):
    """The rest waits for the next ones, and nobody is forgotten."""
    groups, heard = behind_the_first(range(1, 9), most=most)
    assert max(map(len, groups)) == most
    assert sorted(number for group in groups for number in group) == list(range(9))
    assert heard == {number: 2 * number for number in range(9)}


def test_an_error_is_heard_by_its_group_and_by_no_other():
    """Who was in the group of 13 hears of it; the groups after it are carried out."""
    groups, heard = behind_the_first([1, 13, 2, 3, 4, 5], most=2)
    spoiled = next(group for group in groups if 13 in group)
    assert {number for number, answer in heard.items() if answer == "thirteen"} == set(spoiled)
    assert all(heard[number] == 2 * number for group in groups if group != spoiled for number in group)


def test_threads_without_end_hear_their_own():
    """Eight threads, two thousand questions: no group meets another, nothing is lost, nothing is asked twice."""
    doubler, heard = Doubler(), {}
    doubler.let.set()
    together = Together(doubler, most=5)

    def ask(first):
        for number in range(first, first + 250):
            heard[number] = together(number)

    threads = [threading.Thread(target=ask, args=(each * 1000,)) for each in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not doubler.met
    assert len(heard) == sum(map(len, doubler.groups)) == 2000
    assert all(answer == 2 * number for number, answer in heard.items())
