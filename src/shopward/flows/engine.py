"""The engine: one event in, one verdict out, with all state in memory and no I/O.

Promise: the same events in the same order under the same policy give the same verdicts and the same state, whether
they come live, from a file, or back from the log. What the engine knows after ``rebuild`` of a log equals what it
knew when it wrote that log; recorded decisions are taken as they stand and never recomputed.

The story of one event:
  (1) facts: tokens instead of names
  (2) effective time: the largest seen so far
  (3) a label takes the keys of the event that it names
  (4) features observe
  (5) challenges already answered
  (6) the verdict of the policy, with the score of a model where one is in force
  (7) the orders in force, which only strengthen it (``ruling``)
  (8) features and orders settle, the challenge is remembered, campaigns take it in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from shopward.errors import SnapshotInvalid
from shopward.events.facts import take_keys
from shopward.flows.ruling import strengthened
from shopward.protection.inforce import OrdersInForce
from shopward.risk.campaigns import CampaignBook
from shopward.risk.challenges import ChallengeBook, Pending
from shopward.risk.features import KernelChoice, Outcome, open_kernel, plain_outcome
from shopward.risk.policy import Action
from shopward.risk.verdict import Reason, Verdict, judge, score_of

if TYPE_CHECKING:
    from shopward.events import Event, Facts, FactsMaker
    from shopward.protection.inforce import Change
    from shopward.publication import Mark
    from shopward.risk.features import Readings
    from shopward.risk.policy import Policy


class Recall(Protocol):
    """How a label finds the event that it names."""

    def facts_of(self, event_id: str) -> Facts | None:
        """The facts of an earlier event, ``None`` where it is not known."""
        ...


class DecisionRecord(Struct, omit_defaults=True):
    """A decision as it is recorded: no texts, but everything that a rebuild of the state needs.

    Attributes:
        orders: protection orders that had a say.
        used: limits that the event uses up.
        in_force: the version of the orders that were in force.
        asked: the policy's own actions, where orders added theirs.
        learnt: what the rules alone scored, where a model's score stands in ``score``: features learn from rules, so
            that they read the same with a model and without one.
    """

    id: str
    event_id: str
    decision: str
    score: float
    reasons: tuple[Reason, ...] = ()
    actions: tuple[Action, ...] = ()
    orders: tuple[str, ...] = ()
    policy: str = ""
    shadow: tuple[str, ...] = ()
    deciding: tuple[str, ...] = ()
    condemned: tuple[tuple[str, str, int], ...] = ()
    used: tuple[str, ...] = ()
    in_force: int = 0
    asked: tuple[Action, ...] = ()
    learnt: float | None = None

    @property
    def own_actions(self) -> tuple[Action, ...]:
        """What the policy itself asks for, without what orders in force ask for."""
        return self.asked if self.orders else self.actions

    @property
    def outcome(self) -> Outcome:
        """What the features learn from it."""
        score = self.score if self.learnt is None else self.learnt
        centi = round(score * 100)
        if self.condemned:
            return Outcome(self.decision, centi, self.condemned)
        return plain_outcome(self.decision, centi)


class Engine:
    """Decides events in memory.

    Args:
        policy: the compiled policy in force.
        maker: projects events onto facts.
        recall: finds the event that a label names.
        kernel: which kernel keeps the features.

    Attributes:
        publication: number of the last one that the log told of; 0 for none.
        satisfied_for_ms: how long a challenge passed now satisfies.
    """

    def __init__(
        self, policy: Policy, maker: FactsMaker, recall: Recall, *, kernel: KernelChoice = "auto"
    ) -> None:
        self.policy = policy
        self.maker = maker
        self.recall = recall
        self.kernel = open_kernel(policy.layout, kernel)
        self.kernel.campaigns = self.campaigns = CampaignBook(policy.campaigns)
        self.challenges = ChallengeBook()
        self.orders = OrdersInForce(maker.blind)
        self.latest_ms = 0
        self.publication = 0
        self.satisfied_for_ms = policy.satisfied_for_ms

    def decide(self, event: Event) -> tuple[Facts, DecisionRecord]:
        """The verdict on a new event, applied to the state.

        Raises:
            InvalidField: where the event's address is none; the state is as it was.
        """
        facts = self.take_in(self.maker.make(event))  # (1)
        return facts, self.weigh(facts)

    def take_in(self, facts: Facts) -> Facts:
        """Steps 2 and 3 on the facts of a new event: their time, a label's keys; of the state only that time moves."""
        self.latest_ms = facts.at_ms = max(self.latest_ms, facts.time_ms)  # (2)
        if facts.type == "label" and (named := self.recall.facts_of(facts.labelled)) is not None:  # (3)
            take_keys(facts, named)
        return facts

    def weigh(self, facts: Facts, *, held: DecisionRecord | None = None) -> DecisionRecord:
        """Steps 4 to 8 on facts whose time is stamped.

        Args:
            facts: of a new event, or from the log.
            held: the recorded decision of an event that an order had a say on; it is what the state learns.
        """
        readings = self.kernel.observe(facts)  # (4)
        satisfied = self.challenges.satisfied(facts)  # (5)
        verdict = judge(self.policy, facts, readings, satisfied)  # (6)
        record = self._record(facts, verdict)
        if self.orders.version:
            ruling, used = self.orders.rule(facts, satisfied)  # (7)
            factors = self.policy.spec.head.challenge.factors
            record = strengthened(record, ruling, used, factors=factors, version=self.orders.version)
        self._settle(facts, readings, held or record)  # (8)
        return record

    def conclude(
        self, facts: Facts, readings: Readings, *, held: DecisionRecord | None = None
    ) -> DecisionRecord:
        """Steps 5, 6 and 8 on readings taken before, where features learn nothing from decisions and no order is in
        force (``columns``).
        """
        record = self._record(facts, judge(self.policy, facts, readings, self.challenges.satisfied(facts)))
        self.note_challenge(facts, held or record)
        return record

    def reapply(self, facts: Facts, record: DecisionRecord) -> None:
        """Take an event and its recorded decision from the log into the state."""
        self.latest_ms = max(self.latest_ms, facts.at_ms)
        self._settle(facts, self.kernel.observe(facts), record)

    def change(self, change: Change) -> None:
        """Take a change of the orders in force, from the journal or from the log."""
        self.orders.apply(change)

    def mark(self, mark: Mark) -> None:
        """Take a publication's place in the log: from here on it decided."""
        self.publication = mark.number
        self.satisfied_for_ms = mark.satisfied_for_ms

    def take_policy(self, policy: Policy) -> None:
        """Decide by another policy that keeps the same state (``same_state``)."""
        self.policy = policy
        self.satisfied_for_ms = policy.satisfied_for_ms

    @property
    def schema(self) -> str:
        """Which saved states fit this engine."""
        return self.policy.schema

    def dump(self) -> bytes:
        """The whole state."""
        orders = self.orders.dump() if self.orders.version else b""
        saved = _Saved(
            self.latest_ms,
            self.kernel.dump(),
            self.challenges,
            self.campaigns.dump(),
            orders,
            self.publication,
            self.satisfied_for_ms,
        )
        return _encoder.encode(saved)

    def load(self, state: bytes) -> None:
        """Take over a dumped state of the same schema; raises ``SnapshotInvalid``."""
        try:
            saved = _decoder.decode(state)
        except msgspec.MsgspecError as broken:
            raise SnapshotInvalid(
                "the saved state cannot be read", expected="MessagePack of an engine"
            ) from broken
        self.kernel.load(saved.kernel)
        self.campaigns.load(saved.campaigns)
        if saved.orders:
            self.orders.load(saved.orders)
        self.latest_ms, self.challenges = saved.latest_ms, saved.challenges
        self.publication = saved.publication
        self.satisfied_for_ms = saved.satisfied_for_ms or self.satisfied_for_ms

    def _record(self, facts: Facts, verdict: Verdict) -> DecisionRecord:
        return DecisionRecord(
            "d-" + facts.id,
            facts.id,
            verdict.decision,
            verdict.score,
            verdict.reasons,
            verdict.actions,
            (),
            self.policy.version,
            verdict.shadow,
            verdict.deciding,
            verdict.condemned,
            learnt=None if self.policy.scorers is None else score_of(verdict.points),
        )

    def _settle(self, facts: Facts, readings: Readings, record: DecisionRecord) -> None:
        outcome = record.outcome
        meaning = self.campaigns.ask(facts, readings, outcome)
        self.kernel.settle(facts, readings, outcome)
        self.orders.settle(facts, record.decision, record.used)
        self.note_challenge(facts, record)
        self.campaigns.settle(facts, outcome, meaning)

    def note_challenge(self, facts: Facts, record: DecisionRecord) -> None:
        """Remember a challenge that was asked for, or take a proof."""
        if record.decision == "challenge":
            step_up = next((action for action in record.actions if action.type == "step_up"), None)
            exclude: tuple[Any, ...] = step_up.exclude if step_up is not None else ()
            pending = Pending(facts.user, facts.device, facts.type, record.deciding, exclude, facts.at_ms)
            self.challenges.ask(record.id, pending)
        elif facts.type == "challenge" and facts.status == "succeeded" and record.outcome.passed:
            self.challenges.prove(facts, satisfied_for_ms=self.satisfied_for_ms)


class _Saved(Struct):
    latest_ms: int
    kernel: bytes
    challenges: ChallengeBook
    campaigns: bytes
    orders: bytes = b""
    publication: int = 0
    satisfied_for_ms: int = 0


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Saved)
