"""A state machine: the log behaves like a plain list."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from msgspec.structs import replace

from contract.log_worker import entry
from shopward.adapters.sql import SqlEventLog, tail
from shopward.errors import Conflict, StoreError


class LogMachine(RuleBasedStateMachine):
    """The log beside a plain list."""

    place: object = None
    ids = st.text(st.sampled_from("abä🦊'"), min_size=1, max_size=3)

    @initialize()
    def begin(self):
        """An empty store and an empty list."""
        self.here = self.place.fresh()
        self.model = []
        self.log = SqlEventLog.open(self.here.url)
        self.log.claim()
        self.beside = SqlEventLog.open(self.here.url)

    @rule(
        chosen=st.lists(ids, max_size=10), user=st.sampled_from(["", "u1", "u2"]), body=st.binary(max_size=20)
    )
    def append(self, chosen, user, body):
        """A group is recorded whole, or refused whole for an id that is known."""
        last = len(self.model)
        group = [
            replace(entry(last + i), event_id=event_id, user_token=user, personal=body)
            for i, event_id in enumerate(chosen, start=1)
        ]
        known = {e.event_id for e in self.model}
        if len(set(chosen)) < len(chosen) or known & set(chosen):
            with pytest.raises(Conflict):
                self.log.append(group)
        else:
            self.log.append(group)
            self.model += group

    @rule(ahead=st.integers(-3, 3).filter(lambda n: n != 1))
    def append_with_gap(self, ahead):
        """A group from another position is refused."""
        with pytest.raises(StoreError):
            self.log.append([replace(entry(1), seq=len(self.model) + ahead, event_id="gap")])

    @rule(chosen=st.lists(ids, max_size=10))
    def find(self, chosen):
        """The same is found, by the owner and by a reader beside it."""
        for log in (self.log, self.beside):
            assert log.find(chosen) == {e.event_id: e for e in self.model if e.event_id in chosen}

    @rule(after=st.integers(0, 30), limit=st.integers(0, 30))
    def read(self, after, limit):
        """The same is read."""
        assert self.log.read(after_seq=after, limit=limit) == self.model[after : after + limit]
        assert self.log.last_seq() == len(self.model)

    @rule(user=st.sampled_from(["u1", "u2"]), before=st.none() | st.integers(0, 30), limit=st.integers(0, 9))
    def timeline(self, user, before, limit):
        """A timeline is the list, filtered and turned round."""
        theirs = [
            e for e in reversed(self.model) if e.user_token == user and (before is None or e.seq < before)
        ]
        for log in (self.log, self.beside):
            assert log.timeline(user, before_seq=before, limit=limit) == theirs[:limit]

    @rule()
    def restart(self):
        """Nothing is forgotten."""
        self.log.close()
        self.log = SqlEventLog.open(self.here.url)
        self.log.claim()

    def teardown(self):
        """Leave nothing open."""
        if hasattr(self, "log"):
            self.log.close()
            self.beside.close()


@pytest.mark.parametrize("generation", [3, tail.GENERATION])
def test_the_log_behaves_like_a_list(place, generation, monkeypatch):
    """Any sequence of calls gives what a plain list would give, whether the index tables lag behind or not."""
    monkeypatch.setattr(tail, "GENERATION", generation)
    machine = type("Machine", (LogMachine,), {"place": place})
    few = settings(
        max_examples=40 if place.engine == "sqlite" else 6,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
