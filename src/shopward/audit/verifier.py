"""Reads a whole audit log and says whether it is what was written.

Promise: the log is intact only if

1. entries run from 1 without a gap, a double or a stray, each hash is that of its own columns and of the hash before;
2. each entry ``audit:checkpoint`` has its row in ``audit_checkpoint`` and each row its entry, with the entry's hash and
   time, signed by the expected key or by one that leads to it: an entry ``audit:rotate`` names an old and a new key and is
   signed by both, so that who trusts one of them trusts the other (``keys``);
3. the head is the last entry;
4. a checkpoint that was kept elsewhere is signed by the expected key, and the log reaches it with the same hash.

The first place where that fails is reported. A stranger's value is never part of a report: hashes, numbers and words.

Limits: without 4, who can write the tables can cut off everything after any entry, or rewrite what follows the last
checkpoint; who also removes the checkpoints can rewrite all of it. With 4 that holds only after the kept checkpoint.

The connection has to see one state throughout: any transaction on SQLite, REPEATABLE READ on PostgreSQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from shopward.audit.chain import GENESIS, entry_bytes, hash_of
from shopward.audit.checkpoints import Checkpoint
from shopward.audit.deeds import Deed
from shopward.audit.rows import PAGE_ROWS, checkpoint_rows, entry_rows, head_row
from shopward.audit.succession import linked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sqlalchemy import Connection

    from shopward.audit.rows import CheckpointRow, EntryRow, HeadRow

FaultKind = Literal["altered", "missing", "extra", "head", "checkpoint", "cut", "rewritten"]

_ROTATE_DEED: Final = Deed.AUDIT_ROTATE.value.encode()
_CHECKPOINT_DEED: Final = Deed.AUDIT_CHECKPOINT.value.encode()


class Fault(Struct, frozen=True, kw_only=True):
    """The first thing that is wrong, at which position, and what stood there instead of what."""

    seq: int
    kind: FaultKind
    expected: str
    found: str


class Report(Struct, frozen=True, kw_only=True):
    """How far the log is what was written; it is intact where there is no fault."""

    tenant: str
    entries: int
    checkpoints: int
    last_hash: str
    signed_to_seq: int
    held_against_seq: int | None
    fault: Fault | None

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


class _Broken(Exception):
    """Carries a fault to the report; never leaves this module."""

    def __init__(self, seq: int, kind: FaultKind, *, expected: str, found: str) -> None:
        super().__init__(kind)
        self.fault = Fault(seq=seq, kind=kind, expected=expected, found=found)


def verify(
    connection: Connection,
    *,
    public_key: bytes,
    older: Collection[bytes] = (),
    checkpoint: Checkpoint | None = None,
    tenant: str = "main",
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Read the log of a tenant from end to end.

    Args:
        connection: in a transaction that sees one state.
        public_key: of the key that signed the checkpoints.
        older: keys before it that are trusted too, as those of the data folder.
        checkpoint: one that was kept elsewhere.
        tenant: whose log it is.
        progress: told now and then how many entries are done.
    """
    walk = _Walk(public_key, older, checkpoint, tenant, progress)
    fault = None
    try:
        head = head_row(connection, tenant)
        with checkpoint_rows(connection, tenant) as marks, entry_rows(connection, tenant) as entries:
            walk.run(entries, marks)
        walk.finish(head)
        walk.check_keys()
        if progress is not None:
            progress(walk.done)
    except _Broken as broken:
        fault = walk.strange_key() or broken.fault
    return Report(
        tenant=tenant,
        entries=walk.done,
        checkpoints=walk.checkpoints,
        last_hash=walk.last.hex(),
        signed_to_seq=walk.signed_to,
        held_against_seq=None if checkpoint is None else checkpoint.seq,
        fault=fault,
    )


class _Walk:
    """Where the reading stands: ``done`` entries are right, and ``last`` is the hash of the last of them."""

    def __init__(
        self,
        public_key: bytes,
        older: Collection[bytes],
        kept: Checkpoint | None,
        tenant: str,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.done = 0
        self.last = GENESIS
        self.checkpoints = 0
        self.signed_to = 0
        self._key = public_key
        self._trusted = {public_key, *older}
        self._first_strange: dict[bytes, int] = {}
        self._links: list[tuple[bytes, bytes]] = []
        self._kept = kept
        self._tenant = tenant
        self._progress = progress

    def run(self, entries: Iterator[EntryRow], marks: Iterator[CheckpointRow]) -> None:
        """Steps 1 and 2, and the second half of 4, over entries and checkpoints side by side."""
        self._check_kept()
        mark = next(marks, None)
        for entry in entries:
            self._check_entry(entry)  # 1
            if mark is not None and self._comes_before(mark, entry):
                raise _Broken(
                    mark.seq, "checkpoint", expected="an entry audit:checkpoint there", found="none"
                )
            if entry.deed == _ROTATE_DEED:
                self._note_link(entry)
            if entry.deed == _CHECKPOINT_DEED:  # 2
                self._check_mark(entry, mark)
                mark = next(marks, None)
            self.done, self.last = entry.seq, entry.hash
            if self._kept is not None and entry.seq == self._kept.seq and entry.hash != self._kept.hash:  # 4
                raise _Broken(
                    entry.seq,
                    "rewritten",
                    expected=f"hash {self._kept.hash.hex()}",
                    found=f"hash {entry.hash.hex()}",
                )
            if self._progress is not None and not entry.seq % PAGE_ROWS:
                self._progress(self.done)
        if mark is not None:
            raise _Broken(
                self.done + 1,
                "cut",
                expected="the entry of a later checkpoint",
                found=f"the log ends at {self.done}",
            )

    def strange_key(self) -> Fault | None:
        """The first signature by a key that nothing leads to from a trusted one, so far."""
        trusted, grows = set(self._trusted), True
        while grows:
            grows = False
            for pair in self._links:
                if len(trusted.intersection(pair)) == 1:
                    trusted.update(pair)
                    grows = True
        strange = [seq for key, seq in self._first_strange.items() if key not in trusted]
        if not strange:
            return None
        return Fault(
            seq=min(strange), kind="checkpoint", expected=f"a signature of key {self._key.hex()[:16]}",
            found="another key or another signature",
        )  # fmt: skip

    def check_keys(self) -> None:
        """The end of step 2."""
        fault = self.strange_key()
        if fault is not None:
            raise _Broken(fault.seq, fault.kind, expected=fault.expected, found=fault.found)

    def _signed(self, key: bytes, seq: int) -> None:
        """A good signature over the log up to ``seq``; whether its key is one of ours is seen at the end."""
        if key not in self._trusted:
            self._first_strange[key] = min(seq, self._first_strange.get(key, seq))

    def finish(self, head: HeadRow | None) -> None:
        """Step 3, and the first half of 4's reach."""
        if self._kept is not None and self.done < self._kept.seq:  # 4
            raise _Broken(
                self.done + 1,
                "cut",
                expected=f"entries up to the kept checkpoint at {self._kept.seq}",
                found=f"the log ends at {self.done}",
            )
        if head is None:  # 3
            if self.done:
                raise _Broken(self.done, "head", expected="a head row", found="none")
            return
        if head.kinds:
            raise _Broken(
                self.done, "head", expected="numbers and bytes in the head row", found="another type"
            )
        if head.last_seq > self.done:
            raise _Broken(
                self.done + 1,
                "missing",
                expected=f"entries up to the head at {head.last_seq}",
                found=f"the log ends at {self.done}",
            )
        if head.last_seq < self.done:
            raise _Broken(
                max(head.last_seq, 0) + 1,
                "extra",
                expected=f"the log to end at its head, {head.last_seq}",
                found=f"entries up to {self.done}",
            )
        if head.hash != self.last:
            raise _Broken(
                self.done, "head", expected=f"hash {self.last.hex()}", found=f"hash {head.hash.hex()}"
            )

    def _check_kept(self) -> None:
        kept = self._kept
        if kept is None:
            return
        if kept.tenant != self._tenant:
            raise _Broken(
                kept.seq,
                "checkpoint",
                expected="a kept checkpoint of this tenant",
                found="one of another tenant",
            )
        if not kept.is_signed_by(kept.key):
            raise _Broken(
                kept.seq,
                "checkpoint",
                expected=f"the kept checkpoint signed by key {kept.key.hex()[:16]}",
                found="another signature",
            )
        self._signed(kept.key, kept.seq)

    def _check_entry(self, entry: EntryRow) -> None:
        expected = self.done + 1
        if entry.kinds:
            raise _Broken(expected, "altered", expected="columns of their own types", found="another type")
        if entry.seq > expected:
            raise _Broken(expected, "missing", expected=f"entry {expected}", found=f"entry {entry.seq}")
        if entry.seq < expected:
            raise _Broken(entry.seq, "extra", expected=f"entry {expected}", found=f"entry {entry.seq}")
        computed = hash_of(
            entry_bytes(
                self.last,
                tenant=entry.tenant,
                seq=entry.seq,
                at_ms=entry.at_ms,
                actor=entry.actor,
                deed=entry.deed,
                subject=entry.subject,
                details=entry.details,
            )
        )
        if computed != entry.hash:
            raise _Broken(
                entry.seq,
                "altered",
                expected=f"hash {computed.hex()} of its columns and the hash before",
                found=f"hash {entry.hash.hex()}",
            )

    def _note_link(self, entry: EntryRow) -> None:
        pair = linked(self._tenant, entry.details)
        if pair is not None:  # else it brings no key
            self._links.append(pair)

    @staticmethod
    def _comes_before(mark: CheckpointRow, entry: EntryRow) -> bool:
        """Whether this checkpoint should have been met by now."""
        if mark.kinds:
            raise _Broken(
                entry.seq, "checkpoint", expected="columns of their own types", found="another type"
            )
        return mark.seq < entry.seq or (mark.seq == entry.seq and entry.deed != _CHECKPOINT_DEED)

    def _check_mark(self, entry: EntryRow, mark: CheckpointRow | None) -> None:
        if mark is None or mark.seq != entry.seq:
            raise _Broken(
                entry.seq,
                "checkpoint",
                expected="the signature of this checkpoint",
                found="no row" if mark is None else f"the row of {mark.seq}",
            )
        if mark.hash != entry.hash or mark.at_ms != entry.at_ms:
            raise _Broken(
                entry.seq,
                "checkpoint",
                expected="the hash and time of its entry",
                found="another hash" if mark.hash != entry.hash else "another time",
            )
        made = Checkpoint(
            tenant=self._tenant,
            seq=mark.seq,
            at_ms=mark.at_ms,
            hash=mark.hash,
            key=mark.key,
            signature=mark.signature,
        )
        if not made.is_signed_by(mark.key):
            raise _Broken(
                entry.seq,
                "checkpoint",
                expected=f"a signature of key {self._key.hex()[:16]}",
                found="another key or another signature",
            )
        self._signed(mark.key, entry.seq)
        self.checkpoints += 1
        self.signed_to = entry.seq
