"""Attacks on one-time codes and on recovery (rows 10, 11, 12, 14 and 23).

Promise: each class is a frozen record of its numbers. What it does not do: the phone call or the message by which a code
changes hands is not in a shop's stream, so it is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from shopward.testing.lookalikes import new_sim
from shopward.testing.trail import session_id, token

if TYPE_CHECKING:
    from shopward.testing.agenda import Draft
    from shopward.testing.attackers.raid import Guise, Raid
    from shopward.testing.networks import Place
    from shopward.testing.people import Customer, Worker
    from shopward.testing.trail import Trail

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class OtpPhishing:
    """Row 11: the owner is talked out of a code.

    Asked for from one device and address and typed in from others (``split_share``), or asked for and typed in on
    the attacker's own new device, and used within seconds.
    """

    name: ClassVar[str] = "otp_phishing"
    row: ClassVar[int] = 11

    victims: int = 50
    split_share: float = 0.5
    over_h: float = 96.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other."""
        for victim in raid.pick(self.victims, at_ms):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._enter, raid, raid.guise(), victim))

    def _enter(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "ato"), raid.rng
        trail.add("otp", "requested", properties={"phone_prefix": victim.phone_prefix})
        trail.wait(6, 60)
        if rng.random() < self.split_share:
            other = raid.guise()
            trail.move(other.device, other.place(rng))
        if rng.random() < 0.05:
            trail.add("otp", "failed")
            trail.wait(4, 20)
        trail.add("otp")
        raid.sign_in(trail)
        raid.loot(trail)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class OtpPumping:
    """Row 12: codes sent to numbers whose carrier shares the fee; next to none is ever typed in."""

    name: ClassVar[str] = "otp_pumping"
    row: ClassVar[int] = 12

    requests: int = 160
    hours: float = 2.0
    addresses: int = 3
    verified_share: float = 0.02

    def launch(self, raid: Raid, at_ms: int) -> None:
        """One prefix, few addresses, a new number each time."""
        rng = raid.rng
        prefix = raid.world.somebody(rng).phone_prefix
        exits = [(guise, guise.place(rng)) for guise in (raid.guise() for _ in range(self.addresses))]
        for _ in range(self.requests):
            moment = at_ms + int(rng.random() * self.hours * HOUR_MS)
            raid.put(moment, partial(self._ask, raid, rng.choice(exits), prefix))

    def _ask(self, raid: Raid, where: tuple[Guise, Place], prefix: str, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, where[0], None, "otp_pumping"), raid.rng
        trail.move(where[0].device, where[1])
        user = {"id": raid.unknown_name()["id"], "tokens": {"phone": token(rng)}}
        trail.add("otp", "requested", user=user, properties={"phone_prefix": prefix})
        if rng.random() < self.verified_share:
            trail.wait(5, 60)
            trail.add("otp", "failed", user=user)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class OtpBombing:
    """Row 12: one owner is flooded with codes until a code is given away, or just for spite."""

    name: ClassVar[str] = "otp_bombing"
    row: ClassVar[int] = 12

    victims: int = 3
    requests: int = 12
    minutes: float = 9.0
    gives_in: float = 0.34

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other, an hour apart."""
        for number, victim in enumerate(raid.pick(self.victims, at_ms)):
            raid.put(at_ms + number * HOUR_MS, partial(self._flood, raid, raid.guise(), victim))

    def _flood(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail, gap_s = raid.trail(at_ms, guise, victim, "otp_bombing"), 60 * self.minutes / self.requests
        for _ in range(self.requests):
            trail.add("otp", "requested", properties={"phone_prefix": victim.phone_prefix})
            trail.wait(0.4 * gap_s, 1.2 * gap_s)
        if raid.rng.random() < self.gives_in:
            trail.label = "ato"
            trail.add("otp")
            raid.sign_in(trail)
            raid.loot(trail)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class WhatsAppTap:
    """Row 14: after a code that no agent asked for, a strange device is linked and reads along."""

    name: ClassVar[str] = "whatsapp_tap"
    row: ClassVar[int] = 14

    accounts: int = 1
    link_after_s: tuple[float, float] = (20.0, 240.0)
    messages: int = 30
    days: float = 3.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Business accounts, a few hours apart."""
        agents = raid.world.agents
        for number in range(self.accounts):
            agent = agents[number % len(agents)]
            raid.put(at_ms + number * 5 * HOUR_MS, partial(self._tap, raid, agent))

    def _tap(self, raid: Raid, agent: Worker, at_ms: int) -> list[Draft]:
        account, guise, rng = raid.world.accounts[agent.accounts[0]], raid.guise(), raid.rng
        raid.victims.append(account)
        trail = raid.trail(at_ms, guise, account, "tap")
        trail.session = session_id(rng)
        trail.add("otp", "requested")
        trail.wait(*self.link_after_s)
        trail.add("otp", label="ato")
        trail.add("device_link", properties={"channel": "whatsapp"})
        for _ in range(self.messages):
            moment = trail.at_ms + int(rng.random() * self.days * 24 * HOUR_MS)
            raid.put(moment, partial(self._read, raid, guise, account, trail.session))
        return trail.drafts

    def _read(self, raid: Raid, guise: Guise, account: Customer, session: str, at_ms: int) -> list[Draft]:
        trail = raid.trail(at_ms, guise, account, "tap")
        trail.session = session
        trail.add("message_received", properties={"channel": "whatsapp"})
        return trail.drafts


@dataclass(frozen=True, slots=True)
class SimSwap:
    """Row 10: the owner's number moves to a thief's SIM; a code to it resets the password, and the account is emptied."""

    name: ClassVar[str] = "sim_swap"
    row: ClassVar[int] = 10

    victims: int = 6
    after_min: tuple[float, float] = (10.0, 600.0)
    over_h: float = 72.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other; the operator tells of each new SIM, as of everybody's."""
        for victim in raid.pick(self.victims, at_ms):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._moved, raid, victim))
            raid.put(
                moment + int(raid.rng.uniform(*self.after_min) * MINUTE_MS),
                partial(self._enter, raid, victim),
            )

    def _moved(self, raid: Raid, victim: Customer, at_ms: int) -> list[Draft]:
        return new_sim(raid.rng, at_ms, victim)

    def _enter(self, raid: Raid, victim: Customer, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, raid.guise(), victim, "ato"), raid.rng
        trail.add("password_reset_request", "requested")
        trail.add("otp", "requested")
        trail.wait(8, 40)
        trail.add("otp")
        victim.password, victim.breached = token(rng), False
        trail.add("password_reset")
        raid.sign_in(trail)
        trail.wait(20, 300)
        payee = raid.payee(private=True)
        trail.add("payee_add", properties={"payee_id": payee})
        trail.wait(20, 300)
        trail.move_money(
            "wallet_transfer",
            int(victim.balance_minor * rng.uniform(0.5, 1.0)),
            "balance",
            payee,
            attempted=True,
        )
        raid.loot(trail)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class RecoveryAbuse:
    """Row 23: one address asks to reset many people's passwords; where it works, another network signs in."""

    name: ClassVar[str] = "recovery_abuse"
    row: ClassVar[int] = 23

    requests: int = 24
    minutes: float = 40.0
    resets: int = 5
    unknown_share: float = 0.2

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Everybody is asked for within the hour; a few resets are carried through."""
        guise, rng = raid.guise(), raid.rng
        place = guise.place(rng)
        for number, victim in enumerate(raid.pick(self.requests, at_ms)):
            moment = at_ms + int(rng.random() * self.minutes * MINUTE_MS)
            unknown = number >= self.resets and rng.random() < self.unknown_share
            who = None if unknown else victim
            raid.put(moment, partial(self._ask, raid, (guise, place), who, works=number < self.resets))

    def _ask(
        self, raid: Raid, where: tuple[Guise, Place], victim: Customer | None, at_ms: int, *, works: bool
    ) -> list[Draft]:
        trail = raid.trail(at_ms, where[0], victim, "recovery_abuse")
        trail.move(where[0].device, where[1])
        if victim is None:
            trail.add("password_reset_request", "requested", user=raid.unknown_name())
            return trail.drafts
        trail.add("password_reset_request", "requested")
        if works:
            self._carry_through(raid, trail, victim, where[1].asn)
        return trail.drafts

    def _carry_through(self, raid: Raid, trail: Trail, victim: Customer, asn: int) -> None:
        trail.wait(60, 900)
        victim.password, victim.breached = token(raid.rng), False
        trail.add("password_reset")
        guise = raid.guise()
        while guise.network.asn == asn:
            guise = raid.guise()
        raid.take_over_at(trail.at_ms + int(raid.rng.uniform(1, 180) * MINUTE_MS), victim, guise)
