"""Payouts that are asked of the shop side by side, each on its own."""

import pytest
from sqlalchemy import select, update

from claims.account import SERVICE, past, theft
from claims.test_killed_server import SECRET, paying
from ordering import NOW_MS
from shopward.adapters.sql.schema import log_page
from shopward.errors import SealBroken
from shopward.flows.claim import Filing
from shopward.flows.payout import LEASE_MS
from shopward.ledger import Book, postings, verify
from shopward.service import TENANT

USERS = ("anna", "broken", "citra", "dewi", "voided")


def spoil(shop, user):
    """The newest event of a user is changed in the store."""
    (entry,) = shop.log.timeline(shop.maker.user_token(user), before_seq=None, limit=1)
    kept, table = entry.personal, log_page.c

    def work(connection):
        for first_seq, personal in connection.execute(select(table.first_seq, table.personal)).all():
            changed = bytes(personal).replace(kept, kept[:-1] + bytes((kept[-1] ^ 1,)))
            found = update(log_page).where(table.first_seq == first_seq)
            connection.execute(found.values(personal=changed))

    shop.records.write(work)


def void(shop, claim_id):
    """What was promised on a claim is taken back in the books, beside the payout that carries it."""
    (payout,) = shop.claims.get(claim_id)[1]
    rule = postings.not_paid(payout.transfer, payout="another")
    shop.records.write(lambda each: Book(TENANT).post_one(each, rule, at_ms=NOW_MS))


def test_one_that_cannot_be_carried_keeps_nobody_waiting(opened, clock):
    """One hides whom it is for, one is refused by the books: both stay on their way, the fault is told, the others are paid."""
    with opened() as shop:
        claims = {}
        for user in USERS:
            for each in past(NOW_MS, user) + theft(NOW_MS, user):
                shop.decide(each)
            draft = shop.claims.draft(SERVICE, user, regime="full")
            claims[user] = shop.claims.submit(SERVICE, draft.id, Filing((f"{user}-stolen-0",))).id
        spoil(shop, "broken")
        void(shop, claims["voided"])
    with paying("never") as endpoint:
        url = f"http://127.0.0.1:{endpoint.server_port}/payouts"
        with opened(payout_url=url, payout_secret=SECRET) as shop:
            for _round in range(2):
                with pytest.raises(SealBroken):
                    shop.payouts.step()
                states = {user: shop.claims.get(claims[user])[1][0].state for user in USERS}
                assert states == dict.fromkeys(USERS, "paid") | {"broken": "sent", "voided": "sent"}
                clock.advance(LEASE_MS)
            deeds = shop.records.read(lambda each: shop.trail.read(each, after_seq=0, limit=500))
            assert [each.deed for each in deeds].count("payout:settle") == len(USERS) - 2
            assert shop.records.read(lambda each: verify(each, TENANT)).is_sound
    assert sorted(endpoint.paid.values()) == [1] * (len(USERS) - 1)
