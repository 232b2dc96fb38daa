"""Customer data that was stolen, and messages that name what people bought: a marketplace's advice, as a shop can follow it.

The document: choose strong passwords, tell nobody a code, end every transaction on the official site, open no link of another domain,
and ask customer service at once when in doubt.
"""

from __future__ import annotations

import asyncio
import tomllib

from scenarios.telling import PATIENCE, Stage, nothing_late
from screening.shop import TOML

LINK = "https://tokonusa-refund.example/klaim"
LURE = f"Toko Nusantara: pesanan TN-20260104 gagal dikirim. Ambil refund di {LINK} dan kirim kode OTP Anda ke nomor ini."
SENDER = "+62 812-0000-111"
BUYERS = {"budi": "id", "mei": "zh", "anna": "en"}
WARNING = {
    "id": {"subject": "Pesan palsu atas nama kami", "text": "Data sebagian pesanan dicuri, dan penipu menyebut nomor pesanan. Kami tidak pernah meminta OTP atau kata sandi. Selesaikan transaksi di aplikasi kami saja, dan ganti kata sandi yang dipakai di tempat lain."},
    "zh": {"subject": "冒用我们名义的诈骗消息", "text": "部分订单数据被盗。骗子会报出您的订单号。我们绝不会索要验证码或密码。请只在我们的应用内完成交易。请更换在别处也使用的密码。"},
    "en": {"subject": "False messages in our name", "text": "Data of some orders was stolen, and fraudsters name your order. We never ask for a code or a password. Finish transactions in our app alone, and change a password that you use elsewhere too."},
}  # fmt: skip


def test_the_marketplaces_advice(tmp_path):
    """From the first customer in doubt to the closed incident: one case, one list, a warning in three languages, better passwords."""
    with Stage(tmp_path / "data") as shop:
        shop.run(told)


async def told(shop):
    """The document, in its order."""
    await shop.does("ayu", "PUT", "/v1/screen/profile", tomllib.loads(TOML))
    await asked(shop)
    case = await reported(shop)
    incident = await settled(shop, case)
    await warned(shop, incident)
    await passwords_chosen(shop)
    await ended(shop, incident)


async def asked(shop):
    """A customer asks "is this yours?": of the message, the sender and the link, and reads why not; the shop's own is its own."""
    message = {"text": LURE, "channel": "whatsapp", "sender": SENDER}
    said = await shop.does("shop", "POST", "/v1/screen/messages", message, language="id")
    assert said["verdict"] == "dangerous"
    assert all(reason["text"] for reason in said["reasons"])
    link = await shop.does("shop", "POST", "/v1/screen/links", {"url": "https://tokonusa.co.id/pesanan"})
    assert link["verdict"] == "official"
    sender = await shop.does(
        "shop", "POST", "/v1/screen/senders", {"sender": "+62 811-1000-200", "channel": "whatsapp"}
    )
    assert sender["verdict"] == "official"


async def reported(shop):
    """Each presses the button: three copies of one message are one case, and each hears the verdict in the own language."""
    heard = []
    for user, language in BUYERS.items():
        said = {"kind": "message", "text": LURE, "channel": "whatsapp", "sender": SENDER, "user": user}
        heard.append(await shop.does("shop", "POST", "/v1/reports", said, language=language))
    assert len({each["case_id"] for each in heard}) == 1
    assert [each["reports"] for each in heard] == [1, 2, 3]
    assert len({each["verdict"]["reasons"][0]["text"] for each in heard}) == len(BUYERS)
    return heard[0]["case_id"]


async def settled(shop, case):
    """A person confirms it, and whoever asks of the link next hears that it was reported; the incident begins."""
    settled = {"state": "confirmed", "scope": "host"}
    assert (await shop.does("siti", "POST", f"/v1/reports/{case}", settled))["state"] == "confirmed"
    for _ in range(PATIENCE):
        said = await shop.does("shop", "POST", "/v1/screen/links", {"url": LINK})
        if "listed" in {reason["code"] for reason in said["reasons"]}:
            break
        await asyncio.sleep(0.02)
    assert said["verdict"] == "dangerous"
    opened = {"title": "Pesan palsu menyebut nomor pesanan", "kind": "data_leak", "severity": "high"}
    shown = await shop.does("siti", "POST", "/v1/incidents", opened)
    incident = shown["incident"]["id"]
    await shop.step("siti", incident, "clock", clock="aware", at=shop.ago())
    await shop.step("siti", incident, "note", text=f"reported by customers: {case}")
    return incident


async def warned(shop, incident):
    """Every customer whose order was named is told, in the language that each reads, without a link."""
    people = [
        {"user": user, "email": f"{user}@mail.example", "language": language}
        for user, language in BUYERS.items()
    ]
    await shop.tell(incident, "ID-subject", WARNING, people)
    letters = dict(shop.letters())
    assert {to.split("@", maxsplit=1)[0] for to in letters} == set(BUYERS)
    assert "验证码" in letters["mei@mail.example"]
    assert "http" not in "".join(letters.values())


async def passwords_chosen(shop):
    """Who changes the password is told why a guessable one is none, and a long one of one's own is taken."""
    context = {"email": "budi@mail.example", "username": "budi"}
    for password, verdict in (("budi1234", "reject"), ("gerimis-pagi-kereta-biru-tua", "accept")):
        said = await shop.does(
            "shop", "POST", "/v1/screen/passwords", {"password": password, "context": context}, language="id"
        )
        assert said["verdict"] == verdict
    assert not said["reasons"]


async def ended(shop, incident):
    """Cause and lessons are written down, nothing is late, and the incident closes."""
    shown = await shop.step(
        "dewi",
        incident,
        "learned",
        root_cause="an export of orders was stolen",
        lessons="fewer order data in exports",
    )
    assert nothing_late(shown)
    assert (await shop.step("siti", incident, "state", state="closed"))["incident"]["state"] == "closed"
