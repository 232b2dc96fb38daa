"""Victim sets: filled, sealed, never changed; orders about them as about anybody; over HTTP and by the command."""

import json
import os
from base64 import urlsafe_b64encode

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ordering import ANNA, BUDI, NOW_MS, SHOP, SOON, asked, pays
from serving import POLICY, Server
from shopward.cli.main import main
from shopward.config import Settings
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.events import Facts, decode_event
from shopward.flows.victims import SealAsked, SetAsked
from shopward.protection import Declared, DeclaredUser, OrdersInForce, Standing, declared
from shopward.protection.inforce import Change
from shopward.protection.members import WIDTH, Members, merged, packed
from shopward.protection.orders import Target
from shopward.service import Shopward


def made(shop, *users, name="stuffed"):
    """A sealed set of these users."""
    begun = shop.victims.make(ANNA, SetAsked(name))
    shop.victims.put_page(ANNA, begun.id, 0, users)
    return shop.victims.seal(ANNA, begun.id, SealAsked())


def decided(shop, number, user):
    """Decision and orders of a payment, once the journal was looked at."""
    shop.desk.look_at_orders()
    answer = shop.decide(pays(number, user))
    return answer.decision, answer.orders


def test_an_order_about_a_set_stops_its_users_alone(shop):
    """In decisions and behind the fence; one is let out; two end it."""
    order = shop.protection.place(ANNA, asked(target={"victim_set_id": made(shop, "u1", "u2").id}))
    assert decided(shop, 1, "u1") == ("deny", (order.id,))
    assert decided(shop, 2, "u3") == ("allow", ())
    for number, user, stopped in ((3, "u2", True), (4, "u4", False)):
        event = decode_event(msgspec.json.encode(pays(number, user)))
        record = msgspec.structs.replace(shop.desk.decide([event])[0], decision="allow")
        held = shop.authorizations.open(event, record, shop.clock.now_ms())
        if stopped:
            with pytest.raises(Conflict):
                shop.authorizations.capture(held.id)
        else:
            assert shop.authorizations.capture(held.id).state == "captured"
    assert shop.overseer.orders_of("u2") == [order.id]
    shop.protection.exempt(ANNA, order.id, ["u2"], cause="staff_release", evidence="")
    assert decided(shop, 5, "u2") == ("allow", ())
    assert decided(shop, 6, "u1") == ("deny", (order.id,))
    assert shop.protection.release(ANNA, order.id).state == "active"
    assert shop.protection.approve(BUDI, order.id).state == "cancelled"
    assert decided(shop, 7, "u1") == ("allow", ())


def test_a_restart_knows_the_members_again(database, tmp_path, clock):
    """With and without a snapshot, and before anything was decided."""
    where = Settings(data=str(tmp_path / "data"), policy=str(POLICY), database=database)
    with Shopward.open(where, clock=clock) as shop:
        order = shop.protection.place(ANNA, asked(target={"victim_set_id": made(shop, "u1").id}))
        assert decided(shop, 1, "u1") == ("deny", (order.id,))
    for number, snapshot in ((2, True), (4, False)):
        shop = Shopward.open(where, clock=clock)
        assert decided(shop, number, "u1") == ("deny", (order.id,))
        assert decided(shop, number + 1, "u2") == ("allow", ())
        shop.close(snapshot=snapshot)


def test_a_page_may_come_twice_and_a_sealed_set_never_changes(shop):
    """Users are counted once; the number that was meant is held; the next version is another set."""
    begun = shop.victims.make(ANNA, SetAsked("stuffed"))
    with pytest.raises(Conflict) as still_open:
        shop.protection.place(ANNA, asked(target={"victim_set_id": begun.id}))
    assert still_open.value.code == "set_state"
    for _time in range(2):
        shop.victims.put_page(SHOP, begun.id, 0, ["u1", "u2", "u2"])
    shop.victims.put_page(SHOP, begun.id, 1, ["u2", "u3"])
    with pytest.raises(Conflict) as other:
        shop.victims.seal(ANNA, begun.id, SealAsked(4))
    assert other.value.code == "set_count"
    sealed = shop.victims.seal(ANNA, begun.id, SealAsked(3))
    assert (sealed.state, sealed.users, sealed.version) == ("sealed", 3, 1)
    assert shop.victims.seal(ANNA, begun.id, SealAsked(3)) == sealed
    with pytest.raises(Conflict):
        shop.victims.put_page(ANNA, begun.id, 2, ["u4"])
    again = made(shop, "u3", "u1", "u2")
    assert (again.version, again.digest, again.id != sealed.id) == (2, sealed.digest, True)
    assert [each.version for each in shop.victims.newest(name="stuffed", limit=9)] == [2, 1]


def test_a_page_between_reading_and_sealing_is_not_lost(shop):
    """What was read before it came seals nothing."""
    begun = shop.victims.make(ANNA, SetAsked("stuffed"))
    read = shop.victims.put_page(ANNA, begun.id, 0, ["u1"])
    shop.victims.put_page(ANNA, begun.id, 1, ["u2"])
    with pytest.raises(Conflict) as late:
        shop.records.write(lambda connection: shop.protection._on.sets.seal(connection, read, b"", 1))
    assert late.value.code == "set_state"
    assert shop.victims.seal(ANNA, begun.id, SealAsked(2)).users == 2


def test_a_set_of_whom_a_predicate_or_a_trace_reaches(shop):
    """As it was then: who fits later is not in it. A trace that a bound cuts makes none."""
    shop.overseer.declare({f"u{number}": Declared(tier="gold" if number % 2 else "") for number in range(10)})
    gold = shop.victims.make(ANNA, SetAsked("gold", predicate='tier == "gold"'))
    shop.overseer.declare({"late": Declared(tier="gold")})
    assert (gold.state, gold.source, gold.users) == ("sealed", "predicate", 5)
    order = shop.protection.place(ANNA, asked(target={"victim_set_id": gold.id}, dry_run=True))
    assert (order.measured.count, order.measured.of, order.measured.exact) == (5, 11, True)
    blind = shop.maker.blind
    family = declared(msgspec.convert({"tokens": {"phone": "ph-1"}}, DeclaredUser), blind)
    shop.overseer.declare(dict.fromkeys(("a", "b"), family))
    linked = msgspec.convert({"name": "family", "links": {"user": "a"}}, SetAsked)
    assert shop.victims.make(ANNA, linked).users == 2
    shop.overseer.declare(dict.fromkeys((f"c{number}" for number in range(60)), family))
    with pytest.raises(Conflict) as cut:
        shop.victims.make(
            ANNA,
            msgspec.convert(
                {"name": "hub", "links": {"kind": "phone", "token": "ph-1", "steps": 2}}, SetAsked
            ),
        )
    assert cut.value.code == "trace_incomplete"


def test_progress_over_a_set(shop):
    """How many of its users have set a new password since a reset of them began."""
    order = shop.protection.place(
        ANNA, asked("reset", scope=[], target={"victim_set_id": made(shop, "u1", "u2").id})
    )
    order = shop.protection.approve(BUDI, order.id)
    shop.overseer.declare({"u1": Declared(password_set_at_ms=NOW_MS + 1)})
    progress = shop.overseer.progress(order)
    assert (progress.done, progress.of, progress.exact) == (1, 2, True)


def test_who_may_and_what_is_no_set(lite):
    """Analysts make and seal, services fill; unknown ids and pages are refused; two sources are none."""
    with pytest.raises(Refused):
        lite.victims.make(SHOP, SetAsked("x"))
    with pytest.raises(NotFound):
        lite.protection.place(ANNA, asked(target={"victim_set_id": "vs-0"}))
    with pytest.raises(NotFound):
        lite.victims.put_page(ANNA, "vs-0", 0, ["u"])
    begun = lite.victims.make(ANNA, SetAsked("x"))
    with pytest.raises(InvalidField):
        lite.victims.put_page(ANNA, begun.id, 10_000, ["u"])
    with pytest.raises(InvalidField):
        lite.victims.make(
            ANNA, msgspec.convert({"name": "x", "predicate": "true", "links": {"user": "u"}}, SetAsked)
        )


def test_a_set_that_is_not_there_covers_everybody():
    """Fails closed: an order in force without its members stops whoever acts."""
    orders = OrdersInForce(lambda _domain, value: value)
    standing = Standing(
        "o", "freeze", ("spend_balance",), Target("victim_set_id", set_id="vs"), "phishing", begun=1
    )
    orders.apply(Change(1, "oc", "begin", 0, "o", standing))
    assert orders.sets_missing == {"vs"}
    facts = Facts("e", "payment", "attempted", user="u", instrument="balance")
    assert orders.rule(facts)[0].ids == ("o",)
    orders.members["vs"] = ()
    assert orders.rule(facts)[0].ids == ()


tokens = st.binary(min_size=WIDTH, max_size=WIDTH).map(lambda raw: urlsafe_b64encode(raw)[:22].decode())


@settings(deadline=None)
@given(st.lists(st.sets(tokens, max_size=30), max_size=4), st.sets(tokens, max_size=10))
def test_members_are_exactly_those_who_were_put_in(pages, others):
    """Held against a plain set; tokens that overlap each other's bytes are no members."""
    members = Members(merged(packed(page) for page in pages))
    inside = set().union(*pages)
    assert len(members) == len(inside) == len(members.first(1_000))
    assert set(members.first(1_000)) == inside
    assert all(token in members for token in inside)
    assert not any(token in members for token in others - inside)
    assert "" not in members


def test_bytes_across_two_tokens_are_no_member():
    """A token that reads the same across the border of two others is found out."""
    first, second = b"\x01\x02\x01\x02" + bytes(range(12)), b"\x01\x02" + b"\xff" * 14
    members = Members(merged([first + second]))
    across = (first + second)[2 : 2 + WIDTH]
    assert urlsafe_b64encode(across)[:22].decode() not in members


def test_over_http_and_by_the_command(tmp_path):
    """A bad line refuses its page with its number; the command fills, seals and prints what ``--set`` takes."""
    with Server(tmp_path / "data") as server:
        status, body = server.post("/v1/victim-sets", {"name": "by hand"})
        path = f"/v1/victim-sets/{json.loads(body)['id']}"
        assert status == 201
        lines = b'{"id":"u1"}\n{"user":"u2"}\n'
        page = server.post(f"{path}/pages/0", lines, "application/x-ndjson", method="PUT")
        refused = json.loads(page[1])
        assert (refused["status"], refused["code"], refused["path"]) == (422, "unknown_field", "line 2")
        assert json.loads(server.get(path)[1])["users"] == 0
        file = tmp_path / "victims.txt"
        file.write_text("u1\n\n" + json.dumps({"id": "u2"}) + "\nu1\n")
        environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}

        def run(*words):
            done = CliRunner().invoke(
                main, ["order", *words], env=os.environ | environment, catch_exceptions=False
            )
            assert done.exit_code == 0, done.output
            return done.output

        printed = run("set", "stuffed", str(file))
        assert "stuffed@1  2 users" in printed
        placed = run(
            "freeze", "--set", printed.split()[0], "--reason", "credential_stuffing", "--for", "3d", "--yes"
        )
        assert json.loads(server.decide(pays(1, "u2"))[1])["orders"] == [placed.split()[0]]
        assert json.loads(server.decide(pays(2, "u3"))[1])["orders"] == []
        listed = json.loads(server.get("/v1/victim-sets?name=stuffed")[1])["sets"]
        assert [(each["version"], each["state"], each["users"]) for each in listed] == [(1, "sealed", 2)]
        body = {
            "kind": "freeze",
            "scope": ["stored_value"],
            "reason": "phishing",
            "ends_at": SOON,
            "target": {},
        }
        assert server.post("/v1/orders", body)[0] == 422
