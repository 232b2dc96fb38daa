"""What a partner is given of a record: the fields that its scope names, made of the vault's.

Promise: a field of a scope is the vault's field of that name, ``address`` (the parts put together as its country writes them),
or one of either with ``_masked`` behind it, masked for a waybill (GB/T 41833-2022). No other field comes out, and ``clear`` tells
which of the vault's fields are known in clear to who has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.vault.kinds import KINDS
from shopward.vault.masks import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ADDRESS: Final = "address"
MASKED: Final = "_masked"
_PARTS: Final = ("province", "city", "district", "street")


def address_of(values: Mapping[str, str], region: str) -> str:
    """An address on one line."""
    parts = [values[name] for name in _PARTS if values.get(name)]
    if region == "CN":
        return "".join(parts)
    line = ", ".join(reversed(parts))
    return " ".join(each for each in (line, values.get("postcode", "")) if each)


def parcel(kind: str, values: Mapping[str, str], region: str, fields: Iterable[str]) -> dict[str, str]:
    """The fields of a scope that a record has."""
    made = {}
    for field in fields:
        name = field.removesuffix(MASKED)
        value = _value(name, values, region)
        if value and name != field:
            rule = "street" if name == ADDRESS else KINDS[kind].fields[name].mask
            value = masked(rule, value, "waybill")
        if value:
            made[field] = value
    return made


def can_give(field: str) -> bool:
    """Whether some kind of record has what a field of a scope is made of."""
    name = field.removesuffix(MASKED)
    return name == ADDRESS or any(name in kind.fields for kind in KINDS.values())


def clear(fields: Iterable[str]) -> frozenset[str]:
    """The vault's fields that who has these fields of a scope knows in clear."""
    known: set[str] = set()
    for field in fields:
        known |= {*_PARTS, "postcode"} if field == ADDRESS else set() if field.endswith(MASKED) else {field}
    return frozenset(known)


def _value(name: str, values: Mapping[str, str], region: str) -> str:
    return address_of(values, region) if name == ADDRESS else values.get(name, "")
