"""Purposes: why somebody may see personal values, which ones, and under which conditions.

Promise: the purpose decides the fields, not the caller: a reveal that asks for more is refused whole. One table. The pattern
is that of the Chinese open platforms: a scene decides what comes back, old orders close, and a day has its quota.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField, Refused
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.vault.rows import Stored

DUAL_ABOVE: Final = 20
"""More records in one reveal than this take a second person."""
RECORDS_MAX: Final = 200
"""Of one reveal."""
QUOTA_MIN: Final = 50
QUOTA_SHARE: Final = 0.25
"""A person may see as many records a day as a quarter of the orders of a mean day of the last week, and at least 50."""
QUOTA_DAYS: Final = 7


class Purpose(NamedTuple):
    """A reason to see.

    Attributes:
        fields: of each kind of record, what may be seen.
        needs: ``case``, ``order`` or ``either`` has to be named.
        window_days: records older than this are closed; 0 for none.
        is_dual: whether each reveal takes a second person, however few records it is about.
    """

    fields: Mapping[str, frozenset[str]]
    needs: str
    window_days: int = 0
    is_dual: bool = False


_PARCEL: Final = frozenset(
    {"name", "phone", "province", "city", "district", "street", "postcode", "waybill", "order_id"}
)
_REACH: Final = frozenset({"name", "phone", "email", "wechat", "order_id"})

PURPOSES: Final[Mapping[str, Purpose]] = MappingProxyType({
    "delivery": Purpose({"order": _PARCEL, "address": _PARCEL}, "order", 30),
    "customer_service": Purpose({
        "order": _REACH | {"items", "amount", "waybill"}, "customer": _REACH, "contact": _REACH,
        "conversation": frozenset({"channel", "case_id", "text"}),
    }, "case", 90),
    "after_sales": Purpose({"order": _PARCEL | {"email", "items", "amount", "note"}, "address": _PARCEL}, "either", 90),
    "payment_dispute": Purpose({"order": _PARCEL | {"email", "items", "amount", "card"}, "customer": _REACH}, "either", 540),
    "fraud_investigation": Purpose({
        "order": _PARCEL | {"email", "items", "amount", "card", "note"}, "customer": _REACH | {"birth_date"},
        "contact": _REACH, "address": _PARCEL, "conversation": frozenset({"channel", "case_id", "text"}),
    }, "case"),
    "identity_check": Purpose({
        "identity_document": frozenset({"document", "number", "name", "birth_date", "expires", "issuer"}),
        "customer": frozenset({"name", "birth_date"}),
    }, "case", is_dual=True),
    "legal_request": Purpose({
        "order": _PARCEL | {"email", "items", "amount", "card", "note"}, "customer": _REACH | {"birth_date", "gender"},
        "contact": _REACH, "address": _PARCEL, "conversation": frozenset({"channel", "case_id", "text"}),
        "identity_document": frozenset({"document", "number", "name", "birth_date", "expires", "issuer"}),
    }, "case", is_dual=True),
})  # fmt: skip


def purpose_of(name: str) -> Purpose:
    """A purpose by its name; raises ``InvalidField``."""
    purpose = PURPOSES.get(name)
    if purpose is None:
        raise InvalidField(
            "no such purpose", path="purpose", expected=" or ".join(PURPOSES), found="another word"
        )
    return purpose


def check_explained(purpose: Purpose, case_id: str, order_id: str) -> None:
    """Raise ``InvalidField`` unless the case or order that the purpose needs is named."""
    named = {"case": bool(case_id), "order": bool(order_id), "either": bool(case_id or order_id)}
    if not named[purpose.needs]:
        word = {"case": "case_id", "order": "order_id", "either": "case_id or order_id"}[purpose.needs]
        raise InvalidField("this purpose needs to be explained", path=word, expected=word, found="nothing")


def check_allowed(purpose: Purpose, rows: Sequence[Stored], fields: Sequence[str], now_ms: int) -> None:
    """Raise ``Refused`` where the purpose does not give these fields of these records. Fails closed."""
    for row in rows:
        given = purpose.fields.get(row.kind, frozenset())
        if not set(fields) <= given:
            raise Refused(
                "the purpose does not give these fields of this kind of record",
                code="purpose_fields",
                path="fields",
                expected=f"{row.kind}: " + (", ".join(sorted(given)) or "nothing"),
                found="more",
                hint="ask for less, or for another purpose that is true",
            )
        if purpose.window_days and now_ms - row.created_ms > purpose.window_days * DAY_MS:
            raise Refused(
                "the record is too old for this purpose",
                code="purpose_window",
                path="records",
                expected=f"records of the last {purpose.window_days} days",
                found="an older one",
            )


def needs_two(purpose: Purpose, records: int) -> bool:
    """Whether a second person has to agree."""
    return purpose.is_dual or records > DUAL_ABOVE


def quota(orders: int) -> int:
    """How many records a person may see in a day, where so many orders came in the last week."""
    return max(QUOTA_MIN, int(QUOTA_SHARE * orders / QUOTA_DAYS))
