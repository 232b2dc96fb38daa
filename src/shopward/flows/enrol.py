"""Enrolling: the factors of a user come and go, on a decision about just that.

Promise:
- a factor is added or removed on a recorded decision of type ``mfa_enroll`` or ``mfa_remove`` of this user and device, of
  the last ten minutes, that was not denied; where it asked for a proof, or the user has a factor, the proof is spent in
  the transaction of the change (``stepup.enrolment``);
- staff may remove a factor that was lost, with what shows it; they can never add one or choose anything of it;
- each change is a line of the audit log in its transaction, and an event of the ordered log, told by Shopward itself.

A secret leaves once, in the answer of the call that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward import stepup
from shopward.events.catalogue import User
from shopward.flows.asked import Who
from shopward.flows.changes import CODES_ADDED
from shopward.stepup.challenges import LIFETIME_MS
from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.events import Event
    from shopward.flows.asked import Asked, Askings, Witnesses
    from shopward.stepup import Desk, Enrolled
    from shopward.values import Clock, IdSource

ADD: Final = "mfa_enroll"
REMOVE: Final = "mfa_remove"


class Started(Struct, frozen=True, omit_defaults=True):
    """An enrolment that was begun; what it holds is shown to the customer once and kept by nobody.

    Attributes:
        id: of the factor, for its confirmation.
        kind: totp, passkey or recovery_code.
        uri: of a new app: the QR code's content.
        secret_base32: of a new app: the same, to be typed.
        options: of a new passkey: JSON for ``navigator.credentials.create()``.
        codes: new recovery codes; the set before is worthless now. They need no confirmation.
    """

    id: str
    kind: str
    uri: str = ""
    secret_base32: str = ""
    options: str = ""
    codes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without anything secret, so that no log and no traceback shows it."""
        return f"Started(id={self.id!r}, kind={self.kind!r})"


class FactorDesk:
    """Tells the stories; may be called from any thread.

    Args:
        askings: finds the decision that a change rests on.
        desk: of step-up.
        witnesses: see to the audit log and the outbox.
        clock: the server's clock.
        ids: names events.
    """

    def __init__(
        self, *, askings: Askings, desk: Desk, witnesses: Witnesses, clock: Clock, ids: IdSource
    ) -> None:
        self._askings = askings
        self._desk = desk
        self._witnesses = witnesses
        self._clock = clock
        self._ids = ids

    def listed(self, user_id: str) -> tuple[Enrolled, ...]:
        """A user's factors."""
        return stepup.enrolled(self._desk, self._askings.user_token(user_id))

    def start(
        self, caller: Caller, decision_id: str, who: Who, *, kind: str, name: str
    ) -> tuple[Started, Event | None]:
        """Begin to add a factor; ``name`` is what the app or the authenticator calls the account.

        Recovery codes count at once: they come with the event that the log has to hear.

        Raises:
            StepUpRefused: ``no_proof`` and all that ``stepup.enrolment`` refuses.
        """
        asked = self._resting_on(decision_id, who, ADD)
        desk, user, now_ms = self._seen_by(caller), asked.subject.user, self._clock.now_ms()
        proof = self._proof(asked)
        if kind == "totp":
            app = stepup.start_totp(desk, user, account=name, proof=proof, at_ms=now_ms)
            return Started(app.factor_id, kind, app.uri, app.secret_base32), None
        if kind == "passkey":
            passkey = stepup.start_passkey(desk, user, user_name=name, proof=proof, at_ms=now_ms)
            return Started(passkey.factor_id, kind, options=passkey.options), None
        codes = stepup.new_recovery_codes(desk, user, proof=proof, at_ms=now_ms)
        started = Started(stepup.RECOVERY_CODES, stepup.RECOVERY_CODES, codes=codes)
        return started, who.event(self._ids.new("fac", now_ms) + CODES_ADDED, ADD, "succeeded", at_ms=now_ms)

    def confirm(self, caller: Caller, who: Who, factor_id: str, *, answer: str) -> Event:
        """Make a factor count; the event that the log has to hear.

        Raises:
            StepUpRefused: as ``stepup.confirm_totp`` and ``stepup.confirm_passkey``.
        """
        desk, now_ms = self._seen_by(caller), self._clock.now_ms()
        user = self._askings.user_token(who.user.id)
        kept = desk.look(lambda each: desk.store.factors(each, user))
        if any((each.factor_id, each.kind) == (factor_id, "passkey") for each in kept):
            stepup.confirm_passkey(desk, user, factor_id, answer=answer, at_ms=now_ms)
        else:
            stepup.confirm_totp(desk, user, factor_id, code=answer, at_ms=now_ms)
        return who.event(f"{factor_id}-added", ADD, "succeeded", at_ms=now_ms)

    def remove(self, caller: Caller, decision_id: str, who: Who, factor_id: str) -> Event:
        """Remove a factor at its owner's wish; the event that the log has to hear.

        Raises:
            StepUpRefused: ``no_proof``, and ``unknown_factor`` where there is none of this id.
        """
        asked = self._resting_on(decision_id, who, REMOVE)
        desk, now_ms = self._seen_by(caller), self._clock.now_ms()
        if not stepup.revoke(desk, asked.subject.user, factor_id, proof=self._proof(asked), at_ms=now_ms):
            raise _unknown_factor()
        return self._removed(who, now_ms)

    def remove_lost(self, caller: Caller, user_id: str, factor_id: str, *, evidence: str) -> Event:
        """Remove a factor that its owner lost, on the word of a member of staff; the event for the log.

        ``evidence`` is the number of the case, and stands in the audit line.

        Raises:
            StepUpRefused: ``unknown_factor``.
            Refused: the key is none of an analyst's.
        """
        caller.require("analyst")
        desk, now_ms = self._seen_by(caller, cause="lost", evidence=evidence), self._clock.now_ms()
        user = self._askings.user_token(user_id)
        if not desk.run(lambda each: stepup.revoke_by_order(desk, each, user, factor_id, at_ms=now_ms)):
            raise _unknown_factor()
        return self._removed(Who(User(user_id)), now_ms)

    def _removed(self, who: Who, now_ms: int) -> Event:
        return who.event(self._ids.new("fac", now_ms), REMOVE, "succeeded", at_ms=now_ms)

    def _seen_by(self, caller: Caller, **more: str) -> Desk:
        return self._witnesses.of(self._desk, caller, **more)

    def _resting_on(self, decision_id: str, who: Who, operation: str) -> Asked:
        """The decision that a change rests on; fails closed."""
        asked = self._askings.find(decision_id, who)
        if asked.subject.operation != operation or asked.decision == "deny":
            raise StepUpRefused(
                "no_proof", expected=f"a decision on {operation} that was not denied",
                found=f"{asked.decision} on {asked.subject.operation}",
            )  # fmt: skip
        return asked

    def _proof(self, asked: Asked) -> stepup.Proof | None:
        """The challenge of the decision, to be spent; ``None`` where it asked for none and none was begun."""
        desk = self._desk
        kept = desk.look(lambda each: desk.store.of_decision(each, asked.subject.decision_id))
        if kept is not None:
            return stepup.Proof(kept.id, asked.subject.device)
        if asked.decision == "challenge":
            raise StepUpRefused("no_proof", expected="the passed challenge of this decision", found="none")
        if self._clock.now_ms() - asked.recorded_ms >= LIFETIME_MS:
            raise StepUpRefused("expired", expected="a decision of the last 10 minutes", found="an older one")
        return None


def _unknown_factor() -> StepUpRefused:
    return StepUpRefused("unknown_factor", expected="a factor of this user", found="another id")
