"""What holds of every set of orders: one more never weakens, the order of asking does not matter, arrows alone move."""

import itertools
import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import Conflict, InvalidField
from shopward.events import EVENT_TYPES
from shopward.events.facts import Facts
from shopward.protection import Declared, OrderIndex, resolve
from shopward.protection.attributes import ATTRIBUTES, compiled_predicate, predicate_source
from shopward.protection.operations import GROUPS, OPERATIONS, UNCOVERED, expanded, mask, mask_of
from shopward.protection.orders import (
    KINDS,
    REASON_CODES,
    RELEASE_CONDITIONS,
    Limit,
    Standing,
    Target,
    is_at_least,
)
from shopward.protection.states import ARROWS, FINAL, STATES, VERBS, moved

FACTORS = ("passkey", "totp", "email", "sms")


def blind(domain, value):
    """A token that can be read."""
    return f"{domain}:{value}" if value else ""


@st.composite
def standings(draw):
    """An order in force of any kind."""
    kind = draw(st.sampled_from(KINDS))
    amount = draw(st.integers(0, 5))
    return Standing(
        id=f"o-{draw(st.integers(0, 30))}",
        kind=kind,
        scope=tuple(draw(st.sets(st.sampled_from(OPERATIONS), min_size=1, max_size=3))),
        target=Target("everyone"),
        reason="phishing",
        limit=Limit(amount, draw(st.sampled_from(("IDR", "USD"))), draw(st.sampled_from((60, 600)))) if kind == "limit" else None,
        assurance=draw(st.integers(0, 3)) if kind == "step_up" else 0,
        exclude=tuple(sorted(draw(st.sets(st.sampled_from(FACTORS))))) if kind == "step_up" else (),
        ends_ms=draw(st.integers(1, 9)),
        begun=draw(st.integers(1, 9)),
    )  # fmt: skip


def distinct(orders):
    """One order for each id: ids are unique."""
    return list({order.id: order for order in orders}.values())


def lowest(ruling):
    """The exceeded limits by currency, as comparable numbers."""
    return {limit.currency: (limit.amount_minor, -limit.window_s) for limit in ruling.limits}


@given(st.lists(standings(), max_size=6).map(distinct), standings())
def test_one_order_more_never_weakens(orders, more):
    """In no part: decision, hold, limits, assurance, excluded factors, actions, who had a say."""
    orders = [order for order in orders if order.id != more.id]
    before, after = resolve(orders), resolve([*orders, more])
    assert after.strength >= before.strength
    assert after.hold_until_ms >= before.hold_until_ms
    assert after.assurance >= before.assurance
    assert after.exclude >= before.exclude
    assert after.actions >= before.actions
    assert set(after.ids) >= set(before.ids)
    assert all(lowest(after)[currency] <= held for currency, held in lowest(before).items())


@given(st.lists(standings(), max_size=6).map(distinct), st.randoms())
def test_the_order_of_orders_does_not_matter(orders, random):
    """Nor does naming one twice."""
    shuffled = [*orders, *orders]
    random.shuffle(shuffled)
    assert resolve(shuffled) == resolve(orders)


@given(st.lists(standings(), min_size=1, max_size=6).map(distinct))
def test_freeze_stands_before_delay_before_limit_before_step_up(orders):
    """The first order named is of the strongest kind, and the decision is that kind's."""
    ruling = resolve(orders)
    strongest = min((("freeze", "delay", "limit", "step_up").index(order.kind) if order.kind in
                     ("freeze", "delay", "limit", "step_up") else 4) for order in orders)  # fmt: skip
    assert ruling.strength == (3, 3, 3, 2, 0)[strongest]


@given(standings(), standings())
def test_taking_anothers_place_never_weakens(new, old):
    """Where one order may supersede another, it stops all that the other did, for as long."""
    if is_at_least(new, old):
        assert (set(new.scope) >= set(old.scope), new.kind) == (True, old.kind)
        assert new.ends_ms == 0 or new.ends_ms >= old.ends_ms
        assert new.assurance >= old.assurance


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(STATES, VERBS)))
def test_an_order_moves_along_an_arrow_or_not_at_all(state, verb):
    """Every pair of state and step is in the table or refused."""
    if (state, verb) in ARROWS:
        assert moved(state, verb) == ARROWS[state, verb]
    else:
        with pytest.raises(Conflict):
            moved(state, verb)


def test_only_four_steps_touch_what_is_in_force():
    """Into ``active`` by activation or its hour; out of it by its end, a release, or a stronger order; never back."""
    assert {verb for (_state, verb), after in ARROWS.items() if after == "active"} == {"activate", "begin"}
    assert {verb for state, verb in ARROWS if state == "active"} == {"expire", "cancel", "supersede"}
    assert {"expired", "cancelled", "superseded"} == FINAL
    reachable = {"draft"}
    for _round in STATES:
        reachable |= {after for (state, _verb), after in ARROWS.items() if state in reachable}
    assert reachable == set(STATES)


@given(st.lists(st.sampled_from(VERBS), max_size=12))
def test_no_walk_leaves_a_final_state(verbs):
    """Whatever is tried, what is over stays over."""
    state = "draft"
    for verb in verbs:
        try:
            after = moved(state, verb)
        except Conflict:
            continue
        assert state not in FINAL
        state = after


def test_every_event_type_is_an_operation_or_named_as_none():
    """A new type cannot be forgotten; no operation is without an event."""
    assert {type_ for type_ in EVENT_TYPES if not mask_of(type_, "")} == UNCOVERED
    every = 0
    for type_ in EVENT_TYPES:
        every |= mask_of(type_, "")
    assert every == mask(OPERATIONS)
    for group in GROUPS:
        assert expanded([group])


def test_a_payment_without_instrument_is_covered_by_every_way_to_pay():
    """So that leaving it out, or a word nobody knows, is no way round."""
    for instrument in ("balance", "gift_card", "points", "card", "linked", "transfer"):
        assert mask_of("payment", instrument)
        assert mask_of("payment", instrument) & mask_of("payment", "") == mask_of("payment", instrument)
    assert mask_of("payment", "new") == mask_of("payment", "")


users = st.builds(
    Declared,
    registered_at_ms=st.integers(0, 3) | st.integers(0, 2**41),
    password_set_at_ms=st.integers(0, 2**41),
    identity_providers=st.lists(st.sampled_from(("apple", "x")), unique=True).map(tuple),
    region=st.sampled_from(("", "ID", "SG")),
    tier=st.sampled_from(("", "gold")),
)
PREDICATES = (
    ('region == "ID" && tier != "gold"', lambda u: u.region == "ID" and u.tier != "gold"),
    (
        '"apple" in identity_providers || region == "SG"',
        lambda u: "apple" in u.identity_providers or u.region == "SG",
    ),
    ('registered_at < timestamp("1970-01-01T00:00:00.002Z")', lambda u: u.registered_at_ms < 2),
    ("password_set_at >= registered_at", lambda u: u.password_set_at_ms >= u.registered_at_ms),
    ('!(tier in ["gold", "x"])', lambda u: u.tier not in ("gold", "x")),
)


@given(users, st.lists(st.integers(0, len(PREDICATES) - 1), max_size=8))
def test_the_index_finds_what_each_predicate_alone_finds(user, chosen):
    """Many predicates compiled together cover exactly whom each covers by itself."""
    orders = [
        Standing(id=f"o-{at}", kind="freeze", scope=("login",), target=Target("predicate", (), PREDICATES[each][0]),
                 reason="phishing", begun=at + 1)
        for at, each in enumerate(chosen)
    ]  # fmt: skip
    facts = Facts("e", "login", "succeeded", user="u", actor="u")
    found = {order.id for order in OrderIndex(orders, blind).matching(facts, user)}
    assert found == {f"o-{at}" for at, each in enumerate(chosen) if PREDICATES[each][1](user)}


def test_tokens_in_predicates_are_blinded():
    """What the predicate holds is compared in tokens of this installation, in every place."""
    holds = compiled_predicate('tokens.phone in ["a", "b"] || tokens.email == "c"', blind)
    assert holds(Declared(phone="phone:b"))
    assert holds(Declared(email="email:c"))
    assert not holds(Declared(phone="b"))
    for wrong in ('tokens.phone.startsWith("a")', 'tokens.phone + "x" == "ax"', 'tokens.phone < "b"'):
        with pytest.raises(InvalidField):
            predicate_source(wrong, blind)


def test_predicates_see_declared_attributes_and_nothing_else():
    """Not the event, not features, not Python."""
    for wrong in (
        'type == "login"',
        "f.x > 1",
        "__import__",
        "user.id == ''",
        "registered_at",
        "true && false",
    ):
        with pytest.raises(InvalidField) as refused:
            predicate_source(wrong, blind)
        assert refused.value.code == "predicate_invalid"
    assert set(ATTRIBUTES) == {
        "registered_at",
        "password_set_at",
        "identity_providers",
        "region",
        "tier",
        "tokens",
    }


def test_every_explanation_is_written_in_three_languages():
    """Same keys, same blanks, no link, and a text for every kind, reason, condition and operation."""
    texts = tomllib.loads((resources.files("shopward.protection") / "texts.toml").read_text(encoding="utf-8"))
    assert set(texts) == {"id", "zh", "en"}
    for language in texts.values():
        assert set(language["stopped"]) == set(language["decision"]) == set(KINDS)
        assert set(language["reason"]) == set(REASON_CODES)
        assert set(language["operation"]) == set(OPERATIONS)
        assert set(language["ends"]) == {"at", "review", *RELEASE_CONDITIONS}
        assert set(language["works"]) == {"some", "none", "all"}
        for part, named in language.items():
            for name, text in named.items():
                assert "http" not in text
                blanks = {
                    word
                    for word in ("{what}", "{until}", "{amount}", "{hours}", "{provider}")
                    if word in text
                }
                assert blanks == {word for word in ("{what}", "{until}", "{amount}", "{hours}", "{provider}")
                                  if word in texts["en"][part][name]}  # fmt: skip
