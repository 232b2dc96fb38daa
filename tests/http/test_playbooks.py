"""Playbooks over HTTP: an incident follows one, step by step; others are brought and become tasks."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shopward.access import Caller
from shopward.config import Settings
from shopward.errors import Conflict
from shopward.incidents.cacao import written
from shopward.incidents.playbooks import shipped
from shopward.service import Shopward
from stores import empty_store


async def opened(client, **more):
    """An incident's path, and what was answered."""
    body = {"title": "Stuffing", "kind": "credential_stuffing", **more}
    made = await client.post("/v1/incidents", json=body)
    assert made.status_code == 201, made.text
    return f"/v1/incidents/{made.json()['incident']['id']}", made.json()


def states(shown):
    """Each step's state by its id."""
    return {each["id"]: each["state"] for each in shown["playbook"]["steps"]}


def test_an_incident_follows_its_playbook(world):
    """Steps open in order, name a call that works as it stands, are ticked with who and evidence; a fact decides a branch."""

    async def story(client, _world):
        path, shown = await opened(client, playbook="credential_stuffing")
        told = {each["id"]: each for each in shown["playbook"]["steps"]}
        assert (states(shown)["freeze"], states(shown)["aware"], states(shown)["scope"]) == (
            "open",
            "open",
            "waiting",
        )
        call = told["freeze"]["call"]
        dry = await client.request(call["method"], call["path"], json=call["body"])
        assert (dry.status_code, dry.json()["state"]) == (201, "draft"), dry.text
        assert dry.json()["incident"] == shown["incident"]["id"]
        assert (bool(told["freeze"]["due_at"]), "due_at" in told["duties"]) == (True, False)

        async def step(word, status=200, **body):
            answer = await client.post(path + "/steps", json={"step": word, **body})
            assert answer.status_code == status, answer.text
            return answer.json()

        assert (await step("tick", 409, task="scope"))["code"] == "step_not_open"
        evidence = await step("evidence", name="dry run", sha256="0" * 64)
        kept = evidence["incident"]["evidence"][0]["id"]
        assert (await step("tick", 404, task="freeze", evidence="ev-none"))["code"] == "not_found"
        await step("tick", task="freeze", note="order o-1", evidence=kept)
        await step("clock", clock="aware", at="2026-01-01T00:00:00Z")
        await step("tick", task="aware")
        shown = await step("tick", task="sources")
        done = next(each for each in shown["playbook"]["steps"] if each["id"] == "freeze")
        assert (done["state"], done["note"], done["evidence"], bool(done["by"])) == (
            "done",
            "order o-1",
            kept,
            True,
        )
        duties = next(each for each in shown["playbook"]["steps"] if each["id"] == "duties")
        assert (duties["due_at"][:10], duties["is_overdue"]) == ("2026-01-02", True)
        for task in ("scope", "reset"):
            shown = await step("tick", task=task)
        shown = await step("skip", task="remember", reason="nobody knows which were tried")
        assert (states(shown)["remember"], states(shown)["money"], states(shown)["duties"]) == (
            "skipped",
            "open",
            "waiting",
        )
        assert (await step("tick", 409, task="money"))["code"] == "step_not_open"
        sealed = (await client.post("/v1/victim-sets", json={"name": "spent"})).json()["id"]
        page = {"content": '{"id":"u1"}\n', "headers": {"content-type": "application/x-ndjson"}}
        kept = await client.put(f"/v1/victim-sets/{sealed}/pages/0", **page)
        closed = await client.post(f"/v1/victim-sets/{sealed}/seal", json={})
        assert (kept.status_code, closed.json()["users"]) == (200, 1), kept.text
        shown = await step("scope", sets={"spent": sealed}, reason="cards were emptied")
        money = next(each for each in shown["playbook"]["steps"] if each["id"] == "money")
        assert (money["answer"], money["by_fact"], states(shown)["claims"]) == (True, True, "open")
        shown = await step("decide", question="money", yes=False, reason="all paid back already")
        assert (states(shown)["claims"], states(shown)["duties"]) == ("not_taken", "open")
        await step("learned", root_cause="reused passwords", lessons="screen them")
        owing = await step("state", 409, state="closed")
        assert "steps of the playbook" in owing["found"]
        for task in ("duties", "tell", "release", "lessons"):
            await step("tick", task=task)
        shown = await step("decide", question="money", yes=True)
        assert (states(shown)["claims"], states(shown)["lessons"]) == ("open", "done")
        await step("decide", question="money", yes=False, reason="a mistake")
        assert (await step("state", state="closed"))["incident"]["state"] == "closed"

    world.run(story)


def test_a_newer_version_leaves_running_incidents_on_theirs(world):
    """An edited export is the next version for incidents that begin then; one that runs keeps its own."""

    async def story(client, _world):
        path, _shown = await opened(client, playbook="insider")
        document = json.loads(written(shipped()["insider"]))
        document["description"] = "Ours now."
        brought = await client.post("/v1/playbooks", json=document)
        assert (brought.status_code, brought.json()["version"], brought.json()["ships"]) == (201, 2, False)
        again = await client.post("/v1/playbooks", json=document)
        assert again.json()["version"] == 2
        assert (await client.get(path)).json()["playbook"]["version"] == 1
        _path, later = await opened(client, playbook="insider")
        assert later["playbook"]["version"] == 2
        second = await client.post(path + "/steps", json={"step": "playbook", "playbook": "insider"})
        assert (second.status_code, second.json()["code"]) == (409, "playbook_running")
        listed = (await client.get("/v1/playbooks")).json()["playbooks"]
        assert {each["id"]: each["version"] for each in listed}["insider"] == 2
        assert len(listed) == len(shipped())

    world.run(story)


def test_a_playbook_leaves_as_it_came(world):
    """The export of what ships, brought again, is the same and makes no version; names are told in the reader's language."""

    async def story(client, _world):
        raw = await client.get("/v1/playbooks/partner_leak?format=cacao")
        assert raw.headers["content-type"].startswith("application/cacao+json")
        assert raw.content == written(shipped()["partner_leak"])
        brought = await client.post("/v1/playbooks", json=raw.json(), headers={"Accept-Language": "zh"})
        assert (brought.json()["version"], brought.json()["ships"]) == (1, True)
        assert brought.json()["name"] == "合作方处的订单数据被读取或出售"

    world.run(story)


def test_no_foreign_playbook_takes_the_id_of_another(world):
    """By its name it would have been the next version of one that ships, and incidents would have followed it."""

    async def story(client, _world):
        document = json.loads(written(shipped()["insider"]))
        foreign = {name: value for name, value in document.items() if name != "playbook_extensions"}
        foreign |= {"id": "playbook--11111111-1111-5111-9111-111111111111", "name": "Insider"}
        refused = await client.post("/v1/playbooks", json=foreign)
        assert (refused.status_code, refused.json()["code"]) == (409, "playbook_taken"), refused.text
        brought = await client.post("/v1/playbooks", json=foreign | {"name": "Insider of theirs"})
        assert (brought.status_code, brought.json()["id"]) == (201, "insider-of-theirs"), brought.text

    world.run(story)


def test_whoever_brings_at_the_same_moment_makes_a_version_or_is_told(tmp_path):
    """On PostgreSQL several see the same newest version: none of them meets an error that nobody explains."""
    document = json.loads(written(shipped()["insider"]))
    caller, start = Caller("k-1", "Ani", ("analyst",)), threading.Barrier(4)

    def bring(number):
        start.wait()
        try:
            made = shopward.playbooks.bring(
                caller, json.dumps(document | {"description": f"{number}"}).encode()
            )
        except Conflict as refused:
            return refused.code
        return made.version

    with empty_store("postgresql", tmp_path) as url:
        settings = Settings(data=str(tmp_path / "data"), database=url)
        with Shopward.open(settings) as shopward, ThreadPoolExecutor(4) as pool:
            came = list(pool.map(bring, range(4)))
    made = sorted(each for each in came if each != "playbook_raced")
    assert made == list(range(2, 2 + len(made)))


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v1/playbooks/none", None, "not_found"),
        ("GET", "/v1/playbooks/insider?format=yaml", None, "unknown_word"),
        ("POST", "/v1/playbooks", {"type": "playbook"}, "playbook_invalid"),
        ("POST", "/v1/incidents", {"title": "x", "kind": "other", "playbook": "none"}, "not_found"),
    ],
)
def test_what_there_is_not_is_said(world, method, path, body, code):
    """With its code."""

    async def story(client, _world):
        answer = await client.request(method, path, **({} if body is None else {"json": body}))
        assert answer.json()["code"] == code

    world.run(story)
