"""What is done with personal data, over HTTP: activities, consents that the vault obeys, the record, everything of one customer."""

import asyncio
import csv
import io
from html.parser import HTMLParser
from typing import get_args

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from outbox.reading import owed
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from serving import Server
from shopward.cli import main
from shopward.errors import InvalidField
from shopward.processing import Basis, shipped_activities
from shopward.processing.activity import load_activities
from shopward.processing.record import (
    ActivityRow,
    ErasedRow,
    ProcessingRecord,
    RetentionRow,
    as_csv,
    as_html,
)  # fmt: skip
from shopward.vault.purposes import PURPOSES

OFFERS = {
    "title": {"id": "Kabar penawaran", "zh": "优惠信息", "en": "News of offers"}, "basis": "consent",
    "law": "GDPR art. 6(1)a", "data": ["contact"], "subjects": ["customers"], "keep": "Until it is withdrawn",
}  # fmt: skip


@pytest.fixture
def desk(world_in, tmp_path, database, clock):  # noqa: F811 -- the fixtures
    """An application over each kind of store, on a clock that stands."""
    return world_in(tmp_path / "data", database=database, clock=clock)


async def declared(client, name, **changes):
    """An activity of the shop's."""
    answer = await client.put(f"/v1/processing/activities/{name}", json=OFFERS | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def said(client, user, state, *, purpose="customer_service", text="2026-11"):
    """The answer to a consent that was said."""
    asked = {"purpose": purpose, "state": state, "text_version": text, "how": "app"}
    return await client.post(f"/v1/users/{user}/consents", json=asked)


async def kept(client, *users):
    """A record of each in the vault."""
    records = [
        {
            "id": f"k-{user}",
            "user": user,
            "kind": "customer",
            "fields": {"name": "Anna", "phone": "0812-3456-7890"},
        }
        for user in users
    ]
    answer = await client.post("/v1/vault/records", json={"records": records})
    assert answer.status_code == 201, answer.text


def reveal(client, *users, purpose="customer_service"):
    """Asks to see names and numbers."""
    asked = {
        "records": [f"k-{user}" for user in users],
        "fields": ["name"],
        "purpose": purpose,
        "case_id": "c-1",
    }
    return client.post("/v1/vault/reveal", json=asked)


def test_a_purpose_that_rests_on_consent_is_refused_once_it_is_withdrawn(desk):
    """Shown before it rests on consent; then only for who gave it; not any more after it was withdrawn; audited as a try."""

    async def story(client, world):
        await kept(client, "anna", "budi")
        assert (await reveal(client, "anna", "budi")).status_code == 200
        assert (await declared(client, "customer_service"))["version"] == 1
        refused = await reveal(client, "anna")
        assert (refused.status_code, refused.json()["code"]) == (403, "consent_missing")
        assert (await said(client, "anna", "given")).status_code == 201
        assert (await reveal(client, "anna")).status_code == 200
        assert (await reveal(client, "anna", "budi")).json()["found"] == "1 without"
        assert (await reveal(client, "budi", purpose="fraud_investigation")).status_code == 200
        assert (await said(client, "anna", "withdrawn")).json()["number"] == 2
        assert (await reveal(client, "anna")).json()["code"] == "consent_missing"
        assert (await said(client, "anna", "given", text="2026-12")).json()["number"] == 3
        assert (await reveal(client, "anna")).status_code == 200
        lines = (await client.get("/v1/users/anna/consents")).json()["consents"]
        assert [(each["number"], each["state"]) for each in lines] == [
            (1, "given"),
            (2, "withdrawn"),
            (3, "given"),
        ]
        trail, records = world.shopward.trail, world.shopward.records
        deeds = [line.deed for line in records.read(lambda each: trail.read(each, after_seq=0, limit=99))]
        assert (deeds.count("personal:refuse"), deeds.count("consent:change")) == (3, 3)
        assert [topic for topic, _id, _payload in owed(world.shopward)].count("consent.changed") == 3

    desk.run(story)


def test_said_again_and_at_once_a_consent_is_one_line(desk):
    """Ten at once: one line. Asked for what rests on something else, refused; withdrawn where it rested on it once."""

    async def story(client, _world):
        await declared(client, "offers")
        many = await asyncio.gather(*(said(client, "anna", "given", purpose="offers") for _each in range(10)))
        assert {(each.status_code, each.json()["number"]) for each in many} == {(201, 1)}
        nothing = await said(client, "budi", "withdrawn", purpose="offers")
        assert (nothing.status_code, nothing.json()["code"]) == (422, "invalid_field")
        other = await said(client, "anna", "given", purpose="delivery")
        assert (other.status_code, other.json()["code"]) == (422, "purpose_without_consent")
        assert (await said(client, "anna", "given", purpose="none")).status_code == 404
        assert (await declared(client, "offers"))["version"] == 1
        assert (await declared(client, "offers", basis="legitimate_interest"))["version"] == 2
        assert (await said(client, "anna", "withdrawn", purpose="offers")).status_code == 201

    desk.run(story)


def test_the_record_says_the_same_in_three_forms(desk):
    """Activities with consents, retention with ends, what was erased; JSON, CSV and a page; no customer's id in any."""

    async def story(client, _world):
        await kept(client, "anna", "budi")
        await declared(client, "offers", recipients=["=cmd", "<b>mailer</b>"])
        await said(client, "anna", "given", purpose="offers")
        for state in ("given", "withdrawn"):
            await said(client, "budi", state, purpose="offers")
        erased = await client.post("/v1/vault/users/budi/erase", json={"reason": "asked", "dry_run": False})
        assert erased.status_code == 200, erased.text
        made = (await client.get("/v1/processing/record", headers={"Accept-Language": "zh"})).json()
        rows = {each["name"]: each for each in made["activities"]}
        assert (rows["offers"]["consents"], rows["offers"]["withdrawn"], rows["offers"]["title"]) == (
            1,
            1,
            "优惠信息",
        )
        assert set(PURPOSES) < set(rows)
        assert made["retention"] == [{"retention": "profile", "records": 1, "ending": 0}]
        assert (made["erased"]["by_request"], made["erased"]["requests"]) == (1, 1)
        table = await client.get("/v1/processing/record?format=csv")
        lines = list(csv.DictReader(io.StringIO(table.text)))
        assert {each["name"] for each in lines} == set(rows)
        assert next(each for each in lines if each["name"] == "offers")["recipients"].startswith("'=cmd")
        page = await client.get("/v1/processing/record?format=html")
        assert page.headers["content-type"].startswith("text/html")
        assert "<b>mailer" not in page.text
        assert not [name for name in ("anna", "budi") if name in str(made) + table.text + page.text]
        assert (await client.get("/v1/processing/record?format=pdf")).status_code == 422

    desk.run(story)


def test_the_export_has_everything_of_a_customer_and_nothing_of_another(desk):
    """Vault, reports, case with notes, complaint, claim form and consent; no staff; audited; nothing is a 404."""

    async def story(client, world):
        await kept(client, "anna")
        await declared(client, "offers")
        for user in ("anna", "budi"):
            await said(client, user, "given", purpose="offers")
            told = await client.post(
                "/v1/reports", json={"kind": "loss", "user": user, "said": f"help {user}"}
            )
            path = f"/v1/reports/{told.json()['case_id']}"
            await client.post(path + "/notes", json={"text": "called back"})
            await client.post("/v1/complaints", json={"user": user, "about": "service", "statement": "slow"})
            await client.post("/v1/claims", json={"user": user})
        whole = await client.post("/v1/vault/users/anna/export", json={"case_id": "c-9"})
        assert whole.status_code == 200, whole.text
        dossier = whole.json()["dossier"]
        assert [each["id"] for each in whole.json()["records"]] == ["k-anna"]
        assert {name: len(part) for name, part in dossier.items() if name != "complete"} == {
            "reports": 1, "cases": 1, "complaints": 1, "claims": 1, "consents": 1,
        }  # fmt: skip
        assert (dossier["cases"][0]["notes"], dossier["complete"]) == (["called back"], True)
        assert "staff" not in dossier["complaints"][0]
        beside = await client.post("/v1/vault/users/budi/export", json={"case_id": "c-9"})
        assert (beside.json()["records"], len(beside.json()["dossier"]["claims"])) == ([], 1)
        assert (await client.post("/v1/vault/users/dewi/export", json={"case_id": "c-9"})).status_code == 404
        trail, records = world.shopward.trail, world.shopward.records
        lines = records.read(lambda each: trail.read(each, after_seq=0, limit=99))
        assert [line.deed for line in lines].count("personal:export") == 3

    desk.run(story)


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("offers", {"basis": "hope"}, "unknown_word"),
        ("offers", {"law": "x"}, "invalid_field"),
        ("offers", {"data": []}, "invalid_field"),
        ("offers", {"title": {"en": "only"}}, "invalid_field"),
        ("offers", {"surprise": 1}, "unknown_field"),
        ("Offers!", {}, "invalid_field"),
    ],
)
def test_what_is_no_activity_is_refused(world, name, change, code):
    """With a stable code, and what was in force stays."""

    async def story(client, _world):
        before = (await client.get("/v1/processing/activities")).json()
        answer = await client.put(f"/v1/processing/activities/{name}", json=OFFERS | change)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert (await client.get("/v1/processing/activities")).json() == before

    world.run(story)


def test_what_ships_names_every_purpose_of_the_vault_and_rests_on_no_consent():
    """So that a fresh vault reveals as before; an activity without its articles is refused with its place."""
    shipped = shipped_activities()
    assert set(PURPOSES) < set(shipped)
    assert {each.basis for each in shipped.values()} < set(get_args(Basis)) - {"consent"}
    with pytest.raises(InvalidField) as refused:
        load_activities('[activity.x]\nbasis = "contract"')
    assert refused.value.path == "activity[...]"


cells = st.text(max_size=12)


@given(cells, cells)
def test_no_cell_is_a_formula_and_no_text_is_markup(title, keep):
    """Whatever words are in it: CSV reads back without a formula, and the page has the tags that it has without them."""
    row = ActivityRow("x", 1, title, "consent", "law", ["a"], ["b"], [], [], keep, 0, "", "", "", 0, 0)
    record = ProcessingRecord("n", title, "now", [row], [RetentionRow("profile", 1, 0)], ErasedRow(0, 0, 0))
    (read,) = csv.DictReader(io.StringIO(as_csv(record), newline=""))
    assert not read["title"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert read["title"].removeprefix("'") == title.removeprefix("'")
    assert _tags(as_html(record)) == _tags(as_html(ProcessingRecord(
        "n", "t", "now", [ActivityRow("x", 1, "t", "consent", "law", ["a"], ["b"], [], [], "k", 0, "", "", "", 0, 0)],
        [RetentionRow("profile", 1, 0)], ErasedRow(0, 0, 0),
    )))  # fmt: skip


def _tags(page):
    seen = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, _attributes: seen.append(tag)
    reader.feed(page)
    return seen


def test_the_command_tells_the_same_story(tmp_path, monkeypatch):
    """Declared, given, withdrawn, listed, recorded from a terminal."""
    with Server(tmp_path / "data", policy=None) as server:
        monkeypatch.setenv("SHOPWARD_KEY", server.key)
        monkeypatch.setenv("SHOPWARD_URL", server.url)

        def told(*words):
            result = CliRunner().invoke(main, list(words))
            assert result.exit_code == 0, result.output
            return result.output

        file = tmp_path / "offers.json"
        file.write_text(str(OFFERS).replace("'", '"'), encoding="utf-8")
        assert "version 1, consent" in told("processing", "declare", "offers", str(file))
        assert "given" in told("consent", "give", "anna", "offers", "--text", "1")
        assert "withdrawn" in told("consent", "withdraw", "anna", "offers", "--text", "1", "--how", "phone")
        assert len(told("consent", "list", "anna").splitlines()) == 2
        assert "News of offers" in told("processing", "record")
        exported = told("vault", "export", "anna", "--case", "c-1").splitlines()
        assert [line.count('"of": "consents"') for line in exported] == [1, 1]
