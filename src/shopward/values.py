"""Words that every context shares: time, ids, durations, currencies, the JSON that is hashed, and which hosts are this machine.

Promise: nothing here reads the clock or makes randomness unless the caller hands over the source of it.
``SystemClock`` and ``SystemIds`` are the two real sources; only ``service`` creates them.
It imports nothing of Shopward but its errors.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from shopward.errors import InvalidField

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

_UNITS_MS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")


_MINOR_DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000  # noqa: TID251 -- the one place that reads the clock


class ManualClock:
    """A clock that stands until it is moved; for embedders that replay, and for tests."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """The time it was set to."""
        return self.at_ms

    def advance(self, by_ms: int) -> None:
        """Move the clock on; a negative step is a clock that jumps back."""
        self.at_ms += by_ms


class IdSource(Protocol):
    """Where ids come from."""

    def new(self, prefix: str, at_ms: int) -> str:
        """A new id ``prefix-...`` that sorts by ``at_ms``."""
        ...


class SystemIds:
    """Ids that sort by time: 48 bits of milliseconds, then 80 random bits (the layout of UUIDv7, RFC 9562)."""

    def new(self, prefix: str, at_ms: int) -> str:
        """A new id ``prefix-...`` that sorts by ``at_ms``."""
        return f"{prefix}-{at_ms:012x}{secrets.token_hex(10)}"


def parse_duration_ms(text: str, *, path: str) -> int:
    """``"10m"`` as milliseconds; units are s, m, h and d.

    Raises:
        InvalidField: with ``path`` where the text is no such duration or is zero.
    """
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise InvalidField(
            "not a duration",
            path=path,
            expected="a positive whole number and one of s, m, h, d",
            found=repr(text[:20]),
        )
    return int(match[1]) * _UNITS_MS[match[2]]


def to_ms(moment: datetime) -> int:
    """A moment as milliseconds since the epoch; one without a zone is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def from_ms(at_ms: int) -> datetime:
    """Milliseconds since the epoch as a moment."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def from_rfc3339(text: str) -> int:
    """What ``to_rfc3339`` wrote, in milliseconds since the epoch."""
    return to_ms(datetime.fromisoformat(text))


def to_rfc3339(at_ms: int) -> str:
    """Milliseconds since the epoch as ``2026-01-05T00:07:12.345Z``."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def with_times(said: Any, *, is_short: bool = False) -> Any:
    """Plain data as people read it: ``made_ms`` as ``made_at`` in words, ``at_ms`` as ``at``, and none where it is 0.

    ``is_short`` leaves out what is empty, too.
    """
    if isinstance(said, (list, tuple)):
        return [with_times(each, is_short=is_short) for each in said]
    if not isinstance(said, dict):
        return said
    made = {}
    for name, each in said.items():
        if name.endswith("_ms") and isinstance(each, int):
            if each:
                made[name.removesuffix("_ms") + ("" if name == "at_ms" else "_at")] = to_rfc3339(each)
        elif not is_short or each not in ("", [], (), {}, None):
            made[name] = with_times(each, is_short=is_short)
    return made


def minor_digits(currency: str) -> int:
    """How many digits of a currency are minor units, by ISO 4217; 2 for one that is not known here."""
    return _MINOR_DIGITS.get(currency, 2)


def written_amount(amount_minor: int, currency: str, language: str = "en") -> str:
    """``IDR 300,000.00``; Indonesian swaps point and comma, without which a thousand reads as one."""
    digits = minor_digits(currency)
    written = f"{amount_minor / 10**digits:,.{digits}f}"
    if language == "id":
        written = written.translate(str.maketrans(",.", ".,"))
    return f"{currency} {written}"


def digest16(data: bytes) -> bytes:
    """16 bytes of BLAKE2b (RFC 7693): tells equal content from other content; no secret, no signature."""
    return hashlib.blake2b(data, digest_size=16).digest()


def url_parts(url: str) -> SplitResult:
    """The parts of a URL; those of nothing where it has a host or a port that is none."""
    nothing = urlsplit("")
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else nothing  # noqa: TRY300 -- reading the port is what may fail
    except ValueError:
        return nothing


def stays_private(scheme: str, host: str | None) -> bool:
    """Whether what is sent to a host stays between the two: over TLS, or on this machine; no host is nowhere."""
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host or "")))


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine alone; a name other than ``localhost`` counts as reaching others."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
