"""Keeping: how the log keeps events as they were sent, sealed from the first byte and in the end under a key of each customer.

The story of a period, which is a day of the log:
  (1) before the first event of a day is decided the day's key is made, and is in the store before anything is sealed by it
  (2) an event is sealed under its customer's key of the day, which is derived of the day's and costs no row and no look-up: who
      tries a million accounts that nobody has makes a million tokens and not one row
  (3) when the day is over, customer by customer the derived keys are sealed under the customers' own; then the day's key is
      destroyed, and from then on to erase a customer is to destroy one key
  (4) what was recorded before there were periods is sealed page by page in the same way, as period 0

Fails open where a new day's key cannot be made (no store, no key above it): events go on under the key of the day before, which
is in memory, and it is tried again in a minute. Fails closed at the start: without any key nothing is decided.

``InClear`` is for who has no vault: a benchmark, a test of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from shopward.errors import StoreError, StoreLocked
from shopward.values import DAY_MS, MINUTE_MS
from shopward.vault.kinds import EVENTS
from shopward.vault.period_key import period_of
from shopward.vault.rows import BEFORE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shopward.flows.strongroom import Strongroom
    from shopward.ports import LogEntry
    from shopward.vault.period_key import PeriodKey
    from shopward.vault.rows import Period

PERIOD_MS: Final = DAY_MS
RETRY_MS: Final = MINUTE_MS
STEP: Final = 256
"""Entries that are settled in one transaction: some 15 ms, which a group of events may have to wait."""


class Keeper(Protocol):
    """Seals events as they were sent."""

    def turn(self) -> None:
        """Be ready to seal what is recorded next; may ask the store."""
        ...

    def seal(self, user_token: str, event_id: str, told: bytes) -> bytes:
        """An event as it is kept; asks nobody."""
        ...


class InClear:
    """Keeps events as they were sent."""

    def turn(self) -> None:
        """Nothing."""

    def seal(self, user_token: str, event_id: str, told: bytes) -> bytes:  # noqa: ARG002 -- the port's signature
        """As it is."""
        return told


class EventKeeper:
    """Seals for the one who decides, one call at a time; ``step`` may be called from another thread.

    Args:
        room: the vault.
        held: the last position of the log, which stays what it is until the transaction ends; raises ``StoreLocked`` where another
            server decides on it: it would go on under the old key at positions that are of the new one.
    """

    def __init__(self, room: Strongroom, held: Callable[[Any], int]) -> None:
        self._room = room
        self._held = held
        self._key: PeriodKey | None = None
        self._until_ms = 0

    def turn(self) -> None:
        """Step (1), where the day is over; raises ``StoreError`` where there is no key at all."""
        now_ms = self._room.clock.now_ms()
        if self._key is not None and now_ms < self._until_ms:
            return
        try:
            self._key, self._until_ms = self._room.records.write(
                lambda connection: self._begun(connection, now_ms)
            )
        except StoreLocked:
            raise
        except StoreError as failed:
            if (
                self._key is None or failed.code == "store_outcome_unknown"
            ):  # fails closed: the day may have begun
                raise
            self._until_ms = now_ms + RETRY_MS  # fails open: sealed all the same, under an older key

    def seal(self, user_token: str, event_id: str, told: bytes) -> bytes:
        """Step (2); ``turn`` came before."""
        assert self._key is not None  # noqa: S101 -- the order of the two calls is the desk's own
        return self._key.seal(user_token, event_id, told)

    def step(self) -> bool:
        """Some of (3) and (4); false where nothing is left."""
        if self._room.records.read(self._due) is None:
            return False
        now_ms = self._room.clock.now_ms()
        return self._room.records.write(lambda connection: self._stepped(connection, now_ms))

    def _begun(self, connection: Any, now_ms: int) -> tuple[PeriodKey, int]:
        """The key of today, and how long it is that: after a restart the one that was begun."""
        periods, last_seq = self._room.periods, self._held(connection)
        newest = periods.newest(connection)
        if newest is not None and now_ms < newest.begun_ms + PERIOD_MS:
            return periods.open(connection, newest), newest.begun_ms + PERIOD_MS
        if newest is None and last_seq:
            periods.begin(connection, BEFORE, after_seq=0, now_ms=now_ms)
        number = BEFORE if newest is None else newest.number
        key = periods.begin(connection, number + 1, after_seq=last_seq, now_ms=now_ms)
        return key, now_ms + PERIOD_MS

    def _stepped(self, connection: Any, now_ms: int) -> bool:
        self._room.fence.one_user(connection, "vault:erasures")
        due = self._due(connection)
        if due is None:
            return False
        period, end_seq = due
        periods, column, after = self._room.periods, self._room.column, period.settled_seq
        until, key = min(after + STEP, end_seq), periods.open(connection, period)
        if period.number == BEFORE:  # (4)
            column.seal(connection, after, until, lambda entry: _sealed(entry, key))
        if self._is_by_customer(connection):  # (3)
            users = column.users(connection, after, until)
            back = users & self._room.erasures.since(connection, period.begun_ms, EVENTS)
            periods.settle(
                connection, period.number, users - back, now_ms, key_of=lambda user: key.of(user).key
            )
            if back:
                self._settle_anew(connection, key, back, (after, until), now_ms)
            if until == end_seq:
                periods.lapse(connection, period, now_ms)
        periods.note(connection, period, until)
        return True

    def _settle_anew(
        self, connection: Any, key: PeriodKey, users: Collection[str], stretch: tuple[int, int], now_ms: int
    ) -> None:
        """Customers who were erased in the period and came back: under the old key old copies of the log would open again."""
        periods, number = self._room.periods, key.period
        periods.settle(connection, number, users, now_ms)
        fresh = periods.kept(connection, {(user, number) for user in users})

        def sealed(entry: LogEntry) -> bytes:
            anew, event_id = fresh.get((entry.user_token, number)), entry.event_id
            if anew is None:
                return entry.personal
            return anew.seal(event_id, key.of(entry.user_token).open(event_id, entry.personal))

        self._room.column.seal(connection, *stretch, sealed)

    def _due(self, connection: Any) -> tuple[Period, int] | None:
        """The oldest period that is over and not settled, and where it ends."""
        living = self._room.periods.living(connection)
        if not self._is_by_customer(connection):
            living = living[:2] if living and living[0].number == BEFORE else []
        if len(living) < 2:
            return None
        period, end_seq = living[0], living[1].after_seq
        is_done = period.settled_seq >= end_seq and not self._is_by_customer(connection)
        return None if is_done else (period, end_seq)

    def _is_by_customer(self, connection: Any) -> bool:
        return self._room.keys.ring(connection).width == "customer"


def _sealed(entry: LogEntry, key: PeriodKey) -> bytes:
    """An event that lies in clear, sealed; another stays as it is."""
    if period_of(entry.personal) is not None:
        return entry.personal
    return key.seal(entry.user_token, entry.event_id, entry.personal)
