"""Which indexes of n-grams somebody switched on: they show more than the others, so each is a decision with a name.

Promise: every call runs in the caller's transaction. Not here: what they show (``search.leakage``), index rows (``records``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from shopward.vault.tables import vault_ngram

if TYPE_CHECKING:
    from sqlalchemy import Connection


def ngrams_on(connection: Connection, tenant: str) -> frozenset[str]:
    """The n-gram indexes that are on."""
    return frozenset(connection.scalars(select(vault_ngram.c.name).where(vault_ngram.c.tenant == tenant)))


def switch_ngrams(
    connection: Connection, tenant: str, name: str, *, on: bool, person: str, now_ms: int
) -> bool:
    """Switch an index of n-grams on or off; false where it stands so already."""
    if on == (name in ngrams_on(connection, tenant)):
        return False
    if on:
        row = {"tenant": tenant, "name": name, "person": person, "at_ms": now_ms}
        connection.execute(insert(vault_ngram), row)
    else:
        table = vault_ngram.c
        connection.execute(delete(vault_ngram).where(table.tenant == tenant, table.name == name))
    return True
