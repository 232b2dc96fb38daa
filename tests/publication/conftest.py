from __future__ import annotations

import pytest

from publishing import small_files
from serving import Server
from stores import empty_store


@pytest.fixture
def small():
    """A function that makes the files of a small policy."""
    return small_files


@pytest.fixture
def server(tmp_path):
    """A running server on the policy that ships."""
    with Server(tmp_path / "data", policy=None) as running:
        yield running


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    """A running server for tests that publish nothing."""
    with Server(tmp_path_factory.mktemp("one") / "data", policy=None) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty store of each kind."""
    with empty_store(request.param, tmp_path) as url:
        yield url
