"""The courier: the bookkeeping of telling the shop what it is owed, in steps that each are one short transaction.

Promise:
- what is owed reaches every active endpoint that hears its topic at least once, under one message id, or stands as
  failed and can be replayed for 30 days; a process that dies, or a receiver that does not answer, loses nothing;
- several processes on one store tell beside each other, and never the same letter at the same time;
- an endpoint that took nothing for days is switched off, and the others are told so.

The story of a message:
  (1) assign: what is owed becomes a delivery for each endpoint that hears its topic
  (2) lease: some due deliveries of one endpoint are this process's for a while, with what signs them
  (3) they are sent; no transaction is open meanwhile, and nothing of it is here
  (4) settle: what came of it, when the next try is due, how the endpoint is
  (5) forget: what is older than 30 days
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.flows.arrows import SYSTEM
from shopward.flows.webhooks import changed
from shopward.outbox import Topic
from shopward.outbox.schedule import GONE, is_dead, is_taken, next_due_ms
from shopward.outbox.signing import signed_headers
from shopward.values import DAY_MS, SECOND_MS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from shopward.flows.webhooks import Telling
    from shopward.outbox.deliveries import Letter
    from shopward.outbox.endpoints import Endpoint

KEPT_MS: Final = 30 * DAY_MS
LETTERS_MAX: Final = 8
"""So many tries of one endpoint are under way at once, in one process."""


class Parcel(NamedTuple):
    """Leased letters of one endpoint, with where they go and what signs them."""

    endpoint_id: str
    url: str
    secrets: list[bytes]
    letters: list[Letter]

    def headers(self, letter: Letter, at_ms: int) -> dict[str, str]:
        """The signed headers of a try."""
        return signed_headers(
            self.secrets, message_id=letter.message_id, timestamp_s=at_ms // SECOND_MS, body=letter.body
        )


class Courier:
    """The bookkeeping of the telling; several processes may do it beside each other on one store.

    Args:
        telling: what it stands on.
        lease_ms: how long a try may take at most, with room; then another process may try.
        random: spreads the pauses.
    """

    def __init__(self, telling: Telling, *, lease_ms: int, random: random.Random) -> None:
        self._on = telling
        self._lease_ms = lease_ms
        self._random = random
        self.outcomes: Counter[str] = Counter()
        """What came of the tries of this process: ``delivered``, ``pending`` (it is tried again), ``failed`` (given up)."""

    def now_ms(self) -> int:
        """The time of a try."""
        return self._on.clock.now_ms()

    def due(self) -> list[str]:
        """Endpoints with something to send now, once what is owed is assigned."""
        now_ms = self._on.clock.now_ms()
        while True:
            is_owed, due = self._on.records.read(
                lambda connection: (
                    self._on.deliveries.is_owed(connection),
                    self._on.deliveries.due(connection, at_ms=now_ms),
                )
            )
            if not is_owed:
                return due
            self._on.records.write(  # (1)
                lambda connection: self._on.deliveries.assign(
                    connection, self._on.endpoints.all(connection), at_ms=now_ms
                )
            )

    def lease(self, endpoint_id: str) -> Parcel | None:
        """(2) Some letters of an endpoint; ``None`` where it has none for us."""
        now_ms = self._on.clock.now_ms()
        lease = self._on.ids.new("l", now_ms)

        def work(connection: Any) -> Parcel | None:
            endpoint = self._on.endpoints.get(connection, endpoint_id)
            if endpoint is None:
                return None
            letters = self._on.deliveries.lease(
                connection, endpoint_id, lease=lease, at_ms=now_ms, until_ms=now_ms + self._lease_ms,
                limit=LETTERS_MAX,
            )  # fmt: skip
            if not letters:
                return None
            secrets = self._on.endpoints.secrets(connection, endpoint_id, at_ms=now_ms)
            return Parcel(endpoint_id, endpoint.url, secrets, letters)

        return self._on.records.write(work)

    def settle(self, parcel: Parcel, codes: Sequence[str]) -> None:
        """(4) What came of each letter, in one transaction."""
        now_ms = self._on.clock.now_ms()
        states: list[str] = []

        def work(connection: Any) -> None:
            states.clear()
            endpoint = self._on.endpoints.get(connection, parcel.endpoint_id)
            if endpoint is None:  # removed meanwhile, with its deliveries
                return
            for letter, code in zip(parcel.letters, codes, strict=True):
                due_ms = (
                    0 if is_taken(code) else next_due_ms(letter.tries + 1, at_ms=now_ms, random=self._random)
                )
                state = "delivered" if is_taken(code) else "failed" if due_ms is None else "pending"
                states.append(state)
                self._on.deliveries.settle(
                    connection, letter, state=state, code=code, due_ms=due_ms or 0, at_ms=now_ms
                )
            self._note(connection, endpoint, codes, now_ms)

        self._on.records.write(work)
        self.outcomes.update(states)

    def forget(self) -> int:
        """(5) Remove what is older than 30 days and done with; how many messages."""
        before_ms = self._on.clock.now_ms() - KEPT_MS
        return self._on.records.write(
            lambda connection: self._on.deliveries.forget(connection, before_ms=before_ms)
        )

    def _note(self, connection: Any, endpoint: Endpoint, codes: Sequence[str], now_ms: int) -> None:
        """How the endpoint is after these tries; one that is gone is switched off."""
        failed = [code for code in codes if not is_taken(code)]
        is_well = len(failed) < len(codes)
        since_ms = 0 if is_well else endpoint.failing_since_ms or now_ms
        now = msgspec.structs.replace(
            endpoint, failing_since_ms=since_ms, last_code=failed[-1] if failed else codes[-1], last_ms=now_ms
        )
        dead = [code for code in failed if is_dead(code, failing_since_ms=since_ms, at_ms=now_ms)]
        if not dead or endpoint.state == "off":
            self._on.endpoints.put(connection, now)
            return
        why = "gone" if dead[0] == GONE else "failing"
        self._on.endpoints.put(connection, msgspec.structs.replace(now, state="off", why=why))
        self._on.deliveries.give_up(connection, endpoint.id)
        self._on.outbox.owe(
            connection,
            at_ms=now_ms,
            topic=Topic.WEBHOOK_SWITCHED_OFF,
            subject=endpoint.id,
            payload={"why": why},
        )
        changed(
            self._on.trail,
            connection,
            actor=SYSTEM,
            endpoint_id=endpoint.id,
            step="switch_off",
            at_ms=now_ms,
        )
