"""A small shop for scenario tests: say what happens, in order, and read the events.

Promise: one line says one thing; ``events`` is in time order; what is not asked for is the honest background of the
shop's residents, or nothing at all with ``customers=0``. What it does not do: no engine is called; the caller takes
``events`` (or the answer of a call) wherever decisions are made.

::

    shop = Shop(seed=7)
    shop.ordinary_days(14)
    story = shop.attack(OneAddressStuffing(tries=60))
    assert {label.label for label in story.labels} >= {"stuffing"}
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.testing.agenda import Agenda, Draft, Json
from shopward.testing.attackers import Attack, Raid
from shopward.testing.calendar import Calendar
from shopward.testing.lookalikes import Lookalikes
from shopward.testing.person import Person
from shopward.testing.simulator import DEFAULT_START, Label, finish
from shopward.testing.trail import DAY_MS, EPOCH, to_ms
from shopward.testing.world import World

if TYPE_CHECKING:
    from shopward.testing.people import Customer

FEWEST_TO_COPY: Final = 200
PLANNED_DAYS: Final = 60


class Story(NamedTuple):
    """What one attack or look-alike left: its own events, their labels (none if honest), and who was meant."""

    campaign: str
    events: list[Json]
    labels: list[Label]
    victims: list[str]


class Shop:
    """One shop, one clock. ``customers``: how many residents come by themselves."""

    def __init__(self, seed: int = 1, *, customers: int = 60, start: datetime = DEFAULT_START) -> None:
        self.seed = seed
        self.events: list[Json] = []
        self.labels: list[Label] = []
        start_ms = to_ms(start)
        self.now_ms = start_ms
        users = max(customers, FEWEST_TO_COPY)
        self.world = World(seed=seed, users=users, days=PLANNED_DAYS, start_ms=start_ms, residents=customers)
        self._agenda = Agenda()
        self._rng = Random(f"{seed}/shop")
        self._calendar = Calendar(self.world, self._agenda, Random(f"{seed}/days"))
        self._lookalikes = Lookalikes(self.world, self._calendar.visits, self._calendar.office, self._rng)
        self._raids = 0

    @property
    def now(self) -> datetime:
        """The shop's clock."""
        return EPOCH + timedelta(milliseconds=self.now_ms)

    def ordinary_days(self, days: float) -> list[Json]:
        """Honest days of the residents; the events that came."""
        return self._live(self.now_ms + int(days * DAY_MS))

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass; residents go on coming."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._live(self.now_ms + step // timedelta(milliseconds=1))

    def customer(self) -> Person:
        """One more customer, registered long ago, who does only what is asked for."""
        return Person(self, self.world.settle(), self._calendar.visits, self._rng)

    def attack(self, attack: Attack) -> Story:
        """The whole attack, from now until its last event, amid the honest background."""
        self._raids += 1
        rng = Random(f"{self.seed}/raid/{self._raids}")
        raid = Raid(self.world, self._agenda, rng, f"{attack.name}-{self._raids}")
        before, labels_before = len(self.events), len(self.labels)
        raid.begin(attack, self.now_ms)
        while raid.pending:
            self._live(1 + (self._agenda.next_ms() or self.now_ms))
        self._live(max(self.now_ms, raid.last_ms + 1))
        labels = [label for label in self.labels[labels_before:] if label.campaign == raid.campaign]
        wanted = {label.event_id for label in labels}
        events = [event for event in self.events[before:] if event["id"] in wanted]
        return Story(raid.campaign, events, labels, list(dict.fromkeys(c.id for c in raid.victims)))

    def family_evening(self, members: int = 6, minutes: float = 9.0) -> Story:
        """Honest: a family behind one address, all signing in."""
        return self._tell("family_evening", self._lookalikes.family(self.now_ms, members, minutes))

    def carrier_rush(self, customers: int = 40, minutes: float = 30.0) -> Story:
        """Honest: many customers behind one carrier address, some mistyping."""
        return self._tell("carrier_rush", self._lookalikes.carrier(self.now_ms, customers, minutes))

    def staff_peak(self, reads: int = 150, hours: float = 8.0) -> Story:
        """Honest: a sale day at one desk, every read with its case."""
        return self._tell("staff_peak", self._lookalikes.staff_peak(self.now_ms, reads, hours))

    def traveller(self, person: Person | None = None) -> Story:
        """Honest: home, a flight, then abroad on the same phone."""
        return self._tell("traveller", self._lookalikes.traveller(self.now_ms, self._who(person)))

    def new_phone(self, person: Person | None = None) -> Story:
        """Honest: a new phone at home, with a code, and a purchase."""
        return self._tell("new_phone", self._lookalikes.new_phone(self.now_ms, self._who(person)))

    def lost_phone(self, person: Person | None = None) -> Story:
        """Honest: a new SIM and a new phone at home, and a purchase."""
        return self._tell("lost_phone", self._lookalikes.lost_phone(self.now_ms, self._who(person)))

    def happen(self, drafts: list[Draft], until_ms: int) -> list[Json]:
        """Have drafts come out, and the clock move on to ``until_ms``; the events of these drafts."""
        wanted = {id(draft.body) for draft in drafts}
        self._agenda.keep(drafts)
        return self._live(max(self.now_ms, until_ms), wanted)

    def _who(self, person: Person | None) -> Customer:
        return self.world.settle() if person is None else person.customer

    def _tell(self, name: str, drafts: list[Draft]) -> Story:
        events = self.happen(drafts, 1 + max(draft.at_ms for draft in drafts))
        users = dict.fromkeys(event["user"]["id"] for event in events)
        return Story(name, events, [], list(users))

    def _live(self, until_ms: int, wanted: set[int] | None = None) -> list[Json]:
        """Everything up to ``until_ms`` happens; the events, or those of ``wanted`` drafts only."""
        came: list[Json] = []
        for draft in self._agenda.run(until_ms):
            event = finish(draft, len(self.events) + 1)
            self.events.append(event)
            if draft.label:
                self.labels.append(Label(event["id"], draft.label, draft.campaign))
            if wanted is None or id(draft.body) in wanted:
                came.append(event)
        self.now_ms = until_ms
        return came
