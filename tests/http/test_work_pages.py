"""Incidents, claims and complaints in the browser: shown to who may, worked by analysts, in three languages."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from claims.account import past, payment
from persons import key_of, opened_with
from shopward import http as http_package
from shopward.claims.claim import PlatformEvidence
from shopward.claims.claim import State as ClaimState
from shopward.claims.claim import Step as ClaimStep
from shopward.claims.payouts import Instrument, PayoutState
from shopward.complaints.complaint import About
from shopward.complaints.complaint import State as ComplaintState
from shopward.flows.claim import ITEMS_MAX
from shopward.http.claim_pages import TOLD as CLAIM_TOLD
from shopward.http.complaint_pages import TOLD as COMPLAINT_TOLD
from shopward.http.incident_pages import MOVES
from shopward.http.incident_pages import TOLD as INCIDENT_TOLD
from shopward.incidents.incident import Severity
from shopward.incidents.incident import State as IncidentState
from shopward.incidents.law import Clock, DataClass, Harm, Risk
from shopward.incidents.obligations import Status
from shopward.incidents.playbooks.running import State as RunState
from shopward.incidents.scope import Grade, Route
from shopward.incidents.words import Kind, Role
from shopward.notices.mailing import MailingState
from shopward.values import DAY_MS, HOUR_MS, SystemClock, to_rfc3339

HTTP = Path(http_package.__file__).parent
SPOKEN = {"id": "Kewajiban menurut hukum", "zh": "法定义务", "en": "What the law asks"}
ADDRESS = "203.0.113.7"


async def paid_away(client):
    """An account with a past, and two payments of its own device that its owner disputes."""
    now = SystemClock().now_ms()
    for each in [*past(now), *(payment(name, now - HOUR_MS, 900_000_00) for name in ("hers", "hers-too"))]:
        assert (await client.post("/v1/decisions", json=each)).status_code == 200


async def an_incident(client):
    """One that touched an account, owes notices to people in Indonesia, and has a task."""
    made = await client.post(
        "/v1/incidents", json={"title": "Codes <talked> out", "kind": "account_takeover"}
    )
    name = made.json()["incident"]["id"]
    for step in (
        {"step": "facts", "facts": {"subjects": {"ID": 2}, "data": ["payment"]}},
        {"step": "task", "text": "Call the carrier", "role": "counsel"},
        {"step": "content", "content": "data", "language": "id", "text": "Nama dan saldo."},
    ):
        assert (await client.post(f"/v1/incidents/{name}/steps", json=step)).status_code == 200
    since = to_rfc3339(SystemClock().now_ms() - DAY_MS)
    asked = {
        "indicators": [{"kind": "ip", "value": ADDRESS}],
        "since": since,
        "reason": "his address",
        "dry_run": False,
    }
    assert (await client.post(f"/v1/incidents/{name}/scope", json=asked)).status_code == 201
    return f"/incidents/{name}"


def test_an_incident_is_worked_from_the_browser(world):
    """Listed with its deadline, red until complete, each number opens its people; steps are pressed and audited; others see none."""

    async def story(client, world):
        await paid_away(client)
        path = await an_incident(client)
        await opened_with(client, world.key)
        assert path in (await client.get("/incidents")).text
        page = (await client.get(path)).text
        assert "Codes &lt;talked&gt; out" in page
        assert page.count('class="unmet"') == 3
        assert "Still to be written: When and how, What we have done and do" in re.sub(r"\s+", " ", page)
        people = re.search(r'href="([^"]+people\?version=1&amp;grade=entered)"', page)[1].replace(
            "&amp;", "&"
        )
        assert "anna" in (await client.get(people)).text
        draft = (await client.get(path + "/notices/ID-subject")).text
        assert ("Tentang data pribadi Anda" in draft, "Nama dan saldo." in draft) == (True, True)
        task = re.search(r'name="task" value="([^"]+)"', page)[1]
        for form in (
            {"do": "note", "text": "Police told"},
            {"do": "done", "task": task},
            {"do": "state", "state": "contained"},
        ):
            pressed = await client.post(path, data=form)
            assert (pressed.status_code, pressed.headers["location"]) == (303, path), pressed.text
        owing = await client.post(path, data={"do": "state", "state": "closed"})
        assert owing.headers["location"] == path + "?notice=incident_owes"
        assert "cannot be closed yet" in (await client.get(owing.headers["location"])).text
        said = {"receipt": "号" * 200, "late_reason": "迟" * 300}
        early = await client.post(path, data={"do": "sent", "rule": "ID-agency", **said})
        assert "not complete yet" in (await client.get(early.headers["location"])).text
        for content in ("when_and_how", "measures"):
            step = {"step": "content", "content": content, "language": "id", "text": "Kemarin."}
            await client.post(f"/v1{path}/steps", json=step)
        for _click in range(2):
            assert (await client.post(path, data={"do": "sent", "rule": "ID-agency"})).status_code == 303
        assert len((await client.get(f"/v1{path}")).json()["incident"]["sent"]) == 1
        page = (await client.get(path)).text
        assert ("Police told" in page, "contained" in page, task in page) == (True, True, False)
        for form in ({"do": "learned", "root_cause": "x"}, {"do": "note"}, {"do": "state", "state": "x"}):
            assert (await client.post(path, data=form)).status_code == 422
        for language, word in SPOKEN.items():
            page = (await client.get(path, headers={"Accept-Language": language})).text
            assert word in page
            assert not re.search(r"<script|\sstyle=|\son\w+=", page)
        for missing in (
            "/incidents/inc-none", "/incidents?state=else", path + "/people?version=x", path + "/notices/XX-none",
            path + "/notices/ID-subject?language=zh",
        ):  # fmt: skip
            assert (await client.get(missing)).status_code == 404
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert [each.deed for each in deeds].count("incident:step") == 11
        assert "incident:people" in {each.deed for each in deeds}
        await opened_with(client, await key_of(client, "shop", "service"))
        assert "Codes" not in (await client.get("/incidents")).text
        for hidden in (path, people, path + "/notices/ID-subject"):
            assert (await client.get(hidden)).status_code == 404
        assert (await client.post(path, data={"do": "note", "text": "x"})).status_code == 403
        client.cookies.clear()
        for page in ("/incidents", path, people, path + "/notices/ID-subject", "/claims", "/complaints"):
            assert (await client.get(page)).headers["location"] == "/login"

    world.run(story)


def test_an_incident_is_worked_to_its_end_from_the_browser(world):
    """Facts, clocks, contents, tasks, evidence, vendors, playbook, notices, lessons: nothing needs a command before it is closed."""

    async def story(client, world):
        made = await client.post("/v1/incidents", json={"title": "A stolen export", "kind": "data_leak"})
        path = "/incidents/" + made.json()["incident"]["id"]
        await opened_with(client, world.key)

        async def pressed(**form):
            answer = await client.post(path, data=form)
            assert answer.status_code == 303, answer.text
            return answer.headers["location"].partition("notice=")[2]

        assert not await pressed(
            do="facts",
            subjects_ID="12",
            records="40",
            data_contact="on",
            data_order="on",
            harm="possible",
            risk="likely",
            avoided="no",
        )
        incident = (await client.get(f"/v1{path}")).json()["incident"]
        assert incident["facts"]["subjects"] == {"ID": 12}
        assert set(incident["facts"]["data"]) == {"contact", "order"}
        assert (await client.post(path, data={"do": "facts", "subjects_ID": "many"})).status_code == 422
        assert await pressed(do="clock", clock="may_have_happened", at="2026-01-05T10:00") == "unfit_reason"
        assert await pressed(do="clock", clock="aware", at="2199-01-05T10:00") == "unfit_at"
        assert not await pressed(
            do="clock", clock="may_have_happened", at="2026-01-05T10:00", reason="the log"
        )
        assert await pressed(do="sent", rule="ID-agency") == "notice_incomplete"
        for content in ("data", "when_and_how", "measures", "late_reasons"):
            assert not await pressed(do="content", content=content, language="id", text="Nama dan alamat.")
        assert await pressed(do="sent", rule="ID-agency") == "unfit_late_reason"
        for rule in ("ID-agency", "ID-subject"):
            assert not await pressed(do="sent", rule=rule, receipt="14", late_reason="seen late")
        assert not await pressed(do="void", rule="ID-agency", reason="came back")
        assert not await pressed(do="exempt", rule="ID-agency", reason="told by phone")
        assert not await pressed(do="task", text="Turn the key", role="counsel", due="2026-02-05T10:00")
        assert not await pressed(do="ask", vendor="Relay", text="Which keys?", again="2199-01-05T10:00")
        assert not await pressed(do="evidence", name="export.csv, safe 3", sha256="0" * 64)
        assert await pressed(do="tick", task="x") == "not_found"
        closed = await client.post(path, data={"do": "state", "state": "closed"})
        page = (await client.get(closed.headers["location"])).text
        for left in (
            "Tasks are not done.",
            "Somebody outside is to be asked again.",
            "Root cause and what is changed",
        ):
            assert left in page
        assert "Notices are owed." not in page
        assert not await pressed(do="answer", vendor="Relay", text="Two.")
        assert not await pressed(do="learned", root_cause="An old key", lessons="Keys end")
        assert not await pressed(do="done", task=re.search(r'name="task" value="([^"]+)"', page)[1])
        await _nobody_writes_over_another(client, path)
        assert not await pressed(do="state", state="closed")
        assert await pressed(do="note", text="late") == "incident_closed"
        page = (await client.get(path)).text
        assert ("Set or move a clock" in page, "Nama dan alamat." in page) == (False, True)

    world.run(story)


async def _nobody_writes_over_another(client, path):
    """A form that was open while somebody else saved the same is not saved, and shows what it held; a double click is nobody else."""
    page = (await client.get(path)).text
    facts = {"do": "facts", "subjects_ID": "13", "data_contact": "on", "data_order": "on", "harm": "possible", "risk": "likely"}  # fmt: skip
    content = {"do": "content", "content": "data", "language": "id", "text": "Nama & alamat."}
    learned = {"do": "learned", "root_cause": "No lock", "lessons": "Keys end"}
    for before, form, theirs, shown in (
        ("Change the facts", facts, {"subjects_ID": "14"}, ""),
        ('value="data"><input type="hidden" name="language" value="id"', content, {"text": "Nama & <b>"}, "Nama &amp; &lt;b&gt;</p>"),
        ("Write down the cause", learned, {"root_cause": "No key"}, "No key</p>"),
    ):  # fmt: skip
        mine = form | {"over": re.search(r'name="over" value="([0-9a-f]{32})"', page.partition(before)[2])[1]}
        for _click in range(2):
            assert (await client.post(path, data=mine)).headers["location"] == path
        stands = (await client.get(f"/v1{path}")).json()["incident"]
        refused = await client.post(path, data=mine | theirs)
        assert (refused.status_code, "Somebody else changed that" in refused.text) == (409, True)
        assert shown in refused.text
        assert (await client.get(f"/v1{path}")).json()["incident"] == stands


def test_a_claim_and_a_complaint_are_worked_from_the_browser(world):
    """What the platform knows stands beside each transaction; refusing takes two people; a service looks, a link sees nothing."""

    async def story(client, world):
        await paid_away(client)
        draft = (await client.post("/v1/claims", json={"user": "anna"})).json()["id"]
        await client.post(f"/v1/claims/{draft}/submit", json={"events": ["hers", "hers-too"]})
        said = {"user": "anna", "about": "staff", "against": "siti", "statement": "nobody answers"}
        complaint = (await client.post("/v1/complaints", json=said)).json()["id"]
        path = f"/claims/{draft}"
        siti, budi = await key_of(client, "siti", "analyst"), await key_of(client, "budi", "analyst")
        await opened_with(client, siti)
        assert "anna" in (await client.get("/claims")).text
        page = (await client.get(path)).text
        for told in ("IDR 1,800,000.00", "own device", "it counts as approved", "Propose to refuse"):
            assert told in page
        for form in ({"do": "stop", "reason": "waiting_for_customer"}, {"do": "start"}):
            assert (await client.post(path, data=form)).headers["location"] == path
        assert (await client.post(path, data={"do": "pay"})).status_code == 422
        many = {f"amount.{count}-{'é' * 120}": "1" for count in range(ITEMS_MAX)}
        assert (await client.post(path, data={"do": "pay"} | many)).status_code == 422
        against = {"do": "evidence", "event": "hers", "kind": "customer_admission", "reference": "call 17"}
        assert (await client.post(path, data=against)).headers["location"] == path
        for amount in ("900000.001", "ten", "900000.01"):
            unfit = await client.post(path, data={"do": "approve", "amount.hers": amount})
            assert unfit.headers["location"] == path + "?notice=unfit_amounts"
        part = {
            "do": "decline",
            "reason": "authorised_by_owner",
            "amount.hers": "250000.5",
            "amount.hers-too": "0",
        }
        assert (await client.post(path, data=part)).headers["location"] == path
        assert "IDR 250,000.50" in (await client.get(path)).text
        assert (await client.post(path, data=part)).headers["location"] == path + "?notice=claim_state"
        await opened_with(client, budi)
        assert (await client.post(path, data={"do": "reject"})).headers["location"] == path
        await opened_with(client, siti)
        proposed = await client.post(path, data={"do": "decline", "reason": "authorised_by_owner"})
        assert proposed.headers["location"] == path
        alone = await client.post(path, data={"do": "confirm", "instrument": "original"})
        assert alone.headers["location"] == path + "?notice=second_person_needed"
        assert "Another person" in (await client.get(alone.headers["location"])).text
        barred = await client.post(f"/complaints/{complaint}", data={"do": "take"})
        assert "not yours to decide" in (await client.get(barred.headers["location"])).text
        await opened_with(client, budi)
        assert (await client.post(path, data={"do": "confirm"})).headers["location"] == path
        assert draft in (await client.get("/claims?state=declined")).text
        for what in ("acknowledge", "take"):
            await client.post(f"/complaints/{complaint}", data={"do": what, "state": "overdue"})
        shown = (await client.get("/complaints?state=in_review")).text
        assert ("nobody answers" in shown, "Looked after by budi" in shown, "siti" in shown) == (
            True,
            True,
            True,
        )
        await opened_with(client, await key_of(client, "shop", "service"))
        shown = (await client.get("/complaints?state=in_review")).text
        assert ("nobody answers" in shown, "siti" in shown, "budi" in shown) == (True, False, False)
        assert "anna" in (await client.get(path, headers={"Accept-Language": "zh"})).text
        assert (await client.post(path, data={"do": "start"})).status_code == 403
        assert (await client.post(f"/complaints/{complaint}", data={"do": "take"})).status_code == 403
        client.cookies.clear()
        await client.get(f"/login?once={world.application.pages.one_time_token()}")
        for page in ("/claims?state=declined", "/complaints?state=in_review", "/incidents"):
            answer = await client.get(page, headers={"Accept-Language": "id"})
            assert (answer.status_code, "anna" in answer.text, "nobody" in answer.text) == (200, False, False)
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/claims?state=lost")).status_code == 404
        assert (await client.get("/complaints?state=lost")).status_code == 404

    world.run(story)


def test_every_word_of_a_record_has_a_word_on_its_page():
    """No state, kind, clock or step that a page would have to show without a word of the reader's language."""
    words = set()
    for file in HTTP.glob("texts*.toml"):
        words |= tomllib.loads(file.read_text(encoding="utf-8"))["en"].keys()
    needed = {
        "incident_state": get_args(IncidentState), "severity": get_args(Severity), "kind": get_args(Kind),
        "recipient": ("authority", "subject", "public"), "duty": get_args(Status), "clock": get_args(Clock),
        "role": get_args(Role), "run": get_args(RunState), "of": ("grade", "jurisdiction", "language", "route", "data"),
        "grade": (*get_args(Grade), "exposed"), "data": get_args(DataClass), "language": ("id", "zh", "en"),
        "route": get_args(Route), "harm": get_args(Harm), "risk": get_args(Risk), "mailing": get_args(MailingState),
        "claim_state": get_args(ClaimState), "claim_step": get_args(ClaimStep), "evidence": get_args(PlatformEvidence),
        "instrument": get_args(Instrument), "payout": get_args(PayoutState), "complaint_state": get_args(ComplaintState),
        "about": get_args(About), "notice": (*INCIDENT_TOLD, *CLAIM_TOLD, *COMPLAINT_TOLD, "changed"),
    }  # fmt: skip
    missing = {f"{kind}_{word}" for kind, all_ in needed.items() for word in all_} - words
    assert missing == set()
    assert set(MOVES) == set(get_args(IncidentState))
    assert {word for moves in MOVES.values() for _state, word in moves} <= words
