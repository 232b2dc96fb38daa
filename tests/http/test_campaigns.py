"""Campaigns and findings over HTTP: what the next decision knows."""

import asyncio
import json

from http_attack import attack
from shopward.config import Settings


def test_an_attack_is_one_campaign_and_names_the_account_entered_before(world):
    """Twelve tries of one device are one campaign; its earlier success is a finding, and so it is after a restart."""
    world.settings = Settings(data=world.settings.data)
    events = attack()

    async def sent(client, _world):
        nothing = (await client.get("/v1/campaigns")).json()
        assert nothing == {"campaigns": []}
        body = "".join(json.dumps(each) + "\n" for each in events)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await client.post("/v1/decisions/batch", content=body, headers=headers)
        assert answer.status_code == 200
        return await told(client, _world)

    async def told(client, _world):
        campaigns = (await client.get("/v1/campaigns")).json()["campaigns"]
        findings = []
        async with asyncio.timeout(120):
            while not findings:  # a moment after the decision
                findings = (await client.get("/v1/findings", params={"state": "open"})).json()["findings"]
                await asyncio.sleep(0.01)
        return campaigns, findings

    campaigns, findings = world.run(sent)
    (campaign,) = campaigns
    assert (campaign["kind"], campaign["state"], campaign["accounts"]) == ("stuffing", "live", 13)
    (finding,) = findings
    assert (finding["event_id"], finding["campaign"]) == ("e-2", campaign["id"])
    assert finding["rescored"] > finding["score"]
    assert finding["user"] == "victim"
    assert "victim" not in json.dumps(campaigns)
    assert world.run(told) == (campaigns, findings)


def test_people_look_after_what_was_found(world):
    """A campaign shows its members page by page and who acknowledged it; a finding says what became of it."""
    world.settings = Settings(data=world.settings.data)
    events = attack()

    async def story(client, _world):
        for event in events:
            await client.post("/v1/decisions", json=event)
        (campaign,) = (await client.get("/v1/campaigns")).json()["campaigns"]
        path, users, after = f"/v1/campaigns/{campaign['id']}", [], ""
        async with asyncio.timeout(120):
            while (await client.get(path)).json().get("campaign", {}).get("accounts") != 13:  # noqa: ASYNC110 -- a moment after
                await asyncio.sleep(0.01)
        while after is not None:
            page = (await client.get(path, params={"limit": 5, "after": after})).json()
            users += [member["user"] for member in page["members"]]
            after = page["next"]
        assert sorted(users) == sorted(["victim", *(f"target{n}" for n in range(12))])
        done = (await client.post(path + "/acknowledge")).json()
        assert done["acknowledged_by"]
        assert done["acknowledged_at"]
        settled = await client.post("/v1/findings/f-e-2", json={"state": "acted"})
        assert settled.json()["state"] == "acted"
        assert (await client.get("/v1/findings?state=open")).json() == {"findings": [], "next": None}
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert {"campaign:acknowledge", "finding:settle"} <= {entry.deed for entry in deeds}
        for wrong, status in (
            (client.get("/v1/campaigns/c-none"), 404),
            (client.get(path + "?after=%00"), 422),
            (client.get("/v1/findings?state=else"), 422),
            (client.get("/v1/findings?before=f-none"), 404),
            (client.post("/v1/findings/f-e-2", json={"state": "open"}), 422),
            (client.post("/v1/findings/f-none", json={"state": "acted"}), 404),
        ):
            assert (await wrong).status_code == status

    world.run(story)


def test_what_was_found_is_for_analysts(world):
    """Without a key there is no answer."""

    async def story(client, _world):
        for path in ("/v1/campaigns", "/v1/findings"):
            assert (await client.get(path, headers={"Authorization": ""})).status_code == 401

    world.run(story)
