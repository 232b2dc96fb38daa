"""Recovery as a shop and its customer go through it: real calls, a real mail server, both databases."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import text

from protection.conftest import database  # noqa: F401 -- a fixture
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339
from stepup.front import WHO, Front
from stepup.test_http import TO, enrol_app, prove

PAY = {"transaction": {"id": "t-1", "amount_minor": 1000, "currency": "IDR", "instrument": "balance"}}
THIEF = {"device_id": "thief", "os": "Windows 11", "browser": "Chrome", "country": "KP"}
NEW = {"password_hmac": "fresh"}


@pytest.fixture
def front(database, tmp_path):  # noqa: F811 -- the fixture
    """A shop on each database."""
    with Front(tmp_path / "data", database=database) as shop:
        yield shop


@pytest.fixture
def lite(tmp_path):
    """A shop on SQLite, where the database makes no difference."""
    with Front(tmp_path / "data") as shop:
        yield shop


async def frozen(shop, reason="account_at_risk", **more):
    """A customer froze the account; where the way back is."""
    status, case = await shop.post("/v1/users/u1/freeze", {"reason": reason, **more})
    assert (status, case["state"], case["next"]) == (201, "frozen", "identity")
    return f"/v1/recoveries/{case['id']}", case


async def mailed(shop, case):
    """The proof by an e-mailed code."""
    path = f"/v1/challenges/{case['id']}"
    status, _sent = await shop.post(path + "/codes", WHO | TO)
    assert status == 200, _sent
    return await shop.post(path + "/verify", WHO | {"factor": "email", "answer": shop.letterbox.code()})


async def through(shop, path, *, undo=()):
    """All steps after the proof."""
    assert (await shop.post(path + "/identity", WHO))[1]["state"] == "proved"
    assert (await shop.post(path + "/password", WHO | NEW))[1]["state"] == "renewed"
    status, case = await shop.post(path + "/sessions", WHO)
    assert (status, case["state"]) == (200, "ended")
    keep = [each["event_id"] for each in case["changes"] if each["event_id"] not in undo]
    assert (await shop.post(path + "/review", WHO | {"keep": keep, "undo": [*undo]}))[1][
        "state"
    ] == "reviewed"
    return await shop.post(path + "/release", WHO)


def test_a_customer_freezes_the_account_and_is_led_back(front):
    """One call stops money and changes; five steps later all is open, and what the thief left is to be taken back."""

    async def story(shop):
        await shop.decide("login", "succeeded", credential={"password_hmac": "old"})
        shop.clock.advance(DAY_MS)
        payee = shop.event("payee_add", "succeeded", context=THIEF)
        await shop.client.post("/v1/decisions", json=payee)
        assert (await shop.decide("payment", **PAY))["decision"] == "allow"
        service = await shop.key_for("shop", "service")
        status, case = await shop.post("/v1/users/u1/freeze", {"reason": "account_at_risk"}, **service)
        assert status == 201
        path = f"/v1/recoveries/{case['id']}"
        stopped = await shop.decide("payment", **PAY)
        assert (stopped["decision"], sorted(stopped["orders"])) == ("deny", sorted(case["orders"]))
        assert (await shop.decide("email_change"))["decision"] == "deny"
        assert (await shop.decide("login"))["decision"] == "allow"
        for step in ("password", "sessions", "review", "release"):
            status, refused = await shop.post(f"{path}/{step}", WHO)
            assert (status, refused["code"], refused["expected"]) == (409, "recovery_state", "identity")
        assert (await shop.post(path + "/identity", WHO))[1]["code"] == "no_proof"
        assert (await shop.get(f"/v1/challenges/{case['id']}"))[1]["offered"] == ["email"]
        assert (await mailed(shop, case))[1]["state"] == "passed"
        assert (await shop.post(path + "/identity", WHO))[1]["state"] == "proved"
        for bad in ({}, {"password_hmac": "old"}, {"password_hmac": "x", "breached": True}):
            assert (await shop.post(path + "/password", WHO | bad))[1]["code"] == "password_refused"
        assert (await shop.post(path + "/password", WHO | NEW))[1]["next"] == "sessions"
        status, ended = await shop.post(path + "/sessions", WHO)
        changes = {each["event_id"]: each for each in ended["changes"]}
        assert sorted(each["kind"] for each in changes.values()) == ["payee", "sign_in"]
        assert changes[payee["id"]]["country"] == "KP"
        assert (await shop.post(path + "/review", WHO))[1]["code"] == "recovery_review"
        said = {"undo": [payee["id"]], "keep": [each for each in changes if each != payee["id"]]}
        assert (await shop.post(path + "/review", WHO | said))[1]["next"] == "release"
        status, done = await shop.post(path + "/release", WHO, **{"Accept-Language": "id"})
        assert (status, done["state"], done["next"]) == (200, "released", "")
        assert sorted(done["released"]) == sorted(case["orders"])
        assert "Pembekuan sudah berakhir" in done["explanation"]["stopped"]
        paid = await shop.decide("payment", **PAY)
        assert (paid["decision"], [each["type"] for each in paid["actions"]]) == (
            "allow",
            ["revoke_sessions"],
        )
        await shop.decide("login", "succeeded", session={"id": "s-new"})
        assert (await shop.decide("payment", session={"id": "s-new"}, **PAY))["actions"] == []
        rows = shop.shopward.records.read(
            lambda each: each.execute(text("SELECT topic, subject, payload FROM outbox_message")).all()
        )
        told = [row.topic for row in rows]
        assert (
            told.count("recovery.started"),
            told.count("recovery.stepped"),
            told.count("recovery.completed"),
        ) == (1, 4, 1)
        assert [row.subject for row in rows if row.topic == "change.undo_asked"] == [payee["id"]]
        lines = shop.shopward.records.read(lambda each: shop.shopward.trail.read(each, after_seq=0, limit=99))
        deeds = [line.deed for line in lines]
        assert (
            deeds.count("self:freeze"),
            deeds.count("recovery:step"),
            deeds.count("recovery:complete"),
        ) == (1, 4, 1)

    front.run(story)

    async def after_a_restart(shop):
        assert (await shop.decide("payment", session={"id": "s-new"}, **PAY))["decision"] == "allow"

    front.run(after_a_restart)


def test_each_step_taken_twice_changes_nothing_and_hears_the_same(front):
    """Also the freeze, and also eight at once."""

    async def story(shop):
        path, case = await frozen(shop)
        again = await asyncio.gather(*(shop.post("/v1/users/u1/freeze", {}) for _ in range(8)))
        assert {body["id"] for _status, body in again} == {case["id"]}
        assert shop.shopward.desk.engine.orders.version == 2
        await mailed(shop, case)
        heard = await asyncio.gather(*(shop.post(path + "/identity", WHO) for _ in range(8)))
        assert {(status, body["state"]) for status, body in heard} == {(200, "proved")}
        await through(shop, path)
        for step in ("identity", "password", "sessions", "review", "release"):
            assert (await shop.post(f"{path}/{step}", WHO))[1]["state"] == "released"
        lines = shop.shopward.records.read(lambda each: shop.shopward.trail.read(each, after_seq=0, limit=99))
        assert sum(line.deed == "recovery:step" for line in lines) == 4

    front.run(story)


def test_a_lost_phone_proves_nothing_and_staff_cannot_do_the_steps(lite):
    """App, number and mailbox went with it; what is left is a recovery code, or a member of staff who looks."""

    async def story(shop):
        await enrol_app(shop)
        shop.clock.advance(31 * DAY_MS)
        _path, case = await frozen(shop, "lost_device")
        status, refused = await shop.get(f"/v1/challenges/{case['id']}")
        assert (status, refused["code"]) == (403, "no_factor_left")
        analyst = await shop.key_for("anna", "analyst")
        status, refused = await shop.post(f"/v1/recoveries/{case['id']}/identity", WHO, **analyst)
        assert (status, refused["code"]) == (403, "role_missing")
        order_id = case["orders"][0]
        assert (await shop.post(f"/v1/orders/{order_id}/release", {}, **analyst))[0] == 200
        _path, again = await frozen(shop)
        assert (again["id"], len(again["orders"])) == (case["id"], 4)
        assert (await shop.decide("payment", **PAY))["decision"] == "deny"

    lite.run(story)


def test_what_changed_since_it_began_proves_nothing(lite):
    """An app that was enrolled since, and a mailbox that was entered since, are not the owner's."""

    async def story(shop):
        began = to_rfc3339(shop.clock.at_ms)
        shop.clock.advance(HOUR_MS)
        await enrol_app(shop)
        path, case = await frozen(shop, since=began)
        assert (await shop.get(f"/v1/challenges/{case['id']}"))[1]["offered"] == ["email"]
        await shop.decide("email_change", "succeeded", context=THIEF)
        assert (await shop.get(f"/v1/challenges/{case['id']}"))[1]["code"] == "no_factor_left"
        _status, seen = await shop.get(path)
        assert sorted(each["kind"] for each in seen["changes"]) == ["contact", "factor"]

    lite.run(story)


def test_a_factor_that_was_not_the_owners_is_removed_by_the_review(lite):
    """Shopward keeps factors itself: what the review undoes proves nothing from then on."""

    async def story(shop):
        shop.clock.advance(DAY_MS)
        _app, app_id = await enrol_app(shop)
        path, case = await frozen(shop)
        await mailed(shop, case)
        assert (await through(shop, path, undo=[f"{app_id}-added"]))[1]["state"] == "released"
        assert (await shop.get("/v1/users/u1/factors"))[1] == {"factors": []}

    lite.run(story)


def test_the_release_meets_exactly_what_was_proved(front):
    """A mass freeze with a new password as its condition lets this customer out; one that only staff releases stays."""

    async def story(shop):
        mass = {
            "kind": "freeze", "scope": ["stored_value"], "target": {"everyone": True}, "reason": "credential_stuffing",
            "ends_at": "2026-01-08T00:00:00Z",
        }  # fmt: skip
        by_password = (await shop.post("/v1/orders", mass | {"release": ["password_changed"]}))[1]["id"]
        by_passkey = (await shop.post("/v1/orders", mass | {"release": ["passkey_enrolled"]}))[1]["id"]
        by_staff = (await shop.post("/v1/orders", mass | {"release": ["staff_release"]}))[1]["id"]
        shop.clock.advance(MINUTE_MS)
        path, case = await frozen(shop)
        await mailed(shop, case)
        _status, done = await through(shop, path)
        assert sorted(done["released"]) == sorted([*case["orders"], by_password])
        covering = (await shop.decide("payment", **PAY))["orders"]
        assert {by_passkey, by_staff} <= {*covering}
        assert by_password not in covering
        assert by_password in (await shop.decide("payment", user={"id": "u2"}, **PAY))["orders"]

    front.run(story)


def test_a_proof_is_good_for_an_hour_on_its_device(lite):
    """Another device takes no step; after an hour the proof is asked for again, and the freeze stands."""

    async def story(shop):
        app, _app_id = await enrol_app(shop)
        shop.clock.advance(8 * DAY_MS)
        path, case = await frozen(shop)
        assert (await prove(shop, case, app))[1]["state"] == "passed"
        assert (await shop.post(path + "/identity", WHO | {"context": THIEF}))[1]["code"] in (
            "wrong_subject",
            "no_proof",
        )
        assert (await shop.post(path + "/identity", WHO))[1]["factor"] == "totp"
        assert (await shop.post(path + "/password", WHO | NEW | {"context": THIEF}))[1][
            "code"
        ] == "wrong_subject"
        assert (await shop.post(path + "/password", WHO | NEW | {"user": {"id": "u2"}}))[1][
            "code"
        ] == "wrong_subject"
        shop.clock.advance(HOUR_MS)
        assert (await shop.post(path + "/password", WHO | NEW))[1]["code"] == "recovery_lapsed"
        assert (await shop.get(path))[1]["state"] == "frozen"
        assert (await shop.post(path + "/identity", WHO))[1]["code"] == "no_proof"
        assert (await prove(shop, case, app))[1]["state"] == "passed"
        assert (await shop.post(path + "/identity", WHO))[1]["state"] == "proved"

    lite.run(story)


def test_the_old_contact_takes_a_change_back(front):
    """A token that only its bearer has freezes the account, once, for three days, and opens nothing else."""

    async def story(shop):
        shop.clock.advance(DAY_MS)
        change = shop.event("email_change", "succeeded", context=THIEF)
        await shop.client.post("/v1/decisions", json=change)
        status, first = await shop.post("/v1/undos", {"event_id": change["id"]})
        assert status == 201
        _status, offered = await shop.post("/v1/undos", {"event_id": change["id"]})
        rows = shop.shopward.records.read(
            lambda each: each.execute(text("SELECT * FROM recovery_undo")).all()
        )
        assert offered["token"].encode() not in b"".join(bytes(row.digest) for row in rows)
        assert offered["token"] not in repr(rows)
        assert (await shop.post("/v1/undos/use", {"token": first["token"]}))[1]["code"] == "undo_refused"
        status, case = await shop.post("/v1/undos/use", {"token": offered["token"]})
        assert (status, case["state"], case["reason"]) == (200, "frozen", "takeover")
        assert (await shop.decide("payment", **PAY))["decision"] == "deny"
        assert [each["event_id"] for each in case["changes"]] == [change["id"]]
        assert (await shop.post("/v1/undos/use", {"token": offered["token"]}))[1]["id"] == case["id"]
        assert shop.shopward.desk.engine.orders.version == 2
        assert (await shop.post("/v1/undos", {"event_id": change["id"]}))[1]["code"] == "undo_refused"
        late = shop.event("phone_change", "succeeded")
        await shop.client.post("/v1/decisions", json=late)
        _status, offered = await shop.post("/v1/undos", {"event_id": late["id"]})
        shop.clock.advance(3 * DAY_MS)
        assert (await shop.post("/v1/undos/use", {"token": offered["token"]}))[1]["code"] == "undo_refused"
        assert (await shop.post("/v1/undos", {"event_id": late["id"]}))[1]["code"] == "undo_refused"
        seen = await shop.decide("order_view", "succeeded")
        assert (await shop.post("/v1/undos", {"event_id": seen["event_id"]}))[1]["code"] == "not_found"
        assert shop.shopward.undos.forget() == 0
        shop.clock.advance(31 * DAY_MS)
        assert (
            shop.shopward.undos.forget() == 2
        )  # the used one and the late one: nothing of a way back stays for ever

    front.run(story)


def test_a_word_that_is_none_and_a_case_that_is_none_are_refused(lite):
    """Each with its path; nothing that was sent is repeated."""

    async def story(shop):
        status, refused = await shop.post("/v1/users/u1/freeze", {"reason": "bored"})
        assert (status, refused["path"]) == (422, "reason")
        assert (await shop.get("/v1/recoveries/r-none"))[0] == 404
        assert (await shop.post("/v1/recoveries/r-none/identity", WHO))[0] == 404
        assert (await shop.get("/v1/challenges/r-none"))[1]["code"] == "unknown_challenge"
        for token in ("x", "é" * 10):
            status, refused = await shop.post("/v1/undos/use", {"token": token})
            assert (status, refused["code"]) == (403, "undo_refused")
            assert token not in json.dumps(refused["found"])

    lite.run(story)


def test_a_proof_lets_out_of_an_order_and_a_word_does_not(front):
    """By an app from before, since the order began, for one user; the same proof opens nothing of another user."""

    async def story(shop):
        app, _app_id = await enrol_app(shop)
        order = {
            "kind": "step_up", "scope": ["spend_balance"], "target": {"everyone": True}, "reason": "credential_stuffing",
            "assurance": 1, "ends_at": "2026-01-08T00:00:00Z", "release": ["identity_proved", "passkey_enrolled"],
        }  # fmt: skip
        order_id = (await shop.post("/v1/orders", order))[1]["id"]
        path = f"/v1/orders/{order_id}/exceptions"
        shop.clock.advance(MINUTE_MS)
        challenged = await shop.decide("payment", **PAY)
        asked = {"users": ["u1"], "cause": "identity_proved", "evidence": challenged["id"]}
        assert (await shop.post(path, asked))[1]["code"] == "release_condition"
        assert (await prove(shop, challenged, app))[0] == 200
        for wrong in (
            {"evidence": "case-12"},
            {"users": ["u2"]},
            {"users": ["u1", "u2"]},
            {"cause": "passkey_enrolled"},
        ):
            assert (await shop.post(path, asked | wrong))[1]["code"] == "release_condition"
        service = await shop.key_for("shop", "service")
        assert (await shop.post(path, asked, **service)) == (200, {"released": 1, "already": 0})
        other = await shop.decide("payment", context={"device_id": "other"}, **PAY)
        assert (other["decision"], other["orders"]) == ("allow", [])
        assert (await shop.decide("payment", user={"id": "u2"}, **PAY))["orders"] == [order_id]

    front.run(story)
