"""The fairness report: honest customers by country and device class, and nobody in particular."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from shopward.events import Facts
from shopward.flows.engine import DecisionRecord
from shopward.flows.fairness import SMALL, FairnessTally
from shopward.testing import ShopSimulator
from shopward.values import DAY_MS


def noted(tally, number, *, user, country, decision="allow", device="mobile", **fields):
    facts = Facts(
        f"e{number}", "login", "succeeded", number, user=user, country=country, device_type=device, **fields
    )
    tally.note(facts, DecisionRecord(f"d{number}", facts.id, decision, 0.0))
    return facts


def test_rates_are_those_of_each_group():
    """Shares, customers and the ratio to everybody are what was decided."""
    tally = FairnessTally()
    for number in range(400):
        country = "ID" if number % 4 else "CN"
        decision = "challenge" if number % 40 == 0 else "deny" if number % 40 == 1 else "allow"
        noted(tally, number, user=f"u{number % 200}", country=country, decision=decision)
    made = tally.report(label_delay_ms=DAY_MS)
    by = {(group.dimension, group.value): group for group in made.groups}
    assert (made.events, made.users, made.labelled) == (400, 200, False)
    assert by["country", "CN"].challenged == pytest.approx(0.1)
    assert by["country", "CN"].denied == 0
    assert by["country", "ID"].denied == pytest.approx(10 / 300, abs=1e-6)
    assert by["country", "CN"].against_all == pytest.approx(2.0)
    assert by["country", "CN"].stopped_low < 0.1 < by["country", "CN"].stopped_high
    assert by["device", "mobile"].events == 400


def test_small_groups_are_not_shown():
    """No row speaks of fewer than 50 customers: small groups stand together, or not at all."""
    tally = FairnessTally()
    for number in range(300):
        noted(tally, number, user=f"u{number}", country="ID" if number < 200 else f"C{number % 10}")
    for number in range(300, 310):
        noted(tally, number, user=f"v{number}", country="ID", device="tablet")
    made = tally.report(label_delay_ms=DAY_MS)
    shown = {group.value for group in made.groups}
    assert shown == {"ID", SMALL, "mobile"}
    assert all(group.users >= 50 for group in made.groups)


def test_fraud_and_what_is_too_young_to_tell_is_left_out():
    """Where labels are, the rates are those of genuine events alone; staff are no customers."""
    tally = FairnessTally()
    for number in range(200):
        noted(tally, number, user=f"u{number}", country="ID", decision="deny" if number < 20 else "allow")
    for number in range(20):
        tally.label(f"e{number}", is_fraud=True)
    noted(tally, 10 * DAY_MS, user="late", country="ID", decision="deny")
    noted(tally, 10 * DAY_MS, user="seen", country="ID", decision="deny", actor_type="staff")
    made = tally.report(label_delay_ms=DAY_MS)
    assert (made.events, made.left_out, made.denied, made.labelled) == (180, 21, 0.0, True)


def test_the_command_reports_on_files(tmp_path):
    """As a person runs it: a table, or JSON with the same figures; a source is needed and only one."""
    shop = ShopSimulator(seed=3, users=300, days=3)
    events, labels = tmp_path / "events.ndjson", tmp_path / "labels.csv"
    pairs = list(shop.labelled())
    events.write_text("\n".join(json.dumps(event) for event, _label in pairs) + "\n")
    words = (f"{event['id']},{label.label}" for event, label in pairs if label is not None)
    labels.write_text("\n".join(["event_id,label", *words]) + "\n")
    base = [sys.executable, "-m", "shopward", "report", "fairness"]
    arguments = [str(events), "--labels", str(labels), "--label-delay", "1d"]
    table = subprocess.run([*base, *arguments], capture_output=True, check=True, timeout=120).stdout.decode()
    made = json.loads(
        subprocess.run([*base, *arguments, "--json"], capture_output=True, check=True, timeout=120).stdout
    )
    assert made["groups"]
    assert all(group["value"] in table for group in made["groups"])
    assert f"{made['events']:,} genuine events" in table
    assert subprocess.run(base, capture_output=True, check=False, timeout=120).returncode == 2
