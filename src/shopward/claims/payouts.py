"""A payout as a value, and the rule by which it is carried once and only once.

Promise: pure. The id of a payout is the key under which the shop is asked, and follows from the claim and the payout's number, so
that two who make one at once make the same.

::

    due ── intent written ──▶ sent ──┬── the shop says paid ────▶ paid
     ▲                         │     ├── the shop says failed ──▶ failed (the claim is owed as before)
     └── the shop knows nothing┘     └── no answer, pending ────▶ sent: its status is asked before anything is sent again
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal, NamedTuple

from shopward.values import MINUTE_MS, SECOND_MS

PayoutState = Literal["due", "sent", "paid", "failed"]
Instrument = Literal["balance", "gift_card", "original"]
"""How the customer gets it: shop credit, a gift card, or back to where it came from."""
INSTRUMENTS: Final[tuple[Instrument, ...]] = ("balance", "gift_card", "original")
_TIME: Final = re.compile(r"c-([0-9a-f]{12})")
PAUSE_MS: Final = 5 * SECOND_MS
PAUSE_MAX_MS: Final = 60 * MINUTE_MS


class Payout(NamedTuple):
    """An amount that is owed to a customer and on its way.

    Attributes:
        due_ms: when it is looked at again.
        tries: how often the shop was asked to pay it.
        is_provisional: a credit while the claim is looked at.
        transfer: the pending transfer of the ledger.
        said: the last word about it: of the shop's answer or why there was none.
    """

    id: str
    claim: str
    state: PayoutState
    due_ms: int
    tries: int
    amount_minor: int
    currency: str
    instrument: Instrument
    is_provisional: bool
    transfer: str
    said: str = ""


def payout_id(claim: str, *, number: int) -> str:
    """The id and key of a claim's payout by its number, from 0; the claim is locked while one is made.

    It sorts by the time of the claim, as the claim's own id does.
    """
    digest = hashlib.blake2b(f"{claim}/{number}".encode(), digest_size=16).hexdigest()
    made_at = _TIME.match(claim)
    return f"p-{digest}" if made_at is None else f"p-{made_at[1]}{digest[:20]}"


def pause_ms(tries: int) -> int:
    """How long to wait after so many tries: from 5 seconds, doubling, up to an hour."""
    return min(PAUSE_MS << min(tries, 20), PAUSE_MAX_MS)
