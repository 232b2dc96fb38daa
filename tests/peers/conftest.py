"""Requests of peers, and a key for tokens."""

from pathlib import Path

import msgspec
import pytest

from peers.tokens import NOW_MS, blind
from shopward.events.intake import DEFAULT_LIMITS
from shopward.http.peers.castle import castle_event
from shopward.http.peers.tirreno import form_of, tirreno_event

HERE = Path(__file__).parent


@pytest.fixture
def castle_body():
    """Reads one of the requests."""
    return lambda name: msgspec.json.decode((HERE / "castle" / (name + ".json")).read_bytes())


@pytest.fixture
def castle():
    """Makes an event of a body."""

    def make(body, call="/v1/risk"):
        return castle_event(
            body, call=call, blind=blind, limits=DEFAULT_LIMITS, now_ms=NOW_MS, new_id="castle-new"
        )

    return make


@pytest.fixture
def form():
    """Reads one of the forms."""
    return lambda name: (HERE / "tirreno" / (name + ".form")).read_bytes().strip()


@pytest.fixture
def tirreno():
    """Makes an event of a form."""

    def make(raw):
        return tirreno_event(
            form_of(raw), raw, blind=blind, limits=DEFAULT_LIMITS, now_ms=NOW_MS, new_id="tirreno-new"
        )

    return make
