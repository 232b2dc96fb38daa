"""Alerts by mail: what is written, to whom it may go, and that it arrives, beside a receiver that hears the same."""

import email
import email.policy
import json
import time

import msgspec
import pytest

from findings.attack import attack
from receiver import Receiver
from serving import Server
from shopward.errors import InvalidField
from shopward.outbox import Topic
from shopward.outbox.deliveries import body_of
from shopward.outbox.endpoints import WebhookAsked, check_url, mailbox_of, topics_of
from shopward.outbox.letters import MAIL_LANGUAGES, MAILED, letter_of
from shopward.values import SystemClock
from stepup.front import Letterbox, MailServer

WITHIN_S = 60
CAMPAIGN = {
    "kind": "stuffing",
    "state": "live",
    "accounts": 13,
    "confidence": 91,
    "tried": 9,
    "entered": 1,
    "stopped": 2,
}


def written(topic, language, **payload):
    """The letter of a message."""
    body = body_of(1_767_571_200_000, topic, "c-1", msgspec.json.encode(payload).decode())
    return letter_of(
        body,
        language,
        shop="Toko",
        page_url="https://watch.shop.example/",
        title_of=lambda kind, said: f"{kind}/{said}",
    )


@pytest.mark.parametrize("language", MAIL_LANGUAGES)
@pytest.mark.parametrize("topic", MAILED)
def test_every_topic_is_written_in_every_language(topic, language):
    """Whose shop it is and what happened in the subject; what is known, the time and the id in the text."""
    letter = written(topic, language, **CAMPAIGN)
    assert letter.subject.startswith("[Toko] ")
    assert "{" not in letter.subject + letter.text
    assert all(each in letter.text for each in ("13", "91", "2026-01-05T00:00:00.000Z", "c-1"))
    if topic.startswith("campaign."):
        assert f"stuffing/{language}" in letter.subject
        assert "https://watch.shop.example/campaigns/c-1" in letter.text
    assert written(topic, language).text


@pytest.mark.parametrize(("language", "what"), [("en", "an incident"), ("id", "insiden"), ("zh", "安全事件")])
def test_a_date_is_told_with_what_it_is_of_and_where_to_look(language, what):
    """In words, with how many, by when, and a link to the incident."""
    told = {
        "kind": "incident",
        "dates": 2,
        "due_at": "2026-01-06T00:00:00.000Z",
        "of": ["duty:ID-agency", "vendor:1"],
    }
    letter = written(Topic.DEADLINE_NEAR, language, **told)
    assert what in letter.subject
    assert all(each in letter.text for each in ("2026-01-06T00:00", "ID-agency", "/incidents/c-1"))


def test_a_mailbox_hears_what_is_written_for_people():
    """Everything written where no topic is named; what nobody writes is refused."""
    box = "mailto:fraud@shop.example"
    assert set(topics_of(WebhookAsked(url=box))) == set(MAILED)
    assert topics_of(WebhookAsked(url=box, topics=[Topic.CAMPAIGN_OPENED])) == ("campaign.opened",)
    with pytest.raises(InvalidField):
        topics_of(WebhookAsked(url=box, topics=[Topic.ORDER_ACTIVATED]))


@pytest.mark.parametrize("url", [
    "mailto:", "mailto:fraud", "mailto:a@b.example,c@d.example", "mailto:a@b.example?subject=x",
    "mailto:a@b.example?content-language=fr", "mailto:a@b.example%0d%0abcc:x@y.example", "mailto:a@b.example\r\nx: y",
    "mailto:a b@c.example", "mailto:<a@b.example>",
])  # fmt: skip
def test_what_is_no_single_mailbox_is_refused(url):
    """One address and one of three languages; nothing that could become another header or another receiver."""
    with pytest.raises(InvalidField):
        check_url(url, has_mail=True)
    assert mailbox_of(url) is None


def test_without_a_mail_server_no_mailbox_is_taken():
    """It would wait for ever."""
    with pytest.raises(InvalidField) as refused:
        check_url("mailto:fraud@shop.example", has_mail=False)
    assert "smtp_url" in str(refused.value)


@pytest.fixture
def letterbox():
    """A mail server that takes everything."""
    box = Letterbox()
    server = MailServer(box)
    server.start()
    box.port = server.port
    yield box
    server.stop()


def test_an_attack_is_told_by_webhook_and_by_mail(tmp_path, letterbox):
    """A real receiver and a real mailbox hear that it opened and that an account was entered before, each once."""
    environment = {
        "SHOPWARD_SMTP_URL": f"smtp://127.0.0.1:{letterbox.port}", "SHOPWARD_MAIL_FROM": "jaga@shop.example",
        "SHOPWARD_SHOP_DOMAIN": "shop.example", "SHOPWARD_SHOP_NAME": "Toko", "SHOPWARD_PAGE_URL": "https://watch.shop.example",
    }  # fmt: skip
    topics = ["campaign.opened", "campaign.grew", "campaign.escalated", "finding.opened"]
    with Receiver() as receiver, Server(tmp_path / "data", policy=None, environment=environment) as server:
        box = "mailto:fraud@shop.example?content-language=id"
        status, made = server.post("/v1/webhooks", {"url": box})
        assert status == 201
        assert "secret" not in json.loads(made)
        assert server.post("/v1/webhooks", {"url": receiver.url + "/ok", "topics": topics})[0] == 201
        for event in attack(SystemClock().now_ms(), 12):
            assert server.decide(event)[0] == 200
        heard = receiver.heard(lambda got: len(got) >= 2)
        (campaign,) = json.loads(server.get("/v1/campaigns")[1])["campaigns"]
        server.post(f"/v1/campaigns/{campaign['id']}/escalate", b"")
        receiver.heard(lambda got: len(got) >= 3)
        told = sorted(json.loads(each["body"])["type"] for each in heard[:2])
        assert told == ["campaign.opened", "finding.opened"]
        end = time.monotonic() + WITHIN_S
        while len(letterbox.mails) < 3:
            assert time.monotonic() < end
            time.sleep(0.05)
        waiting = json.loads(server.get("/v1/webhooks")[1])["webhooks"]
        assert {each.get("last_code") for each in waiting} == {"mail_taken", "http_204"}
    mails = [email.message_from_bytes(each.content, policy=email.policy.default) for each in letterbox.mails]
    assert {each.rcpt_tos[0] for each in letterbox.mails} == {"fraud@shop.example"}
    assert any("Kata sandi curian" in mail["Subject"] for mail in mails)
    assert any(
        f"https://watch.shop.example/campaigns/{campaign['id']}" in mail.get_content() for mail in mails
    )
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert all("victim" not in str(mail) and "target" not in str(mail) for mail in mails)
