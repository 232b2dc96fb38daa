"""One person's doings in a row: each step a little later than the one before, as drafts of contract events.

Promise: everything that appears in a stream is built here, honest or not, so an attacker's event has exactly the
fields that a customer's has. What it does not do: it decides nothing; who does what is in ``visits``, ``backoffice``
and ``attackers``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from shopward.testing.agenda import Draft, Json

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.devices import Device
    from shopward.testing.networks import Place
    from shopward.testing.people import Customer

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MS: Final = 86_400_000
CURRENCY: Final = "USD"


def to_ms(moment: datetime) -> int:
    """Milliseconds since the Unix epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=512)
def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def iso(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    day, rest = divmod(at_ms, DAY_MS)
    seconds, millis = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date(day)}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"


def token(rng: Random) -> str:
    """An opaque token, such as the shop's own keyed tokens are."""
    return f"{rng.getrandbits(64):016x}"


def session_id(rng: Random) -> str:
    """A fresh session."""
    return f"s-{rng.getrandbits(40):010x}"


def context_of(device: Device, place: Place) -> Json:
    """The contract's ``context`` of a device at a place."""
    return {
        "ip": place.ip,
        "asn": place.asn,
        "country": place.country,
        "city": place.city.name,
        "lat": place.city.lat,
        "lon": place.city.lon,
        "os": device.os,
        "browser": device.browser,
        "device_id": device.id,
        "device_type": device.type,
        "language": device.language,
    }


@dataclass(slots=True)
class Trail:
    """What one person does from one device at one place. ``customer`` None: nobody who is signed in."""

    rng: Random
    at_ms: int
    device: Device
    place: Place
    customer: Customer | None = None
    session: str | None = None
    actor: Json | None = None
    label: str = ""
    campaign: str = ""
    drafts: list[Draft] = field(default_factory=list)
    _context: Json | None = None

    def wait(self, low_s: float, high_s: float) -> None:
        """Let some seconds pass."""
        self.at_ms += int((low_s + (high_s - low_s) * self.rng.random()) * 1000)

    def move(self, device: Device, place: Place) -> None:
        """Go on from another device and place."""
        self.device, self.place, self._context = device, place, None

    def add(self, kind: str, status: str = "succeeded", *, label: str | None = None, **parts: Any) -> None:
        """One event now, and a second or more passes."""
        if self._context is None:
            self._context = context_of(self.device, self.place)
        body: Json = {}
        user = self._user(kind)
        if user:
            body["user"] = user
        if self.actor is not None:
            body["actor"] = dict(self.actor)
        body["context"] = dict(self._context)
        if kind in {"login", "registration"}:
            body["context"]["user_agent"] = self.device.user_agent
        if self.session is not None:
            body["session"] = {"id": self.session}
        body.update(parts)
        self.drafts.append(
            Draft(self.at_ms, kind, status, body, self.label if label is None else label, self.campaign)
        )
        self.wait(1.0, 4.0)

    def _user(self, kind: str) -> Json:
        who = self.customer
        if who is None:
            return {}
        user: Json = {"id": who.id}
        if kind in {"login", "registration"}:
            user["known"] = True
            user["registered_at"] = iso(who.registered_ms)
        elif kind == "otp":
            user["tokens"] = {"phone": who.phone}
        return user

    def move_money(
        self,
        kind: str,
        amount_minor: int,
        instrument: str,
        payee: str | None,
        *,
        provider: str | None = None,
        attempted: bool = False,
        label: str | None = None,
    ) -> None:
        """A transaction by the customer, announced first (``attempted``) where the shop does so."""
        who = self.customer
        transaction: Json = {
            "id": f"t-{self.rng.getrandbits(44):011x}",
            "amount_minor": amount_minor,
            "currency": CURRENCY,
            "instrument": instrument,
        }
        if who is not None and instrument in {"card", "gift_card"}:
            transaction["instrument_id"] = who.card if instrument == "card" else token(self.rng)
        if payee is not None:
            transaction["payee_id"] = payee
        if provider is not None:
            transaction["identity_provider"] = provider
        if who is not None and instrument in {"balance", "transfer"}:
            transaction["balance_before_minor"] = who.balance_minor
            who.balance_minor = max(0, who.balance_minor - amount_minor)
        if attempted:
            self.add(kind, "attempted", label=label, transaction=dict(transaction))
        self.add(kind, label=label, transaction=transaction)

    def change(self, kind: str, name: str, old: str | None, new: str, *, label: str | None = None) -> None:
        """A change of a contact or delivery field, with both tokens."""
        entry = {"field": name, "new_token": new}
        if old is not None:
            entry["old_token"] = old
        self.add(kind, label=label, changes=[entry])
