"""Attacks with lists of passwords: stuffing from one address, stuffing from many, and spraying (rows 1, 2 and 3).

Promise: each class is a frozen record of its numbers; ``FAST`` and ``SLOW`` are the two named profiles of distributed
stuffing. What it does not do: no headless browsers are betrayed by a header; there are none in an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from shopward.testing.trail import token

if TYPE_CHECKING:
    from shopward.testing.agenda import Draft, Json
    from shopward.testing.attackers.raid import Guise, Raid
    from shopward.testing.networks import Place
    from shopward.testing.people import Customer
    from shopward.testing.trail import Trail

MINUTE_MS: Final = 60_000
SAME_DEVICE: Final = 0.7


@dataclass(frozen=True, slots=True)
class OneAddressStuffing:
    """Row 1: a list of names and passwords tried from one address, one try each."""

    name: ClassVar[str] = "one_address_stuffing"
    row: ClassVar[int] = 1

    tries: int = 120
    minutes: float = 12.0
    unknown_share: float = 0.35
    hits: int = 4
    returns_after_h: tuple[float, float] = (2.0, 60.0)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """All tries now, from one address; the hits are used later."""
        guise = raid.guise()
        place = guise.place(raid.rng)
        for moment, victim in plan(raid, at_ms, self.tries, self.minutes, self.unknown_share, self.hits):
            raid.put(moment, partial(self._try, raid, guise, place, victim))

    def _try(
        self, raid: Raid, guise: Guise, place: Place, victim: tuple[Customer | None, bool], at_ms: int
    ) -> list[Draft]:
        trail = raid.trail(at_ms, guise, victim[0], "stuffing")
        trail.move(guise.device, place)
        attempt(raid, trail, hit=victim[1])
        if victim[1] and victim[0] is not None:
            come_back(raid, guise, victim[0], at_ms, self.returns_after_h)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class DistributedStuffing:
    """Row 2: the same list from very many addresses, one try or two from each; hits are sold or used later."""

    name: ClassVar[str] = "distributed_stuffing"
    row: ClassVar[int] = 2

    tries: int = 1400
    minutes: float = 90.0
    unknown_share: float = 0.35
    hits: int = 60
    tries_per_device: int = 2
    returns_after_h: tuple[float, float] = (4.0, 120.0)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Every try from a fresh address, every few from a fresh device."""
        guise = raid.guise()
        planned = plan(raid, at_ms, self.tries, self.minutes, self.unknown_share, self.hits)
        for number, (moment, victim) in enumerate(planned):
            if number % self.tries_per_device == 0:
                guise = raid.guise()
            raid.put(moment, partial(self._try, raid, guise, victim))

    def _try(self, raid: Raid, guise: Guise, victim: tuple[Customer | None, bool], at_ms: int) -> list[Draft]:
        trail = raid.trail(at_ms, guise, victim[0], "stuffing")
        attempt(raid, trail, hit=victim[1])
        if victim[1] and victim[0] is not None:
            come_back(raid, guise, victim[0], at_ms, self.returns_after_h)
        return trail.drafts


FAST: Final = DistributedStuffing()
SLOW: Final = DistributedStuffing(minutes=7 * 24 * 60.0, tries_per_device=2, unknown_share=0.3)


@dataclass(frozen=True, slots=True)
class PasswordSpray:
    """Row 3: a few popular passwords on many accounts, so that no account sees more than two failures."""

    name: ClassVar[str] = "password_spray"
    row: ClassVar[int] = 3

    users: int = 80
    passwords: int = 2
    hours: float = 6.0
    hits: int = 3
    tries_per_address: int = 4
    returns_after_h: tuple[float, float] = (1.0, 48.0)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """One password on everybody, then the next."""
        words = [token(raid.rng) for _ in range(self.passwords)]
        victims = raid.pick(self.users, at_ms)
        lucky = {victim.id for victim in raid.rng.sample(victims, min(self.hits, len(victims)))}
        span_ms = int(self.hours * 60 * MINUTE_MS) // self.passwords
        guise = raid.guise()
        for turn, word in enumerate(words):
            for number, victim in enumerate(victims):
                if number % self.tries_per_address == 0:
                    guise = raid.guise()
                moment = at_ms + turn * span_ms + number * span_ms // len(victims)
                hit = turn == 0 and victim.id in lucky
                if turn and victim.id in lucky:
                    continue
                raid.put(moment, partial(self._try, raid, guise, victim, word, hit=hit))

    def _try(
        self, raid: Raid, guise: Guise, victim: Customer, word: str, at_ms: int, *, hit: bool
    ) -> list[Draft]:
        trail = raid.trail(at_ms, guise, victim, "spray")
        if hit:
            victim.password, victim.breached = word, True
            raid.sign_in(trail, label="stuffing_hit")
            come_back(raid, guise, victim, at_ms, self.returns_after_h)
        else:
            trail.add("login", "failed", credential={"password_hmac": word})
        return trail.drafts


@dataclass(frozen=True, slots=True)
class BoughtPasswords:
    """Row 4: names with passwords that still fit, bought one by one; each is used once, from its own place, and spent."""

    name: ClassVar[str] = "bought_passwords"
    row: ClassVar[int] = 4

    victims: int = 8
    over_h: float = 96.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Customers whose password stands in a corpus, at hours of their own."""
        for victim in raid.pick(self.victims, at_ms, [c for c in raid.world.customers if c.breached]):
            victim.breached = True
            raid.take_over_at(raid.later(at_ms, 0.0, self.over_h), victim, raid.guise())


@dataclass(frozen=True, slots=True)
class ScriptedLogins:
    """Row 22: a program tries a short list slowly, each try from its own address and as a new device, all out of one page."""

    name: ClassVar[str] = "scripted_logins"
    row: ClassVar[int] = 22

    tries: int = 40
    over_h: float = 20.0
    hits: int = 6
    returns_after_h: tuple[float, float] = (0.2, 6.0)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """One page load, then the list."""
        page: Json = {"page": {"id": token(raid.rng), "state": "fresh"}}
        minutes = self.over_h * 60
        for moment, (victim, hit) in plan(raid, at_ms, self.tries, minutes, 0.0, self.hits):
            raid.put(moment, partial(self._try, raid, page, victim, hit=hit))

    def _try(self, raid: Raid, page: Json, victim: Customer | None, at_ms: int, *, hit: bool) -> list[Draft]:
        guise = raid.guise()
        trail = raid.trail(at_ms, guise, victim, "stuffing")
        attempt(raid, trail, hit=hit)
        trail.drafts[-1].body["properties"] = page
        if hit and victim is not None:
            come_back(raid, guise, victim, at_ms, self.returns_after_h)
        return trail.drafts


def plan(
    raid: Raid, at_ms: int, tries: int, minutes: float, unknown_share: float, hits: int
) -> list[tuple[int, tuple[Customer | None, bool]]]:
    """Who is tried when: unknown names (None), known ones, and among these the hits, in a random order."""
    rng = raid.rng
    hits = min(hits, tries)
    unknown = min(tries - hits, int(tries * unknown_share))
    reusing = [c for c in raid.world.customers if c.reuses_password]
    lucky = raid.pick(hits, at_ms, reusing)
    wanted = tries - unknown - len(lucky)
    names = {victim.id for victim in lucky}
    known = [c for c in raid.world.several(rng, wanted + len(lucky), at_ms=at_ms) if c.id not in names]
    targets: list[tuple[Customer | None, bool]] = [(victim, True) for victim in lucky]
    targets += [(victim, False) for victim in known[:wanted]]
    targets += [(None, False)] * (tries - len(targets))
    rng.shuffle(targets)
    moments = sorted(at_ms + int(rng.random() * minutes * MINUTE_MS) for _ in targets)
    return list(zip(moments, targets, strict=True))


def attempt(raid: Raid, trail: Trail, *, hit: bool) -> None:
    """One try: a hit, a wrong password, or a name that is not known here."""
    if hit:
        raid.sign_in(trail, label="stuffing_hit")
    elif trail.customer is None:
        secret = {"password_hmac": token(raid.rng)}
        trail.add("login", "failed", user=raid.unknown_name(), credential=secret)
    else:
        trail.add("login", "failed", credential={"password_hmac": token(raid.rng)})


def come_back(raid: Raid, guise: Guise, victim: Customer, at_ms: int, after_h: tuple[float, float]) -> None:
    """The takeover that follows a hit: mostly from the same device, else by whoever bought the password."""
    other = guise if raid.rng.random() < SAME_DEVICE else raid.guise()
    raid.take_over_at(raid.later(at_ms, *after_h), victim, other)
