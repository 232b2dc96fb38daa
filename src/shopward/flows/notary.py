"""The notary: the server signs the end of the audit log once a day, and the shop is owed the signature.

Promise: while deeds are done, no two days pass without a signed checkpoint, however few they are (every thousandth entry is
one besides); the checkpoint and the message to the shop are one transaction, so that somebody out of reach of this
server can keep each. Where nothing was done since the last one, nothing is signed.

Not here: whether the log is right. A signature says what it is; ``shopward audit verify`` says the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from shopward.flows.arrows import SYSTEM
from shopward.outbox import Topic
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.arrows import Outbox
    from shopward.ports import Records
    from shopward.values import Clock

EVERY_MS: Final = DAY_MS


class Signed(Protocol):
    """``audit.Checkpoint``, as far as it is used here."""

    @property
    def seq(self) -> int:
        """Up to which entry."""
        ...

    @property
    def at_ms(self) -> int:
        """When."""
        ...

    def file(self) -> Struct:
        """What its file holds."""
        ...


class SignedTrail(Protocol):
    """``audit.AuditTrail``, as far as it is used here."""

    def newest_checkpoint(self, connection: Any) -> Signed | None:
        """The last one."""
        ...

    def read(self, connection: Any, *, after_seq: int, limit: int) -> Sequence[Any]:
        """Lines after a position."""
        ...

    def checkpoint(self, connection: Any, *, at_ms: int, actor: str) -> Signed:
        """Sign now."""
        ...


class Notary:
    """Signs; one thread at a time.

    Args:
        records: transactions.
        trail: the audit log, with its key.
        outbox: what the shop is owed to hear.
        clock: the server's clock.
    """

    def __init__(self, *, records: Records, trail: SignedTrail, outbox: Outbox, clock: Clock) -> None:
        self._records = records
        self._trail = trail
        self._outbox = outbox
        self._clock = clock

    def newest(self) -> Struct | None:
        """The file of the newest checkpoint, ``None`` where there is none."""
        newest = self._records.read(self._trail.newest_checkpoint)
        return None if newest is None else newest.file()

    def sign_if_due(self) -> bool:
        """A checkpoint where the last one is a day old and deeds were done since; whether one was made."""
        now_ms = self._clock.now_ms()

        def is_due(connection: Any) -> bool:
            newest = self._trail.newest_checkpoint(connection)
            after_seq, at_ms = (0, None) if newest is None else (newest.seq, newest.at_ms)
            if (
                at_ms is not None and abs(now_ms - at_ms) < EVERY_MS
            ):  # one of a clock that was ahead holds up none
                return False
            return bool(self._trail.read(connection, after_seq=after_seq, limit=1))

        def sign(connection: Any) -> None:
            made = self._trail.checkpoint(connection, at_ms=now_ms, actor=SYSTEM)
            self._outbox.owe(
                connection,
                at_ms=now_ms,
                topic=Topic.AUDIT_CHECKPOINT,
                subject=f"checkpoint-{made.seq}",
                payload=msgspec.structs.asdict(made.file()),
            )

        if not self._records.read(is_due):
            return False
        self._records.write(sign)
        return True
