"""The tables: the migration makes what the code expects, on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

import shopward.adapters.sql
from shopward.adapters.sql import open_engine
from shopward.stepup import metadata

VERSIONS = Path(shopward.adapters.sql.__file__).parent / "migrations" / "versions"


def revision():
    """The revision's module, also while it waits for its place in the chain under ``.pending``."""
    (file,) = VERSIONS.glob("r0004_stepup.py*")
    namespace = {}
    exec(compile(file.read_text(), str(file), "exec"), namespace)  # noqa: S102 -- our own migration
    return namespace


def test_the_migration_makes_the_tables_of_the_code(place):
    """Column by column, key by key, nothing differs and nothing is missing."""
    engine = open_engine(place.url)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        with Operations.context(context):
            revision()["upgrade"]()
        found = compare_metadata(context, metadata)
        mine = [each for each in found if "remove" not in str(each[0])]
        metadata.drop_all(connection)
    engine.dispose()
    assert mine == []


def test_the_revision_follows_protection():
    """Its place in the chain is the one agreed on."""
    assert (revision()["revision"], revision()["down_revision"]) == ("0004_stepup", "0003_protection")


def test_the_tenant_leads_every_key():
    """A distributed PostgreSQL can take the keys: tenant first, no sequence."""
    for table in metadata.sorted_tables:
        assert next(column.name for column in table.primary_key) == "tenant"
        assert all(index.columns.keys()[0] == "tenant" for index in table.indexes)
        assert not any(column.autoincrement is True for column in table.columns)
        assert not table.foreign_keys
