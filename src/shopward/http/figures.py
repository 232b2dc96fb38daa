"""Figures of what was found and told, and of what waits for people: for the page "Now" and for ``/metrics``.

Promise: campaigns are what the next decision knows, taken on the event loop between two groups. What stands in the store
is counted once a second at most, what waits once in five, however many look; where it cannot be read, the last counts stand and
``is_fresh`` says so (fails open: a page and metrics that answer are worth more than none). Nothing names a customer.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.errors import StoreError
from shopward.flows.found import summary
from shopward.flows.workload import NOTHING, Workload

if TYPE_CHECKING:
    from shopward.http.gate import Gate
    from shopward.service import Shopward

FRESH_S: Final = 1.0
WAITS_FRESH_S: Final = 5.0
"""Deadlines are hours; counting them reads every open incident."""


class Found(Struct, frozen=True):
    """Counts of records.

    Attributes:
        findings_open: earlier successes that nobody looked at.
        unheard: live campaigns that nobody acknowledged.
        lag_events: events that were decided and whose campaigns are not recorded yet.
        shed: changes of campaigns that were given up, because nobody could take them in time.
        queued: messages that wait for a receiver; failed: that were given up; off: receivers that are switched off.
        is_fresh: whether the store could be asked.
    """

    findings_open: int = 0
    unheard: int = 0
    lag_events: int = 0
    shed: int = 0
    queued: int = 0
    failed: int = 0
    off: int = 0
    is_fresh: bool = False


class Waits(Struct, frozen=True):
    """What waits for people; ``is_fresh`` whether the store could be asked."""

    workload: Workload = NOTHING
    is_fresh: bool = False


class Figures:
    """May be read from any thread, but for ``live``, which is the event loop's.

    Args:
        shopward: the open engine.
        gate: decides; its state is read between two groups.
    """

    def __init__(self, shopward: Shopward, gate: Gate) -> None:
        self._shopward = shopward
        self._gate = gate
        self._lock = threading.Lock()
        self._found = Found()
        self._until_s = 0.0
        self._waits = Waits()
        self._waits_until_s = 0.0

    def live(self, language: str) -> list[dict[str, Any]]:
        """Live campaigns, largest first, each with its title."""
        if not self._gate.is_ready:
            return []
        remembered = self._shopward.desk.engine.campaigns.remembered()
        live = [summary(each) for each in remembered if each.state == "live"]
        live.sort(key=lambda each: (-each["accounts"], each["id"]))
        return [each | {"title": self.title(each["kind"], language)} for each in live]

    def title(self, kind: str, language: str) -> str:
        """What a kind is called; its name where the policy in force does not know it."""
        declared = self._shopward.policy.spec.campaigns.campaign.get(kind)
        return kind if declared is None else declared.title.in_language(language)

    def found(self) -> Found:
        """Counts of records, a second old at most."""
        with self._lock:
            if time.monotonic() >= self._until_s:
                self._found = self._counted()
                self._until_s = time.monotonic() + FRESH_S
            return self._found

    def waits(self) -> Waits:
        """What waits for people, five seconds old at most."""
        with self._lock:
            if time.monotonic() >= self._waits_until_s:
                try:
                    self._waits = Waits(self._shopward.workload.now(), is_fresh=True)
                except StoreError:  # fails open
                    self._waits = Waits(self._waits.workload)
                self._waits_until_s = time.monotonic() + (WAITS_FRESH_S if self._waits.is_fresh else FRESH_S)
            return self._waits

    def _counted(self) -> Found:
        recorder, last = self._shopward.recorder, self._found
        lag = max(0, self._gate.seq - recorder.seq)
        try:
            live, telling = self._shopward.cases.live(), self._shopward.webhooks.waiting()
            findings_open = self._shopward.cases.open_findings()
        except StoreError:  # fails open
            return Found(
                last.findings_open, last.unheard, lag, recorder.shed, last.queued, last.failed, last.off
            )
        return Found(
            findings_open=findings_open,
            unheard=sum(not each.acknowledged_ms for each in live),
            lag_events=lag,
            shed=recorder.shed,
            queued=telling.queued,
            failed=telling.failed,
            off=telling.off,
            is_fresh=True,
        )
