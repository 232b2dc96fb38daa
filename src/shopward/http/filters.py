"""How pages write moments, deadlines, money and the way to an account.

Promise: pure; moments are UTC to the minute, a span is rounded down to its largest unit, money stands in the currency's own units.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, digest16, minor_digits, to_rfc3339, written_amount

if TYPE_CHECKING:
    from collections.abc import Mapping

_AMOUNT: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))?")
_HOURS_UP_TO_MS: Final = 2 * DAY_MS
"""Longer spans are told in days."""


def moment(at_ms: int) -> str:
    """``2026-11-26 14:07``; nothing for 0."""
    return to_rfc3339(at_ms)[:16].replace("T", " ") if at_ms else ""


def due(due_ms: int, now_ms: int, words: Mapping[str, str]) -> str:
    """How long until then, or since: ``in 3 h``, ``2 d late``; ``words`` are those of the reader's language."""
    span_ms = abs(due_ms - now_ms)
    if span_ms < HOUR_MS:
        span = words["span_min"].format(n=span_ms // MINUTE_MS)
    elif span_ms < _HOURS_UP_TO_MS:
        span = words["span_h"].format(n=span_ms // HOUR_MS)
    else:
        span = words["span_d"].format(n=span_ms // DAY_MS)
    return words["due_late" if due_ms < now_ms else "due_in"].format(span=span)


def account_path(user: str) -> str:
    """Where the page of an account is; an id with a slash, or with the dots of another folder, leads to no other account."""
    return f"/users/{quote(user, safe='')}"


def mark(shown: Any) -> str:
    """Tells what a form writes over from anything else that may stand there when it comes."""
    return digest16(msgspec.json.encode(shown)).hex()


def plain_money(amount_minor: int, currency: str) -> str:
    """The same as a field of a form holds it: ``12.50``."""
    digits = minor_digits(currency)
    whole = f"{amount_minor:0{digits + 1}d}"
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole


def minor_of(text: str, currency: str) -> int | None:
    """What such a field says, in minor units; ``None`` where it is no amount of that currency."""
    digits = minor_digits(currency)
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or len(found[2] or "") > digits:
        return None
    return int(found[1] + (found[2] or "").ljust(digits, "0"))


def money(amount_minor: int, currency: str) -> str:
    """An amount in the currency's own units: ``USD 12.50``."""
    return written_amount(amount_minor, currency)
