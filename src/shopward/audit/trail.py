"""Appending to the audit log, inside the transaction of the deed.

Promise:

- The line and the deed are one transaction: ``append`` neither begins nor commits, and a rollback leaves no hole.
- Appenders of one tenant come one after the other: the head row is locked until the caller's transaction ends. Append
  last in it, after every other lock, and commit soon. On SQLite the transaction has to hold the write lock already
  (``BEGIN IMMEDIATE``, as the engine of ``adapters.sql`` does).
- With a key, each ``every``-th entry is a signed checkpoint, in the same transaction.
- A driver's error passes through as it is: the caller rolls back and, where the database asks for it (SQLSTATE 40001,
  ``SQLITE_BUSY``), repeats the whole transaction.

It reads no clock, and knows nothing of what a deed means.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BindParameter, bindparam, func, insert, select, update

from shopward.audit.chain import GENESIS
from shopward.audit.checkpoints import Checkpoint
from shopward.audit.links import Links
from shopward.audit.packs import Excerpt
from shopward.audit.records import AuditEntry, Line, checked_actor, checked_line, checked_time
from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head
from shopward.bulk import put_new
from shopward.errors import Conflict, Misconfigured, NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.audit.keys import FolderSigner, SigningKey
    from shopward.audit.records import JSON

DEFAULT_TENANT: Final = "main"
CHECKPOINT_EVERY: Final = 1_000
CHECKPOINT_ACTOR: Final = "shopward"

_TENANT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_tenant: BindParameter[Any] = bindparam("t")
_HEAD: Final = (
    select(audit_head.c.last_seq, audit_head.c.hash).where(audit_head.c.tenant == _tenant).with_for_update()
)
_ADVANCE: Final = (
    update(audit_head)
    .where(audit_head.c.tenant == _tenant, audit_head.c.last_seq == bindparam("old"))
    .values(last_seq=bindparam("new"), hash=bindparam("new_hash"))
)
_INSERT: Final = insert(audit_entry)
_SIGN: Final = insert(audit_checkpoint)
_READ: Final = (
    select(audit_entry)
    .where(audit_entry.c.tenant == _tenant, audit_entry.c.seq > bindparam("after"))
    .order_by(audit_entry.c.seq)
    .limit(bindparam("most"))
)
_NEWEST: Final = (
    select(audit_checkpoint)
    .where(audit_checkpoint.c.tenant == _tenant)
    .order_by(audit_checkpoint.c.seq.desc())
    .limit(1)
)


class AuditTrail:
    """The audit log of one tenant; holds no connection and no state, and may be shared by threads.

    Args:
        tenant: whose log it is; leads every key.
        signer: signs checkpoints; without it none are made.
        every: each so-many-th entry is a checkpoint.
    """

    def __init__(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        signer: SigningKey | FolderSigner | None = None,
        every: int = CHECKPOINT_EVERY,
    ) -> None:
        if not _TENANT.fullmatch(tenant):
            raise Misconfigured(
                "a tenant's name cannot be used",
                path="tenant",
                expected="1 to 64 of letters, digits, _ and -",
            )
        if every < 2:
            raise Misconfigured(
                "checkpoints would leave no room for entries", path="every", expected="2 or more"
            )
        self._tenant = tenant
        self._signer = signer
        self._every = every

    def append(
        self,
        connection: Connection,
        *,
        at_ms: int,
        actor: str,
        deed: str,
        subject: str,
        details: Mapping[str, JSON],
    ) -> AuditEntry:
        """Add a line in the caller's transaction: who did what to what, and when.

        Args:
            connection: in a transaction, which the caller commits or rolls back.
            at_ms: when, by the caller's clock.
            actor: a token or the name of a key, never a person's.
            deed: a word of ``Deed``.
            subject: a token or an id of ours.
            details: JSON of tokens, ids, words and numbers; no personal data, since no line can ever be removed.

        Raises:
            InvalidField: a value that the log does not take; nothing is written.
            StoreError: the head was moved behind this transaction's back; roll back.
        """
        line = Line(at_ms=at_ms, actor=actor, deed=deed, subject=subject, details=details)
        return self.append_many(connection, [line])[0]

    def append_each(
        self,
        connection: Connection,
        *,
        at_ms: int,
        actor: str,
        deed: str,
        told: Mapping[str, Mapping[str, JSON]],
    ) -> list[AuditEntry]:
        """Add a line for each subject, with its details, to which one person did the same; as ``append`` does, in one go."""
        lines = [
            Line(at_ms=at_ms, actor=actor, deed=deed, subject=subject, details=details)
            for subject, details in told.items()
        ]
        return self.append_many(connection, lines)

    def append_many(self, connection: Connection, lines: Sequence[Line]) -> list[AuditEntry]:
        """Add lines as ``append`` does, in order, in one go: for deeds on many subjects in one transaction.

        Raises:
            InvalidField: a value that the log does not take; nothing is written.
            StoreError: the head was moved behind this transaction's back; roll back.
        """
        checked = [checked_line(line) for line in lines]
        if not checked:
            return []
        made: list[AuditEntry] = []
        with self._linking(connection) as links:
            for line in checked:
                made.append(links.add(line))
                if self._signer is not None and (links.seq + 1) % self._every == 0:
                    links.sign(self._signer.now(), at_ms=line.at_ms, actor=CHECKPOINT_ACTOR)
        return made

    def checkpoint(self, connection: Connection, *, at_ms: int, actor: str) -> Checkpoint:
        """Add a checkpoint now: an entry ``audit:checkpoint``, and the signature over the log up to and with it.

        Raises:
            Misconfigured: this trail has no key.
        """
        if self._signer is None:
            raise Misconfigured("an audit trail without a key makes no checkpoint", path="signer")
        at_ms, actor = checked_time(at_ms), checked_actor(actor)
        with self._linking(connection) as links:
            return links.sign(self._signer.now(), at_ms=at_ms, actor=actor)

    def newest_checkpoint(self, connection: Connection) -> Checkpoint | None:
        """The last checkpoint as it is kept, not verified; ``None`` where there is none."""
        row = connection.execute(_NEWEST, {"t": self._tenant}).mappings().first()
        return None if row is None else Checkpoint(**row)

    def signed_by(self, connection: Connection, public_key: bytes) -> int:
        """How many checkpoints a key signed, as they name it; not verified."""
        table = audit_checkpoint.c
        asked = select(func.count()).where(table.tenant == self._tenant, table.key == public_key)
        return int(connection.scalar(asked) or 0)

    def read(self, connection: Connection, *, after_seq: int, limit: int) -> list[AuditEntry]:
        """Up to ``limit`` lines after a position, in order, as they are kept; not verified."""
        found = connection.execute(_READ, {"t": self._tenant, "after": after_seq, "most": limit})
        return [AuditEntry(**row) for row in found.mappings()]

    def excerpt(self, connection: Connection, *, subject: str, until_seq: int, limit: int) -> Excerpt:
        """The log from the first line about a subject to an entry, without a gap; not verified.

        Raises:
            NotFound: no line is about it.
            Conflict: these are more than ``limit`` entries.
        """
        table = audit_entry.c
        mine = select(table.seq).where(table.tenant == self._tenant, table.subject == subject)
        first = connection.scalar(mine.order_by(table.seq).limit(1))
        if first is None or first > until_seq:
            raise NotFound("no line of the audit log is about it", path="id", expected="one", found="none")
        if until_seq - first >= limit:
            raise Conflict(
                "the excerpt of the audit log is too long for a pack", code="pack_too_large", path="id",
                expected=f"at most {limit} entries", found=f"{until_seq - first + 1}",
                hint="give the auditor the log itself: shopward audit verify",
            )  # fmt: skip
        before = self.read(connection, after_seq=first - 2, limit=1) if first > 1 else []
        entries = self.read(connection, after_seq=first - 1, limit=until_seq - first + 1)
        return Excerpt(before[0].hash if before else GENESIS, entries)

    def details_of(self, connection: Connection, deed: str) -> Iterator[dict[str, Any]]:
        """The details of every line of a deed, oldest first; not verified, and it looks through the whole log."""
        query = select(audit_entry.c.details).where(
            audit_entry.c.tenant == self._tenant, audit_entry.c.deed == deed
        )
        for details in connection.scalars(query.order_by(audit_entry.c.seq)):
            yield json.loads(details)

    @contextmanager
    def _linking(self, connection: Connection) -> Iterator[Links]:
        """1. lock the head, 2. link in memory, 3. the lines and signatures, 4. move the head."""
        last_seq, previous = self._locked_head(connection)  # 1
        links = Links(self._tenant, seq=last_seq, last=previous)
        yield links  # 2
        connection.execute(_INSERT, links.entries)  # 3
        if links.checkpoints:
            connection.execute(_SIGN, links.checkpoints)
        moved = connection.execute(  # 4
            _ADVANCE, {"t": self._tenant, "old": last_seq, "new": links.seq, "new_hash": links.last}
        )
        if moved.rowcount != 1:  # fails closed
            raise StoreError(
                "the head of the audit log moved behind this transaction's back",
                expected="a head row that stays locked until commit",
                found=f"{moved.rowcount} rows",
                hint="roll back; run the deed in a transaction of its own",
            )

    def _locked_head(self, connection: Connection) -> tuple[int, bytes]:
        """The last position and its hash, locked until the transaction ends; the first appender makes the row."""
        head = connection.execute(_HEAD, {"t": self._tenant}).first()
        if head is None:
            put_new(connection, audit_head, {"tenant": self._tenant, "last_seq": 0, "hash": GENESIS})
            head = connection.execute(_HEAD, {"t": self._tenant}).one()
        return int(head[0]), bytes(head[1])
