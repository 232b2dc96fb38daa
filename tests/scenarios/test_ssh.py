"""A real log of guessed passwords: who fails five times is stopped by then, who is let in by sshd never."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenarios.stage import POLICY
from shopward.adapters.formats import Imported, Source, load_map, read_csv
from shopward.flows.replay import Replay

ATTEMPTS = 5
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sources():
    """The attempts of each source, in order, with their decisions."""
    shared = Path(os.environ.get("SHOPWARD_SHARED", ROOT.parent / "shared"))
    log = shared / "data" / "logins-ssh" / "openssh_labsz.csv"
    if not log.exists():
        reason = f"no shared data at {log}; set SHOPWARD_SHARED"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    rows = [row for row in read_csv(Source(log), load_map("loghub-openssh")) if isinstance(row, Imported)]
    decided = Replay(POLICY).run(row.event for row in rows)
    parted = {}
    for row, (_facts, record) in zip(rows, decided, strict=True):
        parted.setdefault(row.event.context.ip, []).append((row, record))
    return parted


def flagged_at(attempts):
    """The place, from 1, of the first attempt that was not simply allowed; none if there is none."""
    return next((n for n, (_, record) in enumerate(attempts, 1) if record.decision != "allow"), None)


def test_every_source_of_five_attempts_is_flagged_by_its_fifth(sources):
    """All such sources are flagged in time; ten have five lines or more, two more repeat within a line."""
    many = {ip: attempts for ip, attempts in sources.items() if len(attempts) >= ATTEMPTS}
    lines = {ip: len({row.line for row, _ in attempts}) for ip, attempts in many.items()}
    assert sum(count >= ATTEMPTS for count in lines.values()) == 10
    late = [ip for ip, attempts in many.items() if (flagged_at(attempts) or 99) > ATTEMPTS]
    assert late == []


def test_the_honest_source_is_never_flagged(sources, record_property):
    """The one source with a success is allowed each time; what the small sources heard is reported with the test."""
    honest = [a for a in sources.values() if any(row.event.status == "succeeded" for row, _ in a)]
    assert len(honest) == 1
    assert flagged_at(honest[0]) is None
    few = {ip: flagged_at(a) for ip, a in sources.items() if len(a) < ATTEMPTS and a is not honest[0]}
    record_property("small sources, flagged at", str(few))
