"""Cases and undos, as they are kept: tokens, times and ids of ours; nothing that names a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.recovery.states import State
from shopward.values import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from shopward.recovery.states import Verb

PROOF_MS: Final = HOUR_MS
"""How long the steps after a proof may take, on the device that it was given on."""
LOOK_BACK_MS: Final = 7 * DAY_MS
"""Where the review begins when nobody says since when something was wrong."""
LOOK_BACK_MAX_MS: Final = 90 * DAY_MS
UNDO_MS: Final = 3 * DAY_MS
"""How long the old contact can take a change back: as long as money out is held back after it."""


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recovery.

    Attributes:
        user: token of whose account it is.
        reason: why it was frozen: what the trust in factors goes by.
        since_ms: since when something was wrong.
        device: token of the device that the proof was given on.
        factor: what was proved with.
        proved_ms: when.
        password_ms: when the new password was set.
        orders: what was placed for it: the freeze and the epoch of sessions.
        released: orders that its owner was let out of at the end.
    """

    id: str
    user: str
    state: State
    reason: str
    opened_ms: int
    since_ms: int
    device: str = ""
    factor: str = ""
    proved_ms: int = 0
    password_ms: int = 0
    orders: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    closed_ms: int = 0


class Undo(Struct, frozen=True):
    """A way back for the old contact.

    Attributes:
        event_id: of the change that can be taken back.
        digest: SHA-256 of the token, which has 256 random bits.
        user: token of whose account it is.
        changed_ms: when the change was made.
        recovery_id: what its use began; empty before.
    """

    event_id: str
    digest: bytes
    user: str
    changed_ms: int
    expires_ms: int
    recovery_id: str = ""


def has_lapsed(case: Case, verb: Verb, at_ms: int) -> bool:
    """Whether the proof that a step rests on is too old. A clock that fell back keeps it; it never makes it newer."""
    return verb != "identity" and at_ms >= case.proved_ms + PROOF_MS


encode: Final = msgspec.json.Encoder(order="deterministic").encode
decode_case: Final = msgspec.json.Decoder(Case).decode
