"""Intake: what is refused, where and with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.errors import BadInput, InputTooLarge, InvalidField, MalformedInput
from shopward.events import EVENT_TYPES, EventLimits, canonical_bytes, decode_event, split_lines

LOGIN: dict[str, Any] = {
    "id": "e-1",
    "type": "login",
    "status": "succeeded",
    "time": "2026-01-05T00:07:12.345Z",
    "user": {"id": "u1"},
}
CONTRACT_EXAMPLE = {
    "id": "e-81", "type": "payment", "status": "attempted", "time": "2026-01-05T00:07:12.345Z",
    "user": {"id": "u008490", "known": True, "registered_at": "2024-03-01T00:00:00Z",
             "tokens": {"email": "...", "phone": "...", "address": "...", "national_id": "..."}},
    "actor": {"type": "customer", "id": "u008490"},
    "context": {"ip": "31.107.5.228", "asn": 20001, "country": "ID", "city": "Jakarta", "lat": -6.2, "lon": 106.8,
                "user_agent": "...", "os": "Android 13", "browser": "...", "device_id": "d94f969e79c79",
                "device_type": "mobile", "language": "id"},
    "session": {"id": "s-1"},
    "credential": {"password_hmac": "...", "breached": False},
    "transaction": {"id": "t-9", "amount_minor": 1250000, "currency": "IDR", "instrument": "balance",
                    "instrument_id": "...", "payee_id": "m123", "identity_provider": "apple",
                    "balance_before_minor": 2000000},
    "changes": [{"field": "phone", "old_token": "...", "new_token": "..."}],
    "challenge": {"decision_id": "d-80", "factor": "totp"},
    "access": {"purpose": "delivery", "case_id": "...", "order_id": "...", "records": 1},
    "properties": {},
}  # fmt: skip


def event(**changes: Any) -> bytes:
    return json.dumps(LOGIN | changes).encode()


def test_the_example_of_the_contract_is_accepted() -> None:
    """The event that the contract prints is an event."""
    assert decode_event(json.dumps(CONTRACT_EXAMPLE).encode()).id == "e-81"


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_type_of_the_catalogue_is_accepted(kind: str) -> None:
    """Each type has at least one status under which a minimal event passes."""
    extra = {"status": "fraud", "label": {"event_id": "e-0"}} if kind == "label" else {}
    assert decode_event(event(type=kind, **extra)).type == kind


@pytest.mark.parametrize(
    ("raw", "error", "path", "expected"),
    [
        (b"", MalformedInput, None, "one JSON object"),
        (b"\xff\xfe", MalformedInput, None, "UTF-8"),
        (b'{"id": "e-1"', MalformedInput, None, "one JSON object"),
        (b"[]", InvalidField, "(the event)", "object"),
        (event(type="lgoin"), InvalidField, "type", "one of login"),
        (event(status="won"), InvalidField, "status", "one of attempted"),
        (event(time="yesterday"), InvalidField, "time", "RFC3339"),
        (event(time="2026-01-05T00:07:12"), InvalidField, "time", "timezone"),
        (event(user=7), InvalidField, "user", "object"),
        (event(user={}), InvalidField, None, ""),
        (event(context={"ipp": "1.2.3.4"}), InvalidField, "context.ipp", "a field of the catalogue"),
        (event(context={"lat": 91}), InvalidField, "context.lat", "<= 90"),
        (event(type="payment", user={}), InvalidField, "user.id", "the user's id"),
        (event(transaction={"amount_minor": 5}), InvalidField, "transaction.currency", "ISO 4217"),
        (event(transaction={"currency": "idr"}), InvalidField, "transaction.currency", "[A-Z]{3}"),
        (event(transaction={"currency": "IDR\n"}), InvalidField, "transaction.currency", "[A-Z]{3}"),
        (event(transaction={"currency": ""}), InvalidField, "transaction.currency", "[A-Z]{3}"),
        (event(context={"country": "IDN"}), InvalidField, "context.country", "[A-Z]{2}"),
        (event(transaction={"amount_minor": -5, "currency": "IDR"}), InvalidField, "transaction.amount_minor", ">= 0"),
        (event(transaction={"amount_minor": 10**30, "currency": "IDR"}), InvalidField, "transaction.amount_minor", "int"),
        (event(transaction={"amount_minor": 1.5, "currency": "IDR"}), InvalidField, "transaction.amount_minor", "int"),
        (event(status="fraud"), InvalidField, "status", "only for a label"),
        (event(type="label", status="fraud"), InvalidField, "label.event_id", "the id of the event"),
        (event(id="x" * 129), InputTooLarge, "id", "length <= 128"),
        (event(changes=[{"field": "f"}] * 33), InputTooLarge, "changes", "length <= 32"),
        (event(properties={"a": {"b": {"c": {"d": {"e": 1}}}}}), InputTooLarge, "properties.a.b.c.d", "depth"),
        (event(properties={"a": "x" * 1025}), InputTooLarge, "properties", "1024 characters"),
        (event(properties={str(n): n for n in range(129)}), InputTooLarge, "properties", "128 values"),
        (b'{"properties":' + b'{"a":' * 100_000, InputTooLarge, None, "bytes"),
        (b'{"properties":' + b"[" * 60_000, BadInput, None, ""),
    ],
)  # fmt: skip
def test_each_refusal_says_where_and_what_was_expected(
    raw: bytes, error: type[BadInput], path: str | None, expected: str
) -> None:
    """Every bad event is refused with its kind of error, its path and what would have been right."""
    if raw == event(user={}):
        assert decode_event(raw).type == "login"  # nobody is logged in yet
        return
    with pytest.raises(error) as caught:
        decode_event(raw)
    if path is not None:
        assert caught.value.path == path
    assert expected in (caught.value.expected or "") or error is BadInput


def test_a_near_miss_is_answered_with_a_hint() -> None:
    """A misspelt word of the vocabulary is answered with the word that was meant."""
    with pytest.raises(InvalidField) as caught:
        decode_event(event(type="lgoin"))
    assert caught.value.hint == "did you mean login?"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_garbage_raises_nothing_but_bad_input(raw: bytes) -> None:
    """Whatever the bytes, the answer is an event or a refusal."""
    with pytest.raises(BadInput):
        decode_event(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=10), below, max_size=4),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*CONTRACT_EXAMPLE, "extra"]), json_values, max_size=6))
def test_any_json_in_any_field_is_an_event_or_a_refusal(changes: dict[str, Any]) -> None:
    """Fields of the right names and the wrong content never break intake, and no refusal repeats a long value."""
    try:
        decode_event(json.dumps(CONTRACT_EXAMPLE | changes).encode())
    except BadInput as refused:
        assert len(str(refused)) < 1500


@pytest.mark.parametrize("field", ["id", "type", "status", "time"])
def test_no_refusal_repeats_the_value(field: str) -> None:
    """What a caller sent by mistake is not sent back, so that it cannot end in somebody's log."""
    secret = "correct-horse-battery-staple" * 5
    for raw in (
        event(**{field: secret}),
        event(context={"country": secret, "ip": secret}),
        event(user={"id": secret, "x": 1}),
    ):
        try:
            decode_event(raw)
        except BadInput as refused:
            assert secret[:20] not in str(refused)


def test_equal_events_have_equal_bytes_however_they_were_written() -> None:
    """Order of fields and white space do not make another event."""
    shuffled = json.dumps(dict(reversed(CONTRACT_EXAMPLE.items())), indent=3).encode()
    assert canonical_bytes(decode_event(shuffled)) == canonical_bytes(
        decode_event(json.dumps(CONTRACT_EXAMPLE).encode())
    )


def test_the_order_of_names_inside_properties_does_not_make_another_event() -> None:
    """A retry from a shop whose dictionaries have no order is still a retry."""
    left, right = (
        event(properties={"a": 1, "b": {"c": 2, "d": 3}}),
        event(properties={"b": {"d": 3, "c": 2}, "a": 1}),
    )
    assert canonical_bytes(decode_event(left)) == canonical_bytes(decode_event(right))


def test_a_nul_is_refused_before_a_database_would() -> None:
    """U+0000 in any text is refused; a backslash and the letters u0000 are text."""
    with pytest.raises(InvalidField):
        decode_event(event(id="e\x00"))
    with pytest.raises(InvalidField):
        decode_event(event(properties={"note": ["a\x00"]}))
    assert decode_event(event(properties={"note": "\\u0000"})).id == "e-1"


def test_a_batch_has_a_bounded_number_of_lines() -> None:
    """Empty lines are passed over, too many lines are refused before the first is read."""
    assert list(split_lines(b"a\n\n b \r\n")) == [b"a", b" b \r"]
    with pytest.raises(InputTooLarge):
        split_lines(b"a\n" * 5, limits=EventLimits(batch_lines_max=4))
