"""What an event reads from the state, and what its decision writes back.

Promise: each feature is computed at most once an event, when it is first asked for, from rows that are looked up at most
once. A reading speaks of the state as it was when the event had been observed and nothing had been settled.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.events.facts import Facts
    from shopward.risk.features.layout import Plan


class Campaigns(Protocol):
    """What readings need of the campaigns (``risk.campaigns``)."""

    def part_of(self, path: str, token: str, part: str) -> Any:
        """A part of the live campaign that a value belongs to; its empty value where there is none."""
        ...

    def alarm_s(self, rate: str, key: str, at_ms: int) -> int:
        """For how many seconds a rate has been above its usual level; 0 where it is not."""
        ...


class NoCampaigns:
    """Nobody watches for campaigns: for a kernel that stands alone."""

    def part_of(self, path: str, token: str, part: str) -> Any:  # noqa: ARG002 -- the protocol's signature
        """The empty value."""
        return "" if part in ("id", "kind") else 0

    def alarm_s(self, rate: str, key: str, at_ms: int) -> int:  # noqa: ARG002 -- the protocol's signature
        """None."""
        return 0


class State(Protocol):
    """What readings need of the kernel."""

    seq: int
    condemned: dict[str, dict[str, int]]
    campaigns: Campaigns
    families: list[dict[str, list[Any]]]
    readers: list[Callable[[Readings], Any]]

    def key(self, family: int, facts: Facts) -> str | None:
        """The event's key in a family, ``None`` where it has none."""
        ...

    def new_row(self, family: int, key: str, at_ms: int) -> list[Any]:
        """An empty row for a key that has none."""
        ...


UNREAD: Final[list[Any]] = []
"""Stands for the row of a family that nobody has asked for yet."""


class Readings(dict[int, Any]):
    """Feature values of one event by index, computed on first use and then kept: rules, evidence and settling share them."""

    __slots__ = ("at_ms", "facts", "kernel", "once", "plan", "readers", "rows", "seq")

    plan: Plan

    def __init__(self, kernel: State, facts: Facts, once: list[int] | None) -> None:
        self.kernel = kernel
        self.readers = kernel.readers
        self.facts = facts
        self.rows: list[list[Any] | None] = [UNREAD] * len(kernel.families)
        self.once = once
        self.at_ms = facts.at_ms
        self.seq = kernel.seq

    def __missing__(self, index: int) -> Any:
        value = self[index] = self.readers[index](self)
        return value

    def row(self, family: int) -> list[Any] | None:
        """The family's row for this event, looked up when it is first asked for."""
        row = self.rows[family]
        if row is UNREAD:
            key = self.kernel.key(family, self.facts)
            row = self.rows[family] = None if key is None else self.kernel.families[family].get(key)
        return row


PASSED: Final = ("allow", "review")
"""Decisions under which an action goes ahead."""


class Outcome(msgspec.Struct, frozen=True):
    """What a decision writes back into the state.

    Attributes:
        kind: allow, review, challenge or deny.
        score_centi: the score in hundredths.
        condemned: ``(path, token, until_ms)`` of the sources that a rule condemned.
        passed: whether the action went ahead; it follows from the kind, and is asked several times an event.
    """

    kind: str
    score_centi: int
    condemned: tuple[tuple[str, str, int], ...] = ()
    passed: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "passed", self.kind in PASSED)


@lru_cache(maxsize=4_096)
def plain_outcome(kind: str, score_centi: int) -> Outcome:
    """The outcome of a decision that condemned nothing; nearly all decisions have one of few."""
    return Outcome(kind, score_centi)
