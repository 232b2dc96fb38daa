"""What was asked: a recorded decision, whose it is and for what, held against who answers now.

Promise: the user, the device and the operation of a proof come from the recorded decision and from nothing that the
caller says; an answerer who is not the one that was asked hears ``wrong_subject`` before anything else. Nothing is
written here, and nothing is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from shopward.events import Event, Facts
from shopward.events.catalogue import ChallengeProof, Context, Session, User
from shopward.events.intake import check_context
from shopward.flows.engine import DecisionRecord
from shopward.outbox import Topic
from shopward.stepup.challenges import Subject
from shopward.stepup.refusals import StepUpRefused
from shopward.values import from_ms

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.events import FactsMaker
    from shopward.events.catalogue import EventType, Status
    from shopward.flows.arrows import Outbox, Trail
    from shopward.ports import EventLog
    from shopward.stepup.desk import Desk
    from shopward.stepup.witness import StepUpDeed

DECISION_PREFIX: Final = "d-"
RECOVERY_PREFIX: Final = "r-"
PROVED_ALWAYS: Final = frozenset({"mfa_enroll", "mfa_remove"})
"""What asks for a proof whatever was decided, of level 2 or more: factors change at the hand of their owner alone."""
LEVEL_OF_FACTORS: Final = 2
_TOPICS: Final[dict[str, Topic]] = {
    "factor:enrol": Topic.FACTOR_ADDED,
    "factor:remove": Topic.FACTOR_REMOVED,
    "challenge:cancel": Topic.CHALLENGE_DENIED,
}
_facts: Final = msgspec.json.Decoder(Facts)
_record: Final = msgspec.json.Decoder(DecisionRecord)


class Who(Struct, frozen=True):
    """Who answers, as the shop sees them at this moment."""

    user: User
    context: Context | UnsetType = UNSET
    session: Session | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse a context that an event of the shop could not have (``InvalidField``)."""
        if self.context is not UNSET:
            check_context(self.context)

    def event(
        self,
        event_id: str,
        type_: EventType,
        status: Status,
        *,
        at_ms: int,
        proof: ChallengeProof | None = None,
    ) -> Event:
        """An event of theirs that Shopward itself has to tell."""
        return Event(
            event_id, type_, status, from_ms(at_ms), user=self.user, context=self.context, session=self.session,
            challenge=UNSET if proof is None else proof,
        )  # fmt: skip


class Asked(Struct, frozen=True):
    """A recorded decision as step-up needs it.

    Attributes:
        decision_id: as the shop knows it.
        subject: what a proof is bound to; the decision stands in it as a token, since the shop's ids may name somebody.
        decision: allow, review, challenge or deny.
        preferred: the factor that the decision named, if any.
        excluded: factors that the threat may own, as the decision says.
        facts: of the event.
        recorded_ms: the server's clock when it was decided.
        level_min: of the proof.
    """

    decision_id: str
    subject: Subject
    decision: str
    preferred: tuple[str, ...]
    excluded: tuple[str, ...]
    facts: Facts
    recorded_ms: int
    level_min: int = 1


class Recoveries(Protocol):
    """Where the proof of a recovery is asked for (``flows.trusted``)."""

    def find(self, case_id: str, who: Who | None) -> Asked:
        """What a recovery asks for."""
        ...


class Askings:
    """Finds what was asked.

    Args:
        log: where decisions are recorded.
        maker: makes tokens.
        recoveries: what a recovery asks for, whose id begins with ``r-``.
    """

    def __init__(self, log: EventLog, maker: FactsMaker, recoveries: Recoveries) -> None:
        self._log = log
        self._maker = maker
        self._recoveries = recoveries

    def find(self, decision_id: str, who: Who | None = None) -> Asked:
        """The decision of this id, or the recovery, held against who answers where that is said.

        Raises:
            StepUpRefused: ``unknown_challenge``, or ``wrong_subject``.
        """
        if decision_id.startswith(RECOVERY_PREFIX):
            return self._recoveries.find(decision_id, who)
        event_id = decision_id.removeprefix(DECISION_PREFIX)
        entry = self._log.find([event_id]).get(event_id) if event_id != decision_id else None
        if entry is None or not entry.decision:
            raise StepUpRefused(
                "unknown_challenge", expected="the id of a recorded decision", found="another id"
            )
        facts, record = _facts.decode(entry.facts), _record.decode(entry.decision)
        if who is not None:
            self._require_same(facts, who)
        step_up = next((action for action in record.actions if action.type == "step_up"), None)
        return Asked(
            decision_id,
            Subject(facts.user, facts.device, facts.type, self._maker.blind("decision", decision_id)),
            record.decision,
            () if step_up is None or step_up.factor is None else (step_up.factor,),
            () if step_up is None else step_up.exclude,
            facts,
            entry.recorded_ms,
            LEVEL_OF_FACTORS if facts.type in PROVED_ALWAYS else 1,
        )

    def is_recorded(self, event_id: str) -> bool:
        """Whether the log has an event."""
        return event_id in self._log.find([event_id])

    def blind(self, domain: str, value: str) -> str:
        """The token of a value, as facts of that domain hold it."""
        return self._maker.blind(domain, value)

    def user_token(self, user_id: str) -> str:
        """The token of a user."""
        return self._maker.user_token(user_id)

    def _require_same(self, facts: Facts, who: Who) -> None:
        device = "" if who.context is UNSET else who.context.device_id
        found = {"user": self._maker.user_token(who.user.id), "device": self._maker.blind("device", device)}
        other = [name for name, token in found.items() if token != getattr(facts, name)]
        if other:
            raise StepUpRefused(
                "wrong_subject",
                expected="the user and device that were asked",
                found="another " + ", ".join(other),
            )


class Teller:
    """The witness of step-up: the audit line of each deed, and what the shop is owed to hear, in its transaction.

    Args:
        trail: the audit log.
        outbox: takes what is owed.
        actor: the key that called.
        more: what stands in each line besides.
    """

    def __init__(self, trail: Trail, outbox: Outbox, actor: str, more: dict[str, str]) -> None:
        self._trail = trail
        self._outbox = outbox
        self._actor = actor
        self._more = more

    def saw(
        self, connection: object, deed: StepUpDeed, *, user: str, subject: str, what: str, at_ms: int
    ) -> None:
        """One line; the line comes last, since it holds a lock that everybody needs."""
        topic = _TOPICS.get(deed)
        if topic is not None:
            self._outbox.owe(
                connection, at_ms=at_ms, topic=topic, subject=subject, payload={"factor": what, **self._more}
            )
        self._trail.append(
            connection, at_ms=at_ms, actor=self._actor, deed=deed, subject=subject,
            details={"user": user, "what": what, **self._more},
        )  # fmt: skip


class Witnesses:
    """Makes the witness of a call.

    Args:
        trail: the audit log.
        outbox: takes what is owed.
    """

    def __init__(self, trail: Trail, outbox: Outbox) -> None:
        self._trail = trail
        self._outbox = outbox

    def of(self, desk: Desk, caller: Caller, **more: str) -> Desk:
        """The desk for one call of one key."""
        return desk.witnessed(Teller(self._trail, self._outbox, caller.key, more))
