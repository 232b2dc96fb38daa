"""Castle's bodies as events: field by field, and whatever else somebody may send."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from peers.tokens import NOW_MS, blind
from shopward.errors import BadInput
from shopward.events import canonical_bytes
from shopward.events.intake import DEFAULT_LIMITS
from shopward.flows.wording import Decision, ReasonGiven
from shopward.http.peers.castle import castle_event, castle_verdict


def test_a_login_of_risk_is_a_login(castle, castle_body):
    """User, device, network and session of the documented body stand where ours have them."""
    event = castle(castle_body("risk_login"))
    assert (event.type, event.status, event.user.id) == ("login", "succeeded", "1204")
    assert event.time.isoformat() == "2026-01-05T00:00:01+00:00"
    assert (event.context.ip, event.context.device_id) == ("203.0.113.7", "browser-1")
    assert (event.context.os, event.context.browser, event.context.language) == (
        "Android 13",
        "Chrome 120",
        "id-id",
    )
    assert (event.session.id, event.transaction.identity_provider) == ("s-9", "apple")
    assert event.properties == {"plan": "gold"}


def test_nothing_that_names_the_customer_is_left(castle, castle_body):
    """Mail, phone, address and name are tokens or gone; the same mail written otherwise is the same token."""
    body = castle_body("risk_login")
    event = castle(body)
    written = canonical_bytes(event).decode()
    assert not [word for word in ("Rina", "rina", "Toko", "811", "Contoh", "Bandung") if word in written]
    body["user"]["email"] = " rina@toko.EXAMPLE "
    assert castle(body).user.tokens.email == event.user.tokens.email != ""


def test_money_is_in_whole_minor_units(castle, castle_body):
    """A withdrawal of 99.95 dollars is 9995 cents to a payee, and the card is its fingerprint."""
    event = castle(castle_body("risk_transaction"))
    assert (event.type, event.status) == ("withdrawal", "attempted")
    money = event.transaction
    assert (money.amount_minor, money.currency, money.id, money.payee_id) == (9995, "USD", "t-1", "m-1")
    assert (money.instrument, money.instrument_id) == ("card", "card-print-1")
    assert b"4242" not in canonical_bytes(event)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("1250000", "JPY", 1_250_000), ("1.5", "KWD", 1500), (99.95, "USD", 9995)],
)
def test_a_currency_has_its_own_minor_units(castle, castle_body, value, currency, minor):
    """ISO 4217 says how many digits, and a number is taken as it is written."""
    body = castle_body("risk_transaction")
    body["transaction"]["amount"] |= {"value": value, "currency": currency}
    assert castle(body).transaction.amount_minor == minor


@pytest.mark.parametrize(
    "value", ["1.005", "NaN", "Infinity", "-3", "1e400", "ten", "9" * 60, None, True, {}]
)
def test_an_amount_that_is_none_is_refused(castle, castle_body, value):
    """Half cents, words and infinities are no amounts, and nothing is rounded."""
    body = castle_body("risk_transaction")
    body["transaction"]["amount"]["value"] = value
    with pytest.raises(BadInput):
        castle(body)


def test_what_a_changeset_names_makes_the_type(castle, castle_body):
    """A change of the mail address goes before one of the password; both stand in the changes, as tokens."""
    body = castle_body("risk_profile")
    event = castle(body)
    assert event.type == "email_change"
    changes = {change.field: change for change in event.changes}
    assert set(changes) == {"name", "password", "email"}
    assert changes["email"].old_token == event.user.tokens.email
    assert (changes["password"].old_token, changes["password"].new_token) == ("", "")
    del body["changeset"]["email"]
    assert castle(body).type == "password_change"
    body["changeset"] = {"authentication_method.type": {"from": "$authenticator", "to": None}}
    assert castle(body).type == "mfa_remove"
    body["changeset"] = {"name": {"from": "a", "to": "b"}}
    assert castle(body).type == "profile_update"


def test_a_visitor_of_filter_is_counted_by_what_was_typed(castle, castle_body):
    """Without an account the same mail address is the same visitor, and is said to be unknown."""
    body = castle_body("filter_registration")
    first = castle(body, "/v1/filter")
    again = castle(body | {"request_token": "another"}, "/v1/filter")
    assert first.user.id == again.user.id != ""
    assert first.user.known is False
    assert first.id != again.id


def test_a_failed_login_of_nobody_has_no_user(castle, castle_body):
    """Neither an id nor the claim that the account exists; with a match it has both."""
    body = castle_body("filter_registration") | {"type": "$login", "status": "$failed"}
    assert castle(body, "/v1/filter").user.id == ""
    assert castle(body, "/v1/filter").user.known is False
    matched = castle(body | {"matching_user_id": "u-3"}, "/v1/filter")
    assert (matched.user.id, matched.user.known) == ("u-3", UNSET)


def test_a_custom_event_needs_no_status(castle, castle_body):
    """Its name stands in the properties."""
    event = castle(castle_body("log_custom"), "/v1/log")
    assert (event.type, event.status, event.id) == ("custom", "succeeded", "castle-new")
    assert event.properties == {"provider": "bank-1", "name": "Payment completed"}


def test_a_factor_that_we_know_is_named(castle, castle_body):
    """A challenge tells how it was proved; it never satisfies one of ours, which has its own calls."""
    body = castle_body("risk_login") | {
        "type": "$challenge", "status": "$succeeded", "authentication_method": {"type": "$authenticator"},
    }  # fmt: skip
    event = castle(body)
    assert (event.type, event.challenge.factor, event.challenge.decision_id) == ("challenge", "totp", "")


def test_the_same_call_again_is_the_same_event(castle, castle_body):
    """A retry differs in the time of sending alone; the same token with other content is another event."""
    body = castle_body("risk_login")
    first = castle(body).id
    assert castle(body | {"sent_at": "2026-01-05T00:00:09Z"}).id == first
    assert castle(body | {"status": "$failed"}).id != first
    assert castle(body, "/v1/log").id != first


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"type": "$Login"}, "type"),
        ({"type": None}, "type"),
        ({"status": "succeeded"}, "status"),
        ({"user": "u-1"}, "user"),
        ({"user": {}}, "user.id"),
        ({"user": {"id": {"$ne": 1}}}, "user.id"),
        ({"context": ["x"]}, "context"),
        ({"context": {"headers": "x"}}, "context.headers"),
        ({"created_at": "yesterday"}, "time"),
        ({"changeset": []}, "changeset"),
        ({"properties": "x"}, "properties"),
    ],
)
def test_a_refusal_names_the_field(castle, castle_body, change, path):
    """And repeats nothing of what was sent."""
    with pytest.raises(BadInput) as refused:
        castle(castle_body("risk_login") | change)
    assert refused.value.path == path
    assert "Rina" not in str(refused.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("user", "context", "changeset", "transaction", "params", "properties", "name", "session", "request_token",
         "authentication_method", "matching_user_id", "created_at")  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    parts=st.dictionaries(st.sampled_from(NAMES), json_values),
    call=st.sampled_from(["/v1/risk", "/v1/filter"]),
)
def test_whatever_is_sent_is_an_event_or_a_refusal(parts, call):
    """No body breaks the mapping."""
    body = {"type": "$login", "status": "$failed"} | parts
    try:
        made = castle_event(
            body, call=call, blind=blind, limits=DEFAULT_LIMITS, now_ms=NOW_MS, new_id="castle-new"
        )
    except BadInput as refused:
        assert refused.code
    else:
        assert made.type == "login"


@pytest.mark.parametrize(
    ("decision", "action"),
    [("allow", "allow"), ("review", "allow"), ("challenge", "challenge"), ("deny", "deny")],
)
def test_a_decision_has_an_action_of_castle(decision, action):
    """Review lets the customer go on; reasons are signals; the whole decision stands beside."""
    ours = Decision(
        "d-1", "e-1", decision, 71.53, (ReasonGiven("new_device", "New.", {}),), (), (), "default@1", ()
    )
    verdict = msgspec.to_builtins(castle_verdict(ours, "browser-1"))
    assert verdict["policy"] == {"id": "default", "revision_id": "1", "name": "default@1", "action": action}
    assert verdict["risk"] == verdict["scores"]["account_takeover"]["score"] == 0.7153
    assert verdict["signals"] == {"new_device": {}}
    assert verdict["device"] == {"token": "browser-1"}
    assert verdict["shopward"]["decision"] == decision
