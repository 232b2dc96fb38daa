"""Owing: in the transaction of the deed, from a closed vocabulary, thin, on both databases."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select

from ordering import ANNA, BUDI, NOW_MS, SHOP, asked
from outbox.reading import owed
from shopward.errors import InvalidField
from shopward.outbox import Topic
from shopward.outbox.messages import FIELDS_MAX, LIST_MAX, TEXT_MAX
from shopward.outbox.tables import metadata
from shopward.protection.attributes import Declared
from shopward.protection.tables import protection_order
from shopward.protection.view import view
from shopward.values import DAY_MS

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"


def owe(shop, **changes):
    """One message in a transaction of its own."""
    said = {"at_ms": NOW_MS, "topic": "order.activated", "subject": "o-1", "payload": {"kind": "freeze"}}
    return shop.records.write(lambda connection: shop.outbox.owe(connection, **said | changes))


def test_a_message_stands_with_its_deed_and_falls_with_it(shop):
    """What is rolled back was never owed; what is committed is, as it was said."""

    def fails(connection):
        shop.outbox.owe(connection, at_ms=NOW_MS, topic="order.ended", subject="o-0", payload={})
        raise InvalidField("no")

    with pytest.raises(InvalidField):
        shop.records.write(fails)
    owe(shop, payload={"kind": "freeze", "users": 3, "mass": True, "scope": ["login", "transfer"]})
    said = {"kind": "freeze", "users": 3, "mass": True, "scope": ["login", "transfer"]}
    assert owed(shop) == [("order.activated", "o-1", said)]


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "order.eaten"},
        {"subject": ""},
        {"subject": "x" * (TEXT_MAX + 1)},
        {"payload": {"a\0": "b"}},
        {"payload": {"a": "\ud800"}},
        {"payload": {"a": {"b": "c"}}},
        {"payload": {"a": 1.5}},
        {"payload": {"a": 2**63}},
        {"payload": {"a": None}},
        {"payload": {"a": ["b"] * (LIST_MAX + 1)}},
        {"payload": {f"f{number}": 1 for number in range(FIELDS_MAX + 1)}},
    ],
)
def test_what_no_message_may_hold_is_refused(lite, changes):
    """Unknown words, empty or long texts, nested objects, fractions: refused with the path, and nothing is written."""
    with pytest.raises(InvalidField) as refused:
        owe(lite, **changes)
    assert refused.value.path in ("topic", "subject", "payload")
    assert owed(lite) == []


def test_the_life_of_an_order_is_owed_step_by_step(shop, clock):
    """What waits for somebody, what begins, whom it lets out, what ends; in the order in which it was done."""
    shop.overseer.declare({"u1": Declared(password_set_at_ms=NOW_MS + DAY_MS)})
    mass = shop.protection.place(ANNA, asked(release=["password_changed", "staff_release"]))
    clock.advance(1)
    shop.protection.exempt(SHOP, mass.id, ["u1"], cause="password_changed", evidence="")
    clock.advance(1)
    shop.protection.release(ANNA, mass.id)
    clock.advance(1)
    shop.protection.approve(BUDI, mass.id)
    clock.advance(1)
    reset = shop.protection.place(ANNA, asked("reset", scope=[]))
    clock.advance(1)
    shop.protection.place(ANNA, asked(dry_run=True))
    said = owed(shop)
    assert [(topic, subject) for topic, subject, _payload in said] == [
        ("order.activated", mass.id),
        ("order.users_released", mass.id),
        ("order.release_requested", mass.id),
        ("order.ended", mass.id),
        ("order.approval_needed", reset.id),
    ]
    assert said[0][2] == {
        "kind": "freeze", "state": "active", "target": "everyone", "reason": "credential_stuffing",
    }  # fmt: skip
    assert (said[1][2]["cause"], said[1][2]["users"]) == ("password_changed", 1)
    assert said[3][2]["state"] == "cancelled"


def test_an_order_that_the_clock_ends_is_owed_once(shop, clock):
    """However often somebody looks after its end."""
    shop.protection.place(ANNA, asked())
    clock.advance(4 * DAY_MS)
    for _look in range(3):
        shop.overseer.sweep()
    assert Counter(topic for topic, _subject, _payload in owed(shop)) == {
        "order.activated": 1,
        "order.ended": 1,
    }


def test_a_review_that_is_due_is_said_once(shop, clock):
    """When its date has passed, to whoever looks first; the order stays in force, shows it, and can still end."""
    request = asked(review_at="2026-01-06T00:00:00Z")
    order = shop.protection.place(ANNA, request)
    due = lambda: [subject for topic, subject, _payload in owed(shop) if topic == "order.review_due"]  # noqa: E731 -- asked thrice
    clock.advance(DAY_MS - 1)
    shop.overseer.sweep()
    assert due() == []
    clock.advance(1)
    for _look in range(3):
        shop.overseer.sweep()
    assert due() == [order.id]
    shown = view(shop.overseer.get(order.id)[0], language="en", at_ms=clock.now_ms())
    assert (shown.state, shown.review_due) == ("active", True)
    clock.advance(2 * DAY_MS)
    assert (shop.overseer.get(order.id)[0].state, due()) == ("expired", [order.id])


def test_orders_from_before_are_reminded_of_too(shop, clock):
    """The migration finds their dates of review in what is kept of them."""
    reviewed, plain = (
        shop.protection.place(ANNA, asked(review_at="2026-01-06T00:00:00Z")),
        shop.protection.place(ANNA, asked()),
    )
    found = importlib.import_module("shopward.adapters.sql.migrations.versions.r0013_review")._FOUND

    def work(connection):
        asked_for = select(protection_order.c.id, literal_column(found[connection.dialect.name]))
        return connection.execute(asked_for).all()

    assert dict(map(tuple, shop.records.read(work))) == {reviewed.id: NOW_MS + DAY_MS, plain.id: 0}


def test_no_message_names_a_user(shop):
    """An order about one user is told by its id alone: neither the user's id nor the token stands in it."""
    shop.protection.place(ANNA, asked(target={"user": "siti@example.test"}))
    token = shop.maker.user_token("siti@example.test")
    assert not any(word in str(owed(shop)) for word in ("siti", token))


def test_every_topic_has_its_row():
    """The page for shops tells each word, and no word that is gone."""
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [topic.value for topic in Topic]


def test_the_tenant_leads_every_key():
    """A distributed PostgreSQL can take the tables: tenant first, and the database numbers nothing."""
    for table in metadata.sorted_tables:
        assert next(column.name for column in table.primary_key) == "tenant"
        assert all(index.columns.keys()[0] == "tenant" for index in table.indexes)
        assert not any(column.autoincrement is True for column in table.columns)
