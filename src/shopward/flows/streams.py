"""Streams: what a receiver asks of us itself (SSF 1.0, 8), with the token that the shop gave it.

Promise:
- a receiver sees and changes its own stream alone, while its partner is active and the agreement runs: a suspension holds at once.
  Fails closed;
- it has one stream; what it asks for is delivered as far as the shop allows it, and where it asks for nothing in particular, all;
- adding and removing a subject is answered alike whoever it is: nobody learns here who is a customer;
- a push goes to a public address over TLS, or to this machine where we ourselves are there;
- a verification is an event like any other and is asked for once a minute at most; who asks is there, so what waits for a push
  is tried at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, NotFound, QuotaReached, Refused
from shopward.flows.receivers import SUBJECT_DOMAIN
from shopward.partners import bar_of
from shopward.ssf.events import VERIFICATION
from shopward.ssf.metadata import POLL, PUSH, check_address
from shopward.ssf.receiver_store import REFUSED, TAKEN, Told
from shopward.ssf.receivers import (
    VERIFY_EVERY_S,
    PollAsked,
    Receiver,
    StatusAsked,
    StatusView,
    Stream,
    StreamAsked,
    StreamView,
    SubjectStep,
    VerifyAsked,
    stream_view,
)
from shopward.ssf.transmitters import digest_of
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.transmit import Teller
    from shopward.keyring import BoundSealer
    from shopward.partners import Partner
    from shopward.partners.store import PartnerStore
    from shopward.ports import Records
    from shopward.ssf.key_store import KeyStore
    from shopward.ssf.receiver_store import ReceiverStore
    from shopward.values import Clock, IdSource

SETS_MAX: Final = 100
SPEC_VERSION: Final = "1_0"


class StreamDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: rows.
        keys: our keys.
        partners: who is active.
        sealer: closes what a push has to show.
        blind: gives the token of a value in a domain.
        teller: makes tokens.
        clock: the server's.
        ids: names streams and tokens.
        issuer: who we are: the address under which other companies reach this server; empty where nothing is told.
    """

    def __init__(
        self, *, records: Records, store: ReceiverStore, keys: KeyStore, partners: PartnerStore, sealer: BoundSealer,
        blind: Callable[[str, str], str], teller: Teller, clock: Clock, ids: IdSource, issuer: str,
    ) -> None:  # fmt: skip
        self._records, self._store, self._keys, self._partners = records, store, keys, partners
        self._sealer, self._blind, self._teller = sealer, blind, teller
        self._clock, self._ids, self._issuer = clock, ids, issuer

    def configuration(self) -> dict[str, Any]:
        """What we say of ourselves (SSF 1.0, 7.1); raises ``NotFound`` where nothing is told."""
        if not self._issuer:
            raise NotFound("this server tells nobody", path="signals_url", expected="signals_url to be set")
        at = self._issuer + "/ssf"
        return {
            "spec_version": SPEC_VERSION, "issuer": self._issuer, "jwks_uri": f"{at}/jwks",
            "delivery_methods_supported": [PUSH, POLL], "configuration_endpoint": f"{at}/streams",
            "status_endpoint": f"{at}/status", "add_subject_endpoint": f"{at}/subjects/add",
            "remove_subject_endpoint": f"{at}/subjects/remove", "verification_endpoint": f"{at}/verify",
            "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}], "default_subjects": "ALL",
        }  # fmt: skip

    def jwks(self) -> dict[str, Any]:
        """Our public keys."""
        now_ms = self._clock.now_ms()
        return {
            "keys": self._records.read(lambda connection: self._keys.published(connection, now_ms=now_ms))
        }

    def receiver_of(self, token: str) -> Receiver:
        """Whose token it is; raises ``Refused``, or ``NotFound`` for nobody's."""

        def work(connection: Any) -> tuple[Receiver | None, Partner | None]:
            found = self._store.by_token(connection, digest_of(token))
            return found, None if found is None else self._partners.get(connection, found.id)

        found, partner = self._records.read(work)
        if found is None or partner is None or not self._issuer:
            raise _nobodys()
        barred = bar_of(partner, now_ms=self._clock.now_ms())
        if barred is not None:
            raise Refused(barred.message, code=barred.code, expected="an active partner")
        return found

    def create(self, receiver: Receiver, asked: StreamAsked) -> StreamView:
        """Its stream; raises ``Conflict`` where it has one."""
        delivery = asked.delivery
        made = Stream(
            id=self._ids.new("st", self._clock.now_ms()), method=POLL if delivery is None else delivery.method,
            events=asked.events_requested or (), description=asked.description or "",
        )  # fmt: skip

        def change(now: Receiver) -> Stream:
            if now.stream is not None:
                raise Conflict(
                    "there is a stream already", path="stream_id", expected="one stream", found="a second one"
                )
            return self._delivered(made, asked)

        return self._changed(receiver, asked, change)

    def streams(self, receiver: Receiver) -> list[StreamView]:
        """Its streams: one, or none."""
        return [] if receiver.stream is None else [stream_view(receiver, receiver.stream, self._issuer)]

    def get(self, receiver: Receiver, stream_id: str) -> StreamView:
        """Its stream."""
        return stream_view(receiver, _own(receiver, stream_id), self._issuer)

    def change(self, receiver: Receiver, asked: StreamAsked, *, is_whole: bool) -> StreamView:
        """Another configuration: what is said is changed, and where it is the whole, what is not said is as at the beginning."""

        def change(now: Receiver) -> Stream:
            stream = _own(now, asked.stream_id)
            if is_whole:
                stream = msgspec.structs.replace(stream, events=(), description="")
            if asked.events_requested is not None:
                stream = msgspec.structs.replace(stream, events=asked.events_requested)
            if asked.description is not None:
                stream = msgspec.structs.replace(stream, description=asked.description)
            return self._delivered(stream, asked)

        return self._changed(receiver, asked, change)

    def remove(self, receiver: Receiver, stream_id: str) -> None:
        """No stream any more; what waited for it is not told."""

        def work(connection: Any) -> None:
            now = self._now(connection, receiver)
            _own(now, stream_id)
            self._store.put(connection, msgspec.structs.replace(now, stream=None), push_due_ms=0)
            self._store.keep_secret(connection, now.id, b"")
            self._store.drop_waiting(connection, now.id)

        self._records.write(work)

    def status(self, receiver: Receiver, stream_id: str) -> StatusView:
        """How its stream is."""
        stream = _own(receiver, stream_id)
        return StatusView(stream.id, stream.status, stream.reason)

    def set_status(self, receiver: Receiver, asked: StatusAsked) -> StatusView:
        """It pauses (what happens waits), disables (what happens is lost to it) or enables its stream."""

        def work(connection: Any) -> StatusView:
            now = self._now(connection, receiver)
            stream = msgspec.structs.replace(
                _own(now, asked.stream_id),
                status=asked.status,
                reason=asked.reason,
                tries=0,
                failing_since_ms=0,
            )
            if asked.status == "disabled":
                self._store.drop_waiting(connection, now.id)
            self._put(connection, now, stream)
            return StatusView(stream.id, stream.status, stream.reason)

        return self._records.write(work)

    def want(self, receiver: Receiver, asked: SubjectStep, *, wanted: bool) -> None:
        """It wants to hear of a subject, or not; of one that the shop did not name to it nothing changes, and nothing is said."""
        _own(receiver, asked.stream_id)
        plain = msgspec.json.encode(asked.subject, order="sorted").decode()
        digest = self._blind(SUBJECT_DOMAIN, plain)
        self._records.write(
            lambda connection: self._store.want(connection, receiver.id, digest, wanted=wanted)
        )

    def verify(self, receiver: Receiver, asked: VerifyAsked) -> None:
        """A verification event is on its way; raises ``QuotaReached`` where one was asked for within the last minute."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> None:
            now = self._now(connection, receiver)
            stream = _own(now, asked.stream_id)
            wait_s = VERIFY_EVERY_S - (now_ms - stream.asked_ms) // SECOND_MS
            if stream.asked_ms and wait_s > 0:
                raise QuotaReached("a verification was asked for just now", retry_after_s=float(wait_s))
            told = Told(
                event=VERIFICATION,
                payload={"state": asked.state} if asked.state else {},
                made_s=now_ms // SECOND_MS,
            )
            self._store.tell(connection, now.id, self._ids.new("set", now_ms), told)
            self._put(connection, now, msgspec.structs.replace(stream, asked_ms=now_ms, tries=0))

        self._records.write(work)

    def poll(self, receiver: Receiver, asked: PollAsked) -> dict[str, Any]:
        """What waits, once what was taken and refused is written down; nothing while the stream is not enabled (RFC 8936)."""
        done: dict[str, int] = {}

        def work(connection: Any) -> dict[str, Any]:
            now = self._now(connection, receiver)
            if now.stream is None or now.stream.method != POLL:
                raise NotFound(
                    "there is no stream to be polled", path="stream_id", expected="a stream by polling"
                )
            for state, jtis in ((TAKEN, asked.ack), (REFUSED, tuple(asked.setErrs))):
                done[state] = self._store.settle(connection, now.id, jtis, state=state)
            most = min(asked.maxEvents, SETS_MAX)
            if now.stream.status != "enabled":
                return {"sets": {}, "moreAvailable": False}
            sets = self._teller.tokens(connection, now, limit=most)
            more = self._store.count_waiting(connection, now.id, limit=len(sets) + 1) > len(sets)
            return {"sets": sets, "moreAvailable": more}

        given = self._records.write(work)
        self._teller.outcomes.update(done)
        return given

    def _changed(
        self, receiver: Receiver, asked: StreamAsked, change: Callable[[Receiver], Stream]
    ) -> StreamView:
        def work(connection: Any) -> StreamView:
            now = self._now(connection, receiver)
            stream = change(now)
            if asked.delivery is not None:
                shown = asked.delivery.authorization_header.encode()
                sealed = self._sealer.close(shown, "header", now.id) if shown else b""
                self._store.keep_secret(connection, now.id, sealed)
            self._put(connection, now, stream)
            return stream_view(now, stream, self._issuer)

        return self._records.write(work)

    def _put(self, connection: Any, receiver: Receiver, stream: Stream) -> None:
        kept = msgspec.structs.replace(receiver, stream=stream)
        self._store.put(connection, kept, push_due_ms=self._clock.now_ms() if kept.is_pushed else 0)

    def _delivered(self, stream: Stream, asked: StreamAsked) -> Stream:
        delivery = asked.delivery
        if delivery is None:
            return stream
        if delivery.method == PUSH:
            check_address(delivery.endpoint_url, path="delivery.endpoint_url", near=self._issuer)
        where = delivery.endpoint_url if delivery.method == PUSH else ""
        return msgspec.structs.replace(
            stream, method=delivery.method, endpoint_url=where, tries=0, failing_since_ms=0
        )

    def _now(self, connection: Any, receiver: Receiver) -> Receiver:
        found = self._store.get(connection, receiver.id, lock=True)
        if found is None:
            raise _nobodys()
        return found


def _nobodys() -> NotFound:
    return NotFound("no receiver of this token", expected="the token of a receiver")


def _own(receiver: Receiver, stream_id: str) -> Stream:
    if receiver.stream is None or receiver.stream.id != stream_id:
        raise NotFound(
            "no such stream", path="stream_id", expected="the id of your stream", found="another id"
        )
    return receiver.stream
