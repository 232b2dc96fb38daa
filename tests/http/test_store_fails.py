"""A store that fails: 503 for those who asked, nothing lost, and service again when it works."""

import asyncio
import json
import signal
import time

import pytest

from serving import event, failed_login
from shopward.errors import StoreLocked, StoreUnavailable
from shopward.http import gate as gate_module

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch):
    monkeypatch.setattr(gate_module, "PAUSE_S", 0.05)


def failing(world, monkeypatch, name, error):
    """Let a call of the log fail."""

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(world.shopward.log, name, fail)


async def heard_again(client, path, body):
    """Ask until the gate is open again; it stays shut for a moment, and as long as its last rebuild took."""
    until = time.monotonic() + 180
    while True:
        answer = await client.post(path, content=body, headers=JSON if path.endswith("decisions") else NDJSON)
        if answer.status_code != 503 or time.monotonic() > until:
            return answer
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["append", "find"])
def test_a_failing_store_gives_503_and_recovers(world, monkeypatch, name):
    """Everyone in the group hears it, with Retry-After; later the same events are decided as if nothing had been."""

    async def story(client, world):
        await client.post("/v1/decisions", json=failed_login(1))
        failing(
            world,
            monkeypatch,
            name,
            StoreUnavailable("append: the disk of the store is full", retry_after_s=5.0),
        )
        answers = await asyncio.gather(
            *(client.post("/v1/decisions", json=failed_login(n)) for n in range(2, 5))
        )
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
        batch = await client.post(
            "/v1/decisions/batch", content=json.dumps(event(9)).encode(), headers=NDJSON
        )
        assert batch.status_code == 503
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/v1/users/u1")).status_code == 200
        monkeypatch.undo()
        answers = [
            await heard_again(client, "/v1/decisions", json.dumps(failed_login(n))) for n in range(2, 5)
        ]
        assert [answer.json()["decision"] for answer in answers] == ["allow", "allow", "challenge"]
        assert world.shopward.log.last_seq() == 4
        assert (await client.get("/readyz")).status_code == 200

    world.run(story)


def test_a_batch_that_loses_the_store_half_way_says_so_line_by_line(small_world, monkeypatch):
    """What was recorded is answered; the rest are problems in their places."""

    async def story(client, world):
        append, calls = world.shopward.log.append, []

        def sometimes(entries):
            calls.append(1)
            if len(calls) > 2:
                raise StoreUnavailable("append: the disk of the store is full", retry_after_s=1.0)
            append(entries)

        monkeypatch.setattr(world.shopward.log, "append", sometimes)
        body = b"\n".join(json.dumps(event(n)).encode() for n in range(40))
        answer = await client.post("/v1/decisions/batch", content=body, headers=NDJSON)
        got = [json.loads(line) for line in answer.content.splitlines()]
        assert answer.status_code == 200
        assert [line.get("event_id") for line in got[:16]] == [f"e-{n}" for n in range(16)]
        assert {(line["status"], line["code"]) for line in got[16:]} == {(503, "store_unavailable")}
        assert [line["line"] for line in got[16:]] == list(range(17, 41))
        monkeypatch.undo()
        again = await heard_again(client, "/v1/decisions/batch", body)
        assert [json.loads(line)["event_id"] for line in again.content.splitlines()] == [
            f"e-{n}" for n in range(40)
        ]
        assert world.shopward.log.last_seq() == 40

    small_world.run(story)


def test_a_lost_claim_shuts_the_gate_for_good(world, monkeypatch):
    """Another server owns the store: this one answers no decision any more, and stays up to say so."""

    async def story(client, world):
        failing(world, monkeypatch, "append", StoreLocked("another decision server took this store over"))
        assert (await client.post("/v1/decisions", json=event(1))).status_code == 503
        monkeypatch.undo()
        await asyncio.sleep(0.2)
        answer = await client.post("/v1/decisions", json=event(1))
        assert (answer.status_code, answer.json()["code"]) == (503, "store_locked")
        assert (await client.get("/readyz")).status_code == 503

    world.run(story)


def test_snapshots_are_taken_between_groups_and_hold_what_the_log_says(world_in, tmp_path):
    """After many events there is one, and a restart from it decides as the log alone would."""
    world = world_in(tmp_path / "data", snapshot_events=50)

    async def story(client, world):
        for start in range(0, 400, 40):
            await asyncio.gather(
                *(client.post("/v1/decisions", json=event(n)) for n in range(start, start + 40))
            )
            await asyncio.sleep(0.01)
        for number in range(401, 404):
            await client.post("/v1/decisions", json=failed_login(number))
        until = time.monotonic() + 180
        while not world.application.metrics.snapshots["saved"]:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        assert 0 < world.shopward.desk.snapshots.load().seq <= 403
        world.shopward.close(snapshot=False)

    async def after(client, _world):
        assert (await client.post("/v1/decisions", json=failed_login(404))).json()["decision"] == "challenge"

    world.run(story)
    world.run(after)


def test_a_stop_ends_a_snapshot_under_way_and_saves_the_state_itself(world_in, tmp_path, monkeypatch, caplog):
    """Nobody waits for a copy that never ends, and nothing is called a failure: the newest state is saved."""
    world = world_in(tmp_path / "data", snapshot_events=1)

    async def story(client, world):
        monkeypatch.setattr(world.shopward.desk, "save_snapshot", signal.pause)
        await client.post("/v1/decisions", json=event(1))
        until = time.monotonic() + 180
        while not world.application.metrics.snapshot_pause_s:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        monkeypatch.undo()

    world.run(story)
    assert world.shopward.desk.snapshots.load().seq == 1
    assert world.application.metrics.snapshots["failed"] == 0
    assert "no snapshot" not in caplog.text


def test_a_stop_in_the_middle_of_a_rebuild_does_not_wait_for_its_end(world, monkeypatch):
    """A server that is told to stop while it rebuilds a long log ends, and the log is as it was."""

    async def story(client, world):
        for number in range(5):
            await client.post("/v1/decisions", json=event(number))
        seen = []

        def endless(progress):
            while len(seen) < 10_000:
                seen.append(1)
                progress(len(seen), 10_000)
                time.sleep(0.005)

        monkeypatch.setattr(world.shopward.desk, "rebuild", endless)
        failing(world, monkeypatch, "append", StoreUnavailable("append: full", retry_after_s=1.0))
        assert (await client.post("/v1/decisions", json=event(9))).status_code == 503
        await asyncio.sleep(0.2)
        await world.application.stop()
        assert 0 < len(seen) < 1_000

    world.run(story)
