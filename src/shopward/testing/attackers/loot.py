"""Attacks on stored value and on payments (rows 8, 9, 15 and 17).

Promise: each class is a frozen record of its numbers. What it does not do: where the money goes after the mule is not
in a shop's stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from shopward.testing.market import amount
from shopward.testing.people import PROVIDERS
from shopward.testing.trail import Trail, session_id, token

if TYPE_CHECKING:
    from shopward.testing.agenda import Draft
    from shopward.testing.attackers.raid import Guise, Raid
    from shopward.testing.networks import Place
    from shopward.testing.people import Customer

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class BalanceDrain:
    """Row 8: a device never seen redeems gift cards in a row and spends most of the balance."""

    name: ClassVar[str] = "balance_drain"
    row: ClassVar[int] = 8

    victims: int = 8
    redemptions: int = 3
    drained_share: tuple[float, float] = (0.7, 1.0)
    over_h: float = 48.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims with something to take, one after the other."""
        rich = [c for c in raid.world.customers if c.balance_minor > 2_000]
        for victim in raid.pick(self.victims, at_ms, rich):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._enter, raid, raid.guise(), victim))

    def _enter(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "ato"), raid.rng
        raid.sign_in(trail)
        for _ in range(self.redemptions):
            trail.wait(20, 120)
            raid.redeem(trail)
        left = int(victim.balance_minor * rng.uniform(*self.drained_share))
        parts = rng.choice((1, 2, 3))
        for _ in range(parts):
            trail.wait(20, 240)
            kind = rng.choice(("payment", "payment", "wallet_transfer"))
            sends = kind == "wallet_transfer"
            part, payee = max(100, left // parts), raid.payee(private=sends)
            trail.move_money(kind, part, "balance", payee, attempted=sends)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class GiftCardEnumeration:
    """Row 9: card numbers are guessed by asking for their balance, without signing in."""

    name: ClassVar[str] = "card_enumeration"
    row: ClassVar[int] = 9

    checks: int = 150
    minutes: float = 40.0
    addresses: int = 2
    valid_share: float = 0.03

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Numbers asked for from a few addresses."""
        rng = raid.rng
        exits = [(guise, guise.place(rng)) for guise in (raid.guise() for _ in range(self.addresses))]
        for _ in range(self.checks):
            moment = at_ms + int(rng.random() * self.minutes * MINUTE_MS)
            raid.put(moment, partial(self._check, raid, rng.choice(exits)))

    def _check(self, raid: Raid, where: tuple[Guise, Place], at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, where[0], None, "enumeration"), raid.rng
        trail.move(where[0].device, where[1])
        transaction = {"instrument": "gift_card", "instrument_id": token(rng)}
        status = "succeeded" if rng.random() < self.valid_share else "failed"
        trail.add("gift_card_check", status, transaction=transaction)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class LinkedIdentityDrain:
    """Row 15: accounts of another company are stolen, and the shop is paid through them again and again."""

    name: ClassVar[str] = "linked_drain"
    row: ClassVar[int] = 15

    victims: int = 50
    payments: tuple[int, int] = (3, 6)
    gap_min: tuple[float, float] = (1.0, 12.0)
    over_h: float = 44.0
    amounts: int = 6
    alerts_share: float = 0.2

    def launch(self, raid: Raid, at_ms: int) -> None:
        """One provider, its users, and a handful of amounts that keep coming back."""
        rng = raid.rng
        provider = rng.choices([p for p, _ in PROVIDERS], [s for _, s in PROVIDERS])[0]
        linked = [c for c in raid.world.customers if c.provider == provider]
        usual = [amount(rng, raid.world.somebody(rng).spend_log, 1.2) for _ in range(self.amounts)]
        for victim in raid.pick(self.victims, at_ms, linked):
            victim.provider = provider
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._pay, raid, raid.guise(), victim, usual))

    def _pay(self, raid: Raid, guise: Guise, victim: Customer, usual: list[int], at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "linked_drain"), raid.rng
        trail.session = session_id(rng)
        provider = victim.provider
        for _ in range(rng.randint(*self.payments)):
            trail.move_money("payment", rng.choice(usual), "linked", raid.payee(), provider=provider)
            trail.wait(*(60 * minutes for minutes in self.gap_min))
        if rng.random() >= self.alerts_share or provider is None:
            return trail.drafts
        return trail.drafts + alert(raid, victim, provider, trail.at_ms + int(rng.uniform(1, 20) * HOUR_MS))


@dataclass(frozen=True, slots=True)
class MuleFanIn:
    """Row 17: many entered accounts pay one payee, who never was theirs."""

    name: ClassVar[str] = "mule_fan_in"
    row: ClassVar[int] = 17

    victims: int = 12
    over_h: float = 72.0
    share_of_balance: tuple[float, float] = (0.3, 0.9)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """One mule, victims one after the other."""
        payee = raid.world.market.friend(raid.rng)
        rich = [c for c in raid.world.customers if c.balance_minor > 2_000]
        for victim in raid.pick(self.victims, at_ms, rich):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._send, raid, raid.guise(), victim, payee))

    def _send(self, raid: Raid, guise: Guise, victim: Customer, payee: str, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "mule"), raid.rng
        raid.sign_in(trail, label="ato")
        trail.wait(20, 300)
        trail.add("payee_add", properties={"payee_id": payee})
        trail.wait(10, 200)
        sent = max(100, int(victim.balance_minor * rng.uniform(*self.share_of_balance)))
        if rng.random() < 0.4:
            sent = min(sent, amount(rng, raid.world.somebody(rng).spend_log))
        trail.move_money("wallet_transfer", sent, "balance", payee, attempted=True)
        return trail.drafts


def alert(raid: Raid, victim: Customer, provider: str, at_ms: int) -> list[Draft]:
    """The other company says that an account of theirs was stolen: honest, unlabelled, and late."""
    place = victim.home.place(at_ms, raid.rng)
    actor = {"type": "service", "id": provider}
    trail = Trail(raid.rng, at_ms, victim.devices[0], place, victim, actor=actor)
    trail.add("identity_alert", properties={"identity_provider": provider})
    return trail.drafts
