"""A small shop and the engine beside it: what happened, and what the default policy said of it.

Promise: every event of the shop is decided once, in order, by ``Replay`` with the policy that ships; each reason that
comes up has its text in three languages. What it does not do: nobody reacts to a decision, as in the simulator.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import Shop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.flows.engine import DecisionRecord
    from shopward.testing.attackers import Attack
    from shopward.testing.person import Person
    from shopward.testing.shop import Story

POLICY = Policy(load_default_policy())
TEXTS = {rule.name: rule.text for rule in POLICY.spec.rules} | {"score": POLICY.spec.head.score_text}
STOPS = ("challenge", "deny")
EVERY_OTHER_DAY = 0.5
WARM_UP_DAYS = 3
LIVES_HERE = 200


class Told(NamedTuple):
    """An event and the decision on it; ``label`` is empty for honest ones."""

    event: dict[str, Any]
    record: DecisionRecord
    label: str

    @property
    def codes(self) -> set[str]:
        """The rules that fired."""
        return {reason.code for reason in self.record.reasons}

    @property
    def stopped(self) -> bool:
        """Challenged or denied."""
        return self.record.decision in STOPS

    @property
    def user(self) -> str:
        """Whose account it is; empty for nobody's."""
        return str(self.event.get("user", {}).get("id", ""))

    @property
    def excluded(self) -> set[str]:
        """Factors that the challenge must not use."""
        return {each for action in self.record.actions if action.type == "step_up" for each in action.exclude}


class Tale(list[Told]):
    """Some events with their decisions, in time order."""

    def of(self, kind: str, status: str | None = None, label: str | None = None) -> Tale:
        """Those of a type."""
        return Tale(
            t
            for t in self
            if t.event["type"] == kind and status in (None, t.event["status"]) and label in (None, t.label)
        )

    def with_code(self, *codes: str) -> Tale:
        """Those at which one of the rules fired."""
        return Tale(t for t in self if t.codes & set(codes))

    @property
    def stopped(self) -> Tale:
        """Those that were challenged or denied."""
        return Tale(t for t in self if t.stopped)

    @property
    def denied(self) -> Tale:
        """Those that were denied."""
        return Tale(t for t in self if t.record.decision == "deny")

    @property
    def users(self) -> dict[str, Tale]:
        """The events of each account."""
        parted: dict[str, Tale] = {}
        for told in self:
            parted.setdefault(told.user, Tale()).append(told)
        return parted

    def first(self, *codes: str) -> int:
        """The place, from 1, of the first event that one of the rules stopped."""
        return next(n for n, t in enumerate(self, 1) if t.stopped and t.codes & set(codes))

    def share(self, some: Iterable[Told]) -> float:
        """How many of these ``some`` are."""
        return sum(1 for _ in some) / len(self)


class Stage:
    """A shop whose customers come every other day, after ``days`` ordinary days."""

    def __init__(self, seed: int, *, days: float = 14, residents: int = LIVES_HERE) -> None:
        self.shop = Shop(seed, customers=residents)
        for customer in self.shop.world.residents:
            customer.visits_per_day = max(customer.visits_per_day, EVERY_OTHER_DAY)
        self._replay = Replay(POLICY)
        self._told: dict[str, Told] = {}
        self.shop.ordinary_days(days)

    def attack(self, attack: Attack) -> Tale:
        """The attack from its first event to its last, amid honest days; only its own events are told."""
        return self.tell(self.shop.attack(attack))

    def tell(self, story: Story | Iterable[dict[str, Any]]) -> Tale:
        """What was decided on the events of a story."""
        self._decide()
        events = getattr(story, "events", story)
        return Tale(self._told[event["id"]] for event in events)

    def last(self, event: dict[str, Any]) -> Told:
        """What was decided on one event."""
        return self.tell([event])[0]

    def everything(self) -> Tale:
        """All events so far."""
        self._decide()
        return Tale(self._told.values())

    def regulars(self, count: int, days: int = 5) -> list[Person]:
        """Customers who have come on each of some days, and so have earned their devices."""
        people = [self.shop.customer() for _ in range(count)]
        for _ in range(days):
            for person in people:
                person.login()
                person.do("order_view")
            self.shop.advance(days=1)
        return people

    def regular(self) -> Person:
        """One such customer."""
        return self.regulars(1)[0]

    def campaigns(self, kind: str) -> list[tuple[int, int]]:
        """Found campaigns of a kind: how many accounts each has, and with which confidence."""
        self._decide()
        return [
            (each.accounts, each.confidence)
            for each in self._replay.engine.campaigns.remembered()
            if each.kind == kind
        ]

    def honest(self) -> Tale:
        """The customers' and the staff's own events since the policy has some days to look back on.

        What an insider reads for the day's work is left out: the person is stopped, not the read.
        """
        told = self.everything()
        day_one = told[0].event["time"][:10]
        insiders = {t.event["actor"]["id"] for t in told if t.label == "insider"}
        return Tale(
            t
            for t in told
            if not t.label
            and days_between(day_one, t.event["time"]) >= WARM_UP_DAYS
            and t.event.get("actor", {}).get("id") not in insiders
        )

    def honest_stopped(self) -> float:
        """The share of honest events that were challenged or denied."""
        honest = self.honest()
        return honest.share(honest.stopped)

    def _decide(self) -> None:
        labels = {label.event_id: label.label for label in self.shop.labels}
        fresh = self.shop.events[len(self._told) :]
        for event, answer in zip(fresh, self._answers(fresh), strict=True):
            told = Told(event, answer, labels.get(event["id"], ""))
            assert all(TEXTS[code].id and TEXTS[code].zh and TEXTS[code].en for code in told.codes)
            self._told[event["id"]] = told

    def _answers(self, events: list[dict[str, Any]]) -> Iterator[DecisionRecord]:
        for answer in self._replay.run(msgspec.json.encode(event) for event in events):
            assert not isinstance(answer, Exception), answer
            yield answer[1]


class Stranger:
    """Somebody at another place and device who acts in another customer's account."""

    def __init__(self, stage: Stage, *, far_from: Person | None = None) -> None:
        self._stage = stage
        self._hands = stage.shop.customer()
        if far_from is not None:
            self._hands.travel("US" if far_from.customer.country.code != "US" else "ID")

    def does(self, victim: Person, kind: str, status: str = "succeeded", **parts: Any) -> Told:
        """One event in the victim's account from the stranger's device."""
        user = {"id": victim.id, **({"known": True} if kind == "login" else {})}
        return self._stage.last(self._hands.do(kind, status, user=user, **parts))


def days_between(day: str, moment: str) -> int:
    """Whole days from one time to another, both as ISO 8601."""
    return (date.fromisoformat(moment[:10]) - date.fromisoformat(day[:10])).days
