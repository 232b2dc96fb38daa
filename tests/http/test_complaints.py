"""Complaints over HTTP: filed by the shop, answered by people in time, appealed to others, told when late."""

import asyncio

import pytest
from click.testing import CliRunner

from claims.account import past, payment
from outbox.reading import owed
from persons import keyed
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from serving import Server
from shopward.cli import main
from shopward.values import DAY_MS, HOUR_MS


@pytest.fixture
def desk(world_in, tmp_path, database, clock):  # noqa: F811 -- the fixtures
    """An application over each kind of store, on a clock that stands."""
    return world_in(tmp_path / "data", database=database, clock=clock)


async def filed(client, **said):
    """A complaint that was taken."""
    asked = {"user": "anna", "about": "service", "statement": "nobody answers"} | said
    answer = await client.post("/v1/complaints", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_from_the_complaint_to_the_final_answer(desk, clock):  # noqa: F811
    """Acknowledged, taken, extended, decided, appealed: the first may not decide again; the second's word is final."""

    async def story(client, world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        shop = await keyed(client, "shop", "service")
        made = await filed(client, statement="saya kecewa, telepon 0812-3456-7890", regime="id_ojk")
        assert (made["state"], made["statement"]) == ("received", "saya kecewa, telepon [phone]")
        path = f"/v1/complaints/{made['id']}"
        for step in ("acknowledge", "take"):
            assert (await client.post(f"{path}/{step}", headers=siti)).status_code == 200
        longer = (await client.post(path + "/extend", json={"reason": "difficult"}, headers=siti)).json()
        assert (longer["due_at"] > made["due_at"], longer["is_extended"]) == (True, True)
        again = await client.post(path + "/extend", json={"reason": "difficult"}, headers=siti)
        assert again.json()["code"] == "no_extension"
        no = {"outcome": "rejected", "reason": "no_fault_found"}
        decided = (await client.post(path + "/decide", json=no, headers=siti)).json()
        assert (decided["state"], decided["staff"]["decider"]) == ("decided", "siti")
        heard = await client.get(path, headers=shop | {"Accept-Language": "zh"})
        assert "staff" not in heard.json()
        assert heard.json()["outcome_text"] == "您的投诉未获支持。"
        assert (await client.post(path + "/appeal", headers=shop)).json()["state"] == "appealed"
        yes = {"outcome": "partly", "reason": "too_slow", "remedies": [{"kind": "apology"}]}
        same = await client.post(path + "/decide", json=yes, headers=siti)
        assert (same.status_code, same.json()["code"]) == (403, "second_person_needed")
        final = (await client.post(path + "/decide", json=yes, headers=budi)).json()
        assert (final["state"], final["remedies"][0]["text"]) == ("final", "We apologise.")
        assert (await client.post(path + "/appeal", headers=shop)).json()["code"] == "complaint_state"
        told = [
            payload["step"] for topic, _id, payload in owed(world.shopward) if topic == "complaint.stepped"
        ]
        assert sorted(told) == sorted(
            ["received", "acknowledged", "taken", "extended", "decided", "appealed", "appeal_decided"]
        )
        trail, records = world.shopward.trail, world.shopward.records
        lines = records.read(lambda each: trail.read(each, after_seq=0, limit=50))
        assert sum(line.deed == "complaint:step" for line in lines) == 7
        assert "kecewa" not in str(lines)

    desk.run(story)


def test_who_did_it_does_not_judge_it(desk, clock):  # noqa: F811
    """Who declined the claim, placed the order, or is complained about: barred. A remedy names what there is."""

    async def story(client, _world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        now_ms = clock.now_ms()
        for each in [*past(now_ms), payment("hers", now_ms - HOUR_MS, 900_000_00)]:
            await client.post("/v1/decisions", json=each)
        draft = (await client.post("/v1/claims", json={"user": "anna"})).json()
        claim = f"/v1/claims/{draft['id']}"
        await client.post(claim + "/submit", json={"events": ["hers"]})
        said = {"amounts": {"hers": 0}, "reason": "authorised_by_owner"}
        proposed = await client.post(claim + "/decline", json=said, headers=siti)
        assert proposed.status_code == 200, proposed.text
        about = await filed(client, about="claim", subject=draft["id"])
        path = f"/v1/complaints/{about['id']}"
        barred = await client.post(path + "/take", headers=siti)
        assert (barred.status_code, barred.json()["code"]) == (403, "complaint_barred")
        assert (await client.post(path + "/take", headers=budi)).status_code == 200
        yes = {
            "outcome": "upheld",
            "reason": "our_mistake",
            "remedies": [{"kind": "claim", "reference": "c-none"}],
        }
        assert (await client.post(path + "/decide", json=yes, headers=budi)).status_code == 404
        yes["remedies"][0]["reference"] = draft["id"]
        assert (await client.post(path + "/decide", json=yes, headers=budi)).json()["state"] == "decided"
        whose = await filed(client, about="staff", against="budi")
        assert (await client.post(f"/v1/complaints/{whose['id']}/take", headers=budi)).status_code == 403
        frozen = await client.post("/v1/users/anna/freeze", json={}, headers=siti)
        order = (await client.get("/v1/users/anna")).json()["orders"][0]
        assert frozen.status_code < 300
        placed = await filed(client, about="order", subject=order)
        assert (await client.post(f"/v1/complaints/{placed['id']}/take", headers=siti)).status_code == 403
        await filed(client, about="decision", subject="hers")

    desk.run(story)


def test_a_date_that_passes_is_told_once_a_state_and_decides_nothing(desk, clock):  # noqa: F811
    """Late to acknowledge, late to decide, then decided; nobody appeals, and it is final by itself."""

    async def story(client, world):
        made = await filed(client)
        path = f"/v1/complaints/{made['id']}"

        async def later(days):
            clock.advance(days * DAY_MS)
            for _each in range(2):  # the server's own sweep may come first
                world.shopward.complaints.sweep()
            return (await client.get(path)).json()

        assert (await later(5))["is_overdue"] is True
        assert [
            each["id"] for each in (await client.get("/v1/complaints?overdue=true")).json()["complaints"]
        ] == [made["id"]]
        await client.post(path + "/acknowledge")
        assert (await client.get(path)).json()["is_overdue"] is False
        assert (await later(20))["is_overdue"] is True
        await client.post(path + "/take")
        no = {"outcome": "rejected", "reason": "not_ours"}
        assert (await client.post(path + "/decide", json=no)).json()["is_overdue"] is False
        done = await later(31)
        assert (done["state"], done["history"][-1]["step"]) == ("final", "accepted")
        late = [
            payload["state"] for topic, _id, payload in owed(world.shopward) if topic == "complaint.overdue"
        ]
        assert sorted(late) == ["acknowledged", "received"]
        assert (await client.get("/v1/complaints?overdue=true")).json()["complaints"] == []

    desk.run(story)


def test_sent_again_under_its_key_it_is_the_same_complaint(desk):
    """Eight at once under one key: one complaint; other words under it are refused; without a key each is its own."""

    async def story(client, _world):
        many = await asyncio.gather(*(filed(client, key="ticket-1") for _each in range(8)))
        assert len({each["id"] for each in many}) == 1
        other = {"user": "anna", "about": "service", "statement": "something else", "key": "ticket-1"}
        refused = await client.post("/v1/complaints", json=other)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert (await filed(client))["id"] != (await filed(client))["id"]
        mine = (await client.get("/v1/complaints?user=anna&limit=2")).json()
        assert (len(mine["complaints"]), bool(mine["next"])) == (2, True)
        rest = (await client.get(f"/v1/complaints?user=anna&before={mine['next']}")).json()
        assert (len(rest["complaints"]), rest["next"]) == (1, None)

    desk.run(story)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"about": "claim"}, 422, "invalid_field"),
        ({"about": "claim", "subject": "c-none"}, 404, "not_found"),
        ({"about": "order", "subject": "o-none"}, 404, "not_found"),
        ({"about": "decision", "subject": "e-none"}, 404, "not_found"),
        ({"about": "privacy", "subject": "c-1"}, 422, "invalid_field"),
        ({"about": "staff"}, 422, "invalid_field"),
        ({"about": "weather"}, 422, "unknown_word"),
        ({"regime": "mars"}, 404, "not_found"),
        ({"statement": ""}, 422, "invalid_field"),
        ({"user": ""}, 422, "invalid_field"),
        ({"surprise": 1}, 422, "unknown_field"),
    ],
)
def test_what_is_no_complaint_is_refused(world, said, status, code):
    """With a stable code, and nothing is kept."""

    async def story(client, _world):
        asked = {"user": "anna", "about": "service", "statement": "x"} | said
        answer = await client.post("/v1/complaints", json=asked)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await client.get("/v1/complaints")).json()["complaints"] == []
        assert (await client.get("/v1/complaints?state=lost")).status_code == 422
        assert (await client.get("/v1/complaints/cp-none")).status_code == 404

    world.run(story)


def test_the_command_tells_the_same_story(tmp_path, monkeypatch):
    """Filed, listed, taken and decided from a terminal, with a dry run before."""
    with Server(tmp_path / "data", policy=None) as server:
        monkeypatch.setenv("SHOPWARD_KEY", server.key)
        monkeypatch.setenv("SHOPWARD_URL", server.url)

        def told(*words):
            result = CliRunner().invoke(main, ["complaint", *words])
            assert result.exit_code == 0, result.output
            return result.output

        name = told("file", "privacy", "I asked twice", "--user", "anna", "--regime", "eu_gdpr").split()[0]
        assert name in told("list", "--user", "anna", "--state", "received")
        assert "acknowledged" in told("step", name, "acknowledge")
        assert "in_review" in told("step", name, "take")
        assert "in_review" in told("extend", name, "--reason", "difficult")
        decision = ("decide", name, "upheld", "--reason", "too_slow", "--remedy", "apology")
        assert "nothing is decided" in told(*decision)
        assert "We took too long." in told(*decision, "--yes")
        assert "decided" in told("show", name)
