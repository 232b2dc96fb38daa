"""Receiving: what another company tells of an account becomes an alert of ours, decided as any event is.

Promise:
- a token is answered as taken only after it is on the disk, and once: the same one again changes nothing, whoever brings it;
- what cannot be verified is refused (fails closed). Where the keys cannot be had, or may have changed, the answer is "later":
  a company that is down, or a rotation of its keys, delays and loses nothing (fails open, in time);
- every account that the foreign account signs in to is alerted, 50 at most: beyond that it is a hub, and says nothing of any
  of them. Who is nobody here is counted and dropped, and the other company hears no difference;
- nothing that names a person is kept of a token;
- bounded: so many tokens wait at most; then the answer is "later". How many orders may follow in an hour is the policy's.

The story of a token:
  (1) its transmitter, and what has to be shown to push
  (2) it is verified, with other keys where these may be old
  (3) what it means, and for whom
  (4) it is kept, and answered
  (5) beside: alerts are made of what was kept, and decided
  (6) what came of it is written down. Cut off between (5) and (6), the same events hear the same decisions
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import BadInput, Conflict
from shopward.flows.transmitters import not_found
from shopward.outbox import Topic
from shopward.protection.linkage import HUB_ACCOUNTS
from shopward.ssf.events import STREAM_UPDATED, VERIFICATIONS
from shopward.ssf.keys import read_keys
from shopward.ssf.naming import link_token, name_of
from shopward.ssf.reactions import NO_DANGER, short_name, word_of
from shopward.ssf.sets import KeyUnknown, SetRefused, verify
from shopward.ssf.store import ACTED, OF_STREAM, PENDING, Received
from shopward.ssf.transmitters import PeerUnreachable, digest_of
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, digest16, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shopward.flows.arrows import Outbox
    from shopward.flows.history import History
    from shopward.flows.transmitters import TransmitterDesk
    from shopward.ports import Records
    from shopward.protection.linkage import Identifier, Linkage
    from shopward.ssf.keys import KeySet
    from shopward.ssf.sets import SecurityEvent
    from shopward.ssf.store import TransmitterStore, Waiting
    from shopward.ssf.transmitters import Transmitter
    from shopward.values import Clock

KEPT_MS: Final = 90 * DAY_MS
KEYS_FRESH_MS: Final = HOUR_MS
KEYS_KEPT_MS: Final = 7 * DAY_MS
"""So long are keys believed whose transmitter cannot be asked for newer ones."""
ASK_AGAIN_MS: Final = 30 * SECOND_MS
"""Keys are not fetched more often, whatever ids of keys tokens name."""
STALE_MS: Final = 30 * MINUTE_MS
"""What waited longer than that is news of now: an alert that seems old has no consequences."""
WAITING_MAX: Final = 100_000
OF_STREAM_MAX: Final = 10_000
"""Tokens about its own stream that are kept of a transmitter: one comes when we ask for it, or a stream changes."""
PAGE: Final = 64
_keys_of: Final = lru_cache(maxsize=64)(read_keys)


class Receiver:
    """May be called from any thread; ``step`` from one.

    Args:
        records: transactions.
        store: rows.
        desk: fetches keys.
        links: which accounts have an identifier, as a transaction sees them.
        blind: gives the token of a value in a domain.
        history: says who a token is.
        outbox: what the shop is owed to hear.
        clock: the server's.
    """

    def __init__(
        self, *, records: Records, store: TransmitterStore, desk: TransmitterDesk, links: Callable[[Any], Linkage],
        blind: Callable[[str, str], str], history: History, outbox: Outbox, clock: Clock,
    ) -> None:  # fmt: skip
        self._records, self._store, self._desk, self._links = records, store, desk, links
        self._blind, self._history, self._outbox, self._clock = blind, history, outbox, clock
        self._fetched_ms: dict[str, int] = {}
        self.outcomes: Counter[str] = Counter()
        """What came of the tokens that were brought to this process: ``taken``, ``refused``, ``later`` (they come again)."""

    def push(self, transmitter_id: str, authorization: str, token: bytes) -> None:
        """Take one token; raises ``SetRefused``, ``NotFound``, or what is worth another try."""
        kept = self._got(transmitter_id)  # (1)
        with self._counted():
            if not kept.admits(authorization):
                raise SetRefused("authentication_failed", "a push has to show what the stream was made with")
            self._take(kept, token)

    def take(self, transmitter_id: str, token: bytes) -> None:
        """The same of a token that we asked for, which shows nothing."""
        kept = self._got(transmitter_id)
        with self._counted():
            self._take(kept, token)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        outcome = "later"
        try:
            yield
            outcome = "taken"
        except SetRefused:
            outcome = "refused"
            raise
        finally:
            self.outcomes[outcome] += 1

    def _got(self, transmitter_id: str) -> Transmitter:
        kept = self._records.read(lambda connection: self._store.get(connection, transmitter_id))
        if kept is None:
            raise not_found()
        return kept

    def _take(self, transmitter: Transmitter, token: bytes) -> None:
        """Steps (2) to (4)."""
        told = self._verified(transmitter, token)
        if told.event in (*VERIFICATIONS, STREAM_UPDATED):
            self._of_stream(transmitter, told)
            return
        now_ms = self._clock.now_ms()
        word = word_of(told)

        def work(connection: Any) -> None:
            if self._store.count_waiting(connection, limit=WAITING_MAX) >= WAITING_MAX:
                raise PeerUnreachable("too many tokens wait here", retry_after_s=60.0)
            accounts = () if not word else self._accounts(connection, transmitter, told)  # (3)
            outcome = "nothing" if not word else PENDING if accounts else "nobody"
            received = Received(
                event=short_name(told.event), word=word, accounts=accounts, happened_s=told.happened_s,
                txn=digest16(told.txn.encode()).hex() if told.txn else "",
            )  # fmt: skip
            jti = digest16(told.jti.encode()).hex()
            self._store.keep(connection, transmitter.id, jti, received, outcome=outcome, at_ms=now_ms)  # (4)

        self._records.write(work)

    def step(self, decide: Callable[[Sequence[dict[str, Any]]], object]) -> int:
        """(5) and (6) of some tokens; how many. ``decide`` raises where events were not recorded."""
        waiting = self._records.read(lambda connection: self._store.waiting(connection, limit=PAGE))
        if not waiting:
            return 0
        now_ms = self._clock.now_ms()
        events = [self._events(each, now_ms) for each in waiting]
        try:
            decide([event for made in events for event in made])
            done = [(each, ACTED if made else "nobody") for each, made in zip(waiting, events, strict=True)]
        except (BadInput, Conflict):  # one that the log does not take must not hold up the others
            done = [(each, _alone(decide, made)) for each, made in zip(waiting, events, strict=True)]
        self._records.write(lambda connection: self._store.settle(connection, done))  # (6)
        return len(done)

    def forget(self) -> int:
        """Drop what is old and done with; how many."""
        before_ms = self._clock.now_ms() - KEPT_MS
        return self._records.write(lambda connection: self._store.forget(connection, before_ms=before_ms))

    def _verified(self, transmitter: Transmitter, token: bytes) -> SecurityEvent:
        now_s = self._clock.now_ms() // SECOND_MS
        keys = self._keys(transmitter, is_doubted=False)
        try:
            return verify(token, transmitter.expected, keys, now_s=now_s)
        except KeyUnknown:
            pass
        return verify(token, transmitter.expected, self._keys(transmitter, is_doubted=True), now_s=now_s)

    def _keys(self, transmitter: Transmitter, *, is_doubted: bool) -> KeySet:
        """The keys of now; those of before where they are young enough and nobody doubts them."""
        now_ms = self._clock.now_ms()
        age_ms = now_ms - transmitter.jwks_ms
        if not is_doubted and age_ms < KEYS_FRESH_MS:
            return _keys_of(transmitter.jwks.encode())
        may_ask = now_ms - self._fetched_ms.get(transmitter.id, 0) >= ASK_AGAIN_MS
        fresh = None
        if may_ask:
            self._fetched_ms[transmitter.id] = now_ms
            fresh = self._desk.keys(transmitter.jwks_uri, transmitter.issuer)
        if fresh is not None:
            self._keep(transmitter.id, lambda kept: msgspec.structs.replace(kept, jwks=fresh, jwks_ms=now_ms))
            return _keys_of(fresh.encode())
        if is_doubted or age_ms >= KEYS_KEPT_MS:
            raise PeerUnreachable(
                "the keys of the transmitter cannot be had now", retry_after_s=ASK_AGAIN_MS / SECOND_MS
            )
        return _keys_of(transmitter.jwks.encode())

    def _of_stream(self, transmitter: Transmitter, told: SecurityEvent) -> None:
        """A verification, or another status of the stream; one that comes again, or late, changes nothing."""
        now_ms, jti = self._clock.now_ms(), digest16(told.jti.encode()).hex()

        def work(connection: Any) -> None:
            kept = self._store.get(connection, transmitter.id, lock=True)
            if self._store.count_of_stream(connection, transmitter.id, limit=OF_STREAM_MAX) >= OF_STREAM_MAX:
                raise PeerUnreachable("too many tokens about this stream are kept", retry_after_s=3_600.0)
            heard = Received(short_name(told.event), happened_s=told.happened_s)
            if kept is None or not self._store.keep(
                connection, kept.id, jti, heard, outcome=OF_STREAM, at_ms=now_ms
            ):
                return
            if told.event != STREAM_UPDATED:
                self._store.put(connection, _verified_by(kept, told.payload.get("state"), now_ms))
                return
            status = told.payload["status"]
            if told.issued_s < kept.status_s:  # a newer one came first
                return
            after = msgspec.structs.replace(kept, status=status, status_s=told.issued_s)
            self._store.put(connection, after)
            if kept.status != status:
                self._outbox.owe(
                    connection, at_ms=now_ms, topic=Topic.SIGNALS_STREAM_CHANGED, subject=transmitter.id,
                    payload={"status": status},
                )  # fmt: skip

        self._records.write(work)

    def _keep(self, transmitter_id: str, change: Callable[[Transmitter], Transmitter]) -> None:
        def work(connection: Any) -> None:
            kept = self._store.get(connection, transmitter_id, lock=True)
            if kept is not None:
                self._store.put(connection, change(kept))

        self._records.write(work)

    def _accounts(self, connection: Any, transmitter: Transmitter, told: SecurityEvent) -> tuple[str, ...]:
        """Accounts of ours that sign in with what a token is about, by token; none of a hub's."""
        if told.subject is None:
            return ()
        secret = self._store.secrets(connection, transmitter.id).link_secret.encode()
        named = [name for each in told.subject.users() if (name := name_of(each, transmitter.issuer))]
        tokens = (f"{transmitter.provider}:{link_token(name, secret)}" for name in named)
        asked: list[Identifier] = [("identity", self._blind("identity", token)) for token in tokens]
        found = self._links(connection).accounts_of(asked, HUB_ACCOUNTS + 1)
        few = (accounts for accounts in found.values() if len(accounts) <= HUB_ACCOUNTS)
        return tuple(sorted({account for accounts in few for account in accounts}))[:HUB_ACCOUNTS]

    def _events(self, waiting: Waiting, now_ms: int) -> list[dict[str, Any]]:
        """An alert for each account that is still known by a name."""
        kept = self._records.read(lambda connection: self._store.get(connection, waiting.transmitter))
        if kept is None:
            return []
        users = self._history.users(waiting.told.accounts)
        return [
            _alert(
                waiting,
                kept,
                account,
                user,
                now_ms if now_ms - waiting.received_ms > STALE_MS else waiting.received_ms,
            )
            for account in waiting.told.accounts
            if (user := users[account])
        ]


def _verified_by(kept: Transmitter, state: object, now_ms: int) -> Transmitter:
    """A transmitter whose verification came; raises ``SetRefused`` for a state that nobody asked for while others were."""
    came = digest_of(state) if isinstance(state, str) else ""
    if came and kept.asked_states and came not in kept.asked_states:
        raise SetRefused("invalid_state", "not a state that was asked for", path="state")
    left = tuple(each for each in kept.asked_states if each != came)
    return msgspec.structs.replace(kept, asked_states=left, verified_ms=now_ms)


def _alone(decide: Callable[[Sequence[dict[str, Any]]], object], events: Sequence[dict[str, Any]]) -> str:
    try:
        decide(events)
    except Conflict:  # it was recorded before, with another time
        return ACTED
    except BadInput:
        return "failed"
    return ACTED if events else "nobody"


def _alert(waiting: Waiting, transmitter: Transmitter, account: str, user: str, at_ms: int) -> dict[str, Any]:
    """The event; the same one when it is made again soon."""
    told = waiting.told
    name = digest16(f"{waiting.transmitter}\x1f{waiting.jti}\x1f{account}".encode()).hex()
    said = {
        "signal": told.event,
        "transmitter": waiting.transmitter,
        "happened_at": to_rfc3339(told.happened_s * SECOND_MS),
    }
    return {
        "id": f"ssf-{name}", "type": "identity_alert", "status": "requested" if told.word in NO_DANGER else "succeeded",
        "time": to_rfc3339(at_ms), "user": {"id": user}, "actor": {"type": "service", "id": waiting.transmitter},
        "transaction": {"identity_provider": transmitter.provider}, "changes": [{"field": told.word}],
        "properties": said | ({"txn": told.txn} if told.txn else {}),
    }  # fmt: skip
