"""Deadlines as laws and regimes write them: hours, calendar days, business days.

Promise: pure, and exact over time zones and summer time. Hours run from the moment itself. Days count from the day after it and
end with the last instant of the last day, in the zone that is asked for (as in Regulation (EEC) 1182/71, article 3).
Business days leave out weekends and the public holidays of the country, as the library ``holidays`` knows them.

It does not know a regulator's own calendar, nor bridging days that a government declares after the library's release.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import holidays
from msgspec import Meta, Struct

from shopward.values import HOUR_MS, from_ms, to_ms

if TYPE_CHECKING:
    from datetime import date

Unit = Literal["hours", "days", "business_days"]
DEADLINE_MAX = 3_650


class Within(Struct, frozen=True, forbid_unknown_fields=True):
    """How long: ``{amount = 5, unit = "business_days"}``."""

    amount: Annotated[int, Meta(ge=0, le=DEADLINE_MAX)]
    unit: Unit


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose days count: a country of ISO 3166 and maybe a region of it for holidays, a time zone for where a day ends."""

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
    zone: str
    region: str = ""


@lru_cache(maxsize=4_096)
def due_ms(start_ms: int, within: Within, place: Place) -> int:
    """The last millisecond that is in time, for what begins at ``start_ms``.

    Remembered: thousands of claims begin in one call, and zones are slow.
    """
    if within.unit == "hours":
        return start_ms + within.amount * HOUR_MS
    zone = ZoneInfo(place.zone)
    day = from_ms(start_ms).astimezone(zone).date()
    if within.unit == "days":
        day += timedelta(days=within.amount)
    else:
        day = _business_days_after(day, within.amount, place)
    return to_ms(datetime.combine(day + timedelta(days=1), time(), zone)) - 1


def is_known(place: Place) -> bool:
    """Whether there are holidays and a clock for it here.

    The country alone is loaded: a list of all of them would load each.
    """
    try:
        calendar = _calendar(place.country, place.region)
    except NotImplementedError:
        return False
    return calendar.country == place.country and place.zone in zones()


@cache
def zones() -> frozenset[str]:
    """Every time zone that there is, by its name of the IANA; the disk is read for them once."""
    return frozenset(available_timezones())


def is_business_day(day: date, place: Place) -> bool:
    """Neither a weekend nor a public holiday there."""
    return _calendar(place.country, place.region).is_working_day(day)


@lru_cache(maxsize=4_096)
def _business_days_after(day: date, amount: int, place: Place) -> date:
    """Remembered: the deadlines of one day are asked for thousands of times."""
    for _counted in range(amount):
        day += timedelta(days=1)
        while not is_business_day(day, place):
            day += timedelta(days=1)
    return day


@cache
def _calendar(country: str, region: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=region or None)
