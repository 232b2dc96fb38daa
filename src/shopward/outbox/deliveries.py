"""Deliveries in SQL: one row for each message and endpoint; who works on a row has it on lease.

Promise:
- ``assign`` gives each owed message to every endpoint that hears its topic, once, and needs no order of commits: it goes
  by the state of the row and by no cursor, so that a transaction that commits late is not passed over;
- ``lease`` gives a row to one process alone, until the lease runs out; ``settle`` of somebody whose lease ran out
  changes nothing. A process that dies leaves its rows to be leased again: a message is sent at least once;
- every method works inside the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import delete, exists, func, insert, select, update

from shopward.outbox.endpoints import Delivery
from shopward.outbox.tables import outbox_message, webhook_delivery, webhook_endpoint
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from shopward.outbox.endpoints import Endpoint

ASSIGN_MAX: Final = 500
OFF: Final = "endpoint_off"
"""The code of what was owed while an endpoint was off; ``replay`` brings it back."""

_payload: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Letter(Struct, frozen=True, kw_only=True):
    """A message on its way to an endpoint; ``tries`` counts those before this one."""

    endpoint_id: str
    message_id: str
    lease: str
    tries: int
    body: bytes


class Deliveries:
    """The deliveries of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def assign(self, connection: Connection, endpoints: Sequence[Endpoint], *, at_ms: int) -> int:
        """Make deliveries of the oldest owed messages; of how many."""
        table = outbox_message.c
        owed = connection.execute(
            select(table.id, table.topic)
            .where(table.tenant == self._tenant, table.state == "owed")
            .order_by(table.id)
            .limit(ASSIGN_MAX)
            .with_for_update(skip_locked=True)
        ).all()
        rows = [
            self._row(endpoint, message_id, at_ms)
            for message_id, topic in owed
            for endpoint in endpoints
            if not endpoint.topics or topic in endpoint.topics
        ]
        if rows:
            connection.execute(insert(webhook_delivery), rows)
        if owed:
            connection.execute(
                update(outbox_message)
                .where(table.tenant == self._tenant, table.id.in_([each.id for each in owed]))
                .values(state="assigned")
            )
        return len(owed)

    def assign_one(self, connection: Connection, message_id: str, endpoint: Endpoint, *, at_ms: int) -> None:
        """Make a message this endpoint's alone."""
        table = outbox_message.c
        connection.execute(
            update(outbox_message)
            .where(table.tenant == self._tenant, table.id == message_id)
            .values(state="assigned")
        )
        connection.execute(insert(webhook_delivery), self._row(endpoint, message_id, at_ms))

    def is_owed(self, connection: Connection) -> bool:
        """Whether a message waits to be assigned."""
        table = outbox_message.c
        asked = select(table.id).where(table.tenant == self._tenant, table.state == "owed").limit(1)
        return connection.execute(asked).first() is not None

    def waiting(self, connection: Connection, endpoints: Sequence[Endpoint]) -> tuple[int, int]:
        """How many messages wait for a receiver, and how many of the last 30 days were given up."""
        table, sent = outbox_message.c, webhook_delivery.c
        owed = select(func.count()).where(table.tenant == self._tenant, table.state == "owed")
        named = sent.endpoint_id.in_([each.id for each in endpoints])
        pending, failed = (
            select(func.count()).where(sent.tenant == self._tenant, named, sent.state == state)
            for state in ("pending", "failed")
        )
        counts = [int(connection.scalar(each) or 0) for each in (owed, pending, failed)]
        return counts[0] + counts[1], counts[2]

    def due(self, connection: Connection, *, at_ms: int) -> list[str]:
        """Endpoints with something to send now."""
        table, sent = webhook_endpoint.c, webhook_delivery.c
        waiting = exists().where(
            sent.tenant == table.tenant,
            sent.endpoint_id == table.id,
            sent.state == "pending",
            sent.due_ms <= at_ms,
        )
        return list(
            connection.scalars(
                select(table.id).where(table.tenant == self._tenant, waiting).order_by(table.id)
            )
        )

    def lease(
        self, connection: Connection, endpoint_id: str, *, lease: str, at_ms: int, until_ms: int, limit: int
    ) -> list[Letter]:
        """Up to so many due rows of an endpoint, for this lease alone until then; those due longest first."""
        sent, told = webhook_delivery.c, outbox_message.c
        rows = connection.execute(
            select(sent.message_id, sent.tries, told.at_ms, told.topic, told.subject, told.payload)
            .join(outbox_message, (told.tenant == sent.tenant) & (told.id == sent.message_id))
            .where(
                sent.tenant == self._tenant,
                sent.endpoint_id == endpoint_id,
                sent.state == "pending",
                sent.due_ms <= at_ms,
            )
            .order_by(sent.due_ms)
            .limit(limit)
            .with_for_update(skip_locked=True, of=webhook_delivery)
        ).all()
        if rows:
            connection.execute(
                update(webhook_delivery)
                .where(
                    sent.tenant == self._tenant,
                    sent.endpoint_id == endpoint_id,
                    sent.message_id.in_([row.message_id for row in rows]),
                )
                .values(due_ms=until_ms, lease=lease)
            )
        return [
            Letter(
                endpoint_id=endpoint_id,
                message_id=row.message_id,
                lease=lease,
                tries=row.tries,
                body=body_of(row.at_ms, row.topic, row.subject, row.payload),
            )
            for row in rows
        ]

    def settle(
        self, connection: Connection, letter: Letter, *, state: str, code: str, due_ms: int, at_ms: int
    ) -> bool:
        """What came of a try; false where the lease ran out meanwhile and somebody else has the row."""
        sent = webhook_delivery.c
        changed = connection.execute(
            update(webhook_delivery)
            .where(
                sent.tenant == self._tenant,
                sent.endpoint_id == letter.endpoint_id,
                sent.message_id == letter.message_id,
                sent.lease == letter.lease,
                sent.state == "pending",
            )
            .values(
                state=state, tries=letter.tries + 1, due_ms=due_ms, lease="", last_code=code, last_ms=at_ms
            )
        )
        return changed.rowcount == 1

    def give_up(self, connection: Connection, endpoint_id: str) -> None:
        """Nothing more is tried: the endpoint is off."""
        sent = webhook_delivery.c
        connection.execute(
            update(webhook_delivery)
            .where(sent.tenant == self._tenant, sent.endpoint_id == endpoint_id, sent.state == "pending")
            .values(state="failed", lease="")
        )

    def replay(self, connection: Connection, endpoint_id: str, *, at_ms: int) -> int:
        """Everything that failed is due again, as if it had never been tried; how many."""
        sent = webhook_delivery.c
        changed = connection.execute(
            update(webhook_delivery)
            .where(sent.tenant == self._tenant, sent.endpoint_id == endpoint_id, sent.state == "failed")
            .values(state="pending", tries=0, due_ms=at_ms, lease="")
        )
        return int(changed.rowcount)

    def newest(
        self, connection: Connection, endpoint_id: str, *, state: str | None, before: str | None, limit: int
    ) -> list[Delivery]:
        """Deliveries of an endpoint, newest message first."""
        sent, told = webhook_delivery.c, outbox_message.c
        asked = (
            select(
                sent.message_id, told.topic, told.subject, sent.state, sent.tries, sent.due_ms, sent.last_code,
                sent.last_ms,
            )
            .join(outbox_message, (told.tenant == sent.tenant) & (told.id == sent.message_id))
            .where(sent.tenant == self._tenant, sent.endpoint_id == endpoint_id)
        )  # fmt: skip
        if state is not None:
            asked = asked.where(sent.state == state)
        if before is not None:
            asked = asked.where(sent.message_id < before)
        rows = connection.execute(asked.order_by(sent.message_id.desc()).limit(limit)).mappings()
        return [Delivery(**row) for row in rows]

    def forget(self, connection: Connection, *, before_ms: int) -> int:
        """Remove what is older than that and done with; how many messages."""
        sent, told = webhook_delivery.c, outbox_message.c
        old = select(told.id).where(
            told.tenant == self._tenant, told.state == "assigned", told.at_ms < before_ms
        )
        connection.execute(
            delete(webhook_delivery).where(sent.tenant == self._tenant, sent.message_id.in_(old))
        )
        gone = connection.execute(delete(outbox_message).where(told.tenant == self._tenant, told.id.in_(old)))
        return int(gone.rowcount)

    def _row(self, endpoint: Endpoint, message_id: str, at_ms: int) -> dict[str, Any]:
        is_on = endpoint.state == "active"
        return {
            "tenant": self._tenant,
            "endpoint_id": endpoint.id,
            "message_id": message_id,
            "state": "pending" if is_on else "failed",
            "tries": 0,
            "due_ms": at_ms,
            "lease": "",
            "last_code": "" if is_on else OFF,
            "last_ms": 0,
        }


def body_of(at_ms: int, topic: str, subject: str, payload: str) -> bytes:
    """The body of a message, the same bytes in every try."""
    data = {"id": subject} | _payload(payload)
    return msgspec.json.encode({"type": topic, "timestamp": to_rfc3339(at_ms), "data": data})
