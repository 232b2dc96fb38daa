from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from shopward.errors import InvalidField
from shopward.events import catalogue, intake
from shopward.testing import Planned, ShopSimulator, demo_week, write
from shopward.testing.attackers import LABELS, OneAddressStuffing, standard_attacks

USER_OPTIONAL = {"gift_card_check", "login", "password_reset_request", "partner_pull"}


@pytest.fixture(scope="module")
def world():
    """One shop of 3,000 customers and 30 days: its events, its labels by event."""
    simulator = ShopSimulator(seed=11, users=3_000, days=30)
    events = list(simulator)
    return events, {label.event_id: label for label in simulator.labels()}


def honest(world):
    """The events that carry no label."""
    events, labels = world
    return [event for event in events if event["id"] not in labels]


def test_same_seed_same_bytes(tmp_path):
    """Two runs with one seed write identical files, and another seed writes others."""

    def digest(name, seed):
        done = write(tmp_path / name, ShopSimulator(seed=seed, users=300, days=12))
        paths = (done.events_path, done.labels_path)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    assert digest("a", 5) == digest("b", 5) != digest("c", 6)


def test_same_simulator_starts_over():
    """Iterating twice gives the same events and the same labels, not twice as many."""
    simulator = ShopSimulator(seed=2, users=200, days=8)
    first, labels = list(simulator), simulator.labels()
    assert list(simulator) == first
    assert simulator.labels() == labels


def test_time_order(world):
    """Events come in time order, inside the days asked for, with ids that are all different."""
    events, _ = world
    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert times[0] >= "2026-01-05"
    assert times[-1] < "2026-02-04"
    assert len({event["id"] for event in events}) == len(events)


def test_every_event_passes_the_intake(world):
    """The product's own intake takes every event: vocabulary, required fields, no unknown field."""
    events, _ = world
    for event in events:
        intake.decode_event(json.dumps(event).encode())


def test_every_event_has_its_context(world):
    """Every event says who (where the contract asks for it), from which address, network and device."""
    events, _ = world
    for event in events:
        assert event["type"] in USER_OPTIONAL or event["user"]["id"], event
        assert {"ip", "asn", "country", "os", "browser", "device_id", "device_type"} <= set(event["context"])


def test_money_has_its_fields(world):
    """Everything that moves value carries id, amount, currency and instrument; attempts share the id of the deed."""
    events, _ = world
    seen = defaultdict(list)
    for event in events:
        if event["type"] in catalogue.MONEY_TYPES:
            money = event["transaction"]
            assert money["amount_minor"] > 0
            assert money["currency"] == "USD"
            assert (money["instrument"] == "linked") == ("identity_provider" in money)
            seen[money["id"]].append(event["status"])
    assert all(statuses in (["succeeded"], ["attempted", "succeeded"]) for statuses in seen.values())


def test_labels_refer_to_events(world):
    """Each label names an event of the stream, and is one of the documented words."""
    events, labels = world
    ids = {event["id"] for event in events}
    assert set(labels) <= ids
    assert {label.label for label in labels.values()} <= set(LABELS)


def test_every_attacker_and_label_appears(world):
    """A month has every attack of the catalogue's rows that a stream can show, and every label."""
    _, labels = world
    names = {label.campaign.rpartition("-")[0] for label in labels.values()}
    assert names == {attack.name for attack in standard_attacks(3_000, 30)}
    assert {label.label for label in labels.values()} == set(LABELS)


def test_attacked_units_carry_the_labels_that_are_scored(world):
    """What an intruder succeeds in is ato, stuffing_hit or linked_drain, the positives of the shop's scoring tool."""
    events, labels = world
    units = {"login", "payment", "gift_card_redeem", "phone_change", "address_add", "otp"}
    for event in events:
        if event["id"] in labels and event["type"] in units and event["status"] == "succeeded":
            assert labels[event["id"]].label in {"ato", "stuffing_hit", "linked_drain"}


def test_honest_shares_are_near_a_shops(world):
    """Shares of event types, failed sign-ins and new devices stay in the bands of docs/simulator.md."""
    events = honest(world)
    shares = {kind: n / len(events) for kind, n in Counter(e["type"] for e in events).items()}
    assert 0.35 <= shares["order_view"] <= 0.46
    assert 0.21 <= shares["login"] <= 0.31
    assert 0.06 <= shares["pii_view"] <= 0.15
    assert 0.07 <= shares["payment"] <= 0.11
    assert 0.05 <= shares["otp"] <= 0.09
    logins = Counter(e["status"] for e in events if e["type"] == "login")
    assert 0.16 <= logins["failed"] / logins.total() <= 0.22
    assert 0.18 <= new_device_rate(events) <= 0.30


def new_device_rate(events):
    """Of the sign-ins by customers who signed in before, those on a device they had not used."""
    seen, again, new = defaultdict(set), 0, 0
    for event in events:
        if event["type"] == "login" and event["status"] == "succeeded":
            user, device = event["user"]["id"], event["context"]["device_id"]
            again += bool(seen[user])
            new += bool(seen[user]) and device not in seen[user]
            seen[user].add(device)
    return new / again


def test_networks_are_shared_by_honest_people(world):
    """Carriers and offices put many customers behind one address, and VPN exits carry honest customers."""
    users = defaultdict(set)
    for event in honest(world):
        if "user" in event and "actor" not in event:
            users[event["context"]["ip"]].add(event["user"]["id"])
    sizes = sorted(map(len, users.values()))
    assert sizes[-1] >= 20
    assert sizes[len(sizes) // 2] == 1


def test_written_files_agree(tmp_path):
    """The archive holds one JSON object a line, the CSV its labels, and progress ends at the whole."""
    heard = []
    done = write(tmp_path, ShopSimulator(seed=3, users=400, days=10), lambda n, part: heard.append((n, part)))
    with gzip.open(done.events_path, "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    with done.labels_path.open(encoding="utf-8", newline="") as rows:
        labels = list(csv.DictReader(rows))
    assert len(events) == done.events == heard[-1][0]
    assert len(labels) == done.labels
    assert {row["event_id"] for row in labels} <= {event["id"] for event in events}
    assert heard[-1][1] == 1.0
    assert not list(tmp_path.glob("*.part"))


def test_demo_week_is_small_and_has_its_three_attacks(tmp_path):
    """The demo's week is 6,000 to 10,000 events in less than 400 kB, with three campaigns."""
    done = write(tmp_path, demo_week())
    assert 6_000 <= done.events <= 10_000
    assert done.events_path.stat().st_size < 400_000
    simulator = demo_week()
    types = Counter(e["type"] for e, label in simulator.labelled() if label)
    assert {label.campaign for label in simulator.labels()} == {
        "distributed_stuffing-0",
        "linked_drain-1",
        "insider-2",
    }
    assert types["pii_export"] == 2


def test_own_attacks_and_start():
    """A caller names the attacks and their day, and the start."""
    start = datetime(2025, 3, 1, tzinfo=UTC)
    simulator = ShopSimulator(
        seed=4, users=200, days=4, start=start, attacks=[Planned(1.5, OneAddressStuffing(tries=30))]
    )
    bad = [event for event, label in simulator.labelled() if label]
    assert bad[0]["time"] >= "2025-03-02T12:00"
    assert {label.campaign for label in simulator.labels()} == {"one_address_stuffing-0"}


@pytest.mark.parametrize("wrong", [{"users": 0}, {"days": 0}])
def test_an_empty_shop_is_refused(wrong):
    """No customers or no days is an error that names the argument."""
    with pytest.raises(InvalidField) as caught:
        ShopSimulator(**wrong)
    assert caught.value.path == next(iter(wrong))
