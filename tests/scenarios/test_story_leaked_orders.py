"""Orders that leak: what a courier was shown turns up for sale, and callers know what customers bought.

The document: a platform encrypts orders and bounds who sees them, holds its partners to their agreements and acts against those that
fall short, tells users and authorities at once, and answers complaints.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from scenarios.telling import Stage, nothing_late, owed, steps_of
from shopward.http.partner_paths import EXAMPLE
from shopward.partners import open_page
from shopward.values import DAY_MS, HOUR_MS

KEY = X25519PrivateKey.generate()
NAMES = ("Surya Atmaja", "Dewi Lestari", "Bagus Prakoso", "Intan Permata", "Rizky Maulana", "Putri Anggraini")
BUYERS = tuple(f"u{number}" for number in range(len(NAMES)))
SHOWN = BUYERS[:4]
LETTER = {
    "subject": "Tentang data pesanan Anda",
    "text": "Nama, nomor telepon, dan alamat pesanan Anda bocor dari salah satu kurir kami. Kami tidak pernah meminta kode atau transfer lewat telepon. Tutup telepon itu dan hubungi kami lewat aplikasi.",
}
SAID = {
    "data": "Nama, nomor telepon, dan alamat.", "when_and_how": "Dibaca di pihak kurir minggu ini.",
    "measures": "Kurir ditangguhkan, data dibagikan lebih sedikit.", "nature": "Data pesanan bocor di pihak kurir.",
}  # fmt: skip


def test_the_leaked_orders(tmp_path):
    """From the rows for sale to the closed incident: the partner named and suspended, all in time told, the complaint answered."""
    with Stage(tmp_path / "data") as shop:
        shop.run(told)


async def told(shop):
    """The document, in its order."""
    share, leaked = await shared(shop)
    incident = await traced(shop, share, leaked)
    await everybody_told(shop, incident)
    await complained(shop)
    await ended(shop, incident)


async def pulled(shop, share):
    """What the courier gets when it asks for its page."""
    path = f"/v1/partners/fast-courier/shares/{share['id']}/pages/0"
    return await shop.client.get(path, headers={"Authorization": f"Bearer {share['token']}"})


async def shared(shop):
    """Six orders lie in the vault; the courier is given four of them, sealed to its key, and somebody there sells them."""
    await shop.does("shop", "POST", "/v1/users/batch", [{"id": user, "region": "ID"} for user in BUYERS])
    records = [
        {
            "id": f"o-{number}", "user": f"u{number}", "kind": "order", "region": "ID",
            "fields": {"name": name, "phone": f"08129999{number:04}", "street": f"Jl. Mawar No. {number + 3}"},
        }
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    await shop.does("shop", "POST", "/v1/vault/records", {"records": records})
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    await shop.does("ayu", "POST", "/v1/partners", EXAMPLE | {"public_key": public})
    asked = {"purpose": "delivery", "fields": ["name", "phone", "address"], "days": 7}
    asked["records"] = [f"o-{user[1:]}" for user in SHOWN]
    share = await shop.does("ayu", "POST", "/v1/partners/fast-courier/shares", asked)
    page = await pulled(shop, share)
    rows = open_page(KEY, "fast-courier", share["id"], 0, page.content)
    return share, [{"Nama": row["name"], "No HP": row["phone"]} for row in rows]


async def traced(shop, share, leaked):
    """Rows are for sale: they lead to the courier and to nobody else; it is suspended before anything else, and asked in writing."""
    shop.clock.advance(2 * DAY_MS)
    found = await shop.does("ayu", "POST", "/v1/vault/trace", {"rows": leaked[::-1]})
    assert (found["matched"], found["candidates"][0]["recipient"]) == (len(SHOWN), "partner:fast-courier")
    signal = {"source": {"kind": "partner", "value": "fast-courier", "since": shop.ago(hours=60)}}
    asked = signal | {"title": "Data pesanan bocor", "kind": "partner_leak", "severity": "high"}
    shown = await shop.does("siti", "POST", "/v1/incidents/signals", asked)
    incident = shown["incident"]["id"]
    await shop.step("siti", incident, "playbook", playbook="partner_leak")
    suspended = {"step": "suspend", "reason": incident}
    await shop.does("ayu", "POST", "/v1/partners/fast-courier/steps", suspended)
    refused = await pulled(shop, share)
    assert (refused.status_code, refused.json()["code"]) == (403, "partner_suspended")
    await shop.step("siti", incident, "clock", clock="aware", at=shop.ago())
    await shop.step("dewi", incident, "ask", vendor="fast-courier", text="what, since when, whom")
    for task in ("suspend", "trace", "scope", "ask"):
        shown = await shop.step("siti", incident, "tick", task=task)
    assert shown["incident"]["facts"].get("subjects") == {"ID": len(SHOWN)}
    people = await shop.does("siti", "GET", f"/v1/incidents/{incident}/victims?version=1&grade=read")
    assert len(people["people"]) == len(SHOWN)  # by token: the log never heard of these customers
    return incident


async def everybody_told(shop, incident):
    """Within three days of the first reading the agency and the customers whose orders were read are told; nobody else is."""
    for content, words in SAID.items():
        await shop.step("dewi", incident, "content", content=content, language="id", text=words)
    people = [{"user": user, "email": f"{user}@mail.example", "language": "id"} for user in SHOWN]
    mailing = await shop.tell(incident, "ID-subject", {"id": LETTER}, people)
    assert sorted(to for to, _text in shop.letters()) == [each["email"] for each in people]
    for rule, receipt in (("ID-agency", "Komdigi 17"), ("ID-subject", mailing["id"])):
        shown = await shop.step("dewi", incident, "sent", rule=rule, receipt=receipt)
    if owed(shown)["ID-public"] == "open":
        shown = await shop.step(
            "dewi", incident, "exempt", rule="ID-public", reason="four customers, each told"
        )
    assert nothing_late(shown)
    assert not set(owed(shown).values()) & {"open", "waiting"}


async def complained(shop):
    """A customer complains of how the data was handled: taken, decided in time by who had no part in it, and put right."""
    said = {
        "user": "u0",
        "about": "privacy",
        "statement": "penipu tahu pesanan saya",
        "regime": "id_pdp",
        "key": "t-1",
    }
    made = await shop.does("shop", "POST", "/v1/complaints", said)
    path = f"/v1/complaints/{made['id']}"
    for step in ("acknowledge", "take"):
        await shop.does("budi", "POST", f"{path}/{step}")
    shop.clock.advance(HOUR_MS)
    answer = {"outcome": "upheld", "reason": "data_handled_wrongly", "remedies": [{"kind": "apology"}]}
    decided = await shop.does("budi", "POST", path + "/decide", answer, language="id")
    assert (decided["state"], decided["is_overdue"]) == ("decided", False)


async def ended(shop, incident):
    """The new audit is not passed, so the partnership ends; cause and lessons are written down, and the incident closes."""
    await shop.step("dewi", incident, "answer", vendor="fast-courier", text="an employee sold waybills")
    for task in ("duties", "tell"):
        await shop.step("dewi", incident, "tick", task=task)
    await shop.does(
        "ayu", "POST", "/v1/partners/fast-courier/audits", {"on": shop.ago()[:10], "passed": False}
    )
    shown = await shop.step("dewi", incident, "decide", question="passed", yes=False, reason="audit failed")
    assert steps_of(shown)["end"] == "open"
    await shop.does("ayu", "POST", "/v1/partners/fast-courier/steps", {"step": "end", "reason": incident})
    await shop.step("dewi", incident, "tick", task="end")
    await shop.step("dewi", incident, "learned", root_cause="waybills in clear", lessons="mask phones")
    await shop.step("dewi", incident, "tick", task="lessons")
    assert (await shop.step("siti", incident, "state", state="closed"))["incident"]["state"] == "closed"
