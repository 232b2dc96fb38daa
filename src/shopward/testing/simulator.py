"""A whole shop's event stream with its labels, from a seed.

Promise: the same arguments give the same bytes; events come in time order, one at a time, and memory holds the people
and what is still to come, never the stream. What it does not do: it does not decide anything, and it does not know
what an engine would have stopped: attackers carry on as if nobody watched.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField
from shopward.testing.agenda import Agenda, Draft, Json
from shopward.testing.attackers import Raid, standard_attacks
from shopward.testing.calendar import Calendar
from shopward.testing.trail import DAY_MS, iso, to_ms
from shopward.testing.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shopward.testing.attackers import Attack

DEFAULT_START: Final = datetime(2026, 1, 5, tzinfo=UTC)
DEFAULT_USERS: Final = 2_000
DEFAULT_DAYS: Final = 30


class Label(NamedTuple):
    """What an event was, for those who score decisions; honest events have none."""

    event_id: str
    label: str
    campaign: str


class Planned(NamedTuple):
    """An attack that begins on a day, counted from the start (a fraction is a time of day)."""

    day: float
    attack: Attack


def finish(draft: Draft, number: int) -> Json:
    """A draft as an event of the contract."""
    head = {"id": f"e-{number:07d}", "type": draft.type, "status": draft.status, "time": iso(draft.at_ms)}
    return head | draft.body


class ShopSimulator:
    """Iterate to get the events; ``labels()`` is complete once the iteration is.

    ``activity`` multiplies how often customers come. ``attacks`` None: one of each kind, sized to the shop.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        users: int = DEFAULT_USERS,
        days: int = DEFAULT_DAYS,
        start: datetime = DEFAULT_START,
        activity: float = 1.0,
        attacks: Sequence[Planned] | None = None,
    ) -> None:
        for name, number in (("users", users), ("days", days)):
            if number < 1:
                raise InvalidField(
                    f"{name} must be at least 1", path=name, expected=">= 1", found=str(number)
                )
        self.seed = seed
        self.users = users
        self.days = days
        self.activity = activity
        self.start = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._attacks = attacks
        self._labels: list[Label] = []
        self._at_ms = to_ms(self.start)

    @property
    def part_done(self) -> float:
        """How much of the days has been simulated, 0 to 1."""
        return (self._at_ms - to_ms(self.start)) / (self.days * DAY_MS)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer simulated."""
        return self.start + timedelta(days=self.days)

    def labels(self) -> list[Label]:
        """The labels of the events that have come so far, in their order."""
        return list(self._labels)

    def __iter__(self) -> Iterator[Json]:
        for event, _ in self.labelled():
            yield event

    def labelled(self) -> Iterator[tuple[Json, Label | None]]:
        """Every event with its label, None for an honest one; each call starts over."""
        self._labels.clear()
        for number, draft in enumerate(self._drafts(), start=1):
            self._at_ms = draft.at_ms
            event = finish(draft, number)
            label = Label(event["id"], draft.label, draft.campaign) if draft.label else None
            if label is not None:
                self._labels.append(label)
            yield event, label

    def _drafts(self) -> Iterator[Draft]:
        start_ms = to_ms(self.start)
        world = World(seed=self.seed, users=self.users, days=self.days, start_ms=start_ms)
        agenda = Agenda()
        Calendar(world, agenda, Random(f"{self.seed}/days"), activity=self.activity)
        self._plan_attacks(world, agenda)
        return agenda.run(start_ms + self.days * DAY_MS)

    def _plan_attacks(self, world: World, agenda: Agenda) -> None:
        rng = Random(f"{self.seed}/attacks")
        planned = self._attacks
        if planned is None:
            attacks = standard_attacks(self.users, self.days)
            planned = [Planned(day, attack) for day, attack in spread(attacks, self.days, rng)]
        for number, (day, attack) in enumerate(planned):
            at_ms = world.start_ms + int(day * DAY_MS)
            if day == int(day):
                at_ms = world.moment(rng, at_ms)
            raid = Raid(world, agenda, Random(f"{self.seed}/raid/{number}"), f"{attack.name}-{number}")
            raid.begin(attack, at_ms)


def spread(attacks: Sequence[Attack], days: int, rng: Random) -> list[tuple[float, Attack]]:
    """Attacks in a random order over the days, none in the first tenth, so that there is a past to compare with."""
    order = list(attacks)
    rng.shuffle(order)
    first = min(days // 10 + 1, days - 1)
    last = max(first + 1, days - 2)
    step = (last - first) / max(1, len(order))
    return [(float(int(first + step * number)), attack) for number, attack in enumerate(order)]
