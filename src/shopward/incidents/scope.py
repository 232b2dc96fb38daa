"""Who was touched and how far: five grades, what could be seen, and the query that says how they were found.

Promise: pure. One event gives the grades of its account by one table: what was stopped is a try, what went through is inside. Grades
hold each other: who was entered was tried and reached; who was read or spent from by a customer's session was entered. A query
keeps tokens and never a value; the same query over the same log gives the same people.

What it does not know: a payment that was only ``attempted`` counts as a try, since no event says that it went through; a customer who
signs in meant no harm where the indicator is too wide, so an indicator is as good as who chose it.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, get_args

from msgspec import Meta, Struct

from shopward.incidents.law import DataClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IndicatorKind = Literal[
    "ip", "network", "device", "payee", "password", "session", "campaign", "staff", "partner"
]
"""What is known of who did it; ``password`` is the HMAC that events carry, ``staff`` and ``partner`` are actors."""
Route = Literal["email", "phone", "none"]
Grade = Literal["reached", "tried", "entered", "read", "spent"]
REACHED, TRIED, ENTERED, READ, SPENT = (1 << bit for bit in range(5))
GRADES: Final[dict[str, int]] = dict(
    zip(get_args(Grade), (REACHED, TRIED, ENTERED, READ, SPENT), strict=True)
)
EXPOSED: Final = ENTERED | READ | SPENT
"""Whose data somebody could have seen: these are the people that the law counts."""
DATA: Final[dict[str, int]] = {name: 32 << bit for bit, name in enumerate(get_args(DataClass))}
ROW: Final = 20
"""Bytes of a victim: a token of 16, grades and data in 2, group in 2."""
TOKEN: Final = 16
GROUPS_MAX: Final = 65_535
INDICATORS_MAX: Final = 1_000

_MONEY: Final = frozenset({
    "payment", "wallet_transfer", "withdrawal", "gift_card_purchase", "gift_card_redeem", "points_redeem",
})  # fmt: skip
_READING: Final = frozenset({"order_view", "pii_view", "pii_search", "pii_export", "partner_pull"})
_OUTSIDE: Final = frozenset({
    "message_received", "link_click", "password_reset_request", "gift_card_check", "support_contact", "loss_report",
    "identity_alert", "label", "custom", "registration",
})  # fmt: skip
"""What happens to an account, or beside it, and opens nothing."""
_SEEN: Final[dict[str, tuple[DataClass, ...]]] = {
    "login": ("contact", "credentials"), "password_change": ("credentials",), "password_reset": ("credentials",),
    "order_view": ("contact", "address", "order"), "order_create": ("address", "order"), "address_change": ("address",),
    "address_add": ("address",), "profile_update": ("contact",), "email_change": ("contact",), "phone_change": ("contact",),
    "pii_view": ("contact", "address", "order"), "pii_search": ("contact",), "pii_export": ("contact", "address", "order"),
    "partner_pull": ("contact", "address", "order"), "device_link": ("conversation",), "payment_method_add": ("payment",),
    **dict.fromkeys(_MONEY, ("payment",)),
}  # fmt: skip


_FIELDS: Final[dict[str, DataClass]] = {
    **dict.fromkeys(("name", "phone", "email", "wechat", "birth_date", "gender"), "contact"),
    **dict.fromkeys(("province", "city", "district", "street", "postcode"), "address"),
    **dict.fromkeys(("order_id", "items", "amount", "waybill"), "order"),
    **dict.fromkeys(("document", "number", "expires", "issuer"), "identity_document"),
    "card": "payment", "text": "conversation",
}  # fmt: skip


class Indicator(Struct, frozen=True, omit_defaults=True):
    """One thing that is known: its kind, the token that events carry of it (a campaign's id), a staff member's name."""

    kind: IndicatorKind
    token: str
    name: str = ""


class ScopeQuery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the people of a scope were found.

    Attributes:
        indicators: any of them makes an event one of the incident's.
        follow: whether what the same session did afterwards is the incident's too.
        where: only users whose declared attributes fit.
        elsewhere: the jurisdiction of whom nobody declared one; empty for none.
        seq: up to where the log was read.
    """

    since_ms: int
    until_ms: int
    indicators: tuple[Indicator, ...]
    follow: bool = True
    where: str = ""
    elsewhere: str = ""
    seq: int = 0


class Group(Struct, frozen=True, array_like=True):
    """What some victims share: where the law counts them, in which language and how they are told."""

    jurisdictions: tuple[str, ...]
    language: Literal["id", "zh", "en"]
    route: Route


class Touched(NamedTuple):
    """An event that is the incident's, as far as grades need it; ``passed`` is that the decision let it go on."""

    type: str
    status: str
    actor_type: str
    passed: bool


@lru_cache(maxsize=4_096)
def grades_of(touched: Touched) -> int:
    """The bits that an event gives its account: grades, and the data that was open."""
    through = touched.status == "succeeded" and touched.passed
    seen = _data(touched.type) if through else 0
    if touched.type == "label":
        return 0
    if (
        touched.actor_type != "customer"
    ):  # nobody of the shop or a partner enters an account: they read or write it
        deed = (READ if through else TRIED) if touched.type in _READING else 0
    elif touched.type in _OUTSIDE:
        deed, seen = 0, 0
    elif not through:
        deed = 0 if touched.status == "requested" and touched.passed else TRIED
    else:
        inside = SPENT if touched.type in _MONEY else READ if touched.type in _READING else 0
        deed = TRIED | ENTERED | inside
    return REACHED | deed | seen


def _data(event_type: str) -> int:
    bits = 0
    for name in _SEEN.get(event_type, ()):
        bits |= DATA[name]
    return bits


def member_grades(*, tried: int, entered: int, stopped: int) -> int:
    """The bits of a member of a campaign."""
    if entered:
        return REACHED | TRIED | ENTERED | DATA["credentials"] | DATA["contact"]
    return REACHED | (TRIED if tried or stopped else 0)


def revealed_grades(fields: str) -> int:
    """The bits of a customer whom somebody saw in the vault: names of fields, with a comma between."""
    seen = REACHED | READ
    for name in fields.split(","):
        if name in _FIELDS:
            seen |= DATA[_FIELDS[name]]
    return seen


def jurisdictions_of(region: str, elsewhere: str) -> tuple[str, ...]:
    """The jurisdictions of a declared region: ``ID-JK`` is ``ID``; ``ID,SG`` is both, and both laws count."""
    found = []
    for part in region.replace(";", ",").replace("+", ",").split(","):
        word = part.strip()
        code = word[:2].upper()
        if code.isascii() and code.isalpha() and len(code) == 2 and (len(word) == 2 or word[2] in "-_"):
            found.append(code)
    return tuple(dict.fromkeys(found)) or ((elsewhere,) if elsewhere else ())


def language_of_home(jurisdictions: tuple[str, ...]) -> Literal["id", "zh", "en"]:
    """The language that most people there read, of those that notices are written in."""
    return "id" if "ID" in jurisdictions else "zh" if "CN" in jurisdictions else "en"


def counted(cells: Mapping[int, int], groups: tuple[Group, ...]) -> dict[str, dict[str, int]]:
    """How many: by grade of everybody, by all else of those exposed.

    Args:
        cells: people by ``bits | group << 16``.
        groups: what the numbers of groups mean.
    """
    found: dict[str, Counter[str]] = {
        name: Counter() for name in ("grade", "jurisdiction", "language", "route", "data")
    }
    for cell, users in cells.items():
        bits, group = cell & 0xFFFF, groups[cell >> 16]
        for name, bit in GRADES.items():
            if bits & bit:
                found["grade"][name] += users
        if not bits & EXPOSED:
            continue
        found["grade"]["exposed"] += users
        for place in group.jurisdictions or ("unknown",):
            found["jurisdiction"][place] += users
        found["language"][group.language] += users
        found["route"][group.route] += users
        for name, bit in DATA.items():
            if bits & bit:
                found["data"][name] += users
    return {name: dict(sorted(each.items())) for name, each in found.items() if each}


def packed_rows(people: Mapping[bytes, int]) -> bytes:
    """Victims as rows in the order of their tokens; each is ``bits | group << 16`` by the 16 bytes of a token."""
    return b"".join([token + people[token].to_bytes(4) for token in sorted(people)])


def rows_of(page: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Token, bits and group of each row of a page."""
    for at in range(0, len(page), ROW):
        cell = int.from_bytes(page[at + TOKEN : at + ROW])
        yield page[at : at + TOKEN], cell & 0xFFFF, cell >> 16


def depth_of(bits: int) -> str:
    """The furthest that it went with somebody."""
    return next((name for name, bit in reversed(GRADES.items()) if bits & bit), "")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which of a scope's people are asked for; what is empty asks for all.

    Attributes:
        grade: one of the five, or ``exposed``.
    """

    grade: Annotated[str, Meta(pattern=r"^(|reached|tried|entered|read|spent|exposed)\Z")] = ""
    jurisdiction: Annotated[str, Meta(pattern=r"^(|unknown|[A-Z]{2})\Z")] = ""
    language: Annotated[str, Meta(pattern=r"^(|id|zh|en)\Z")] = ""
    route: Annotated[str, Meta(pattern=r"^(|email|phone|none)\Z")] = ""
    data: Annotated[str, Meta(max_length=32)] = ""

    def holds(self, bits: int, group: Group) -> bool:
        """Whether one is among them."""
        grade = EXPOSED if self.grade == "exposed" else GRADES.get(self.grade, 0)
        return (
            (not grade or bool(bits & grade))
            and (not self.data or bool(bits & DATA.get(self.data, 0)))
            and (not self.jurisdiction or self.jurisdiction in (group.jurisdictions or ("unknown",)))
            and self.language in ("", group.language)
            and self.route in ("", group.route)
        )
