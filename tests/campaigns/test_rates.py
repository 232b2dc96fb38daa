"""Rates: an alarm where something rises, hardly ever where nothing does, and nobody who looks changes anything."""

from __future__ import annotations

import random

import msgspec
import pytest

from shopward.risk.campaigns.rates import KEYS_MAX, Rate
from shopward.values import DAY_MS, HOUR_MS

START_MS = 1_767_571_200_000
ARL_DAYS = 30


def made(rise=2.0, usual_per_day=1.0, warm_up_ms=3 * DAY_MS):
    """A rate with a mean time of 30 days between false alarms."""
    return Rate(rise=rise, arl_ms=ARL_DAYS * DAY_MS, usual_per_day=usual_per_day, warm_up_ms=warm_up_ms)


def poisson(source, per_day, days, start_ms=START_MS, busy=lambda _hour: 1.0):
    """Times of a Poisson process whose rate follows the hour of the day."""
    at_ms, end_ms = float(start_ms), start_ms + days * DAY_MS
    while (at_ms := at_ms + source.expovariate(2 * per_day / DAY_MS)) < end_ms:
        if source.random() < busy(int(at_ms) // HOUR_MS % 24) / 2:
            yield int(at_ms)


def alarms(rate, times):
    """When alarms began."""
    begun, was = [], 0
    for at_ms in times:
        now = rate.count("*", at_ms).alarm_ms
        if now and now != was:
            begun.append(now)
        was = now
    return begun


@pytest.mark.parametrize("per_day", [2, 40, 400])
def test_false_alarms_are_as_rare_as_declared(per_day):
    """Over a year of counts with a daily rhythm there are no more alarms than the declared mean time allows."""
    source = random.Random(per_day)
    days = 365
    times = poisson(source, per_day, days, busy=lambda hour: 0.3 if hour < 8 else 1.35)
    assert len(alarms(made(), times)) <= days / ARL_DAYS


def test_a_rise_is_noticed_within_hours_and_dated():
    """Three times the usual rate alarms within half a day, and the alarm knows since when, to some hours."""
    source = random.Random(5)
    rate = made()
    quiet = list(poisson(source, 100, 20))
    rise_ms = START_MS + 20 * DAY_MS
    assert alarms(rate, quiet) == []
    begun = alarms(rate, poisson(source, 300, 1, start_ms=rise_ms))
    assert rise_ms < begun[0] < rise_ms + 12 * HOUR_MS
    watched = rate.keys["*"]
    assert abs(watched.onset_ms - rise_ms) < 6 * HOUR_MS


def test_an_alarm_ends_soon_after_the_rise_and_teaches_nothing():
    """A day later the alarm is over, and what is usual is what it was before."""
    source = random.Random(6)
    rate = made()
    alarms(rate, poisson(source, 100, 20))
    before = rate.keys["*"].level
    rise_ms = START_MS + 20 * DAY_MS
    alarms(rate, poisson(source, 1000, 1, start_ms=rise_ms))
    assert rate.alarm("*", rise_ms + DAY_MS) is not None
    assert rate.alarm("*", rise_ms + 2 * DAY_MS) is None
    alarms(rate, poisson(source, 100, 3, start_ms=rise_ms + 2 * DAY_MS))
    assert rate.keys["*"].level < 1.3 * before


def test_a_shop_that_grows_does_not_alarm_for_good():
    """A level that doubles for good is the usual one a month later."""
    source = random.Random(7)
    rate = made()
    alarms(rate, poisson(source, 100, 20))
    alarms(rate, poisson(source, 200, 30, start_ms=START_MS + 20 * DAY_MS))
    assert rate.keys["*"].level * 24 > 150


def test_nothing_alarms_while_it_is_learnt():
    """The first days of a shop are no rise above nothing."""
    assert alarms(made(), poisson(random.Random(8), 500, 3)) == []


def test_looking_changes_nothing():
    """A rate that is looked at between any two events ends in the same state as one that is not."""
    source = random.Random(9)
    looked, left = made(), made()
    times = [*poisson(source, 50, 20), *poisson(source, 400, 2, start_ms=START_MS + 20 * DAY_MS)]
    for at_ms in times:
        looked.alarm("*", at_ms)
        looked.count("*", at_ms)
        looked.alarm("*", at_ms + 777)
        left.count("*", at_ms)
    assert msgspec.msgpack.encode(looked.keys) == msgspec.msgpack.encode(left.keys)


def test_keys_are_bounded():
    """Beyond the most keys, the one that was idle longest is forgotten."""
    rate = made()
    for number in range(KEYS_MAX + 10):
        rate.count(f"k{number}", START_MS + number)
    assert len(rate.keys) == KEYS_MAX
    assert "k0" not in rate.keys


def test_years_of_silence_are_survived():
    """After a silence of a year the next event is counted at once and is no alarm."""
    rate = made()
    alarms(rate, poisson(random.Random(10), 100, 20))
    assert not rate.count("*", START_MS + 400 * DAY_MS).alarm_ms
