"""Notices by WhatsApp, by the shop and by mail: what does not arrive goes on by the next way, and who is left is owed it still."""

import json
from base64 import b64encode
from email.message import EmailMessage

import pytest

from notices.channels import LIMITED, UNDELIVERABLE, serving
from notices.telling import BUDI, LETTERS, SITI
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from shopward.config import Settings
from shopward.errors import Conflict, InvalidField
from shopward.incidents import Facts, shipped_rules, steps
from shopward.notices.bounces import lost_message
from shopward.notices.mailing import Way, message_id, routes_of, sealed_form
from shopward.outbox.signing import signed_headers
from shopward.service import Shopward
from shopward.values import HOUR_MS, MINUTE_MS

SECRET = b"k" * 32
TOKEN = "t-1"  # noqa: S105 -- of this test


@pytest.fixture
def channel():
    """What stands in for WhatsApp and for the shop's endpoint: a real server on this machine."""
    with serving() as server:
        yield server


@pytest.fixture
def shop(database, tmp_path, clock, channel):  # noqa: F811 -- the fixtures
    """An open Shopward that tells by WhatsApp and by the shop."""
    settings = Settings(
        data=str(tmp_path / "data"), database=database, whatsapp_url=f"{channel.url}/v23.0", whatsapp_phone_id="1122",
        notice_webhook_url=f"{channel.url}/notices", whatsapp_token=TOKEN,
        notice_webhook_secret="whsec_" + b64encode(SECRET).decode(),
    )  # fmt: skip
    with Shopward.open(settings, clock=clock, rebuild=False) as opened:
        yield opened


def started(shop, people, incident="inc-1", **more):
    """A mailing to these, under way."""
    asked = {"via": ("whatsapp", "shop"), "template": "account_notice"} | more
    made = shop.notices.make(SITI, incident=incident, rule="ID-subject", letters=LETTERS, **asked)
    shop.notices.fill(SITI, made.id, people)
    shop.notices.start(BUDI, made.id)
    return made.id


def sent_all(shop):
    """Send until nothing is due."""
    while shop.notices.step():
        pass


def ways(user, phone):
    """WhatsApp first, then the shop."""
    return (user, [Way("whatsapp", phone), Way("shop", user)], "zh")


def test_a_template_goes_out_and_its_status_comes_back(shop, channel):
    """As Meta documents it; the text in one line, our id beside it, the receipt kept; a failure moves on to the shop."""
    mailing = started(shop, [ways("u1", "+8613800138000")])
    sent_all(shop)
    ((path, headers, raw),) = channel.calls
    body = json.loads(raw)
    assert (path, headers["authorization"]) == ("/v23.0/1122/messages", "Bearer t-1")
    assert (body["type"], body["to"], body["template"]["language"]) == (
        "template",
        "8613800138000",
        {"code": "zh_CN"},
    )
    (parameter,) = body["template"]["components"][0]["parameters"]
    assert (parameter["type"], "\n" in parameter["text"]) == ("text", False)
    message = body["biz_opaque_callback_data"]
    assert shop.notices.get(mailing)[0].state == "done"
    assert shop.notices.heard("wamid.8613800138000", "", "delivered", "")
    assert not shop.notices.heard("wamid.other", "", "failed", "whatsapp_131026")
    assert shop.notices.heard("", message, "failed", "whatsapp_131026")
    assert (shop.notices.get(mailing)[0].state, shop.notices.get(mailing)[1]) == ("sending", {"queued": 1})
    sent_all(shop)
    assert shop.notices.get(mailing)[1] == {"sent": 1}
    path, headers, raw = channel.calls[1]
    assert (path, json.loads(raw)["data"]["user"]) == ("/notices", "u1")
    timestamp = int(headers["webhook-timestamp"])
    signed = signed_headers([SECRET], message_id=headers["webhook-id"], timestamp_s=timestamp, body=raw)
    assert headers["webhook-signature"] == signed["webhook-signature"]


def test_who_cannot_be_reached_is_owed_the_notice(shop, channel):
    """Both ways refuse for good: counted, on the incident, and it does not close before somebody says how they were told."""
    channel.answers |= {"8613800138000": (400, UNDELIVERABLE), "u1": (410, {})}
    incident = shop.incidents.open(
        SITI, title="Leak", kind="data_leak", severity="high", campaign="", began_ms=0, ended_ms=0
    ).id
    mailing = started(shop, [ways("u1", "+8613800138000"), ways("u2", "+6281234567890")], incident)
    sent_all(shop)
    assert shop.notices.get(mailing)[1] == {"refused": 1, "sent": 1}
    assert [(each.id, counts) for each, counts in shop.incidents.mailings(incident)] == [
        (mailing, {"refused": 1, "sent": 1})
    ]

    def step(name, take):
        return shop.incidents.step(SITI, incident, name, take)

    step("learned", lambda each, by, now: steps.learned(each, root_cause="r", lessons="l", by=by, now_ms=now))

    def close(each, by, now):
        return steps.moved(each, "closed", shipped_rules(), by=by, now_ms=now)

    with pytest.raises(Conflict) as owing:
        step("state", close)
    assert (owing.value.code, "ID-subject: 1" in owing.value.found) == ("incident_owes", True)
    step("facts", lambda each, by, now: steps.facts_said(each, Facts(subjects={}), by=by, now_ms=now))
    step(
        "exempt",
        lambda each, by, now: steps.exempted(each, "ID-subject", reason="a letter", by=by, now_ms=now),
    )
    assert step("state", close).state == "closed"


def test_a_limit_of_theirs_delays_and_loses_nobody(shop, channel, clock):  # noqa: F811 -- the fixtures
    """Rate limited is no refusal: the same message under the same id, later."""
    channel.answers["8613800138000"] = (429, LIMITED)
    mailing = started(shop, [ways("u1", "+8613800138000")])
    sent_all(shop)
    assert shop.notices.get(mailing)[1] == {"queued": 1}
    channel.answers.clear()
    clock.advance(HOUR_MS)
    sent_all(shop)
    assert shop.notices.get(mailing)[1] == {"sent": 1}
    first, second = (json.loads(raw)["biz_opaque_callback_data"] for _path, _headers, raw in channel.calls)
    assert first == second


def test_a_mailing_keeps_its_pace(shop, channel, clock):  # noqa: F811 -- the fixtures
    """One at once, then as many as the minute allows."""
    people = [(f"u{number}", [Way("shop", f"u{number}")], "id") for number in range(40)]
    mailing = started(shop, people, per_minute=60)
    told = []
    for _second in range(4):
        sent_all(shop)
        told.append(len(channel.calls))
        clock.advance(MINUTE_MS // 60)
    assert told == [1, 2, 3, 4]
    clock.advance(MINUTE_MS)
    sent_all(shop)
    assert len(channel.calls) == 10
    assert shop.notices.get(mailing)[1]["queued"] == 30


def test_what_no_channel_can_carry_does_not_start(shop):
    """No mail server, no template, no way at all: each is said before anything goes out."""
    with pytest.raises(Conflict) as mail:
        started(shop, [("u1", [Way("email", "a@a.example")], "id")], via=("email",))
    assert "email" in mail.value.expected
    with pytest.raises(Conflict) as template:
        started(shop, [ways("u1", "+8613800138000")], template="")
    assert template.value.path == "template"
    with pytest.raises(InvalidField):
        started(shop, [("u1", [Way("email", "a@a.example")], "id")])


def report(status="5.1.1", action="failed", message="n-" + "0" * 32):
    """A report of a mail server, as RFC 3464 draws one."""
    raw = f"Reporting-MTA: dns; mx.a.example\r\n\r\nFinal-Recipient: rfc822; anna@a.example\r\nAction: {action}\r\nStatus: {status}\r\n"
    original = EmailMessage()
    original["Message-ID"], original["Subject"] = f"<{message}@shop.example>", "Tentang akun Anda"
    original.set_content("Kami mengunci saldo Anda.")
    boundary = "=_b"
    lines = [
        "From: MAILER-DAEMON@a.example", "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"', "", f"--{boundary}",
        "Content-Type: text/plain", "", "Not delivered.", f"--{boundary}", "Content-Type: message/delivery-status", "", raw,
        f"--{boundary}", "Content-Type: message/rfc822", "", original.as_string(), f"--{boundary}--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_a_report_gives_up_a_message_of_ours():
    """Permanent failures alone; a delay, another action, or somebody else's message is no bounce."""
    assert lost_message(report()) == ("n-" + "0" * 32, "dsn_5.1.1")
    for other in (
        report(status="4.2.2", action="delayed"), report(action="relayed", status="5.0.0"), report(message="someone"),
        b"no mail at all", b"",
    ):  # fmt: skip
        with pytest.raises(InvalidField) as refused:
            lost_message(other)
        assert refused.value.code == "not_a_bounce"


def test_ways_are_read_as_they_were_sealed():
    """In their order; an address alone, as older mailings have it, is e-mail; each way has an id of its own."""
    kept = [Way("whatsapp", "+62812"), Way("shop", "u1")]
    assert routes_of(sealed_form(kept)) == kept
    assert routes_of(b"anna@a.example") == [Way("email", "anna@a.example")]
    assert len({message_id("ml-1", "t", route) for route in range(3)}) == 3
