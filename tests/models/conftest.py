"""One trained model for all tests that only look at it."""

from __future__ import annotations

import json

import pytest

from models.worlds import payments
from shopward.flows.train import bundle_of, gather
from shopward.risk.policy import Policy, load_default_policy


@pytest.fixture(scope="session")
def stream():
    """The lines of the small world."""
    return [json.dumps(event).encode() for event in payments()]


@pytest.fixture(scope="session")
def policy():
    """The default policy; a test that puts a model in force makes its own."""
    return Policy(load_default_policy())


@pytest.fixture(scope="session")
def collected(policy, stream):
    """The examples of the small world, and the time up to which it was read."""
    pytest.importorskip("lightgbm")
    return gather(policy, "payment", stream, on_refused=refuse)


@pytest.fixture(scope="session")
def bundle(policy, collected):
    """A payment model of the small world."""
    collector, until_ms = collected
    return bundle_of(policy, collector, until_ms=until_ms)


def refuse(error):
    """No line of the small world is refused."""
    raise error
