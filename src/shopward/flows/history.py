"""History: the one reader of events as they were sent.

Promise: what the log keeps of a person is opened here and nowhere else, for readers that the caller has let in; what was erased
reads as an event of nobody (``ERASED``). No key is kept between two calls, so an erasure holds from its commit on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.vault.period_key import ERASED, period_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.ports import EventLog, LogEntry, Records
    from shopward.vault.period_key import CustomerKey
    from shopward.vault.periods import Periods


class _User(Struct):
    id: str = ""


class _Told(Struct):
    user: _User = msgspec.field(default_factory=_User)


_told: Final = msgspec.json.Decoder(_Told)


class History:
    """May be called from any thread.

    Args:
        records: transactions.
        periods: whose keys open.
        log: the log.
    """

    def __init__(self, records: Records, periods: Periods, log: EventLog) -> None:
        self._records = records
        self._periods = periods
        self._log = log

    def told(self, entries: Sequence[LogEntry]) -> list[bytes]:
        """The entries as they were sent, in order; of what was no event, nothing.

        Raises:
            SealBroken: one was changed or moved. Fails closed.
        """
        under = [period_of(entry.personal) for entry in entries]
        wanted = {
            (entry.user_token, period)
            for entry, period in zip(entries, under, strict=True)
            if period is not None
        }
        keys = self._records.read(lambda each: self._periods.keys_of(each, wanted)) if wanted else {}
        return [
            entry.personal if period is None else _opened(entry, keys.get((entry.user_token, period)))
            for entry, period in zip(entries, under, strict=True)
        ]

    def users(self, tokens: Sequence[str]) -> dict[str, str]:
        """The shop's ids of users by token, each from their newest event; empty where there is none, or it was erased."""
        newest = [entry for each in tokens for entry in self._log.timeline(each, before_seq=None, limit=1)]
        told = zip((entry.user_token for entry in newest), self.user_ids(newest), strict=True)
        return dict.fromkeys(tokens, "") | dict(told)

    def user(self, token: str) -> str:
        """The same of one user."""
        return self.users([token])[token]

    def user_ids(self, entries: Sequence[LogEntry]) -> list[str]:
        """The shop's ids of the users of entries; empty where nobody is told."""
        return [_told.decode(told or b"{}").user.id for told in self.told(entries)]


def _opened(entry: LogEntry, key: CustomerKey | None) -> bytes:
    return ERASED if key is None else key.open(entry.event_id, entry.personal)
