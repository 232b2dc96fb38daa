"""Proving: a decision asked for a proof, the customer gives it, and the ordered log hears of it.

Promise:
- a challenge costs nothing until somebody looks at it: the decision itself is the demand, and the row is made when a
  code is sent, options are given or an answer comes;
- an answer counts for the user, device and operation of the recorded decision alone, and never by a factor that the
  decision, or an order in force at that moment, excludes;
- a pass and a miss are events of the ordered log, told by Shopward itself: the rule is satisfied by the same entry that
  a replay reads. A pass that could not be recorded is told again by the next call, under the same id.

The story of an answer:
  (1) the decision, from the log; whose and for what
  (2) what orders in force exclude besides
  (3) the challenge: made now where there is none
  (4) the answer (``stepup.verify``), the audit line in its transaction
  (5) the event, for the caller to put through the gate

Who answers is told by the shop, whose key it is: Shopward sees no customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward import stepup
from shopward.errors import ShopwardError
from shopward.events.catalogue import ChallengeProof, Event
from shopward.flows.asked import PROVED_ALWAYS
from shopward.flows.sim import PHONE_FACTORS
from shopward.stepup.challenges import LIFETIME_MS, TRIES_MAX
from shopward.stepup.refusals import StepUpRefused
from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.asked import Asked, Askings, Who, Witnesses
    from shopward.flows.oversee import Overseer
    from shopward.flows.sim import SimDesk
    from shopward.risk.policy import Policy
    from shopward.stepup import Challenge, Desk
    from shopward.stepup.code_channel import Language
    from shopward.values import Clock, IdSource

KEPT_MS: Final = 2 * DAY_MS
"""How long challenges are kept; a decision is too old to be challenged anew long before that."""
LOOKED_AT: Final = frozenset({"wrong_answer", "cloned_passkey"})
"""Refusals of an answer that was compared: the log hears of them as a challenge that failed."""
NOT_ME: Final = "not_me"
"""The factor of a challenge that was called off by its owner: no proof, and a sign that somebody else acts."""


class ChallengeView(Struct, frozen=True, omit_defaults=True):
    """A challenge as a shop sees it.

    Attributes:
        id: the decision's; of a person of staff, the challenge's own.
        state: open, passed, spent, expired, locked or cancelled.
        operation: the event type that was decided.
        offered: factors that may answer, in order of preference.
        exclude: factors that prove nothing here.
        tries_left: answers that are still looked at.
        expires_at: until when an answer is taken.
        factor: what it was passed with.
        good_until: until when the rule stays satisfied.
    """

    id: str
    state: str
    operation: str
    offered: tuple[str, ...]
    exclude: tuple[str, ...]
    tries_left: int
    expires_at: str
    factor: str = ""
    good_until: str = ""


class Heard(Struct, frozen=True):
    """What became of a call: the event that the log has to hear, then a view, or the refusal to raise after it."""

    event: Event | None
    view: ChallengeView | None = None
    refused: ShopwardError | None = None


class Sent(Struct, frozen=True):
    """What became of a code: until when it holds; or the event that the log has to hear and the refusal to raise after it."""

    expires_ms: int = 0
    event: Event | None = None
    refused: StepUpRefused | None = None


class ProofDesk:
    """Tells the story; may be called from any thread.

    Args:
        askings: finds what was asked.
        desk: of step-up.
        overseer: the orders in force.
        policy: gives the policy in force: its factors, and how long a pass satisfies a rule.
        witnesses: see to the audit log and the outbox.
        clock: the server's clock.
        ids: names events.
        sims: asked before a code leaves for a phone.
    """

    def __init__(
        self,
        *,
        askings: Askings,
        sims: SimDesk,
        desk: Desk,
        overseer: Overseer,
        policy: Callable[[], Policy],
        witnesses: Witnesses,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._askings = askings
        self._sims = sims
        self._desk = desk
        self._overseer = overseer
        self._policy = policy
        self._witnesses = witnesses
        self._clock = clock
        self._ids = ids

    def take_policy(self, policy: Policy) -> None:
        """Offer the factors of another policy, and say how long it is satisfied."""
        self._factors = tuple(policy.spec.head.challenge.factors)
        self._satisfied_for_ms = policy.satisfied_for_ms

    def look(self, decision_id: str) -> ChallengeView:
        """What a decision asks for, and how far that is; nothing is written.

        Raises:
            StepUpRefused: ``unknown_challenge``, ``no_factor_left``, ``expired``.
        """
        asked = self._askings.find(decision_id)  # (1)
        _require_asking(asked)
        return self._view(asked, self._challenge(self._desk, asked, stepup.look_at_challenge))

    def passkey_options(self, caller: Caller, decision_id: str, who: Who) -> str:
        """JSON for ``navigator.credentials.get()``."""
        desk, asked, challenge = self._asked(caller, decision_id, who)
        return stepup.passkey_options(
            desk, challenge.id, expected=asked.subject, also_excluded=self._excluded(asked),
            at_ms=self._clock.now_ms(),
        )  # fmt: skip

    def send_code(
        self, caller: Caller, decision_id: str, who: Who, *, channel: str, to: str, language: Language
    ) -> Sent:
        """Send a code, but none to a phone whose SIM was changed. ``to`` is handed on and kept nowhere."""
        desk, asked, challenge = self._asked(caller, decision_id, who)
        if channel in PHONE_FACTORS & set(challenge.offered) and challenge.state == "open":
            looked = self._sims.look(who.user.id, to)
            if looked.swapped:
                refused = StepUpRefused(
                    "excluded_factor", expected="a factor that a new SIM does not take over",
                    found="a number whose SIM was changed a short while ago",
                )  # fmt: skip
                return Sent(event=looked.event, refused=refused)
        expires_ms = stepup.send_code(
            desk, challenge.id, expected=asked.subject, channel=channel, to=to, language=language,
            also_excluded=self._excluded(asked), at_ms=self._clock.now_ms(),
        )  # fmt: skip
        return Sent(expires_ms)

    def verify(self, caller: Caller, decision_id: str, who: Who, *, factor: str, answer: str) -> Heard:
        """An answer; the event goes through the gate before the caller hears anything."""
        desk, asked, challenge = self._asked(caller, decision_id, who)  # (1) to (3)
        if challenge.state == "passed" and not self._askings.is_recorded(_passed_id(challenge)):
            return self._passed(asked, challenge, who)  # a crash or a full disk came between (4) and (5)
        try:
            stepup.verify(
                desk, challenge.id, expected=asked.subject, factor=factor, answer=answer,
                also_excluded=self._excluded(asked), at_ms=self._clock.now_ms(),
            )  # (4)  # fmt: skip
        except StepUpRefused as refused:
            if refused.code not in LOOKED_AT:
                raise
            return Heard(self._failed(decision_id, who, factor), refused=refused)  # (5)
        return self._passed(asked, self._again(desk, asked), who)  # (5)

    def cancel(self, caller: Caller, decision_id: str, who: Who) -> Heard:
        """Close it as "that was not me", from any device of the user; the log hears of it."""
        asked = self._askings.find(decision_id)
        if self._askings.user_token(who.user.id) != asked.subject.user:
            raise StepUpRefused("wrong_subject", expected="the user who was asked", found="another user")
        _require_asking(asked)
        desk = self._witnesses.of(self._desk, caller)
        challenge = self._challenge(desk, asked, stepup.open_challenge)
        stepup.cancel_challenge(desk, challenge.id, expected=asked.subject, at_ms=self._clock.now_ms())
        return Heard(self._failed(decision_id, who, NOT_ME), view=self._view(asked, self._again(desk, asked)))

    def forget(self) -> int:
        """Delete challenges that nobody can answer or spend any more; how many."""
        desk, before_ms = self._desk, self._clock.now_ms() - KEPT_MS
        return desk.run(lambda each: desk.store.forget_challenges(each, before_ms=before_ms))

    def _asked(self, caller: Caller, decision_id: str, who: Who) -> tuple[Desk, Asked, Challenge]:
        """(1) to (3): the decision, held against who answers, and its challenge."""
        asked = self._askings.find(decision_id, who)  # (1)
        _require_asking(asked)
        desk = self._witnesses.of(self._desk, caller)
        return desk, asked, self._challenge(desk, asked, stepup.open_challenge)  # (3)

    def _challenge(self, desk: Desk, asked: Asked, get: Callable[..., Challenge]) -> Challenge:
        """The challenge of a decision; one that nobody began within its lifetime is over."""
        now_ms = self._clock.now_ms()
        known = desk.look(lambda each: desk.store.of_decision(each, asked.subject.decision_id))
        if known is not None:
            return known
        if not now_ms - asked.recorded_ms < LIFETIME_MS:
            raise StepUpRefused(
                "expired", expected="a challenge begun within 10 minutes", found="a later call"
            )
        last = (
            (stepup.RECOVERY_CODES,) if asked.level_min > 1 else ()
        )  # who lost the app must be able to enrol another
        return get(
            desk,
            asked.subject,
            preferred=(*asked.preferred, *self._policy().spec.head.challenge.factors, *last),
            excluded=self._excluded(asked),  # (2)
            reachable=desk.carries,
            level_min=asked.level_min,
            at_ms=now_ms,
        )

    def _excluded(self, asked: Asked) -> set[str]:
        """What proves nothing now: by the decision, and by orders in force."""
        return {*asked.excluded, *self._overseer.excluded(asked.facts)}

    def _again(self, desk: Desk, asked: Asked) -> Challenge:
        """The challenge as it is kept now."""
        kept = desk.look(lambda each: desk.store.of_decision(each, asked.subject.decision_id))
        if kept is None:
            raise StepUpRefused("unknown_challenge")
        return kept

    def _passed(self, asked: Asked, challenge: Challenge, who: Who) -> Heard:
        proof = ChallengeProof(asked.decision_id, challenge.passed_factor)
        told = who.event(
            _passed_id(challenge), "challenge", "succeeded", at_ms=self._clock.now_ms(), proof=proof
        )
        return Heard(told, view=self._view(asked, challenge))

    def _failed(self, decision_id: str, who: Who, factor: str) -> Event:
        now_ms = self._clock.now_ms()
        proof = ChallengeProof(decision_id, factor)
        return who.event(self._ids.new("chl", now_ms), "challenge", "failed", at_ms=now_ms, proof=proof)

    def _view(self, asked: Asked, challenge: Challenge) -> ChallengeView:
        passed_ms = challenge.passed_ms
        is_over = challenge.state == "open" and self._clock.now_ms() >= challenge.expires_ms
        return ChallengeView(
            asked.decision_id,
            "expired" if is_over else challenge.state,
            challenge.subject.operation,
            challenge.offered,
            challenge.excluded,
            max(0, TRIES_MAX - challenge.tries),
            to_rfc3339(challenge.expires_ms),
            challenge.passed_factor,
            to_rfc3339(passed_ms + self._policy().satisfied_for_ms) if passed_ms else "",
        )


def _require_asking(asked: Asked) -> None:
    """Only a decision that asked can be proved; a change of factors always asks, unless it was denied."""
    asks = asked.decision == "challenge" or (
        asked.subject.operation in PROVED_ALWAYS and asked.decision != "deny"
    )
    if not asks:
        raise StepUpRefused(
            "unknown_challenge", expected="a decision that asked for a proof", found=asked.decision
        )


def _passed_id(challenge: Challenge) -> str:
    """The id of the event that tells of a pass: one for each challenge, so that it is told once however often."""
    return f"{challenge.id}-passed"
