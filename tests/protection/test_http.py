"""Orders, authorisations, declared users and keys over HTTP, and the command that speaks to them."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from click.testing import CliRunner

from ordering import pays
from serving import POLICY, Server
from shopward.access import open_keys
from shopward.cli.order import order
from shopward.config import Settings
from shopward.http import Application
from shopward.service import Shopward

SOON = (datetime.now(UTC) + timedelta(days=3)).isoformat()  # noqa: TID251 -- a real server has a real clock
FREEZE = {
    "kind": "freeze", "scope": ["stored_value"], "target": {"everyone": True}, "reason": "credential_stuffing",
    "ends_at": SOON,
}  # fmt: skip
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def told(tmp_path):
    """Runs a story ``async (client, shopward)`` against an application without a socket; its clients have the first key."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY))

    async def run(story):
        with Shopward.open(settings, rebuild=False) as shopward:
            keys, key = open_keys(settings.folder, shopward.clock)
            application = Application(shopward, keys)
            application.start()
            while not application.gate.is_ready:  # noqa: ASYNC110 -- nothing tells of it in the product
                await asyncio.sleep(0.001)
            transport = httpx2.ASGITransport(app=application)
            headers = {"Authorization": f"Bearer {key}"}
            try:
                async with httpx2.AsyncClient(
                    transport=transport, base_url="http://shop", headers=headers
                ) as client:
                    await story(client, shopward)
            finally:
                await application.stop()

    return lambda story: asyncio.run(run(story))


async def key_for(client, person, *roles, **more):
    """Headers with a new key of a person."""
    body = {"name": f"{person}-{len(roles)}-{len(more)}", "person": person, "roles": list(roles)} | more
    made = await client.post("/v1/keys", json=body)
    assert made.status_code == 201
    return {"Authorization": f"Bearer {made.json()['key']}"}


async def decided(client, event):
    """Decision and orders."""
    answer = (await client.post("/v1/decisions", json=event)).json()
    return answer["decision"], answer["orders"]


def test_a_freeze_is_in_force_when_its_answer_leaves(told):
    """The next decision names it; the list and the user show it; two persons end it."""

    async def story(client, _shopward):
        assert await decided(client, pays(1)) == ("allow", [])
        placed = await client.post("/v1/orders", json=FREEZE, headers={"Accept-Language": "id"})
        assert (placed.status_code, placed.json()["state"]) == (201, "active")
        assert placed.json()["explanation"]["stopped"].startswith("Untuk sementara ini dihentikan")
        order_id = placed.json()["id"]
        assert await decided(client, pays(2)) == ("deny", [order_id])
        listed = (await client.get("/v1/orders?state=active")).json()
        assert ([each["id"] for each in listed["orders"]], listed["next"]) == ([order_id], None)
        assert (await client.get("/v1/users/u1")).json()["orders"] == [order_id]
        pending = await client.post(f"/v1/orders/{order_id}/release")
        assert (pending.status_code, pending.json()["state"]) == (202, "active")
        refused = await client.post(f"/v1/orders/{order_id}/approve")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
        budi = await key_for(client, "budi", "analyst")
        approved = await client.post(f"/v1/orders/{order_id}/approve", headers=budi)
        assert (approved.status_code, approved.json()["state"]) == (200, "cancelled")
        assert await decided(client, pays(3)) == ("allow", [])

    told(story)


def test_one_order_tells_whom_it_is_about(told):
    """The shop's id of the one user, from the newest event; not in a list, not of many, not of somebody never heard of."""

    async def story(client, _shopward):
        await decided(client, pays(1, "siti"))
        for target, user in (
            ({"user": "siti"}, "siti"),
            ({"user": "unheard"}, None),
            ({"everyone": True}, None),
        ):
            order = (await client.post("/v1/orders", json=FREEZE | {"target": target})).json()
            assert "user" not in order
            assert (await client.get(f"/v1/orders/{order['id']}")).json().get("user") == user
        assert not any("user" in each for each in (await client.get("/v1/orders")).json()["orders"])

    told(story)


def test_a_body_cannot_name_the_approver(told):
    """Unknown fields are refused with their path; so are orders without an end and predicates over what is not declared."""

    async def story(client, _shopward):
        for changes, status, code in (
            ({"approver": "budi"}, 422, "unknown_field"),
            ({"state": "active"}, 422, "unknown_field"),
            ({"kind": "allow"}, 422, "unknown_word"),
            ({"ends_at": None}, 422, "invalid_field"),
            ({"target": {"predicate": "shoe > 3"}}, 422, "predicate_invalid"),
        ):
            answer = await client.post("/v1/orders", json=FREEZE | changes)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        endless = {name: value for name, value in FREEZE.items() if name != "ends_at"}
        answer = await client.post("/v1/orders", json=endless)
        assert answer.json()["code"] == "order_without_end"
        assert (await client.get("/v1/orders")).json() == {"orders": [], "next": None}

    told(story)


def test_the_same_idempotency_key_gives_the_same_order(told):
    """Durably, and another body under it is a conflict."""

    async def story(client, shopward):
        key = {"Idempotency-Key": "k-1"}
        first = await client.post("/v1/orders", json=FREEZE, headers=key)
        again = await client.post("/v1/orders", json=FREEZE, headers=key)
        assert first.json()["id"] == again.json()["id"]
        other = await client.post("/v1/orders", json=FREEZE | {"incident": "2"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        assert shopward.desk.engine.orders.version == 1

    told(story)


def test_roles_are_held_on_every_call(told):
    """A service sends and spends, an analyst orders, and only an admin makes keys."""

    async def story(client, _shopward):
        service = await key_for(client, "shop", "service")
        analyst = await key_for(client, "anna", "analyst")
        for headers, calls in (
            (service, (("/v1/orders", FREEZE), ("/v1/orders/o-1/approve", {}), ("/v1/orders/o-1/release", {}), ("/v1/keys", {}))),
            (analyst, (("/v1/keys", {}), ("/v1/decisions", pays(1)), ("/v1/authorizations", pays(1)), ("/v1/authorizations/a/capture", {}))),
        ):  # fmt: skip
            for path, body in calls:
                answer = await client.post(path, json=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "role_missing"), path
        assert (await client.put("/v1/users/u1", json={}, headers=analyst)).status_code == 403
        assert (await client.get("/v1/keys", headers=analyst)).status_code == 403
        listed = (await client.get("/v1/keys")).json()["keys"]
        assert (listed[0]["name"], listed[0]["person"]) == ("first", "first")
        assert "sw_" not in json.dumps(listed)
        assert "sha256" not in json.dumps(listed)

    told(story)


def test_money_moves_in_two_steps(told):
    """Authorise, freeze, capture: stopped; a retry hears the same; what is not money cannot be authorised."""

    async def story(client, _shopward):
        first = (await client.post("/v1/authorizations", json=pays(1))).json()
        second = (await client.post("/v1/authorizations", json=pays(2))).json()
        assert (first["id"], first["state"], first["decision"]["decision"]) == (
            "a-p-1",
            "authorized",
            "allow",
        )
        assert (await client.post("/v1/authorizations", json=pays(1))).json() == first
        captured = await client.post(f"/v1/authorizations/{first['id']}/capture")
        assert (captured.status_code, captured.json()["state"]) == (200, "captured")
        placed = (await client.post("/v1/orders", json=FREEZE)).json()
        stopped = await client.post(f"/v1/authorizations/{second['id']}/capture")
        assert (stopped.status_code, stopped.json()["code"]) == (409, "capture_stopped")
        assert placed["id"] in stopped.json()["found"]
        third = (await client.post("/v1/authorizations", json=pays(3))).json()
        assert (third["state"], third["decision"]["orders"]) == ("refused", [placed["id"]])
        assert (await client.post("/v1/authorizations/a-p-3/capture")).status_code == 404
        voided = await client.post("/v1/authorizations/a-p-2/void")
        assert voided.json()["state"] == "stopped"
        odd = await client.post("/v1/authorizations", json=pays(4, type="login"))
        assert odd.json()["code"] == "not_authorizable"

    told(story)


def test_declared_users_are_what_predicates_see(told):
    """One by one and in batches; a bad line spoils no other; nothing that was sent stands in the table in clear."""

    async def story(client, shopward):
        gold = {"tier": "gold", "tokens": {"phone": "opaque-phone-token"}}
        assert (await client.put("/v1/users/u1", json=gold)).json() == {"declared": 1, "problems": []}
        lines = b'{"id":"u2","tier":"gold"}\n{"id":"u3","tier":1}\n{"tier":"gold"}\n{"id":"u4","shoe":1}\n{"id":"u5"}'
        batch = (await client.post("/v1/users/batch", content=lines, headers=NDJSON)).json()
        assert batch["declared"] == 2
        assert [(each["line"], each["code"]) for each in batch["problems"]] == [
            (2, "invalid_field"), (3, "invalid_field"), (4, "unknown_field"),
        ]  # fmt: skip
        where = {"target": {"predicate": 'tier == "gold" || tokens.phone == "opaque-phone-token"'}}
        draft = (await client.post("/v1/orders", json=FREEZE | where | {"dry_run": True})).json()
        assert (draft["state"], draft["measured"]["count"], draft["measured"]["of"]) == ("draft", 2, 3)
        assert await decided(client, pays(1)) == ("allow", [])
        await client.post(f"/v1/orders/{draft['id']}/approve")
        assert await decided(client, pays(2)) == ("deny", [draft["id"]])
        assert await decided(client, pays(3, "u5")) == ("allow", [])
        kept = b"".join(file.read_bytes() for file in shopward.settings.folder.glob("shopward.db*"))
        assert b"opaque-phone-token" in kept  # in the predicate that an analyst wrote, and nowhere else
        await client.put("/v1/users/u1", json={"tokens": {"phone": "another-phone-token"}})
        kept = b"".join(file.read_bytes() for file in shopward.settings.folder.glob("shopward.db*"))
        assert b"another-phone-token" not in kept

    told(story)


def test_exceptions_and_progress(told):
    """One user is let out, the others are not; the order says how many."""

    async def story(client, _shopward):
        order_id = (await client.post("/v1/orders", json=FREEZE)).json()["id"]
        body = {"users": ["u1"], "cause": "staff_release", "evidence": "case-12"}
        done = await client.post(f"/v1/orders/{order_id}/exceptions", json=body)
        assert done.json() == {"released": 1, "already": 0}
        again = await client.post(f"/v1/orders/{order_id}/exceptions", json=body)
        assert (again.status_code, again.json()["code"]) == (409, "already_released")
        assert await decided(client, pays(1)) == ("allow", [])
        assert await decided(client, pays(2, "u2")) == ("deny", [order_id])
        shown = (await client.get(f"/v1/orders/{order_id}?progress=true")).json()
        assert (shown["exceptions"], shown["progress"]["done"]) == (1, 1)
        assert (await client.get("/v1/orders/o-none")).status_code == 404

    told(story)


def test_the_command_shows_first_and_does_with_yes(tmp_path):
    """A dry run stops nothing; with ``--yes`` it is in force; one user is let out; the release waits for a second person."""
    with Server(tmp_path / "data") as server:
        environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}

        def run(*words, key=None):
            env = environment | ({"SHOPWARD_KEY": key} if key else {})
            done = CliRunner().invoke(order, words, env=env, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.output

        place = ("freeze", "--all", "--reason", "credential_stuffing", "--for", "3d")
        assert "nothing is stopped" in run(*place)
        assert json.loads(server.decide(pays(1))[1])["decision"] == "allow"
        order_id = run(*place, "--yes").split()[0]
        assert json.loads(server.decide(pays(2))[1])["orders"] == [order_id]
        assert order_id in run("list", "--state", "active")
        assert "nothing is released" in run("release", order_id, "--all")
        assert "released: 1" in run("release", order_id, "--user", "u1", "--yes")
        assert json.loads(server.decide(pays(3))[1])["decision"] == "allow"
        assert "second person" in run("release", order_id, "--all", "--yes")
        made = server.post("/v1/keys", {"name": "budi-1", "person": "budi", "roles": ["analyst"]})
        assert "cancelled" in run("approve", order_id, key=json.loads(made[1])["key"])
        assert "let out  1" in run("show", order_id)
        limit = (
            "limit",
            "--user",
            "u9",
            "--amount-minor",
            "500",
            "--currency",
            "IDR",
            "--reason",
            "takeover",
            "--review-in",
            "1d",
        )
        assert "IDR 5.00" in run(*limit, "--yes")


def test_the_command_refuses_wrong_use(monkeypatch):
    """No target, no end, an unknown scope, a key in clear text beyond this machine: nothing is sent."""
    monkeypatch.setenv("SHOPWARD_KEY", "sw_x")
    for words in (
        ("freeze", "--reason", "takeover", "--for", "3d"),
        ("freeze", "--all", "--user", "u", "--reason", "takeover", "--for", "3d"),
        ("freeze", "--all", "--reason", "takeover"),
        ("freeze", "--all", "--reason", "takeover", "--for", "3d", "--scope", "breathing"),
        ("release", "o-1"),
    ):
        assert CliRunner().invoke(order, words).exit_code == 2
    away = CliRunner().invoke(order, ("list", "--url", "http://shop.example:8700"))
    assert "clear text" in str(away.exception)


def test_decisions_go_on_beside_many_captures(tmp_path):
    """Writers of one file take turns: spenders without pause starve neither decisions nor a freeze."""
    with Server(tmp_path / "data") as server:
        stop = threading.Event()

        def spend(first):
            number = first
            while not stop.is_set():
                number += 1
                made = json.loads(server.post("/v1/authorizations", pays(number, second=0))[1])
                server.post(f"/v1/authorizations/{made['id']}/capture", b"")

        threads = [threading.Thread(target=spend, args=(each * 100_000,)) for each in range(1, 5)]
        for thread in threads:
            thread.start()
        assert [server.decide(pays(number))[0] for number in range(1, 20)] == [200] * 19
        placed = server.post("/v1/orders", FREEZE)
        assert placed[0] == 201
        assert json.loads(server.decide(pays(50))[1])["decision"] == "deny"
        stop.set()
        for thread in threads:
            thread.join()
