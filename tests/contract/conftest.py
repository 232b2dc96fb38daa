"""Fresh stores for the suites of the ports: a SQLite file or a PostgreSQL schema for each test."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from contract.logs import Worker, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POSTGRES = os.environ.get("SHOPWARD_TEST_POSTGRES", "")


@dataclass
class Place:
    """Where one test keeps its log."""

    engine: str
    url: str
    directory: Path

    @property
    def db(self) -> Path:
        """The file of a SQLite store."""
        return self.directory / "log.db"

    def admin(self, statement: str, *values: Any) -> list[Any]:
        """Ask PostgreSQL something as somebody else."""
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def break_lock(self, pid: int | None = None) -> None:
        """Take the polite lock away from whoever holds it, as an operator or a failover would."""
        if self.engine == "sqlite":
            next(self.directory.glob("*.owner-*.lock")).unlink()
            return
        self.admin("SELECT pg_terminate_backend(%s, 5000)", pid)

    def fresh(self) -> Place:
        """Another empty store of the same kind."""
        if self.engine == "sqlite":
            directory = self.directory / uuid.uuid4().hex  # noqa: TID251 -- a name for a scratch directory
            return Place("sqlite", f"sqlite:///{directory}/log.db", directory)
        schema = self.admin("SELECT current_schema()")[0][0]
        self.admin(f'DROP SCHEMA "{schema}" CASCADE')
        self.admin(f'CREATE SCHEMA "{schema}"')
        return self


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        yield Place("sqlite", f"sqlite:///{tmp_path}/store/log.db", tmp_path / "store")
        return
    yield from postgres_place(tmp_path)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    """An empty SQLite store."""
    return Place("sqlite", f"sqlite:///{tmp_path}/store/log.db", tmp_path / "store")


@pytest.fixture
def pg_place(tmp_path: Path) -> Iterator[Place]:
    """An empty PostgreSQL store."""
    yield from postgres_place(tmp_path)


def postgres_place(tmp_path: Path) -> Iterator[Place]:
    """A schema of its own, dropped afterwards; in CI its absence is a failure."""
    if not POSTGRES:
        if os.environ.get("CI"):
            pytest.fail("SHOPWARD_TEST_POSTGRES is not set: in CI both databases are tested")
        pytest.skip("SHOPWARD_TEST_POSTGRES is not set, e.g. postgresql://postgres@127.0.0.1/test")
    schema = f"shopward_test_{uuid.uuid4().hex}"  # noqa: TID251 -- a name for a scratch schema
    here = Place("postgresql", POSTGRES, tmp_path)
    here.admin(f"CREATE SCHEMA {schema}")
    separator = "&" if "?" in POSTGRES else "?"
    yield Place("postgresql", f"{POSTGRES}{separator}options=-csearch_path%3D{schema}", tmp_path)
    here.admin(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def log(place):
    """A claimed, empty log."""
    with opened(place) as it:
        yield it


@pytest.fixture
def start(place):
    """Start workers on the place; none is left at the end."""
    workers = []

    def go():
        worker = Worker(place)
        workers.append(worker)
        return worker

    yield go
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.kill()
            worker.close()
