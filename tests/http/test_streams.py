"""A receiver of ours over HTTP: what it finds, what it may ask for, and how it is refused."""

from __future__ import annotations

import json

from shopward.http.partner_paths import EXAMPLE
from shopward.values import DAY_MS, ManualClock, to_rfc3339
from ssf.tokens import NOW_S, SUBJECT

ISSUER = "https://shop.example/sw"
PARTNER = EXAMPLE | {"id": "wallet", "scope": {"signals": ["subject"]}}


def shop_in(world_in, tmp_path):
    """A shop that other companies reach."""
    return world_in(tmp_path / "data", clock=ManualClock(NOW_S * 1000), signals_url=ISSUER)


async def admitted(client):
    """Headers of a receiver to which Ani is named."""
    assert (await client.post("/v1/partners", json=PARTNER)).status_code == 201
    made = await client.post(
        "/v1/signals/receivers", json={"partner": "wallet", "audience": "https://wallet.example/"}
    )
    assert made.status_code == 201
    named = await client.put("/v1/signals/receivers/wallet/subjects/ani", json={"subject": SUBJECT})
    assert named.status_code == 204
    return {"authorization": f"Bearer {made.json()['token']}"}


def test_a_receiver_finds_its_way(world_in, tmp_path):
    """From the configuration to a stream, its subjects, a token and the end, each as the specification answers."""

    async def story(client, _world):
        mine = await admitted(client)
        told = (await client.get("/.well-known/ssf-configuration/sw", headers={"authorization": ""})).json()
        assert (told["issuer"], told["spec_version"], told["default_subjects"]) == (ISSUER, "1_0", "ALL")
        at = {
            name: url.removeprefix(ISSUER)
            for name, url in told.items()
            if name.endswith(("_endpoint", "_uri"))
        }
        keys = (await client.get(at["jwks_uri"], headers={"authorization": ""})).json()["keys"]
        assert [(each["kty"], each["alg"], "d" in each) for each in keys] == [("RSA", "RS256", False)]
        streams = at["configuration_endpoint"]
        made = await client.post(streams, json={"events_requested": [], "format": "x"}, headers=mine)
        assert made.status_code == 201
        stream = {"stream_id": made.json()["stream_id"]}
        assert (await client.get(streams, headers=mine)).json() == [made.json()]
        assert (await client.get(streams, params=stream, headers=mine)).json() == made.json()
        for method in ("PATCH", "PUT"):
            changed = await client.request(
                method, streams, json=stream | {"description": method}, headers=mine
            )
            assert (changed.status_code, changed.json()["description"]) == (200, method)
        status = await client.post(at["status_endpoint"], json=stream | {"status": "paused"}, headers=mine)
        assert status.json() == stream | {"status": "paused"}
        await client.post(at["status_endpoint"], json=stream | {"status": "enabled"}, headers=mine)
        assert (await client.get(at["status_endpoint"], params=stream, headers=mine)).json()[
            "status"
        ] == "enabled"
        for subject in (SUBJECT, {"format": "email", "email": "nobody@example.com"}):
            about = stream | {"subject": subject}
            gone = await client.post(at["remove_subject_endpoint"], json=about, headers=mine)
            again = await client.post(at["add_subject_endpoint"], json=about, headers=mine)
            assert (gone.status_code, gone.content, again.status_code, again.content) == (204, b"", 200, b"")
        order = {
            "kind": "revoke",
            "target": {"user": "ani"},
            "reason": "takeover",
            "ends_at": to_rfc3339(NOW_S * 1000 + DAY_MS),
        }
        assert (await client.post("/v1/orders", json=order)).status_code == 201
        assert (await client.post(at["verification_endpoint"], json=stream, headers=mine)).status_code == 204
        soon = await client.post(at["verification_endpoint"], json=stream, headers=mine)
        assert (soon.status_code, soon.headers["retry-after"]) == (429, "60")
        polled = (await client.post("/ssf/poll", json={"returnImmediately": True}, headers=mine)).json()
        assert (len(polled["sets"]), polled["moreAvailable"]) == (2, False)
        after = (await client.post("/ssf/poll", json={"ack": list(polled["sets"])}, headers=mine)).json()
        assert after == {"sets": {}, "moreAvailable": False}
        assert (await client.delete(streams, params=stream, headers=mine)).status_code == 204
        assert (await client.get(streams, params=stream, headers=mine)).status_code == 404
        listed = (await client.get("/v1/signals/receivers")).json()["receivers"]
        assert [(each["partner"], each["subjects"], each["tokens"]) for each in listed] == [
            ("wallet", 1, {"taken": 2})
        ]
        assert "token" not in listed[0]
        assert (await client.post("/v1/signals/keys/rotate")).status_code == 204
        assert (await client.delete("/v1/signals/receivers/wallet/subjects/ani")).status_code == 204
        assert (await client.delete("/v1/signals/receivers/wallet")).status_code == 204

    shop_in(world_in, tmp_path).run(story)


def test_a_receiver_is_refused_as_the_specification_says(world_in, tmp_path):
    """400 for a wrong body, 401 without its token, also with an API key, 403 once suspended; its token opens nothing of the shop's."""

    async def story(client, _world):
        mine = await admitted(client)
        for headers in ({"authorization": ""}, {"authorization": "Bearer sr_x"}, dict(client.headers)):
            answer = await client.get("/ssf/streams", headers={"authorization": headers["authorization"]})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        for path in ("/v1/orders", "/v1/users/ani", "/v1/partners"):
            assert (await client.get(path, headers=mine)).status_code == 401
        wrong = [
            "{",
            "[]",
            json.dumps({"delivery": {"method": "urn:own"}}),
            json.dumps({"events_requested": "x"}),
        ]
        wrong.append(
            json.dumps({"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "http://10.0.0.1/"}})
        )
        for body in wrong:
            answer = await client.post("/ssf/streams", content=body, headers=mine)
            assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert (await client.post("/ssf/poll", json={}, headers=mine)).status_code == 404
        assert (await client.post("/ssf/streams", json={}, headers=mine)).status_code == 201
        assert (await client.post("/ssf/streams", json={}, headers=mine)).status_code == 409
        await client.post("/v1/partners/wallet/steps", json={"step": "suspend", "reason": "a leak"})
        answer = await client.get("/ssf/streams", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (403, "partner_suspended")

    shop_in(world_in, tmp_path).run(story)


def test_without_an_address_nothing_is_told(world):
    """No configuration, and nobody's token."""

    async def story(client, _world):
        assert (await client.get("/.well-known/ssf-configuration")).status_code == 404

    world.run(story)
