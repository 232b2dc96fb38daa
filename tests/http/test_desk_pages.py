"""Reported cases, accounts and orders in the browser: shown to who may, worked by analysts, in three languages."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from claims.account import event, past, payment, theft
from persons import key_of, opened_with
from shopward import http as http_package
from shopward.events.catalogue import STATUSES
from shopward.flows.wording import DEFAULT_LANGUAGE
from shopward.http.filing_pages import TOLD as FILING_TOLD
from shopward.http.order_forms import HOURS, SCOPES
from shopward.http.order_pages import ORDER
from shopward.http.order_pages import TOLD as ORDER_TOLD
from shopward.http.report_pages import ABOUT, PAGE, SHELVES
from shopward.http.report_pages import SCOPES as LIST_SCOPES
from shopward.http.report_pages import TOLD as CASE_TOLD
from shopward.http.user_pages import TOLD as USER_TOLD
from shopward.protection.linkage import LINK_KINDS
from shopward.protection.orders import FACTOR_LEVELS, KINDS, REASON_CODES, RELEASE_CONDITIONS, TARGETS
from shopward.protection.states import STATES
from shopward.screening.reports import CASE_STATES
from shopward.screening.verdict import Level
from shopward.values import DAY_MS, HOUR_MS, SystemClock, to_rfc3339

HTTP = Path(http_package.__file__).parent
LANGUAGES = ("id", "zh", "en")


async def robbed(client):
    """An account with a past, and what a stranger took."""
    now = SystemClock().now_ms()
    for each in past(now) + theft(now):
        assert (await client.post("/v1/decisions", json=each)).status_code == 200


async def an_incident(client):
    """One whose scope has everybody who came from the thief's address."""
    made = await client.post("/v1/incidents", json={"title": "Codes talked out", "kind": "account_takeover"})
    name = made.json()["incident"]["id"]
    asked = {
        "indicators": [{"kind": "ip", "value": "203.0.113.7"}], "reason": "his address", "dry_run": False,
        "since": to_rfc3339(SystemClock().now_ms() - DAY_MS),
    }  # fmt: skip
    assert (await client.post(f"/v1/incidents/{name}/scope", json=asked)).status_code == 201
    return f"/incidents/{name}"


async def a_factor(client):
    """Recovery codes of the account."""
    now = SystemClock().now_ms()
    adding = event("add", now, "mfa_enroll") | {"status": "attempted"}
    assert (await client.post("/v1/decisions", json=adding)).json()["decision"] == "allow"
    asked = {"kind": "recovery_code", "decision_id": "d-add", "name": "anna", "context": {"device_id": "own"}}
    made = await client.post("/v1/users/anna/factors", json=asked)
    assert made.status_code == 201, made.text


async def in_each_language(client, path):
    """The page in every language, each whole and without a script; the last one."""
    pages = []
    for language in LANGUAGES:
        page = await client.get(path, headers={"Accept-Language": language})
        assert page.status_code == 200, page.text
        assert not re.search(r"<script|\sstyle=|\son\w+=", page.text)
        assert "{" not in re.sub(r"<code>.*?</code>", "", page.text)
        pages.append(page.text)
    assert len(set(pages)) == len(LANGUAGES)
    return pages[-1]


def deeds_of(world):
    """What stands in the audit log."""
    read = world.shopward.records.read
    return [each.deed for each in read(lambda each: world.shopward.trail.read(each, after_seq=0, limit=500))]


def test_a_reported_case_is_worked_from_the_browser(world):
    """Overdue first, taken, noted and settled with a reason; the account stands beside it; a link goes on the list, or not."""

    async def story(client, world):
        await robbed(client)
        said = {"kind": "loss", "user": "anna", "said": "<b>uang</b> saya hilang, budi@example.com"}
        loss = (await client.post("/v1/reports", json=said)).json()["case_id"]
        bait = {"kind": "link", "url": "https://gift-shop.example.xyz/login?id=1"}
        link = (await client.post("/v1/reports", json=bait)).json()["case_id"]
        await opened_with(client, world.key)
        world.shopward.records.write(lambda each: _make_late(world, each, loss))
        queue = await in_each_language(client, "/cases")
        assert queue.index(loss) < queue.index(link)
        assert (" late" in queue, "anna" in queue) == (True, True)
        assert link not in (await client.get("/cases?about=accounts")).text
        assert loss not in (await client.get("/cases?about=messages")).text
        path = f"/cases/{loss}"
        page = await in_each_language(client, path)
        for told in (
            "&lt;b&gt;uang&lt;/b&gt;",
            "[email]",
            "anna-stolen-1",
            "Nobody looks after",
            f'href="/users/anna?case={loss}"',
        ):
            assert told in page
        assert 'action="/users/anna"><input type="hidden" name="case"' in page
        for form in (
            {"do": "take"},
            {"do": "note", "text": "call 081234567890"},
            {"do": "leave"},
            {"do": "take"},
        ):
            pressed = await client.post(path, data=form)
            assert (pressed.status_code, pressed.headers["location"]) == (303, path), pressed.text
        assert loss in (await client.get("/cases?shelf=mine")).text
        assert link not in (await client.get("/cases?shelf=mine")).text
        page = (await client.get(path)).text
        assert ("call [phone]" in page, "Looked after by" in page) == (True, True)
        settled = {"do": "settle", "state": "confirmed", "reason": "loss_confirmed"}
        assert (await client.post(path, data=settled)).headers["location"] == path
        assert "Money left without the customer." in (await client.get(path)).text
        late = await client.post(path, data={"do": "take"})
        assert "settled already" in (await client.get(late.headers["location"])).text
        assert loss in (await client.get("/cases?shelf=confirmed")).text
        listed = {"do": "settle", "state": "confirmed", "reason": "fraud_seen", "scope": "domain"}
        assert (await client.post(f"/cases/{link}", data=listed)).status_code == 303
        for form in (
            {"do": "settle", "state": "confirmed", "reason": "withdrawn"},
            {"do": "pay"},
            {"do": "note"},
        ):
            assert (await client.post(path, data=form)).status_code == 422
        for missing in ("/cases/rc-none", "/cases?shelf=else", "/cases?about=else", path + "?after=%00"):
            assert (await client.get(missing)).status_code == 404
        kept = [each for each in deeds_of(world) if each.startswith("report:")]
        assert kept == [
            "report:assign",
            "report:note",
            "report:assign",
            "report:assign",
            "report:settle",
            "report:settle",
        ]
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post(path, data={"do": "take"}, headers=elsewhere)).status_code == 403
        await opened_with(client, await key_of(client, "shop", "service"))
        assert "anna" not in (await client.get("/cases?shelf=confirmed")).text
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, data={"do": "take"})).status_code == 403
        client.cookies.clear()
        for page in ("/cases", path):
            assert (await client.get(page)).headers["location"] == "/login"

    world.run(story)


def test_a_queue_that_is_longer_than_its_page_says_so(world):
    """Who is overdue and does not stand on the page is not forgotten in silence."""

    async def story(client, world):
        await opened_with(client, world.key)
        for count in range(PAGE + 1):
            made = await client.post("/v1/reports", json={"kind": "doubt", "said": "?"})
            case = made.json()["case_id"]
            world.shopward.records.write(lambda each, case=case: _make_late(world, each, case))
            if count == PAGE - 1:
                assert "More are overdue" not in (await client.get("/cases")).text
        assert "More are overdue" in (await client.get("/cases")).text

    world.run(story)


def _make_late(world, connection, case_id):
    """As if its date had passed."""
    store = world.shopward.report_cases._store
    case = store.case(connection, case_id)
    store.put_case(connection, case._replace(due_ms=SystemClock().now_ms() - 3 * HOUR_MS))


def test_an_account_is_protected_from_its_page(world):
    """What happened and why; frozen by a service, limited once and let out by an analyst; a claim is filled in and filed."""

    async def story(client, world):
        await robbed(client)
        complaint = {"user": "anna", "about": "service", "statement": "slow"}
        assert (await client.post("/v1/complaints", json=complaint)).status_code == 201
        service, siti = await key_of(client, "shop", "service"), await key_of(client, "siti", "analyst")
        await opened_with(client, service)
        for wanted in ("anna", "anna-stolen-1"):
            assert (await client.get(f"/users?id={wanted}")).headers["location"] == "/users/anna"
        assert (await client.get("/users/nobody-here")).status_code == 404
        page = await in_each_language(client, "/users/anna")
        for told in (
            "anna-stolen-1",
            "payment",
            "IDR 200,000.00",
            "Nothing is in force",
            "About the service",
        ):
            assert told in page, told
        assert "Limit what leaves" not in page
        for form in ({"do": "limit"}, {"do": "let_out", "order": "o-1"}):
            assert (await client.post("/users/anna", data=form)).status_code == 403
        frozen = await client.post("/users/anna", data={"do": "freeze", "reason": "takeover"})
        assert frozen.headers["location"] == "/users/anna"
        page = await in_each_language(client, "/users/anna")
        assert "For now this is stopped" in page
        refused = await client.post("/v1/decisions", json=payment("after", SystemClock().now_ms(), 100_00))
        assert refused.json()["decision"] == "deny"
        for user in ("anna", "budi"):
            body = {"region": "ID-JK", "tier": "gold", "tokens": {"phone": "same"}}
            assert (await client.put(f"/v1/users/{user}", json=body)).status_code in (200, 204)
        incident = await an_incident(client)
        assert "Codes talked out" not in (await client.get("/users/anna")).text
        slashed = event("slashed", SystemClock().now_ms(), user="shop/anna?x=1")
        assert (await client.post("/v1/decisions", json=slashed)).status_code == 200
        way = (await client.get("/users", params={"id": "shop/anna?x=1"})).headers["location"]
        assert "shop/anna?x=1</h1>" in (await client.get(way)).text
        theirs = (await client.post(way, data={"do": "claim"})).headers["location"]
        assert f'href="{way}"' in (await client.get(theirs)).text
        for refused in ("/users/anna?case=%00", "/users/%00"):
            assert (await client.get(refused)).status_code == 404
        assert (await client.get("/users?id=%00")).status_code == 200
        nothing = await client.post("/users/anna", data={"do": "freeze", "reason": "\0"})
        assert nothing.headers["location"] == "/users/anna?notice=order_wrong"
        await opened_with(client, siti)
        page = (await client.get("/users/anna?case=rc-1")).text
        assert re.search(rf'href="{incident}">Codes talked out</a><b>(entered|spent from)</b>', page)
        for told in ("ID-JK", "gold", "<span>phone</span><b>1</b>"):
            assert told in page
        assert (await client.get("/users/budi")).status_code == 200
        once = re.search(r'name="once" value="([^"]+)"', page)[1]
        limit = {
            "do": "limit", "once": once, "amount": "500000", "currency": "idr", "hours": "24", "reason": "takeover", "case": "rc-1",
        }  # fmt: skip
        for _click in range(2):
            done = await client.post("/users/anna", data=limit)
            assert done.headers["location"] == "/users/anna?case=rc-1"
        orders = (await client.get("/v1/orders")).json()["orders"]
        assert [each["kind"] for each in orders] == ["limit", "revoke", "freeze"]
        await client.post("/users/anna", data=limit | {"amount": "400000"})
        changed = (await client.get("/v1/orders")).json()["orders"][0]
        assert changed["limit"]["amount_minor"] == 400_000_00
        await client.post("/users/anna", data={"do": "let_out", "order": changed["id"]})
        assert (orders[0]["incident"], orders[0]["limit"]["amount_minor"]) == ("rc-1", 500_000_00)
        for wrong in (
            {"amount": "-1"},
            {"amount": "1.001"},
            {"amount": "x"},
            {"amount": "1e999999"},
            {"hours": "9"},
            {"reason": "x"},
        ):
            done = await client.post("/users/anna", data=limit | {"once": "o"} | wrong)
            assert done.headers["location"].endswith("notice=order_wrong")
        for each in orders:
            await client.post("/users/anna", data={"do": "let_out", "order": each["id"]})
        assert "Nothing is in force" in (await client.get("/users/anna")).text
        await a_factor(client)
        assert "recovery codes" in (await client.get("/users/anna")).text
        lost = {"do": "lost", "factor": "recovery_code", "evidence": "rc-1"}
        for form, notice in (
            (lost | {"evidence": "two words"}, "?notice=order_wrong"),
            (lost, ""),
            (lost, "?notice=unknown_factor"),
        ):
            assert (await client.post("/users/anna", data=form)).headers["location"] == "/users/anna" + notice
        gone = (await client.get("/users/anna?notice=unknown_factor")).text
        assert ("no such factor any more" in gone, "recovery codes" in gone) == (True, False)
        filing = (await client.post("/users/anna", data={"do": "claim"})).headers["location"]
        form = await in_each_language(client, filing)
        assert form.count('type="checkbox"') >= 2
        empty = await client.post(filing, data={})
        assert "at least one" in (await client.get(empty.headers["location"])).text
        filed = await client.post(filing, data={"event:anna-stolen-0": "on", "event:anna-stolen-1": "on"})
        claim = filing.removesuffix("/file")
        assert filed.headers["location"] == claim
        assert (await client.get(filing)).headers["location"] == claim
        second = (await client.post("/users/anna", data={"do": "claim"})).headers["location"]
        taken = await client.post(second, data={"event:anna-stolen-1": "on"})
        assert "Another claim has one" in (await client.get(taken.headers["location"])).text
        assert len((await client.get(f"/v1{claim}")).json()["items"]) == 2
        assert (await client.post("/users/anna", data={"do": "erase"})).status_code == 422
        assert (await client.get("/users/anna?before=x")).status_code == 404
        kept = set(deeds_of(world))
        assert {"self:freeze", "order:create", "order:release"} <= kept
        client.cookies.clear()
        for page in ("/users", "/users/anna", "/orders", filing):
            assert (await client.get(page)).headers["location"] == "/login"
        await client.get(f"/login?once={world.application.pages.one_time_token()}")
        assert (await client.get("/users/anna")).status_code == 404
        assert (
            await client.post("/users/anna", data={"do": "freeze", "reason": "takeover"})
        ).status_code == 403
        for page in ("/users", "/orders"):
            assert "log out" in (await client.get(page)).text

    world.run(story)


def test_many_are_stopped_and_released_from_the_browser(world):
    """First it only counts; it begins when somebody says so again; releasing takes two; a wrong condition is told in its place."""

    async def story(client, world):
        await robbed(client)
        users = "".join(f'{{"id":"u{n}","region":"{"ID" if n % 2 else "SG"}"}}\n' for n in range(10))
        sent = await client.post(
            "/v1/users/batch", content=users, headers={"Content-Type": "application/x-ndjson"}
        )
        assert sent.status_code == 200, sent.text
        siti, budi = await key_of(client, "siti", "analyst"), await key_of(client, "budi", "analyst")
        await opened_with(client, siti)
        await in_each_language(client, "/orders")
        form = {
            "kind": "freeze", "scope": "stored_value", "reason": "data_breach", "hours": "24", "target": "predicate",
            "predicate": 'region == "ID"', "release_staff_release": "on", "release_password_changed": "on",
        }  # fmt: skip
        bad = await client.post("/orders", data=form | {"predicate": "nonsense <"})
        assert (bad.status_code, "nonsense &lt;" in bad.text, "<details open>" in bad.text) == (
            422,
            True,
            True,
        )
        for wrong, named in (
            ({"target": "victim_set", "users": "\n".join(map(str, range(10_001)))}, "target.victim_set"),
            ({"kind": "limit", "amount": "1", "currency": "RUPIAH"}, "limit.currency"),
        ):
            bad = await client.post("/orders", data=form | wrong)
            assert (bad.status_code, f"<code>{named}: " in bad.text) == (422, True), bad.text
        path = (await client.post("/orders", data=form)).headers["location"]
        page = await in_each_language(client, path)
        assert (re.search(r"<strong>(\d+)</strong>", page)[1], "stops nobody yet" in page) == ("5", True)
        assert 'name="of" value="draft"' in page
        unsure = await client.post(path, data={"do": "approve"})
        assert unsure.headers["location"] == path + "?notice=not_sure"
        assert "Tick the box" in (await client.get(unsure.headers["location"])).text
        assert (await client.get(f"/v1{path}")).json()["state"] == "draft"
        sure = {"sure": "on"}
        assert (await client.post(path, data={"do": "approve"} | sure)).headers["location"] == path
        discard = await client.post(path, data={"do": "release", "of": "draft"} | sure)
        assert "It changed meanwhile" in (await client.get(discard.headers["location"])).text
        assert (await client.get(f"/v1{path}")).json()["state"] == "active"
        page = await in_each_language(client, path + "?progress=1")
        assert "0 of 5" in page
        out = await client.post(path, data={"do": "let_out", "user": "u1", "evidence": "rc-1"})
        assert out.headers["location"] == path
        long = await client.post(path, data={"do": "let_out", "user": "u2", "evidence": "x" * 200})
        assert long.headers["location"] == path + "?notice=order_wrong"
        again = await client.post(path, data={"do": "let_out", "user": "u1"})
        assert "let out before" in (await client.get(again.headers["location"])).text
        await client.post(path, data={"do": "release"} | sure)
        ending = sure | {"of": "release"}
        assert 'name="of" value="release"' in (await client.get(path)).text
        alone = await client.post(path, data={"do": "approve"} | ending)
        assert alone.headers["location"] == path + "?notice=second_person_needed"
        assert "Another person has to agree to the release" in (await client.get(path)).text
        await client.post(path, data={"do": "withdraw"})
        await client.post(path, data={"do": "release"} | sure)
        await opened_with(client, budi)
        stale = await client.post(path, data={"do": "approve"} | sure)
        assert "It changed meanwhile" in (await client.get(stale.headers["location"])).text
        assert (await client.get(f"/v1{path}")).json()["state"] == "active"
        await client.post(path, data={"do": "approve"} | ending)
        assert (await client.get(f"/v1{path}")).json()["state"] == "cancelled"
        assert "siti" in (await client.get("/orders?state=cancelled")).text
        reset = form | {"kind": "reset", "target": "victim_set", "users": "u1\r\n toko budi \r\n\r\n"}
        path = (await client.post("/orders", data=reset)).headers["location"]
        assert (await client.get(f"/v1{path}")).json()["target"]["tokens"] == 2
        alone = await client.post(path, data={"do": "approve"} | sure)
        assert alone.headers["location"] == path + "?notice=second_person_needed"
        for more in (
            {"kind": "limit", "amount": "5", "currency": "USD"},
            {"kind": "step_up"},
            {"kind": "revoke"},
        ):
            assert (
                await client.post("/orders", data=form | {"target": "everyone"} | more)
            ).status_code == 303
        assert (await client.post("/orders", data=form | {"kind": "unlink"})).status_code == 422
        assert (await client.post(path, data={"do": "else"})).status_code == 422
        for missing in ("/orders/o-none", "/orders?state=else"):
            assert (await client.get(missing)).status_code == 404
        await opened_with(client, await key_of(client, "shop", "service"))
        assert (await client.get(path)).status_code == 200
        assert (await client.post(path, data={"do": "approve"} | sure)).status_code == 403
        assert (await client.post("/orders", data=form)).status_code == 403

    world.run(story)


def test_every_word_of_the_desk_has_a_word_on_its_page():
    """No state, kind, reason or refusal that a page would have to show without a word of the reader's language."""
    words = set()
    for file in HTTP.glob("texts*.toml"):
        words |= tomllib.loads(file.read_text(encoding="utf-8"))[DEFAULT_LANGUAGE].keys()
    needed = {
        "case_state": CASE_STATES, "case_kind": ABOUT["all"], "case_shelf": SHELVES, "case_about": ABOUT, "case_scope": LIST_SCOPES,
        "case_by": ("customer", "staff"), "verdict": get_args(Level), "status": STATUSES, "order_kind": KINDS, "order_state": STATES,
        "order_reason": REASON_CODES, "order_target": TARGETS, "order_scope": SCOPES, "order_for": map(str, HOURS),
        "order_release": RELEASE_CONDITIONS, "factor": FACTOR_LEVELS, "shares": LINK_KINDS,
        "notice": (*CASE_TOLD, *USER_TOLD, *ORDER_TOLD, *FILING_TOLD),
    }  # fmt: skip
    assert {f"{kind}_{word}" for kind, all_ in needed.items() for word in all_} - words == set()
    assert set(ORDER) == set(STATES)
