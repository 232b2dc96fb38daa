"""Conversations: from WhatsApp's signed webhook into the vault, read by who looks after them, answered in time."""

import asyncio
import hmac
import json
import os
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from notices.channels import UNDELIVERABLE, serving
from outbox.reading import owed
from persons import keyed
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from serving import Server
from shopward.cli import main
from shopward.conversations import inbound_in
from shopward.conversations.tables import conversation_message, conversation_record
from shopward.outbox.tables import outbox_message
from shopward.values import DAY_MS, HOUR_MS, SECOND_MS, SystemClock

VECTORS = Path(os.environ.get("SHOPWARD_SHARED", "/nowhere")) / "data" / "vectors" / "whatsapp"
SECRET, TOKEN = "app-secret", "t-1"
PHONE, PHONE_ID = "+6281234567890", "1122"
SAID = "Paket saya belum sampai, nomor pesanan 7788"


@pytest.fixture
def channel():
    """What stands in for WhatsApp."""
    with serving() as server:
        yield server


@pytest.fixture
def desk(world_in, tmp_path, database, clock, channel):  # noqa: F811 -- the fixtures
    """An application over each kind of store, with a line."""
    return world_in(
        tmp_path / "data", database=database, clock=clock, whatsapp_app_secret=SECRET, whatsapp_url=f"{channel.url}/v23.0",
        whatsapp_phone_id=PHONE_ID, whatsapp_token=TOKEN,
    )  # fmt: skip


async def wrote(client, *messages, status=200):
    """What Meta sends of messages."""
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_ID}, "messages": messages}
    raw = json.dumps({"entry": [{"id": "9", "changes": [{"field": "messages", "value": value}]}]}).encode()
    signed = "sha256=" + hmac.digest(SECRET.encode(), raw, "sha256").hex()
    headers = {"content-type": "application/json", "x-hub-signature-256": signed}
    answer = await client.post("/channels/whatsapp", content=raw, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()["messages"] if status == 200 else answer


def text(wamid, at_ms, body=SAID, sender=PHONE):
    """A text, as Meta tells it."""
    return {
        "from": sender.lstrip("+"), "id": wamid, "timestamp": str(at_ms // SECOND_MS), "type": "text", "text": {"body": body},
    }  # fmt: skip


async def known_customer(client):
    """The number is a customer's."""
    record = {"user": "budi", "kind": "customer", "fields": {"phone": PHONE, "name": "Budi"}, "region": "ID"}
    answer = await client.post("/v1/vault/records", json={"records": [record]})
    assert answer.status_code == 201, answer.text


def test_a_question_is_taken_in_read_and_answered(desk, clock, channel):  # noqa: F811
    """Told twice and out of order it stands once, where it was sent; one agent reads and answers, and both are written down."""

    async def story(client, world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        await known_customer(client)
        now = clock.now_ms()
        assert (
            await wrote(
                client, text("wamid.2", now - SECOND_MS, "Halo?"), text("wamid.1", now - 9 * SECOND_MS)
            )
            == 2
        )
        assert await wrote(client, text("wamid.1", now - 9 * SECOND_MS)) == 0
        (listed,) = (await client.get("/v1/conversations?state=open", headers=siti)).json()["conversations"]
        assert (listed["is_known"], listed["line"], "reply_until" in listed) == (True, PHONE_ID, True)
        one = f"/v1/conversations/{listed['id']}"
        refused = await client.post(one + "/open", headers=siti)
        assert (refused.status_code, refused.json()["code"]) == (403, "conversation_not_yours")
        await client.post(one + "/take", headers=siti)
        clock.advance(SECOND_MS)
        opened = (await client.post(one + "/open", headers=siti)).json()["messages"]
        assert [each["text"] for each in opened] == [SAID, "Halo?"]
        assert (await client.post(one + "/reply", json={"text": "Besok."}, headers=budi)).status_code == 403
        sent = await client.post(one + "/reply", json={"text": "Besok tiba."}, headers=siti)
        assert (sent.status_code, sent.json()["by"], sent.json()["said"]) == (201, "siti", "taken")
        ((path, headers, raw),) = channel.calls
        body = json.loads(raw)
        assert (path, headers["authorization"]) == (f"/v23.0/{PHONE_ID}/messages", "Bearer t-1")
        assert (body["to"], body["type"], body["text"]["body"]) == (PHONE[1:], "text", "Besok tiba.")
        whole = (await client.get(one, headers=budi)).json()
        assert [each["direction"] for each in whole["messages"]] == ["in", "in", "out"]
        assert {(each["person"], each["is_explained"]) for each in whole["reads"]} == {("siti", True)}
        assert SAID not in json.dumps(whole)
        assert [topic for topic, _subject, _payload in owed(world.shopward)].count(
            "conversation.message"
        ) == 2
        assert (await client.post(one + "/close", headers=siti)).json()["state"] == "closed"
        assert await wrote(client, text("wamid.3", now)) == 1
        assert len((await client.get("/v1/conversations", headers=siti)).json()["conversations"]) == 2

    desk.run(story)


def test_who_reads_past_the_one_who_looks_after_it_is_shown(desk, clock):  # noqa: F811
    """By the vault's own way somebody else may read for a purpose; beside the conversation that is unexplained."""

    async def story(client, world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        await known_customer(client)
        await wrote(client, text("wamid.1", clock.now_ms()))
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        one = f"/v1/conversations/{listed['id']}"
        await client.post(one + "/take", headers=siti)
        _conversation, (message,), _reads = world.shopward.conversations.get(listed["id"])
        ask = {"records": [message.record], "fields": ["text"], "purpose": "customer_service", "case_id": "c"}
        assert (await client.post("/v1/vault/reveal", json=ask, headers=budi)).status_code == 200
        reads = (await client.get(one, headers=siti)).json()["reads"]
        assert [(each["person"], each["is_explained"]) for each in reads] == [("budi", False)]
        clock.advance(SECOND_MS)
        await client.post(one + "/take", headers=budi)
        reads = (await client.get(one, headers=siti)).json()["reads"]
        assert [each["is_explained"] for each in reads] == [False]  # taking it afterwards explains nothing

    desk.run(story)


def test_a_reading_that_nobody_explains_is_a_finding_and_told_once(desk, clock):  # noqa: F811
    """On the customer, once for all that it opened; the one who looks after the conversation, and an export, open none."""

    async def story(client, world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        await known_customer(client)
        await wrote(client, text("wamid.1", clock.now_ms()), text("wamid.2", clock.now_ms(), "Halo?"))
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        one = f"/v1/conversations/{listed['id']}"
        await client.post(one + "/take", headers=siti)
        assert (await client.post(one + "/open", headers=siti)).status_code == 200
        exported = await client.post("/v1/vault/users/budi/export", json={"case_id": "c"}, headers=siti)
        assert exported.status_code == 200
        assert (await client.get("/v1/findings", headers=siti)).json()["findings"] == []
        _conversation, messages, _reads = world.shopward.conversations.get(listed["id"])
        ask = {
            "records": [each.record for each in messages],
            "fields": ["text"],
            "purpose": "customer_service",
        }
        assert (
            await client.post("/v1/vault/reveal", json=ask | {"case_id": "c"}, headers=budi)
        ).status_code == 200
        (found,) = (await client.get("/v1/findings", headers=siti)).json()["findings"]
        assert (found["user"], found["source"], found["state"]) == ("budi", "conversation", "open")
        told = {topic: (subject, payload) for topic, subject, payload in owed(world.shopward)}
        assert told["conversation.read_unexplained"] == (
            listed["id"], {"person": "budi", "purpose": "customer_service", "finding": found["id"]},
        )  # fmt: skip
        topics = [topic for topic, _subject, _payload in owed(world.shopward)]
        assert topics.count("conversation.read_unexplained") == topics.count("finding.opened") == 1
        assert told["finding.opened"][0] == found["id"]

    desk.run(story)


def test_a_stranger_has_a_place_and_nothing_of_anybody_is_in_the_tables(desk, clock):  # noqa: F811
    """A number of nobody, a number of two customers: by its token; neither number, text nor the platform's id is in a row."""

    async def story(client, world):
        siti = await keyed(client, "siti", "analyst")
        for user in ("ani", "eka"):
            record = {"user": user, "kind": "customer", "fields": {"phone": "+6281100000009"}, "region": "ID"}
            await client.post("/v1/vault/records", json={"records": [record]})
        now = clock.now_ms()
        await wrote(client, text("wamid.6281234567890", now), text("wamid.9", now, sender="+6281100000009"))
        found = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        assert [each["is_known"] for each in found] == [False, False]
        rows = world.shopward.records.read(
            lambda each: [
                row._asdict()
                for table in (conversation_record, conversation_message, outbox_message)
                for row in each.execute(select(table))
            ]
        )
        told = repr(rows)
        secrets = ("81234567890", "81100000009", "pesanan", "wamid.")  # none that a token may hold by chance
        assert [word for word in secrets if word in told] == []
        one = f"/v1/conversations/{found[0]['id']}"
        await client.post(one + "/take", headers=siti)
        assert (await client.post(one + "/open", headers=siti)).json()["messages"][0]["text"] == SAID

    desk.run(story)


def test_a_number_that_becomes_a_customers_begins_another_conversation(desk, clock):  # noqa: F811
    """One conversation is with one customer: the stranger's is closed, and who reads of the new one is seen beside it."""

    async def story(client, _world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        await wrote(client, text("wamid.1", clock.now_ms()))
        await known_customer(client)
        clock.advance(SECOND_MS)
        assert await wrote(client, text("wamid.2", clock.now_ms(), "Halo?")) == 1
        new, old = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        assert [(each["state"], each["is_known"]) for each in (old, new)] == [
            ("closed", False),
            ("open", True),
        ]
        one = f"/v1/conversations/{new['id']}"
        await client.post(one + "/take", headers=siti)
        (opened,) = (await client.post(one + "/open", headers=siti)).json()["messages"]
        assert opened["text"] == "Halo?"
        assert [each["person"] for each in (await client.get(one, headers=budi)).json()["reads"]] == ["siti"]

    desk.run(story)


def test_what_lapsed_is_gone_and_hides_nothing_that_comes_later(desk, clock, channel):  # noqa: F811
    """No answer goes to a number that is not kept any more; once the customer writes again it can be read and answered."""

    async def story(client, world):
        siti = await keyed(client, "siti", "analyst")
        await wrote(client, text("wamid.1", clock.now_ms()))
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        one = f"/v1/conversations/{listed['id']}"
        await client.post(one + "/take", headers=siti)
        clock.advance(91 * DAY_MS)
        await run_in_threadpool(world.shopward.vault.erasing.forget_expired)
        sent = await client.post(
            one + "/reply", json={"text": "Besok.", "template": "parcel_news"}, headers=siti
        )
        assert (sent.status_code, sent.json()["code"], channel.calls) == (404, "not_found", [])
        await wrote(client, text("wamid.2", clock.now_ms(), "Halo?"))
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        one = f"/v1/conversations/{listed['id']}"  # another one, where the server has forgotten the old one by now
        await client.post(one + "/take", headers=siti)
        opened = (await client.post(one + "/open", headers=siti)).json()["messages"]
        assert [each["text"] for each in opened] == ["Halo?"]
        assert (await client.post(one + "/reply", json={"text": "Ya."}, headers=siti)).status_code == 201

    desk.run(story)


def test_who_floods_a_line_is_told_to_wait_and_spoils_nobody_elses_message(desk, clock, monkeypatch):  # noqa: F811
    """Behind the most that is kept of one customer; when the old ones have gone there is room again."""
    monkeypatch.setattr("shopward.vault.records.RECORDS_MAX", 2)

    async def story(client, world):
        now = clock.now_ms()
        assert await wrote(client, text("wamid.1", now), text("wamid.2", now)) == 2
        flood = (text("wamid.3", now), text("wamid.4", now, sender="+6281999999999"))
        refused = (await wrote(client, *flood, status=409)).json()
        assert (refused["code"], "expires_at" in refused["hint"]) == ("record_conflict", True)
        listed = (await client.get("/v1/conversations")).json()["conversations"]
        assert len(listed) == 2
        clock.advance(91 * DAY_MS)
        await run_in_threadpool(world.shopward.vault.erasing.forget_expired)
        assert await wrote(client, text("wamid.3", clock.now_ms())) == 1

    desk.run(story)


def test_what_was_said_is_forgotten_with_its_rows(desk, clock, monkeypatch):  # noqa: F811
    """Batch by batch; a conversation that goes on keeps its newer messages, and a legal hold keeps all."""
    monkeypatch.setattr("shopward.flows.converse.FORGOTTEN_AT_ONCE", 2)
    held = "+6281999999999"

    async def story(client, world):
        desk = world.shopward.conversations

        async def kept():
            await run_in_threadpool(world.shopward.vault.erasing.forget_expired)
            await run_in_threadpool(desk.forget)
            listed = (await client.get("/v1/conversations")).json()["conversations"]
            whole = [(await client.get(f"/v1/conversations/{each['id']}")).json() for each in listed]
            return sorted(len(each["messages"]) for each in whole)

        await client.post("/v1/vault/records", json={"records": [
            {"user": "hani", "kind": "customer", "fields": {"phone": held, "name": "Hani"}, "region": "ID"}
        ]})  # fmt: skip
        await wrote(client, *(text(f"wamid.{number}", clock.now_ms()) for number in range(3)))
        await wrote(client, text("wamid.h", clock.now_ms(), sender=held))
        await wrote(client, text("wamid.s", clock.now_ms(), sender="+6281777777777"))
        placed = await client.post("/v1/vault/users/hani/hold", json={"reason": "suit 7"})
        assert placed.status_code < 300, placed.text
        clock.advance(50 * DAY_MS)
        await wrote(client, text("wamid.9", clock.now_ms()))
        assert await kept() == [1, 1, 4]
        clock.advance(45 * DAY_MS)
        assert await kept() == [1, 1]
        clock.advance(91 * DAY_MS)
        assert await kept() == [1]

    desk.run(story)


def test_a_day_later_a_template_alone_and_by_a_condemned_line_nothing(desk, clock, channel):  # noqa: F811
    """Own words within a day; what the platform refuses is said; a condemned line is shut."""

    async def story(client, _world):
        siti = await keyed(client, "siti", "analyst")
        line = {"number": "+622150001234", "phone_id": PHONE_ID}
        line_id = (await client.post("/v1/lines", json=line)).json()["id"]
        await wrote(client, text("wamid.1", clock.now_ms()))
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        one = f"/v1/conversations/{listed['id']}"
        await client.post(one + "/take", headers=siti)

        async def reply(**more):
            answer = await client.post(one + "/reply", json={"text": "Besok."} | more, headers=siti)
            return answer.status_code, answer.json().get("code", "")

        clock.advance(DAY_MS + HOUR_MS)
        assert await reply() == (409, "conversation_window")
        assert await reply(template="parcel_news", language="en") == (201, "")
        assert json.loads(channel.calls[-1][2])["template"]["name"] == "parcel_news"
        clock.advance(SECOND_MS)
        channel.answers[PHONE[1:]] = (400, UNDELIVERABLE)
        assert await reply(template="parcel_news") == (403, "reply_not_taken")
        sent = (await client.get(one, headers=siti)).json()["messages"]
        assert [each.get("said") for each in sent] == [None, "taken", "refused"]
        await client.post(f"/v1/lines/{line_id}/condemn", json={"reason": "taken"}, headers=siti)
        calls = len(channel.calls)
        assert await reply(template="parcel_news") == (409, "line_shut")
        assert len(channel.calls) == calls

    desk.run(story)


def test_a_change_of_the_customers_device_is_told(desk, clock):  # noqa: F811
    """It stands beside the conversation, in words of ours, and nothing of it is a message to read."""

    async def story(client, world):
        siti = await keyed(client, "siti", "analyst")
        changed = text("wamid.1", clock.now_ms()) | {
            "type": "system", "system": {"body": "User identity changed", "type": "customer_identity_changed"},
        }  # fmt: skip
        assert await wrote(client, changed) == 1
        (listed,) = (await client.get("/v1/conversations", headers=siti)).json()["conversations"]
        assert (listed["changed"], "reply_until" in listed) == ("identity", False)
        ((_topic, _subject, payload),) = [
            each for each in owed(world.shopward) if each[0] == "conversation.message"
        ]
        assert payload == {"verdict": "none", "is_known": False, "changed": "identity"}
        await client.post(f"/v1/conversations/{listed['id']}/take", headers=siti)
        assert (await client.post(f"/v1/conversations/{listed['id']}/open", headers=siti)).status_code == 404
        assert (await client.get("/v1/conversations?state=lost", headers=siti)).status_code == 422

    desk.run(story)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the recorded payloads are not here")
def test_recorded_messages_say_what_they_say():
    """Payloads that customers of somebody else sent: each has words, or its kind; changes of customers are none."""
    told = {}
    for name in ("message", "system", "callback_button", "callback_selection"):
        for key, payload in json.loads((VECTORS / f"{name}.json").read_text("utf-8")).items():
            for change in payload.get("entry", [{"changes": []}])[0]["changes"]:
                for each in inbound_in(json.dumps(change["value"]).encode(), now_ms=2_000_000_000_000):
                    told[f"{name}.{key}"] = each
    assert told["message.text"].text
    assert {told[f"system.{name}"].changed for name in ("identity_change", "phone_number_change")} == {
        "identity",
        "number",
    }
    assert all(each.changed or each.text for each in told.values())
    assert all(each.number.startswith("+") and each.at_ms for each in told.values())


def test_a_conversation_on_the_command_line(tmp_path, channel):
    """Listed, taken, read, answered, shown with who read it, closed; what was said is printed where it is opened alone."""
    environment = {
        "SHOPWARD_WHATSAPP_APP_SECRET": SECRET, "SHOPWARD_WHATSAPP_URL": f"{channel.url}/v23.0",
        "SHOPWARD_WHATSAPP_PHONE_ID": PHONE_ID, "SHOPWARD_WHATSAPP_TOKEN": TOKEN,
    }  # fmt: skip
    with Server(tmp_path / "data", policy=None, environment=environment) as server:

        def told(*words, code=0):
            asked = ["conversation", *words, "--url", server.url]
            result = CliRunner().invoke(main, asked, env={"SHOPWARD_KEY": server.key})
            assert result.exit_code == code, result.output
            return result.output

        async def written():
            async with httpx2.AsyncClient(base_url=server.url) as client:
                return await wrote(client, text("wamid.1", SystemClock().now_ms()))

        assert asyncio.run(written()) == 1
        listed = told("list", "--state", "open")
        assert "no customer's number" in listed
        name = listed.split()[0]
        assert "take it first" in told("open", name, code=1)
        told("step", name, "take")
        assert SAID in told("open", name)
        assert "taken" in told("reply", name, "Besok tiba.")
        assert json.loads(channel.calls[0][2])["text"]["body"] == "Besok tiba."
        shown = told("show", name)
        assert "customer_service" in shown
        assert "UNEXPLAINED" not in shown
        assert SAID not in shown
        assert "closed" in told("step", name, "close")
