"""A disk that is full: 503 for those who asked, everything answered is kept, and service again when there is room."""

import contextlib
import json
import resource
import subprocess
import time

import pytest

from serving import Server, event, failed_login

LARGEST_FILE = 4_500_000
"""Bytes: more than the first start writes ahead when it makes the tables (3.0 MB on 26 November 2026)."""


def resend_until(server, body, wanted, *, within_s=30):
    """Send the same event until it is answered so; a refused event was not recorded and may be sent again."""
    until = time.monotonic() + within_s
    while True:
        status, answer = server.decide(body)
        if status == wanted or time.monotonic() > until:
            return status, answer
        time.sleep(0.1)


def fill_up(server, first, *, most=4_000):
    """Send until the disk is full; answers by number, and the number that was refused."""
    answered = {}
    for number in range(first, first + most):
        body = event(number, properties={"filler": "x" * 1000, "more": "y" * 1000})
        status, answer = server.decide(body)
        if status == 503:
            assert json.loads(answer)["code"].startswith("store_")
            return answered, number
        assert status == 200
        answered[number] = answer
    raise AssertionError("the disk was never full")


def take_the_rest(path):
    """Leave no room at all; how much there is, the server changes meanwhile."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def check_after(server, answered, refused):
    """Room again: the refused event is decided, and every answer still stands."""
    assert (
        resend_until(server, event(refused, properties={"filler": "x" * 1000, "more": "y" * 1000}), 200)[0]
        == 200
    )
    for number in [*list(answered)[:20], *list(answered)[-20:]]:
        body = event(number, properties={"filler": "x" * 1000, "more": "y" * 1000})
        assert server.decide(body) == (200, answered[number])
    last = None
    for number in range(90_001, 90_005):
        last = resend_until(server, failed_login(number, "someone"), 200)
    assert json.loads(last[1])["decision"] == "challenge"


def test_a_full_file_system_gives_503_and_recovers(tmp_path, request):
    """A small tmpfs filled by the log itself, then given room, then filled by somebody else."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", disk], check=False))
    with Server(disk / "data") as server:
        answered, refused = fill_up(server, 1)
        assert server.get("/healthz")[0] == 200
        subprocess.run(["mount", "-o", "remount,size=12m", disk], check=True)
        check_after(server, answered, refused)
        take_the_rest(disk / "other")
        more, refused = fill_up(server, 10_000)
        (disk / "other").unlink()
        assert (
            resend_until(server, event(refused, properties={"filler": "x" * 1000, "more": "y" * 1000}), 200)[
                0
            ]
            == 200
        )
        answered |= more
    with Server(disk / "data", key=server.key) as again:
        for number in (1, refused - 1):
            body = event(number, properties={"filler": "x" * 1000, "more": "y" * 1000})
            if number in answered:
                assert again.decide(body) == (200, answered[number])


def test_a_file_size_limit_gives_503_and_loses_nothing(tmp_path):
    """The same by a limit on the size of files, which needs no rights; the next start has room."""

    def limited():
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, resource.RLIM_INFINITY))

    with Server(tmp_path / "data", preexec=limited) as server:
        answered, refused = fill_up(server, 1)
        assert server.get("/healthz")[0] == 200
        resource.prlimit(
            server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        check_after(server, answered, refused)
