"""Security event tokens: what is taken and what is refused with which code, condition by condition, and the specification's own examples.

The list of conditions is that of the OpenID conformance suite (``openid/ssf/conditions``), as facts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.ssf import KeyUnknown, SetRefused, read_keys, read_subject, verify
from shopward.ssf.sets import APPLE_EVENTS
from ssf.tokens import (
    AUDIENCE,
    EC,
    HIJACKED,
    ISSUER,
    KEYS,
    NOW_S,
    OTHER,
    RSA,
    SECRET,
    SMALL,
    SUBJECT,
    claims,
    expected,
    published,
    signed,
)

VECTORS = Path(os.environ.get("SHOPWARD_SHARED", "/nowhere")) / "data" / "vectors" / "ssf"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"


def examples():
    """The tokens among the specifications' examples."""
    path = VECTORS / "specification_examples.json"
    listed = json.loads(path.read_text()) if path.exists() else []
    return [(f"{each['source']}-{each['n']}", each["json"]) for each in listed if "events" in each["json"]]


def taken(token, **more):
    """The event of a token, now."""
    return verify(token, expected(**more), KEYS, now_s=NOW_S)


def refused(token, **more):
    """The code for which a token is refused."""
    with pytest.raises(SetRefused) as caught:
        taken(token, **more)
    return caught.value.err


def test_a_token_that_is_right_is_taken():
    """With everything that it says, whatever the key's kind, and whether or not its header names the key's only fit."""
    for key in (RSA, EC):
        found = taken(signed(claims(), key))
        assert (found.issuer, found.jti, found.issued_s, found.txn) == (ISSUER, "756E6971", NOW_S, "8675309")
        assert (found.event, found.payload) == next(iter(HIJACKED.items()))
        assert found.subject.values == {"iss": ISSUER, "sub": SUBJECT["sub"]}
        assert taken(signed(claims(), key, kid=None)) == found
    assert taken(signed(claims(), typ="application/SecEvent+JWT")).jti == "756E6971"


NOT_THIS_CLAIM = {
    "issuer of another": ({"iss": "https://other.example.com/"}, "invalid_issuer"),
    "no issuer": ({"iss": None}, "invalid_issuer"),
    "issuer that only begins alike": ({"iss": ISSUER + "x"}, "invalid_issuer"),
    "audience of another": ({"aud": "https://other.example/"}, "invalid_audience"),
    "no audience": ({"aud": None}, "invalid_audience"),
    "audience that is no text": ({"aud": [7, {}]}, "invalid_audience"),
    "sub": ({"sub": "7375626A656374"}, "invalid_request"),
    "exp": ({"exp": NOW_S + 60}, "invalid_request"),
    "no jti": ({"jti": None}, "invalid_request"),
    "a jti that is a number": ({"jti": 7}, "invalid_request"),
    "an endless jti": ({"jti": "j" * 513}, "invalid_request"),
    "no iat": ({"iat": None}, "invalid_request"),
    "iat in the future": ({"iat": NOW_S + 301}, "invalid_request"),
    "iat that is a truth": ({"iat": True}, "invalid_request"),
    "txn that is no text": ({"txn": 8675309}, "invalid_request"),
    "no events": ({"events": None}, "invalid_request"),
    "events that are a list": ({"events": ["x"]}, "invalid_request"),
    "no event": ({"events": {}}, "invalid_request"),
    "two events": ({"events": {**HIJACKED, RISC + "account-purged": {}}}, "invalid_request"),
    "an event that is no object": ({"events": {RISC + "account-purged": "yes"}}, "invalid_request"),
    "no subject": ({"sub_id": None}, "invalid_request"),
    "a subject without a format": ({"sub_id": {"email": "a@example.com"}}, "invalid_request"),
    "a subject that lacks a member": ({"sub_id": {"format": "iss_sub", "iss": ISSUER}}, "invalid_request"),
    "a subject whose member is a number": ({"sub_id": {"format": "opaque", "id": 7}}, "invalid_request"),
    "a complex subject without members": ({"sub_id": {"format": "complex"}}, "invalid_request"),
    "a complex subject in another": (
        {"sub_id": {"format": "complex", "user": {"format": "complex", "user": SUBJECT}}}, "invalid_request",
    ),
    "a reason that is none": ({"events": {RISC + "account-disabled": {"reason": "mood"}}}, "invalid_request"),
    "a compromise of nothing": ({"events": {RISC + "credential-compromise": {}}}, "invalid_request"),
    "a level that is none": (
        {"events": {CAEP + "risk-level-change": {"principal": "USER", "current_level": "huge"}}}, "invalid_request",
    ),
    "a time that is text": ({"events": {CAEP + "session-revoked": {"event_timestamp": "now"}}}, "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", NOT_THIS_CLAIM)
def test_a_claim_that_is_wrong_is_refused(wrong):
    """Each with the code of RFC 8935 that says what is wrong."""
    changes, code = NOT_THIS_CLAIM[wrong]
    assert refused(signed(claims(**changes))) == code


def test_a_header_that_is_wrong_is_refused():
    """No type, another type, no algorithm, a shared secret, or a key that nobody published."""
    assert refused(signed(claims(), typ=None)) == "invalid_request"
    assert refused(signed(claims(), typ="JWT")) == "invalid_request"
    unsigned = signed(claims()).split(b".")
    none = signed(claims(), SECRET).split(b".")
    for made in (
        b".".join([b"eyJ0eXAiOiJzZWNldmVudCtqd3QiLCJhbGciOiJub25lIn0", unsigned[1], b""]),
        b".".join(none),
        signed(claims(), SMALL),
    ):
        assert refused(made) == "invalid_key"
    for made in (b"", b"a.b", b"a.b.c", b"\xff.\xff.\xff", b"e30." + unsigned[1], b"x" * 70_000):
        assert refused(made) == "invalid_request"


def test_what_was_changed_or_signed_by_another_is_refused():
    """A bit of the claims, somebody else's key under the same id, and a public key taken for a secret."""
    head, body, signature = signed(claims()).split(b".")
    forged = signed(claims(iss=ISSUER), OTHER, kid="r1")
    assert refused(b".".join([head, body[:-2] + b"AA", signature])) == "invalid_key"
    assert refused(forged) == "invalid_key"
    with pytest.raises(KeyUnknown):
        taken(signed(claims(), OTHER))


def test_keys_that_are_too_weak_or_of_another_use_are_none():
    """Small RSA keys, shared secrets, keys for encryption and rubbish are passed over; a set of nothing else is empty."""
    encrypts = RSA.as_dict(private=False) | {"use": "enc"}
    rubbish = [
        7,
        {},
        {"kty": "RSA", "n": "x", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "MLDSA"},
        encrypts,
        RSA.as_dict(private=False) | {"alg": ["RS256"]},
    ]
    weak = [SMALL.as_dict(private=False), SECRET.as_dict(private=True)]
    assert not read_keys(json.dumps({"keys": rubbish + weak}).encode())
    for broken in (b"", b"[]", b'{"keys": 7}', b"\xff", b'{"keys": {}}'):
        assert not read_keys(broken)
    pinned = read_keys(json.dumps({"keys": [RSA.as_dict(private=False) | {"alg": "PS256"}]}).encode())
    assert pinned.pick("r1", "RS256") is None
    assert pinned.pick("r1", "PS256") is not None


def test_an_audience_may_be_a_list():
    """We have to be in it, with whoever else."""
    assert taken(signed(claims(aud=["https://other.example/", AUDIENCE]))).jti
    assert refused(signed(claims(aud=[]))) == "invalid_audience"


def test_a_critical_member_that_is_not_understood_makes_nobody_of_the_subject():
    """Without it being critical, the user is acted on; an absent device means all of them."""
    told = {"format": "complex", "user": SUBJECT, "tenant": {"format": "opaque", "id": "t-1"}}
    token = signed(claims(sub_id=told))
    (user,) = taken(token).subject.users()
    assert user.values["sub"] == SUBJECT["sub"]
    assert taken(token, critical={"user", "device"}).subject is not None
    assert taken(token, critical={"tenant"}).subject is None


def test_nobody_is_meant_where_no_user_is_named():
    """A tenant alone, or a format of somebody's own, is no customer, and no wildcard either."""
    nobody = {"format": "complex", "tenant": {"format": "opaque", "id": "t-1"}}
    assert list(taken(signed(claims(sub_id=nobody))).subject.users()) == []
    own = taken(signed(claims(sub_id={"format": "catalog_item", "catalog_id": "c/1"}))).subject
    assert (own.format, own.values) == ("catalog_item", {})
    both = {"format": "aliases", "identifiers": [SUBJECT, {"format": "email", "email": "a@example.com"}]}
    assert [each.format for each in taken(signed(claims(sub_id=both))).subject.users()] == [
        "iss_sub",
        "email",
    ]


def test_a_subject_is_read_to_its_depth_and_no_further():
    """One that nests for ever is malformed, and no fault of ours."""
    for member, outer in (("user", "complex"), ("identifiers", "aliases")):
        deep = SUBJECT
        for _ in range(5_000):
            deep = {"format": outer, member: [deep] if outer == "aliases" else deep}
        assert read_subject(deep) is None


def test_a_type_that_is_not_known_is_taken():
    """It is up to the receiver what to do with it; nothing of it is held against a definition."""
    assert taken(signed(claims(events={"https://example.com/mood-change": {"mood": 7}}))).payload == {
        "mood": 7
    }


def test_when_it_happened_is_what_the_transmitter_says():
    """``event_timestamp`` where there is one."""
    revoked = {CAEP + "session-revoked": {"event_timestamp": NOW_S - 99, "initiating_entity": "policy"}}
    assert taken(signed(claims(events=revoked))).happened_s == NOW_S - 99
    assert taken(signed(claims())).happened_s == NOW_S
    for no_time in (NOW_S * 1000, 1e300, 10**30, -1):
        told = {CAEP + "session-revoked": {"event_timestamp": no_time}}
        assert taken(signed(claims(events=told))).happened_s == NOW_S


def test_google_writes_the_subject_into_the_event():
    """With ``subject_type`` and hyphens, and without a type in the header; an ID token of the same keys stays out."""
    old = {"subject_type": "iss-sub", "iss": ISSUER, "sub": "7375626A656374"}
    told = claims(events={RISC + "account-disabled": {"subject": old, "reason": "hijacking"}}, sub_id=None)
    found = taken(signed(told, typ="JWT"), profile="google")
    assert (found.subject.format, found.subject.values["sub"]) == ("iss_sub", "7375626A656374")
    check = claims(
        events={"https://schemas.openid.net/secevent/risc/event-type/verification": {"state": "s"}},
        sub_id=None,
    )
    assert taken(signed(check, typ=None), profile="google").payload == {"state": "s"}
    assert (
        refused(signed(claims(events=None, sub="7", exp=NOW_S + 9), typ="JWT"), profile="google")
        == "invalid_request"
    )


def test_apple_writes_the_event_as_text():
    """A string of JSON with bare words; no subject of its own; an end that has passed is refused."""
    told = {
        "type": "consent-revoked",
        "sub": "001.a.2",
        "event_time": 1_767_571_100_000,
        "email": "x@privaterelay.appleid.com",
    }
    made = claims(events=json.dumps(told), sub_id=None, exp=NOW_S + 9)
    found = taken(signed(made, typ=None), profile="apple")
    assert found.event == APPLE_EVENTS + "consent-revoked"
    assert (found.subject.values["sub"], found.happened_s) == ("001.a.2", 1_767_571_100)
    assert refused(signed(made | {"exp": NOW_S}, typ=None), profile="apple") == "invalid_request"
    for broken in ("", "{", "[]", '{"sub":"x"}'):
        assert refused(signed(made | {"events": broken}, typ=None), profile="apple") == "invalid_request"


@pytest.mark.skipif(
    not VECTORS.exists(), reason="the specification's examples are not on this machine (SHOPWARD_SHARED)"
)
@pytest.mark.parametrize(("name", "told"), examples())
def test_the_examples_of_the_specifications_are_taken(name, told):
    """As they stand in SSF, CAEP and RISC 1.0, signed by a key of ours; each says whom it is about."""
    audience = told["aud"] if isinstance(told["aud"], list) else [told["aud"]]
    wants = expected(issuer=told["iss"], audience=audience[:1])
    found = verify(signed(told), wants, KEYS, now_s=max(NOW_S, told["iat"]))
    assert (found.jti, found.payload) == (told["jti"], next(iter(told["events"].values()))), name
    assert found.subject.format == told["sub_id"]["format"]


@pytest.mark.skipif(
    not VECTORS.exists(), reason="the specification's examples are not on this machine (SHOPWARD_SHARED)"
)
def test_the_subjects_of_somebody_elses_fixtures_are_read():
    """Those of go-ssf, with their formats."""
    files = sorted((VECTORS / "go-ssf").glob("*subject*.json"))
    found = [
        read_subject(json.loads(each.read_text())["subject"]) for each in files if "request" in each.name
    ]
    assert {each.format for each in found} == {"account", "email", "iss_sub"}


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["format", "subject_type", "iss", "sub", "user", "identifiers", "id", "complex", "aliases"]) | st.text(max_size=4), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_any_claims_are_taken_or_refused(value):
    """Whatever a transmitter signs, the answer is an event or a refusal with a code, and no fault of ours."""
    for changes in (
        {"sub_id": value},
        {"events": value},
        {"events": {"x": value}},
        {"events": {"x": {"event_time": value, "event_timestamp": value}}},
        {"events": {CAEP + "credential-change": {"credential_type": "x", "change_type": value}}},
        {"aud": value},
        {"txn": value},
        {"jti": value},
    ):
        for profile in ("ssf", "google", "apple"):
            try:
                taken(signed(claims(**changes), EC), profile=profile)
            except SetRefused as refusal:
                assert refusal.err.startswith("invalid_")


def test_a_published_set_is_read_back():
    """What a transmitter publishes is what its tokens are checked with."""
    assert verify(signed(claims(), OTHER), expected(), read_keys(published(OTHER)), now_s=NOW_S).jti
