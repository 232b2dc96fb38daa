"""Declared attributes are not in the log: what a rebuild knows all the same, and what stays as it was recorded."""

import msgspec
import pytest

from ordering import ANNA, NOW_MS, asked, pays, signs_in
from serving import POLICY
from shopward.config import Settings
from shopward.protection import Declared
from shopward.service import Shopward
from shopward.values import HOUR_MS

LIMIT = {"amount_minor": 3_000, "currency": "IDR", "window_s": 86_400}


@pytest.fixture
def opened(database, tmp_path, clock):
    """Opens the same store again and again."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY), database=database)
    return lambda: Shopward.open(settings, clock=clock)


def test_a_rebuild_is_exact_whatever_was_declared_since(opened):
    """Sums of limits, new passwords and sessions under predicate orders are what they were, byte for byte."""
    gold = {"predicate": 'tier == "gold"'}
    with opened() as shop:
        shop.overseer.declare({user: Declared(tier="gold") for user in ("u1", "u2")})
        for request in (
            asked("limit", target=gold, limit=LIMIT), asked("reset", scope=[], target={"user": "u1"}),
            asked("revoke", scope=[], target=gold), asked("step_up", target={"predicate": 'region == "ID"'}),
        ):  # fmt: skip
            shop.protection.place(ANNA, request)
        for number, user in enumerate(("u1", "u2", "u3") * 4):
            shop.overseer.declare(
                {"u3": Declared(tier="gold" if number % 2 else "", region="ID" if number > 6 else "")}
            )
            event = (pays, signs_in)[number % 2](number, user)
            if number == 5:
                event |= {"type": "password_change"}
            shop.decide(event)
        state = shop.desk.engine.dump()
        shop.close(snapshot=False)
    with opened() as shop:
        shop.overseer.declare({user: Declared() for user in ("u1", "u2", "u3")})  # nobody is gold any more
        assert shop.desk.engine.dump() == state


def test_a_recorded_decision_stands(opened):
    """Asking again hears it, whatever is declared now; the next event is decided by what is declared now."""
    with opened() as shop:
        shop.overseer.declare({"u1": Declared(tier="gold")})
        order = shop.protection.place(ANNA, asked(target={"predicate": 'tier == "gold"'}))
        shop.desk.look_at_orders()
        first = shop.decide(pays(1))
        assert (first.decision, first.orders) == ("deny", (order.id,))
        shop.overseer.declare({"u1": Declared()})
        shop.close(snapshot=False)
    with opened() as shop:
        assert msgspec.json.encode(shop.decide(pays(1))) == msgspec.json.encode(first)
        assert shop.decide(pays(2)).decision == "allow"
        entry = shop.log.find(["p-1"])["p-1"]
        assert order.id.encode() in entry.decision  # which order had a say is in the record


def test_what_is_spent_under_a_limit_outlives_a_change_of_what_is_declared(opened, clock):
    """A user who leaves a predicate and comes back goes on where the day's sum was."""
    with opened() as shop:
        shop.overseer.declare({"u1": Declared(tier="gold")})
        shop.protection.place(ANNA, asked("limit", target={"predicate": 'tier == "gold"'}, limit=LIMIT))
        shop.desk.look_at_orders()
        assert [shop.decide(pays(number)).decision for number in (1, 2)] == ["allow", "allow"]
        shop.overseer.declare({"u1": Declared()})
        assert shop.decide(pays(3)).decision == "allow"  # outside the predicate: not counted
        clock.advance(HOUR_MS)
    with opened() as shop:
        shop.overseer.declare({"u1": Declared(tier="gold", password_set_at_ms=NOW_MS)})
        assert [shop.decide(pays(number)).decision for number in (4, 5)] == ["allow", "deny"]
