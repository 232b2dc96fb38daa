"""Times as foreign files write them, made into moments with a zone.

Promise: a zone is ``UTC``, an offset such as ``+07:00``, or a name of the time zone database; a local time that
happens twice is taken as the first. What cannot be read is ``InvalidField`` with the formats that were tried.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from shopward.errors import InvalidField, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

ISO: Final = "iso"
_UNIX: Final = {"unix_s": 1, "unix_ms": 1_000}
_OFFSET: Final = re.compile(r"([+-])(\d\d):?([0-5]\d)")


def zone_of(name: str) -> tzinfo:
    """The zone called ``name``; raises ``Misconfigured`` where there is none."""
    if name in {"UTC", "Z"}:
        return UTC
    if (match := _OFFSET.fullmatch(name)) is not None and int(match[2]) < 24:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Misconfigured(
            "no such time zone", path="zone", expected="UTC, +07:00 or Asia/Jakarta", found=repr(name[:40])
        ) from None


def moment_of(text: str, formats: Sequence[str], zone: tzinfo) -> datetime:
    """The first of ``formats`` that fits: ``iso``, ``unix_s``, ``unix_ms``, or one of ``strptime``."""
    for form in formats:
        try:
            moment = _parsed(text, form)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        except (ValueError, OverflowError, OSError):
            continue
    raise InvalidField(
        "not a time", path="time", expected="a time as " + " or ".join(formats), found="another text"
    )


def _parsed(text: str, form: str) -> datetime:
    if form == ISO:
        return datetime.fromisoformat(text)
    if form in _UNIX:
        return datetime.fromtimestamp(float(text) / _UNIX[form], UTC)
    return datetime.strptime(text, form)  # noqa: DTZ007 -- the zone is set by the caller
