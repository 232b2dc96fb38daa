"""Registering companies that tell us: found out from their own configuration, with a stream made where they let us.

Promise: a transmitter is kept whole, with keys that can be used, or not at all; it and the line of the audit log are one
transaction. No transaction is open while another company is asked. What it has to show with a push is answered once.

The story of a registration:
  (1) its configuration, under the well-known path of its issuer, where the shop did not say what stands in it
  (2) its keys
  (3) a stream to us, where we were given a token for that
  (4) all of it is kept

Where another company does not answer, or with nothing of use, nothing is kept: ask again. Taking one away asks it to end its stream,
and does not wait for its consent: what it still pushes meets a 404.

Not here: what it tells (``flows.receive``), and asking it (``flows.poll``).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.ssf.events import DEFINITIONS
from shopward.ssf.keys import read_keys
from shopward.ssf.metadata import (
    METHODS,
    WELL_KNOWN,
    WELL_KNOWN_OLD,
    Metadata,
    check_address,
    read_metadata,
    well_known,
)
from shopward.ssf.sets import audience_of
from shopward.ssf.transmitters import (
    ASKED_MAX,
    TRANSMITTERS_MAX,
    PeerUnreachable,
    Secrets,
    Transmitter,
    TransmitterAsked,
    TransmitterView,
    digest_of,
    push_path,
    view,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.ports import Outward, Records, Said
    from shopward.ssf.store import TransmitterStore
    from shopward.values import Clock

TOKEN_BYTES: Final = 32
JWKS: Final = {
    "google": "https://www.googleapis.com/oauth2/v3/certs",
    "apple": "https://appleid.apple.com/auth/keys",
}
"""Where the two that publish no configuration of this kind have their keys."""
_OK: Final = range(200, 300)


class Stream(NamedTuple):
    """A stream, as its transmitter describes it."""

    id: str = ""
    audience: tuple[str, ...] = ()
    poll_url: str = ""


class TransmitterDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: rows.
        outward: asks other companies.
        trail: the audit log.
        clock: the server's.
        entropy: makes what has to be shown.
        address: under which other companies reach this server; empty where they do not.
    """

    def __init__(
        self, *, records: Records, store: TransmitterStore, outward: Outward, trail: Trail, clock: Clock,
        entropy: Callable[[int], bytes], address: str,
    ) -> None:  # fmt: skip
        self._records, self._store, self._outward, self._trail = records, store, outward, trail
        self._clock, self._entropy, self._address = clock, entropy, address.rstrip("/")

    def register(self, caller: Caller, asked: TransmitterAsked) -> TransmitterView:
        """A new transmitter, with what it has to show for this once."""
        caller.require("admin")
        check_address(asked.issuer, path="issuer")
        self._records.read(lambda connection: self._check_free(connection, asked.id))
        told = self._metadata(asked)  # (1)
        keys = self.keys(told.jwks_uri, asked.issuer)  # (2)
        if keys is None:
            raise _unusable("its keys cannot be had", "jwks_uri")
        shown = "" if asked.delivery == "poll" or asked.is_open else "Bearer " + self._random()
        stream = self._stream(asked, told, shown)  # (3)
        kept = self._kept(asked, told, stream, keys, shown)

        def work(connection: Any) -> None:
            self._check_free(connection, kept.id)
            secrets = Secrets(asked.access_token, asked.link_secret)
            due_ms = kept.created_ms if asked.delivery == "poll" else 0
            self._store.add(connection, kept, secrets, poll_due_ms=due_ms)
            self._audit(connection, caller, kept.id, "register")

        self._records.write(work)  # (4)
        return view(kept, received={}, authorization=shown)

    def all(self) -> list[TransmitterView]:
        """All of them, by id, with what became of what they told."""
        return self._records.read(
            lambda connection: [self._shown(connection, each) for each in self._store.all(connection)]
        )

    def get(self, transmitter_id: str) -> TransmitterView:
        """One; raises ``NotFound``."""

        def work(connection: Any) -> TransmitterView:
            kept = self._store.get(connection, transmitter_id)
            if kept is None:
                raise not_found()
            return self._shown(connection, kept)

        return self._records.read(work)

    def remove(self, caller: Caller, transmitter_id: str) -> None:
        """Hear it no more, and forget what it told."""
        caller.require("admin")
        kept, secrets = self._records.read(lambda connection: self._both(connection, transmitter_id))
        if kept.stream and secrets.access_token:
            query = urlencode({"stream_id": kept.stream})
            self._ask("DELETE", f"{kept.configuration_url}?{query}", kept.issuer, secrets.access_token)

        def work(connection: Any) -> None:
            self._store.remove(connection, transmitter_id)
            self._audit(connection, caller, transmitter_id, "remove")

        self._records.write(work)

    def verify(self, caller: Caller, transmitter_id: str) -> None:
        """Have it send a verification event; when it has come, the transmitter is shown as verified."""
        caller.require("admin")
        state = self._random()

        def begin(connection: Any) -> tuple[Transmitter, Secrets]:
            kept, secrets = self._both(connection, transmitter_id, lock=True)
            if not (kept.verification_url and kept.stream and secrets.access_token):
                raise InvalidField(
                    "this transmitter cannot be asked for it", path="id", found="one without",
                    expected="a transmitter with a verification endpoint, a stream and an access token",
                )  # fmt: skip
            asked = (*kept.asked_states, digest_of(state))[-ASKED_MAX:]
            self._store.put(connection, msgspec.structs.replace(kept, asked_states=asked))
            self._audit(connection, caller, transmitter_id, "verify")
            return kept, secrets

        kept, secrets = self._records.write(begin)
        body = {"stream_id": kept.stream, "state": state}
        said = self._ask("POST", kept.verification_url, kept.issuer, secrets.access_token, body)
        if said.status in _OK:
            return

        def take_back(connection: Any) -> None:
            now, _secrets = self._both(connection, transmitter_id, lock=True)
            left = tuple(each for each in now.asked_states if each != digest_of(state))
            self._store.put(connection, msgspec.structs.replace(now, asked_states=left))

        self._records.write(take_back)
        raise PeerUnreachable("the transmitter does not take the request", found=f"status {said.status}")

    def keys(self, jwks_uri: str, issuer: str) -> str | None:
        """The keys of a transmitter as it publishes them now; none where they cannot be had or used."""
        said = self._outward.ask("GET", jwks_uri, named_by=issuer, headers={"accept": "application/json"})
        return said.body.decode() if said.status in _OK and read_keys(said.body) else None

    def _check_free(self, connection: Any, transmitter_id: str) -> None:
        """Asked before a stream is made, too: one that nobody knows of here would be refused for ever."""
        known = self._store.all(connection)
        if len(known) >= TRANSMITTERS_MAX or any(each.id == transmitter_id for each in known):
            raise Conflict(
                "no second transmitter of this id can be made", path="id", found=f"{len(known)} transmitters",
                expected=f"another id, and at most {TRANSMITTERS_MAX} transmitters",
            )  # fmt: skip

    def _metadata(self, asked: TransmitterAsked) -> Metadata:
        jwks_uri = asked.jwks_uri or JWKS.get(asked.profile, "")
        if jwks_uri:
            check_address(jwks_uri, path="jwks_uri", near=asked.issuer)
            return Metadata(asked.issuer, jwks_uri)
        for path in (WELL_KNOWN, WELL_KNOWN_OLD):
            said = self._outward.ask("GET", well_known(asked.issuer, path), named_by=asked.issuer)
            if said.status in _OK:
                told = read_metadata(said.body, asked.issuer)
                if not told.jwks_uri:
                    raise InvalidField(
                        "the configuration names no keys", path="jwks_uri", expected="where they are"
                    )
                return told
        raise _unusable("its configuration cannot be had", "issuer")

    def _stream(self, asked: TransmitterAsked, told: Metadata, shown: str) -> Stream:
        if not (told.configuration_endpoint and asked.access_token):
            return Stream(audience=asked.audience, poll_url=asked.poll_url)
        delivery = {"method": METHODS[asked.delivery]}
        if asked.delivery == "push":
            if not self._address:
                raise InvalidField(
                    "other companies do not reach this server", path="delivery", expected="poll, or signals_url to be set",
                    found="push",
                )  # fmt: skip
            delivery |= {"endpoint_url": self._address + push_path(asked.id)}
            delivery |= {"authorization_header": shown} if shown else {}
        body = {"delivery": delivery, "events_requested": sorted(DEFINITIONS), "description": "Shopward"}
        said = self._ask("POST", told.configuration_endpoint, asked.issuer, asked.access_token, body)
        made = _object(said)
        if made is None or not isinstance(made.get("stream_id"), str):
            raise _unusable("it makes no stream", "access_token")
        where = str(_delivery(made).get("endpoint_url", ""))
        return Stream(made["stream_id"], audience_of(made) or asked.audience, where)

    def _kept(
        self, asked: TransmitterAsked, told: Metadata, stream: Stream, keys: str, shown: str
    ) -> Transmitter:
        if not stream.audience:
            raise InvalidField(
                "nobody says who we are to it", path="audience", expected="what its tokens name as aud"
            )
        if asked.delivery == "poll":
            check_address(stream.poll_url, path="poll_url", near=asked.issuer)
        now_ms = self._clock.now_ms()
        return Transmitter(
            id=asked.id, provider=asked.provider, issuer=asked.issuer, profile=asked.profile, audience=stream.audience,
            delivery=asked.delivery, jwks_uri=told.jwks_uri, jwks=keys, jwks_ms=now_ms,
            critical=told.critical_subject_members, stream=stream.id, configuration_url=told.configuration_endpoint,
            verification_url=told.verification_endpoint, poll_url=stream.poll_url if asked.delivery == "poll" else "",
            pusher=digest_of(shown) if shown else "", created_ms=now_ms,
        )  # fmt: skip

    def _ask(self, method: str, url: str, issuer: str, token: str, body: Any = None) -> Said:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        sent = None if body is None else msgspec.json.encode(body)
        named = headers if sent is None else headers | {"content-type": "application/json"}
        return self._outward.ask(method, url, named_by=issuer, body=sent, headers=named)

    def _both(
        self, connection: Any, transmitter_id: str, *, lock: bool = False
    ) -> tuple[Transmitter, Secrets]:
        kept = self._store.get(connection, transmitter_id, lock=lock)
        if kept is None:
            raise not_found()
        return kept, self._store.secrets(connection, transmitter_id)

    def _shown(self, connection: Any, kept: Transmitter) -> TransmitterView:
        received, last_ms = self._store.counted(connection, kept.id)
        return view(kept, received=received, last_ms=last_ms)

    def _audit(self, connection: Any, caller: Caller, transmitter_id: str, step: str) -> None:
        self._trail.append(
            connection, at_ms=self._clock.now_ms(), actor=caller.key, deed="signals:change", subject=transmitter_id,
            details={"role": "transmitter", "step": step},
        )  # fmt: skip

    def _random(self) -> str:
        return base64.urlsafe_b64encode(self._entropy(TOKEN_BYTES)).decode().rstrip("=")


def not_found() -> NotFound:
    """The refusal of an id that is none."""
    return NotFound("no such transmitter", path="id", expected="the id of a transmitter", found="another id")


def _unusable(message: str, path: str) -> InvalidField:
    return InvalidField(
        message, code="transmitter_unusable", path=path, expected="a transmitter that answers now", found="nothing of use",
        hint="see whether issuer, jwks_uri and access_token are right, and ask again",
    )  # fmt: skip


def _object(said: Said) -> dict[str, Any] | None:
    try:
        told = msgspec.json.decode(said.body) if said.status in _OK else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    return told if isinstance(told, dict) else None


def _delivery(made: dict[str, Any]) -> dict[str, Any]:
    told = made.get("delivery")
    return told if isinstance(told, dict) else {}
