"""Cases of customers over HTTP: one press opens one case, whoever looks sees the account, nobody forgets it."""

import asyncio
from datetime import datetime
from typing import get_args

import pytest
from click.testing import CliRunner

from claims.account import past, theft
from outbox.reading import owed
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from serving import Server
from shopward.cli import main
from shopward.screening.reports import REASONS, Reason
from shopward.screening.reports.wording import texts
from shopward.values import HOUR_MS, to_ms


@pytest.fixture
def desk(world_in, tmp_path, database, clock):  # noqa: F811 -- the fixtures
    """An application over each kind of store, on a clock that stands."""
    return world_in(tmp_path / "data", database=database, clock=clock)


async def attacked(client, now_ms):
    """An account with a past, and what a stranger took."""
    for each in past(now_ms) + theft(now_ms):
        assert (await client.post("/v1/decisions", json=each)).status_code == 200


async def pressed(client, **said):
    """What the button answers."""
    answer = await client.post("/v1/reports", json={"kind": "loss", "user": "anna", **said})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_loss_opens_one_case_and_its_offers_work_as_they_are(desk, clock):  # noqa: F811
    """The answer names the day and two requests; sent as they are they freeze and begin a claim, and the case shows both."""

    async def story(client, world):
        await attacked(client, clock.now_ms())
        said = await pressed(
            client, said="uang saya hilang, hubungi budi@example.com", since="2026-01-04T20:00:00Z"
        )
        assert (said["state"], said["reports"]) == ("open", 1)
        assert to_ms(datetime.fromisoformat(said["due_at"])) - clock.now_ms() == 4 * HOUR_MS
        assert [each["action"] for each in said["offers"]] == ["freeze", "claim"]
        before = (await client.get(f"/v1/reports/{said['case_id']}")).json()
        assert (before["customer"]["orders"], before["customer"]["claims"]) == ([], [])
        for offer in said["offers"]:
            done = await client.request(offer["method"], offer["path"], json=offer["body"])
            assert done.status_code in (200, 201), done.text
        page = (await client.get(f"/v1/reports/{said['case_id']}", headers={"Accept-Language": "zh"})).json()
        seen = page["customer"]
        assert (seen["user"], seen["complete"]) == ("anna", True)
        assert [each["id"] for each in seen["events"]][:2] == ["anna-stolen-1", "anna-stolen-0"]
        assert all(each["decision"] for each in seen["events"])
        assert [each["events"] for each in seen["devices"]] == [3, 2]
        assert {each["kind"] for each in seen["orders"]} == {"freeze", "revoke"}
        assert [each["state"] for each in seen["claims"]] == ["draft"]
        assert page["reports"][0]["said"] == "uang saya hilang, hubungi [email]"
        assert [each["action"] for each in page["offers"]] == ["freeze", "claim"]
        assert "report.opened" in {topic for topic, _id, _payload in owed(world.shopward)}

    desk.run(story)


def test_however_often_and_at_once_it_is_pressed_there_is_one_case(desk, clock):  # noqa: F811
    """Twelve presses together: one case; a loss makes a doubt graver; settled, the next press opens another one."""

    async def story(client, _world):
        first = await pressed(client, kind="doubt")
        assert [each["action"] for each in first["offers"]] == ["freeze"]
        many = await asyncio.gather(*(pressed(client, kind="doubt") for _each in range(12)))
        assert {each["case_id"] for each in many} == {first["case_id"]}
        assert sorted(each["reports"] for each in many) == list(range(2, 14))
        graver = await pressed(client)
        assert (graver["case_id"], graver["due_at"] < first["due_at"]) == (first["case_id"], True)
        path = f"/v1/reports/{first['case_id']}"
        assert (await client.get(path)).json()["case"]["kind"] == "loss"
        assert (await pressed(client, user="budi"))["case_id"] != first["case_id"]
        nobody = [await pressed(client, user="") for _each in range(2)]
        assert nobody[0]["case_id"] != nobody[1]["case_id"]
        assert "offers" not in nobody[0]
        settled = await client.post(path, json={"state": "confirmed", "reason": "account_taken_over"})
        assert (settled.json()["state"], settled.json()["text"]) == (
            "confirmed",
            "Somebody else was in the account.",
        )
        assert (await client.get(path)).json()["offers"] == []
        assert (await pressed(client))["case_id"] != first["case_id"]

    desk.run(story)


def test_a_case_is_looked_after_noted_told_when_overdue_and_every_step_is_audited(desk, clock):  # noqa: F811
    """Assigned, written into with values masked, late once, settled; the trail has each step and no text."""

    async def story(client, world):
        case_id = (await pressed(client))["case_id"]
        path = f"/v1/reports/{case_id}"
        assigned = (await client.post(path + "/assign", json={"person": "siti"})).json()
        assert assigned["assignee"] == "siti"
        note = await client.post(path + "/notes", json={"text": "called 0812-3456-7890, phone stolen"})
        assert (note.status_code, note.json()["text"]) == (201, "called [phone], phone stolen")
        mine = (await client.get("/v1/reports?assignee=siti&user=anna&state=open")).json()["cases"]
        assert [each["id"] for each in mine] == [case_id]
        clock.advance(4 * HOUR_MS + 1)
        for _each in range(2):  # the server's own sweep may come first
            world.shopward.report_cases.sweep()
        assert (await client.get(path)).json()["case"]["is_overdue"] is True
        await client.post(path, json={"state": "dismissed", "reason": "owner_acted"})
        assert (await client.post(path + "/assign")).json()["code"] == "case_settled"
        told = [topic for topic, _id, _payload in owed(world.shopward)]
        assert [told.count(f"report.{what}") for what in ("opened", "overdue", "settled")] == [1, 1, 1]
        trail, records = world.shopward.trail, world.shopward.records
        lines = records.read(lambda each: trail.read(each, after_seq=0, limit=50))
        deeds = [line.deed for line in lines if line.subject == case_id]
        assert deeds == ["report:assign", "report:note", "report:settle"]
        assert "stolen" not in str(lines)

    desk.run(story)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"state": "confirmed", "reason": "owner_acted"}, 422, "invalid_field"),
        ("", {"state": "confirmed", "reason": "because"}, 422, "unknown_word"),
        ("", {"state": "open"}, 422, "unknown_word"),
        ("/notes", {"text": ""}, 422, "invalid_field"),
        ("/notes", {"text": "x" * 4_001}, 413, "input_too_large"),
        ("/assign", {"person": 7}, 422, "invalid_field"),
        ("/assign", {"who": "siti"}, 422, "unknown_field"),
    ],
)
def test_what_cannot_be_said_of_a_case_is_refused(world, path, body, status, code):
    """Refused with a stable code, and the case is as it was; a case that is not there is a 404."""

    async def story(client, _world):
        case_id = (await pressed(client))["case_id"]
        before = (await client.get(f"/v1/reports/{case_id}")).json()
        answer = await client.post(f"/v1/reports/{case_id}{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await client.get(f"/v1/reports/{case_id}")).json() == before
        unknown = await client.post("/v1/reports/rc-none", json={"state": "dismissed"})
        assert unknown.status_code == 404
        wrong = await client.post("/v1/reports", json={"kind": "loss", "since": "gestern"})
        assert wrong.status_code == 422

    world.run(story)


def test_every_word_of_a_case_is_said_in_three_languages():
    """No kind, offer or reason without its sentence, and no sentence without its word."""
    assert {section: set(words) for section, words in texts().items()} == {
        "next": {"loss", "doubt", "message", "link", "sender"},
        "offers": {"freeze", "claim"},
        "reasons": set(get_args(Reason)),
    }
    assert all(set(said) == {"id", "zh", "en"} for words in texts().values() for said in words.values())
    assert sorted(reason for fitting in REASONS.values() for reason in fitting) == sorted(get_args(Reason))


def test_the_command_tells_the_same_story(tmp_path, monkeypatch):
    """Opened, listed, shown, assigned, noted and settled from a terminal, on a running server."""
    with Server(tmp_path / "data", policy=None) as server:
        monkeypatch.setenv("SHOPWARD_KEY", server.key)
        monkeypatch.setenv("SHOPWARD_URL", server.url)

        def told(*words):
            result = CliRunner().invoke(main, ["case", *words])
            assert result.exit_code == 0, result.output
            return result.output

        opened = told("open", "loss", "--user", "anna", "--said", "not me", "--language", "id")
        case_id = opened.split()[0]
        assert "Petugas akan memeriksa akun Anda dalam 4 jam" in opened
        assert "POST /v1/users/anna/freeze" in opened
        assert case_id in told("list", "--state", "open", "--user", "anna")
        assert "not me" in told("show", case_id)
        told("assign", case_id)
        told("note", case_id, "called back")
        assert "account_taken_over" in told("settle", case_id, "confirmed", "--reason", "account_taken_over")
        assert "note of" in told("show", case_id)


def test_the_queue_begins_with_what_is_late(desk, clock):  # noqa: F811 -- the fixtures
    """The longest due first, then what is in time, newest first; a page goes on with what is in time, of the kinds asked for."""

    async def story(client, world):
        async def opened(kind, *users):
            ids = []
            for user in users:
                clock.advance(1)
                ids.append((await pressed(client, kind=kind, user=user))["case_id"])
            return ids

        doubts = await opened("doubt", "anna", "bo")
        (loss,) = await opened("loss", "cici")
        clock.advance(25 * HOUR_MS)
        fresh = await opened("doubt", "dewi", "eka")
        cases = world.shopward.report_cases

        def queue(before="", kinds=("loss", "doubt"), limit=9):
            late, others = cases.queue(before=before, kinds=kinds, limit=limit)
            return [each.id for each in late], [each.id for each in others]

        assert queue() == ([loss, *doubts], fresh[::-1])
        assert queue(kinds=("loss",)) == ([loss], [])
        assert queue(limit=1) == ([loss], fresh[1:])
        assert queue(before=fresh[1]) == ([], fresh[:1])
        assert [each.id for each in cases.cases(kinds=("loss",), limit=9)] == [loss]

    desk.run(story)
