"""Incidents over HTTP: worked step by step, with what the law asks beside them."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest


def test_a_leak_from_first_signal_to_closed(world):
    """Opened, clocked, scoped by a sealed set, told to the agency and the customers, closed; each step is audited."""

    async def story(client, _world):
        made = await client.post(
            "/v1/incidents", json={"title": "Orders read at a courier", "kind": "partner_leak"}
        )
        path = f"/v1/incidents/{made.json()['incident']['id']}"

        async def step(word, **body):
            answer = await client.post(path + "/steps", json={"step": word, **body})
            assert answer.status_code == 200, answer.text
            return answer.json()

        shown = await step("facts", facts={"subjects": {"ID": 2}, "data": ["address"]})
        assert [each["rule"] for each in shown["obligations"]] == ["ID-agency", "ID-subject", "ID-public"]
        assert all(each["missing"] for each in shown["obligations"])
        sealed = (await client.post("/v1/victim-sets", json={"name": "leak"})).json()["id"]
        scope = {"step": "scope", "sets": {"read": sealed}, "reason": "first count"}
        assert (await client.post(path + "/steps", json=scope)).status_code == 409
        kept = await client.put(
            f"/v1/victim-sets/{sealed}/pages/0",
            content='{"id":"u1"}\n{"id":"u2"}\n',
            headers={"content-type": "application/x-ndjson"},
        )
        assert kept.status_code == 200, kept.text
        closed = await client.post(f"/v1/victim-sets/{sealed}/seal", json={})
        assert (closed.status_code, closed.json()["users"]) == (200, 2), closed.text
        assert (await step("scope", sets={"read": sealed}, reason="first count"))["victims"] == {"read": 2}
        for content, text in (
            ("data", "Nama dan alamat."), ("when_and_how", "Kemarin, lewat kurir."), ("measures", "Akses ditutup."),
            ("nature", "Data pesanan terbaca."),
        ):  # fmt: skip
            await step("content", content=content, language="id", text=text)
        letter = await client.get(path + "/notices/ID-subject?language=id", headers={"Accept": "text/html"})
        assert "Upaya penanganan dan pemulihan" in letter.text
        style = sha256(re.search("<style>(.*)</style>", letter.text)[1].encode()).digest()
        assert f"style-src 'sha256-{b64encode(style).decode()}'" in letter.headers["content-security-policy"]
        page = await client.get(
            path + "/notices/ID-subject?language=id", headers={"Accept": "application/pdf"}
        )
        assert page.content.startswith(b"%PDF-") or page.json()["code"] == "document_unavailable"
        for rule in ("ID-agency", "ID-subject"):
            await step("sent", rule=rule, receipt="r-1")
        await step("exempt", rule="ID-public", reason="two people, both told")
        owing = await client.post(path + "/steps", json={"step": "state", "state": "closed"})
        assert owing.json()["code"] == "incident_owes"
        await step("learned", root_cause="a shared login", lessons="one login each")
        done = await step("state", state="closed")
        assert (done["incident"]["state"], "Not legal advice" in done["note"]) == ("closed", True)
        listed = (await client.get("/v1/incidents?state=closed")).json()["incidents"]
        assert [each["title"] for each in listed] == ["Orders read at a courier"]
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert [each.deed for each in deeds].count("incident:step") == 12

    world.run(story)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"step": "clock", "clock": "someday"}, "unknown_word"),
        ({"step": "clock", "clock": "aware", "at": "2999-01-01T00:00:00Z"}, "invalid_field"),
        ({"step": "clock", "clock": "may_have_happened"}, "invalid_field"),
        ({"step": "scope", "sets": {"read": "vs-none"}, "reason": "count"}, "not_found"),
        ({"step": "done", "task": "task-none"}, "not_found"),
        ({"step": "evidence", "name": "log", "sha256": "abc"}, "invalid_field"),
        ({"step": "answer", "vendor": "courier", "text": "no"}, "not_found"),
        ({"step": "sent", "rule": "ID-agency"}, "not_found"),
        ({"step": "facts", "facts": {"subjects": {"id": 1}}}, "invalid_field"),
        ({"step": "dance"}, "invalid_field"),
    ],
)
def test_what_cannot_be_done_is_said(world, body, code):
    """Each is a problem with its code, and the record is as it was."""

    async def story(client, _world):
        made = await client.post(
            "/v1/incidents", json={"title": "Codes talked out", "kind": "account_takeover"}
        )
        path = f"/v1/incidents/{made.json()['incident']['id']}"
        assert (await client.post(path + "/steps", json=body)).json()["code"] == code
        assert (await client.get(path)).json()["incident"] == made.json()["incident"]

    world.run(story)
