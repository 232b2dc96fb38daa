"""Trust: which factor still proves anything after what happened, and of which level it has to be.

Promise, a pure function:
- the reason of the freeze says what the threat may own (``BY_REASON``); a reason that is not in the table asks for level 2;
- what changed since the compromise proves nothing: a factor that was enrolled since, an e-mailed code after the address
  changed, a code over WhatsApp after the number did;
- nothing left is a refusal (``stepup.factors.offer``), never a weaker proof: then a member of staff has to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection

PREFERRED: Final = ("passkey", "totp", "recovery_code", "whatsapp", "email")


class Trust(Struct, frozen=True):
    """The least level of a proof, and factors that the threat may own."""

    level_min: int
    excluded: frozenset[str]


_PHONE: Final = frozenset({"totp", "whatsapp", "sms", "email"})
"""A phone in other hands has the app, the number and, as a rule, the mailbox. A passkey asks for its owner's finger."""
BY_REASON: Final[dict[str, Trust]] = {
    "lost_device": Trust(2, _PHONE),
    "account_at_risk": Trust(1, frozenset({"sms"})),
    "credential_stuffing": Trust(1, frozenset({"sms"})),
    "data_breach": Trust(1, frozenset({"sms"})),
    "payment_fraud": Trust(1, frozenset({"sms"})),
    "gift_card_fraud": Trust(1, frozenset({"sms"})),
    "linked_identity_breach": Trust(1, frozenset({"sms", "email"})),
    "takeover": Trust(2, frozenset({"sms", "email", "whatsapp"})),
    "phishing": Trust(2, frozenset({"sms", "email", "whatsapp"})),
}
"""A hacked identity is often the mailbox itself; who phishes relays every code that can be typed off a screen."""
UNKNOWN: Final = Trust(2, frozenset({"sms", "email", "whatsapp"}))
_CARRIED_BY: Final = {"email_change": ("email",), "phone_change": ("whatsapp", "sms")}


def trust_after(
    reason: str, *, changed: Collection[str], enrolled_since: Collection[str], excluded: Collection[str] = ()
) -> Trust:
    """What a proof has to be.

    Args:
        reason: why the account was frozen.
        changed: types of events that succeeded since the compromise.
        enrolled_since: kinds of factors that were enrolled since.
        excluded: what orders in force exclude besides.
    """
    base = BY_REASON.get(reason, UNKNOWN)  # fails closed
    lost = {factor for type_ in changed for factor in _CARRIED_BY.get(type_, ())}
    return Trust(base.level_min, base.excluded | lost | set(enrolled_since) | set(excluded))
