"""Campaigns and findings in the browser and in the metrics: seen by who may, worked by analysts, in three languages."""

import asyncio
import re

import pytest

from http_attack import attacked, figure
from persons import opened_with
from shopward.config import Settings
from shopward.errors import StoreUnavailable


@pytest.fixture
def shop(world):
    """Under the policy that ships."""
    world.settings = Settings(data=world.settings.data)
    return world


async def campaign_of(client):
    """The page of the one campaign there is."""
    now = (await client.get("/now.json")).json()
    (campaign,) = now["campaigns"]
    return f"/campaigns/{campaign['id']}"


def test_an_analyst_works_a_campaign_from_the_browser(shop):
    """The page "Now" leads to it; it tells its reach, evidence and accounts; two presses acknowledge and escalate it."""

    async def story(client, world):
        await attacked(client)
        await opened_with(client, world.key)
        path = await campaign_of(client)
        page = (await client.get(path)).text
        for told in (
            "Stolen passwords tried on many accounts",
            "victim",
            "target3",
            "device",
            "Nobody looks after",
        ):
            assert told in page
        pressed = await client.post(path, data={"do": "acknowledge"})
        assert (pressed.status_code, pressed.headers["location"]) == (303, path)
        assert "Looked after by" in (await client.get(path)).text
        again = [await client.post(path, data={"do": "escalate"}) for _ in range(2)]
        assert [each.headers["location"] for each in again] == [path, path + "?notice=told_already"]
        assert "less than ten minutes ago" in (await client.get(again[1].headers["location"])).text
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert [each.deed for each in deeds if each.deed.startswith("campaign:")] == [
            "campaign:acknowledge", "campaign:escalate",
        ]  # fmt: skip

    shop.run(story)


def test_a_finding_is_settled_where_it_is_read(shop):
    """Open findings are listed with whose they are; what became of one takes it off the list, and leads nowhere else."""

    async def story(client, world):
        await attacked(client)
        await opened_with(client, world.key)
        assert "victim" in (await client.get("/findings")).text
        account = (await client.get("/users/victim")).text
        assert ('action="/findings/f-e-2"' in account, "Stolen passwords" in account) == (True, True)
        looked = await client.post("/findings/f-e-2", data={"state": "acknowledged", "back": "/users/victim"})
        assert looked.headers["location"] == "/users/victim"
        assert "being looked at" in (await client.get("/users/victim")).text
        done = await client.post("/findings/f-e-2", data={"state": "acted", "back": "https://evil.example"})
        assert done.headers["location"] == "/findings"
        assert "victim" not in (await client.get("/findings")).text
        assert "victim" in (await client.get("/findings?state=acted")).text
        assert "/findings/f-e-2" not in (await client.get("/users/victim")).text
        assert (await client.post("/findings/f-e-2", data={"state": "open"})).status_code == 422
        assert (await client.post("/findings/f-none", data={"state": "acted"})).status_code == 404

    shop.run(story)


def test_who_only_looks_learns_no_name_and_changes_nothing(shop):
    """The link of the start line and a service's key show counts; a form of another site is refused."""

    async def story(client, world):
        await attacked(client)
        await client.get(f"/login?once={world.application.pages.one_time_token()}")
        path = await campaign_of(client)
        for page in (path, "/findings"):
            text = (await client.get(page)).text
            assert "victim" not in text
            assert "target" not in text
        assert (await client.post(path, data={"do": "acknowledge"})).status_code == 403
        assert (await client.post("/findings/f-e-2", data={"state": "acted"})).status_code == 403
        service = world.application.pages._keys.make(
            name="shop", person="shop", roles=("service",), share_max=1.0, clock=world.shopward.clock
        )
        await opened_with(client, service)
        assert "victim" not in (await client.get(path)).text
        assert (await client.post(path, data={"do": "acknowledge"})).status_code == 403
        await opened_with(client, world.key)
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post(path, data={"do": "acknowledge"}, headers=elsewhere)).status_code == 403
        assert (await client.post(path, data={"do": "other"})).status_code == 422
        client.cookies.clear()
        for page in (path, "/findings"):
            assert (await client.get(page)).headers["location"] == "/login"

    shop.run(story)


def test_pages_of_cases_speak_three_languages_and_hold_no_script(shop):
    """Every word of every page is there in each language; what does not exist is a page that says so."""

    async def story(client, world):
        await attacked(client)
        await opened_with(client, world.key)
        path = await campaign_of(client)
        for language, word in (("id", "Kata sandi curian"), ("zh", "被盗密码"), ("en", "Stolen passwords")):
            headers = {"Accept-Language": language}
            page = await client.get(path, headers=headers)
            assert word in page.text
            for state in ("open", "acknowledged", "dismissed", "acted"):
                other = await client.get(f"/findings?state={state}", headers=headers)
                assert other.status_code == 200
            assert not re.search(r"<script|\sstyle=|\son\w+=", page.text)
        for missing in (
            "/campaigns/c-none",
            path + "?after=%00",
            "/findings?state=else",
            "/findings?before=f-none",
        ):
            assert (await client.get(missing)).status_code == 404

    shop.run(story)


def test_metrics_count_what_was_found_and_what_is_told(shop):
    """Live campaigns, open findings, how far recording lags, messages that no receiver takes, and what waits for people."""

    async def story(client, world):
        body = {"title": "Budi was called", "kind": "other", "severity": "high"}
        assert (await client.post("/v1/incidents", json=body)).status_code == 201
        assert figure((await client.get("/metrics")).text, "campaigns_live") == 0
        made = await client.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/hook"})
        assert (await client.post(f"/v1/webhooks/{made.json()['id']}/test")).status_code == 202
        await attacked(client)
        async with asyncio.timeout(120):
            text = ""
            while not text or figure(text, "findings_open") < 1 or figure(text, "recorder_lag_events"):
                text = (await client.get("/metrics")).text
                await asyncio.sleep(0.05)
        expected = {"campaigns_live": 1, "campaigns_unheard": 1, "findings_open": 1, "recorder_shed": 0,
                    "webhook_failed": 0, "webhooks_off": 0, "records_readable": 1, "models_set": 0, "models_in_force": 0}  # fmt: skip
        assert {name: figure(text, name) for name in expected} == expected
        assert figure(text, "webhook_queued") >= 1
        assert "victim" not in text
        assert "Budi" not in text
        assert 'shopward_incidents_open{severity="high"} 1' in text.splitlines()
        for kind in ("duties", "claims", "complaints", "cases"):
            assert (figure(text, f"{kind}_open"), figure(text, f"{kind}_overdue")) == (0, 0)
        await opened_with(client, world.key)
        assert (await client.get("/now.json")).json()["waits"]["incidents"]["high"] == 1
        assert "What waits for people" in (await client.get("/")).text

    shop.run(story)


def test_metrics_answer_while_the_store_does_not(shop, monkeypatch):
    """The last counts stand, and one figure says that they are old."""

    async def story(client, world):
        def fail(_work):
            raise StoreUnavailable("no", retry_after_s=1.0)

        monkeypatch.setattr(world.shopward.records, "read", fail)
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert figure(answer.text, "records_readable") == 0
        monkeypatch.undo()

    shop.run(story)
