"""Campaigns and findings over HTTP: what the next decision knows."""

import json

from shopward.config import Settings


def login(number, day, minute, user, status="failed", device="dx"):
    """A login on a day of January."""
    return {
        "id": f"e-{number}", "type": "login", "status": status, "time": f"2026-01-{day:02}T01:{minute:02}:00Z",
        "user": {"id": user}, "context": {"ip": "203.0.113.7", "device_id": device},
    }  # fmt: skip


def test_an_attack_is_one_campaign_and_names_the_account_entered_before(world):
    """Twelve tries of one device are one campaign; its earlier success is a finding, and so it is after a restart."""
    world.settings = Settings(data=world.settings.data)
    events = [login(1, 5, 0, "calm", "succeeded", "own"), login(2, 9, 0, "victim", "succeeded")]
    events += [login(10 + n, 9, 1 + n, f"target{n}") for n in range(12)]

    async def attack(client, _world):
        nothing = (await client.get("/v1/campaigns")).json()
        assert nothing == {"campaigns": []}
        body = "".join(json.dumps(each) + "\n" for each in events)
        headers = {"Content-Type": "application/x-ndjson"}
        sent = await client.post("/v1/decisions/batch", content=body, headers=headers)
        assert sent.status_code == 200
        return await told(client, _world)

    async def told(client, _world):
        campaigns = (await client.get("/v1/campaigns")).json()["campaigns"]
        findings = (await client.get("/v1/findings")).json()["findings"]
        return campaigns, findings

    campaigns, findings = world.run(attack)
    (campaign,) = campaigns
    assert (campaign["kind"], campaign["state"], campaign["accounts"]) == ("stuffing", "live", 13)
    (finding,) = findings
    assert (finding["event_id"], finding["campaign"]) == ("e-2", campaign["id"])
    assert finding["rescored"] > finding["score"]
    assert "victim" not in json.dumps([campaigns, findings])
    assert world.run(told) == (campaigns, findings)


def test_what_was_found_is_for_analysts(world):
    """Without a key there is no answer."""

    async def story(client, _world):
        for path in ("/v1/campaigns", "/v1/findings"):
            assert (await client.get(path, headers={"Authorization": ""})).status_code == 401

    world.run(story)
