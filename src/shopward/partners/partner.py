"""A partner as it is registered, and the states that it can be in.

Promise: a partner begins ``active``; ``suspended`` takes everything away at once and can be lifted, ``ended`` cannot. What
is registered is checked whole: dates in order, fields that the preset allows, a key that is a key.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Meta, Struct

from shopward.errors import InvalidField
from shopward.partners.presets import presets
from shopward.values import to_ms

PartnerKind = Literal["courier", "warehouse", "payment", "seller", "support", "marketing", "other"]
PartnerState = Literal["active", "suspended", "ended"]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}\Z")]
Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
Fields = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=32)]
KEY_BYTES: Final = 32


class Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """The contract: where it is filed, signed and over on which days (UTC); the last day counts.

    Attributes:
        relay_day_max: how often customers may be reached by the partner's aliases in a day; 0: as often as the shop's setting says.
    """

    reference: Line
    signed_on: Day
    ends_on: Day
    relay_day_max: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AuditPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the partner is audited, in days, and when it was last."""

    every_days: Annotated[int, Meta(ge=1, le=1_096)]
    last_on: Day


class Contact(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is called when something is wrong: a role, not a person, and a mailbox of the partner's."""

    role: Line
    email: Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}\Z")]


class Partner(Struct, frozen=True):
    """One partner.

    Attributes:
        id: a short name of the shop's choice.
        scope: for each purpose the fields that it may get.
        preset: the platform's rules that bind shares, or empty.
        public_key: X25519, base64; shares are sealed to it.
        state: what it may.
        why: the reason of a suspension or an end.
        reminded: how many reminders of the coming audit were sent.
    """

    id: Name
    name: Line
    kind: PartnerKind
    agreement: Agreement
    scope: dict[Name, Fields]
    duties: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=64)]
    audit: AuditPlan
    contact: Contact
    public_key: Annotated[str, Meta(max_length=64)]
    preset: str = ""
    state: PartnerState = "active"
    why: str = ""
    reminded: int = 0


def day_ms(day: str, *, path: str) -> int:
    """The first moment of a day, UTC."""
    try:
        return to_ms(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC))
    except ValueError:
        raise InvalidField("not a day", path=path, expected="YYYY-MM-DD", found="another text") from None


def end_ms(agreement: Agreement) -> int:
    """The first moment after the last day."""
    last = day_ms(agreement.ends_on, path="agreement.ends_on")
    return last + int(timedelta(days=1) / timedelta(milliseconds=1))


def check_partner(partner: Partner) -> None:
    """Raise ``InvalidField`` for what cannot be registered."""
    if day_ms(partner.agreement.signed_on, path="agreement.signed_on") >= end_ms(partner.agreement):
        raise InvalidField("the agreement ends before it begins", path="agreement.ends_on", expected="a later day")  # fmt: skip
    day_ms(partner.audit.last_on, path="audit.last_on")
    if not 1 <= len(partner.scope) <= 32:
        raise InvalidField("a scope names purposes", path="scope", expected="1 to 32", found=str(len(partner.scope)))  # fmt: skip
    key_of(partner)
    if not partner.preset:
        return
    preset = presets().get(partner.preset)
    if preset is None:
        raise InvalidField("no such preset", path="preset", expected=", ".join(sorted(presets())), found="another word")  # fmt: skip
    for purpose, fields in partner.scope.items():
        if not set(fields) <= set(preset.purposes.get(purpose, ())):
            raise InvalidField(
                "the preset does not allow this", path=f"scope.{purpose}",
                expected=", ".join(preset.purposes.get(purpose, ())) or "a purpose of the preset", found="other fields",
            )  # fmt: skip


def key_of(partner: Partner) -> X25519PublicKey:
    """The key that shares are sealed to."""
    try:
        raw = base64.b64decode(partner.public_key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES or not any(raw):
        raise InvalidField("not a public key", path="public_key", expected="32 bytes of X25519 in base64", found=f"{len(raw)} bytes")  # fmt: skip
    return X25519PublicKey.from_public_bytes(raw)
