"""The fence: nothing that an order covers is captured after it, whoever spends and however many there are."""

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from ordering import ANNA, asked, pays
from shopward.access import open_token_key
from shopward.adapters.sql.records import fence_of
from shopward.errors import Conflict, NotFound
from shopward.events import decode_event
from shopward.flows.engine import DecisionRecord
from shopward.protection import Declared
from shopward.protection.orders import order_from
from shopward.service import open_desks
from shopward.values import SECOND_MS, SystemClock
from spender import authorized, desk_on

SPENDER = Path(__file__).parents[1] / "spender.py"
ALLOWED = DecisionRecord("d", "e", "allow", 0.0)


def review():
    """A freeze of stored value that is looked at again in a month."""
    in_a_month = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC) + timedelta(days=30)
    return msgspec.structs.replace(asked(), ends_at=msgspec.UNSET, review_at=in_a_month)


def captured(shop):
    """How many captures stand in the table."""
    count = text("SELECT count(*) FROM money_authorization WHERE state = 'captured'")
    return shop.records.read(lambda connection: connection.execute(count).scalar())


def opened(shop, number, user="u1", record=ALLOWED, **changes):
    """The id of a payment that was allowed just now."""
    event = decode_event(json.dumps(pays(number, user, **changes)).encode())
    return shop.authorizations.open(event, record, shop.clock.now_ms()).id


def code_of(call, *arguments):
    """The code of the refusal."""
    with pytest.raises((Conflict, NotFound)) as refused:
        call(*arguments)
    return refused.value.code


def test_an_authorisation_is_captured_once_and_in_time(shop):
    """Again is the same; too late, voided, unknown and captured-then-voided are refused."""
    desk = shop.authorizations
    first = opened(shop, 1)
    assert desk.capture(first).state == "captured"
    assert desk.capture(first).state == "captured"
    assert captured(shop) == 1
    assert code_of(desk.void, first) == "authorization_settled"
    second = opened(shop, 2)
    assert (desk.void(second).state, desk.void(second).state) == ("voided", "voided")
    assert code_of(desk.capture, second) == "authorization_settled"
    late = opened(shop, 3)
    shop.clock.advance(10 * SECOND_MS + 1)
    assert code_of(desk.capture, late) == "authorization_expired"
    assert code_of(desk.capture, "a-none") == "not_found"
    assert captured(shop) == 1


def test_only_what_was_allowed_can_be_captured(shop):
    """A challenge or a deny opens nothing; an old decision opens nothing that is worth anything."""
    event = decode_event(
        b'{"id":"x","type":"payment","status":"attempted","time":"2026-01-05T00:00:00Z","user":{"id":"u"}}'
    )
    for decision in ("challenge", "deny"):
        assert (
            shop.authorizations.open(event, DecisionRecord("d", "x", decision, 0.0), shop.clock.now_ms())
            is None
        )
    old = shop.authorizations.open(event, ALLOWED, shop.clock.now_ms() - 11_000)
    assert code_of(shop.authorizations.capture, old.id) == "authorization_expired"


def test_an_order_after_the_decision_stops_the_capture(shop):
    """The order's id is kept with it; what the order does not cover, and whom it lets out, is captured."""
    covered, card = opened(shop, 1), opened(shop, 2, transaction={"instrument": "card"})
    released = opened(shop, 3, "u2")
    order = shop.protection.place(ANNA, asked())
    shop.protection.exempt(ANNA, order.id, ["u2"], cause="staff_release", evidence="")
    with pytest.raises(Conflict) as stopped:
        shop.authorizations.capture(covered)
    assert (stopped.value.code, order.id in stopped.value.found) == ("capture_stopped", True)
    assert shop.authorizations.capture(card).state == "captured"
    assert shop.authorizations.capture(released).state == "captured"
    shop.protection.release(ANNA, order.id)
    assert code_of(shop.authorizations.capture, covered) == "capture_stopped"


def test_a_predicate_order_stops_the_capture_of_whom_it_describes(shop):
    """By what is declared at that moment."""
    shop.overseer.declare({"old": Declared(tier="gold")})
    old, new = opened(shop, 1, "old"), opened(shop, 2, "new")
    shop.protection.place(ANNA, asked(target={"predicate": 'tier == "gold"'}))
    assert code_of(shop.authorizations.capture, old) == "capture_stopped"
    assert shop.authorizations.capture(new).state == "captured"


def test_a_step_up_that_the_decision_did_not_know_stops_the_capture(shop):
    """One that it knew was answered."""
    before = opened(shop, 1)
    shop.protection.place(ANNA, asked("step_up", assurance=1))
    knowing = opened(shop, 2, record=DecisionRecord("d", "e", "allow", 0.0, in_force=1))
    assert code_of(shop.authorizations.capture, before) == "capture_stopped"
    assert shop.authorizations.capture(knowing).state == "captured"


def test_captures_of_one_user_at_once_do_not_go_over_a_limit(shop):
    """Twelve threads, a limit of five payments: five are captured."""
    limit = {"amount_minor": 5_000, "currency": "IDR", "window_s": 86_400}
    ids = [opened(shop, number) for number in range(12)]
    shop.protection.place(ANNA, asked("limit", limit=limit, scope=["money_out"]))
    shop.clock.advance(1)

    def spend(authorization):
        try:
            shop.authorizations.capture(authorization)
        except Conflict as refused:
            assert refused.code == "capture_stopped"

    threads = [threading.Thread(target=spend, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert captured(shop) == 5


def test_many_spenders_and_a_freeze_in_the_middle(shop):
    """Threads capture without pause; when the freeze's call returns, the number of captures never moves again."""
    shop.clock.advance(SystemClock().now_ms() - shop.clock.now_ms())
    stop, errors = threading.Event(), []

    def spend(first):
        number = first
        while not stop.is_set():
            number += 1
            try:
                shop.authorizations.capture(
                    authorized(shop.authorizations, number, shop.clock, f"u{number % 50}")
                )
            except Conflict as refused:
                if refused.code != "capture_stopped":
                    errors.append(refused)

    threads = [threading.Thread(target=spend, args=(each * 1_000_000,)) for each in range(1, 7)]
    for thread in threads:
        thread.start()
    while captured(shop) < 60:
        time.sleep(0.005)
    shop.protection.place(ANNA, review())
    at_return = captured(shop)
    time.sleep(0.4)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert captured(shop) == at_return >= 60


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_several_processes_and_a_freeze_in_the_middle(shop, database):
    """Four processes spend on one PostgreSQL, a fifth freezes: no capture stands that came after."""
    key = open_token_key(shop.settings.folder, log_is_empty=False).hex()
    spenders = [
        subprocess.Popen(
            [sys.executable, SPENDER, database, key, str(each * 1_000_000), "100000"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for each in range(1, 5)
    ]  # fmt: skip
    try:
        for spender in spenders:
            assert spender.stdout.readline() == "ready\n"
        for spender in spenders:
            spender.stdin.write("go\n")
            spender.stdin.flush()
        until = time.monotonic() + 180
        while captured(shop) < 100:
            assert time.monotonic() < until
            time.sleep(0.005)
        shop.clock.advance(SystemClock().now_ms() - shop.clock.now_ms())
        shop.protection.place(ANNA, review())
        at_return = captured(shop)
        said = [spender.communicate(timeout=120)[0] for spender in spenders]
    finally:
        for spender in spenders:
            spender.kill()
            spender.wait()
    assert [each.split()[:2] for each in said] == [["stopped", "capture_stopped"]] * 4
    assert captured(shop) == at_return


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_fence_does_not_lean_on_the_databases_default(shop, database):
    """A capture that waited for an order sees it, though the database's default is a snapshot of the whole transaction."""
    separator = "%20-cdefault_transaction_isolation%3Drepeatable%5C%20read"
    desks = open_desks(
        type(shop.settings)(data=str(shop.settings.folder), database=database + separator),
        shop.maker,
        shop.clock,
    )
    held = opened(shop, 1)
    fence, arrows = fence_of(desks.records._engine, "main"), shop.protection._on.arrows
    inside, heard = threading.Event(), []

    def capture():
        inside.wait()
        try:
            heard.append(desks.authorizations.capture(held).state)
        except Conflict as refused:
            heard.append(refused.code)

    def place(connection):
        fence.exclusive(connection)
        inside.set()
        time.sleep(0.3)
        now_ms = shop.clock.now_ms()
        draft = order_from(
            asked(), order_id="o-1", author="anna", author_key="anna-1", at_ms=now_ms, blind=shop.maker.blind
        )
        arrows._store.add(connection, draft)
        arrows.activate(connection, draft, "anna-1", now_ms)

    thread = threading.Thread(target=capture)
    thread.start()
    desks.records.write(place)
    thread.join()
    desks.records.close()
    assert heard == ["capture_stopped"]


def test_orders_that_were_rolled_back_leave_no_index_behind(shop):
    """Whoever looked inside that transaction: the next order takes the same version, and captures see that order."""
    desk, arrows = shop.authorizations, shop.protection._on.arrows
    covered, other = opened(shop, 1), opened(shop, 2, "u2")

    def place_and_give_up(connection):
        shop.protection._on.fence.exclusive(connection)
        draft = order_from(
            asked(target={"user": "u2"}), order_id="o-1", author="anna", author_key="anna-1",
            at_ms=shop.clock.now_ms(), blind=shop.maker.blind,
        )  # fmt: skip
        arrows._store.add(connection, draft)
        arrows.activate(connection, draft, "anna-1", shop.clock.now_ms())
        assert [order.id for order in shop.overseer.index(connection).orders] == ["o-1"]
        raise NotFound("given up")

    with pytest.raises(NotFound, match="given up"):
        shop.records.write(place_and_give_up)
    shop.protection.place(ANNA, asked(target={"user": "u1"}))
    assert code_of(desk.capture, covered) == "capture_stopped"
    assert desk.capture(other).state == "captured"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_servers_capture_the_same_authorisations_in_groups(shop, database):
    """Both are asked for all of them in opposite order, under a limit for some and none for others: nobody waits in a
    circle, what is asked twice hears the same, and each user ends exactly at his limit.
    """
    key = open_token_key(shop.settings.folder, log_is_empty=False)
    desks = (shop.authorizations, desk_on(database, key, shop.clock))
    limit = {"amount_minor": 5_000, "currency": "IDR", "window_s": 86_400}
    for user in ("u0", "u1", "u2"):
        shop.protection.place(ANNA, asked("limit", limit=limit, target={"user": user}))
    shop.clock.advance(1)
    ids = [opened(shop, number, f"u{number % 4}") for number in range(48)]
    heard = [[], []]

    def spend(which, authorization):
        try:
            heard[which].append((authorization, desks[which].capture(authorization).state))
        except (Conflict, NotFound) as refused:
            heard[which].append((authorization, refused.code))

    threads = [
        threading.Thread(target=spend, args=(which, each))
        for which, order in enumerate((ids, ids[::-1]))
        for each in [*order, "a-none"]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desks[1]._records.close()
    assert sorted(heard[0]) == sorted(heard[1])
    assert dict(heard[0])["a-none"] == "not_found"
    states = [(ids.index(each) % 4, state) for each, state in heard[0] if each != "a-none"]
    assert [states.count((user, "captured")) for user in range(4)] == [5, 5, 5, 12]
    assert captured(shop) == 27
