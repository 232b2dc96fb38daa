"""An empty store of each kind for a test."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager

import pytest

POSTGRES = os.environ.get("SHOPWARD_TEST_POSTGRES", "")


@contextmanager
def empty_store(kind, folder):
    """The URL of an empty store, ``sqlite`` or ``postgresql``; in CI the absence of one is a failure."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/store/shop.db"
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
