"""Worlds on both databases for the suites of step-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.conftest import Place, postgres_place
from stepup.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One schema for a module: making one takes longer than most tests."""
    yield from postgres_place(tmp_path_factory.mktemp("postgres"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A store of each kind; a world empties it."""
    if request.param == "sqlite":
        return Place("sqlite", f"sqlite:///{tmp_path}/store/shop.db", tmp_path / "store")
    return request.getfixturevalue("postgres")


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    """A shop on each database."""
    made = World(place.url)
    yield made
    made.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    """A shop on SQLite, for what does not depend on the database."""
    made = World(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.close()
