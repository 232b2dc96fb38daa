"""Claims from the form to the money, with the real engine, books and a shop that pays, on both databases."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from claims import account
from claims.account import ADMIN, BUDI, DEWI, SERVICE, SITI, past, payment, theft
from claims.shop import Ledger
from outbox.reading import owed
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows import claim as claim_flow
from shopward.flows.claim import Filing
from shopward.flows.claim_many import Incident, Loss
from shopward.flows.victims import SealAsked, SetAsked
from shopward.ledger import Account, Entry, Kind, postings, verify
from shopward.service import TENANT
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def pays(tmp_path):
    """A shop that pays: its settings, and what it paid."""
    file = tmp_path / "paid.db"
    shop = Ledger(file)
    process = subprocess.Popen(
        [sys.executable, str(Path(account.__file__).with_name("shop.py")), str(file)],
        stdout=subprocess.PIPE,
        text=True,
    )
    port = process.stdout.readline().strip()
    yield {"payout_url": f"http://127.0.0.1:{port}/payouts", "payout_secret": SECRET}, shop
    process.kill()
    process.wait(timeout=120)
    process.stdout.close()


def decide(shop, events):
    """Decide each."""
    for each in events:
        shop.decide(each)


def filed(shop, *, notice_ms=0, user="anna", regime="full", only=None, **more):
    """A form that is sent in as it was ticked, or with only these events."""
    draft = shop.claims.draft(SERVICE, user, regime=regime)
    ticked = only or tuple(item.event_id for item in draft.items if item.is_proposed)
    return shop.claims.submit(SERVICE, draft.id, Filing(ticked, notice_ms=notice_ms, **more))


def standing(shop, kind, owner="shop", currency="IDR"):
    """Where an account of the books stands."""
    found = shop.books._records.read(lambda each: shop.books._reading.balances(each, Account(kind, owner)))
    return {each.currency: each.posted_minor for each in found}.get(currency, 0)


def sound(shop):
    """Whether the books are."""
    report = shop.records.read(lambda each: verify(each, TENANT))
    return report.is_sound


def test_the_form_fills_itself_and_the_loss_is_paid(opened, clock, pays):
    """What the stranger took is ticked and paid back, her own purchase is not; the books say where it went."""
    settings, paid = pays
    with opened(**settings) as shop:
        decide(shop, past(clock.now_ms()) + theft(clock.now_ms()))
        draft = shop.claims.draft(SERVICE, "anna", regime="full")
        assert [(item.event_id, item.is_proposed) for item in draft.items] == [
            ("anna-own", True), ("anna-stolen-0", True), ("anna-stolen-1", True),
        ]  # fmt: skip
        claim = shop.claims.submit(
            SERVICE, draft.id, Filing(("anna-stolen-0", "anna-stolen-1"), instrument="balance")
        )
        assert (claim.state, claim.history[-1].step) == ("approved", "auto_approved")
        assert standing(shop, Kind.FRAUD_LOSS) == 500_000_00
        shop.carry_out()
        claim, (payout,) = shop.claims.get(claim.id)
        assert (claim.state, payout.state, claim.paid_minor) == ("paid", "paid", {"IDR": 500_000_00})
        assert paid.paid()[payout.id] == {
            "payout": payout.id, "claim": claim.id, "user": "anna", "amount_minor": 500_000_00, "currency": "IDR",
            "instrument": "balance",
        }  # fmt: skip
        assert (standing(shop, Kind.CLAIM_PAYABLE, claim.id), standing(shop, Kind.WALLET, claim.user)) == (
            0,
            -500_000_00,
        )
        assert sound(shop)
        assert [payload["step"] for topic, _id, payload in owed(shop) if topic == "claim.stepped"] == [
            "auto_approved"
        ]
        assert shop.carry_out() is None
        assert len(paid.paid()) == 1


def test_a_loss_after_notice_is_the_platforms_whatever_is_known(opened, clock):
    """On her own phone of forty days, after she told us: paid, although the device would speak against her."""
    with opened() as shop:
        now = clock.now_ms()
        decide(shop, [*past(now), payment("late", now - MINUTE_MS, 900_000_00)])
        claim = filed(shop, notice_ms=now - HOUR_MS, only=("late",))
        assert (claim.state, claim.items[0].reason, claim.items[0].borne_minor) == (
            "approved", "after_notice", 900_000_00,
        )  # fmt: skip


def test_evidence_against_takes_two_people_to_refuse(opened, clock):
    """Her own phone before any notice: reviewed, refused by two, appealed, decided by a third, paid."""
    with opened() as shop:
        now = clock.now_ms()
        decide(
            shop,
            [
                *past(now),
                payment("hers", now - HOUR_MS, 900_000_00),
                payment("his", now - HOUR_MS, 1, device="x"),
            ],
        )
        claim = filed(shop, only=("hers", "his"))
        assert (claim.state, claim.items[0].evidence) == ("under_review", ("device_binding",))
        with pytest.raises(Refused) as refused:
            shop.claims.propose(SITI, claim.id, {"his": 0}, "authorised_by_owner")
        assert refused.value.code == "claim_needs_evidence"
        shop.claims.propose(SITI, claim.id, {"hers": 0}, "authorised_by_owner")
        with pytest.raises(Refused) as refused:
            shop.claims.confirm(SITI, claim.id, instrument="original")
        assert refused.value.code == "second_person_needed"
        part = shop.claims.confirm(BUDI, claim.id, instrument="original")
        assert (part.state, part.accrued_minor) == ("approved", {"IDR": 1})
        again = shop.claims.appeal(SERVICE, claim.id)
        assert (again.state, again.round) == ("under_review", 2)
        with pytest.raises(Refused):
            shop.claims.approve(
                BUDI, claim.id, {"hers": 900_000_00}, is_goodwill=False, instrument="original"
            )
        won = shop.claims.approve(
            DEWI, claim.id, {"hers": 900_000_00}, is_goodwill=False, instrument="original"
        )
        assert (won.accrued_minor, standing(shop, Kind.FRAUD_LOSS)) == ({"IDR": 900_000_01}, 900_000_01)
        assert sound(shop)


def test_a_deadline_that_passes_is_an_approval(opened, clock, monkeypatch):
    """Nobody decides for five business days: approved; with a stopped clock after fifteen, and none such keeps another waiting."""
    monkeypatch.setattr(claim_flow, "SWEEP_MAX", 1)
    with opened() as shop:
        now = clock.now_ms()
        decide(
            shop,
            [*past(now), payment("a", now - HOUR_MS, 900_000_00), payment("b", now - HOUR_MS, 900_000_00)],
        )
        second = filed(shop, only=("b",))
        clock.advance(DAY_MS)
        first = filed(shop, only=("a",))
        shop.claims.propose(SITI, first.id, {"a": 0}, "authorised_by_owner")
        shop.claims.stop_clock(SITI, second.id, "waiting_for_customer")
        clock.advance(8 * DAY_MS)
        shop.carry_out()
        assert shop.claims.get(first.id)[0].items[0].reason == "deadline_passed"
        assert shop.claims.get(second.id)[0].state == "under_review"
        clock.advance(30 * DAY_MS)
        shop.carry_out()
        assert shop.claims.get(second.id)[0].state == "approved"
        assert standing(shop, Kind.FRAUD_LOSS) == 1_800_000_00


def test_an_event_is_disputed_once(opened, clock):
    """A second claim on it is refused and names the first; after a withdrawal it may be disputed again."""
    with opened() as shop:
        now = clock.now_ms()
        decide(shop, [*past(now), payment("a", now - HOUR_MS, 900_000_00)])
        first = filed(shop, only=("a",))
        with pytest.raises(Conflict) as refused:
            filed(shop, only=("a",))
        assert (refused.value.code, first.id in refused.value.found) == ("already_claimed", True)
        shop.claims.withdraw(SERVICE, first.id)
        assert filed(shop, only=("a",)).state == "under_review"
        for wrong in (
            lambda: filed(shop, only=("b",)),
            lambda: filed(shop, only=("a",), notice_ms=now + DAY_MS),
        ):
            with pytest.raises(InvalidField):
                wrong()
        with pytest.raises(NotFound):
            shop.claims.get("c-none")


def test_a_provisional_credit_counts(opened, clock, pays):
    """Ten business days without a decision: credited; the approval pays nothing more and closes the claim."""
    settings, paid = pays
    with opened(**settings) as shop:
        now = clock.now_ms()
        decide(shop, [*past(now), payment("a", now - HOUR_MS, 700_00, currency="USD")])
        claim = filed(shop, only=("a",), regime="reg_e")
        assert claim.state == "under_review"
        clock.advance(16 * DAY_MS)
        shop.carry_out()
        credited, (payout,) = shop.claims.get(claim.id)
        assert (credited.state, payout.is_provisional, payout.state) == ("under_review", True, "paid")
        assert standing(shop, Kind.PROVISIONAL, claim.id, "USD") == 700_00
        done = shop.claims.approve(SITI, claim.id, {}, is_goodwill=False, instrument="original")
        assert (done.state, len(shop.claims.get(claim.id)[1])) == ("paid", 1)
        left = (
            standing(shop, Kind.PROVISIONAL, claim.id, "USD"),
            standing(shop, Kind.FRAUD_LOSS, currency="USD"),
        )
        assert left == (50_00, 650_00)  # the fifty that the regime leaves to her are owed back
        assert (len(paid.paid()), sound(shop)) == (1, True)


def test_what_the_books_refuse_of_one_claim_keeps_no_other_waiting(opened, clock, pays):
    """A credit cannot be counted, since its key stands for another transfer: it stays on its way, and the other is paid."""
    settings, paid = pays
    with opened(**settings) as shop:
        now = clock.now_ms()
        decide(shop, [*past(now), payment("a", now - HOUR_MS, 700_00, currency="USD")])
        stuck = filed(shop, only=("a",), regime="reg_e")
        clock.advance(16 * DAY_MS)
        paid.behave("down")
        shop.carry_out()
        shop.claims.approve(SITI, stuck.id, {}, is_goodwill=False, instrument="original")
        taken = postings.settle_provisional(claim=stuck.id, step="1-USD", amount_minor=1, currency="USD")
        loose = postings.accrue(claim="c-other", step="1", amount_minor=1, currency="USD", refs={})
        lines = (Entry(Account(Kind.FRAUD_LOSS), "USD", 1), Entry(Account(Kind.GOODWILL), "USD", -1))
        shop.records.write(
            lambda each: shop.books._book.post(
                each, [taken._replace(entries=lines), loose], at_ms=clock.now_ms()
            )
        )
        decide(shop, past(clock.now_ms(), "budi") + theft(clock.now_ms(), "budi"))
        fine = filed(shop, user="budi", only=("budi-stolen-0",))
        paid.behave("ok")
        clock.advance(HOUR_MS)
        with pytest.raises(Conflict):
            shop.payouts.step()
        assert (shop.claims.get(fine.id)[0].state, shop.claims.get(fine.id)[1][0].state) == ("paid", "paid")
        ended = {each.is_provisional: each.state for each in shop.claims.get(stuck.id)[1]}
        assert ended[True] == "sent"
        assert sound(shop)


def test_victims_are_made_whole_without_asking(opened, clock, pays):
    """Of a sealed set: filed, approved and paid; one who is no victim, another's event and a second filing are refused."""
    settings, paid = pays
    with opened(**settings) as shop:
        now = clock.now_ms()
        decide(
            shop, [each for user in ("anna", "budi", "cici") for each in past(now, user) + theft(now, user)]
        )
        victims = shop.victims.make(SITI, SetAsked(name="breach"))
        shop.victims.put_page(SITI, victims.id, 0, ["anna", "budi"])
        shop.victims.seal(SITI, victims.id, SealAsked(users=2))
        about = Incident(victims.id, now - 2 * HOUR_MS, now, "full", "balance")
        losses = [
            Loss("anna", ("anna-stolen-0", "anna-stolen-1")), Loss("cici", ("cici-stolen-0",)),
            Loss("budi", ("anna-stolen-0",)), Loss("budi", ("budi-own",)), Loss("budi", ("budi-stolen-1",)),
            Loss("budi", ("budi-stolen-1",)),
        ]  # fmt: skip
        answers = shop.victim_claims.file(SITI, about, losses)
        assert [getattr(each, "state", None) or each.code for each in answers] == [
            "approved", "invalid_field", "invalid_field", "invalid_field", "approved", "already_claimed",
        ]  # fmt: skip
        again = shop.victim_claims.file(SITI, about, losses[:1])
        assert (again[0].code, answers[0].id in again[0].found) == ("already_claimed", True)
        shop.carry_out()
        assert sorted((body["user"], body["amount_minor"]) for body in paid.paid().values()) == [
            ("anna", 500_000_00), ("budi", 200_000_00),
        ]  # fmt: skip
        assert {each.state for each in shop.claims.listed(state="", user_id="", incident=victims.id, before="", limit=9)} == {
            "paid",
        }  # fmt: skip
        assert (standing(shop, Kind.FRAUD_LOSS), sound(shop)) == (700_000_00, True)


@pytest.mark.parametrize("way", ["lost", "down", "garbage"])
def test_a_payment_whose_answer_is_lost_is_asked_about(opened, clock, pays, way):
    """It may have been paid, so nothing is sent again before the shop said what it knows of the key."""
    settings, paid = pays
    with opened(**settings) as shop:
        decide(shop, past(clock.now_ms()) + theft(clock.now_ms()))
        claim = filed(shop, only=("anna-stolen-0",))
        paid.behave(way)
        shop.carry_out()
        (payout,) = shop.claims.get(claim.id)[1]
        assert (payout.state, payout.said) == ("sent", "no_answer")
        paid.behave("ok")
        clock.advance(HOUR_MS)
        shop.carry_out()
        assert shop.claims.get(claim.id)[0].state == "paid"
        assert paid.all("SELECT times FROM paid") == [(1,)]


def test_a_payment_that_fails_goes_another_way(opened, clock, pays):
    """The shop cannot pay it back: the claim is owed as before, and a gift card is paid instead, or a person pays."""
    settings, paid = pays
    with opened(**settings) as shop:
        decide(shop, past(clock.now_ms()) + theft(clock.now_ms()))
        claim = filed(shop, only=("anna-stolen-0",))
        paid.behave("no")
        shop.carry_out()
        assert [each.state for each in shop.claims.get(claim.id)[1]] == ["failed"]
        assert standing(shop, Kind.CLAIM_PAYABLE, claim.id) == -300_000_00
        shop.claims.repay(SITI, claim.id, "gift_card")
        waiting = next(each for each in shop.claims.get(claim.id)[1] if each.state == "due")
        shop.payouts.by_hand(ADMIN, waiting.id, is_paid=True, reference="card 4711")
        assert shop.claims.get(claim.id)[0].state == "paid"
        with pytest.raises(Conflict):
            shop.payouts.by_hand(ADMIN, waiting.id, is_paid=False, reference="card 4711")
        assert (standing(shop, Kind.GIFT_CARD, claim.user), sound(shop)) == (-300_000_00, True)
