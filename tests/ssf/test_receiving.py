"""Another company tells us: what becomes of it, for whom, once, and what happens while it is down or changes its keys."""

from __future__ import annotations

import json

import msgspec
import pytest

from shopward.errors import Conflict, InvalidField, NotFound, Refused, ShopwardError
from shopward.flows import receive
from shopward.flows.alerted import RESPONSES
from shopward.ssf.naming import link_token
from shopward.ssf.reactions import NO_DANGER
from shopward.ssf.sets import SetRefused
from shopward.ssf.transmitters import PeerUnreachable
from shopward.values import DAY_MS, HOUR_MS
from ssf.conftest import ADMIN
from ssf.tokens import AUDIENCE, EC, OTHER, claims, signed

SAID = {
    ("risc/event-type/account-disabled", "hijacking"): {"step_up", "unlink", "revoke"},
    ("risc/event-type/account-disabled", "bulk-account"): {"step_up"},
    ("risc/event-type/credential-compromise", "password"): {"step_up", "reset", "revoke"},
    ("risc/event-type/credential-compromise", "x509"): {"step_up"},
    ("risc/event-type/account-credential-change-required", ""): {"step_up"},
    ("risc/event-type/identifier-changed", ""): {"notify_only"},
    ("risc/event-type/identifier-recycled", ""): {"step_up", "unlink"},
    ("risc/event-type/recovery-activated", ""): {"delay"},
    ("risc/event-type/recovery-information-changed", ""): {"delay"},
    ("risc/event-type/account-purged", ""): {"unlink"},
    ("risc/event-type/sessions-revoked", ""): {"revoke"},
    ("caep/event-type/session-revoked", ""): {"revoke"},
    ("caep/event-type/credential-change", "password"): {"notify_only"},
    ("caep/event-type/risk-level-change", "HIGH"): {"step_up"},
    ("caep/event-type/risk-level-change", "LOW"): set(),
    ("risc/event-type/account-enabled", ""): set(),
    ("risc/event-type/opt-out-initiated", ""): set(),
    ("caep/event-type/session-presented", ""): set(),
    ("example/event-type/own", ""): set(),
}


def payload(word):
    """Every attribute that the types of ``SAID`` require, with a word where one tells them apart."""
    word_of = {"reason": word} if word in ("hijacking", "bulk-account") else {}
    return word_of | {
        "credential_type": word or "x509",
        "change_type": "update",
        "principal": "USER",
        "current_level": word or "LOW",
    }


def test_each_event_has_its_response(shop):
    """As the table of docs/shared-signals.md says, for the one who is linked and for nobody else."""
    shop.registers()
    for number, ((event, word), _kinds) in enumerate(SAID.items()):
        shop.links(f"u{number}", f"sub-{number}")
        told = (
            payload(word) if "risk" in event or "credential-c" in event else {"reason": word} if word else {}
        )
        shop.pushed(shop.token(f"j-{number}", f"sub-{number}", event, **told))
    found = shop.orders()
    assert {key: found.get(f"u{number}", set()) for number, key in enumerate(SAID)} == SAID
    assert set(found) <= {f"u{number}" for number in range(len(SAID))}
    assert RESPONSES.keys() > NO_DANGER


def test_everybody_whom_the_account_signs_in_to_is_alerted_once(shop):
    """Two accounts of one foreign account; the same token again, and again, adds nothing; it names nobody in what is kept."""
    shop.registers()
    for user in ("ani", "budi"):
        shop.links(user, "sub-1")
    shop.links("citra", "sub-2")
    token = shop.token("j-1", "sub-1", reason="hijacking")
    shop.pushed(token, token)
    shop.pushed(token)
    assert shop.orders() == {user: {"step_up", "unlink", "revoke"} for user in ("ani", "budi")}
    (alert,) = shop.alerts("ani")
    assert alert["changes"] == [{"field": "hijacked"}]
    assert alert["properties"]["signal"] == "account-disabled"
    assert len(alert["properties"]["txn"]) == 32
    assert shop.counted == {"acted": 1}
    rows = shop.it.records.read(lambda at: at.exec_driver_sql("SELECT * FROM ssf_received").fetchall())
    assert not any("sub-1" in str(row) or "j-1" in str(row) or "ani" in str(row) for row in rows)


def test_who_is_nobody_here_is_counted_and_dropped(shop):
    """Also one of another issuer's, a tenant, and a hub of sixty accounts; the other company hears no difference."""
    shop.registers()
    for number in range(60):
        shop.links(f"c{number}", "sub-hub")
    nobody = {"format": "complex", "tenant": {"format": "opaque", "id": "sub-1"}}
    shop.links("ani", "sub-1")
    shop.pushed(
        shop.token("j-1", "sub-7"), shop.token("j-2", {"format": "iss_sub", "iss": "https://x.example/", "sub": "sub-1"}),
        shop.token("j-3", nobody), shop.token("j-4", "sub-hub", reason="hijacking"),
        shop.token("j-5", {"format": "complex", "user": {"format": "opaque", "id": "sub-1"}, "tenant": nobody["tenant"]}),
    )  # fmt: skip
    assert (shop.orders(), shop.counted) == ({}, {"nobody": 5})


def test_subjects_are_found_by_the_tokens_that_the_shop_makes(shop):
    """Under a secret that the two share with nobody; an e-mail address, a number and an account by their names."""
    shop.registers(link_secret="ls-1")  # noqa: S106 -- of tests
    names = {
        "u1": "sub-1",
        "u2": "email:foo@example.com",
        "u3": "phone:+12065550123",
        "u4": "uri:acct:x@example.com",
    }
    for user, name in names.items():
        shop.links(user, link_token(name, b"ls-1"))
    shop.links("u5", "sub-1")
    shop.pushed(
        shop.token("j-1", "sub-1"), shop.token("j-2", {"format": "email", "email": "Foo@Example.com "}),
        shop.token("j-3", {"format": "phone_number", "phone_number": "+1 206 555 0123"}),
        shop.token("j-4", {"format": "account", "uri": "acct:x@example.com"}),
    )  # fmt: skip
    assert set(shop.orders()) == set(names)


def test_only_who_shows_what_the_stream_was_made_with_may_push(shop):
    """The peer was told it with the stream; a shop may leave the endpoint open to who cannot send it."""
    shown = shop.registers()
    with pytest.raises(Conflict):  # before the peer is asked for another stream
        shop.registers()
    assert len(shop.peer.asked) == 1
    assert shop.peer.asked[0][2]["delivery"]["authorization_header"] == shown.authorization
    assert shown.audience == (AUDIENCE,)
    shop.authorization = "Bearer other"
    with pytest.raises(SetRefused) as caught:
        shop.pushed(shop.token("j-1", "sub-1"))
    assert caught.value.err == "authentication_failed"
    with pytest.raises(NotFound):
        shop.pushed(shop.token("j-1", "sub-1"), to="nobody")
    assert shop.registers(id="open", is_open=True).authorization == ""
    shop.pushed(shop.token("j-1", "sub-1"), to="open")


def test_keys_change_and_nothing_is_lost(shop):
    """A token of a new key has them fetched; while the peer is down the answer is "later", and never a refusal."""
    shop.registers()
    shop.links("ani", "sub-1")
    shop.peer.keys = [OTHER]
    shop.peer.is_down = True
    with pytest.raises(PeerUnreachable):
        shop.pushed(shop.token("j-1", "sub-1"))
    shop.peer.is_down = False
    with pytest.raises(PeerUnreachable):  # not asked again so soon, whatever ids of keys tokens name
        shop.pushed(shop.token("j-1", "sub-1"))
    fetched = shop.peer.fetched
    shop.clock.advance(31_000)
    shop.pushed(shop.token("j-1", "sub-1"))
    assert (shop.peer.fetched, set(shop.orders())) == (fetched + 1, {"ani"})
    shop.clock.advance(31_000)
    with pytest.raises(SetRefused):  # fetched, and still nobody's
        shop.pushed(shop.token("j-2", "sub-1", key=EC))


def test_known_keys_are_believed_while_the_peer_is_down(shop):
    """For a week; then the answer is "later"."""
    shop.registers()
    shop.links("ani", "sub-1")
    shop.peer.is_down = True
    shop.clock.advance(2 * HOUR_MS)
    shop.pushed(shop.token("j-1", "sub-1"))
    assert set(shop.orders()) == {"ani"}
    shop.clock.advance(7 * DAY_MS)
    with pytest.raises(PeerUnreachable):
        shop.pushed(shop.token("j-2", "sub-1"))


def test_a_verification_is_asked_for_and_proves_the_way(shop):
    """With the state that was asked for; another one is refused, one without is nothing."""
    shop.registers()
    shop.it.shared.transmitters.verify(ADMIN, "idp")
    method, path, body = shop.peer.asked[-1]
    assert (method, path, body["stream_id"]) == ("POST", "/idp/verify", "st-1")
    stream = {"format": "opaque", "id": "st-1"}
    shop.peer.is_down = True
    with pytest.raises(PeerUnreachable):  # asked again in vain: the first one still counts
        shop.it.shared.transmitters.verify(ADMIN, "idp")
    shop.peer.is_down = False
    with pytest.raises(SetRefused) as caught:
        shop.pushed(shop.token("j-1", stream, "ssf/event-type/verification", state="another"))
    assert caught.value.err == "invalid_state"
    assert shop.it.shared.transmitters.get("idp").verified_at == ""
    assert shop.it.shared.receiver.outcomes["refused"] == 1
    shop.pushed(shop.token("j-2", stream, "ssf/event-type/verification", state=body["state"]))
    assert shop.it.shared.transmitters.get("idp").verified_at
    shop.pushed(shop.token("j-3", stream, "ssf/event-type/verification"))


def test_secrets_of_a_transmitter_outlive_the_key_that_they_lie_under(shop):
    """Another key in use, the old one destroyed: a token is still linked to its customer."""
    shop.registers(link_secret="s" * 32)
    vault = shop.it.vault.rekeying
    vault.rotate(ADMIN, "signals")
    vault.retire(ADMIN, "signals", 1)
    shop.links("ani", link_token("sub-1", b"s" * 32))
    shop.pushed(shop.token("j-1", "sub-1"))
    assert set(shop.orders()) == {"ani"}


def test_a_stream_that_is_paused_is_told(shop):
    """The view says so and the shop hears of it."""
    shop.registers()
    stream = {"format": "opaque", "id": "st-1"}
    for _ in range(2):  # the same one again changes nothing
        shop.pushed(shop.token("j-1", stream, "ssf/event-type/stream-updated", status="paused", reason="x"))
    assert shop.it.shared.transmitters.get("idp").status == "paused"
    told = shop.it.records.read(
        lambda at: at.exec_driver_sql("SELECT subject, payload FROM outbox_message WHERE topic = 'signals.stream_changed'").fetchall()
    )  # fmt: skip
    assert [(subject, json.loads(said)) for subject, said in told] == [("idp", {"status": "paused"})]


def test_a_transmitter_that_talks_of_its_stream_without_end_is_told_to_wait(shop, monkeypatch):
    """What it says of accounts is still heard."""
    monkeypatch.setattr(receive, "OF_STREAM_MAX", 2)
    shop.registers()
    shop.links("ani", "sub-1")
    stream, updated = {"format": "opaque", "id": "st-1"}, "ssf/event-type/stream-updated"
    shop.pushed(*(shop.token(f"j-{number}", stream, updated, status="enabled") for number in (1, 2)))
    with pytest.raises(PeerUnreachable) as caught:
        shop.pushed(shop.token("j-3", stream, updated, status="paused"))
    assert caught.value.retry_after_s == 3_600
    shop.pushed(shop.token("j-4", "sub-1"))
    assert set(shop.orders()) == {"ani"}


def test_what_was_said_of_a_stream_is_not_said_again(shop):
    """An old token that somebody kept, or one that was overtaken, sets no status; a state that came is taken again as it was."""
    shop.registers()
    stream, updated = {"format": "opaque", "id": "st-1"}, "ssf/event-type/stream-updated"
    paused = shop.token("j-1", stream, updated, status="paused")
    shop.pushed(paused)
    shop.clock.advance(5_000)
    late = shop.token("j-2", stream, updated, status="disabled")
    shop.clock.advance(5_000)
    shop.pushed(shop.token("j-3", stream, updated, status="enabled"))
    for token in (paused, late):
        shop.pushed(token)
    assert shop.it.shared.transmitters.get("idp").status == "enabled"
    assert shop.counted["stream"] == 3
    shop.it.shared.transmitters.verify(ADMIN, "idp")
    verified = shop.token("j-4", stream, "ssf/event-type/verification", state=shop.peer.asked[-1][2]["state"])
    shop.pushed(verified)
    shop.it.shared.transmitters.verify(ADMIN, "idp")
    shop.pushed(verified)


def test_polling_takes_acknowledges_and_refuses(shop):
    """Page by page; what is wrong is named and does not come again; while the peer is down nothing is lost."""
    shop.registers(delivery="poll")
    for number in range(5):
        shop.links(f"u{number}", f"sub-{number}")
        shop.peer.waiting[f"j-{number}"] = shop.token(f"j-{number}", f"sub-{number}").decode()
    shop.peer.waiting["bad"] = signed(claims(iss="https://x.example/")).decode()
    shop.peer.is_down = True
    shop.carried()
    shop.peer.is_down = False
    shop.carried()
    assert (shop.orders(), len(shop.peer.waiting)) == ({}, 6)
    shop.clock.advance(61_000)
    shop.carried()
    assert set(shop.orders()) == {f"u{number}" for number in range(5)}
    assert shop.peer.waiting == {}
    errors = [each["setErrs"] for each in shop.peer.polled if each["setErrs"]]
    assert [{jti: said["err"] for jti, said in each.items()} for each in errors] == [
        {"bad": "invalid_issuer"}
    ]
    polls = len(shop.peer.polled)
    shop.carried()
    assert len(shop.peer.polled) == polls  # not its turn yet


def test_one_turn_of_polling_goes_on_with_new_keys(shop):
    """What the first token had fetched is what the next one is checked with."""
    shop.registers(delivery="poll")
    shop.peer.keys = [OTHER]
    shop.peer.waiting = {jti: shop.token(jti, "sub-1").decode() for jti in ("j-1", "j-2", "j-3")}
    shop.carried()
    assert (shop.peer.waiting, shop.counted) == ({}, {"nobody": 3})


def test_nothing_is_kept_of_a_company_that_cannot_be_relied_on(shop):
    """Down, naming another issuer, without keys, in clear beyond this machine, or leading somewhere else."""
    wrong = [
        ({"issuer": "http://idp.example.com/"}, InvalidField),
        ({"issuer": "https://user:pw@idp.example.com/"}, InvalidField),
        ({"jwks_uri": "http://idp.example.com/jwks"}, InvalidField),
        ({"issuer": shop.peer.issuer + "x"}, InvalidField),
        ({"access_token": "wrong"}, InvalidField),
        ({"access_token": ""}, InvalidField),
    ]
    for changes, refusal in wrong:
        with pytest.raises(refusal):
            shop.registers(**changes)
    for metadata in (
        {"issuer": "https://other.example/"},
        {"jwks_uri": "https://127.0.0.1:1/x"},
        {"jwks_uri": ""},
    ):
        shop.peer.metadata = metadata
        with pytest.raises(ShopwardError):
            shop.registers()
    shop.peer.metadata, shop.peer.keys = {}, []
    with pytest.raises(InvalidField):
        shop.registers()
    assert shop.it.shared.transmitters.all() == []


def test_who_may_register_and_take_away(shop):
    """An administrator; the peer is asked to end its stream, and what it pushes then is nobody's."""
    with pytest.raises(Refused):
        shop.it.shared.transmitters.remove(msgspec.structs.replace(ADMIN, roles=("analyst",)), "idp")
    shop.registers()
    shop.links("ani", "sub-1")
    shop.pushed(shop.token("j-1", "sub-1"))
    shop.it.shared.transmitters.remove(ADMIN, "idp")
    assert shop.peer.asked[-1][:2] == ("DELETE", "/idp/streams")
    with pytest.raises(NotFound):
        shop.pushed(shop.token("j-2", "sub-1"))
    lines = shop.it.records.read(lambda at: shop.it.trail.read(at, after_seq=0, limit=500))
    steps = [json.loads(each.details)["step"] for each in lines if each.deed == "signals:change"]
    assert steps == ["register", "remove"]


def test_old_tokens_are_forgotten(shop):
    """After ninety days, once they are done with."""
    shop.registers()
    shop.pushed(shop.token("j-1", "sub-1"))
    shop.clock.advance(91 * DAY_MS)
    assert shop.it.shared.receiver.forget() == 1
    assert shop.counted == {}
