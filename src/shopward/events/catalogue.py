"""The catalogue: the shapes and the closed vocabulary of every event that Shopward understands.

Promise: these structs are the one definition of the event; validation, the OpenAPI document and the reference page
are made from them. A word outside the vocabulary or a field outside the shape is refused, never ignored: a
misspelt field would silently switch a rule off. Lengths and ranges stand on the fields themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

EventType = Literal[
    "login",
    "logout",
    "session_refresh",
    "registration",
    "password_change",
    "password_reset_request",
    "password_reset",
    "email_change",
    "phone_change",
    "profile_update",
    "address_add",
    "address_change",
    "mfa_enroll",
    "mfa_remove",
    "otp",
    "challenge",
    "device_link",
    "device_unlink",
    "identity_link",
    "identity_unlink",
    "identity_alert",
    "payment_method_add",
    "payee_add",
    "order_view",
    "order_create",
    "order_cancel",
    "refund_request",
    "payment",
    "wallet_topup",
    "wallet_transfer",
    "withdrawal",
    "gift_card_purchase",
    "gift_card_check",
    "gift_card_redeem",
    "points_redeem",
    "api_token_create",
    "message_received",
    "link_click",
    "pii_view",
    "pii_search",
    "pii_export",
    "partner_pull",
    "support_contact",
    "loss_report",
    "label",
    "custom",
]
Status = Literal["attempted", "requested", "succeeded", "failed", "fraud", "genuine"]
ActorType = Literal["customer", "staff", "partner", "service"]
Instrument = Literal["card", "balance", "gift_card", "linked", "points", "transfer"]

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
STATUSES: Final[tuple[str, ...]] = get_args(Status)
ACTOR_TYPES: Final[tuple[str, ...]] = get_args(ActorType)
INSTRUMENTS: Final[tuple[str, ...]] = get_args(Instrument)
LABEL_STATUSES: Final = frozenset({"fraud", "genuine"})

USER_OPTIONAL_TYPES: Final = frozenset({"gift_card_check", "login", "password_reset_request", "partner_pull"})
"""Types that may come without ``user.id``: nobody is logged in yet, or the account does not exist."""

MONEY_TYPES: Final = frozenset(
    {
        "payment",
        "wallet_topup",
        "wallet_transfer",
        "withdrawal",
        "gift_card_purchase",
        "gift_card_redeem",
        "points_redeem",
    }
)
"""Types that move value; they fail closed by default."""

AMOUNT_MINOR_MAX: Final = 2**53
"""Largest amount in minor units: exact in every JSON reader."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Word = Annotated[str, Meta(max_length=128)]
Text = Annotated[str, Meta(max_length=1024)]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)]
CURRENCY_PATTERN: Final = r"^[A-Z]{3}\Z"
COUNTRY_PATTERN: Final = r"^([A-Z]{2})?\Z"
Currency = Annotated[str, Meta(pattern=CURRENCY_PATTERN)]
EventCurrency = Annotated[str, Meta(extra_json_schema={"pattern": CURRENCY_PATTERN})]
EventCountry = Annotated[str, Meta(extra_json_schema={"pattern": COUNTRY_PATTERN})]
"""Those of events are checked by ``intake``, which remembers what it has seen: a pattern each cost 0.5 us an event."""
Moment = Annotated[datetime, Meta(tz=True)]


class UserTokens(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Opaque keyed tokens of what the account is reached by; never clear values."""

    email: Word = ""
    phone: Word = ""
    address: Word = ""
    national_id: Word = ""


class User(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The customer whose account it is about; ``known`` is false when no such account exists."""

    id: Annotated[str, Meta(max_length=128)] = ""
    known: bool | UnsetType = UNSET
    registered_at: Moment | UnsetType = UNSET
    tokens: UserTokens | UnsetType = UNSET


class Actor(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Who acts; the customer unless said. Partners include sellers."""

    type: ActorType = "customer"
    id: Word = ""


class Context(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Network, place and device of the request."""

    ip: Annotated[str, Meta(max_length=45)] = ""
    asn: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    country: EventCountry = ""
    city: Word = ""
    lat: Annotated[float, Meta(ge=-90, le=90)] | UnsetType = UNSET
    lon: Annotated[float, Meta(ge=-180, le=180)] | UnsetType = UNSET
    user_agent: Text = ""
    os: Word = ""
    browser: Word = ""
    device_id: Word = ""
    device_type: Word = ""
    language: Word = ""


class Session(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The shop's session."""

    id: Word = ""


class Credential(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of the password used: a keyed HMAC of it, and whether it stands in a breach corpus."""

    password_hmac: Word = ""
    breached: bool = False


class Transaction(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A movement of value; amounts are whole minor units of ``currency`` (ISO 4217)."""

    id: Word = ""
    amount_minor: Amount = 0
    currency: EventCurrency | UnsetType = UNSET
    instrument: Instrument | UnsetType = UNSET
    instrument_id: Word = ""
    payee_id: Word = ""
    identity_provider: Word = ""
    balance_before_minor: Amount | UnsetType = UNSET


class Change(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One changed field of the account, old and new as opaque tokens."""

    field: Id
    old_token: Word = ""
    new_token: Word = ""


class ChallengeProof(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which decision's challenge this is about and the factor used."""

    decision_id: Word = ""
    factor: Word = ""


class Access(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Why a member of staff or a partner reads customer data, and how many records."""

    purpose: Word = ""
    case_id: Word = ""
    order_id: Word = ""
    records: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0


class Label(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The earlier event that a label is about."""

    event_id: Word = ""
    transaction_id: Word = ""


class Event(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that happened to an account; see docs/reference/events.md."""

    id: Id
    type: EventType
    status: Status
    time: Moment
    user: User | UnsetType = UNSET
    actor: Actor | UnsetType = UNSET
    context: Context | UnsetType = UNSET
    session: Session | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    transaction: Transaction | UnsetType = UNSET
    changes: Annotated[list[Change], Meta(max_length=32)] | UnsetType = UNSET
    challenge: ChallengeProof | UnsetType = UNSET
    access: Access | UnsetType = UNSET
    label: Label | UnsetType = UNSET
    properties: dict[str, Any] | UnsetType = UNSET
