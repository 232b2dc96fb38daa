"""Operations: the closed set of what an order can be about, and which events are which operation.

Promise:
- every event type that a customer, member of staff or partner can act by belongs to an operation; the types of
  ``UNCOVERED`` are facts about something and cannot be stopped;
- a scope is written in operations or in the named groups; a word outside both is refused;
- a payment that does not say what it is paid with belongs to every way of paying: leaving the field out evades nothing.

``mask_of`` gives the operations of an event as bits, so that a scope is held against it with one ``&``.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final, Literal, get_args

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterable

Operation = Literal[
    "login", "register", "change_credentials", "change_profile", "link_device", "link_identity", "add_payee",
    "spend_balance", "spend_gift_card", "spend_points", "pay_card", "pay_linked", "transfer", "withdraw", "top_up",
    "order", "refund", "read_pii", "export_pii", "share_pii",
]  # fmt: skip
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)

_STORED: Final[tuple[Operation, ...]] = (
    "spend_balance", "spend_gift_card", "spend_points", "transfer", "withdraw",
)  # fmt: skip
GROUPS: Final[dict[str, tuple[Operation, ...]]] = {
    "stored_value": _STORED,
    "money_out": (*_STORED, "pay_card", "pay_linked"),
    "account_changes": ("change_credentials", "change_profile", "link_device", "link_identity", "add_payee"),
    "personal_data": ("read_pii", "export_pii", "share_pii"),
    "everything": OPERATIONS,
}
"""Names for what is usually stopped together. ``stored_value`` is what a shop freezes after a stuffing attack."""

_BY_INSTRUMENT: Final[dict[str, Operation]] = {
    "balance": "spend_balance",
    "gift_card": "spend_gift_card",
    "points": "spend_points",
    "card": "pay_card",
    "linked": "pay_linked",
    "transfer": "transfer",
}
_BY_TYPE: Final[dict[str, tuple[Operation, ...]]] = {
    "login": ("login",),
    "session_refresh": ("login",),
    "registration": ("register",),
    "password_change": ("change_credentials",),
    "password_reset_request": ("change_credentials",),
    "password_reset": ("change_credentials",),
    "email_change": ("change_credentials",),
    "phone_change": ("change_credentials",),
    "mfa_enroll": ("change_credentials",),
    "mfa_remove": ("change_credentials",),
    "api_token_create": ("change_credentials",),
    "profile_update": ("change_profile",),
    "address_add": ("change_profile",),
    "address_change": ("change_profile",),
    "device_link": ("link_device",),
    "identity_link": ("link_identity",),
    "payee_add": ("add_payee",),
    "payment_method_add": ("add_payee",),
    "payment": tuple(_BY_INSTRUMENT.values()),
    "wallet_transfer": ("transfer",),
    "withdrawal": ("withdraw",),
    "wallet_topup": ("top_up",),
    "gift_card_purchase": ("top_up",),
    "gift_card_check": ("spend_gift_card",),
    "gift_card_redeem": ("spend_gift_card",),
    "points_redeem": ("spend_points",),
    "order_create": ("order",),
    "refund_request": ("refund",),
    "pii_view": ("read_pii",),
    "pii_search": ("read_pii",),
    "pii_export": ("export_pii",),
    "partner_pull": ("share_pii",),
}
UNCOVERED: Final = frozenset({
    "logout", "otp", "challenge", "device_unlink", "identity_unlink", "identity_alert", "order_view", "order_cancel",
    "message_received", "link_click", "support_contact", "loss_report", "label", "custom",
})  # fmt: skip
"""What no order stops: ways out, ways to say that something is wrong, and what only happened to somebody."""

_BITS: Final[dict[str, int]] = {operation: 1 << place for place, operation in enumerate(OPERATIONS)}


def mask(operations: Iterable[str]) -> int:
    """Operations as bits."""
    return reduce(or_, (_BITS[operation] for operation in operations), 0)


_MASKS: Final = {type_: mask(operations) for type_, operations in _BY_TYPE.items()}
_PAID_MASKS: Final = {instrument: _BITS[operation] for instrument, operation in _BY_INSTRUMENT.items()}


def mask_of(type_: str, instrument: str) -> int:
    """The operations that an event of this type and instrument belongs to; 0 where no order can cover it."""
    if type_ == "payment" and instrument:
        return _PAID_MASKS.get(instrument, _MASKS["payment"])
    return _MASKS.get(type_, 0)


def expanded(scope: Iterable[str]) -> tuple[Operation, ...]:
    """A scope with its groups taken apart, in the order of ``OPERATIONS``.

    Raises:
        InvalidField: a word is neither an operation nor a group.
    """
    wanted: set[str] = set()
    for word in scope:
        if word in GROUPS:
            wanted.update(GROUPS[word])
        elif word in _BITS:
            wanted.add(word)
        else:
            raise InvalidField(
                "not an operation",
                code="unknown_word",
                path="scope",
                expected="of " + ", ".join((*GROUPS, *OPERATIONS)),
                found="another word",
            )
    return tuple(operation for operation in OPERATIONS if operation in wanted)
