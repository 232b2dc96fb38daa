"""How likely a login is: the default policy's feature equals the words that describe it, counted by hand."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy

START = datetime(2026, 1, 5, tzinfo=UTC)
POLICY = Policy(load_default_policy())
FIRES_FROM = 2.7


def logins(seed, count=600):
    """Logins of ten customers within some weeks; each has a provider and browser of habit, and now and then another."""
    rng = random.Random(seed)
    for number in range(count):
        user = rng.randrange(10)
        usual = rng.random() < 0.9
        yield {
            "id": f"e-{number}", "type": "login", "status": rng.choice(("succeeded",) * 4 + ("failed",)),
            "time": (START + timedelta(hours=number)).isoformat().replace("+00:00", "Z"), "user": {"id": f"u{user}"},
            "context": {
                "asn": 65_000 + (user % 3 if usual else rng.randrange(6)), "device_id": f"d{number}", "ip": f"10.0.{user}.{number % 200}",
                "browser": f"B {user % 2 if usual else rng.randrange(5)}",
            },
        }  # fmt: skip


def share(counts, value):
    """How likely anybody's login has this value."""
    return (counts[value] + 0.05) / (counts["all"] + 1.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_what_freeman_says_counted_by_hand(seed):
    """Each login that fired shows the ratio of what was known before it; each that did not was below the rule's threshold."""
    site, own, fired = Counter(), {}, 0
    events = list(logins(seed))
    answers = Replay(POLICY).run(json.dumps(event).encode() for event in events)
    for event, (_entry, record) in zip(events, answers, strict=True):
        if event["status"] != "succeeded":
            continue
        values = [("asn", event["context"]["asn"]), ("browser", event["context"]["browser"])]
        mine = own.setdefault(event["user"]["id"], Counter())
        ratio = 1.0
        if mine["all"]:
            for value in values:
                anybody = share(site, value)
                ratio *= anybody * (mine["all"] + 1.0) / (mine[value] + anybody)
        shown = [each.evidence["login_surprise"] for each in record.reasons if each.code == "unlikely_login"]
        assert shown == ([pytest.approx(ratio)] if ratio >= FIRES_FROM else [])
        fired += len(shown)
        for counts in (site, mine):
            counts.update(["all", *values])
    assert fired > 10
