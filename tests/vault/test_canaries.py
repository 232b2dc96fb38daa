"""Canaries among the records: nobody tells them from others, one read shuts the reader out, and a leak of them names who had them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.test_stories import KEY, partner
from shopward.access.keys import Caller
from shopward.errors import InvalidField, NotFound, Refused
from shopward.findings.store import FindingStore
from shopward.flows.pulling import PullAsk
from shopward.leaks.decoys import LANGUAGES, decoy, like
from shopward.partners import open_page
from shopward.partners.partner import day_ms
from shopward.values import ManualClock
from shopward.vault.kinds import checked
from shopward.vault.search import normalised
from vault.conftest import ANI, BUDI, SHOP, ask, deeds, order, reveal

ADMIN = Caller("key-boss", "citra", ("admin",))
POOL = {"region": "ID", "phones": "+62851000", "domain": "toko.example"}


@pytest.fixture
def clock():
    """A clock within the agreements of the test's partners."""
    return ManualClock(day_ms("2026-06-01", path=""))


def planted(shop, count=3, **changes):
    """The ids of canaries that were planted now."""
    return shop.vault.canaries.plant(ADMIN, count=count, **(POOL | changes)).records


def code_of(call, *arguments, **named):
    """The code of a refusal."""
    with pytest.raises(Refused) as refused:
        call(*arguments, **named)
    return refused.value.code


def locked(shop):
    """Who is locked, and why."""
    return [(each.kind, each.target, each.reason) for each in shop.vault.guard.locks()]


def found(shop, who, value, field="phone", transform="exact"):
    """What a search finds, with the real engine."""
    hits = shop.vault.reveals.search(
        who, kind="order", field=field, transform=transform, value=value, limit=50
    )
    shop.vault.reveals.check(ANI, hits, [shop.decide(event).decision for event in hits.events])
    return [each.row.id for each in hits.found]


def findings(shop):
    """What waits for a person's look."""
    return shop.records.read(
        lambda each: FindingStore("main").findings(each, before=None, state="open", limit=9, campaign=None)
    )


@given(st.binary(min_size=16, max_size=40), st.sampled_from(list(LANGUAGES)))
def test_a_decoy_is_an_order_of_its_country_and_nobodys(seed, region) -> None:
    """Its fields are those of an order, its phone is in the pool and as long as real ones, and the seed decides it."""
    made = decoy(seed, region=region, phones="+62851000", domain="toko.example")
    checked("order", made)
    assert made == decoy(seed, region=region, phones="+62851000", domain="toko.example")
    assert made["phone"].startswith("+62851000")
    assert normalised("phone", made["phone"], "ID") == made["phone"]
    assert made["email"].endswith("@toko.example")
    assert made["name"].isascii() == (region != "CN")


@given(st.from_regex(r"[a-zA-Z\-]{0,6}[0-9]{1,12}", fullmatch=True), st.binary(min_size=16, max_size=16))
def test_an_id_has_the_shape_of_another(example, seed) -> None:
    """Letters and length stay."""
    made = like(example, seed)
    assert len(made) == len(example)
    assert [each for each in made if not each.isdigit()] == [each for each in example if not each.isdigit()]


def test_nobody_who_lists_or_finds_can_tell_a_canary(shop) -> None:
    """Masked it has all that an order has, in the shape of the shop's ids; a search for a name may meet it unharmed."""
    shop.vault.custody.put(SHOP, [order(4711, "cust-00017")])
    (record,) = planted(shop, 1)
    real, fake = shop.vault.custody.look("o-4711", "screen"), shop.vault.custody.look(record, "screen")
    assert set(fake.fields) <= set(real.fields) | {"district", "postcode", "amount"}
    assert (len(record), record[:2], fake.kind, fake.version) == (len("o-4711"), "o-", "order", 1)
    assert "canary" not in repr(fake)
    assert found(shop, ANI, fake.fields["phone"][-4:], transform="last4")
    assert locked(shop) == []
    assert deeds(shop)[-2:] != ["vault:lock", "vault:lock"]


@pytest.mark.parametrize("way", ["reveal", "search", "export"])
def test_one_touch_locks_who_reads(shop, way) -> None:
    """Revealed, looked for by its own phone, or exported: nothing comes, the reader is shut out, the engine denies an event of it."""
    shop.vault.custody.put(SHOP, [order()])
    (record,) = planted(shop, 1)
    row = shop.records.read(lambda each: shop.vault.room.sealed.rows(each, [record]))
    (opened,) = shop.records.read(lambda each: shop.vault.room.sealed.open(each, row))
    if way == "reveal":
        pending = shop.vault.reveals.prepare(ANI, ask(record))
        said = [shop.decide(event) for event in pending.events]
        assert code_of(shop.vault.reveals.finish, ANI, pending, ["allow"]) == "vault_locked"
        assert (said[0].decision, said[0].reasons[0].code) == ("deny", "canary_touched")
        shop.carry_out()
        assert [each.user_token for each in findings(shop)] == [row[0].subject]
    elif way == "search":
        assert code_of(found, shop, ANI, opened.values["phone"]) == "vault_locked"
    else:
        pending = shop.vault.reveals.prepare_export(ANI, opened.user, "c-1")
        assert pending.events[0]["access"]["purpose"] == "canary"
        assert code_of(shop.vault.reveals.finish, ANI, pending, ["allow"]) == "vault_locked"
    assert locked(shop) == [("person", "ani", "canary")]
    assert code_of(shop.vault.reveals.prepare, ANI, ask()) == "vault_locked"
    assert reveal(shop, BUDI, ask())


def test_a_trap_in_a_share_locks_who_made_it_and_suspends_who_pulls_it(shop) -> None:
    """The share is not made; one that became a trap later suspends the partner in the middle of its download."""
    shop.vault.custody.put(SHOP, [order()])
    (record,) = planted(shop, 1)
    shop.partners.register(ADMIN, partner("courier"))
    share = {"purpose": "delivery", "fields": ("name", "phone"), "days": 3}
    assert code_of(shop.partners.share, ADMIN, "courier", records=["o-1", record], **share) == "vault_locked"
    assert locked(shop) == [("person", "citra", "canary")]
    shop.vault.guard.unlock(BUDI, "person", "citra")
    made, token = shop.partners.share(ADMIN, "courier", records=["o-1"], **share)
    shop.vault.custody.put(SHOP, [order(1, "u1")._replace(canary=True)])
    pending = shop.pulls.prepare(PullAsk("courier", made.id, 0, token))
    assert shop.decide(pending.event).decision == "deny"
    assert code_of(shop.pulls.finish, pending, ["allow"]) == "partner_suspended"
    assert (shop.partners.get("courier").state, shop.partners.get("courier").why) == ("suspended", "canary")


def test_canaries_are_planted_for_a_registered_partner_alone(shop) -> None:
    """A misspelt partner is refused: canaries that go out with no share would be traps for everybody."""
    shop.partners.register(ADMIN, partner("courier"))
    with pytest.raises(NotFound):
        planted(shop, 1, partner="couriers")
    assert planted(shop, 1, partner="courier")


def test_what_a_partner_leaks_names_it(shop, clock) -> None:
    """Its shares carry its own canaries; two that turn up are proof, beside a few rows that prove nothing."""
    shop.vault.custody.put(
        SHOP, [order(number, f"u{number}", phone=f"0812{number:08}") for number in range(60)]
    )
    for name in ("courier", "other"):
        shop.partners.register(ADMIN, partner(name))
        planted(shop, 10, partner=name)
    got = {}
    for name in ("courier", "other"):
        records = [f"o-{number}" for number in range(60)]
        share, token = shop.partners.share(
            ADMIN, name, purpose="delivery", fields=("name", "phone"), records=records, days=3
        )
        assert share.rows == 64
        pending = shop.pulls.prepare(PullAsk(name, share.id, 0, token))
        sealed = shop.pulls.finish(pending, [shop.decide(pending.event).decision]).sealed
        got[name] = open_page(KEY, name, share.id, 0, sealed)
    pooled = [row for row in got["courier"] if "851000" in row["phone"]]
    assert len(pooled) == 4
    assert not {row["id"] for row in pooled} & {row["id"] for row in got["other"]}
    leaked = [
        {"hp": row["phone"]} for row in got["courier"] if row in pooled[:2] or row["id"] in ("o-7", "o-8")
    ]
    view = shop.vault.leaks.trace(ADMIN, leaked)
    assert (view.canaries, view.traps, view.customers, view.known) == (2, 0, 2, 60)
    assert next((each.recipient, each.standing) for each in view.candidates) == ("partner:courier", "proof")
    assert all(each.standing != "proof" for each in view.candidates[1:])


def test_a_leaked_trap_points_at_the_store_itself(lite) -> None:
    """Nobody was given it: who has it copied the store."""
    lite.vault.custody.put(SHOP, [order()])
    (record,) = planted(lite, 1)
    row = lite.records.read(lambda each: lite.vault.room.sealed.rows(each, [record]))
    (opened,) = lite.records.read(lambda each: lite.vault.room.sealed.open(each, row))
    view = lite.vault.leaks.trace(ADMIN, [{"phone": opened.values["phone"]}])
    assert (view.canaries, view.traps, view.candidates) == (1, 1, [])


def test_canaries_count_for_nothing_and_give_way(lite) -> None:
    """They raise no quota, and an order of the shop's that needs the id takes it."""
    lite.vault.custody.put(SHOP, [order()])
    records = planted(lite, 50)
    assert lite.records.read(lambda each: lite.vault.room.sealed.orders_since(each, 0)) == 1
    number = int(records[0].removeprefix("o-"))
    lite.vault.custody.put(SHOP, [order(number, "real")])
    assert lite.vault.custody.of_user("real", kind=None, after="", limit=5)[0].id == records[0]
    assert reveal(lite, ANI, ask(records[0]))


@pytest.mark.parametrize(
    "changes", [{"phones": "call me"}, {"domain": "no domain"}, {"region": "XX"}, {"count": 0}]
)
def test_a_pool_that_cannot_be_one_is_refused(lite, changes) -> None:
    """With its path and without its value."""
    with pytest.raises(InvalidField) as refused:
        lite.vault.canaries.plant(ADMIN, **({"count": 1} | POOL | changes))
    assert refused.value.path in changes
