"""Fresh audit logs for each test, on SQLite and on PostgreSQL, with a story of some twenty entries."""

from __future__ import annotations

import pytest

from contract.conftest import pg_place, place, sqlite_place  # noqa: F401 -- fixtures
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, SigningKey
from shopward.audit.tables import metadata

KEY = SigningKey(bytes(range(32)))
EVERY = 6
PLAIN = 16


@pytest.fixture
def engine(place):  # noqa: F811
    """A store with the three tables."""
    it = open_engine(place.url)
    metadata.create_all(it)
    yield it
    it.dispose()


@pytest.fixture
def story(engine):
    """A log of 20 entries, the last and two others of them checkpoints; the last checkpoint is given."""
    trail = AuditTrail(signer=KEY, every=EVERY)
    with engine.begin() as connection:
        for number in range(PLAIN):
            say(trail, connection, number)
        return trail.checkpoint(connection, at_ms=5_000, actor="cli")


def say(trail, connection, number, **changed):
    """Append one line."""
    line = {"at_ms": 1_000 + number, "actor": "k:1", "deed": "order:create", "subject": f"o:{number}"}
    return trail.append(connection, **line | {"details": {"n": number}} | changed)
