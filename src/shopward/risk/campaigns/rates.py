"""Rates: noticing that something happens more often than it usually does at this hour of the week.

Promise, for each watched rate and each value of its key:
- *Baseline.* Whole hours are counted. The usual rate of an hour is a level, an exponentially weighted mean over about a
  week, times the profile of its hour of the week, which begins as that of its hour of the day and is learnt the
  slower the rarer the event is. An hour teaches no more than ``rise`` times what was usual and two
  spreads, so that an attack does not pass for the new level before it is noticed; hours under an alarm teach nothing, for
  two weeks at most.
- *Change.* A CUSUM of the log-likelihood ratio between the usual rate and ``rise`` times it (Page 1954), moved at every
  counted event. It alarms at ``ln(arl * rate) + ln(rise)``: the sum is never below zero before an event is added, so
  that it stands by ``ln(rise)`` at most above the sum of Lorden's bound (1971), by which the mean number of events between
  false alarms is at least ``arl * rate`` and the mean time at least ``arl``, as long as counts are Poisson around their
  baseline. ``tests/campaigns/test_rates.py`` counts them.
- *Onset.* An alarm knows since when: the last time at which nothing spoke for a change.
- *End.* The sum is held at twice the threshold, so that an alarm ends soon after the rise does: when nothing speaks for it.

At most ``KEYS_MAX`` keys a rate; beyond that the longest idle is forgotten. Times never go back.
"""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

from shopward.values import DAY_MS, HOUR_MS

KEYS_MAX: Final = 4_096
_LEVEL_HOURS: Final = 168
_PROFILE_WEIGHT: Final = 0.25
_FROZEN_MAX_MS: Final = 14 * DAY_MS
_WEEK_HOURS: Final = 168
_GAP_HOURS_MAX: Final = 14 * 24
_THRESHOLD_MIN: Final = 3.0
"""However rare the event: a likelihood of 20 to 1 is wanted."""


class Watched(Struct, array_like=True):
    """The state of one rate for one key.

    Attributes:
        since_ms: when it was first counted.
        hour: the hour under way, counted from the epoch, and ``count`` in it.
        level: usual events an hour; ``hours`` that it was learnt from.
        week: profile by hour of the week, 0.0 for not learnt yet; ``day`` by hour of the day.
        cusum: what speaks for a change; ``at_ms`` when it was last moved; ``onset_ms`` when it last stood at nothing.
        alarm_ms: when the alarm began, 0 for none.
        seen: events since the onset.
    """

    since_ms: int
    hour: int
    at_ms: int
    onset_ms: int
    count: int = 0
    level: float = 0.0
    hours: int = 0
    week: list[float] = []
    day: list[float] = []
    cusum: float = 0.0
    alarm_ms: int = 0
    seen: int = 0


class Rate:
    """One declared rate.

    Args:
        rise: how many times its usual level matters.
        arl_ms: mean time between false alarms.
        usual_per_day: least usual level.
        warm_up_ms: how long it is learnt first.
    """

    def __init__(self, *, rise: float, arl_ms: int, usual_per_day: float, warm_up_ms: int) -> None:
        self._gain = math.log(rise)
        self._drift = rise - 1.0
        self._arl_hours = arl_ms / HOUR_MS
        self._usual_per_hour = usual_per_day / 24.0
        self._warm_up_ms = warm_up_ms
        self.keys: dict[str, Watched] = {}

    def count(self, key: str, at_ms: int) -> Watched:
        """One more event under a key; the state after it, whose ``alarm_ms`` tells whether it is above its usual level."""
        watched = self.keys.get(key)
        if watched is None:
            if len(self.keys) >= KEYS_MAX:
                del self.keys[min(self.keys, key=lambda each: self.keys[each].at_ms)]
            watched = Watched(at_ms, at_ms // HOUR_MS, at_ms, at_ms)
            watched.week, watched.day = [0.0] * _WEEK_HOURS, [1.0] * 24
            self.keys[key] = watched
        self._move(watched, at_ms)
        watched.count += 1
        if at_ms - watched.since_ms < self._warm_up_ms:
            watched.onset_ms = at_ms
            return watched
        if watched.cusum <= 0.0:
            watched.onset_ms, watched.seen = at_ms, 0
        watched.seen += 1
        threshold = self._threshold(watched)
        watched.cusum = min(watched.cusum + self._gain, 2.0 * threshold)
        if watched.cusum >= threshold and not watched.alarm_ms:
            watched.alarm_ms = at_ms
        return watched

    def alarm(self, key: str, at_ms: int) -> Watched | None:
        """The state of a key that is above its usual level now; ``None`` where it is not."""
        watched = self.keys.get(key)
        if watched is None or not watched.alarm_ms:
            return None
        left, from_ms, hour = watched.cusum, watched.at_ms, watched.hour
        while (
            left > 0.0 and from_ms < at_ms
        ):  # looks and changes nothing: who asks must not matter to what follows
            until_ms = min(at_ms, (hour + 1) * HOUR_MS)
            left -= self._usual(watched, hour) * (until_ms - from_ms) / HOUR_MS * self._drift
            from_ms, hour = until_ms, hour + 1
        return watched if left > 0.0 else None

    def usual_per_hour(self, watched: Watched) -> float:
        """What is usual in the hour that is under way."""
        return self._usual(watched, watched.hour)

    def _usual(self, watched: Watched, hour: int) -> float:
        profile = watched.week[hour % _WEEK_HOURS] or watched.day[hour % 24]
        return max(self._usual_per_hour, watched.level * profile)

    def _threshold(self, watched: Watched) -> float:
        level = max(self._usual_per_hour, watched.level)
        return max(_THRESHOLD_MIN, math.log(self._arl_hours * level) + self._gain)

    def _move(self, watched: Watched, at_ms: int) -> None:
        """Bring the state to a time: what was expected meanwhile speaks against a change."""
        hour = at_ms // HOUR_MS
        if (
            hour - watched.hour > _GAP_HOURS_MAX
        ):  # long silence: nothing to learn from it but that it was silent
            watched.hour, watched.at_ms, watched.count = hour, at_ms, 0
            watched.cusum, watched.alarm_ms, watched.level = 0.0, 0, watched.level / 2
            return
        while watched.hour < hour:
            self._lower(watched, (watched.hour + 1) * HOUR_MS)
            self._learn(watched)
            watched.hour += 1
            watched.count = 0
        self._lower(watched, at_ms)

    def _lower(self, watched: Watched, at_ms: int) -> None:
        expected = self.usual_per_hour(watched) * (at_ms - watched.at_ms) / HOUR_MS
        watched.at_ms = at_ms
        if watched.cusum > 0.0:
            watched.cusum -= expected * self._drift
            if watched.cusum <= 0.0:
                watched.cusum, watched.alarm_ms = 0.0, 0

    def _learn(self, watched: Watched) -> None:
        """Take the hour that is over into the baseline."""
        if watched.alarm_ms and watched.at_ms - watched.alarm_ms < _FROZEN_MAX_MS:
            return
        of_week, of_day = watched.hour % _WEEK_HOURS, watched.hour % 24
        profile = watched.week[of_week] or watched.day[of_day]
        expected = watched.level * profile
        count: float = watched.count
        if watched.at_ms - watched.since_ms > self._warm_up_ms:
            usual = max(expected, self._usual_per_hour)
            count = min(count, (1.0 + self._drift) * usual + 2.0 * math.sqrt(usual) + 1.0)
        watched.hours += 1
        watched.level += (count - expected) / min(watched.hours, _LEVEL_HOURS)
        if watched.hours < 24 or watched.level <= 0.0:  # a first day teaches the level alone
            return
        weight = _PROFILE_WEIGHT * expected / (expected + 1.0)
        watched.day[of_day] += weight * (count / watched.level - watched.day[of_day])
        if watched.hours >= _WEEK_HOURS:
            watched.week[of_week] = profile + weight * (count / watched.level - profile)
