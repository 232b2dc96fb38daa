"""Which records the vault keeps: their fields, how each is masked and searched, and how long they stay.

Promise: a record has the fields of its kind and no other; each field says by which mask it is shown, by what it can be
found, and in which retention class its key lies. One table, asked by everything else.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InputTooLarge, InvalidField

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUE_CHARS_MAX: Final = 1_024
TEXT_CHARS_MAX: Final = 65_536
CLASSES: Final = ("profile", "orders", "identity", "support")
"""Retention classes: each customer has one key for each, so that each can be erased without the others."""
SUPPORT: Final = "support"
"""The class of conversations, and of what is written about a customer beside the records (``texts``)."""
EVENTS: Final = "events"
"""Beside the classes of records: the events of the log as they were sent."""


class FieldSpec(NamedTuple):
    """A field: the rule of its mask, and its transforms for search."""

    mask: str
    search: tuple[str, ...] = ()


class Kind(NamedTuple):
    """A kind of records."""

    retention: str
    fields: Mapping[str, FieldSpec]


_NAME = FieldSpec("name", ("exact",))
_PHONE = FieldSpec("phone", ("exact", "last4"))
_EMAIL = FieldSpec("email", ("exact",))
_PLAIN = FieldSpec("plain")
_TEXT = FieldSpec("text")
_WHERE: Final = {
    "province": _PLAIN,
    "city": _PLAIN,
    "district": _PLAIN,
    "street": FieldSpec("street"),
    "postcode": _PLAIN,
}
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({
    "customer": Kind("profile", {
        "name": _NAME, "phone": _PHONE, "email": _EMAIL, "birth_date": FieldSpec("birth_date"), "gender": _TEXT,
        "wechat": FieldSpec("handle", ("exact",)), "note": _TEXT,
    }),
    "address": Kind("profile", {"name": _NAME, "phone": _PHONE, **_WHERE, "note": _TEXT}),
    "contact": Kind("profile", {
        "name": _NAME, "phone": _PHONE, "email": _EMAIL, "wechat": FieldSpec("handle", ("exact",)), "relation": _TEXT,
    }),
    "order": Kind("orders", {
        "order_id": FieldSpec("plain", ("exact",)), "name": _NAME, "phone": _PHONE, "email": _EMAIL, **_WHERE,
        "waybill": FieldSpec("waybill", ("exact",)), "items": _TEXT, "amount": _PLAIN, "card": FieldSpec("card"),
        "note": _TEXT,
    }),
    "identity_document": Kind("identity", {
        "document": _PLAIN, "number": FieldSpec("number", ("exact",)), "name": _NAME,
        "birth_date": FieldSpec("birth_date"), "expires": _PLAIN, "issuer": _PLAIN,
    }),
    "conversation": Kind("support", {"channel": _PLAIN, "case_id": FieldSpec("plain", ("exact",)), "text": _TEXT}),
})  # fmt: skip


def kind_of(name: str) -> Kind:
    """A kind by its name; raises ``InvalidField``."""
    kind = KINDS.get(name)
    if kind is None:
        raise InvalidField(
            "no such kind of record", path="kind", expected=" or ".join(KINDS), found="another word"
        )
    return kind


def checked(kind: str, values: Mapping[str, str]) -> None:
    """Raise ``InvalidField`` or ``InputTooLarge`` unless these are values of a record of this kind."""
    fields = kind_of(kind).fields
    if not values:
        raise InvalidField("a record without fields", path="fields", expected="one field or more")
    for name, value in values.items():
        if name not in fields:
            raise InvalidField(
                "no such field in this kind of record",
                path="fields",
                expected=", ".join(fields),
                found="another name",
            )
        longest = TEXT_CHARS_MAX if fields[name].mask == "text" else VALUE_CHARS_MAX
        if len(value) > longest:
            raise InputTooLarge(
                "a value is too long",
                path=f"fields.{name}",
                expected=f"at most {longest} characters",
                found=f"{len(value)} characters",
            )


def wanted(kind: str, names: tuple[str, ...]) -> None:
    """Raise ``InvalidField`` where a record of this kind has no such field."""
    fields = kind_of(kind).fields
    unknown = [name for name in names if name not in fields]
    if unknown:
        raise InvalidField(
            "no such field in this kind of record",
            path="fields",
            expected=", ".join(fields),
            found=f"{len(unknown)} other names",
        )
