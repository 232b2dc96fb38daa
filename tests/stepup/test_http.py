"""Step-up as a shop meets it: real calls, a real mail server, both databases, restarts in between."""

from __future__ import annotations

import asyncio
import json
import random

import pyotp
import pytest
from sqlalchemy import text

from protection.conftest import database  # noqa: F401 -- a fixture
from shopward.errors import Misconfigured
from shopward.service import Shopward
from shopward.values import DAY_MS, MINUTE_MS
from stepup.authenticator import Authenticator
from stepup.front import DEVICE, WHO, Front
from stepup.world import wrong

TO = {"channel": "email", "to": "budi@mail.example"}


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


async def enrol_app(shop):
    """An app for u1, and what it shows from the next step on."""
    decision = await shop.decide("mfa_enroll")
    status, started = await shop.post(
        "/v1/users/u1/factors",
        {"kind": "totp", "decision_id": decision["id"], "name": "budi", "context": DEVICE},
    )
    assert status == 201, started
    app = pyotp.TOTP(started["secret_base32"])
    answer = {"answer": app.at(shop.clock.at_ms // 1000), "context": DEVICE}
    status, factors = await shop.post(f"/v1/users/u1/factors/{started['id']}/confirm", answer)
    assert (status, [each["kind"] for each in factors["factors"]]) == (200, ["totp"])
    shop.clock.advance(MINUTE_MS)
    return app, started["id"]


async def prove(shop, decision, app):
    """Pass a decision's challenge with the app."""
    code = app.at(shop.clock.at_ms // 1000)
    answered = await shop.post(
        f"/v1/challenges/{decision['id']}/verify", WHO | {"factor": "totp", "answer": code}
    )
    shop.clock.advance(MINUTE_MS)
    return answered


def test_a_code_by_mail_lets_its_owner_in_and_a_replay_knows_it(front):
    """The code arrives, a wrong one is a problem, the right one satisfies the rule; after a restart too."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        status, asked = await shop.get(path)
        assert (status, asked["state"], asked["offered"], asked["exclude"]) == (
            200,
            "open",
            ["email"],
            ["sms"],
        )
        status, sent = await shop.post(path + "/codes", WHO | TO, **{"Accept-Language": "id"})
        assert (status, sent["expires_at"]) == (200, asked["expires_at"])
        code = shop.letterbox.code()
        status, refused = await shop.post(path + "/verify", WHO | {"factor": "email", "answer": wrong(code)})
        assert (status, refused["code"]) == (403, "wrong_answer")
        assert (await shop.decide("login"))["decision"] == "challenge"
        status, passed = await shop.post(path + "/verify", WHO | {"factor": "email", "answer": code})
        assert (status, passed["state"], passed["factor"]) == (200, "passed", "email")
        assert (await shop.decide("login"))["decision"] == "allow"
        status, refused = await shop.post(path + "/verify", WHO | {"factor": "email", "answer": code})
        assert (status, refused["code"]) == (403, "replayed")
        return decision["id"]

    decision_id = front.run(story)

    async def after_a_restart(shop):
        assert (await shop.get(f"/v1/challenges/{decision_id}"))[1]["state"] == "passed"
        assert (await shop.decide("login"))["decision"] == "allow"
        assert (await shop.decide("login", context={"device_id": "other"}))["decision"] == "challenge"
        timeline = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        told = [each["event"] for each in timeline if each["event"]["type"] == "challenge"]
        assert [each["status"] for each in told] == ["succeeded", "failed"]
        assert {each["challenge"]["decision_id"] for each in told} == {decision_id}
        shop.clock.advance(11 * MINUTE_MS)
        assert (await shop.decide("login"))["decision"] == "challenge"

    front.run(after_a_restart)


def test_factors_come_and_go_on_a_decision_and_a_proof(front):
    """The first needs a decision, every further change a proof spent once; a passkey signs for the challenge."""
    device = Authenticator(random.Random(7))

    async def story(shop):
        app, app_id = await enrol_app(shop)
        decision = await shop.decide("mfa_enroll")
        body = {"kind": "passkey", "decision_id": decision["id"], "name": "budi", "context": DEVICE}
        status, refused = await shop.post("/v1/users/u1/factors", body)
        assert (status, refused["code"]) == (403, "no_proof")
        status, passed = await prove(shop, decision, app)
        assert (status, passed["state"]) == (200, "passed")
        status, started = await shop.post("/v1/users/u1/factors", body)
        assert status == 201
        created = device.create(started["options"])
        status, factors = await shop.post(
            f"/v1/users/u1/factors/{started['id']}/confirm", {"answer": created, "context": DEVICE}
        )
        assert sorted(each["kind"] for each in factors["factors"]) == ["passkey", "totp"]
        assert (await shop.post("/v1/users/u1/factors", body))[1]["code"] == "replayed"
        challenged = await shop.challenged_login()
        path = f"/v1/challenges/{challenged['id']}"
        assert (await shop.get(path))[1]["offered"] == ["passkey", "totp", "email"]
        _status, options = await shop.post(path + "/passkey", WHO)
        signed = device.get(options["options"])
        status, passed = await shop.post(path + "/verify", WHO | {"factor": "passkey", "answer": signed})
        assert (status, passed["factor"]) == (200, "passkey")
        removal = await shop.decide("mfa_remove")
        path = f"/v1/users/u1/factors/{app_id}/remove"
        body = {"decision_id": removal["id"], "context": DEVICE}
        assert (await shop.post(path, body))[1]["code"] == "no_proof"
        assert (await prove(shop, removal, app))[0] == 200
        assert (await shop.post(path, body)) == (200, {"id": app_id})
        assert [each["kind"] for each in (await shop.get("/v1/users/u1/factors"))[1]["factors"]] == [
            "passkey"
        ]
        events = [each["event"]["type"] for each in (await shop.get("/v1/users/u1/timeline"))[1]["entries"]]
        assert (events.count("mfa_enroll"), events.count("mfa_remove")) == (4, 2)  # asked for, and done

    front.run(story)


def test_recovery_codes_are_shown_once_and_pass_once(lite):
    """They come with the answer, are counted in the list, and one used is gone."""

    async def story(shop):
        decision = await shop.decide("mfa_enroll")
        body = {"kind": "recovery_code", "decision_id": decision["id"], "context": DEVICE}
        status, started = await shop.post("/v1/users/u1/factors", body)
        assert (status, len(started["codes"])) == (201, 10)
        assert (await shop.get("/v1/users/u1/factors"))[1]["factors"][0]["state"] == "10 left"
        again = await shop.decide("mfa_enroll")
        path = f"/v1/challenges/{again['id']}"
        assert (await shop.get(path))[1]["offered"] == ["recovery_code"]
        answer = WHO | {"factor": "recovery_code", "answer": started["codes"][0]}
        assert (await shop.post(path + "/verify", answer))[0] == 200
        assert (await shop.get("/v1/users/u1/factors"))[1]["factors"][0]["state"] == "9 left"
        third = await shop.decide("mfa_enroll")
        path = f"/v1/challenges/{third['id']}"
        assert (await shop.post(path + "/verify", answer))[1]["code"] in ("wrong_answer", "replayed")

    lite.run(story)


def test_an_order_that_asks_for_a_step_up_is_satisfied_like_a_rule(front):
    """Its level bounds what is offered; after the pass the payment goes ahead, on that device alone."""

    async def story(shop):
        app, _app_id = await enrol_app(shop)
        order = {
            "kind": "step_up", "scope": ["spend_balance"], "target": {"user": "u1"}, "reason": "account_at_risk",
            "assurance": 2, "ends_at": "2026-01-08T00:00:00Z",
        }  # fmt: skip
        assert (await shop.post("/v1/orders", order))[0] == 201
        pay = {"transaction": {"id": "t-1", "amount_minor": 1000, "currency": "IDR", "instrument": "balance"}}
        challenged = await shop.decide("payment", **pay)
        assert challenged["decision"] == "challenge"
        path = f"/v1/challenges/{challenged['id']}"
        assert (await shop.get(path))[1]["offered"] == ["totp"]
        assert (await shop.post(path + "/codes", WHO | TO))[1]["code"] == "excluded_factor"
        assert (await prove(shop, challenged, app))[0] == 200
        assert (await shop.decide("payment", **pay))["decision"] == "allow"
        other = await shop.decide("payment", context={"device_id": "other"}, **pay)
        assert other["decision"] == "challenge"

    front.run(story)


def test_an_order_that_comes_after_the_decision_takes_a_factor_away(lite):
    """What the threat owns since then proves nothing, though it was offered."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        order = {
            "kind": "step_up", "scope": ["login"], "target": {"user": "u1"}, "reason": "phishing", "exclude": ["email"],
            "ends_at": "2026-01-08T00:00:00Z",
        }  # fmt: skip
        assert (await shop.post("/v1/orders", order))[0] == 201
        status, refused = await shop.post(
            path + "/verify", WHO | {"factor": "email", "answer": shop.letterbox.code()}
        )
        assert (status, refused["code"]) == (403, "excluded_factor")
        later = await shop.decide("login")
        status, refused = await shop.get(f"/v1/challenges/{later['id']}")
        assert (status, refused["code"]) == (403, "no_factor_left")

    lite.run(story)


def test_nobody_else_answers_and_nothing_else_is_answered(lite):
    """Another user, another device, an allowed decision, an unknown id, a stranger's order of things."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        answer = {"factor": "email", "answer": shop.letterbox.code()}
        for who in (
            {"user": {"id": "u2"}, "context": DEVICE},
            {"user": {"id": "u1"}},
            WHO | {"context": {"device_id": "x"}},
        ):
            assert (await shop.post(path + "/verify", who | answer))[1]["code"] == "wrong_subject"
        allowed = await shop.decide("order_view", "succeeded")
        for name in (allowed["id"], "d-none", "nothing"):
            status, refused = await shop.post(f"/v1/challenges/{name}/verify", WHO | answer)
            assert (status, refused["code"]) == (404, "unknown_challenge")
        for to in ("budi@mail.example\r\nBcc: x@y.example", "a@b.example, c@d.example", "", "+628"):
            status, refused = await shop.post(path + "/codes", WHO | TO | {"to": to})
            assert (status, refused["code"], refused["path"]) == (422, "invalid_field", "to")
            assert "example" not in json.dumps(refused["found"])
        assert (await shop.post(path + "/verify", WHO | answer))[0] == 200

    lite.run(story)


def test_five_wrong_answers_close_a_challenge_and_each_is_in_the_log(lite):
    """The sixth is not looked at; the audit log has every one."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        bad = WHO | {"factor": "email", "answer": wrong(shop.letterbox.code())}
        codes = [(await shop.post(path + "/verify", bad))[1]["code"] for _ in range(6)]
        assert codes == ["wrong_answer"] * 5 + ["too_many_tries"]
        assert (await shop.get(path))[1]["state"] == "locked"
        timeline = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        assert sum(each["event"]["type"] == "challenge" for each in timeline) == 5
        lines = shop.shopward.records.read(lambda each: shop.shopward.trail.read(each, after_seq=0, limit=50))
        deeds = [line.deed for line in lines if line.deed.startswith("challenge")]
        assert deeds == ["challenge:create"] + ["challenge:fail"] * 4 + ["challenge:lock"]
        assert not any("mail.example" in line.details for line in lines)

    lite.run(story)


def test_one_answer_raced_by_many_calls_passes_once(front):
    """Eight at once: one hears that it passed, and the log has one pass."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        answer = WHO | {"factor": "email", "answer": shop.letterbox.code()}
        heard = await asyncio.gather(*(shop.post(path + "/verify", answer) for _ in range(8)))
        assert sum(status == 200 for status, _body in heard) >= 1
        timeline = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        told = [each["event"]["status"] for each in timeline if each["event"]["type"] == "challenge"]
        assert told.count("succeeded") == 1

    front.run(story)


def test_a_pass_that_a_crash_kept_from_the_log_is_told_by_the_next_call(front):
    """Between the pass and its event the process dies; the shop asks again, and the customer is in."""
    kept = {}

    async def dies(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        kept["path"], kept["answer"] = path, WHO | {"factor": "email", "answer": shop.letterbox.code()}

        async def full_disk(_gate, _event):
            raise OSError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shopward.http.challenges.tell", full_disk)
            assert (await shop.post(path + "/verify", kept["answer"]))[0] == 500
        assert (await shop.decide("login"))["decision"] == "challenge"

    front.run(dies)

    async def asks_again(shop):
        assert (await shop.post(kept["path"] + "/verify", kept["answer"]))[0] == 200
        assert (await shop.decide("login"))["decision"] == "allow"
        assert (await shop.post(kept["path"] + "/verify", kept["answer"]))[1]["code"] == "replayed"

    front.run(asks_again)


def test_that_was_not_me_closes_it_from_any_device(lite):
    """The owner calls it off; the answer that follows is refused, and the log has the sign."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        status, closed = await shop.post(path + "/cancel", WHO | {"context": {"device_id": "laptop"}})
        assert (status, closed["state"]) == (200, "cancelled")
        status, refused = await shop.post(
            path + "/verify", WHO | {"factor": "email", "answer": shop.letterbox.code()}
        )
        assert (status, refused["code"]) == (403, "cancelled")
        newest = (await shop.get("/v1/users/u1/timeline"))[1]["entries"][0]["event"]
        assert (newest["type"], newest["status"], newest["challenge"]["factor"]) == (
            "challenge",
            "failed",
            "not_me",
        )
        assert (await shop.post(path + "/cancel", {"user": {"id": "u2"}}))[1]["code"] == "wrong_subject"

    lite.run(story)


def test_staff_remove_a_lost_factor_and_choose_nothing(lite):
    """An analyst needs a case; a service needs its customer's proof; nobody of staff can add."""

    async def story(shop):
        _app, app_id = await enrol_app(shop)
        analyst, service = await shop.key_for("anna", "analyst"), await shop.key_for("shop", "service")
        path = f"/v1/users/u1/factors/{app_id}/remove"
        assert (await shop.post(path, {"evidence": "case-7"}, **service))[1]["code"] == "role_missing"
        assert (await shop.post(path, {}, **analyst))[1]["path"] == "decision_id"
        assert (await shop.post("/v1/users/u1/factors", {}, **analyst))[1]["code"] == "role_missing"
        assert (await shop.post(path, {"evidence": "case-7"}, **analyst)) == (200, {"id": app_id})
        assert (await shop.post(path, {"evidence": "case-7"}, **analyst))[1]["code"] == "unknown_factor"
        assert (await shop.get("/v1/users/u1/factors"))[1] == {"factors": []}
        lines = shop.shopward.records.read(lambda each: shop.shopward.trail.read(each, after_seq=0, limit=50))
        removed = [line for line in lines if line.deed == "factor:remove"][-1]  # a checkpoint may follow it
        assert removed.actor == "anna-1"
        assert '"evidence":"case-7"' in removed.details

    lite.run(story)


def test_a_decision_that_nobody_began_to_prove_is_over_after_ten_minutes(lite):
    """Start the operation again; what was begun has its own ten minutes."""

    async def story(shop):
        decision = await shop.challenged_login()
        shop.clock.advance(10 * MINUTE_MS)
        assert (await shop.get(f"/v1/challenges/{decision['id']}"))[1]["code"] == "expired"

    lite.run(story)


def test_without_a_domain_neither_codes_nor_passkeys_are_offered(tmp_path):
    """The safe default: an app and recovery codes work, all else is off."""

    async def story(shop):
        decision = await shop.challenged_login()
        assert (await shop.get(f"/v1/challenges/{decision['id']}"))[1]["code"] == "no_factor_left"
        asked = await shop.decide("mfa_enroll")
        body = {"kind": "passkey", "decision_id": asked["id"], "context": DEVICE}
        status, refused = await shop.post("/v1/users/u1/factors", body)
        assert (status, refused["code"]) == (409, "not_offered")
        await enrol_app(shop)
        again = await shop.decide("login")
        assert (await shop.get(f"/v1/challenges/{again['id']}"))[1]["offered"] == ["totp"]

    off = {"shop_domain": "", "smtp_url": "", "mail_from": ""}
    with Front(tmp_path / "data", **off) as front:
        front.run(story)


def test_a_lost_key_beside_enrolled_factors_ends_the_start(lite):
    """Under a new key every app would be lost silently; so none is made."""

    async def story(shop):
        await enrol_app(shop)

    lite.run(story)
    (lite.folder / "stepup.key").unlink()
    with pytest.raises(Misconfigured) as refused:
        Shopward.open(lite.settings, clock=lite.clock)
    assert refused.value.path == "stepup.key"


def test_each_change_of_factors_is_owed_to_the_shop(front):
    """Added, removed, called off: a message in the transaction of each, which names no user."""

    async def story(shop):
        _app, app_id = await enrol_app(shop)
        await shop.post(f"/v1/users/u1/factors/{app_id}/remove", {"evidence": "case-7"})
        decision = await shop.challenged_login()
        await shop.post(f"/v1/challenges/{decision['id']}/cancel", {"user": {"id": "u1"}})
        rows = shop.shopward.records.read(
            lambda each: each.execute(text("SELECT topic, subject, payload FROM outbox_message")).all()
        )
        rows = [row for row in rows if row.topic.partition(".")[0] in ("challenge", "factor")]
        assert sorted(row.topic for row in rows) == ["challenge.denied", "factor.added", "factor.removed"]
        assert {row.subject for row in rows if row.topic.startswith("factor")} == {app_id}
        token = shop.shopward.maker.user_token("u1")
        assert not any("u1" in row.payload or token in row.payload for row in rows)

    front.run(story)


def test_old_challenges_are_forgotten_and_not_asked_anew(lite):
    """After two days the row is gone; the decision is too old to be challenged again."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}"
        await shop.post(path + "/codes", WHO | TO)
        assert shop.shopward.proofs.forget() == 0
        shop.clock.advance(3 * DAY_MS)
        assert shop.shopward.proofs.forget() == 1
        assert (await shop.get(path))[1]["code"] == "expired"

    lite.run(story)
