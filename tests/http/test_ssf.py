"""Another company pushes over HTTP: what it hears, and what a shop's own people see of it."""

from __future__ import annotations

import asyncio
import json

from serving import event
from shopward.values import ManualClock, to_rfc3339
from ssf.peer import TOKEN, Peer
from ssf.tokens import NOW_S, claims, signed

PATH = "/v1/signals/transmitters"
SECEVENT = {"content-type": "application/secevent+jwt"}


def linked(user, token, provider):
    """A customer signs in with a foreign account from now on."""
    return event(1, id=f"l-{user}", type="identity_link", time=to_rfc3339(NOW_S * 1000), user={"id": user}, transaction={"identity_provider": provider}, changes=[{"field": "identity", "new_token": token}])  # fmt: skip


async def until(happens):
    """Wait for what is done beside the answers."""
    async with asyncio.timeout(120):
        while not (found := await happens()):  # noqa: ASYNC110 -- nothing tells of it in the product
            await asyncio.sleep(0.02)
    return found


async def kinds(client):
    """Kinds of the orders in force."""
    return {each["kind"] for each in (await client.get("/v1/orders?state=active")).json()["orders"]}


def test_a_push_is_kept_then_acted_on(world_in, tmp_path):
    """202 and no body; the alert and its orders follow by themselves, and the list shows what came of it."""

    async def story(client, _world):
        asked = {"id": "acme", "provider": "acme", "issuer": peer.issuer, "access_token": TOKEN}
        made = await client.post(PATH, json=asked)
        assert (made.status_code, made.json()["push_path"]) == (201, "/ssf/events/acme")
        assert (await client.post(PATH, json=asked)).status_code == 409
        shown = {"authorization": made.json()["authorization"]} | SECEVENT
        await client.post("/v1/decisions", json=linked("ani", "sub-1", "acme"))
        subject = {"format": "iss_sub", "iss": peer.issuer, "sub": "sub-1"}
        token = signed(claims(iss=peer.issuer, sub_id=subject))
        await until(lambda: has_link(client))
        answer = await client.post("/ssf/events/acme", content=token, headers=shown)
        assert (answer.status_code, answer.content) == (202, b"")
        assert await until(lambda: kinds(client)) == {"step_up", "unlink", "revoke"}
        listed = await until(lambda: acted(client))
        assert [(each["id"], each["received"]) for each in listed] == [("acme", {"acted": 1})]
        assert "authorization" not in listed[0]
        verify = await client.post(f"{PATH}/acme/verify")
        assert verify.status_code == 202
        assert (await client.delete(f"{PATH}/acme")).status_code == 204
        assert (await client.get(f"{PATH}/acme")).status_code == 404
        assert (await client.post("/ssf/events/acme", content=token, headers=shown)).status_code == 404

    async def acted(client):  # written down after the orders
        listed = (await client.get(PATH)).json()["transmitters"]
        return listed if "pending" not in listed[0]["received"] else None

    async def has_link(client):
        asked = {"kind": "identity", "token": "sub-1", "provider": "acme"}
        return (await client.post("/v1/links", json=asked)).json()["accounts"]

    with Peer() as peer:
        world_in(tmp_path / "data", clock=ManualClock(NOW_S * 1000), signals_url="https://shop.example").run(
            story
        )


def test_what_is_refused_says_why(world_in, tmp_path):
    """400 with ``err`` and ``description``, as RFC 8935 says, and without a word of the token."""

    async def story(client, _world):
        asked = {"id": "acme", "provider": "acme", "issuer": peer.issuer, "access_token": TOKEN}
        shown = {"authorization": (await client.post(PATH, json=asked)).json()["authorization"]} | SECEVENT
        right = signed(claims(iss=peer.issuer))
        for told, headers, code in (
            (right, SECEVENT, "authentication_failed"),
            (right, shown | {"content-type": "text/plain"}, "invalid_request"),
            (b"{", shown | {"content-type": "application/json"}, "invalid_request"),
            (b"x" * 70_000, shown, "invalid_request"),
            (signed(claims(iss="https://secret.example/")), shown, "invalid_issuer"),
            (right[:-4] + b"AAAA", shown, "invalid_key"),
        ):
            answer = await client.post("/ssf/events/acme", content=told, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
            assert (answer.json().keys(), answer.json()["err"]) == ({"err", "description"}, code)
            assert "secret" not in answer.text

    with Peer() as peer:
        world_in(tmp_path / "data", clock=ManualClock(NOW_S * 1000), signals_url="https://shop.example").run(
            story
        )


def test_apple_sends_its_token_in_json(world_in, tmp_path):
    """Without a header of ours, and with bare words: a consent that was taken back has the shop unlink."""

    async def story(client, _world):
        asked = {
            "id": "apple", "provider": "apple", "issuer": peer.issuer, "profile": "apple", "jwks_uri": peer.issuer + "/jwks",
            "audience": ["com.shop.app"], "is_open": True,
        }  # fmt: skip
        assert (await client.post(PATH, json=asked)).status_code == 201
        await client.post("/v1/decisions", json=linked("ani", "001.a", "apple"))
        told = json.dumps({"type": "consent-revoked", "sub": "001.a", "event_time": NOW_S * 1000})
        body = claims(iss=peer.issuer, aud="com.shop.app", events=told, sub_id=None, txn=None)

        async def pushed():
            body["jti"] += "x"
            answer = await client.post("/ssf/events/apple", json={"payload": signed(body, typ=None).decode()})
            assert answer.status_code == 202
            return await kinds(client)

        assert await until(pushed) == {"unlink"}

    with Peer() as peer:
        world_in(tmp_path / "data", clock=ManualClock(NOW_S * 1000)).run(story)
