"""An open Shopward over a fresh store of each kind, on a clock that stands."""

from __future__ import annotations

import os
import uuid

import pytest

from ordering import NOW_MS
from serving import POLICY
from shopward.config import Settings
from shopward.service import Shopward
from shopward.values import ManualClock

POSTGRES = os.environ.get("SHOPWARD_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty store of each kind; in CI the absence of one is a failure."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store/shop.db"
        return
    if not POSTGRES:
        if os.environ.get("CI"):
            pytest.fail("SHOPWARD_TEST_POSTGRES is not set: in CI both databases are tested")
        pytest.skip("SHOPWARD_TEST_POSTGRES is not set, e.g. postgresql://postgres@127.0.0.1/test")
    import psycopg  # noqa: PLC0415

    schema = f"shopward_test_{uuid.uuid4().hex}"  # noqa: TID251 -- a name for a scratch schema
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        separator = "&" if "?" in POSTGRES else "?"
        yield f"{POSTGRES}{separator}options=-csearch_path%3D{schema}"
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


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
