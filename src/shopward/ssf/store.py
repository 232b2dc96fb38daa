"""Transmitters and what they told, in SQL.

Promise: every method works inside the caller's transaction; with ``lock`` a row is held until the commit. A token is kept once
for its id and transmitter, whoever brings it how often. Secrets are bound to their row: a copied one opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update

from shopward.bulk import put_new
from shopward.ssf.tables import ssf_received, ssf_transmitter
from shopward.ssf.transmitters import Secrets, Transmitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from shopward.keyring import BoundSealer

PENDING: Final = "pending"
ACTED: Final = "acted"
OF_STREAM: Final = "stream"
_transmitter = msgspec.json.Decoder(Transmitter).decode
_secrets = msgspec.json.Decoder(Secrets).decode


class Received(Struct, frozen=True, omit_defaults=True):
    """What is kept of a token.

    Attributes:
        event: its type in short.
        word: what it means; empty where nothing follows.
        accounts: accounts of ours that it is about, by token.
        happened_s: when the other company says that it happened.
        txn: what tokens of one cause share, as a digest.
    """

    event: str
    word: str = ""
    accounts: tuple[str, ...] = ()
    happened_s: int = 0
    txn: str = ""


_received = msgspec.json.Decoder(Received).decode


class Waiting(Struct, frozen=True):
    """A token that is still to be acted on."""

    transmitter: str
    jti: str
    received_ms: int
    told: Received


class TransmitterStore:
    """The transmitters of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        sealer: closes and opens secrets.
    """

    def __init__(self, tenant: str, sealer: BoundSealer) -> None:
        self._tenant = tenant
        self._sealer = sealer

    def add(self, connection: Connection, kept: Transmitter, secrets: Secrets, *, poll_due_ms: int) -> None:
        """A new one, whose id is free."""
        sealed = self._sealer.close(msgspec.json.encode(secrets), kept.id)
        row = {"tenant": self._tenant, "id": kept.id, "poll_due_ms": poll_due_ms, "body": _text(kept), "secrets": sealed}  # fmt: skip
        connection.execute(insert(ssf_transmitter), row)

    def put(self, connection: Connection, kept: Transmitter) -> None:
        """One that is locked, changed."""
        connection.execute(update(ssf_transmitter).where(*self._is(kept.id)).values(body=_text(kept)))

    def get(self, connection: Connection, transmitter_id: str, *, lock: bool = False) -> Transmitter | None:
        """One of them."""
        asked = select(ssf_transmitter.c.body).where(*self._is(transmitter_id))
        body = connection.scalar(asked.with_for_update() if lock else asked)
        return None if body is None else _transmitter(body)

    def all(self, connection: Connection) -> list[Transmitter]:
        """All of them, by id."""
        table = ssf_transmitter.c
        rows = connection.scalars(select(table.body).where(table.tenant == self._tenant).order_by(table.id))
        return [_transmitter(body) for body in rows]

    def secrets(self, connection: Connection, transmitter_id: str) -> Secrets:
        """What is sealed beside one; raises ``StoreError`` where it cannot be opened."""
        sealed = connection.scalar(select(ssf_transmitter.c.secrets).where(*self._is(transmitter_id)))
        if sealed is None:
            return Secrets()
        return _secrets(self._sealer.open(bytes(sealed), transmitter_id))

    def remove(self, connection: Connection, transmitter_id: str) -> None:
        """One, with what it told."""
        received = ssf_received.c
        connection.execute(delete(ssf_transmitter).where(*self._is(transmitter_id)))
        connection.execute(
            delete(ssf_received).where(
                received.tenant == self._tenant, received.transmitter == transmitter_id
            )
        )

    def lease_poll(self, connection: Connection, *, now_ms: int, until_ms: int) -> str | None:
        """One whose turn it is to be asked, this process's alone until then."""
        table = ssf_transmitter.c
        asked = select(table.id).where(
            table.tenant == self._tenant, table.poll_due_ms > 0, table.poll_due_ms <= now_ms
        )
        found = connection.scalar(
            asked.order_by(table.poll_due_ms).limit(1).with_for_update(skip_locked=True)
        )
        if found is not None:
            self.poll_at(connection, found, until_ms)
        return found

    def poll_at(self, connection: Connection, transmitter_id: str, due_ms: int) -> None:
        """When it is asked next."""
        connection.execute(
            update(ssf_transmitter).where(*self._is(transmitter_id)).values(poll_due_ms=due_ms)
        )

    def keep(
        self, connection: Connection, transmitter_id: str, jti: str, told: Received, *, outcome: str, at_ms: int
    ) -> bool:  # fmt: skip
        """A token that came; false where it had come before."""
        row = {
            "tenant": self._tenant, "transmitter": transmitter_id, "jti": jti, "received_ms": at_ms, "outcome": outcome,
            "body": _text(told),
        }  # fmt: skip
        return put_new(connection, ssf_received, row)

    def waiting(self, connection: Connection, *, limit: int) -> list[Waiting]:
        """Tokens that are still to be acted on, the oldest first."""
        table = ssf_received.c
        rows = connection.execute(
            select(table.transmitter, table.jti, table.received_ms, table.body)
            .where(table.tenant == self._tenant, table.outcome == PENDING)
            .order_by(table.received_ms)
            .limit(limit)
        )
        return [Waiting(row.transmitter, row.jti, row.received_ms, _received(row.body)) for row in rows]

    def count_waiting(self, connection: Connection, *, limit: int) -> int:
        """How many there are, counted up to a limit."""
        table = ssf_received.c
        few = select(table.jti).where(table.tenant == self._tenant, table.outcome == PENDING).limit(limit)
        return int(connection.scalar(select(func.count()).select_from(few.subquery())) or 0)

    def count_of_stream(self, connection: Connection, transmitter_id: str, *, limit: int) -> int:
        """How many tokens about its stream a transmitter brought that are still kept, counted up to a limit."""
        table = ssf_received.c
        few = (
            select(table.jti)
            .where(
                table.tenant == self._tenant, table.transmitter == transmitter_id, table.outcome == OF_STREAM
            )
            .limit(limit)
        )
        return int(connection.scalar(select(func.count()).select_from(few.subquery())) or 0)

    def settle(self, connection: Connection, done: Sequence[tuple[Waiting, str]]) -> None:
        """What came of tokens."""
        table = ssf_received.c
        for each, outcome in done:
            connection.execute(
                update(ssf_received)
                .where(
                    table.tenant == self._tenant,
                    table.transmitter == each.transmitter,
                    table.jti == each.jti,
                )
                .values(outcome=outcome)
            )

    def counted(self, connection: Connection, transmitter_id: str) -> tuple[dict[str, int], int]:
        """How many tokens had which outcome, and when the last one came."""
        table = ssf_received.c
        rows = connection.execute(
            select(table.outcome, func.count(), func.max(table.received_ms))
            .where(table.tenant == self._tenant, table.transmitter == transmitter_id)
            .group_by(table.outcome)
        ).all()
        return {str(outcome): int(count) for outcome, count, _last in rows}, max(
            (int(last) for *_rest, last in rows), default=0
        )

    def forget(self, connection: Connection, *, before_ms: int) -> int:
        """Drop tokens of before that are done with; how many."""
        table = ssf_received.c
        gone = delete(ssf_received).where(
            table.tenant == self._tenant, table.received_ms < before_ms, table.outcome != PENDING
        )
        return int(connection.execute(gone).rowcount)

    def _is(self, transmitter_id: str) -> tuple[Any, Any]:
        table = ssf_transmitter.c
        return table.tenant == self._tenant, table.id == transmitter_id


def _text(value: Struct) -> str:
    return msgspec.json.encode(value).decode()
