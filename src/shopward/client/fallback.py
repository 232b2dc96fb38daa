"""What a shop does while Shopward cannot be heard: said by the shop, for each type of event, before it happens.

Promise: a pure table. A name is an event type, or a type and an instrument (``payment:card``), which goes first.
Where the shop says nothing, what moves stored value, opens the way to it or shows personal data fails closed to
``challenge`` (ask the customer once more in the shop's own way), and all else fails open to ``allow``: an outage of ours
is no outage of the shop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.client.answers import VERDICTS, Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.client.faults import Fault

DEFAULTS: Final[Mapping[str, Verdict]] = {
    **dict.fromkeys(
        (
            "payment", "wallet_transfer", "withdrawal", "gift_card_redeem", "gift_card_check", "points_redeem",
            "password_reset", "email_change", "phone_change", "mfa_remove", "payee_add", "device_link", "identity_link",
            "api_token_create", "refund_request", "pii_view", "pii_search", "pii_export", "partner_pull",
        ),
        "challenge",
    ),
    "payment:card": "allow",
}  # fmt: skip
"""A card payment has the bank's own checks behind it, and a checkout that stands still costs every customer."""


class Fallback:
    """The shop's table over the defaults.

    Args:
        table: verdicts by event type or ``type:instrument``; ``*`` for every type that neither names.

    Raises:
        ValueError: a verdict is none of the four.
    """

    def __init__(self, table: Mapping[str, Verdict] | None = None) -> None:
        given = dict(table or {})
        for name, verdict in given.items():
            if verdict not in VERDICTS:
                raise ValueError(f"on_unreachable[{name!r}]: expected one of {', '.join(VERDICTS)}")
        self._rest: Verdict = given.pop("*", "allow")
        self._table: dict[str, Verdict] = {**DEFAULTS, **given}
        for name in given:  # who says 'payment' says it of every instrument that he does not name
            for default in DEFAULTS:
                if default.startswith(name + ":") and default not in given:
                    del self._table[default]

    def verdict(self, event: Mapping[str, Any]) -> Verdict:
        """What the shop said of such an event."""
        type_, money = str(event.get("type", "")), event.get("transaction")
        instrument = money.get("instrument", "") if isinstance(money, dict) else ""
        named = self._table.get(f"{type_}:{instrument}") or self._table.get(type_)
        return named or self._rest

    def decision(self, event: Mapping[str, Any], fault: Fault) -> Decision:
        """The decision to go on with."""
        return Decision(str(event.get("id", "")), self.verdict(event), fault=fault)
