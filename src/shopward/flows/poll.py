"""Polling (RFC 8936): transmitters that do not push are asked, and told what was taken.

Promise: a token is acknowledged only after it is kept, in the same or the next call; one that is refused is named with its error
code, so that it does not come again. Several processes on one store never ask one transmitter at the same time. One that
does not answer, or with nothing of use, is asked again later, and loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import ShopwardError
from shopward.ssf.sets import SetRefused
from shopward.values import MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from shopward.flows.receive import Receiver
    from shopward.ports import Outward, Records
    from shopward.ssf.store import TransmitterStore
    from shopward.ssf.transmitters import Transmitter
    from shopward.values import Clock

ASK_EVERY_MS: Final = 10 * SECOND_MS
ASK_AGAIN_MS: Final = MINUTE_MS
LEASE_MS: Final = 5 * MINUTE_MS
EVENTS_MAX: Final = 100
CALLS_MAX: Final = 20
"""So many calls of one turn, then others have theirs."""


class Answer(Struct, frozen=True):
    """What a transmitter answers to a poll."""

    sets: dict[str, str] = {}
    moreAvailable: bool = False  # noqa: N815 -- the RFC's name


class Poller:
    """Asks; one thread at a time.

    Args:
        records: transactions.
        store: rows.
        receiver: takes tokens.
        outward: asks.
        clock: the server's.
    """

    def __init__(
        self, *, records: Records, store: TransmitterStore, receiver: Receiver, outward: Outward, clock: Clock
    ) -> None:
        self._records, self._store, self._receiver = records, store, receiver
        self._outward, self._clock = outward, clock

    def step(self) -> int:
        """Ask one transmitter whose turn it is; how many tokens it had, 0 where it was nobody's turn."""
        now_ms = self._clock.now_ms()

        def lease(connection: Any) -> tuple[Transmitter, str] | None:
            found = self._store.lease_poll(connection, now_ms=now_ms, until_ms=now_ms + LEASE_MS)
            kept = None if found is None else self._store.get(connection, found)
            return None if kept is None else (kept, self._store.secrets(connection, kept.id).access_token)

        leased = self._records.write(lease)
        if leased is None:
            return 0
        taken, is_well = self._turn(*leased)
        due_ms = self._clock.now_ms() + (ASK_EVERY_MS if is_well else ASK_AGAIN_MS)
        self._records.write(lambda connection: self._store.poll_at(connection, leased[0].id, due_ms))
        return taken

    def _turn(self, transmitter: Transmitter, token: str) -> tuple[int, bool]:
        """Ask until nothing is left, and once more where something is to be acknowledged."""
        taken, acknowledged, refused = 0, list[str](), dict[str, dict[str, str]]()
        for _call in range(CALLS_MAX):
            answer = self._asked(transmitter, token, acknowledged, refused)
            if answer is None:
                return taken, False
            acknowledged, refused = [], {}
            for jti, each in answer.sets.items():
                try:
                    self._receiver.take(transmitter.id, each.encode())
                except SetRefused as refusal:
                    refused[jti] = {"err": refusal.err, "description": refusal.message}
                except ShopwardError:  # later: it is not acknowledged, and comes again
                    return taken, False
                else:
                    acknowledged.append(jti)
                    taken += 1
            if not answer.moreAvailable and not acknowledged and not refused:
                break
        return taken, True

    def _asked(
        self, transmitter: Transmitter, token: str, acknowledged: list[str], refused: dict[str, Any]
    ) -> Answer | None:
        body = {"ack": acknowledged, "setErrs": refused, "maxEvents": EVENTS_MAX, "returnImmediately": True}
        headers = {"content-type": "application/json", "accept": "application/json"}
        if token:
            headers |= {"authorization": f"Bearer {token}"}
        said = self._outward.ask(
            "POST",
            transmitter.poll_url,
            named_by=transmitter.issuer,
            body=msgspec.json.encode(body),
            headers=headers,
        )
        try:
            return msgspec.json.decode(said.body, type=Answer) if said.status == 200 else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
