"""An open Shopward over a fresh store of each kind, on a clock that stands."""

from __future__ import annotations

import pytest

from ordering import NOW_MS
from serving import POLICY
from shopward.config import Settings
from shopward.service import Shopward
from shopward.values import ManualClock
from stores import empty_store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty store of each kind."""
    with empty_store(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def clock():
    """A clock that stands until it is moved."""
    return ManualClock(NOW_MS)


@pytest.fixture
def shop(database, tmp_path, clock):
    """An open Shopward over each kind of store."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY), database=database)
    with Shopward.open(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def lite(tmp_path, clock):
    """An open Shopward on SQLite, where the database makes no difference."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY))
    with Shopward.open(settings, clock=clock) as opened:
        yield opened
