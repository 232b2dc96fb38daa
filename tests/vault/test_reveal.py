"""Personal values are seen for a purpose, by somebody, within limits; and who saw them stands written."""

from __future__ import annotations

import pytest

from shopward.errors import Conflict, InvalidField, NotFound, QuotaReached, Refused
from shopward.flows.reveal import REQUEST_MS
from shopward.values import DAY_MS
from shopward.vault import RevealRequest
from vault.conftest import ANI, BUDI, SHOP, ask, deeds, order, reveal


def code_of(work, *arguments, kind=Refused):
    with pytest.raises(kind) as refused:
        work(*arguments)
    return refused.value.code


def test_a_reveal_shows_what_the_purpose_gives_and_stands_written(shop):
    """The values come back, the customer sees who looked and why, and the audit log has it with names of fields alone."""
    shop.vault.custody.put(SHOP, [order()])
    (opened,) = reveal(shop, ANI, ask())
    assert opened.values == {"name": "Budi Santoso", "phone": "0812-3456-7890"}
    (seen,) = shop.vault.custody.seen("u1", before=None, limit=10)
    assert (seen.person, seen.purpose, seen.order_id, seen.record, seen.version) == (
        "ani",
        "delivery",
        "1001",
        "o-1",
        1,
    )
    assert (seen.fields, seen.outcome) == ("name,phone", "revealed")
    assert deeds(shop)[-2:] == ["record:put", "personal:reveal"]


def test_each_reveal_is_an_event_that_the_engine_decides(shop):
    """It stands on the customer's timeline, with actor, purpose and order, and no personal value."""
    shop.vault.custody.put(SHOP, [order()])
    reveal(shop, ANI, ask())
    (entry,) = shop.log.timeline(shop.vault.room.subject("u1"), before_seq=None, limit=5)
    (told,) = shop.vault.history.told([entry])
    assert b'"pii_view"' in told
    assert b'"ani"' in told
    assert b'"delivery"' in told
    assert b"Santoso" not in told + entry.facts


@pytest.mark.parametrize("decision", ["challenge", "deny"])
def test_a_decision_against_it_is_obeyed(shop, decision):
    """Nothing is shown, and the try is in the audit log and in what the customer sees."""
    shop.vault.custody.put(SHOP, [order()])
    pending = shop.vault.reveals.prepare(ANI, ask())
    assert code_of(shop.vault.reveals.finish, ANI, pending, [decision]) == "reveal_denied"
    assert code_of(shop.vault.reveals.finish, ANI, pending, []) == "reveal_denied"
    assert [each.outcome for each in shop.vault.custody.seen("u1", before=None, limit=5)] == [
        "refused",
        "refused",
    ]
    assert deeds(shop)[-1] == "personal:refuse"


def test_a_purpose_gives_no_more_than_its_fields(lite):
    """More fields, another kind, no explanation, an unknown purpose or field, and an order of last month are refused."""
    lite.vault.custody.put(SHOP, [order()])
    prepare = lite.vault.reveals.prepare
    assert code_of(prepare, ANI, ask(fields=("email",))) == "purpose_fields"
    assert code_of(prepare, ANI, ask(purpose="identity_check", case_id="c-1")) == "purpose_fields"
    assert code_of(prepare, ANI, ask(order_id=""), kind=InvalidField) == "invalid_field"
    assert code_of(prepare, ANI, ask(purpose="curiosity"), kind=InvalidField) == "invalid_field"
    assert code_of(prepare, ANI, ask(fields=("shoe_size",)), kind=InvalidField) == "invalid_field"
    assert code_of(prepare, ANI, ask("o-1", "o-2"), kind=NotFound) == "not_found"
    lite.clock.advance(31 * DAY_MS)
    assert code_of(prepare, ANI, ask()) == "purpose_window"


def test_a_day_has_its_quota(shop):
    """Fifty records in a shop of few orders; the fifty-first waits until tomorrow, for this person alone."""
    shop.vault.custody.put(SHOP, [order(number, f"u{number}") for number in range(60)])
    for start in range(0, 45, 15):
        reveal(shop, ANI, ask(*(f"o-{start + each}" for each in range(15))))
    with pytest.raises(QuotaReached) as refused:
        reveal(shop, ANI, ask(*(f"o-{each}" for each in range(6))))
    assert 0 < refused.value.retry_after_s <= 86_400
    reveal(shop, ANI, ask(*(f"o-{each}" for each in range(5))))
    reveal(shop, BUDI, ask())
    shop.clock.advance(DAY_MS)
    reveal(shop, ANI, ask())


def test_a_full_day_uses_up_nobodys_word(shop):
    """What a second person agreed to is still good after midnight, within its hour."""
    shop.vault.custody.put(SHOP, [order(number, f"u{number}") for number in range(60)])
    shop.clock.advance(DAY_MS - shop.clock.now_ms() % DAY_MS - 60_000)
    for start in range(0, 45, 15):
        reveal(shop, ANI, ask(*(f"o-{start + each}" for each in range(15))))
    many = ask(*(f"o-{each}" for each in range(21)))
    request = reveal(shop, ANI, many)
    shop.vault.guard.approve(BUDI, request.id)
    assert code_of(reveal, shop, ANI, many, request.id, kind=QuotaReached) == "quota_reached"
    shop.clock.advance(120_000)
    assert len(reveal(shop, ANI, many, request.id)) == 21


def test_many_records_take_a_second_person_who_agreed_to_these(shop):
    """Not oneself, not another list, not twice, and not after an hour."""
    shop.vault.custody.put(SHOP, [order(number) for number in range(30)])
    many, desk = ask(*(f"o-{each}" for each in range(21))), shop.vault.guard
    request = reveal(shop, ANI, many)
    assert isinstance(request, RevealRequest)
    assert code_of(reveal, shop, ANI, many, request.id, kind=Conflict) == "request_state"
    assert code_of(desk.approve, ANI, request.id) == "second_person_needed"
    assert desk.approve(BUDI, request.id).approved_by == "budi"
    other = ask(*(f"o-{each + 1}" for each in range(21)))
    assert code_of(reveal, shop, ANI, other, request.id) == "second_person_needed"
    assert code_of(reveal, shop, BUDI, many, request.id) == "second_person_needed"
    assert len(reveal(shop, ANI, many, request.id)) == 21
    assert code_of(reveal, shop, ANI, many, request.id, kind=Conflict) == "request_state"
    late = reveal(shop, ANI, many)
    shop.clock.advance(REQUEST_MS)
    assert code_of(desk.approve, BUDI, late.id, kind=Conflict) == "request_state"
    assert desk.waiting() == []


def test_a_lock_shuts_at_once_even_a_reveal_under_way(shop):
    """A person, a customer, a record or everything; after the decision, before the answer."""
    shop.vault.custody.put(SHOP, [order()])
    desk, guard = shop.vault.reveals, shop.vault.guard
    for kind, target in (("person", "ani"), ("subject", "u1"), ("record", "o-1"), ("vault", "")):
        pending = desk.prepare(ANI, ask())
        guard.lock(BUDI, kind, target, "suspicion")
        assert code_of(desk.finish, ANI, pending, ["allow"]) == "vault_locked"
        assert code_of(desk.prepare, ANI, ask()) == "vault_locked"
        if kind == "person":
            assert code_of(guard.unlock, ANI, kind, target) == "second_person_needed"
        guard.unlock(BUDI, kind, target)
    assert reveal(shop, ANI, ask())


def test_one_canary_locks_its_reader(shop):
    """Among others or alone: nothing is shown, the engine hears of a failed view, and the reader is shut out."""
    shop.vault.custody.put(SHOP, [order(), order(2, "ghost")._replace(canary=True)])
    pending = shop.vault.reveals.prepare(ANI, ask("o-1", "o-2"))
    assert {event["status"] for event in pending.events} == {"failed"}
    assert code_of(shop.vault.reveals.finish, ANI, pending, ["allow", "allow"]) == "vault_locked"
    assert code_of(shop.vault.reveals.prepare, ANI, ask("o-1")) == "vault_locked"
    assert [(each.kind, each.target, each.reason) for each in shop.vault.guard.locks()] == [
        ("person", "ani", "canary")
    ]
    assert [each.outcome for each in shop.vault.custody.seen("ghost", before=None, limit=5)] == ["canary"]
    assert reveal(shop, BUDI, ask())
    assert shop.vault.custody.look("o-2", "screen").fields["name"] == "B*** S***"


def test_an_export_hands_out_everything_of_one_customer(shop):
    """All fields of all kinds of records, for a case, without a quota, and an event of its own."""
    shop.vault.custody.put(SHOP, [order(number) for number in range(60)])
    pending = shop.vault.reveals.prepare_export(ANI, "u1", "c-7")
    assert [(event["type"], event["access"]["records"]) for event in pending.events] == [("pii_export", 60)]
    opened = shop.vault.reveals.finish(ANI, pending, ["allow"])
    assert len(opened) == 60
    assert opened[0].values["email"] == "Budi@Contoh.id"
    assert deeds(shop)[-1] == "personal:export"
