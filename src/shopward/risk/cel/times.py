"""Text to timestamps and durations and back, and the calendar of a timestamp.

The promise: RFC 3339 and the duration syntax of CEL with nothing guessed; a value outside the years 1 to 9999 or
beyond 64 bits of nanoseconds is an ``EvalError``. Time zones are names of the IANA database or ``+hh:mm`` offsets.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.values import NS_PER_S, Duration, Timestamp, duration, timestamp

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION = re.compile(r"[+-]?(?:(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:h|ms|m|s|us|µs|μs|ns))+")
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(h|ms|m|s|us|µs|μs|ns)")
_UNIT_NS = {
    "h": 3600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}
_OFFSET = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_timestamp(text: str) -> Timestamp:
    """A timestamp from RFC 3339."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise EvalError("not a timestamp", expected="RFC 3339, such as 2026-01-31T12:00:00Z")
    try:
        date = dt.datetime(*(int(part) for part in match.group(1, 2, 3, 4, 5, 6)), tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        raise EvalError("timestamp out of range", expected="a date of the years 1 to 9999") from None
    seconds = (date - _EPOCH) // dt.timedelta(seconds=1)
    if match[8]:
        offset = int(match[9]) * 3600 + int(match[10]) * 60
        seconds += -offset if match[8] == "+" else offset
    return timestamp(seconds * NS_PER_S + int((match[7] or "").ljust(9, "0")))


def parse_duration(text: str) -> Duration:
    """A duration from a signed sequence of decimal numbers with units, such as ``1h30m`` or ``-1.5s``."""
    if text in {"0", "+0", "-0"}:
        return Duration(0)
    if len(text) > 200 or _DURATION.fullmatch(text) is None:
        raise EvalError("not a duration", expected="numbers with units, such as 1h30m or 2.5s")
    total = 0
    for whole, fraction, unit in _PART.findall(text.lstrip("+-")):
        scale = _UNIT_NS[unit]
        total += int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
    return duration(-total if text.startswith("-") else total)


def text_of_timestamp(value: Timestamp) -> str:
    """RFC 3339 in UTC, with as many digits of a second as are needed."""
    seconds, nanos = divmod(value.ns, NS_PER_S)
    date = _EPOCH + dt.timedelta(seconds=seconds)
    return f"{date:%m-%dT%H:%M:%S}".join((f"{date.year:04}-", _fraction(nanos) + "Z"))


def text_of_duration(value: Duration) -> str:
    """Seconds with a unit, such as ``1.5s``."""
    seconds, nanos = divmod(abs(value.ns), NS_PER_S)
    return f"{'-' if value.ns < 0 else ''}{seconds}{_fraction(nanos)}s"


def date(value: Timestamp, zone: str = "UTC") -> dt.datetime:
    """The calendar date and wall clock time of a timestamp in a zone."""
    seconds, nanos = divmod(value.ns, NS_PER_S)
    try:
        moment = _EPOCH + dt.timedelta(seconds=seconds, microseconds=nanos // 1000)
        return moment if zone == "UTC" else moment.astimezone(_zone(zone))
    except OverflowError:
        raise EvalError("timestamp out of range in this time zone") from None


def day_of_year(value: Timestamp, zone: str = "UTC") -> int:
    """The day of the year, from 0."""
    return date(value, zone).timetuple().tm_yday - 1


@lru_cache(maxsize=256)
def _zone(name: str) -> dt.tzinfo:
    if match := _OFFSET.fullmatch(name):
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes < 24 * 60:
            return dt.timezone(dt.timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise EvalError("no such time zone", expected="an IANA name or an offset such as +07:00") from None


def _fraction(nanos: int) -> str:
    return f".{nanos:09}".rstrip("0") if nanos else ""
