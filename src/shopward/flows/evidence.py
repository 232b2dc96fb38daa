"""Evidence: conditions of release that Shopward itself has seen met, held against nobody's word.

Promise:
- ``identity_proved``: the challenge that is named was passed here by this user since the order began, with an app or a
  passkey that was enrolled before that, and that neither the order nor what happened excludes. Whoever has neither goes
  through a recovery, which looks closer;
- ``passkey_enrolled``: a passkey was enrolled here since the order began;
- what is not seen is refused, for all users of the call. Nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import Refused
from shopward.recovery.trust import trust_after
from shopward.stepup.factors import LEVELS, as_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.protection.orders import Order
    from shopward.stepup.desk import Desk

IDENTITY: Final = "identity_proved"
PASSKEY: Final = "passkey_enrolled"
SEEN: Final = frozenset({IDENTITY, PASSKEY})
_KEPT: Final = frozenset({"totp", "passkey"})
"""Factors of which it is known since when they were the user's."""


class Evidence:
    """Looks it up.

    Args:
        desk: of step-up.
        blind: gives the token of a value in a domain.
    """

    def __init__(self, desk: Desk, blind: Callable[[str, str], str]) -> None:
        self._desk = desk
        self._blind = blind

    def require(
        self, connection: Any, order: Order, users: Sequence[str], *, cause: str, evidence: str
    ) -> None:
        """Refuse where not every one of these users is seen to meet the condition.

        Args:
            connection: of the transaction.
            order: whose condition it is.
            users: their tokens.
            cause: one of ``SEEN``.
            evidence: of ``identity_proved`` the decision whose challenge was passed.
        """
        if cause == PASSKEY:
            met = all(self.has_passkey(connection, order, user) for user in users)
        else:
            met = len(users) == 1 and self._has_proved(connection, order, users[0], evidence)
        if not met:  # fails closed: nobody is let out of this call
            raise Refused(
                "this condition was not seen to be met", code="release_condition", path="evidence",
                expected="a passkey enrolled here since the order began" if cause == PASSKEY
                else "the decision whose challenge this one user passed since, with an app or passkey from before",
                found="none", hint="have the customer go through a recovery, or release on your own word: staff_release",
            )  # fmt: skip

    def has_passkey(self, connection: Any, order: Order, user: str) -> bool:
        """Whether a user enrolled a passkey since an order began."""
        return any(
            (each.kind, each.state) == ("passkey", "active") and each.created_ms >= order.standing.begun_ms
            for each in self._desk.store.factors(connection, user)
        )

    def _has_proved(self, connection: Any, order: Order, user: str, decision_id: str) -> bool:
        challenge = self._desk.store.of_decision(connection, self._blind("decision", decision_id))
        if challenge is None or challenge.subject.user != user or challenge.state not in ("passed", "spent"):
            return False
        standing = order.standing
        factor = as_factor(challenge.passed_factor)
        trust = trust_after(standing.reason, changed=(), enrolled_since=(), excluded=standing.exclude)
        if factor is None or factor not in _KEPT or factor in trust.excluded:
            return False
        was_theirs = any(
            each.kind == factor and each.created_ms < standing.begun_ms
            for each in self._desk.store.factors(connection, user)
        )
        is_enough = LEVELS[factor] >= max(standing.assurance, trust.level_min)
        return was_theirs and is_enough and challenge.passed_ms >= standing.begun_ms
