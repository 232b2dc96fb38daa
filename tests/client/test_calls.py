"""The clients against a real server, and against everything that is none."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import subprocess
import sys

import pytest

from serving import event as login
from serving import failed_login
from shopward.client import FAULTS, AsyncClient, Client, event
from shopward.client.breaker import FAILURES, PAUSE_S

MONEY = {"id": "t-1", "amount_minor": 5_000, "currency": "IDR", "instrument": "balance", "payee_id": "m1"}


def payment(number, **money):
    """A payment that is about to be made."""
    return login(
        number, type="payment", status="attempted", transaction=MONEY | {"id": f"t-{number}"} | money
    )


def answered(status, body, media_type="application/json"):
    """An HTTP answer as bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n\r\n"
    return head.encode() + raw


def test_a_decision_is_the_servers(server):
    """What the server decided arrives typed, with reasons in the language asked for."""
    with Client(server.url, server.key, timeout_s=10, language="id") as client:
        for number in range(4):
            decision = client.decide(failed_login(number))
        said = client.decide(failed_login(3), language="zh")
    assert decision.decision == "challenge"
    assert not decision.may_proceed
    assert not decision.is_fallback
    assert decision.id == "d-e-3"
    assert decision.action("step_up")
    assert decision.reasons[0].text != said.reasons[0].text, "the same recorded decision, in another language"
    assert said.score == decision.score


def test_the_async_client_says_the_same(server):
    """Both clients hear one recorded answer under one id."""

    async def story():
        async with AsyncClient(server.url, server.key, timeout_s=10) as client:
            decision = await client.decide(login(1))
            recorded = await client.record(login(2))
            opened = await client.authorize(payment(3))
            captured = await client.capture(opened)
            await client.void(opened)
            return decision, recorded, opened, captured

    decision, recorded, opened, captured = asyncio.run(story())
    with Client(server.url, server.key, timeout_s=10) as client:
        assert client.decide(login(1)) == decision
    assert recorded
    assert opened.may_capture
    assert captured.may_move_money


def test_money_moves_in_two_steps_and_a_freeze_in_between_stops_it(server):
    """What an order overtook is not captured, however the shop's table stands."""
    with Client(server.url, server.key, timeout_s=10, on_unreachable={"*": "allow"}) as client:
        first, second = client.authorize(payment(1)), client.authorize(payment(2))
        assert client.capture(first).may_move_money
        status, _ = server.post(
            "/v1/orders",
            {"kind": "freeze", "scope": ["stored_value"], "reason": "account_at_risk", "target": {"everyone": True},
             "ends_at": "2027-01-01T00:00:00Z"},
        )  # fmt: skip
        assert status == 201
        stopped = client.capture(second)
        assert not stopped.may_move_money
        assert stopped.fault.problem == "capture_stopped"
        refused = client.authorize(payment(3))
        assert (refused.state, refused.may_capture) == ("refused", False)


def test_a_killed_server_is_the_shops_table_and_comes_back_without_a_restart(server):
    """Kill, go on by the table, start again, and be heard again after the breaker's pause."""
    now = [0.0]
    with Client(server.url, server.key, timeout_s=2, steady_s=lambda: now[0]) as client:
        assert client.decide(login(1)).id
        server.kill()
        for number in range(FAILURES):
            assert client.decide(login(number)).fault.code == "unreachable"
        assert client.decide(login(1)).fault.code == "paused"
        assert client.decide(login(1)).decision == "allow"
        assert client.decide(payment(2)).decision == "challenge"
        assert client.decide(payment(2, instrument="card")).decision == "allow"
        opened = client.authorize(payment(2))
        assert not opened.may_capture
        assert not client.capture(opened).may_move_money
        server.command += ["--port", str(server.port)]
        server.url = ""
        server.start()
        assert client.decide(login(1)).fault.code == "paused", "the pause is not over yet"
        now[0] += PAUSE_S
        assert client.decide(login(1)).id == "d-e-1", "the recorded answer of before"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"code": "unauthorized"}, "unauthorized"),
        (403, {"code": "role_missing"}, "unauthorized"),
        (422, {"code": "event_in_future", "path": "time"}, "clock_skew"),
        (422, {"code": "unknown_word", "path": "type", "expected": "a type"}, "event_refused"),
        (409, {"code": "event_id_reused"}, "event_id_reused"),
        (404, {"code": "not_found"}, "too_old_server"),
        (404, b"<html>nginx</html>", "bad_answer"),
        (503, {"code": "not_ready"}, "unavailable"),
        (502, b"bad gateway", "unavailable"),
        (301, b"", "bad_answer"),
        (200, b"\xff\xfe", "bad_answer"),
        (200, b"[]", "bad_answer"),
        (200, {"decision": 7}, "bad_answer"),
        (200, b"[" * 100_000, "bad_answer"),
    ],
)
def test_every_answer_is_a_decision_or_a_fault(listen, status, body, code):
    """No status and no body raises; the fault names what to look at."""
    with Client(listen(answered(status, body)).url, "sw_key", timeout_s=5) as client:
        decision = client.decide(login(1))
        assert decision.fault.code == code
        assert decision.decision == "allow"
        assert code in FAULTS


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, {"state": "passed", "offered": ["totp"], "tries_left": 4}, "passed"),
        (403, {"code": "wrong_answer"}, "refused"),
        (404, {"code": "unknown_challenge"}, "refused"),
        (404, {"code": "not_found"}, "unheard"),
        (401, {"code": "unauthorized"}, "unheard"),
        (503, {"code": "not_ready"}, "unheard"),
        (200, {"state": "passed"}, "unheard"),
        (502, b"bad gateway", "unheard"),
    ],
)
def test_an_answer_proves_only_where_the_server_says_so(listen, caplog, status, body, state):
    """Whatever else comes back proves nothing; a wrong answer of a customer is nothing for the operator's log."""
    with Client(listen(answered(status, body)).url, "sw_key", timeout_s=5) as client:
        heard = client.answer("d-1/../x", who={"user": {"id": "u1"}}, factor="totp", answer="123456")
    assert (heard.state, heard.is_passed) == (state, state == "passed")
    assert bool(caplog.records) == (state == "unheard")


def test_a_challenge_is_asked_of_a_real_server(server):
    """A decision without a challenge has none, and an answer to it proves nothing."""

    async def story():
        async with AsyncClient(server.url, server.key, timeout_s=10) as client:
            looked = await client.challenge("d-none")
            tried = await client.answer("d-none", who={"user": {"id": "u1"}}, factor="totp", answer="123456")
            return looked, tried

    looked, tried = asyncio.run(story())
    assert (looked.state, looked.fault.problem) == ("refused", "unknown_challenge")
    assert (tried.state, tried.fault.code) == ("refused", "not_proved")


def test_a_customer_is_led_to_their_own_page(server, nobody):
    """A link that a real server opens, each time another; without a server, or for what is no id, a fault and no link."""
    with Client(server.url, server.key, timeout_s=10) as client:
        first, second = (
            client.own_page("u 1+2", language="zh", timezone="Asia/Shanghai") for _each in range(2)
        )
        assert first.url.startswith(f"{server.url}/visit/")
        assert (first.url == second.url, first.fault) == (False, None)
        assert "打开页面" in server.get(first.url.removeprefix(server.url))[1].decode()
        wrong = client.own_page("u1", timezone="Mars/Base")
        assert (wrong.url, wrong.fault.code) == ("", "event_refused")
        assert client.own_page(None).fault.code == "event_refused"

    async def asks():
        async with AsyncClient(server.url, server.key, timeout_s=10) as client:
            return await client.own_page("u1", language="id", regime="id_pdp", may_claim=False)

    assert asyncio.run(asks()).url.startswith(f"{server.url}/visit/")
    with Client(nobody, "sw_x") as client:
        assert client.own_page("u1").fault.code == "unreachable"


def test_a_word_that_is_none_of_the_four_stops(listen):
    """A newer server's word for a decision lets nobody through; its new fields disturb nothing."""
    body = {"id": "d-1", "event_id": "e-1", "decision": "quarantine", "score": 1, "reasons": [{"code": "x", "new": 1}],
            "brand_new": {}}  # fmt: skip
    with Client(listen(answered(200, body)).url, "sw_key", timeout_s=5) as client:
        decision = client.decide(login(1))
    assert (decision.decision, decision.is_fallback, decision.reasons[0].text) == ("deny", False, "x")


def test_a_server_that_does_not_answer_costs_its_timeout_and_no_more_calls(listen):
    """Silence is a timeout, is not tried twice, and opens the breaker."""
    silent = listen(closes=False)
    with Client(silent.url, "sw_key", timeout_s=0.2, steady_s=lambda: 0.0) as client:
        faults = [client.decide(login(1)).fault.code for _ in range(FAILURES + 2)]
    assert faults == ["timeout"] * FAILURES + ["paused"] * 2
    assert len(silent.seen) == FAILURES


def test_a_connection_that_breaks_is_tried_once_more_with_the_same_bytes(listen):
    """The retry is the same event, so that the server decides it once."""
    broken = listen()
    with Client(broken.url, "sw_key", timeout_s=5) as client:
        assert client.decide(login(1)).fault.code == "unreachable"
    one, two = broken.seen
    assert one.partition(b"\r\n\r\n")[2] == two.partition(b"\r\n\r\n")[2] != b""


def test_a_redirect_is_not_followed(listen):
    """The key goes nowhere that the shop did not name."""
    elsewhere = listen(answered(200, {}))
    head = f"HTTP/1.1 307 X\r\nlocation: {elsewhere.url}/v1/decisions\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    with Client(listen(head.encode()).url, "sw_key", timeout_s=5) as client:
        assert client.decide(login(1)).fault.code == "bad_answer"
    assert elsewhere.seen == []


def test_an_answer_that_drips_costs_a_bounded_time(listen):
    """A body that comes byte by byte ends with the call's own deadline."""
    drip = listen(answered(200, {"a": "b" * 1_000})[:-900], closes=False)
    with Client(drip.url, "sw_key", timeout_s=0.2) as client:
        assert client.decide(login(1)).fault.code == "timeout"


def test_an_answer_without_end_is_cut(listen):
    """A hostile body costs a bounded amount of memory."""
    endless = b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n" + b"x" * 5_000_000
    with Client(listen(endless).url, "sw_key", timeout_s=5) as client:
        assert client.decide(login(1)).fault.code == "bad_answer"


@pytest.mark.parametrize(
    "body", [{"id": "e-1", "type": "login", "at": object()}, {"id": "e-1", "x": float("nan")}]
)
def test_an_event_that_is_no_json_is_a_fault(nobody, body):
    """A mistake in the shop's code is told and does not stop a page."""
    with Client(nobody, "sw_key") as client:
        assert client.decide(body).fault.code == "event_refused"
        assert not client.record(body)


def test_a_fault_is_logged_once_a_minute_and_names_neither_key_nor_customer(nobody, caplog):
    """An outage does not fill the disk."""
    clock = itertools.count(0, 10)
    with (
        caplog.at_level(logging.WARNING, "shopward.client"),
        Client(nobody, "sw_secret", steady_s=lambda: float(next(clock))) as client,
    ):
        for _ in range(10):
            client.decide(login(1, user={"id": "budi-santoso"}))
    assert 1 <= len(caplog.messages) <= 6
    assert not any("sw_secret" in each or "budi" in each for each in caplog.messages)
    assert "sw_secret" not in repr(client.settings)


@pytest.mark.parametrize(
    ("url", "key", "options"),
    [
        ("http://shop.example:8700", "sw_key", {}),
        ("ftp://127.0.0.1", "sw_key", {}),
        ("127.0.0.1:8700", "sw_key", {}),
        ("http://127.0.0.1:8700", "", {}),
        ("http://127.0.0.1:8700", "sw_key\n", {}),
        ("http://127.0.0.1:8700", "sw_key", {"timeout_s": 0}),
        ("http://127.0.0.1:8700", "sw_key", {"language": "fr"}),
        ("http://127.0.0.1:8700", "sw_key", {"on_unreachable": {"login": "perhaps"}}),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_the_start(url, key, options):
    """What is wrong is said when the client is made, not in a customer's request."""
    with pytest.raises(ValueError, match=r"url|key|timeout_s|language|on_unreachable"):
        Client(url, key, **options)


def test_built_events_are_taken_by_the_server(server):
    """What ``event`` makes is an event of the catalogue; its ids are its own."""
    made = [
        event("login", "succeeded", user="u1", user_={"known": True}, context={"ip": "203.0.113.7"})
        for _ in "ab"
    ]
    with Client(server.url, server.key, timeout_s=10) as client:
        assert all(client.decide(each).id for each in made)
    assert made[0]["id"] != made[1]["id"]
    assert "user" not in event("login", "failed")


def test_the_client_brings_in_no_code_of_the_server():
    """A shop's process pays for the client alone."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, shopward.client; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = [name for name in told if name.split(".")[0] == "shopward"]
    assert all(name in ("shopward", "shopward.agents") or name.startswith("shopward.client") for name in ours)
    assert not {"sqlalchemy", "msgspec", "starlette", "click", "uvicorn"} & set(told)
