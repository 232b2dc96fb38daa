"""Facts and tokens: what features see, and what they must not see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import InvalidField
from shopward.events import Facts, FactsMaker, Tokeniser, decode_event
from shopward.events.facts import LABEL_TAKES, take_keys

if TYPE_CHECKING:
    import ipaddress

MAKER = FactsMaker(Tokeniser(b"k" * 32))

PERSONAL = {
    "user": {"id": "siti@example.id", "tokens": {"email": "mail-token", "phone": "phone-token"}},
    "context": {"ip": "203.0.113.77", "city": "Bandung", "lat": -6.9175, "lon": 107.6191, "user_agent": "Mozilla/5.0 Siti",
                "device_id": "device-of-siti"},
    "session": {"id": "session-of-siti"},
    "transaction": {"id": "t-77", "amount_minor": 100, "currency": "IDR", "payee_id": "payee-77", "instrument_id": "card-77"},
    "access": {"case_id": "case-77", "order_id": "order-77"},
    "properties": {"note": "Jalan Merdeka 7"},
}  # fmt: skip


def facts_of(**fields: object) -> Facts:
    raw = {
        "id": "e",
        "type": "payment",
        "status": "attempted",
        "time": "2026-01-05T00:00:00Z",
        "user": {"id": "u"},
    }
    return MAKER.make(decode_event(json.dumps(raw | fields).encode()))


def test_facts_hold_nothing_that_names_a_person() -> None:
    """No clear identifier, address, place or free text of the event stands in what the log replays."""
    text = msgspec.json.encode(facts_of(**PERSONAL)).decode()
    for clear in (
        "siti",
        "203.0.113",
        "Bandung",
        "6.91",
        "107.6",
        "Mozilla",
        "-77",
        "Merdeka",
        "mail-token",
        "phone-token",
    ):
        assert clear not in text


@given(st.text(max_size=40), st.text(max_size=40))
def test_equal_values_have_equal_tokens_and_others_do_not(left: str, right: str) -> None:
    """A token stands for its value inside one domain, and under one key."""
    tokens, others = Tokeniser(b"a" * 32), Tokeniser(b"b" * 32)
    assert (tokens.token("user", left) == tokens.token("user", right)) == (left == right)
    if left:
        assert tokens.token("user", left) != tokens.token("device", left)
        assert tokens.token("user", left) != others.token("user", left)
        assert len(tokens.token("user", left)) == 22


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("203.0.113.1", "203.0.113.254", True),
        ("203.0.113.1", "203.0.114.1", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::ffff:203.0.113.1", "203.0.113.9", True),
    ],
)
def test_a_network_is_a_24_or_a_48(left: str, right: str, same: bool) -> None:
    """Addresses share a network token where their /24 or /48 is the same; a mapped address counts as IPv4."""
    tokens = Tokeniser(b"a" * 32)
    assert (tokens.address(left)[1] == tokens.address(right)[1]) is same
    assert tokens.address(left)[0] != tokens.address(right)[0]


@given(st.ip_addresses(v=4))
def test_the_short_way_for_ipv4_agrees_with_the_library(address: ipaddress.IPv4Address) -> None:
    """An address written plainly and one mapped into IPv6, which the library parses, have the same tokens."""
    assert Tokeniser(b"a" * 32).address(str(address)) == Tokeniser(b"a" * 32).address(f"::ffff:{address}")


def test_an_address_that_is_none_is_refused() -> None:
    """A host name or a garbled address does not become a key."""
    with pytest.raises(InvalidField) as caught:
        facts_of(context={"ip": "shop.example"})
    assert caught.value.path == "context.ip"
    assert "shop.example" not in str(caught.value)


def test_an_account_is_known_unless_the_shop_says_otherwise() -> None:
    """``user.known`` has the one default that is not empty."""
    assert facts_of().user_known
    assert not facts_of(user={"id": "u", "known": False}).user_known


def test_the_customer_is_the_actor_unless_said() -> None:
    """Without an actor the customer acts; a member of staff keeps an own token."""
    assert facts_of().actor == facts_of().user
    staff = facts_of(actor={"type": "staff", "id": "u"})
    assert (staff.actor_type, staff.actor != staff.user) == ("staff", True)


def test_automation_is_told_by_the_client() -> None:
    """A headless browser or a script library in the user agent is noticed; a phone is not."""
    assert facts_of(context={"user_agent": "Mozilla/5.0 HeadlessChrome/120"}).automation
    assert facts_of(context={"user_agent": "python-requests/2.31"}).automation
    assert not facts_of(context={"user_agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}).automation


def test_a_label_takes_the_keys_of_the_event_that_it_names() -> None:
    """Fraud can be counted by payee, device or any other key of the named event."""
    named, label = facts_of(**PERSONAL), facts_of(type="label", status="fraud", label={"event_id": "e"})
    take_keys(label, named)
    assert all(getattr(label, name) == getattr(named, name) for name in LABEL_TAKES)
    assert (label.type, label.status) == ("label", "fraud")


def test_what_a_shop_says_of_a_page_and_a_program_becomes_facts() -> None:
    """A page by its token, states and signs by their words alone; whatever has another shape is the shop's own matter."""
    said = {
        "page": {"id": "p-77", "state": "fresh"},
        "client_signs": ["no_language", "webdriver", "webdriver", "x", 7],
    }
    facts = facts_of(properties=said)
    assert (facts.page != "", "p-77" in facts.page, facts.page_state) == (True, False, "fresh")
    assert (facts.client_signs, facts.automation) == (2, True)
    for odd in (
        {"page": "fresh"},
        {"page": {"state": "new"}},
        {"page": {"id": 7, "state": ["fresh"]}},
        {"client_signs": {}},
    ):
        facts = facts_of(properties=odd)
        assert (facts.page, facts.page_state, facts.client_signs, facts.automation) == ("", "", 0, False)
