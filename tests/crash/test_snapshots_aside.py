"""Snapshots of a real server: written aside while it decides, used at the next start, refused with a reason."""

from __future__ import annotations

import re
import time

import pytest

from serving import READY_WITHIN_S, Server, event
from shopward.adapters.snapshots import FileSnapshots


def saved(server: Server) -> int:
    found = re.search(
        r'shopward_snapshots_total\{outcome="saved"\} (\d+)', server.get("/metrics")[1].decode()
    )
    return int(found[1]) if found else 0


@pytest.mark.parametrize("kernel", ["reference", "compiled"])
def test_a_server_saves_aside_and_starts_from_it(tmp_path, kernel):
    """Decisions go on while a snapshot is written; after kill -9 the next start goes on from it and decides the same."""
    if kernel == "compiled":
        pytest.importorskip("numba")
    environment = {"SHOPWARD_SNAPSHOT_EVENTS": "20", "SHOPWARD_KERNEL": kernel}
    with Server(tmp_path, environment=environment) as server:
        assert f"features: {kernel} kernel\n" in server.out
        until, number = time.monotonic() + READY_WITHIN_S, 0
        while saved(server) == 0:
            assert time.monotonic() < until
            for _ in range(25):
                number += 1
                assert server.decide(event(number))[0] == 200
        server.kill()
    snapshot = FileSnapshots(tmp_path / "state.snapshot").load()
    assert 20 <= snapshot.seq <= number
    with Server(tmp_path, environment=environment, key=server.key) as again:
        assert again.decide(event(number))[0] == 200
        assert not [line for line in again.err if "snapshot" in line]


def test_a_snapshot_of_another_kernel_is_refused_with_its_reason(tmp_path):
    """The log rebuilds the state, and the operator reads why."""
    pytest.importorskip("numba")
    with Server(tmp_path, environment={"SHOPWARD_KERNEL": "compiled"}) as server:
        for number in range(1, 30):
            server.decide(event(number))
        assert server.stop() == 0
    with Server(tmp_path, environment={"SHOPWARD_KERNEL": "reference"}, key=server.key) as again:
        assert again.decide(event(30))[0] == 200
    assert [line for line in again.err if "the snapshot is not used" in line]
