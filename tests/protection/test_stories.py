"""Orders and decisions together, on both databases: what an order stops, whom, until when, and after a restart."""

import msgspec
import pytest

from ordering import ANNA, BUDI, NOW_MS, SHOP, SOON, asked, pays, signs_in
from serving import POLICY
from shopward.access import Caller
from shopward.config import Settings
from shopward.errors import Conflict, InvalidField, Refused
from shopward.protection import Declared
from shopward.service import Shopward
from shopward.values import DAY_MS, HOUR_MS


def decided(shop, event):
    """Decision, orders and action types of an event, once the journal was looked at."""
    shop.desk.look_at_orders()
    answer = shop.decide(event)
    return answer.decision, answer.orders, tuple(action.type for action in answer.actions)


def test_a_freeze_stops_its_scope_and_nothing_else(shop):
    """Money in store is denied with the order's id; signing in goes on; the end lets go."""
    order = shop.protection.place(ANNA, asked())
    assert order.state == "active"
    assert decided(shop, pays(1)) == ("deny", (order.id,), ())
    assert decided(shop, signs_in(2)) == ("allow", (), ())
    assert decided(shop, pays(3, status="failed")) == ("allow", (), ())
    shop.clock.advance(3 * DAY_MS)
    assert decided(shop, pays(4))[0] == "allow"
    assert shop.overseer.get(order.id)[0].state == "expired"


def test_a_payment_that_hides_its_instrument_is_stopped_too(shop):
    """Leaving a field out evades nothing."""
    shop.protection.place(ANNA, asked(scope=["spend_gift_card"]))
    hidden = pays(1, transaction={"id": "t", "amount_minor": 5, "currency": "IDR"})
    assert decided(shop, hidden)[0] == "deny"
    assert decided(shop, pays(2))[0] == "allow"


def test_a_predicate_reaches_whom_it_describes(shop):
    """Declared attributes decide; who was never declared is seen as empty."""
    shop.overseer.declare({"old": Declared(registered_at_ms=1), "new": Declared(registered_at_ms=NOW_MS)})
    where = 'registered_at < timestamp("2020-01-01T00:00:00Z")'
    order = shop.protection.place(ANNA, asked(target={"predicate": where}))
    assert decided(shop, pays(1, "old"))[1] == (order.id,)
    assert decided(shop, pays(2, "new"))[1] == ()
    assert decided(shop, pays(3, "unheard of"))[1] == (order.id,)
    assert shop.overseer.orders_of("old") == [order.id]
    assert shop.overseer.orders_of("new") == []


def test_a_dry_run_counts_and_stops_nothing(shop):
    """A draft has its count, share and a sample of tokens; approving it makes it stand."""
    shop.overseer.declare(
        {f"u{number}": Declared(tier="gold" if number % 4 == 0 else "") for number in range(40)}
    )
    draft = shop.protection.place(ANNA, asked(target={"predicate": 'tier == "gold"'}, dry_run=True))
    assert draft.state == "draft"
    assert (draft.measured.count, draft.measured.of, draft.measured.share, draft.measured.exact) == (
        10,
        40,
        0.25,
        True,
    )
    assert len(draft.measured.sample) == 10
    assert not any(token.startswith("u") and len(token) < 5 for token in draft.measured.sample)
    assert decided(shop, pays(1, "u4"))[0] == "allow"
    assert shop.protection.approve(ANNA, draft.id).state == "active"
    assert decided(shop, pays(2, "u4"))[0] == "deny"


def test_mass_release_takes_another_person_with_another_key(shop):
    """Not the same key, not the same person with another key; until then the order stands."""
    order = shop.protection.place(ANNA, asked())
    asked_for = shop.protection.release(ANNA, order.id)
    assert (asked_for.state, asked_for.release_by) == ("active", "anna")
    for same in (ANNA, Caller("anna-2", "anna", ("analyst",)), Caller("anna-1", "somebody", ("analyst",))):
        with pytest.raises(Refused) as refused:
            shop.protection.approve(same, order.id)
        assert refused.value.code == "second_person_needed"
    with pytest.raises(Conflict) as again:
        shop.protection.release(BUDI, order.id)
    assert again.value.code == "release_pending"
    assert decided(shop, pays(1))[0] == "deny"
    assert shop.protection.approve(BUDI, order.id).state == "cancelled"
    assert decided(shop, pays(2))[0] == "allow"
    with pytest.raises(Conflict):
        shop.protection.release(ANNA, order.id)


def test_one_user_is_frozen_and_released_by_one_person(shop):
    """No second person for one account, and no other account is touched."""
    order = shop.protection.place(ANNA, asked(target={"user": "u1"}, reason="lost_device"))
    assert decided(shop, pays(1, "u1"))[0] == "deny"
    assert decided(shop, pays(2, "u2"))[0] == "allow"
    assert shop.protection.release(ANNA, order.id).state == "cancelled"
    assert decided(shop, pays(3, "u1"))[0] == "allow"


def test_a_release_of_one_order_leaves_every_other(shop):
    """Older holds do not vanish with a newer one."""
    everyone = shop.protection.place(ANNA, asked())
    single = shop.protection.place(ANNA, asked(target={"user": "u1"}))
    shop.protection.release(ANNA, single.id)
    assert decided(shop, pays(1))[1] == (everyone.id,)
    shop.protection.exempt(ANNA, everyone.id, ["u1"], cause="staff_release", evidence="case-1")
    assert decided(shop, pays(2))[0] == "allow"
    assert decided(shop, pays(3, "u2"))[0] == "deny"


def test_exceptions_are_held_against_conditions_and_counts(shop):
    """A condition that the order does not name, a password that was not changed, a second release, too many on a word."""
    order = shop.protection.place(ANNA, asked(release=["password_changed", "staff_release"]))
    shop.overseer.declare(
        {"changed": Declared(password_set_at_ms=NOW_MS + 1), "not": Declared(password_set_at_ms=5)}
    )

    def refusal(caller, users, cause):
        with pytest.raises((Refused, Conflict)) as refused:
            shop.protection.exempt(caller, order.id, users, cause=cause, evidence="")
        return refused.value.code

    assert refusal(ANNA, ["u1"], "identity_proved") == "release_condition"
    assert refusal(SHOP, ["u1"], "staff_release") == "role_missing"
    assert refusal(SHOP, ["changed", "not"], "password_changed") == "release_condition"
    assert decided(shop, pays(1, "changed"))[0] == "deny"
    done = shop.protection.exempt(SHOP, order.id, ["changed"], cause="password_changed", evidence="")
    assert (done.released, done.already) == (1, 0)
    assert decided(shop, pays(2, "changed"))[0] == "allow"
    assert refusal(SHOP, ["changed"], "password_changed") == "already_released"
    assert refusal(ANNA, [f"u{number}" for number in range(1_001)], "staff_release") == "release_needs_two"


def test_what_cannot_be_taken_back_takes_two_for_many(shop):
    """A reset for everyone waits for a second person; a freeze does not."""
    order = shop.protection.place(ANNA, asked("reset", scope=["login"]))
    assert order.state == "pending_approval"
    assert decided(shop, signs_in(1))[2] == ()
    with pytest.raises(Refused):
        shop.protection.approve(ANNA, order.id)
    assert shop.protection.approve(BUDI, order.id).state == "active"
    assert decided(shop, signs_in(2))[2] == ("reset_password",)


def test_a_reset_is_an_epoch(shop):
    """Who set a password since, declared or seen, is not asked; nobody's row was written; progress is a query."""
    shop.overseer.declare(
        {"a": Declared(password_set_at_ms=NOW_MS - 1), "b": Declared(password_set_at_ms=NOW_MS + 1)}
    )
    draft = shop.protection.place(ANNA, asked("reset", scope=["login"]))
    order = shop.protection.approve(BUDI, draft.id)
    assert [decided(shop, signs_in(n, user))[2] for n, user in enumerate("abc")] == [
        ("reset_password",), (), ("reset_password",)
    ]  # fmt: skip
    assert decided(shop, signs_in(5, "c", type="password_change"))[2] == ()
    assert decided(shop, signs_in(6, "c"))[2] == ()
    progress = shop.overseer.progress(order)
    assert (progress.done, progress.of) == (1, 2)


def test_a_revoke_ends_what_was_signed_in_before(shop):
    """An old session is ended, a new sign-in makes a new one."""
    order = shop.protection.place(ANNA, asked("revoke", scope=["money_out", "login"]))
    old = pays(1, session={"id": "before"})
    assert decided(shop, old) == ("allow", (order.id,), ("revoke_sessions",))
    assert decided(shop, signs_in(2))[2] == ()
    assert decided(shop, pays(3, session={"id": "s-2"}))[2] == ()
    assert decided(shop, pays(4))[2] == ("revoke_sessions",)


def test_limits_count_once_and_hold_every_currency(shop):
    """Attempted and succeeded of one transaction are one; what goes over is denied; another currency is no way round."""
    limit = {"amount_minor": 2_500, "currency": "IDR", "window_s": 86_400}
    order = shop.protection.place(ANNA, asked("limit", limit=limit, scope=["money_out"]))
    assert decided(shop, pays(1))[0] == "allow"
    assert decided(shop, pays(11, status="succeeded", transaction=pays(1)["transaction"]))[0] == "allow"
    assert decided(shop, pays(2))[0] == "allow"
    assert decided(shop, pays(3)) == ("deny", (order.id,), ("limit",))
    assert decided(shop, pays(4, "u2"))[0] == "allow"
    dollars = pays(
        5, "u3", transaction={"id": "t5", "amount_minor": 1, "currency": "USD", "instrument": "balance"}
    )
    assert decided(shop, dollars)[0] == "deny"


def test_a_delay_says_until_when(shop):
    """Deny with a hold that ends with the order."""
    shop.protection.place(ANNA, asked("delay"))
    shop.desk.look_at_orders()
    answer = shop.decide(pays(1))
    assert answer.decision == "deny"
    assert [(action.type, action.until) for action in answer.actions] == [
        ("hold", "2026-01-08T00:00:00.000Z")
    ]
    assert answer.reasons[0].text == "This is held back for a while to protect the account."


def test_a_step_up_is_answered_by_a_factor_of_its_level(shop):
    """An e-mailed code does not do where level 2 is asked for; TOTP does, for this user, device and operation."""
    order = shop.protection.place(ANNA, asked("step_up", assurance=2))
    device = {"device_id": "d1"}
    shop.desk.look_at_orders()
    first = shop.decide(pays(1, context=device))
    assert (first.decision, first.orders) == ("challenge", (order.id,))
    step_up = first.actions[0]
    assert step_up.factor == "passkey"
    assert {"email", "sms", "whatsapp"} <= set(step_up.exclude)
    for number, factor, expected in ((2, "email", "challenge"), (4, "totp", "allow")):
        proof = pays(number, type="challenge", status="succeeded", context=device, transaction={},
                     challenge={"decision_id": first.id, "factor": factor})  # fmt: skip
        shop.decide(proof)
        assert shop.decide(pays(number + 1, context=device)).decision == expected


def test_orders_for_staff_and_partners_follow_the_actor(shop):
    """An order about a member of staff stops what he does, whoever's account it is."""
    shop.protection.place(ANNA, asked(target={"staff": "s-7"}, scope=["personal_data"], reason="insider"))
    looked = pays(
        1, type="pii_view", status="succeeded", transaction={}, actor={"type": "staff", "id": "s-7"}
    )
    assert decided(shop, looked)[0] == "deny"
    assert decided(shop, looked | {"id": "p-2", "actor": {"type": "staff", "id": "s-8"}})[0] == "allow"
    assert decided(shop, looked | {"id": "p-3", "actor": {"type": "partner", "id": "s-7"}})[0] == "allow"


def test_an_order_begins_at_its_start(shop):
    """Scheduled until then."""
    order = shop.protection.place(ANNA, asked(starts_at="2026-01-05T01:00:00Z"))
    assert order.state == "scheduled"
    assert decided(shop, pays(1))[0] == "allow"
    shop.clock.advance(HOUR_MS)
    assert decided(shop, pays(2))[0] == "deny"


def test_an_order_takes_anothers_place_only_where_it_is_at_least_as_strong(shop):
    """A longer end may; a smaller scope may not, and leaves everything as it was."""
    old = shop.protection.place(ANNA, asked())
    with pytest.raises(InvalidField) as weaker:
        shop.protection.place(ANNA, asked(scope=["transfer"], supersedes=old.id))
    assert weaker.value.code == "order_weaker"
    new = shop.protection.place(ANNA, asked(ends_at="2026-01-20T00:00:00Z", supersedes=old.id))
    assert shop.overseer.get(old.id)[0].state == "superseded"
    assert decided(shop, pays(1))[1] == (new.id,)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_at": "2025-01-01T00:00:00Z"}, "invalid_field"),
        ({"target": {"predicate": "shoe_size > 3"}}, "predicate_invalid"),
        ({"target": {"predicate": "registered_at"}}, "predicate_invalid"),
        ({"target": {}}, "invalid_field"),
        ({"target": {"user": "u", "everyone": True}}, "invalid_field"),
        ({"scope": []}, "invalid_field"),
        ({"scope": ["breathing"]}, "unknown_word"),
        ({"limit": {"amount_minor": 1, "currency": "IDR", "window_s": 60}}, "invalid_field"),
        ({"assurance": 2}, "invalid_field"),
    ],
)
def test_orders_that_contradict_themselves_are_refused(lite, changes, code):
    """With the reason, and nothing is kept."""
    with pytest.raises(InvalidField) as refused:
        lite.protection.place(ANNA, asked(**changes))
    assert refused.value.code == code
    assert lite.overseer.newest(state=None, before=None, limit=10) == []


def test_an_order_without_end_or_review_is_refused(lite):
    """Nothing is stopped for ever because somebody forgot it."""
    request = asked(ends_at=SOON)

    with pytest.raises(InvalidField) as refused:
        lite.protection.place(ANNA, msgspec.structs.replace(request, ends_at=msgspec.UNSET))
    assert refused.value.code == "order_without_end"
    review = msgspec.structs.replace(request, ends_at=msgspec.UNSET, review_at=request.ends_at)
    assert lite.protection.place(ANNA, review).state == "active"


def test_only_an_analyst_orders(lite):
    """A service's key may not; the share that a key may approve is held."""
    with pytest.raises(Refused):
        lite.protection.place(SHOP, asked())
    lite.overseer.declare({f"u{number}": Declared() for number in range(10)})
    small = Caller("cici-1", "cici", ("analyst",), 0.5)
    order = lite.protection.place(ANNA, asked("reset", scope=["login"]))
    with pytest.raises(Refused) as refused:
        lite.protection.approve(small, order.id)
    assert refused.value.code == "share_exceeded"


def test_a_restart_and_a_rebuild_know_the_same_orders(tmp_path, clock):
    """From the log alone, from a snapshot, and where the crash came between the order's commit and the log."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY))
    limit = {"amount_minor": 1_500, "currency": "IDR", "window_s": 86_400}
    with Shopward.open(settings, clock=clock) as shop:
        shop.protection.place(ANNA, asked("limit", limit=limit, target={"user": "u2"}))
        everyone = shop.protection.place(ANNA, asked(scope=["withdraw"]))
        shop.protection.exempt(ANNA, everyone.id, ["u5"], cause="staff_release", evidence="")
        assert decided(shop, pays(1, "u2"))[0] == "allow"
        state = shop.desk.engine.dump()
        late = shop.protection.place(ANNA, asked(target={"user": "u3"}))
        shop.close(snapshot=False)
    for snapshot in (True, False):
        with Shopward.open(settings, clock=clock) as shop:
            assert shop.desk.engine.orders.version == (3 if snapshot else 4)
            assert not snapshot or shop.desk.engine.dump() == state
            number = 2 if snapshot else 5
            assert decided(shop, pays(number, "u2"))[0] == "deny"
            assert decided(shop, pays(number + 1, "u3"))[1] == (late.id,)
            withdrawal = pays(number + 2, "u5", type="withdrawal")
            assert decided(shop, withdrawal)[0] == "allow"
            shop.close(snapshot=snapshot)


def test_an_event_under_the_id_of_an_order_entry_is_a_conflict(lite):
    """An entry of the log that is no event answers no event."""
    lite.protection.place(ANNA, asked())
    decided(lite, pays(1))
    entry = lite.log.read(after_seq=0, limit=1)[0]
    assert entry.kind == "order"
    assert b"anna" not in entry.facts
    with pytest.raises(Conflict):
        lite.decide(pays(2, id=entry.event_id))


def test_every_deed_has_its_line(shop):
    """In the order of the deeds, by the key that did them, without a person or a customer."""
    order = shop.protection.place(ANNA, asked())
    shop.protection.exempt(ANNA, order.id, ["u1"], cause="staff_release", evidence="")
    shop.protection.release(ANNA, order.id)
    shop.protection.approve(BUDI, order.id)
    lines = shop.records.read(lambda each: shop.trail.read(each, after_seq=0, limit=50))
    assert [(line.deed, line.actor) for line in lines] == [
        ("order:create", "anna-1"), ("order:activate", "anna-1"), ("exception:create", "anna-1"),
        ("order:submit", "anna-1"), ("order:approve", "budi-1"), ("order:release", "budi-1"),
    ]  # fmt: skip
    assert all(line.subject == order.id for line in lines)


def test_a_deed_that_cannot_be_audited_is_not_done(lite, monkeypatch):
    """The line and the deed are one transaction."""
    monkeypatch.setattr(
        lite.trail, "append", lambda *_a, **_k: (_ for _ in ()).throw(RuntimeError("no audit"))
    )
    with pytest.raises(RuntimeError):
        lite.protection.place(ANNA, asked())
    assert lite.overseer.newest(state=None, before=None, limit=10) == []
    assert decided(lite, pays(1))[0] == "allow"
