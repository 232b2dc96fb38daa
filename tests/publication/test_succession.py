"""Changing over in the middle of a stream: the same decisions and the same state, whichever way they are reached."""

from __future__ import annotations

import json
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing import small_files
from serving import event
from shopward.access import Caller
from shopward.adapters.snapshots import NoSnapshots
from shopward.config import Settings
from shopward.errors import StoreUnavailable
from shopward.events import decode_event
from shopward.flows.backtest import Editions, over_log_itself
from shopward.flows.engine import DecisionRecord
from shopward.flows.publish import Edition
from shopward.risk.policy import PolicyFiles
from shopward.service import Shopward
from shopward.values import ManualClock

ANALYST = Caller("key-1", "budi", ("analyst",))
LATER_MS = 1_900_000_000_000
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["failed", "succeeded", "payment"]),
        st.integers(0, 3),
        st.integers(0, 900),
    ),
    min_size=1,
    max_size=40,
)


def opened(folder):
    shopward = Shopward.open(Settings(data=str(folder)), clock=ManualClock(LATER_MS))
    shopward.desk.snapshots = NoSnapshots()
    return shopward


def publish(shopward, files):
    """As the server does it, in one go."""
    made, policy = shopward.policies.publish(ANALYST, PolicyFiles(files), shopward.edition)
    successor = shopward.successor(Edition(policy, PolicyFiles(files), made.mark))
    successor.finish()
    successor.take_over()
    shopward.succeeded(successor.edition)


def told(number, kind, user, at_s):
    changes = {"user": {"id": f"u{user}"}, "context": {"device_id": f"d{user % 2}"}}
    if kind == "payment":
        changes |= {
            "type": "payment",
            "status": "attempted",
            "transaction": {"amount_minor": 900_000, "currency": "IDR"},
        }
    else:
        changes |= {"status": kind}
    return event(number, **changes) | {"time": f"2026-01-05T{at_s // 60 % 24:02}:{at_s % 60:02}:00Z"}


def foretold(engine):
    """What a state would answer next: two that answer alike may still hold panes that one has dropped already."""
    return [
        engine.decide(decode_event(json.dumps(told(1_000 + 4 * at + user, kind, user, 1_001)).encode()))
        for at, kind in enumerate(("failed", "payment", "succeeded"))
        for user in range(4)
    ]


@settings(max_examples=12, deadline=None)
@given(groups=st.lists(EVENTS, min_size=2, max_size=4), restart=st.booleans())
def test_a_changed_over_stream_is_decided_the_same_by_backtest_and_rebuild(groups, restart):
    """Policies with the same and with other features in turn: the log, run again, differs nowhere; a fresh start knows
    the same state.
    """
    editions = [
        small_files(version=2),
        small_files(("f.user_failures_1h >= 4", "f.user_failures_1h >= 2"), version=3),
        small_files(('window = "1h"', 'window = "2h"'), version=4),
    ]
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        shopward = opened(folder)
        for turn, group in enumerate(groups):
            for each in group:
                number += 1
                answer = shopward.desk.decide([json.dumps(told(number, *each)).encode()])[0]
                assert isinstance(answer, DecisionRecord)
                assert answer.policy == shopward.policy.version
            publish(shopward, editions[turn % len(editions)])
            if restart and turn == 1:
                shopward.close()
                shopward = opened(folder)
        shopward.desk.decide([json.dumps(told(number + 1, "failed", 0, 1_000)).encode()])
        entries = shopward.log.read(after_seq=0, limit=10_000)
        shopward.close()
        again = opened(folder)
        assert foretold(again.desk.engine) == foretold(shopward.desk.engine)
        known = again.records.read(again.policies._store.all_files)
        again.close()
    policies = {digest: files.compiled() for digest, files in known.items()}
    itself = over_log_itself(
        Editions(next(iter(policies.values())), policies),
        entries,
        reread=lambda until: [entry for entry in entries if entry.seq <= until],
    )
    trials = list(itself)
    assert len(trials) == number + 1
    assert [trial.record for trial in trials] == [trial.before for trial in trials]


def test_a_log_that_fails_at_the_change_over_gets_its_entry_later(tmp_path, small):
    """The group of the change-over is lost; the next one notes the policy and decides by it."""
    shopward = opened(tmp_path)
    desk, append = shopward.desk, shopward.log.append
    desk.decide([json.dumps(event(1)).encode()])
    publish(shopward, small())

    def fail(_entries):
        raise StoreUnavailable("no")

    shopward.log.append = fail
    with pytest.raises(StoreUnavailable):
        desk.decide([json.dumps(event(2)).encode()])
    shopward.log.append = append
    assert desk.decide([json.dumps(event(2)).encode()])[0].policy == "small@2"
    assert [entry.kind for entry in shopward.log.read(after_seq=0, limit=9)] == ["event", "policy", "event"]
    shopward.close()


def test_a_snapshot_of_other_features_is_not_taken(tmp_path, small):
    """The state of the old policy's features is rebuilt and not misread."""
    with Shopward.open(Settings(data=str(tmp_path)), clock=ManualClock(LATER_MS)) as shopward:
        for number in range(3):
            shopward.desk.decide([json.dumps(event(number, status="failed", user={"id": "u"})).encode()])
    with Shopward.open(Settings(data=str(tmp_path)), clock=ManualClock(LATER_MS)) as shopward:
        shopward.policies.publish(ANALYST, PolicyFiles(small()), shopward.edition)
    with Shopward.open(Settings(data=str(tmp_path)), clock=ManualClock(LATER_MS)) as shopward:
        answer = shopward.desk.decide([json.dumps(event(3, status="failed", user={"id": "u"})).encode()])[0]
        assert answer.policy == "small@2"
        assert answer.reasons[0].evidence["user_failures_1h"] == 4


def test_publications_are_kept_by_both_databases(tmp_path, database, small):
    """Published, superseded, rolled back, and in force at the next start."""
    chosen = Settings(data=str(tmp_path), database=database)
    with Shopward.open(chosen, clock=ManualClock(LATER_MS)) as shopward:
        publish(shopward, small(version=2))
        publish(shopward, small(version=3))
        made, policy, files = shopward.policies.roll_back(ANALYST, shopward.edition)
        assert (made.policy, made.number, policy.version) == ("small@2", 4, "small@2")
        assert files.files == small(version=2)
    with Shopward.open(chosen, clock=ManualClock(LATER_MS)) as shopward:
        answer = shopward.desk.decide([json.dumps(event(1)).encode()])[0]
        assert answer.policy == "small@2"
        assert [entry.kind for entry in shopward.log.read(after_seq=0, limit=9)] == ["policy", "event"]
        assert [each.number for each in shopward.policies.listed(before=None, limit=9)] == [4, 3, 2, 1]
