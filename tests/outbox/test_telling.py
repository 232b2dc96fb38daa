"""The server, its receivers and its store as real processes: killed in the middle, held up, spoken to over HTTP."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from outbox.test_signing import example
from receiver import Receiver
from serving import Server, event
from shopward.cli import main

ACTING = Path(__file__).parents[1] / "protection" / "acting"
QUICK = {"SHOPWARD_WEBHOOK_TIMEOUT_S": "1"}
"""A receiver has one second, and a delivery is one process's for three."""


@pytest.fixture
def receiver():
    """A receiver of the shop."""
    with Receiver() as running:
        yield running


def server_on(tmp_path, database, key=""):
    """A server process over a store of each kind."""
    return Server(tmp_path / "data", "--database", database, environment=QUICK, key=key)


def made(server, url, *topics):
    """A webhook; its id and secret."""
    status, body = server.post("/v1/webhooks", {"url": url, "topics": list(topics)})
    assert status == 201, body
    return json.loads(body)


def freeze(server, user):
    """An order about one user; its id."""
    body = {
        "kind": "freeze", "scope": ["stored_value"], "target": {"user": user}, "reason": "takeover",
        "review_at": "2027-01-08T00:00:00Z",
    }  # fmt: skip
    status, answer = server.post("/v1/orders", body)
    assert status == 201, answer
    return json.loads(answer)["id"]


def subjects(got):
    """What was told, by subject."""
    return Counter(json.loads(told["body"])["data"]["id"] for told in got)


def test_a_killed_server_loses_no_message(tmp_path, database, receiver):
    """Killed while letters are on their way: every order is told in the end, again under the same id, signed."""
    with server_on(tmp_path, database) as server:
        webhook = made(server, receiver.url + "/hangs/5", "order.activated")
        orders = [freeze(server, f"u{number}") for number in range(5)]
        first = receiver.heard(lambda got: len(got) >= 1)
        server.kill()
    with server_on(tmp_path, database, server.key) as server:
        orders.append(freeze(server, "u9"))
        path = f"/v1/webhooks/{webhook['id']}"
        _shown(server, lambda all_: "pending" not in all_[0] and all_[0].get("last_code") == "http_204")
        deliveries = json.loads(server.get(path + "/deliveries?state=delivered")[1])["deliveries"]
    assert {each["subject"] for each in deliveries} == set(orders)
    heard = receiver.heard(lambda got: set(orders) <= set(subjects(got)))
    assert subjects(heard)[next(iter(subjects(first)))] > 1
    ids = {(told["headers"]["webhook-id"], json.loads(told["body"])["data"]["id"]) for told in heard}
    assert len(ids) == len(orders)
    verified = example()
    assert all(
        verified(webhook["secret"], told["headers"], told["body"].encode(), now_s=int(time.time()))  # noqa: TID251 -- a receiver's clock
        for told in heard
    )


def test_receivers_that_hang_delay_nobody(tmp_path, database, receiver):
    """Two that never answer: decisions and the third receiver go on, and the two are shown as failing."""
    with server_on(tmp_path, database) as server:
        for number in range(2):
            made(server, f"{receiver.url}/hang?{number}", "order.activated")
        well = made(server, f"{receiver.url}/ok", "order.activated")
        order = freeze(server, "u1")
        started = time.monotonic()
        decided = [server.decide(event(number))[0] for number in range(200)]
        took_s = time.monotonic() - started
        heard = receiver.heard(lambda got: any(told["path"] == "/ok" for told in got))
        shown = _shown(server, lambda all_: sum(each.get("last_code") == "timeout" for each in all_) == 2)
    assert decided == [200] * 200
    assert took_s < 200 * 0.5, "a decision that waited for a receiver would have taken its second"
    assert {json.loads(told["body"])["data"]["id"] for told in heard if told["path"] == "/ok"} == {order}
    assert next(each for each in shown if each["id"] == well["id"])["last_code"] == "http_204"


def test_the_calls_of_an_administrator(tmp_path, receiver):
    """Make, test, look, rotate, replay, remove; as the page tells it."""
    with Server(tmp_path / "data", environment=QUICK) as server:
        webhook = made(server, receiver.url + "/once/a", "order.ended")
        path = f"/v1/webhooks/{webhook['id']}"
        assert webhook["secret"].startswith("whsec_")
        assert server.post(path + "/test", b"")[0] == 202
        receiver.heard(lambda got: len(got) == 2)
        _shown(server, lambda all_: all_[0].get("last_code") == "http_204")
        (delivery,) = json.loads(server.get(path + "/deliveries")[1])["deliveries"]
        assert (delivery["topic"], delivery["state"], delivery["tries"]) == ("webhook.test", "delivered", 2)
        rotated = json.loads(server.post(path + "/rotate", b"")[1])
        assert rotated["secret"] != webhook["secret"]
        assert "secret" not in json.loads(server.get(path)[1])
        assert json.loads(server.post(path + "/replay", b"")[1]) == {"replayed": 0}
        assert server.post("/v1/webhooks", {"url": receiver.url + "/once/a"})[0] == 409
        assert (
            json.loads(server.post("/v1/webhooks", {"url": "http://shop.example/"})[1])["code"]
            == "webhook_url"
        )
        assert server.post("/v1/webhooks", {"url": "https://a.example", "topics": ["a.b"]})[0] == 422
        assert server.get(path + "/deliveries?state=eaten")[0] == 422
        assert server.delete(path)[0] == 204
        assert server.get(path)[0] == 404
        assert json.loads(server.get("/v1/webhooks")[1]) == {"webhooks": []}
        said = "".join(server.out + server.err)
    assert webhook["secret"] not in said


def test_the_command_of_an_administrator(tmp_path, receiver, monkeypatch):
    """Add, test, list, look, rotate, replay, remove from the command line; the secret is printed once."""
    with Server(tmp_path / "data", environment=QUICK) as server:
        monkeypatch.setenv("SHOPWARD_KEY", server.key)
        monkeypatch.setenv("SHOPWARD_URL", server.url)

        def run(*words, code=0):
            done = CliRunner().invoke(main, ["webhook", *words])
            assert done.exit_code == code, done.output
            return done.output

        webhook_id, secret = run("add", receiver.url + "/ok", "--topic", "order.ended").split()
        assert "on its way: m-" in run("test", webhook_id)
        _shown(server, lambda all_: all_[0].get("last_code") == "http_204")
        assert "http_204" in run("list")
        assert "webhook.test" in run("deliveries", webhook_id, "--state", "delivered")
        assert run("rotate", webhook_id).split()[1] not in (secret, "")
        assert "tried again: 0" in run("replay", webhook_id)
        assert secret not in run("list", "--json")
        assert "nothing is removed" in run("remove", webhook_id)
        assert "removed" in run("remove", webhook_id, "--yes")
        run("rotate", webhook_id, code=1)


def _shown(server, enough):
    """The webhooks, as soon as they are as they should become."""
    until = time.monotonic() + 180
    while True:
        found = json.loads(server.get("/v1/webhooks")[1])["webhooks"]
        if enough(found):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)


def test_a_decision_has_its_consequences_though_the_server_dies(tmp_path, database, receiver):
    """Decided, killed at once, started again: the order stands, once, and the shop is told which event and decision."""
    flags = ("--database", database)
    with Server(tmp_path / "data", *flags, environment=QUICK, policy=ACTING) as server:
        made(server, receiver.url + "/ok", "decision.actions")
        for number in range(5):
            payment = event(
                number, type="payment", status="attempted", user={"id": f"u{number}"}, time=_now()
            )
            payment["transaction"] = {"id": f"t-{number}", "amount_minor": 1001, "currency": "IDR"}
            assert server.decide(payment)[0] == 200
        server.kill()
    with Server(tmp_path / "data", *flags, environment=QUICK, policy=ACTING, key=server.key) as server:
        heard = receiver.heard(lambda got: len(subjects(got)) == 5)
        found = json.loads(server.get("/v1/orders?state=active")[1])["orders"]
        one = json.loads(server.get(f"/v1/orders/{found[0]['id']}")[1])
    assert set(subjects(heard)) == {f"d-e-{number}" for number in range(5)}
    assert sorted(each["decision_id"] for each in found) == sorted(subjects(heard))
    assert one["decision_id"] == f"d-e-{one['user'][1:]}"


def _now():
    return datetime.now(UTC).isoformat()  # noqa: TID251 -- a real server has a real clock
