"""The main story on a real log: once-only answers, bad neighbours, crashes of the store, rebuilds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from shopward.adapters.snapshots import FileSnapshots, NoSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.errors import Conflict, InvalidField, MalformedInput, ShopwardError, StoreUnavailable
from shopward.events import FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import DecisionRecord, Engine
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, PolicySpec, RuleSpec, Texts, load_default_policy
from shopward.risk.policy.spec import PolicyHead
from shopward.values import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shopward.ports import LogEntry

NOW_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
POLICY = Policy(load_default_policy())
WORDS = Texts(id="a", zh="b", en="c")
BREACHED = RuleSpec(
    name="breached",
    description="d",
    when="credential.breached",
    text=WORDS,
    decision="challenge",
    exclude=("sms",),
)
ONE_RULE = Policy(PolicySpec(PolicyHead(name="one_rule", version=1, score_text=WORDS), (), (BREACHED,)))


def login(number: int, second: int = 0, **changes: Any) -> bytes:
    raw = {
        "id": f"e-{number}", "type": "login", "status": "failed", "time": f"2026-01-05T00:{second // 60:02}:{second % 60:02}Z",
        "user": {"id": f"u{number}"}, "context": {"ip": "203.0.113.7", "device_id": f"d{number}"},
    }  # fmt: skip
    return json.dumps(raw | changes).encode()


class World:
    """A desk on a SQLite log in a folder, which can be closed and opened again."""

    def __init__(self, folder: Path, *, snapshots: bool = False, policy: Policy = POLICY) -> None:
        self.clock = ManualClock(NOW_MS + 3_600_000)
        self.log = SqlEventLog.open(f"sqlite:///{folder / 'log.db'}")
        self.log.claim()
        kept = FileSnapshots(folder / "state.snapshot") if snapshots else NoSnapshots()
        maker = FactsMaker(Tokeniser(b"t" * 32))
        self.desk = DecisionDesk(
            log=self.log,
            engine_of=lambda recall: Engine(policy, maker, recall),
            snapshots=kept,
            clock=self.clock,
        )

    def decide(self, *raws: bytes) -> list[DecisionRecord | ShopwardError]:
        return self.desk.decide(raws)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.log.close()


def test_the_same_event_again_hears_the_recorded_answer(world: World) -> None:
    """A retry is answered from the log, in a later group and in the same one, however it is written."""
    first = world.decide(login(1), login(1))
    assert first[0] == first[1]
    respaced = json.dumps(json.loads(login(1)), indent=2).encode()
    assert world.decide(respaced) == [first[0]]
    assert world.log.last_seq() == 1


def test_the_same_id_with_other_content_is_a_conflict(world: World) -> None:
    """In a later group and in the same group; the first content stands."""
    other = login(1, status="succeeded")
    answers = world.decide(login(1), other)
    assert isinstance(answers[0], DecisionRecord)
    assert isinstance(answers[1], Conflict)
    assert isinstance(world.decide(other)[0], Conflict)
    assert world.log.last_seq() == 1


def test_one_bad_line_spoils_no_other(world: World) -> None:
    """Refusals keep their place; the good lines around them are recorded."""
    answers = world.decide(login(1), b"{", login(2, context={"ip": "no address"}), login(3))
    assert [type(answer) for answer in answers] == [
        DecisionRecord,
        MalformedInput,
        InvalidField,
        DecisionRecord,
    ]
    assert world.log.last_seq() == 2


def test_an_event_too_far_ahead_of_the_clock_is_refused(world: World) -> None:
    """Five minutes are tolerated; more would let one wrong clock move the time of every window."""
    world.clock.at_ms = NOW_MS
    ahead = login(1, 301)
    refused = world.decide(ahead)[0]
    assert isinstance(refused, InvalidField)
    assert (refused.code, refused.path) == ("event_in_future", "time")
    assert isinstance(world.decide(login(1, 300))[0], DecisionRecord)


def test_late_events_take_the_largest_time_seen(world: World) -> None:
    """The effective time never goes back and is recorded, so that a replay gives the same decisions."""
    world.decide(login(1, 100), login(2, 50), login(3, 100))
    times = [entry.at_ms - NOW_MS for entry in world.log.read(after_seq=0, limit=10)]
    assert times == [100_000, 100_000, 100_000]


def test_the_fifth_account_from_one_address_is_denied(world: World) -> None:
    """A stuffing source is stopped at its fifth account, with the reason and its evidence, and stays condemned."""
    answers = [world.decide(login(number, number))[0] for number in range(1, 7)]
    kinds = [answer.decision for answer in answers if isinstance(answer, DecisionRecord)]
    assert kinds[:4] == ["allow"] * 4
    assert kinds[4:] == ["deny", "deny"]
    fifth = answers[4]
    assert isinstance(fifth, DecisionRecord)
    reason = next(reason for reason in fifth.reasons if reason.code == "stuffing_one_source")
    assert reason.evidence["ip_failed_users_10m"] == 5
    assert reason.evidence["ip_failed_users_10m_threshold"] == 5


def test_rebuilding_from_the_log_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """A server that starts on the log of another decides as that one would have."""
    interrupted, whole = World(tmp_path), World(_folder(tmp_path, "whole"))
    stream = [login(number, number) for number in range(1, 12)]
    expected = [whole.decide(raw)[0] for raw in stream]
    found = [interrupted.decide(raw)[0] for raw in stream[:3]]
    interrupted.log.close()
    again = World(tmp_path)
    found += [again.decide(raw)[0] for raw in stream[3:]]
    assert found == expected
    assert again.desk.engine.dump() == whole.desk.engine.dump()
    again.log.close()
    whole.log.close()


def test_a_snapshot_and_the_rest_of_the_log_give_the_same_state(tmp_path: Path) -> None:
    """With a snapshot only the events after it are read; a corrupt one is passed over."""
    world = World(tmp_path, snapshots=True)
    world.decide(*[login(number, number) for number in range(1, 4)])
    world.desk.save_snapshot()
    world.decide(*[login(number, number) for number in range(4, 7)])
    state = world.desk.engine.dump()
    world.log.close()
    for damage in (None, b"garbage"):
        if damage is not None:
            (tmp_path / "state.snapshot").write_bytes(damage)
        again = World(tmp_path, snapshots=True)
        again.desk.rebuild()
        assert again.desk.engine.dump() == state
        assert again.desk.seq == 6
        again.log.close()


class Failing:
    """A log whose disk is full for a while; everything else is the real one's."""

    def __init__(self, log: SqlEventLog) -> None:
        self._log = log
        self.full = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, entries: Sequence[LogEntry]) -> None:
        if self.full:
            raise StoreUnavailable("the disk is full", retry_after_s=1)
        self._log.append(entries)


def test_what_could_not_be_recorded_was_never_decided(world: World) -> None:
    """After a failed commit the state is what the log says: the failed tries count for nothing."""
    failing = Failing(world.log)
    world.desk.log = failing  # type: ignore[assignment]
    for number in range(1, 9):
        with pytest.raises(StoreUnavailable):
            world.decide(login(number, number))
    failing.full = False
    answers = [world.decide(login(number, number))[0] for number in range(1, 6)]
    assert [answer.decision for answer in answers if isinstance(answer, DecisionRecord)] == ["allow"] * 4 + [
        "deny"
    ]


def test_a_passed_challenge_satisfies_the_same_rule_for_ten_minutes(tmp_path: Path) -> None:
    """A proof counts for the same user, device and operation, with a factor that was not excluded, for its time."""
    world = World(tmp_path, policy=ONE_RULE)
    first = json.loads(login(1))
    device, user = {"ip": "198.51.100.1", "device_id": "mine"}, {"id": "u1"}

    def attempt(number: int, second: int, **changes: Any) -> DecisionRecord:
        raw = login(
            number,
            second,
            status="succeeded",
            user=user,
            context=device,
            credential={"breached": True},
            **changes,
        )
        answer = world.decide(raw)[0]
        assert isinstance(answer, DecisionRecord)
        return answer

    def prove(number: int, second: int, decision: str, factor: str, **changes: Any) -> None:
        body = first | {
            "id": f"e-{number}", "type": "challenge", "status": "succeeded", "user": user, "context": device,
            "time": f"2026-01-05T00:{second // 60:02}:{second % 60:02}Z",
            "challenge": {"decision_id": decision, "factor": factor},
        }  # fmt: skip
        assert isinstance(world.decide(json.dumps(body | changes).encode())[0], DecisionRecord)

    asked = attempt(1, 1)
    assert asked.decision == "challenge"
    assert asked.actions[0].type == "step_up"
    prove(2, 2, asked.id, "totp", context={"ip": "198.51.100.1", "device_id": "another"})
    assert attempt(3, 3).decision == "challenge"
    prove(4, 4, "d-none", "totp")
    assert attempt(5, 5).decision == "challenge"
    prove(10, 6, asked.id, "sms")
    assert attempt(11, 6).decision == "challenge"
    prove(6, 6, asked.id, "totp")
    assert attempt(7, 7).decision == "allow"
    assert attempt(8, 7 + 599).decision == "allow"
    assert attempt(9, 7 + 601).decision == "challenge"
    world.log.close()


def test_a_label_counts_under_the_keys_of_the_event_that_it_names(world: World) -> None:
    """What the log replays of a label holds the tokens of the named event."""
    world.decide(login(1))
    label = {
        "id": "l-1",
        "type": "label",
        "status": "fraud",
        "time": "2026-01-05T00:10:00Z",
        "user": {"id": "u1"},
    }
    world.decide(json.dumps(label | {"label": {"event_id": "e-1"}}).encode())
    named, labelled = (json.loads(entry.facts) for entry in world.log.read(after_seq=0, limit=10))
    assert (labelled["ip"], labelled["device"]) == (named["ip"], named["device"])


def test_a_label_finds_its_event_in_its_own_group(world: World) -> None:
    """Live and replayed, a label that follows its event in one batch takes the same keys."""
    label = {
        "id": "l-1",
        "type": "label",
        "status": "fraud",
        "time": "2026-01-05T00:10:00Z",
        "user": {"id": "u1"},
    }
    world.decide(login(1), json.dumps(label | {"label": {"event_id": "e-1"}}).encode())
    named, labelled = (json.loads(entry.facts) for entry in world.log.read(after_seq=0, limit=10))
    assert (labelled["ip"], labelled["device"]) == (named["ip"], named["device"])


def test_live_decisions_equal_a_replay_of_the_same_stream(world: World) -> None:
    """Groups of any size, late events and labels included: one engine, one answer."""
    stream = [
        login(number, (number * 37) % 900, status=("failed", "succeeded")[number % 3 == 0])
        for number in range(80)
    ]
    world.clock.at_ms = NOW_MS + 3_600_000
    live = [answer for start in range(0, 80, 7) for answer in world.decide(*stream[start : start + 7])]
    replayed = [result[1] for result in Replay(POLICY).run(stream) if not isinstance(result, ShopwardError)]
    assert [
        (each.decision, each.score, each.reasons) for each in live if isinstance(each, DecisionRecord)
    ] == [(each.decision, each.score, each.reasons) for each in replayed]


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder
