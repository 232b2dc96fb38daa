"""Partners over HTTP: registered, shared with, pulled from, suspended."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shopward.http.partner_paths import EXAMPLE
from shopward.partners import open_page


def test_a_courier_from_its_registration_to_its_suspension(world) -> None:
    """It opens its page with its own key and token; after the suspension the page is refused with a code."""

    async def story(client, _world):
        key = X25519PrivateKey.generate()
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        made = await client.post("/v1/partners", json=EXAMPLE | {"public_key": public})
        assert made.status_code == 201, made.text
        assert made.json()["audit_due_at"].startswith("2026-07-01")
        rows = [{"id": "o-1", "name": "Budi", "address": "Jl. Melati No. 3"}]
        asked = {"purpose": "delivery", "fields": ["name", "address"], "rows": rows, "days": 7}
        share = (await client.post("/v1/partners/fast-courier/shares", json=asked)).json()
        path = f"/v1/partners/fast-courier/shares/{share['id']}/pages/0"
        bearer = {"Authorization": f"Bearer {share['token']}"}
        page = await client.get(path, headers=bearer)
        assert page.headers["content-type"] == "application/octet-stream"
        assert open_page(key, "fast-courier", share["id"], 0, page.content)[0]["name"] == "Budi"
        listed = (await client.get("/v1/partners/fast-courier/shares")).json()["shares"]
        assert [("token" in each, each["rows"]) for each in listed] == [(False, 1)]
        step = {"step": "suspend", "reason": "rows for sale"}
        assert (await client.post("/v1/partners/fast-courier/steps", json=step)).json()[
            "state"
        ] == "suspended"
        refused = await client.get(path, headers=bearer)
        assert (refused.status_code, refused.json()["code"]) == (403, "partner_suspended")
        assert (await client.get(path)).status_code == 401
        wrong = await client.post(
            "/v1/partners/fast-courier/shares", json=asked | {"fields": ["phone", "nik"]}
        )
        assert (wrong.status_code, "Budi" in wrong.text) == (422, False)
        assert (await client.post(f"/v1/partners/fast-courier/shares/{share['id']}/close")).json()[
            "state"
        ] == "closed"
        audits = await client.post(
            "/v1/partners/fast-courier/audits", json={"on": "2026-02-01", "passed": True}
        )
        assert audits.json()["audit"]["last_on"] == "2026-02-01"
        assert [each["id"] for each in (await client.get("/v1/partners")).json()["partners"]] == [
            "fast-courier"
        ]

    world.run(story)
