"""What alembic runs: migrations over the connection, and inside the transaction, that ``migrate`` opened.

It opens no connection of its own, so that the lock held by that transaction covers the whole upgrade.
"""

from __future__ import annotations

from alembic import context

from shopward.adapters.sql.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
