"""Many values in one parameter: exactly what was asked for is found, on both databases."""

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, select

from shopward.adapters.sql import open_engine
from shopward.bulk import among, put_rows
from stores import empty_store

TABLE = Table(
    "thing", MetaData(), Column("name", String(8), primary_key=True), Column("number", BigInteger, nullable=False)
)  # fmt: skip


@pytest.fixture(params=("sqlite", "postgresql"))
def connection(request, tmp_path):
    with empty_store(request.param, tmp_path) as url:
        engine = open_engine(url)
        with engine.begin() as opened:
            TABLE.metadata.create_all(opened)
            yield opened
        engine.dispose()


def test_values_are_found_and_what_is_longer_than_the_column_is_not(connection):
    """Texts and numbers, each once however often it is asked for; nothing of nothing; no text is cut to one that is there."""
    put_rows(connection, TABLE, [(f"thing-{each:02}", each) for each in range(20)])

    def found(column, values):
        asked = select(TABLE.c.number).where(among(connection, column, values))
        return sorted(connection.scalars(asked))

    assert found(TABLE.c.name, ["thing-03", "thing-07", "thing-03", "thing-99"]) == [3, 7]
    assert found(TABLE.c.number, range(18, 400)) == [18, 19]
    assert found(TABLE.c.name, []) == found(TABLE.c.number, []) == []
    assert found(TABLE.c.name, ["thing-03 or longer"]) == []
