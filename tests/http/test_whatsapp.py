"""WhatsApp's webhook: what it signed is read, all else is not."""

import hmac
import json
import os
from pathlib import Path

import pytest

VECTORS = Path(os.environ.get("SHOPWARD_SHARED", "/nowhere")) / "data" / "vectors" / "whatsapp"
SECRET = "app-secret"  # noqa: S105 -- of this test
NOTHING = {"known": 0, "unknown": 0, "signals": 0, "messages": 0, "unread": 0}
JSON = {"content-type": "application/json"}


def signed(raw, secret=SECRET):
    """Headers of a body as Meta signs it."""
    return JSON | {"x-hub-signature-256": "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()}


def test_only_what_the_app_signed_is_read(world_in, tmp_path):
    """No signature, another secret, another body: 401; the challenge is for who knows the word; odd bodies are taken and say nothing."""

    async def story(client, _world):
        client.headers.pop("authorization")
        raw = b'{"object":"whatsapp_business_account","entry":[]}'
        for headers in (JSON, signed(raw, "other"), signed(raw + b" ")):
            answer = await client.post("/channels/whatsapp", content=raw, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        for odd in (raw, b"", b"[]", b"{", b'{"entry":7}', "\u00e9".encode("latin-1")):
            answer = await client.post("/channels/whatsapp", content=odd, headers=signed(odd))
            assert (answer.status_code, answer.json()) == (200, NOTHING)
        asked = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "1158201444"}
        assert (await client.get("/channels/whatsapp", params=asked)).text == "1158201444"
        wrong = await client.get("/channels/whatsapp", params=asked | {"hub.verify_token": "other"})
        assert wrong.status_code == 403

    secrets = {"whatsapp_app_secret": SECRET, "whatsapp_verify_token": "word"}
    world_in(tmp_path / "data", **secrets).run(story)


def test_without_a_secret_everything_is_refused(world):
    """Fails closed."""

    async def story(client, _world):
        raw = b"{}"
        answer = await client.post("/channels/whatsapp", content=raw, headers=signed(raw, ""))
        assert answer.status_code == 401
        assert (
            await client.get("/channels/whatsapp?hub.mode=subscribe&hub.verify_token=")
        ).status_code == 403

    world.run(story)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the recorded payloads are not here")
def test_recorded_payloads_are_taken(world_in, tmp_path):
    """Every payload that WhatsApp sent to somebody else is answered with 200; statuses are counted as nobody's of ours."""

    async def story(client, _world):
        for file in sorted(VECTORS.glob("*.json")):
            for name, payload in json.loads(file.read_text("utf-8")).items():
                raw = json.dumps(payload).encode()
                answer = await client.post("/channels/whatsapp", content=raw, headers=signed(raw))
                assert (answer.status_code, answer.json()["unread"]) == (200, 0), (file.name, name)
                if file.name == "message_status.json" and name in ("sent", "failed", "with_tracker"):
                    assert answer.json() == NOTHING | {"unknown": 1}

    world_in(tmp_path / "data", whatsapp_app_secret=SECRET).run(story)
