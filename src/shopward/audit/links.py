"""Links lines to the end of a chain, in memory.

Promise: pure. From the last position and hash it makes the rows of entries and of checkpoints, in order, ready for the
tables. It neither reads nor writes any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from shopward.audit.chain import entry_bytes, hash_of
from shopward.audit.checkpoints import Checkpoint, signed_checkpoint
from shopward.audit.deeds import Deed
from shopward.audit.records import AuditEntry, CheckedLine, canonical_details

if TYPE_CHECKING:
    from shopward.audit.keys import SigningKey


class Links:
    """The end of a chain as it grows.

    Args:
        tenant: whose chain it is.
        seq: the last position.
        last: the hash there.
    """

    def __init__(self, tenant: str, *, seq: int, last: bytes) -> None:
        self.seq = seq
        self.last = last
        self.entries: list[dict[str, Any]] = []
        self.checkpoints: list[dict[str, Any]] = []
        self._tenant = tenant

    def add(self, line: CheckedLine) -> AuditEntry:
        """The next entry."""
        seq = self.seq + 1
        content = entry_bytes(
            self.last,
            tenant=self._tenant.encode(),
            seq=seq,
            at_ms=line.at_ms,
            actor=line.actor.encode(),
            deed=line.deed.encode(),
            subject=line.subject.encode(),
            details=line.details.encode(),
        )
        entry = AuditEntry(
            tenant=self._tenant,
            seq=seq,
            at_ms=line.at_ms,
            actor=line.actor,
            deed=line.deed,
            subject=line.subject,
            details=line.details,
            hash=hash_of(content),
        )
        self.seq, self.last = seq, entry.hash
        self.entries.append(asdict(entry))
        return entry

    def sign(self, key: SigningKey, *, at_ms: int, actor: str) -> Checkpoint:
        """The next entry, which says that a checkpoint was made, and the checkpoint over the chain up to and with it."""
        entry = self.add(
            CheckedLine(
                at_ms=at_ms,
                actor=actor,
                deed=Deed.AUDIT_CHECKPOINT.value,
                subject=f"audit:{self._tenant}",
                details=canonical_details({"key": key.public_key.hex()}),
            )
        )
        made = signed_checkpoint(key, tenant=self._tenant, seq=entry.seq, at_ms=at_ms, entry_hash=entry.hash)
        self.checkpoints.append(asdict(made))
        return made
