"""One owner of a log, on SQLite and on PostgreSQL: a second one is refused, a stale one stopped, a killed one replaced."""

from __future__ import annotations

import os
import random
import time

import pytest

from contract.logs import claimed_within, entries, opened
from shopward.errors import StoreError, StoreLocked


def test_a_second_owner_in_the_same_process_is_refused(place, log):
    """Two logs of one process are two owners as well; the refusal says whom to look for."""
    with opened(place, claim=False) as second, pytest.raises(StoreLocked) as caught:
        second.claim()
    assert caught.value.hint
    if place.engine == "sqlite":
        assert caught.value.found == f"process {os.getpid()}"
    log.claim()  # again, by its owner, is no change
    log.append(entries(1, 1))


def test_a_second_owner_in_another_process_is_refused(log, start):
    """Another process opens and reads but does not append."""
    log.append(entries(1, 2))
    worker = start()
    assert worker.answer() == ["ok", "open"]
    assert worker.ask("claim")[:2] == ["error", "store_locked"]
    assert worker.ask("append 1")[:2] == ["error", "store_locked"]
    assert log.last_seq() == 2


def test_a_claim_ends_with_its_process(place, start):
    """SIGKILL frees the claim, and the next owner goes on where the log ends."""
    worker = start()
    worker.answer()
    assert worker.ask("claim") == ["ok", "0"]
    assert worker.ask("append 3") == ["ok", "3"]
    with opened(place, claim=False) as log:
        with pytest.raises(StoreLocked):
            log.claim()
        worker.kill()
        claimed_within(log, 5)
        log.append(entries(4, 4))
        assert log.read(after_seq=0, limit=9) == entries(1, 4)


def test_a_stale_owner_cannot_append(place, start):
    """An owner that lost its lock without noticing is stopped by the epoch, for good."""
    worker = start()
    worker.answer()
    worker.ask("claim")
    assert worker.ask("append 2") == ["ok", "2"]
    place.break_lock(int(worker.ask("pid")[1]) if place.engine == "postgresql" else None)
    with opened(place) as log:
        assert worker.ask("append 1")[:2] == ["error", "store_locked"]
        log.append(entries(3, 3))
        assert worker.ask("append 1")[:2] == ["error", "store_locked"]
        assert log.last_seq() == 3
    assert worker.ask("append 1")[:2] == ["error", "store_locked"]


def test_a_stale_owner_cannot_append_at_the_same_position(place):
    """The epoch alone stops a stale owner, even where positions still agree."""
    with opened(place) as old:
        old.append(entries(1, 2))
        place.break_lock(old._owner._writer.info.backend_pid if place.engine == "postgresql" else None)
        with opened(place) as new:
            assert new.last_seq() == 2
            with pytest.raises(StoreLocked):
                old.append(entries(3, 3))
            assert new.last_seq() == 2


def test_a_log_whose_end_was_cut_off_is_not_continued(place):
    """Rows that are missing at the end are an error at claim, not a silent gap."""
    with opened(place) as log:
        log.append(entries(1, 3))
        log._owner._writer.execute("DELETE FROM log_page WHERE last_seq = 3")
    with opened(place, claim=False) as log:
        with pytest.raises(StoreError) as caught:
            log.claim()
        assert caught.value.expected == "position 3"


def test_kill_9_in_mid_append_loses_nothing_that_was_answered(place, start):
    """After SIGKILL at any moment, every append that returned is there, and groups are whole."""
    chance = random.Random(20260105)
    for _ in range(15 if place.engine == "sqlite" else 6):
        worker = start()
        worker.answer()
        while worker.ask("claim")[0] != "ok":
            time.sleep(0.02)
        worker.send("flood 7")
        answered = [worker.answer()]
        time.sleep(chance.uniform(0, 0.05))
        rest = worker.kill()
        answered += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = max(int(words[1]) for words in answered)
        with opened(place, claim=False) as log:
            claimed_within(log, 5)
            last = log.last_seq()
            assert last >= acknowledged
            assert last % 7 == 0
            assert log.read(after_seq=0, limit=100_000) == entries(1, last)
