"""A member of staff who reads or exports what no case asks for (row 18).

Promise: a frozen record of its numbers; the insider is one of the staff, at the usual desk and device, mostly at the
usual hours, and does the honest caseload too. What it does not do: partners who leak are not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from shopward.testing.backoffice import BackOffice
from shopward.testing.trail import DAY_MS
from shopward.testing.world import HOUR_MS

if TYPE_CHECKING:
    from shopward.testing.agenda import Draft
    from shopward.testing.attackers.raid import Raid
    from shopward.testing.people import Customer, Worker

OFF_HOURS: Final = 0.15


@dataclass(frozen=True, slots=True)
class InsiderScrape:
    """Row 18: reads of neighbouring customers, most without a case or an order, then perhaps an export."""

    name: ClassVar[str] = "insider"
    row: ClassVar[int] = 18

    reads: int = 90
    days: float = 2.5
    no_case_share: float = 0.8
    exports: int = 0
    records_per_export: int = 800

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Somebody on the staff, a run of customers, some days."""
        rng, world = raid.rng, raid.world
        worker = rng.choice(world.staff) if world.staff else world.hire()
        first = rng.randrange(len(world.customers))
        for number in range(self.reads):
            victim = world.customers[(first + number) % len(world.customers)]
            raid.put(self._moment(raid, worker, at_ms), partial(self._read, raid, worker, victim))
        for _ in range(self.exports):
            victim = world.customers[first]
            raid.put(self._moment(raid, worker, at_ms), partial(self._export, raid, worker, victim))

    def _moment(self, raid: Raid, worker: Worker, at_ms: int) -> int:
        rng = raid.rng
        when = at_ms + int(rng.random() * self.days * DAY_MS)
        if rng.random() < OFF_HOURS:
            return when
        return max(
            at_ms, when // DAY_MS * DAY_MS + int((rng.gauss(worker.peak_hour_utc, 3.0) % 24) * HOUR_MS)
        )

    def _read(self, raid: Raid, worker: Worker, victim: Customer, at_ms: int) -> list[Draft]:
        access = {"purpose": worker.purpose, "records": 1}
        if raid.rng.random() >= self.no_case_share:
            access = BackOffice(raid.world, raid.rng).access(worker)
        return self._touch(raid, worker, victim, at_ms, "pii_view", access)

    def _export(self, raid: Raid, worker: Worker, victim: Customer, at_ms: int) -> list[Draft]:
        records = int(self.records_per_export * raid.rng.uniform(0.6, 1.5))
        access = {"purpose": worker.purpose, "records": records}
        return self._touch(raid, worker, victim, at_ms, "pii_export", access)

    @staticmethod
    def _touch(
        raid: Raid, worker: Worker, victim: Customer, at_ms: int, kind: str, access: dict[str, object]
    ) -> list[Draft]:
        trail = BackOffice(raid.world, raid.rng).trail(worker, at_ms, victim)
        trail.label, trail.campaign = "insider", raid.campaign
        trail.add(kind, access=access)
        return trail.drafts
