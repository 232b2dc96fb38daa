from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from serving import POLICY
from shopward.cli import main
from shopward.config import Settings
from shopward.service import Shopward
from shopward.testing.demo import demo_week
from shopward.values import ManualClock

LATER_MS = 1_900_000_000_000


@pytest.fixture(scope="session")
def stream():
    """A week of a small shop with three attacks in it."""
    return list(demo_week())


@pytest.fixture(scope="session")
def stream_file(stream, tmp_path_factory):
    """The same as a file."""
    path = tmp_path_factory.mktemp("stream") / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in stream))
    return path


@pytest.fixture
def command():
    """A function that runs ``shopward policy ...`` and gives its result."""
    return lambda *words: CliRunner().invoke(main, ["policy", *map(str, words)])


@pytest.fixture
def recorded(tmp_path, stream):
    """A data folder whose log holds the stream, decided by a policy."""

    def record(policy="", events=None):
        settings = Settings(data=str(tmp_path / "data"), policy=str(policy))
        with Shopward.open(settings, clock=ManualClock(LATER_MS)) as shopward:
            for start in range(0, len(events or stream), 500):
                shopward.desk.decide(
                    [json.dumps(event).encode() for event in (events or stream)[start : start + 500]]
                )
        return tmp_path / "data"

    return record


@pytest.fixture
def small_policy(tmp_path):
    """A function that copies the test policy and changes texts in it."""

    def copy(*changes, name="changed"):
        folder = tmp_path / name
        (folder / "rules").mkdir(parents=True)
        for file in ("policy.toml", "features.toml", "rules/one.toml"):
            text = (POLICY / file).read_text()
            for before, after in changes:
                text = text.replace(before, after)
            (folder / file).write_text(text)
        return folder

    return copy
