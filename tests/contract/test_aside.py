"""Work aside: a copy of the process's memory, and nothing else of it."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from shopward.adapters.aside import Aside, can_work_aside
from shopward.errors import StoreUnavailable

pytestmark = pytest.mark.skipif(
    not can_work_aside(), reason="this system cannot copy a process that has threads"
)


def test_the_work_sees_the_moment_when_it_was_started(tmp_path):
    """What changes afterwards is not in the copy, and what the copy changes is not here."""
    state = ["before"]

    def work() -> None:
        state.append("aside")
        (tmp_path / "seen").write_text(" ".join(state))

    aside = Aside(work)
    state[0] = "after"
    aside.wait()
    assert (tmp_path / "seen").read_text() == "before aside"
    assert state == ["after"]


def test_the_copy_holds_no_file_of_its_parent(tmp_path):
    """A socket that the parent closes is closed, although the work aside goes on: no lock outlives its owner."""
    ours, theirs = socket.socketpair()
    gate_out, gate_in = os.pipe()
    path = tmp_path / "go"
    os.mkfifo(path)

    def work() -> None:
        with path.open() as go:
            go.read()

    aside = Aside(work)
    ours.close()
    assert theirs.recv(1) == b""
    with path.open("w"):
        pass
    aside.wait()
    theirs.close()
    os.close(gate_out)
    os.close(gate_in)


def test_work_that_fails_says_why():
    """The error of the work, an unforeseen one and a killed process each end in a refusal with a reason."""

    def full() -> None:
        raise StoreUnavailable("no", found="No space left on device")

    with pytest.raises(StoreUnavailable) as caught:
        Aside(full).wait()
    assert "No space left on device" in caught.value.found
    with pytest.raises(StoreUnavailable) as caught:
        Aside(lambda: next(iter(()))).wait()
    assert caught.value.found == "StopIteration"
    with pytest.raises(StoreUnavailable) as caught:
        Aside(lambda: os.kill(os.getpid(), signal.SIGKILL)).wait()
    assert caught.value.found == "status -9"


def test_work_that_never_ends_is_ended():
    """A copy that waits for a lock which nobody in it holds costs the limit, and one that is not wanted any more nothing."""
    with pytest.raises(StoreUnavailable) as caught:
        Aside(signal.pause).wait(limit_s=0.1)
    assert caught.value.found == "status -9"
    aside = Aside(signal.pause)
    aside.end()
    with pytest.raises(StoreUnavailable):
        aside.wait()
    aside.end()  # and what is over stays so
