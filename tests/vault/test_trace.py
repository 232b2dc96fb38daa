"""A leak is traced by what the vault itself showed: to staff by reveals, to partners by pulls; with no list from outside."""

from __future__ import annotations

import random

import pytest

from partners.test_stories import KEY, partner
from shopward.access.keys import Caller
from shopward.errors import NotFound, Refused
from shopward.flows.pulling import PullAsk
from shopward.partners import open_page
from shopward.partners.partner import day_ms
from shopward.values import ManualClock
from vault.conftest import ANI, BUDI, SHOP, ask, deeds, order, reveal

ADMIN = Caller("key-boss", "citra", ("admin",))
CUSTOMERS = 400
FIELDS = ("name", "phone", "address")


def buyer(number, user=None):
    """An order of a customer of his own, as a shop in Indonesia has it."""
    return order(
        number,
        user or f"u{number}",
        name=f"Pembeli {number}",
        phone=f"0812{number:08}",
        email=f"pembeli{number}@contoh.id",
        street=f"Jl. Kenari No. {number + 10}, RT 1/RW 2",
        waybill=f"JP{number:010}",
    )


def filled(shop, clock, customers=CUSTOMERS):
    """A vault of customers who came one after the other."""
    for start in range(0, customers, 50):
        shop.vault.custody.put(SHOP, [buyer(number) for number in range(start, start + 50)])
        clock.advance(60_000)


def pulled(shop, partner_id, numbers, fields=FIELDS):
    """What a partner got of some orders, opened with its key."""
    shop.partners.register(ADMIN, partner(partner_id, scope={"delivery": fields}))
    records = [f"o-{number}" for number in numbers]
    share, token = shop.partners.share(
        ADMIN, partner_id, purpose="delivery", fields=fields, records=records, days=3
    )
    rows = []
    for page in range(share.pages):
        pending = shop.pulls.prepare(PullAsk(partner_id, share.id, page, token))
        sealed = shop.pulls.finish(pending, [shop.decide(pending.event).decision]).sealed
        rows += open_page(KEY, partner_id, share.id, page, sealed)
    return rows


def looked(shop, who, numbers, fields=("name", "phone")):
    """A member of staff looks at orders, a few at a time."""
    for start in range(0, len(numbers), 20):
        reveal(shop, who, ask(*[f"o-{number}" for number in numbers[start : start + 20]], fields=fields))


def standing(view):
    """Each recipient's standing."""
    return {each.recipient: each.standing for each in view.candidates}


@pytest.fixture
def clock():
    """A clock within the agreements of the test's partners."""
    return ManualClock(day_ms("2026-06-01", path=""))


def test_a_partners_marked_copy_is_proof_and_the_others_are_not_named(shop, clock) -> None:
    """Shuffled, thinned, with columns in Chinese and foreign rows between; no list is handed over."""
    filled(shop, clock)
    got = pulled(shop, "courier", range(0, 240, 2))
    pulled(shop, "other", range(240))
    looked(shop, ANI, range(0, 40, 2))
    rng = random.Random(4)
    rows = [
        {"姓名": each["name"], "手机号": each["phone"], "地址": each["address"]}
        for each in rng.sample(got, 80)
    ]
    rows += [{"姓名": "Orang Lain", "手机号": f"0899{number:08}", "地址": "-"} for number in range(30)]
    rng.shuffle(rows)
    view = shop.vault.leaks.trace(ADMIN, rows)
    assert (view.rows, view.matched, view.foreign, view.customers, view.known) == (110, 80, 30, 80, CUSTOMERS)
    assert (view.candidates[0].recipient, view.candidates[0].standing) == ("partner:courier", "proof")
    assert standing(view)["partner:other"] != "proof"
    assert standing(view)["staff:ani"] == "ruled_out"  # she saw no address
    assert "leak:trace" in deeds(shop)


def test_what_one_member_of_staff_looked_at_is_a_lead_and_no_proof(lite, clock) -> None:
    """Edited phones without a name: the log of reveals points at who saw just these; who saw others is ruled out."""
    filled(lite, clock)
    looked(lite, ANI, range(100, 400, 8))
    looked(lite, BUDI, range(101, 400, 8))
    rows = [{"hp": f"+62 812-{number:08}", "catatan": "VIP"} for number in range(100, 400, 8)]
    view = lite.vault.leaks.trace(ADMIN, rows)
    assert standing(view) == {"staff:ani": "lead", "staff:budi": "ruled_out"}
    assert view.nobody < 1e-6
    later = lite.vault.leaks.trace(ADMIN, rows, since_ms=clock.now_ms() + 1)
    assert (later.candidates, later.nobody) == ([], 1.0)


def test_a_dump_of_the_table_names_nobody(lite, clock) -> None:
    """A stretch of the table that nobody asked for is explained by a dump, whoever saw some of it."""
    filled(lite, clock)
    looked(lite, ANI, range(0, 400, 10))
    view = lite.vault.leaks.trace(ADMIN, [{"phone": f"0812{number:08}"} for number in range(60, 160)])
    assert standing(view)["staff:ani"] == "possible"
    assert view.nobody > 0.999


def test_a_version_that_was_corrected_later_clears_who_saw_it_afterwards(shop, clock) -> None:
    """The old phone is found though nothing holds it any more; who saw the new one alone did not leak it."""
    filled(shop, clock, 100)
    looked(shop, ANI, range(20))
    for number in range(20):
        shop.vault.custody.rectify(SHOP, f"o-{number}", {"phone": f"0857{number:08}"})
    looked(shop, BUDI, range(20))
    old = [{"telepon": f"0812{number:08}"} for number in range(20)]
    view = shop.vault.leaks.trace(ADMIN, old)
    assert view.matched == 20
    assert standing(view)["staff:budi"] == "ruled_out"
    assert standing(view)["staff:ani"] in ("possible", "lead")
    new = shop.vault.leaks.trace(ADMIN, [{"telepon": f"0857{number:08}"} for number in range(20)])
    assert standing(new)["staff:ani"] == "ruled_out"


def test_who_saw_masks_is_ruled_out(lite, clock) -> None:
    """A partner whose copies were masked cannot have leaked clear phones."""
    filled(lite, clock, 100)
    masked = pulled(lite, "printer", range(40), ("name_masked", "phone_masked", "address_masked"))
    assert all("*" in row["name_masked"] and "*" in row["phone_masked"] for row in masked)
    pulled(lite, "courier", range(40))
    view = lite.vault.leaks.trace(ADMIN, [{"phone": f"0812{number:08}"} for number in range(40)])
    assert standing(view)["partner:printer"] == "ruled_out"
    assert standing(view)["partner:courier"] in ("possible", "lead")


def test_rows_that_two_customers_share_are_no_evidence(lite, clock) -> None:
    """A family's telephone alone tells nobody; with a name it does. Several orders of one customer count once."""
    lite.vault.custody.put(
        SHOP, [order(1, "u1", name="Ani"), order(2, "u2", name="Budi"), order(3, "u1", name="Ani")]
    )
    view = lite.vault.leaks.trace(
        ADMIN, [{"phone": "081234567890"}, {"phone": "081234567890", "nama": "BUDI"}]
    )
    assert (view.matched, view.ambiguous, view.customers, view.known) == (1, 1, 1, 2)
    both = lite.vault.leaks.trace(ADMIN, [{"order_id": "1001"}, {"order_id": "1003"}])
    assert (both.matched, both.customers) == (2, 1)


def test_a_file_of_another_shop_is_told_as_such(lite) -> None:
    """It has a code, names nobody, and is audited all the same."""
    with pytest.raises(NotFound) as refused:
        lite.vault.leaks.trace(ADMIN, [{"phone": "089912345678", "姓名": "王芳"}])
    assert refused.value.code == "leak_not_ours"
    assert "leak:trace" in deeds(lite)


def test_old_values_are_forgotten_with_their_customer_and_their_key(lite) -> None:
    """After an erasure, and after the index key was destroyed, an old telephone is found by nobody."""
    lite.vault.custody.put(SHOP, [order(1, "u1"), order(2, "u2", phone="0813-0000-0001")])
    for number, user in ((1, "0857-0000-0001"), (2, "0857-0000-0002")):
        lite.vault.custody.rectify(SHOP, f"o-{number}", {"phone": user})
    assert (
        lite.vault.leaks.trace(ADMIN, [{"phone": "0812-3456-7890"}, {"phone": "0813-0000-0001"}]).matched == 2
    )
    lite.vault.erasing.erase(ADMIN, "u1", classes=(), reason="asked", dry_run=False)
    assert (
        lite.vault.leaks.trace(ADMIN, [{"phone": "0812-3456-7890"}, {"phone": "0813-0000-0001"}]).matched == 1
    )
    lite.vault.rekeying.begin(ADMIN, "index")
    while lite.vault.rekeying.step():
        pass
    lite.vault.rekeying.retire(ADMIN, "index", 1)
    with pytest.raises(NotFound):
        lite.vault.leaks.trace(ADMIN, [{"phone": "0813-0000-0001"}])


def test_a_share_of_the_vault_follows_what_happens_to_its_records(lite, clock) -> None:
    """Corrected ones come corrected, erased and locked ones not at all; the customer sees who was given what."""
    lite.vault.custody.put(SHOP, [order(1, "u1"), order(2, "u2"), order(3, "u3")])
    lite.partners.register(ADMIN, partner("courier"))
    share, token = lite.partners.share(
        ADMIN, "courier", purpose="delivery", fields=FIELDS, records=["o-1", "o-2", "o-3"], days=3
    )
    lite.vault.custody.rectify(SHOP, "o-1", {"phone": "0857-0000-0001"})
    lite.vault.erasing.erase(ADMIN, "u2", classes=(), reason="asked", dry_run=False)
    lite.vault.guard.lock(ANI, "subject", "u3", "dispute")
    pending = lite.pulls.prepare(PullAsk("courier", share.id, 0, token))
    assert pending.event["access"] == {"purpose": "delivery", "records": 1}
    sealed = lite.pulls.finish(pending, ["allow"]).sealed
    (row,) = open_page(KEY, "courier", share.id, 0, sealed)
    assert (row["id"], row["phone"]) == ("o-1", "0857-0000-0001")
    assert row["address"].startswith("Jl. Sudirman") or row["address"].startswith("Jalan Sudirman")
    (seen,) = lite.vault.custody.seen("u1", before=None, limit=9)
    assert (seen.person, seen.outcome, seen.version, seen.fields) == (
        "partner:courier", "pulled", 2, "name,phone,province,city,street",
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        lite.partners.share(ADMIN, "courier", purpose="delivery", fields=FIELDS, records=["o-3"], days=3)
    assert refused.value.code == "vault_locked"


def test_a_deny_of_the_engine_ends_a_download(lite) -> None:
    """The page is not given, the refusal has a code and is audited; nobody is told to have been shown anything."""
    lite.vault.custody.put(SHOP, [order(1, "u1")])
    lite.partners.register(ADMIN, partner("courier"))
    share, token = lite.partners.share(
        ADMIN, "courier", purpose="delivery", fields=FIELDS, records=["o-1"], days=3
    )
    pending = lite.pulls.prepare(PullAsk("courier", share.id, 0, token))
    with pytest.raises(Refused) as refused:
        lite.pulls.finish(pending, ["deny"])
    assert refused.value.code == "pull_denied"
    assert lite.vault.custody.seen("u1", before=None, limit=9) == []
    assert deeds(lite)[-1] == "share:pull"
