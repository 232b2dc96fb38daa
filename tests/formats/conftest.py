"""What the tests of the importers share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shared_data():
    """A function that finds a file of the shared data; without it the test is skipped, or fails in CI."""
    folder = Path(os.environ.get("SHOPWARD_SHARED", ROOT.parent / "shared")) / "data"

    def find(name):
        path = folder / name
        if not path.exists():
            reason = f"no shared data at {path}; set SHOPWARD_SHARED"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return find


@pytest.fixture
def written(tmp_path):
    """A function that writes a fixture file and gives its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def split():
    """A function that parts what an importer gives into events, labels by event id, and refusals."""
    from shopward.adapters.formats import Refusal  # noqa: PLC0415 -- pytest collects this file before the package

    def part(items):
        items = list(items)
        kept = [item for item in items if not isinstance(item, Refusal)]
        labels = {item.event.id: item.label for item in kept if item.label}
        return [item.event for item in kept], labels, [item for item in items if isinstance(item, Refusal)]

    return part
