"""Whether the SIM behind a number was changed, and what the ordered log hears of it.

Promise:
- a number is asked about where a code is about to leave for it, after it is known who asks for the code and why, and where the
  shop itself wants to know; the operator hears the number and nothing of the account;
- a change is an event of the ordered log (``custom`` with ``changes`` of ``sim``, by the actor ``service``), once a day for an
  account and a number: rules and replay read it, the number stands in it as a keyed token alone;
- an operator that says nothing changes nothing (fails open): the code goes out as without it.

The shop that learns of a change by other means sends that event by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.events.catalogue import Actor, Change, Event, User
from shopward.stepup.code_channel import checked_address
from shopward.values import DAY_MS, digest16, from_ms

if TYPE_CHECKING:
    from shopward.flows.asked import Askings
    from shopward.ports import SimSwaps
    from shopward.values import Clock

PHONE_FACTORS: Final = frozenset({"whatsapp"})
"""What a new SIM takes over. A text message would be, and is the shop's to send."""
FIELD: Final = "sim"
_ACTOR: Final = Actor("service", "operator")


class Looked(Struct, frozen=True):
    """What was heard of a number.

    Attributes:
        swapped: whether its SIM was changed within the time; ``None`` where nobody said.
        event: what the log has to hear of it.
    """

    swapped: bool | None = None
    event: Event | None = None


class SimDesk:
    """Looks numbers up; may be called from any thread.

    Args:
        swaps: who is asked.
        askings: knows what is recorded, and makes tokens.
        within_h: how long ago a change counts.
        clock: the server's clock.
    """

    def __init__(self, swaps: SimSwaps, askings: Askings, *, within_h: int, clock: Clock) -> None:
        self.swaps = swaps
        self._askings = askings
        self._within_h = within_h
        self._clock = clock

    def look(self, user_id: str, phone: str) -> Looked:
        """What is known of a number of an account; raises ``InvalidField`` where it is none."""
        checked_address("whatsapp", phone)
        swapped = self.swaps.was_swapped(phone, within_h=self._within_h)
        if not swapped:
            return Looked(swapped)
        return Looked(swapped, self._event(user_id, phone))

    def _event(self, user_id: str, phone: str) -> Event | None:
        """The event; ``None`` where the log heard it today."""
        now_ms, token = self._clock.now_ms(), self._askings.blind("phone", phone)
        once = digest16(f"{user_id}\x1f{token}\x1f{now_ms // DAY_MS}".encode())
        event_id = f"sim-{once.hex()}"
        if self._askings.is_recorded(event_id):
            return None
        return Event(
            event_id, "custom", "succeeded", from_ms(now_ms), user=User(user_id), actor=_ACTOR,
            changes=[Change(FIELD, new_token=token)],
        )  # fmt: skip
