"""Asking for the proof of a recovery: a challenge like any other, by what the threat left trustworthy.

Promise: the level and the factors come from ``recovery.trust``, by the reason of the freeze, by what the log says was changed
since the compromise, by what was enrolled since, and by what orders in force exclude; all of it anew at every call, so a
factor that becomes doubtful between question and answer proves nothing. Nothing is written.

A case has as many challenges as it takes, one after the other: each is bound to the case, a number, the user and the
device. Guessing is bounded by ``stepup.limits`` and by ``ATTEMPTS_MAX``.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from shopward.events import Facts
from shopward.flows.asked import Asked
from shopward.flows.changes import changes_since
from shopward.recovery.trust import PREFERRED, trust_after
from shopward.stepup.challenges import SPEND_WITHIN_MS, Subject
from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from shopward.events import FactsMaker
    from shopward.flows.asked import Who
    from shopward.flows.oversee import Overseer
    from shopward.ports import EventLog, Records
    from shopward.recovery import Case
    from shopward.recovery.store import RecoveryStore
    from shopward.recovery.trust import Trust
    from shopward.stepup.challenges import Challenge
    from shopward.stepup.desk import Desk
    from shopward.values import Clock

OPERATION: Final = "recovery"
ATTEMPTS_MAX: Final = 100


class RecoveryAsking:
    """Finds what proves a case.

    Args:
        records: transactions.
        store: the cases.
        desk: of step-up.
        overseer: the orders in force.
        log: what happened to an account.
        maker: makes tokens.
        clock: the server's clock.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: RecoveryStore,
        desk: Desk,
        overseer: Overseer,
        log: EventLog,
        maker: FactsMaker,
        clock: Clock,
    ) -> None:
        self._records = records
        self._store = store
        self._desk = desk
        self._overseer = overseer
        self._log = log
        self._maker = maker
        self._clock = clock

    def find(self, case_id: str, who: Who | None) -> Asked:
        """What a case that waits for a proof asks for.

        Raises:
            StepUpRefused: ``unknown_challenge``, ``wrong_subject`` or ``too_many_tries``.
        """
        case = self._case(case_id)
        if case.state != "frozen":
            raise StepUpRefused(
                "unknown_challenge", expected="a recovery that waits for a proof", found=case.state
            )
        return self._asked(case, who)

    def asked(self, case_id: str, who: Who) -> Asked:
        """The same, in whatever state the case is."""
        return self._asked(self._case(case_id), who)

    def device_of(self, who: Who) -> str:
        """The token of the device that somebody is on."""
        return self._maker.blind("device", "" if who.context is UNSET else who.context.device_id)

    def _case(self, case_id: str) -> Case:
        case = self._records.read(lambda connection: self._store.get(connection, case_id))
        if case is None:
            raise StepUpRefused("unknown_challenge", expected="the id of a recovery", found="another id")
        return case

    def _asked(self, case: Case, who: Who | None) -> Asked:
        if who is not None and self._maker.user_token(who.user.id) != case.user:
            raise StepUpRefused("wrong_subject", expected="the user of this recovery", found="another user")
        name, challenge = self._records.read(lambda connection: self._attempt(connection, case))
        device = "" if challenge is None else challenge.subject.device
        if who is not None:
            device = self.device_of(who)
        facts = Facts(case.id, OPERATION, "attempted", user=case.user, device=device, actor=case.user)
        trust = self._trust(case, facts)
        return Asked(
            case.id,
            Subject(case.user, device, OPERATION, name),
            "challenge",
            PREFERRED,
            tuple(sorted(trust.excluded)),
            facts,
            self._clock.now_ms(),
            trust.level_min,
        )

    def _trust(self, case: Case, facts: Facts) -> Trust:
        now_ms = self._clock.now_ms()
        changes = changes_since(self._log, case.user, since_ms=case.since_ms, until_ms=now_ms)
        factors = self._records.read(lambda connection: self._desk.store.factors(connection, case.user))
        enrolled = {each.kind for each in factors if each.created_ms >= case.since_ms}
        if changes.codes_added:
            enrolled.add("recovery_code")
        return trust_after(
            case.reason, changed=changes.types, enrolled_since=enrolled,
            excluded=self._overseer.excluded(facts, anything=True),
        )  # fmt: skip

    def _attempt(self, connection: Any, case: Case) -> tuple[str, Challenge | None]:
        """The name of the challenge that counts now, and the challenge if there is one."""
        now_ms = self._clock.now_ms()
        for number in count(1):
            name = self._maker.blind("recovery", f"{case.id}#{number}")
            kept = self._desk.store.of_decision(connection, name)
            if kept is None or _counts(kept, now_ms):
                return name, kept
            if number >= ATTEMPTS_MAX:  # fails closed
                break
        raise StepUpRefused("too_many_tries", expected=f"at most {ATTEMPTS_MAX} challenges for a recovery")


def _counts(challenge: Challenge, now_ms: int) -> bool:
    """Whether a challenge can still be answered or spent."""
    if challenge.state == "passed":
        return now_ms < challenge.passed_ms + SPEND_WITHIN_MS
    return challenge.state == "open" and now_ms < challenge.expires_ms
