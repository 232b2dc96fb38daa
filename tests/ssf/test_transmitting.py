"""We tell partners of customers who are linked to them: what, of whom, over which stream, and what a receiver may ask for."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from serving import POLICY
from shopward.access import Caller
from shopward.config import Settings
from shopward.errors import Conflict, InvalidField, NotFound, QuotaReached, Refused
from shopward.keyring import Generations
from shopward.partners import Agreement, AuditPlan, Contact, Partner
from shopward.protection import OrderRequest
from shopward.service import Shopward
from shopward.service.signals_key import SIGNALS_KEY
from shopward.ssf import Expected, read_keys, verify
from shopward.ssf.metadata import POLL, PUSH
from shopward.ssf.receivers import (
    SUPPORTED,
    PollAsked,
    ReceiverAsked,
    StatusAsked,
    StreamAsked,
    SubjectStep,
    VerifyAsked,
)
from shopward.ssf.subjects import read_subject
from shopward.values import DAY_MS, ManualClock, to_rfc3339
from ssf.conftest import ADMIN
from ssf.tokens import NOW_S
from stores import empty_store

ISSUER = "http://127.0.0.1:1"
AUDIENCE = "https://wallet.example/"
SUBJECT = {"format": "iss_sub", "iss": ISSUER, "sub": "pair-7"}
SERVICE = Caller(key="svc", person="bot", roles=("service",))


class Wallet:
    """The partner's endpoint: ``status`` is what it answers, ``got`` what came."""

    def __init__(self):
        self.status, self.got = 202, []
        wallet = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                """One push."""
                body = self.rfile.read(int(self.headers["content-length"]))
                wallet.got.append((dict(self.headers.items()), body))
                self.send_response(wallet.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/signals?x=1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        """No more."""
        self.server.shutdown()
        self.server.server_close()


class House:
    """A shop that tells, and what tests ask of it."""

    def __init__(self, it, clock, wallet):
        self.it, self.clock, self.wallet = it, clock, wallet
        self.desk, self.streams = it.shared.receivers, it.shared.streams
        self.token = ""

    def partner(self, name="wallet", scope="signals"):
        """A partner that may hear."""
        self.it.partners.register(ADMIN, Partner(
            id=name, name="Wallet", kind="payment", agreement=Agreement("C-1", "2026-01-01", "2030-01-01"),
            scope={scope: ("subject",)}, duties=("keep it",), audit=AuditPlan(180, "2026-01-01"),
            contact=Contact("security", "sec@wallet.example"), public_key="3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
        ))  # fmt: skip

    def admits(self, events=(), name="wallet"):
        """It is a receiver."""
        self.partner(name)
        self.token = self.desk.register(ADMIN, ReceiverAsked(name, AUDIENCE, events)).token

    @property
    def receiver(self):
        """Who asks."""
        return self.streams.receiver_of(self.token)

    def opens(self, method=POLL, **more):
        """Its stream."""
        url = self.wallet.url if method == PUSH else ""
        delivery = {"method": method, "endpoint_url": url, "authorization_header": "Bearer w-1"}
        return self.streams.create(self.receiver, asked(StreamAsked, delivery=delivery, **more))

    def places(self, kind, user="ani", reason="takeover", **more):
        """An order of Siti's about a user, in force."""
        ends = to_rfc3339(self.clock.now_ms() + DAY_MS)
        wanted = {"kind": kind, "target": {"user": user}, "reason": reason, "ends_at": ends}
        wanted |= {"scope": ["stored_value"]} if kind in ("freeze", "delay", "step_up") else {}
        wanted |= {"assurance": 1} if kind == "step_up" else {}
        self.it.protection.place(ADMIN, msgspec.convert(wanted | more, OrderRequest))

    def polls(self, **more):
        """Claims by id of what a poll gives."""
        given = self.streams.poll(self.receiver, asked(PollAsked, **more))
        return {jti: self.read(each.encode()) for jti, each in given["sets"].items()}

    def read(self, token):
        """The event of a token, verified as any receiver would."""
        keys = read_keys(json.dumps(self.streams.jwks()).encode())
        return verify(token, Expected(ISSUER, frozenset({AUDIENCE})), keys, now_s=self.clock.now_ms() // 1000)


def asked(shape, **body):
    """A body, as it comes."""
    return msgspec.convert(body, shape)


def short(found):
    """Types of events and what they say, in their order."""
    return [
        (each.event.rpartition("/")[2], each.payload.get("reason") or each.payload.get("current_level"))
        for each in found
    ]


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, tmp_path):
    """A shop on an empty store, and a wallet."""
    clock, wallet = ManualClock(NOW_S * 1000), Wallet()
    with empty_store(request.param, tmp_path) as url:
        settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY), database=url, signals_url=ISSUER)
        with Shopward.open(settings, clock=clock) as it:
            yield House(it, clock, wallet)
    wallet.close()


def test_what_is_done_about_a_customer_is_told(house):
    """Each kind of order by its meaning, signed, about the customer as the receiver knows them, with what belongs together."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    for kind, reason in (
        ("freeze", "takeover"), ("freeze", "legal"), ("reset", "credential_stuffing"), ("reset", "lost_device"),
        ("revoke", "takeover"), ("step_up", "takeover"), ("notify_only", "takeover"),
    ):  # fmt: skip
        house.places(kind, reason=reason)
        house.clock.advance(1)
    found = list(house.polls().values())
    assert short(found) == [
        ("account-disabled", "hijacking"), ("risk-level-change", "HIGH"), ("credential-compromise", None),
        ("account-credential-change-required", None), ("session-revoked", None), ("risk-level-change", "HIGH"),
    ]  # fmt: skip
    assert {each.subject.values["sub"] for each in found} == {"pair-7"}
    assert len({each.txn for each in found}) == len(found)


def test_nobody_else_hears_of_nobody_else(house):
    """Of customers that were not named, types that were not given or asked for, hearsay, and orders about many: nothing."""
    house.admits(events=SUPPORTED[:4])
    house.opens(events_requested=[SUPPORTED[3], SUPPORTED[6], "https://example.com/own"])
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.places("revoke", "budi")
    house.places("revoke", reason="linked_identity_breach")
    house.places("freeze")
    house.places("step_up")
    house.places("revoke", target={"everyone": True})
    assert house.polls() == {}
    house.places("revoke", target={"victim_set": ["ani", "budi"]})
    assert short(house.polls().values()) == [("session-revoked", None)]
    (view,) = house.streams.streams(house.receiver)
    assert (view.events_supported, view.events_delivered) == (SUPPORTED[:4], (SUPPORTED[3],))


def test_a_changed_address_is_told_to_who_knows_it(house):
    """``identifier-changed`` where the receiver knows the customer by it; that the way back changed, to everybody."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", {"format": "email", "email": "ani@example.com"})
    house.desk.name(SERVICE, "wallet", "budi", SUBJECT)
    for number, user in enumerate(("ani", "budi")):
        house.it.decide({"id": f"e-{number}", "type": "email_change", "status": "succeeded", "time": to_rfc3339(house.clock.now_ms()), "user": {"id": user}})  # fmt: skip
    house.it.carry_out()
    told = sorted((each.subject.format, each.event.rpartition("/")[2]) for each in house.polls().values())
    assert told == [
        ("email", "identifier-changed"), ("email", "recovery-information-changed"), ("iss_sub", "recovery-information-changed"),
    ]  # fmt: skip


def test_polling_gives_again_what_was_not_acknowledged(house):
    """In order, so many at once; what was taken or refused is gone, with what it said."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    for _ in range(3):
        house.places("revoke")
        house.clock.advance(1)
    first = list(house.polls(maxEvents=2))
    assert list(house.polls(maxEvents=2)) == first
    assert house.streams.poll(house.receiver, PollAsked(maxEvents=0)) == {"sets": {}, "moreAvailable": True}
    assert (
        len(house.polls(ack=first[:1], setErrs={first[1]: {"err": "invalid_key", "description": "x"}})) == 1
    )
    (view,) = house.desk.all()
    assert view.tokens == {"taken": 1, "refused": 1, "waiting": 1}


def test_pushing_goes_on_until_it_is_taken(house):
    """With the header that the receiver gave, in order; 400 is a refusal, all else is tried again after growing pauses."""
    house.admits()
    house.opens(PUSH)
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.wallet.status = 503
    house.places("revoke")
    house.it.carry_out()
    house.it.carry_out()
    assert len(house.wallet.got) == 1
    house.wallet.status = 202
    house.clock.advance(6_000)
    house.it.carry_out()
    (first, again) = house.wallet.got
    assert (first[0]["authorization"], first[0]["content-type"]) == ("Bearer w-1", "application/secevent+jwt")
    assert house.read(first[1]).jti == house.read(again[1]).jti
    house.wallet.status = 400
    house.places("revoke")
    house.it.carry_out()
    (view,) = house.desk.all()
    assert (view.tokens, view.last_code) == ({"taken": 1, "refused": 1}, "http_400")
    assert house.it.shared.teller.outcomes == {"taken": 1, "refused": 1, "failed": 1}


def test_a_receiver_that_is_gone_for_days_is_switched_off_and_may_come_back(house):
    """Its stream is disabled; what happens then is lost to it; it enables the stream itself."""
    house.admits()
    made = house.opens(PUSH)
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.wallet.status = 500
    house.places("revoke")
    house.it.carry_out()
    for _ in range(12):
        house.clock.advance(DAY_MS // 2)
        house.it.carry_out()
    assert house.streams.status(house.receiver, made.stream_id).status == "disabled"
    house.wallet.status, house.wallet.got = 202, []
    house.places("revoke")
    house.streams.set_status(house.receiver, asked(StatusAsked, stream_id=made.stream_id, status="enabled"))
    house.places("revoke")
    house.it.carry_out()
    assert len(house.wallet.got) == 1


def test_a_paused_stream_holds_what_happens(house):
    """And gives it when it is enabled; nothing leaves meanwhile."""
    house.admits()
    made = house.opens(PUSH)
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.streams.set_status(
        house.receiver, asked(StatusAsked, stream_id=made.stream_id, status="paused", reason="holiday")
    )
    house.places("revoke")
    house.it.carry_out()
    assert house.wallet.got == []
    shown = house.streams.status(house.receiver, made.stream_id)
    assert (shown.status, shown.reason) == ("paused", "holiday")
    house.streams.set_status(house.receiver, asked(StatusAsked, stream_id=made.stream_id, status="enabled"))
    house.it.carry_out()
    assert len(house.wallet.got) == 1


def test_a_stream_is_made_changed_replaced_and_removed(house):
    """One at a time, of the receiver's own; what it says is what it gets, and nothing waits for a stream that is gone."""
    house.admits()
    made = house.opens(description="first", events_requested=[SUPPORTED[0]])
    assert (made.iss, made.aud, made.delivery.endpoint_url) == (ISSUER, AUDIENCE, ISSUER + "/ssf/poll")
    with pytest.raises(Conflict):
        house.opens()
    changed = house.streams.change(house.receiver, asked(StreamAsked, stream_id=made.stream_id, description="second"), is_whole=False)  # fmt: skip
    assert (changed.description, changed.events_requested) == ("second", (SUPPORTED[0],))
    whole = asked(
        StreamAsked,
        stream_id=made.stream_id,
        delivery={"method": PUSH, "endpoint_url": "https://wallet.example/x"},
    )
    replaced = house.streams.change(house.receiver, whole, is_whole=True)
    assert (replaced.description, replaced.events_requested, replaced.events_delivered) == ("", (), SUPPORTED)
    for wrong in ("http://wallet.example/", "https://u:p@wallet.example/", "ftp://x/", ""):
        with pytest.raises(InvalidField):
            house.streams.change(house.receiver, asked(StreamAsked, stream_id=made.stream_id, delivery={"method": PUSH, "endpoint_url": wrong}), is_whole=False)  # fmt: skip
    with pytest.raises(NotFound):
        house.streams.get(house.receiver, "st-other")
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.places("revoke")
    house.streams.remove(house.receiver, made.stream_id)
    assert house.streams.streams(house.receiver) == []
    house.places("revoke")
    house.opens()
    assert house.polls() == {}


def test_a_receiver_chooses_among_those_that_were_named_to_it(house):
    """Removing stops it, adding begins it again; about anybody else nothing changes, and the answer is the same."""
    house.admits()
    made = house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    own = asked(SubjectStep, stream_id=made.stream_id, subject=dict(reversed(SUBJECT.items())))
    other = asked(SubjectStep, stream_id=made.stream_id, subject=SUBJECT | {"sub": "pair-8"})
    assert house.streams.want(house.receiver, own, wanted=False) is house.streams.want(
        house.receiver, other, wanted=False
    )
    house.places("revoke")
    assert house.polls() == {}
    house.streams.want(house.receiver, own, wanted=True)
    house.places("revoke")
    assert len(house.polls()) == 1
    house.desk.unname(SERVICE, "wallet", "ani")  # also what is on its way
    assert house.polls() == {}
    with pytest.raises(NotFound):
        house.desk.unname(SERVICE, "wallet", "ani")


def test_nobody_hears_of_who_was_erased(house):
    """Neither of what comes nor of what is on its way; the subject is gone."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.places("revoke")
    house.it.vault.erasing.erase(ADMIN, "ani", classes=(), reason="asked for", dry_run=True)
    assert len(house.polls()) == 1
    house.it.vault.erasing.erase(ADMIN, "ani", classes=(), reason="asked for", dry_run=False)
    house.places("revoke")
    assert house.polls() == {}
    assert house.desk.all()[0].subjects == 0


def test_a_verification_echoes_the_state_once_a_minute(house):
    """As an event about the stream."""
    house.admits()
    made = house.opens()
    house.streams.verify(house.receiver, asked(VerifyAsked, stream_id=made.stream_id, state="s-1"))
    (found,) = house.polls().values()
    assert (found.payload, found.subject.values) == ({"state": "s-1"}, {"id": made.stream_id})
    with pytest.raises(QuotaReached):
        house.streams.verify(house.receiver, asked(VerifyAsked, stream_id=made.stream_id))
    house.clock.advance(61_000)
    house.streams.verify(house.receiver, asked(VerifyAsked, stream_id=made.stream_id))


def test_who_may_hear_is_an_active_partner_with_that_purpose(house):
    """Suspended, it is refused at once and nothing leaves; another token is nobody's."""
    house.partner("courier", scope="delivery")
    with pytest.raises(Refused):
        house.desk.register(ADMIN, ReceiverAsked("courier", AUDIENCE))
    with pytest.raises(NotFound):
        house.desk.register(ADMIN, ReceiverAsked("nobody", AUDIENCE))
    house.admits()
    with pytest.raises(Conflict):
        house.desk.register(ADMIN, ReceiverAsked("wallet", AUDIENCE))
    with pytest.raises(InvalidField):
        house.desk.register(ADMIN, ReceiverAsked("wallet", AUDIENCE, ("https://example.com/own",)))
    house.opens(PUSH)
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    for wrong in ({"format": "iss_sub"}, {}, {"format": "own", "x": "y"}):
        with pytest.raises(InvalidField):
            house.desk.name(SERVICE, "wallet", "ani", wrong)
    house.it.partners.suspend(ADMIN, "wallet", "a leak")
    with pytest.raises(Refused):
        house.streams.receiver_of(house.token)
    house.places("revoke")
    house.it.carry_out()
    assert house.wallet.got == []
    with pytest.raises(NotFound):
        house.streams.receiver_of("sr_other")
    house.desk.remove(ADMIN, "wallet")
    with pytest.raises(NotFound):
        house.streams.receiver_of(house.token)


def test_nothing_is_told_after_the_agreement(house):
    """From the day after its last one, neither to who asks nor to who is pushed to."""
    house.admits()
    house.opens(PUSH)
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.clock.advance(4 * 366 * DAY_MS)
    house.places("revoke")
    house.it.carry_out()
    assert house.wallet.got == []
    with pytest.raises(Refused) as caught:
        house.streams.receiver_of(house.token)
    assert caught.value.code == "partner_agreement_over"
    house.partner("late")
    with pytest.raises(Refused):
        house.desk.register(ADMIN, ReceiverAsked("late", AUDIENCE))


def test_no_push_goes_into_the_shops_own_network(tmp_path, monkeypatch):
    """A receiver names our own host, whose name leads inside from here: nothing is connected to."""
    called = []
    monkeypatch.setattr(socket, "create_connection", lambda *where: called.append(where))
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY), signals_url="https://shop.example")
    with Shopward.open(settings, clock=ManualClock(NOW_S * 1000)) as it:
        house = House(it, it.clock, None)
        house.admits()
        delivery = {"method": PUSH, "endpoint_url": "https://shop.example:8443/x"}
        house.streams.create(house.receiver, asked(StreamAsked, delivery=delivery))
        house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
        house.places("revoke")
        it.carry_out()
        (view,) = house.desk.all()
    assert (called, view.last_code, view.tokens) == ([], "no_answer", {"waiting": 1})


def test_our_key_is_changed_and_old_tokens_still_verify(house):
    """The new one signs at once; that of before stays published for a week."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.places("revoke")
    (before,) = house.streams.poll(house.receiver, PollAsked())["sets"].values()
    house.desk.rotate(ADMIN)
    (after,) = house.streams.poll(house.receiver, PollAsked())["sets"].values()
    assert before.split(".")[0] != after.split(".")[0]
    assert house.read(before.encode()) == house.read(after.encode())
    assert len(house.streams.jwks()["keys"]) == 2
    assert not any({"d", "p", "q"} & each.keys() for each in house.streams.jwks()["keys"])
    house.clock.advance(8 * DAY_MS)
    assert len(house.streams.jwks()["keys"]) == 1


def test_the_key_that_all_of_it_is_sealed_under_is_replaced(house, monkeypatch):
    """Secrets, subjects and our own key open as before, after a cut between two batches too; what verifies stays published."""
    monkeypatch.setattr("shopward.ssf.sealed_rows.BATCH", 2)
    house.admits()
    for number in range(5):
        house.desk.name(SERVICE, "wallet", f"u{number}", {**SUBJECT, "sub": f"pair-{number}"})
    house.opens(PUSH)
    house.places("freeze", "u3")
    published, vault = house.streams.jwks(), house.it.vault.rekeying

    def report():
        return {
            each.key.version: (each.key.state, each.left, each.is_safe_to_retire)
            for each in vault.report()
            if each.key.use == "signals"
        }

    Generations(Path(house.it.settings.data), SIGNALS_KEY).replace(
        b"k" * 32
    )  # a rotation that got no further
    assert report() == {1: ("retiring", 7, False), 2: ("active", 0, False)}
    vault.step()
    assert report()[1] == ("retiring", 0, True)
    vault.rotate(ADMIN, "signals")
    for version in (1, 2):
        vault.retire(ADMIN, "signals", version)
    assert report() == {3: ("active", 0, False)}
    assert house.it.shared.pusher.step() == 1
    ((headers, token),) = house.wallet.got
    assert (headers["authorization"], house.read(token).subject) == (
        "Bearer w-1",
        read_subject({**SUBJECT, "sub": "pair-3"}),
    )
    assert house.streams.jwks() == published
    house.desk.name(SERVICE, "wallet", "u5", {**SUBJECT, "sub": "pair-5"})
    assert report() == {3: ("active", 0, False)}


def test_what_is_kept_names_nobody(house):
    """No subject stands in clear in the store, in the audit log or among what is to be told."""
    house.admits()
    house.opens()
    house.desk.name(SERVICE, "wallet", "ani", SUBJECT)
    house.places("revoke")
    for table in ("ssf_receiver", "ssf_subject", "ssf_outgoing", "ssf_key", "audit_entry"):
        asked_for = f"SELECT * FROM {table}"  # noqa: S608 -- closed words
        rows = house.it.records.read(lambda at, asked_for=asked_for: at.exec_driver_sql(asked_for).fetchall())
        assert rows
        for secret in ("pair-7", house.token, "w-1", '"d":'):
            assert not any(secret in str(row) for row in rows)
