"""The order in which things happen: deeds due at a time, and the events that they leave.

Promise: events come out in time order, however deeds interleave; equal times keep the order in which they were
put in; memory holds only what is still to come. What it does not do: it knows no shop and makes no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]


class Draft(NamedTuple):
    """An event that has happened but has no id yet; ``label`` is empty for honest events."""

    at_ms: int
    type: str
    status: str
    body: Json
    label: str
    campaign: str


Deed: TypeAlias = Callable[[int], list[Draft]]


class Agenda:
    """Deeds by time. A deed may put further deeds, never before its own time."""

    def __init__(self) -> None:
        self._deeds: list[tuple[int, int, Deed]] = []
        self._drafts: list[tuple[int, int, Draft]] = []
        self._count = 0

    def put(self, at_ms: int, deed: Deed) -> None:
        """Have ``deed`` done at ``at_ms``."""
        self._count += 1
        heappush(self._deeds, (at_ms, self._count, deed))

    def keep(self, drafts: list[Draft]) -> None:
        """Have events come out at their times."""
        for draft in drafts:
            self._count += 1
            heappush(self._drafts, (draft.at_ms, self._count, draft))

    def next_ms(self) -> int | None:
        """When the next deed is due, None if there is none."""
        return self._deeds[0][0] if self._deeds else None

    def run(self, until_ms: int) -> Iterator[Draft]:
        """Everything that happens before ``until_ms``, in time order."""
        deeds, drafts = self._deeds, self._drafts
        while True:
            deed_at = deeds[0][0] if deeds else until_ms
            if drafts and drafts[0][0] < until_ms and drafts[0][0] <= deed_at:
                yield heappop(drafts)[2]
            elif deed_at < until_ms:
                at_ms, _, deed = heappop(deeds)
                self.keep(deed(at_ms))
            else:
                return
