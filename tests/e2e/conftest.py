"""One world for all stories: a server of Shopward's, an oscar shop with it and the same shop without, and customers."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from e2e.people import CUSTOMERS, known_context
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
def server(tmp_path_factory, policy):
    """A server that has watched the shop's customers sign in for four weeks."""
    with Server(tmp_path_factory.mktemp("e2e") / "data", policy=policy) as it:
        status, body = it.post("/v1/events", _histories(), content_type="application/x-ndjson")
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


def _histories():
    """Eight logins of each customer over four weeks, from the device and network that are theirs."""
    begin = datetime.now(UTC) - timedelta(days=28)  # noqa: TID251 -- the shop's own past, behind its clock
    logins = [
        (begin + timedelta(days=3.2 * week, seconds=31 * customer), customer)
        for week in range(8)
        for customer in range(CUSTOMERS)
    ]
    return b"\n".join(
        json.dumps(
            {
                "id": f"history-{number}", "type": "login", "status": "succeeded",
                "time": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "user": {"id": str(customer + 1)}, "context": known_context(customer),
            }
        ).encode()
        for number, (at, customer) in enumerate(sorted(logins))
    )  # fmt: skip
