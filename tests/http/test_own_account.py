"""The page about one's own account: what it shows, what is pressed there, and what a thief gets of it."""

import asyncio
import re
from datetime import datetime

import pytest

from claims.account import event, past, payment, theft
from notices.telling import LETTERS, SITI, by_mail, under_way
from ordering import NOW_MS
from protection.conftest import database  # noqa: F401 -- a fixture
from shopward.errors import StoreUnavailable
from shopward.flows.overview import EACH_MAX
from shopward.http import account_words
from shopward.http.partner_paths import EXAMPLE as COURIER
from shopward.http.visits import DEEDS
from shopward.notices.mailing import Letter
from shopward.values import DAY_MS, MINUTE_MS, ManualClock, to_ms, to_rfc3339
from shopward.vault.rows import Access
from visiting import entered, pressed, told


@pytest.fixture
def own(world_in, tmp_path):
    """An application on a clock that stands."""
    return world_in(tmp_path / "data", clock=ManualClock(NOW_MS))


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
