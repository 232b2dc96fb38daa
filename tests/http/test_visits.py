"""The page about one's own account: a link that works once, what it shows, what is pressed there, and what a thief gets of it."""

import asyncio
import json
import logging
import random
import re
import tomllib
from datetime import datetime
from http.cookiejar import CookieJar
from itertools import pairwise
from typing import get_args
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from claims.account import event, past, payment, theft
from notices.telling import LETTERS, SITI, by_mail, under_way
from ordering import NOW_MS
from protection.conftest import database  # noqa: F401 -- a fixture
from serving import Server
from shopward.config import Settings
from shopward.errors import Misconfigured, StoreUnavailable
from shopward.flows import counsel, lately, visit
from shopward.flows.overview import EACH_MAX
from shopward.flows.selfservice import WAITING_MAX, WISHES
from shopward.http import account_words
from shopward.http.partner_paths import EXAMPLE as COURIER
from shopward.http.visits import COOKIE, DEEDS
from shopward.notices.mailing import Letter
from shopward.protection.orders import KINDS
from shopward.service.checks import check_settings
from shopward.values import DAY_MS, MINUTE_MS, ManualClock, to_ms, to_rfc3339
from shopward.vault.rows import Access

WORDS = (
    "event",
    "said",
    "about",
    "wish",
    "purpose",
    "claim",
    "event:anna-stolen-0",
    "anna-thief",
    "decision:anna-own",
    "order:x",
    "copy",
    "service",
)
CHROME = {"os": "Android 14", "browser": "Chrome 120", "country": "ID"}


@pytest.fixture
def own(world_in, tmp_path):
    """An application on a clock that stands."""
    return world_in(tmp_path / "data", clock=ManualClock(NOW_MS))


async def invited(client, user="anna", **asked):
    """The path of a new link."""
    made = await client.post(f"/v1/users/{user}/visits", json=asked)
    assert made.status_code == 201, made.text
    return made.json()["path"]


async def entered(client, user="anna", **asked):
    """The page, once the button is pressed."""
    opened = await client.post(await invited(client, user, **asked))
    assert (opened.status_code, opened.headers["location"]) == (303, "/account"), opened.text
    return (await client.get("/account")).text


async def pressed(client, **form):
    """The page after something was pressed."""
    done = await client.post("/account", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/account#told"), done.text
    return (await client.get("/account")).text


async def told(client, *events):
    """Events that were decided."""
    for each in events:
        assert (await client.post("/v1/decisions", json=each)).status_code == 200


def test_a_link_opens_once_and_a_preview_does_not_use_it_up(own):
    """Looked at ten times it is as good as new; the button opens it; then it is shut, as is the visit after 15 minutes."""

    async def story(client, world):
        path = await invited(client, language="en")
        assert len(path.removeprefix("/visit/")) == 43
        for method in ["GET", "HEAD"] * 5:
            looked = await client.request(method, path)
            assert looked.status_code == 200
        looked = await client.get(path)
        assert "set-cookie" not in looked.headers
        assert (looked.headers["cache-control"], looked.headers["referrer-policy"]) == (
            "no-store",
            "strict-origin",
        )
        assert "Open the page" in looked.text
        assert (await client.get("/account")).status_code == 401
        opened = await client.post(path)
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "Max-Age=900", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        page = await client.get("/account")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert [(await client.post(path)).status_code, (await client.get(path)).status_code] == [404, 404]
        assert (await client.get("/account")).status_code == 200
        await entered(client)
        world.clock.advance(visit.VISIT_MS)
        assert (await client.get("/account")).status_code == 401
        late = await invited(client)
        world.clock.advance(visit.LINK_MS)
        assert (await client.post(late)).status_code == 404

    own.run(story)


def test_behind_https_the_cookie_is_bound_to_this_very_host(world_in, tmp_path):
    """``__Host-`` and ``Secure``; the setting ``customer_url`` makes the link whole."""
    world = world_in(tmp_path / "data", behind_proxy=True, customer_url="https://safe.shop.example/")

    async def story(client, _world):
        made = (await client.post("/v1/users/anna/visits")).json()
        assert made["url"] == f"https://safe.shop.example{made['path']}"
        for origin in ("https://evil.example", "https://safe.shop.example.evil.example", "null", ""):
            assert (await client.post(made["path"], headers={"Origin": origin})).status_code == 403
        rewritten = {
            "Origin": "https://safe.shop.example",
            "Host": "10.0.0.7:8700",
        }  # of a proxy, to an older browser
        cookie = (await client.post(made["path"], headers=rewritten)).headers["set-cookie"]
        assert cookie.startswith(f"__Host-{COOKIE}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    world.run(story)


@pytest.mark.parametrize(
    "url",
    [
        "http://safe.shop.example",
        "safe.shop.example",
        "https://safe.shop.example/?q",
        "https://shop.example/safe",
        "javascript:x",
    ],
)
def test_customers_are_led_nowhere_in_clear(tmp_path, url):
    """An address of a setting that is none, or goes over the wire in clear, is refused at the start."""
    with pytest.raises(Misconfigured) as refused:
        check_settings(Settings(data=str(tmp_path), customer_url=url))
    assert refused.value.path == "customer_url"


def test_what_was_not_me_opens_one_case_and_offers_the_freeze(own):
    """Two presses are one case, told as a loss; the freeze is in force at once, and the page says the way out; a proof is not asked less."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now))
        page = await entered(client, language="en", timezone="Asia/Jakarta")
        assert "IDR 300,000.00" in page
        assert page.count('value="not_me"') == 3
        said = await pressed(client, do="not_me", event="anna-stolen-0")
        assert "We have your report" in said
        assert "Laporan Anda sudah kami terima" in (await client.get("/account?lang=id")).text
        await client.get("/account?lang=en")
        assert "freeze the account first" in said
        await pressed(client, do="not_me", event="anna-thief")
        cases = (await client.get("/v1/reports?user=anna")).json()["cases"]
        assert [(each["kind"], each["reports"]) for each in cases] == [("loss", 2)]
        frozen = await pressed(client, do="freeze")
        assert "Your account is frozen" in frozen
        assert "Prove that it is you" in frozen
        assert not re.search(r"\d{4}-\d{2}-\d{2}T", frozen)
        assert 'value="freeze"' not in frozen
        way = (await client.get("/v1/recoveries?user=anna")).json()["recoveries"]
        assert [(each["state"], each["next"]) for each in way] == [("frozen", "identity")]
        attempt = event("anna-after", now, "withdrawal", status="attempted")
        assert (await client.post("/v1/decisions", json=attempt)).json()["decision"] == "deny"
        assert set(DEEDS) & {"release", "unfreeze", "reveal", "give"} == set()

    own.run(story)


def test_money_is_claimed_while_the_account_is_frozen_and_never_before(own):
    """A form of what is known, ticked; told since the freeze; none before it, nor where the shop takes claims by its own pages."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now))
        page = await entered(client, language="en")
        assert 'value="claim"' not in page
        assert "Freeze the account first" in await pressed(client, do="claim")
        assert (await client.get("/v1/claims?user=anna")).json()["claims"] == []
        await pressed(client, do="not_me", event="anna-stolen-0")
        world.clock.advance(MINUTE_MS)
        await pressed(client, do="freeze")
        form = await pressed(client, do="claim")
        assert "The form is ready" in form
        ticks = re.findall(r'name="(event:[\w-]+)"( checked)?', form)
        assert dict(ticks) == {
            "event:anna-stolen-1": " checked",
            "event:anna-stolen-0": " checked",
            "event:anna-own": "",
        }
        assert "The form is ready" in await pressed(client, do="claim")
        (draft,) = (await client.get("/v1/claims?user=anna")).json()["claims"]
        asked = {"do": "send_claim", "claim": draft["id"]}
        assert "at least one" in await pressed(client, **asked)
        assert "Nothing was changed" in await pressed(client, **asked, **{"event:nobodys": "on"})
        stolen = {"event:anna-stolen-0": "on", "event:anna-stolen-1": "on"}
        sent = await pressed(client, **asked, **stolen)
        assert "Your claim is sent in" in sent
        assert "IDR 500,000.00" in sent
        claim = (await client.get(f"/v1/claims/{draft['id']}")).json()
        assert claim["state"] in ("under_review", "approved")
        assert (
            to_ms(datetime.fromisoformat(claim["notice_at"])) == now + MINUTE_MS
        )  # the freeze, not the report
        assert "Nothing was changed" in await pressed(client, **asked, **stolen)
        assert 'value="claim"' not in await entered(client, language="en", may_claim=False)
        assert "Nothing was changed" in await pressed(client, do="claim")

    own.run(story)


def test_what_the_shop_wrote_stands_there_to_hold_a_thiefs_message_against(world_in, tmp_path):
    """A mailing that was started, in her language or the one it was meant in, though it reached nobody; one that waits is nobody's."""
    settings = {
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "aman@shop.example",
        "shop_domain": "shop.example",
    }
    world = world_in(tmp_path / "data", clock=ManualClock(NOW_MS), **settings)

    async def story(client, world):
        notices, people = world.shopward.notices, by_mail([("anna", "anna@mail.example", "id")])
        await asyncio.to_thread(under_way, world.shopward, people)
        waits = LETTERS | {"id": Letter("Belum dikirim", "Jangan baca.")}
        made = await asyncio.to_thread(lambda: notices.make(SITI, incident="inc-2", rule="", letters=waits))
        await asyncio.to_thread(notices.fill, SITI, made.id, people)
        assert "Kami mengunci saldo Anda" in await entered(client, language="en")
        page = (await client.get("/account?lang=zh")).text
        assert "昨晚我们冻结了您的余额" in page
        assert account_words.words("zh", "")["counsel"]["noticed"][0] in page
        for hidden in ("Belum dikirim", "anna@", "siti", "inc-1"):
            assert hidden not in page
        assert "昨晚" not in await entered(client, "budi", language="zh")

    world.run(story)


def test_the_ways_into_the_account_are_told_by_kind_and_since_when(own):
    """A sign-in that was linked, recovery codes; no id, secret or foreign account; none is said in one line."""

    async def story(client, world):
        now = world.clock.now_ms()
        assert "Only the password" in await entered(client, language="en")
        linked = event(
            "link", now, "identity_link", transaction={"identity_provider": "google", "id": "zq-foreign"}
        )
        adding = event("add", now, "mfa_enroll", status="attempted")
        await told(client, linked, adding)
        world.shopward.carry_out()
        asked = {
            "kind": "recovery_code",
            "decision_id": "d-add",
            "name": "anna",
            "context": {"device_id": "own"},
        }
        made = await client.post("/v1/users/anna/factors", json=asked)
        assert made.status_code == 201, made.text
        page = await entered(client, language="en")
        ways = page.split('id="ways"')[1].split("</section>")[0]
        assert "Recovery codes" in ways
        assert "google account" in ways
        for secret in ("zq-foreign", *made.json()["codes"]):
            assert secret not in page

    own.run(story)


def test_an_answer_is_appealed_from_the_page(own):
    """A complaint that was rejected: one press, and another person has to decide; pressed again it is not there any more."""

    async def story(client, world):
        filed = {"user": "anna", "about": "service", "statement": "slow"}
        name = (await client.post("/v1/complaints", json=filed)).json()["id"]
        for step, body in (
            ("acknowledge", None),
            ("take", None),
            ("decide", {"outcome": "rejected", "reason": "no_fault_found"}),
        ):
            answer = await client.post(f"/v1/complaints/{name}/{step}", json=body)
            assert answer.status_code == 200, answer.text
        page = await entered(client, language="en")
        assert "I do not agree" in page
        assert "We see it differently" in page
        appealed = await pressed(client, do="appeal", about=f"complaint:{name}")
        assert "We have your appeal" in appealed
        assert "I do not agree" not in appealed
        assert (await client.get(f"/v1/complaints/{name}")).json()["state"] == "appealed"
        assert "cannot be appealed" in await pressed(client, do="appeal", about=f"complaint:{name}")

    own.run(story)


def test_a_store_that_does_not_answer_is_told_in_words_and_nothing_is_lost(own, monkeypatch):
    """503 in the customer's language, for a look and for a press; when it is back the visit goes on."""

    async def story(client, world):
        await told(client, *past(world.clock.now_ms()))
        await entered(client, language="id")

        def fail(*_args, **_kwargs):
            raise StoreUnavailable("timeline: the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(world.shopward.log, "timeline", fail)
            broken.setattr(world.shopward.log, "find", fail)
            looked = await client.get("/account")
            asked = await client.post("/account", data={"do": "not_me", "event": "anna-own"})
        for answer in (looked, asked):
            assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
            assert "Sedang tidak tersedia" in answer.text
        assert "Aktivitas 30 hari" in (await client.get("/account")).text

    own.run(story)


def test_a_link_that_could_not_be_used_up_is_as_good_as_it_was(own, monkeypatch):
    """Where the audit log is away nobody gets in, and reads so in words; the same button works a minute later, once."""

    async def story(client, world):
        path = await invited(client)

        def fail(*_args, **_kwargs):
            raise StoreUnavailable("append: the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(world.shopward.trail, "append", fail)
            shut = await client.post(path, headers={"Accept-Language": "en"})
        assert (shut.status_code, shut.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "Not available for a moment" in shut.text
        assert "set-cookie" not in shut.headers
        assert [(await client.post(path)).status_code for _each in range(2)] == [303, 404]

    own.run(story)


def test_who_asks_for_the_same_again_another_day_is_owed_another_answer(own):
    """The same words on one day are one request, as a form that is sent twice; a year later they are a new one, with its own dates."""

    async def story(client, world):
        for expected in (1, 1, 2):
            await entered(client, language="en")
            assert "We have your request" in await pressed(client, do="ask", wish="copy")
            filed = (await client.get("/v1/complaints?user=anna")).json()["complaints"]
            assert len(filed) == expected
            world.clock.advance(DAY_MS // 2)

    own.run(story)


def test_the_form_of_another_time_does_not_stand_for_this_one(own):
    """A form that was never sent in lacks what is gone since: the freeze of now has one of its own, and that one is kept."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now))
        old = (await client.post("/v1/claims", json={"user": "anna"})).json()
        world.clock.advance(DAY_MS)
        await told(client, *theft(world.clock.now_ms()))
        await entered(client, language="en")
        await pressed(client, do="not_me", event="anna-stolen-0")
        await pressed(client, do="freeze")
        for _twice in range(2):
            form = await pressed(client, do="claim")
        drafts = (await client.get("/v1/claims?user=anna")).json()["claims"]
        assert len(drafts) == 2
        (new,) = [each["id"] for each in drafts if each["id"] != old["id"]]
        assert "event:anna-stolen-1" in form.split(f'value="{new}"')[1].split("</form>")[0]

    own.run(story)


def test_a_freeze_is_told_however_many_orders_are_in_force(own):
    """More orders than the page shows, made before the freeze: the account is frozen there all the same."""

    async def story(client, world):
        ends = to_rfc3339(world.clock.now_ms() + DAY_MS)
        for _each in range(EACH_MAX + 1):
            notice = {
                "kind": "notify_only",
                "target": {"user": "anna"},
                "reason": "phishing",
                "ends_at": ends,
            }
            made = await client.post("/v1/orders", json=notice)
            assert made.status_code == 201, made.text
        world.clock.advance(MINUTE_MS)
        await client.post("/v1/users/anna/freeze", json={})
        page = await entered(client, language="en")
        assert "Your account is frozen" in page
        assert 'value="freeze"' not in page
        assert "Freeze the account first" not in await pressed(client, do="claim")

    own.run(story)


def test_nothing_of_anybody_else_is_shown_or_reached(own):
    """Another customer's event, order, claim and consent are ``gone``; their page says nothing of each other."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now), *past(now, "budi"))
        frozen = (await client.post("/v1/users/budi/freeze", json={})).json()
        filed = {"user": "budi", "about": "service", "statement": "slow"}
        his = (await client.post("/v1/complaints", json=filed)).json()["id"]
        page = await entered(client, language="en")
        assert "budi" not in page
        for form in (
            {"do": "not_me", "event": "budi-own"},
            {"do": "not_me", "event": "nobodys"},
            {"do": "complain", "about": f"order:{frozen['orders'][0]}", "said": "why"},
            {"do": "complain", "about": "decision:budi-own", "said": "why"},
            {"do": "complain", "about": "claim:nobodys", "said": "why"},
            {"do": "complain", "about": "decision:", "said": "why"},
            {"do": "withdraw", "purpose": "offers"},
            {"do": "appeal", "about": f"complaint:{his}"},
            {"do": "appeal", "about": "claim:nobodys"},
            {"do": "not_me", "event": "budi-own\0"},
        ):
            assert "Nothing was changed" in await pressed(client, **form)
        assert (await client.get("/v1/reports?user=budi")).json()["cases"] == []
        assert [each["id"] for each in (await client.get("/v1/complaints")).json()["complaints"]] == [his]
        assert "Nothing was recorded" in await entered(client, "new", language="en")

    own.run(story)


def test_a_form_of_another_site_and_a_key_of_staff_are_refused(own):
    """By what browsers say of where a form comes from; nobody of staff comes as a customer; too many links are refused."""

    async def story(client, _world):
        asked = {"name": "siti", "person": "siti", "roles": ["analyst"]}
        key = (await client.post("/v1/keys", json=asked)).json()["key"]
        staff = {"Authorization": f"Bearer {key}"}
        assert (await client.post("/v1/users/anna/visits", headers=staff)).status_code == 403
        path = await invited(client)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert (await client.post(path, headers=headers)).status_code == 403
        await client.post(path)
        for headers in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
            answer = await client.post("/account", data={"do": "freeze"}, headers=headers)
            assert answer.status_code == 403
        assert (await client.get("/v1/recoveries?user=anna")).json()["recoveries"] == []
        assert (await client.post("/account", data={"do": "release"})).json()["code"] == "invalid_field"
        for wrong in ({"timezone": "Mars/Base"}, {"language": "xx"}, {"regime": "none"}):
            assert (await client.post("/v1/users/anna/visits", json=wrong)).status_code in (404, 422)
        answers = [await client.post("/v1/users/anna/visits") for _each in range(visit.ASKED_MAX)]
        assert (answers[0].status_code, answers[-1].json()["code"]) == (201, "too_many_visits")
        assert (await client.post("/v1/users/budi/visits")).status_code == 201

    own.run(story)


def test_a_visit_is_bounded(own, monkeypatch):
    """Pages a minute, presses a visit, links of one customer that wait."""
    monkeypatch.setattr(visit, "LOOKS_MAX", 3)
    monkeypatch.setattr(visit, "PRESSES_MAX", 1)

    async def story(client, world):
        first = await invited(client)
        for _each in range(visit.LINKS_MAX):
            await invited(client)
        assert (await client.get(first)).status_code == 404
        await entered(client, language="en")
        assert (await client.get("/account")).status_code == 200
        assert (await client.get("/account")).status_code == 200
        busy = await client.get("/account")
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "60")
        world.clock.advance(MINUTE_MS)
        assert "We have your complaint" in await pressed(client, do="complain", about="service", said="slow")
        assert "too much for one visit" in await pressed(client, do="complain", about="service", said="again")
        assert len((await client.get("/v1/complaints")).json()["complaints"]) == 1
        assert (await client.post("/account", data={"said": "x" * 40_000})).status_code == 413
        await entered(client, language="en")  # another visit is another page of the same three
        assert (await client.get("/account")).status_code == 429
        await client.post("/account", data={"do": "close"})
        assert (await client.get("/account")).status_code == 401

    own.run(story)


def test_a_flood_of_customers_is_held_to_so_many_and_the_oldest_goes(own, monkeypatch):
    """Links, visits, and whose pace is known: beyond the bound who came first comes from the shop again, and nobody else."""
    monkeypatch.setattr(visit, "HELD_MAX", 3)

    async def story(client, world):
        paths = [await invited(client, f"u{number}") for number in range(5)]
        assert [(await client.get(path)).status_code for path in paths] == [404, 404, 200, 200, 200]
        secrets = []
        for number in range(4):
            await entered(client, f"u{number}")
            secrets.append(client.cookies[COOKIE])
        for secret, status in zip(secrets, (401, 200, 200, 200), strict=True):
            client.cookies = {COOKIE: secret}
            assert (await client.get("/account")).status_code == status
        answers = [await client.post("/v1/users/u3/visits") for _each in range(visit.ASKED_MAX)]
        assert answers[-1].json()["code"] == "too_many_visits"

    own.run(story)


def test_complaints_wishes_consents_and_looks_are_shown_without_a_word_of_anybody(own):
    """Filed by the desk's own dates under the visit's regime; a consent withdrawn; who looked by purpose, never by name or quietly."""

    async def story(client, world):
        offers = {
            "title": {"id": "Kabar penawaran", "zh": "优惠信息", "en": "News of offers"}, "basis": "consent",
            "law": "GDPR art. 6(1)a", "data": ["contact"], "subjects": ["customers"], "keep": "Until it is withdrawn",
        }  # fmt: skip
        await client.put("/v1/processing/activities/offers", json=offers)
        given = {"purpose": "offers", "state": "given", "text_version": "2026-11"}
        assert (await client.post("/v1/users/anna/consents", json=given)).status_code == 201
        fields = {"order_id": "1001", "name": "Zqanna Wulandari", "phone": "0812-3456-7890"}
        record = {"id": "o-1", "user": "anna", "kind": "order", "fields": fields}
        assert (await client.post("/v1/vault/records", json={"records": [record]})).status_code == 201
        for purpose in ("delivery", "fraud_investigation"):
            asked = {
                "records": ["o-1"],
                "fields": ["name"],
                "purpose": purpose,
                "order_id": "1001",
                "case_id": "c-1",
            }
            assert (await client.post("/v1/vault/reveal", json=asked)).status_code == 200
        assert (await client.post("/v1/partners", json=COURIER)).status_code == 201
        room = world.shopward.vault.room
        pulled = Access(
            "va-1",
            NOW_MS,
            "partner:" + COURIER["id"],
            "delivery",
            "",
            "",
            room.subject("anna"),
            "o-1",
            1,
            "name",
            "pulled",
        )
        room.records.write(lambda each: room.accesses.note(each, [pulled]))
        page = await entered(client, language="en", regime="id_pdp")
        assert f"{COURIER['name']}, a partner of ours" in page
        assert re.search(r"Delivering orders.*?our staff · records: 1", page, re.DOTALL)
        assert "Investigating fraud" not in page
        assert "News of offers" in page
        assert "No consent of yours" in await pressed(client, do="withdraw", purpose="offers")
        assert "We have your request" in await pressed(
            client, do="ask", wish="copy", said="call 0812-3456-7890"
        )
        twice = await pressed(client, do="ask", wish="copy", said="call 0812-3456-7890")
        assert "not there any more" not in twice
        (filed,) = (await client.get("/v1/complaints?user=anna")).json()["complaints"]
        assert (filed["about"], filed["regime"]) == ("privacy", "id_pdp")
        assert filed["statement"] == "The customer asks: copy. call [phone]"
        for word in ("Zqanna", "0812", "[phone]", "root", "shopward"):
            assert word not in re.sub(r"/static/\S+|shopward_visit", "", twice)

    own.run(story)


def test_the_page_speaks_three_languages_and_needs_no_script(own):
    """Lang, headings, labels and names of buttons; no script, no style of its own, no link to outside; the advice holds no link."""

    async def story(client, world):
        now = world.clock.now_ms()
        guesses = [
            event(f"guess-{number}", now - MINUTE_MS, status="failed", device=f"bot-{number}")
            for number in range(7)
        ]
        stranger = event("stranger", now - DAY_MS, context=CHROME | {"device_id": "new"})
        await told(client, *past(now), stranger, *guesses)
        await entered(client)
        for language in ("id", "zh", "en"):
            page = (await client.get(f"/account?lang={language}")).text
            words = account_words.words(language, "")
            assert f'<html lang="{language}">' in page
            assert words["counsel"]["new_device"][0] in page
            assert words["times_same"].partition("{at}")[0].format(n=7) in page
            assert account_words.countries(language)["ID"] in page
            assert ("Chrome" in page, "120" in page) == (True, False)
            assert not re.search(r"<script|\sstyle=|\son\w+=|(?:src|href|action)=.https?:", page)
            assert "<a " not in page.split('id="advice"')[1].split("</section>")[0]
            fields = re.findall(r'<(?:select|textarea)[^>]* ?id="(\w+)"', page)
            assert len(fields) == 4
            assert all(f'<label for="{each}">' in page for each in fields)
            ids = re.findall(r' id="([\w-]+)"', page)
            assert len(ids) == len(set(ids))
            assert set(re.findall(r'aria-labelledby="([\w-]+)"', page)) <= set(ids)
            levels = [int(each) for each in re.findall(r"<h([1-6])", page)]
            assert (levels[0], levels.count(1)) == (1, 1)
            assert all(after - before <= 1 for before, after in pairwise(levels))
            buttons = re.findall(r'value="not_me" aria-label="([^"]+)"', page)
            assert len(set(buttons)) == len(buttons) > 1

    own.run(story)


def test_no_value_of_a_person_or_a_link_is_logged_or_audited(own, caplog):
    """Neither the user's id nor a secret nor what was typed: not in the log, not in the audit log, which has both deeds."""

    async def story(client, world):
        caplog.set_level(logging.DEBUG)
        path = await invited(client, "zq-anna")
        await client.post(path)
        secret = client.cookies[COOKIE]
        await pressed(client, do="complain", about="service", said="zqword")
        trail, records = world.shopward.trail, world.shopward.records
        lines = records.read(lambda each: trail.read(each, after_seq=0, limit=50))
        assert {"visit:ask", "visit:open", "complaint:step"} <= {line.deed for line in lines}
        written = [each for each in caplog.text.splitlines() if "HTTP Request" not in each]
        for word in ("zq-anna", "zqword", path.removeprefix("/visit/"), secret):
            assert word not in "\n".join(written)
            assert word not in str(lines)

    own.run(story)


def test_a_real_server_writes_nothing_of_a_visit_and_complaints_do_not_pile_up(tmp_path):
    """Through a socket, with a browser's cookies: what the process prints has no link, secret, user or word; ten complaints wait at most."""
    with Server(tmp_path / "data") as server:
        path = json.loads(server.post("/v1/users/zq-anna/visits", {"language": "en"})[1])["path"]
        jar = CookieJar()
        browser = build_opener(HTTPCookieProcessor(jar))
        assert b"Open the page" in browser.open(server.url + path).read()
        assert b"The last 30 days" in browser.open(server.url + path, b"").read()
        for number in range(WAITING_MAX + 1):
            form = urlencode({"do": "complain", "about": "service", "said": f"zqword {number}"}).encode()
            page = browser.open(server.url + "/account", form).read()
        assert b"still wait to be confirmed" in page
        complaints = json.loads(server.get("/v1/complaints?user=zq-anna&limit=50")[1])["complaints"]
        assert len(complaints) == WAITING_MAX
        (secret,) = [each.value for each in jar]
        server.stop()
        written = "".join(server.out + server.err)
        for word in (path.removeprefix("/visit/"), secret, "zq-anna", "zqword"):
            assert word not in written


def test_every_text_is_there_in_three_languages():
    """The same keys everywhere, none empty but what needs no word; each type, outcome, advice, wish and answer has its own."""
    texts = tomllib.loads((account_words.HERE / "account.toml").read_text(encoding="utf-8"))
    assert texts.keys() == {"id", "zh", "en"}
    shapes = [shape(each) for each in texts.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    for each in texts.values():
        assert each["type"].keys() == lately.SHOWN
        assert each["kind"].keys() == set(KINDS)
        assert each["way"].keys() == {"passkey", "totp", "recovery_code", "provider"}
        assert each["outcome"].keys() == set(get_args(lately.Outcome))
        assert list(each["counsel"]) == list(counsel.WORDS)
        assert {f"wish_{word}" for word in WISHES} <= each.keys()
        words = {
            *visit.DONE,
            "freeze_first",
            "waiting",
            "nothing_ticked",
            "claimed_before",
            "too_late",
            "gone",
            "incomplete",
            "enough",
        }
        assert {f"told_{word}" for word in words} == {
            key for key in each if re.fullmatch(r"told_(?!.*_text)\w+", key)
        }
        assert {f"told_{word}_text" for word in words - {"reported"}} <= each.keys()
        flat = [word for word in walk(each) if word != each["outcome"]["done"]]
        assert all(flat)
        assert not any("http" in word or "www" in word for word in flat)
    places = tomllib.loads((account_words.HERE / "countries.toml").read_text(encoding="utf-8"))
    assert places["id"].keys() == places["zh"].keys() == places["en"].keys()


def shape(said, at=""):
    """Every key with what it holds to fill in."""
    if isinstance(said, dict):
        return {path: what for key, each in said.items() for path, what in shape(each, f"{at}.{key}").items()}
    if isinstance(said, list):
        return {f"{at}[{number}]": sorted(re.findall(r"{\w+}", each)) for number, each in enumerate(said)}
    return {at: sorted(re.findall(r"{\w+}", said))}


def walk(said):
    """Every sentence."""
    if isinstance(said, str):
        yield said
    else:
        for each in said.values() if isinstance(said, dict) else said:
            yield from walk(each)


def test_whatever_is_pressed_is_answered(world_in, tmp_path, database):  # noqa: F811 -- the fixture
    """No form of any words is a fault of ours, on either database; the page stands after each."""
    world = world_in(tmp_path / "data", clock=ManualClock(NOW_MS), database=database)
    draw = random.Random(11)

    def word():
        mixed = "".join(draw.choice("a:é\0\U0001f512\ud800'\"%;<") for _each in range(draw.randrange(12)))
        return draw.choice([*WORDS, mixed])

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now))
        await client.post("/v1/users/anna/freeze", json={})
        for number in range(96):
            if number % 16 == 0:
                world.clock.advance(MINUTE_MS)
                await entered(client, language=draw.choice(["id", "zh", "en"]))
            form = {word(): word() for _each in range(4)} | {"do": draw.choice([*DEEDS[:-1], word()])}
            body = urlencode(form, errors="surrogatepass").encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await client.post("/account", content=body, headers=kind)
            assert answer.status_code in (303, 422), (form, answer.text)
            if answer.status_code == 422:
                assert answer.json()["code"] == "invalid_field"
            if number % 4 == 0:
                assert (await client.get("/account")).status_code == 200

    world.run(story)


def test_a_payment_that_was_stopped_is_told_with_advice(own):
    """A withdrawal that an order stops stands there with its amount, and the page says what callers may never ask."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now))
        await client.post("/v1/users/anna/freeze", json={})
        taken = payment("out", now, 50_000_00) | {"type": "withdrawal", "status": "attempted"}
        assert (await client.post("/v1/decisions", json=taken)).json()["decision"] == "deny"
        limit = {
            "kind": "limit", "scope": ["stored_value"], "target": {"user": "anna"}, "reason": "takeover",
            "limit": {"amount_minor": 1_000_000_00, "currency": "IDR", "window_s": 86_400},
            "ends_at": to_rfc3339(now + DAY_MS),
        }  # fmt: skip
        made = await client.post("/v1/orders", json=limit)
        assert made.status_code == 201, made.text
        page = await entered(client, language="id")
        assert "IDR 1.000.000,00" in page
        assert "IDR 50.000,00" in page
        assert "kami hentikan" in page
        assert "Ada pembayaran yang kami tahan" in page
        assert "Akun Anda dibekukan" in page
        assert "decision:out" in page

    own.run(story)
