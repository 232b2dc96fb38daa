"""A tapped business line: codes that nobody asked for, a stranger on the shop's WhatsApp, and the way back.

The document: unexpected codes and links, messages found already read and calls that fail are the signs; two-step verification,
verified senders, conversations between two and the Business API instead of a shared phone are what keeps a business line from being tapped.
"""

from __future__ import annotations

import hmac

import msgspec

from notices.channels import serving
from scenarios.telling import Stage, steps_of
from shopward.values import HOUR_MS, MINUTE_MS

SECRET, TOKEN = "app-secret", "t-1"
NUMBER, PHONE_ID, ACCOUNT = "+622150001234", "1122", "9"
CUSTOMER = "+6281234567890"
LETTERS = {
    "id": {"subject": "Nomor WhatsApp kami", "text": "Nomor WhatsApp kami sempat dikuasai orang lain. Abaikan pesan dari nomor itu sejak kemarin. Kami tidak pernah meminta kode."},
    "zh": {"subject": "我们的 WhatsApp 号码", "text": "我们的 WhatsApp 号码曾被他人控制。请忽略昨天以来该号码发出的消息。我们绝不会索要验证码。"},
    "en": {"subject": "Our WhatsApp number", "text": "Our WhatsApp number was in other hands for a while. Ignore its messages since yesterday. We never ask for a code."},
}  # fmt: skip


def test_the_tapped_line(tmp_path):
    """From the first code that nobody asked for to the closed incident: nothing goes out meanwhile, and nobody is told by the tapped line."""
    with serving() as platform:
        settings = {
            "whatsapp_app_secret": SECRET, "whatsapp_url": f"{platform.url}/v23.0", "whatsapp_phone_id": PHONE_ID,
            "whatsapp_token": TOKEN,
        }  # fmt: skip
        with Stage(tmp_path / "data", **settings) as shop:
            shop.run(lambda each: told(each, platform))


async def told(shop, platform):
    """The document, in its order."""
    line, conversation = await in_order(shop, platform)
    incident = await taken(shop, line)
    await nothing_goes_out(shop, platform, conversation)
    await answered(shop, incident)
    await told_elsewhere(shop, incident, platform)
    await taken_back(shop, line, incident)
    await ended(shop, line, incident)


async def platform_tells(shop, field, value):
    """A signed call of the platform; what it counted."""
    raw = msgspec.json.encode({"entry": [{"id": ACCOUNT, "changes": [{"field": field, "value": value}]}]})
    signed = "sha256=" + hmac.digest(SECRET.encode(), raw, "sha256").hex()
    headers = {"content-type": "application/json", "x-hub-signature-256": signed}
    answer = await shop.client.post("/channels/whatsapp", content=raw, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pin(shop, event):
    """What the platform tells of the two-step PIN."""
    told = await platform_tells(
        shop, "security", {"display_phone_number": NUMBER.lstrip("+"), "event": event}
    )
    assert told["signals"] == 1


async def in_order(shop, platform):
    """Ordinary days: the line is declared, a customer asks, one agent under her own key reads and answers."""
    line = await shop.does(
        "ayu",
        "POST",
        "/v1/lines",
        {"number": NUMBER, "phone_id": PHONE_ID, "account": ACCOUNT, "title": "Layanan"},
    )
    asked = {
        "id": "wamid.1",
        "from": CUSTOMER.lstrip("+"),
        "type": "text",
        "text": {"body": "Paket saya di mana?"},
    }
    message = asked | {"timestamp": str(shop.clock.at_ms // 1000)}
    value = {"metadata": {"phone_number_id": PHONE_ID}, "messages": [message]}
    assert (await platform_tells(shop, "messages", value))["messages"] == 1
    (listed,) = (await shop.does("siti", "GET", "/v1/conversations?state=open"))["conversations"]
    path = f"/v1/conversations/{listed['id']}"
    await shop.does("siti", "POST", path + "/take")
    opened = await shop.does("siti", "POST", path + "/open")
    assert opened["messages"][0]["text"] == "Paket saya di mana?"
    await shop.does("siti", "POST", path + "/reply", {"text": "Tiba besok, Kak."})
    assert len(platform.calls) == 1
    return f"/v1/lines/{line['id']}", path


async def taken(shop, line):
    """At night a code comes that nobody asked for, the PIN is off, the number works elsewhere: one incident, and what to do in words."""
    shop.clock.advance(9 * HOUR_MS)
    await pin(shop, "PIN_RESET_REQUEST")
    shop.clock.advance(5 * MINUTE_MS)
    await pin(shop, "PIN_REQUEST_SUCCESS")
    shop.clock.advance(2 * MINUTE_MS)
    gone = {"event": "PARTNER_REMOVED", "disconnection_info": {"reason": "USER_RE_REGISTERED"}}
    assert (await platform_tells(shop, "account_update", gone))["signals"] == 1
    shown = await shop.does("siti", "GET", line, language="id")
    assert (shown["state"], shown["two_step"]) == ("condemned", "unknown")
    assert shown["do"].startswith("Berurutan: lepaskan semua perangkat tertaut")
    (proposed,) = (await shop.does("siti", "GET", "/v1/incidents"))["incidents"]
    assert (proposed["id"], proposed["state"]) == (shown["incident"], "proposed")
    return shown["incident"]


async def nothing_goes_out(shop, platform, conversation):
    """An agent who knows nothing of it yet cannot answer by the line."""
    refused = await shop.does("siti", "POST", conversation + "/reply", {"text": "Halo?"}, status=409)
    assert (refused["code"], len(platform.calls)) == ("line_shut", 1)


async def answered(shop, incident):
    """A person opens the incident; the playbook says who does what; the platform is asked until it answers."""
    await shop.step("siti", incident, "state", state="open")
    await shop.step("siti", incident, "clock", clock="aware", at=shop.ago())
    await shop.step("siti", incident, "playbook", playbook="tapped_business_line")
    await shop.step("dewi", incident, "ask", vendor="Meta", text="our number is in other hands")
    for task in ("unpair", "provider", "proof", "say", "profile", "scope"):
        shown = await shop.step("siti", incident, "tick", task=task)
    assert steps_of(shown)["scope"] == "done"
    await shop.step("siti", incident, "decide", question="read", yes=True, reason="messages were read along")


async def told_elsewhere(shop, incident, platform):
    """Who wrote there is told by mail, in the language that each reads, and not by the line."""
    people = [{"user": f"u-{each}", "email": f"{each}@mail.example", "language": each} for each in LETTERS]
    await shop.tell(incident, "ID-subject", LETTERS, people)
    assert sorted(to for to, _text in shop.letters()) == sorted(each["email"] for each in people)
    assert len(platform.calls) == 1
    for task in ("duties", "tell"):
        await shop.step("dewi", incident, "tick", task=task)


async def taken_back(shop, line, incident):
    """The devices are unlinked; the new PIN is announced, so that it raises no alarm; another person takes the line back."""
    early = await shop.does("budi", "POST", line + "/restore", {"reason": "it works again"}, status=409)
    assert early["code"] == "line_pin"
    shop.clock.advance(HOUR_MS)
    ticket = {"work": "pin", "ends": shop.ago(hours=-2), "reason": incident}
    await shop.does("siti", "POST", line + "/tickets", ticket)
    shop.clock.advance(MINUTE_MS)
    await pin(shop, "PIN_CHANGED")
    back = await shop.does("budi", "POST", line + "/restore", {"reason": "devices unlinked, new PIN"})
    assert (back["state"], back["two_step"]) == ("in_order", "set")
    await shop.step("siti", incident, "tick", task="back")


async def ended(shop, line, incident):
    """The platform answers, cause and lessons are written down, the incident closes; the next stranger is a new one."""
    await shop.step(
        "dewi", incident, "answer", vendor="Meta", text="registered by a code that was talked out of staff"
    )
    await shop.step(
        "dewi",
        incident,
        "learned",
        root_cause="a code was read out on the phone",
        lessons="a PIN from the first day",
    )
    await shop.step("dewi", incident, "tick", task="lessons")
    assert (await shop.step("siti", incident, "state", state="closed"))["incident"]["state"] == "closed"
    shop.clock.advance(HOUR_MS)
    assert (await platform_tells(shop, "account_update", {"event": "PARTNER_ADDED"}))["signals"] == 1
    shown = await shop.does("siti", "GET", line)
    assert (shown["state"], shown["incident"] == incident) == ("suspected", False)
