"""What the outbox holds, read from the table as a stranger would."""

import msgspec
from sqlalchemy import select

from shopward.outbox.tables import outbox_message


def owed(shop):
    """Topic, subject and payload of every message, oldest first."""
    table = outbox_message.c
    asked = select(table.topic, table.subject, table.payload).order_by(table.at_ms, table.id)
    rows = shop.records.read(lambda connection: connection.execute(asked).all())
    return [(row.topic, row.subject, msgspec.json.decode(row.payload)) for row in rows]
