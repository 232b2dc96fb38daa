"""Staff who prove that it is them: factors of a person of staff, and the challenge that a reveal was answered with.

Promise:
- a person's first factor counts once an admin who is somebody else has confirmed it: a stolen key alone enrols nothing. Every
  further factor, and every removal, spends a proof by one that is there; what was lost an admin who is somebody else removes;
- a challenge is of one person and, for a reveal, of one purpose, case, order, list of fields and list of records; it lives ten minutes, is
  passed once and spent once, in the transaction of what it is spent on. Anything else than a spent proof lets nothing through;
- each factor that comes or goes, and each challenge that is asked, failed or passed, is a line of the audit log in the same transaction, with the
  person's name.

A person of staff is whose key it is (``access.keys``). Customers' factors and challenges are told by other names, so that
neither answers for the other. The engine is not told of the proof: the ask that comes back with it is decided anew, and a ``deny`` stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from shopward import stepup
from shopward.errors import Refused
from shopward.flows.enrol import Started
from shopward.flows.prove import ChallengeView
from shopward.stepup.challenges import SPEND_WITHIN_MS, TRIES_MAX, require_spendable
from shopward.stepup.refusals import StepUpRefused
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.stepup import Challenge, Desk, Enrolled, Subject, Verified
    from shopward.stepup.witness import StepUpDeed
    from shopward.values import Clock, IdSource

FACTORS: Final = ("passkey", "totp")
"""What proves a person of staff, in order of preference: no code that travels through a mailbox."""
STAFF: Final = "staff"
"""The domain of the tokens under which their factors are found."""
LEVEL_MIN: Final = 2
CHANGES: Final = {"enrol": "mfa_enroll", "remove": "mfa_remove"}
"""For what a person asks a challenge by himself; those of reveals come with the refusal."""


class _Witness:
    """Writes each deed of step-up down with the person's name."""

    def __init__(self, trail: Trail, caller: Caller, person: str, more: dict[str, str]) -> None:
        self._trail = trail
        self._actor = caller.key
        self._told = {"person": person, **more}

    def saw(
        self, connection: Any, deed: StepUpDeed, *, user: str, subject: str, what: str, at_ms: int
    ) -> None:
        """One line, which comes last."""
        details = {"user": user, "what": what, **self._told}
        self._trail.append(
            connection, at_ms=at_ms, actor=self._actor, deed=deed, subject=subject, details=details
        )


class StaffDesk:
    """Tells the stories; may be called from any thread.

    Args:
        desk: of step-up.
        blind: gives the token of a value in a domain.
        trail: the audit log.
        clock: the server's clock.
        ids: names what a challenge is for where no event does.
    """

    def __init__(
        self, *, desk: Desk, blind: Callable[[str, str], str], trail: Trail, clock: Clock, ids: IdSource
    ) -> None:
        self._desk = desk
        self._blind = blind
        self._trail = trail
        self._clock = clock
        self._ids = ids

    # Factors.

    def listed(self, caller: Caller, person: str) -> tuple[Enrolled, ...]:
        """A person's factors, for himself and for admins; raises ``Refused`` for others."""
        if caller.person != person:
            caller.require("admin")
        return stepup.enrolled(self._desk, self._token(person))

    def start(self, caller: Caller, person: str, *, kind: str, challenge_id: str) -> Started:
        """Begin to add a factor of one's own; what it holds is shown once.

        Raises:
            Refused: it is somebody else's.
            StepUpRefused: ``no_proof`` where a factor is there and no passed challenge, and all that ``stepup.enrolment`` refuses.
        """
        _own(caller, person)
        desk, user, now_ms = self._seen(caller, person), self._token(person), self._clock.now_ms()
        proof = self._proof(caller, challenge_id)
        if kind == "totp":
            app = stepup.start_totp(desk, user, account=person, proof=proof, at_ms=now_ms)
            return Started(app.factor_id, kind, app.uri, app.secret_base32)
        passkey = stepup.start_passkey(desk, user, user_name=person, proof=proof, at_ms=now_ms)
        return Started(passkey.factor_id, kind, options=passkey.options)

    def confirm(self, caller: Caller, person: str, factor_id: str, *, answer: str) -> None:
        """Make a factor count: by its owner where it was begun with a proof, otherwise by an admin who is somebody else.

        Raises:
            Refused: ``second_person_needed`` where nothing but the key speaks for who began it, or the caller is no admin.
            StepUpRefused: as ``stepup.confirm_totp`` and ``stepup.confirm_passkey``.
        """
        desk, user, now_ms = self._seen(caller, person), self._token(person), self._clock.now_ms()
        kept = desk.look(lambda each: desk.store.factors(each, user))
        begun = next((each for each in kept if each.factor_id == factor_id), None)
        # Who had a factor when this one was begun has proved it then; a factor of later says nothing of who began this one.
        is_proved = begun is not None and any(
            each.state == "active" and each.changed_ms < begun.created_ms for each in kept
        )
        if not (is_proved and caller.person == person):
            _vouches(caller, person)
        if begun is not None and begun.kind == "passkey":
            stepup.confirm_passkey(desk, user, factor_id, answer=answer, at_ms=now_ms)
        else:
            stepup.confirm_totp(desk, user, factor_id, code=answer, at_ms=now_ms)

    def remove(self, caller: Caller, person: str, factor_id: str, *, challenge_id: str) -> None:
        """Remove a factor of one's own; raises ``Refused`` and ``StepUpRefused``."""
        _own(caller, person)
        desk, user, now_ms = self._seen(caller, person), self._token(person), self._clock.now_ms()
        if not stepup.revoke(desk, user, factor_id, proof=self._proof(caller, challenge_id), at_ms=now_ms):
            raise _unknown_factor()

    def remove_lost(self, caller: Caller, person: str, factor_id: str, *, evidence: str) -> None:
        """Remove a factor that somebody else lost, as an admin, with what shows it; raises ``Refused`` and ``StepUpRefused``."""
        _vouches(caller, person)
        desk = self._seen(caller, person, cause="lost", evidence=evidence)
        user, now_ms = self._token(person), self._clock.now_ms()
        if not desk.run(lambda each: stepup.revoke_by_order(desk, each, user, factor_id, at_ms=now_ms)):
            raise _unknown_factor()

    # Challenges.

    def open(self, caller: Caller, what: str) -> ChallengeView:
        """A challenge for a change of one's own factors; raises ``StepUpRefused``: ``no_factor_left``."""
        made = self._ids.new("sc", self._clock.now_ms())
        return self._view(self._opened(caller, CHANGES[what], bound="", decision=made, excluded=()))

    def demand(
        self,
        caller: Caller,
        operation: str,
        *,
        bound: str,
        decision: str,
        excluded: Collection[str],
        **more: str,
    ) -> str:
        """The id of the challenge of a decision on this very ask; empty where this person has nothing to answer it with.

        Args:
            caller: who asked.
            operation: the type of the event that was decided.
            bound: tells what was asked for from everything else.
            decision: the id of the event.
            excluded: what the decision says proves nothing.
            more: stands in the audit log besides.
        """
        try:
            opened = self._opened(
                caller, operation, bound=bound, decision=decision, excluded=excluded, **more
            )
        except StepUpRefused as refused:
            if refused.code != "no_factor_left":
                raise
            return ""
        return opened.id

    def look(self, caller: Caller, challenge_id: str) -> ChallengeView:
        """A challenge of one's own; raises ``StepUpRefused``: ``unknown_challenge``."""
        return self._view(self._mine(caller, challenge_id))

    def passkey_options(self, caller: Caller, challenge_id: str) -> str:
        """JSON for ``navigator.credentials.get()``; raises ``StepUpRefused``."""
        mine = self._mine(caller, challenge_id)
        return stepup.passkey_options(
            self._seen(caller, caller.person), mine.id, expected=mine.subject, at_ms=self._clock.now_ms()
        )

    def verify(self, caller: Caller, challenge_id: str, *, factor: str, answer: str) -> ChallengeView:
        """Answer a challenge of one's own; raises ``StepUpRefused`` with the code that says why."""
        mine = self._mine(caller, challenge_id)
        stepup.verify(
            self._seen(caller, caller.person), mine.id, expected=mine.subject, factor=factor, answer=answer,
            at_ms=self._clock.now_ms(),
        )  # fmt: skip
        return self._view(self._mine(caller, challenge_id))

    def check(self, caller: Caller, operation: str, *, bound: str, challenge_id: str) -> None:
        """Raise ``StepUpRefused`` unless the challenge could be spent on this very ask now. Nothing is spent."""
        subject = self._subject(caller, operation, bound, "")
        require_spendable(
            self._mine(caller, challenge_id), operation=operation, user=subject.user, device=subject.device,
            at_ms=self._clock.now_ms(),
        )  # fmt: skip

    def spend(
        self, connection: Any, caller: Caller, operation: str, *, bound: str, challenge_id: str
    ) -> Verified:
        """Spend a passed challenge on this very ask, in its transaction; raises ``StepUpRefused``: roll back."""
        subject = self._subject(caller, operation, bound, "")
        return stepup.spend(
            self._desk, connection, challenge_id, operation=operation, user=subject.user, device=subject.device,
            at_ms=self._clock.now_ms(),
        )  # fmt: skip

    # The parts.

    def _token(self, person: str) -> str:
        return self._blind(STAFF, person)

    def _subject(self, caller: Caller, operation: str, bound: str, decision: str) -> Subject:
        """What a proof is bound to; for a reveal, what was asked for stands in the place of a customer's device."""
        return stepup.Subject(
            self._token(caller.person), self._blind("ask", bound) if bound else "", operation,
            self._blind("decision", decision) if decision else "",
        )  # fmt: skip

    def _opened(
        self,
        caller: Caller,
        operation: str,
        *,
        bound: str,
        decision: str,
        excluded: Collection[str],
        **more: str,
    ) -> Challenge:
        return stepup.open_challenge(
            self._seen(caller, caller.person, **more),
            self._subject(caller, operation, bound, decision),
            preferred=FACTORS,
            excluded=excluded,
            level_min=LEVEL_MIN,
            at_ms=self._clock.now_ms(),
        )

    def _mine(self, caller: Caller, challenge_id: str) -> Challenge:
        """A challenge of the caller's; one of anybody else's is not told from one that is not there."""
        found = self._desk.look(lambda each: self._desk.store.of_id(each, challenge_id))
        if found is None or found.subject.user != self._token(caller.person):
            raise StepUpRefused(
                "unknown_challenge", expected="a challenge of the person whose key it is", found="another id"
            )
        return found

    def _seen(self, caller: Caller, person: str, **more: str) -> Desk:
        return self._desk.witnessed(_Witness(self._trail, caller, person, more))

    def _proof(self, caller: Caller, challenge_id: str) -> stepup.Proof | None:
        return stepup.Proof(self._mine(caller, challenge_id).id, "") if challenge_id else None

    def _view(self, challenge: Challenge) -> ChallengeView:
        is_over = challenge.state == "open" and self._clock.now_ms() >= challenge.expires_ms
        shown = replace(challenge, state="expired") if is_over else challenge
        passed_ms = shown.passed_ms
        return ChallengeView(
            shown.id, shown.state, shown.subject.operation, shown.offered, shown.excluded,
            max(0, TRIES_MAX - shown.tries), to_rfc3339(shown.expires_ms), shown.passed_factor,
            to_rfc3339(passed_ms + SPEND_WITHIN_MS) if passed_ms else "",
        )  # fmt: skip


def _own(caller: Caller, person: str) -> None:
    """Fails closed."""
    if caller.person != person:
        raise Refused(
            "a factor is added and removed by whose it is", expected="a key of this person", found="another's"
        )


def _vouches(caller: Caller, person: str) -> None:
    """An admin who is somebody else; fails closed."""
    caller.require("admin")
    if caller.person == person:
        raise Refused(
            "somebody else has to see whose factor this is",
            code="second_person_needed",
            expected="an admin who is another person",
            found="the same person",
        )


def _unknown_factor() -> StepUpRefused:
    return StepUpRefused("unknown_factor", expected="a factor of this person", found="another id")
