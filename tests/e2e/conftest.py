"""One world for all stories: a server of Shopward's, an oscar shop with it and the same shop without, and customers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from e2e.people import CUSTOMERS, histories_of
from e2e.shops import EXAMPLE, Shop, copied, seeded
from serving import Server

GIFT_CARDS = 12
_figures: list[dict] = []


def pytest_collection_modifyitems(items):
    """Skip, and say why, where the shop software is not installed: ``.ci/run`` installs it."""
    if find_spec("oscar_accounts") is None:
        missing = pytest.mark.skip(reason="shop software is not installed: pip install --group shops")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(missing)


@pytest.fixture(scope="session")
def figures():
    """Figures of a story, printed at the end of the run."""
    return _figures.append


def pytest_terminal_summary(terminalreporter):
    """Print what the stories counted."""
    for each in _figures:
        terminalreporter.write_line(json.dumps(each))


@pytest.fixture(scope="session")
def seeds(tmp_path_factory):
    """The shop's data."""
    return seeded(tmp_path_factory.mktemp("e2e") / "seeds", CUSTOMERS, GIFT_CARDS)


@pytest.fixture(scope="session")
def policy(tmp_path_factory):
    """The example's policy."""
    folder = tmp_path_factory.mktemp("e2e") / "policy"
    subprocess.run([sys.executable, EXAMPLE / "policy" / "compose.py", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory, policy, histories):
    """A server that has watched the shop's customers sign in for four weeks."""
    with Server(tmp_path_factory.mktemp("e2e") / "data", policy=policy) as it:
        status, body = it.post("/v1/events", histories, content_type="application/x-ndjson")
        assert status == 202, body
        yield it


@pytest.fixture(scope="session")
def guarded(server, seeds, tmp_path_factory):
    """The shop with Shopward."""
    with Shop(copied(seeds, tmp_path_factory.mktemp("e2e") / "guarded"), server) as it:
        yield it


@pytest.fixture(scope="session")
def unguarded(seeds, tmp_path_factory):
    """The same shop without."""
    with Shop(copied(seeds, tmp_path_factory.mktemp("e2e") / "unguarded")) as it:
        yield it


@pytest.fixture
def own_server(tmp_path, policy):
    """A server of one story's own, which may be killed or attacked."""
    with Server(tmp_path / "own", policy=policy) as it:
        yield it


@pytest.fixture
def own_shop(own_server, seeds, tmp_path):
    """A shop that asks it."""
    with Shop(copied(seeds, tmp_path / "shop"), own_server) as it:
        yield it


@pytest.fixture(scope="session")
def histories():
    """Four weeks of logins."""
    return histories_of(CUSTOMERS)
