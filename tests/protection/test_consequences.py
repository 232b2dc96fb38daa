"""What a decision asks for is carried out once, about one user, briefly, with a way out; on both databases, across crashes."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from ordering import ANNA, NOW_MS, SHOP, asked, pays
from outbox.reading import owed
from shopward.config import Settings
from shopward.errors import StoreUnavailable
from shopward.flows.follow import Follower
from shopward.flows.replay import Replay
from shopward.protection.attributes import Declared
from shopward.protection.operations import expanded
from shopward.service import Shopward
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, to_rfc3339

ACTING = Path(__file__).parent / "acting"
FREEZE, HOLD, LIMIT, REVOKE, RESET, UNLINK, NOTIFY, MANY, LONG_HOLD, EMPTY_LIMIT = range(1001, 1011)
"""What each amount asks for (``acting/rules``)."""


@pytest.fixture
def acting(database, tmp_path, clock):
    """An open Shopward whose policy asks for things."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(ACTING), database=database)
    with Shopward.open(settings, clock=clock) as opened:
        yield opened


def pay(shop, number, amount, whom="u1", **changes):
    """The decision on a payment of this amount, made now."""
    event = pays(number, whom) | changes
    event["transaction"] |= {"amount_minor": amount}
    if "time" not in changes:
        event["time"] = to_rfc3339(shop.clock.now_ms())
    return shop.decide(event)


def orders(shop, state=None):
    """All orders, oldest first."""
    return shop.overseer.newest(state=state, before=None, limit=200)[::-1]


def told(shop):
    """What the shop is owed to hear of decisions."""
    return [payload for topic, _subject, payload in owed(shop) if topic == "decision.actions"]


@pytest.mark.parametrize(
    ("amount", "kind", "scope", "lasts_ms"),
    [
        (FREEZE, "freeze", "money_out", DAY_MS),
        (HOLD, "delay", "money_out", 2 * HOUR_MS),
        (LONG_HOLD, "delay", "money_out", 3 * DAY_MS),
        (LIMIT, "limit", "money_out", 3 * DAY_MS),
        (REVOKE, "revoke", "everything", 7 * DAY_MS),
        (RESET, "reset", "everything", 7 * DAY_MS),
    ],
)
def test_an_action_becomes_a_short_order_about_one_user(acting, amount, kind, scope, lasts_ms):
    """Of the system, in force, with its decision, its end and every way out; the message names order and event, no user."""
    decision = pay(acting, 1, amount)
    acting.carry_out()
    (order,) = orders(acting)
    standing = order.standing
    assert (standing.kind, standing.scope, order.state) == (kind, expanded([scope]), "active")
    assert standing.target.tokens == (acting.maker.user_token("u1"),)
    assert (standing.ends_ms, order.decision) == (NOW_MS + lasts_ms, decision.id)
    assert (order.author, order.release) == (
        "shopward", ("password_changed", "passkey_enrolled", "identity_proved", "staff_release"),
    )  # fmt: skip
    assert told(acting) == [
        {
            "event_id": "p-1", "decision": "allow", "orders": [order.id],
            "actions": [decision.actions[0].type],
        }
    ]  # fmt: skip


def test_an_identity_is_unlinked_where_the_event_names_one(acting):
    """The order is about the provider that was used; where none is named there is no order, and the shop is told."""
    pay(acting, 1, UNLINK)
    acting.carry_out()
    assert (orders(acting), told(acting)[0]["orders"]) == ([], [])
    event = pays(2) | {"time": "2026-01-05T00:00:02Z"}
    event["transaction"] |= {"amount_minor": UNLINK, "identity_provider": "apple"}
    acting.decide(event)
    acting.carry_out()
    assert [(order.standing.kind, order.standing.provider) for order in orders(acting)] == [
        ("unlink", "apple")
    ]


def test_the_customer_gets_out_by_a_new_password(acting):
    """A freeze denies, never the change of the password; who has set a new one is let out, and is not frozen again."""
    pay(acting, 1, FREEZE)
    acting.carry_out()
    (order,) = orders(acting)
    acting.clock.advance(SECOND_MS)
    assert pay(acting, 2, 5).decision == "deny"
    change = pays(3) | {"type": "password_change", "status": "succeeded", "time": "2026-01-05T00:00:01Z"}
    del change["transaction"]
    assert acting.decide(change).decision == "allow"
    acting.overseer.declare({"u1": Declared(password_set_at_ms=NOW_MS + SECOND_MS)})
    acting.protection.exempt(SHOP, order.id, ["u1"], cause="password_changed", evidence="")
    acting.clock.advance(SECOND_MS)
    assert pay(acting, 4, FREEZE).decision == "allow"
    acting.carry_out()
    assert len(orders(acting)) == 1


def test_one_order_of_a_kind_stands_at_a_time(acting):
    """Ten decisions that ask for the same give one order; after its end there can be another; others have their own."""
    for number in range(10):
        pay(acting, number, HOLD)
    pay(acting, 20, HOLD, "u2")
    acting.carry_out()
    assert len(orders(acting)) == 2
    assert sorted(len(each["orders"]) for each in told(acting)) == [0] * 9 + [1, 1]
    acting.clock.advance(2 * HOUR_MS)
    pay(acting, 30, HOLD)
    acting.carry_out()
    assert [order.state for order in orders(acting)] == ["expired", "expired", "active"]


def test_what_orders_ask_for_asks_for_no_second_order(acting):
    """A revoke for everyone adds its action to each decision, and nobody is ordered about because of it."""
    acting.protection.place(ANNA, asked("revoke", scope=[]))
    acting.clock.advance(MINUTE_MS)
    decision = pay(acting, 1, 5)
    assert [action.type for action in decision.actions] == ["revoke_sessions"]
    pay(acting, 2, RESET)
    acting.carry_out()
    assert [order.standing.kind for order in orders(acting)] == ["revoke", "reset"]
    assert [each["actions"] for each in told(acting)] == [["reset_password"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": {"type": "staff", "id": "agent-7"}},
        {"actor": {"type": "partner", "id": "seller-1"}},
        {"user": {"id": "u1", "known": False}},
    ],
)
def test_only_a_customers_own_event_has_an_order(acting, changes):
    """What staff or a partner did, or somebody tried on no account of ours, is told and left to people."""
    pay(acting, 1, MANY, **changes)
    acting.carry_out()
    assert orders(acting) == []
    assert told(acting)[0]["actions"] == ["freeze", "reset_password", "notify"]


def test_history_has_no_consequence(acting):
    """An event told an hour late is recorded, and that is all."""
    pay(acting, 1, FREEZE, time="2026-01-04T22:59:59Z")
    acting.carry_out()
    assert (orders(acting), told(acting)) == ([], [])
    pay(acting, 2, FREEZE, time="2026-01-04T23:00:01Z")
    acting.carry_out()
    assert len(orders(acting)) == 1


def test_an_action_that_lacks_what_its_order_needs_is_only_told(acting):
    """A limit without an amount; a notice, which is for the shop to give."""
    pay(acting, 1, EMPTY_LIMIT)
    pay(acting, 2, NOTIFY)
    acting.carry_out()
    assert orders(acting) == []
    assert sorted(each["actions"] for each in told(acting)) == [["limit"], ["notify"]]


def test_a_rule_gone_wrong_stops_at_a_few_customers(acting):
    """Twelve an hour by this policy, then no more, said once; an hour later there may be more."""
    for number in range(20):
        pay(acting, number, FREEZE, f"u{number}")
        acting.carry_out()
    assert len(orders(acting)) == 12
    assert [topic for topic, *_rest in owed(acting)].count("consequences.held_back") == 1
    assert len(told(acting)) == 20
    acting.clock.advance(HOUR_MS + 1)
    pay(acting, 50, FREEZE, "u50")
    acting.carry_out()
    assert len(orders(acting)) == 13


def test_a_policy_that_names_no_action_places_no_order(lite, clock, tmp_path):
    """The default of a policy of the shop's own: told, and nothing else."""
    folder = tmp_path / "policy"
    (folder / "rules").mkdir(parents=True)
    head = (ACTING / "policy.toml").read_text().partition("[consequences]")[0]
    (folder / "policy.toml").write_text(head)
    (folder / "features.toml").write_text("")
    (folder / "rules" / "acts.toml").write_text((ACTING / "rules" / "acts.toml").read_text())
    settings = Settings(data=str(tmp_path / "other"), policy=str(folder))
    with Shopward.open(settings, clock=clock) as shop:
        pay(shop, 1, MANY)
        shop.carry_out()
        assert (orders(shop), len(told(shop))) == ([], 1)


def test_replay_places_nothing_and_decides_the_same(acting):
    """The same events without their consequences: the policy asks for the same actions."""
    events = []
    for number, amount in enumerate((MANY, 5, HOLD, NOTIFY)):
        event = pays(number)
        event["transaction"] |= {"amount_minor": amount}
        events.append(msgspec.json.encode(event))
    live = [acting.decide(event) for event in events]
    replayed = [record for _facts, record in Replay(acting.policy).run(events)]
    assert [each.actions for each in live] == [each.actions for each in replayed]
    assert orders(acting) == []


class Breaks:
    """A log whose store goes away now and then, and whose transactions are lost on the way: as a crash would lose them."""

    def __init__(self, records, seed):
        self._records = records
        self._dice = random.Random(seed)

    def read(self, work):
        """Sometimes."""
        self._maybe()
        return self._records.read(work)

    def write(self, work):
        """Sometimes not at all, sometimes done and never heard of."""

        def dies(connection):
            result = work(connection)
            self._maybe()
            return result

        result = self._records.write(dies)
        self._maybe()
        return result

    def _maybe(self):
        if self._dice.random() < 0.3:
            raise StoreUnavailable("gone")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_breaks_each_decision_has_its_consequences_once(acting, seed):
    """Followers that die before, in and after their commits, each replaced by another: one order and one message each."""
    for number in range(10):
        pay(acting, number, FREEZE, f"u{number}")
    dice, log = random.Random(seed), acting.log
    crashes = 0
    follower = None
    while True:
        if follower is None:
            it = acting.follower
            follower = Follower(
                "consequences", log=log, records=Breaks(acting.records, dice.random()), fence=it._fence,
                cursors=it._cursors, listeners=it._listeners,
            )  # fmt: skip
        try:
            if not follower.step().more and not log.read(after_seq=follower._read, limit=1):
                break
        except StoreUnavailable:
            crashes += 1
            follower = None
    assert len(orders(acting)) == 10
    assert sorted(each["event_id"] for each in told(acting)) == sorted(f"p-{number}" for number in range(10))
    assert len(told(acting)) == 10


def test_an_entry_that_cannot_be_acted_on_is_passed_over(acting, caplog):
    """It is named by its position; what comes before and after it in the page has its consequences, and the cursor goes on."""
    for number in range(5):
        pay(acting, number, FREEZE, f"u{number}")
    (listener, *others) = acting.follower._listeners

    class Stumbles:
        hears = staticmethod(listener.hears)

        @staticmethod
        def act(connection, heard):
            if heard.facts.id == "p-2":
                listener.act(connection, heard)
                raise ZeroDivisionError
            return listener.act(connection, heard)

    acting.follower._listeners = (Stumbles(), *others)
    acting.carry_out()
    assert sorted(each["event_id"] for each in told(acting)) == ["p-0", "p-1", "p-3", "p-4"]
    assert len(orders(acting)) == 4
    assert "entry 3 has no consequence: ZeroDivisionError" in caplog.text
    acting.follower._listeners = (listener, *others)
    pay(acting, 9, FREEZE, "u9")
    acting.carry_out()
    assert "p-9" in {each["event_id"] for each in told(acting)}


def test_a_new_follower_begins_at_the_end(acting):
    """What was decided before there was one has no consequence; what was decided while it was away has."""
    pay(acting, 1, FREEZE)
    acting.records.write(
        lambda connection: connection.exec_driver_sql("DELETE FROM follow_cursor WHERE name = 'consequences'")
    )
    acting.follower.begin()
    pay(acting, 2, FREEZE, "u2")
    acting.follower.begin()
    acting.carry_out()
    assert [each["event_id"] for each in told(acting)] == ["p-2"]


def test_what_nobody_hears_need_not_be_read_back(acting, monkeypatch):
    """Shown by whoever recorded it, silence is passed over unread, before, between and after what is heard; nothing else is."""
    asked = []
    read = acting.log.read

    def counted(**asks):
        page = read(**asks)
        asked.extend(entry.seq for entry in page)
        return page

    monkeypatch.setattr(acting.log, "read", counted)
    groups = [[5] * 3, [5, NOTIFY], [5] * 2, [NOTIFY], [5] * 2]
    shown = [True, True, False, True, True]
    number, heard = 0, []
    for group, is_shown in zip(groups, shown, strict=True):
        begun = number
        for payload in group:
            pay(acting, number, payload, f"u{number}")
            number += 1
        if is_shown:
            entries = read(after_seq=begun, limit=number - begun)
            heard.append(acting.follower.overheard(entries))
            acting.carry_out()
    assert heard == [False, True, True, False]
    assert asked == [4, 5, 6, 7, 8]
    assert sorted(each["event_id"] for each in told(acting)) == ["p-4", "p-7"]
    assert acting.follower.step() == (False, False)
