"""Servers for the client: a real ``shopward serve``, and listeners that answer as no server should."""

from __future__ import annotations

import socket

import pytest

from listening import Listener
from serving import Server


@pytest.fixture
def server(tmp_path):
    """A real server process on a fresh data folder."""
    with Server(tmp_path / "data") as it:
        yield it


@pytest.fixture
def listen():
    """Makes listeners that end with the test."""
    made = []

    def make(answer=b"", **options):
        made.append(Listener(answer, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def nobody():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as it:
        port = it.getsockname()[1]
    return f"http://127.0.0.1:{port}"
