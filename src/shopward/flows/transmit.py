"""Transmitting: tokens are made of what is to be told, and pushed (RFC 8935) in order, until they are taken or refused.

Promise:
- a token leaves while the customer is still named to its receiver, or is dropped; none leaves while the receiver's
  partner is suspended or over, and none for the shop's own network: a receiver is trusted to name a public address alone;
- it is told at least once under one id, or refused by the receiver in words of the RFC; one that does not answer is asked again
  after growing pauses, and loses nothing for five days. Then its stream is disabled, which the receiver may undo;
- a slow receiver holds up itself alone: one process works on a receiver at a time, and no transaction is open meanwhile.

Not here: what is told (``flows.announce``), and who asks for it himself (``flows.streams``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from shopward.outbox.schedule import is_silent, pause_ms
from shopward.partners import bar_of
from shopward.ssf.receiver_store import REFUSED, TAKEN
from shopward.ssf.sets import SECEVENT
from shopward.ssf.signing import sign, signer
from shopward.values import DAY_MS, MINUTE_MS, is_loopback

if TYPE_CHECKING:
    import random

    from shopward.keyring import BoundSealer
    from shopward.partners.store import PartnerStore
    from shopward.ports import Outward, Records
    from shopward.ssf.key_store import KeyStore
    from shopward.ssf.receiver_store import ReceiverStore, Told
    from shopward.ssf.receivers import Receiver
    from shopward.values import Clock

LEASE_MS: Final = 5 * MINUTE_MS
AT_ONCE: Final = 16
KEPT_MS: Final = 30 * DAY_MS
DROPPED: Final = "dropped"
FAILED: Final = "failed"
_TAKEN: Final = frozenset({200, 202, 204})
_REFUSED: Final = 400


class Teller:
    """Makes tokens, inside the caller's transaction.

    Args:
        store: what is to be told.
        keys: our keys.
        sealer: opens subjects.
        issuer: who we are.
    """

    def __init__(self, store: ReceiverStore, keys: KeyStore, sealer: BoundSealer, issuer: str) -> None:
        self._store, self._keys, self._sealer, self._issuer = store, keys, sealer, issuer
        self.outcomes: Counter[str] = Counter()
        """What came of tokens in this process: ``taken`` and ``refused`` by receivers, ``failed`` (it is pushed again)."""

    def tokens(self, connection: Any, receiver: Receiver, *, limit: int) -> dict[str, str]:
        """What waits for a receiver, by id; what it may not hear any more is dropped."""
        waiting = self._store.waiting(connection, receiver.id, limit=limit)
        private = self._keys.in_use(connection) if waiting else None
        if private is None:
            return {}
        key, made, gone = signer(private), {}, []
        for jti, told in waiting:
            subject = self._subject(connection, receiver, told)
            if subject is None:
                gone.append(jti)
            else:
                made[jti] = sign(self._claims(receiver, jti, told, subject), key)
        self._store.settle(connection, receiver.id, gone, state=DROPPED)
        return made

    def _subject(self, connection: Any, receiver: Receiver, told: Told) -> dict[str, Any] | None:
        if not told.user:
            return None if receiver.stream is None else {"format": "opaque", "id": receiver.stream.id}
        sealed = self._store.subject(connection, receiver.id, told.user)
        if sealed is None:
            return None
        found: dict[str, Any] = msgspec.json.decode(
            self._sealer.open(sealed, "subject", receiver.id, told.user)
        )
        return found

    def _claims(self, receiver: Receiver, jti: str, told: Told, subject: dict[str, Any]) -> dict[str, Any]:
        cause = {"txn": told.cause} if told.cause else {}
        return {
            "iss": self._issuer, "aud": receiver.audience, "iat": told.made_s, "jti": jti, "sub_id": subject,
            "events": {told.event: told.payload},
        } | cause  # fmt: skip


class _Load(NamedTuple):
    receiver: Receiver
    header: str
    tokens: dict[str, str]


class Pusher:
    """Pushes; may be called from any thread.

    Args:
        records: transactions.
        store: rows.
        teller: makes tokens.
        sealer: opens what a push has to show.
        partners: who is active.
        outward: carries.
        clock: the server's.
        issuer: the address under which other companies reach this server; where that is this machine, receivers may be here, too.
        random: spreads the pauses.
    """

    def __init__(
        self, *, records: Records, store: ReceiverStore, teller: Teller, sealer: BoundSealer, partners: PartnerStore,
        outward: Outward, clock: Clock, issuer: str, random: random.Random,
    ) -> None:  # fmt: skip
        self._records, self._store, self._teller, self._sealer = records, store, teller, sealer
        self._partners, self._outward, self._clock = partners, outward, clock
        self._random = random
        self._near = issuer if is_loopback(urlsplit(issuer).hostname or "") else ""

    def step(self) -> int:
        """Push what waits for one receiver; how many tokens were settled, 0 where nothing is due."""
        load = self._records.write(self._leased)
        if load is None:
            return 0
        settled: dict[str, list[str]] = {TAKEN: [], REFUSED: []}
        code = ""
        for jti, token in load.tokens.items():
            code, state = self._pushed(load, token)
            if state is None:
                break
            settled[state].append(jti)
        self._records.write(lambda connection: self._settle(connection, load, settled, code))
        done = {state: len(jtis) for state, jtis in settled.items()}
        self._teller.outcomes.update(done | {FAILED: int(sum(done.values()) < len(load.tokens))})
        return sum(done.values())

    def forget(self) -> int:
        """Drop what is a month old, whether or not it was taken; how many."""
        before_ms = self._clock.now_ms() - KEPT_MS
        return self._records.write(lambda connection: self._store.forget(connection, before_ms=before_ms))

    def _leased(self, connection: Any) -> _Load | None:
        now_ms = self._clock.now_ms()
        found = self._store.lease_push(connection, now_ms=now_ms, until_ms=now_ms + LEASE_MS)
        receiver = None if found is None else self._store.get(connection, found, lock=True)
        if receiver is None:
            return None
        partner = self._partners.get(connection, receiver.id)
        if not receiver.is_pushed or partner is None or bar_of(partner, now_ms=now_ms) is not None:
            return None  # looked at again after the lease
        sealed = self._store.secret(connection, receiver.id)
        header = self._sealer.open(sealed, "header", receiver.id).decode() if sealed else ""
        return _Load(receiver, header, self._teller.tokens(connection, receiver, limit=AT_ONCE))

    def _pushed(self, load: _Load, token: str) -> tuple[str, str | None]:
        """A word for the record, and the state; none where it is tried again."""
        stream = load.receiver.stream
        headers = {"content-type": SECEVENT, "accept": "application/json"}
        if load.header:
            headers |= {"authorization": load.header}
        url = "" if stream is None else stream.endpoint_url
        said = self._outward.ask("POST", url, named_by=self._near, body=token.encode(), headers=headers)
        code = f"http_{said.status}" if said.status else "no_answer"
        return code, TAKEN if said.status in _TAKEN else REFUSED if said.status == _REFUSED else None

    def _settle(self, connection: Any, load: _Load, settled: dict[str, list[str]], code: str) -> None:
        now_ms = self._clock.now_ms()
        receiver = self._store.get(connection, load.receiver.id, lock=True)
        if receiver is None or receiver.stream is None:
            return
        for state, jtis in settled.items():
            self._store.settle(connection, receiver.id, jtis, state=state)
        is_well = sum(map(len, settled.values())) == len(load.tokens)
        stream = msgspec.structs.replace(
            receiver.stream, last_code=code or receiver.stream.last_code, tries=0 if is_well else receiver.stream.tries + 1,
            failing_since_ms=0 if is_well else receiver.stream.failing_since_ms or now_ms,
        )  # fmt: skip
        due_ms = now_ms if is_well else now_ms + pause_ms(stream.tries, random=self._random)
        if is_silent(failing_since_ms=stream.failing_since_ms, at_ms=now_ms):
            stream = msgspec.structs.replace(stream, status="disabled", reason="nothing was taken for days")
            self._store.drop_waiting(connection, receiver.id)
            due_ms = 0
        kept = msgspec.structs.replace(receiver, stream=stream)
        self._store.put(connection, kept, push_due_ms=due_ms if kept.is_pushed else 0)
