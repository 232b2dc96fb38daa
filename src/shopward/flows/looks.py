"""A look at personal values as it is told from one step of its story to the next (``flows.reveal``), and what refuses it.

Promise: values alone; nothing is read, decided or written here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import QuotaReached, Refused
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.errors import ShopwardError
    from shopward.vault.rows import Opened, RevealRequest

_OPERATIONS: Final = {"revealed": "pii_view", "exported": "pii_export"}
SEARCHED: Final = "pii_search"


class RevealAsk(msgspec.Struct, frozen=True):
    """What somebody wants to see.

    Attributes:
        fields: names of fields; each has to be given by the purpose for each record.
    """

    records: tuple[str, ...]
    fields: tuple[str, ...]
    purpose: str
    case_id: str = ""
    order_id: str = ""

    def digest(self) -> str:
        """Tells this very reveal from any other."""
        return digest_of(self)


class Proved(NamedTuple):
    """What a proof is of: the type of the events, what tells this ask from any other, and the proof; empty where none is handed in."""

    operation: str
    bound: str
    challenge_id: str = ""


class Pending(NamedTuple):
    """A reveal between (4) and (6): the events to have decided, and what for.

    Attributes:
        refusal: what the caller hears after all; the events tell of the try.
        request: the word of a second person that it uses up.
        challenge_id: of the proof that it spends.
        is_metered: whether it takes of the person's quota; not where another quota is taken in its place.
        bound: tells what a proof is of, where it is not of these very records.
    """

    ask: RevealAsk
    events: tuple[dict[str, Any], ...]
    outcome: str
    refusal: ShopwardError | None = None
    request: RevealRequest | None = None
    challenge_id: str = ""
    is_metered: bool = True
    bound: str = ""

    @property
    def proved(self) -> Proved:
        """What a proof of it is of."""
        return Proved(_OPERATIONS[self.outcome], self.bound or self.ask.digest(), self.challenge_id)


class Hits(NamedTuple):
    """Records that were found, the events to have decided before they are shown masked, what a proof is of, and what the caller hears after all."""

    found: Sequence[Opened]
    events: tuple[dict[str, Any], ...]
    proved: Proved
    refusal: ShopwardError | None = None


def digest_of(asked: object) -> str:
    """Tells what was asked for from everything else."""
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def denied(decisions: Sequence[str], *, is_provable: bool = False) -> Refused:
    """The refusal for decisions that are not obeyed by showing anything; ``is_provable`` where a factor would have met them."""
    strongest = "deny" if "deny" in decisions or not decisions else "challenge"
    return Refused(
        "the decision engine does not let this be seen",
        code="reveal_denied",
        expected="allow or review",
        found=strongest,
        hint="see the reasons of the decision: the customer's timeline has the event"
        + ("; who has a factor can meet a challenge" if is_provable else ""),
    )


def used_up(most: int, now_ms: int) -> QuotaReached:
    """The refusal for a day that is used up, with when the next one begins."""
    return QuotaReached(
        "this person has seen as many records today as may be seen",
        expected=f"at most {most} records a day (UTC)",
        found="more",
        hint="the masked view takes no quota",
        retry_after_s=(DAY_MS - now_ms % DAY_MS) / 1000,
    )
