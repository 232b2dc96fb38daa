"""The key of a period of the log, and the keys of customers that hang from it: under them events lie as they were sent.

Promise:
- an event opens under the key of its customer in its period, for its own id, or not at all (``SealBroken``);
- a customer's key of a period is keyed BLAKE2b (RFC 7693) of the customer's place under the period's key: while that is there,
  it need not be kept for anybody; when that is destroyed, whose key was not kept apart is lost for good;
- nothing of a customer is held in memory: a key is made again for each event, for everybody alike, so that who tries
  a million accounts pushes nobody out of any cache.

Not here: where the keys lie and when they lapse (``periods``). Lengths are not hidden: an event is of hundreds of bytes, and
the log says how many.
"""

from __future__ import annotations

import hashlib
from typing import Final

from shopward.vault.envelope import (
    GCM,
    HEAD_BYTES,
    KEY_BYTES,
    Cipher,
    OnceSealer,
    customer_prefix,
    field_suffix,
    key_id_of,
    record_suffix,
)

ERASED: Final = b'{"user":{"id":""}}'
"""What readers find in the place of an event as it was sent, when it was erased."""
_KIND: Final = "event"
_WHOLE: Final = field_suffix("", 0)
_CLEAR: Final = b"{"


class CustomerKey:
    """A customer's key of one period: opens their events, and seals them anew.

    Args:
        place: that of all that is the customer's (``customer_prefix``); events without a user have that of nobody.
        period: its number, by which envelopes name the key.
        key: 32 secret bytes.
    """

    __slots__ = ("_cipher", "_place", "key")

    def __init__(self, place: bytes, period: int, key: bytes) -> None:
        self.key = key
        self._cipher = Cipher(GCM, period, key)
        self._place = place

    def seal(self, event_id: str, told: bytes) -> bytes:
        """An event as it was sent, as an envelope for its id."""
        return self._cipher.seal(told, self._place + record_suffix(_KIND, event_id) + _WHOLE)

    def open(self, event_id: str, sealed: bytes) -> bytes:
        """The event as it was sent; raises ``SealBroken``. Fails closed."""
        return self._cipher.open(sealed, self._place + record_suffix(_KIND, event_id) + _WHOLE)


class PeriodKey:
    """The key of a period.

    Args:
        tenant: whose log it is.
        period: its number.
        key: 32 secret bytes.
    """

    def __init__(self, tenant: str, period: int, key: bytes) -> None:
        self.period = period
        self._tenant = tenant
        self._keyed = hashlib.blake2b(key=key, digest_size=KEY_BYTES)
        self._sealer = OnceSealer(period)

    def seal(self, subject: str, event_id: str, told: bytes) -> bytes:
        """An event of a customer as it was sent, as an envelope for its id."""
        place, keyed = customer_prefix(self._tenant, subject), self._keyed.copy()
        keyed.update(place)
        return self._sealer.seal(keyed.digest(), told, place + record_suffix(_KIND, event_id) + _WHOLE)

    def of(self, subject: str) -> CustomerKey:
        """The key of a customer."""
        place, keyed = customer_prefix(self._tenant, subject), self._keyed.copy()
        keyed.update(place)
        return CustomerKey(place, self.period, keyed.digest())


def period_of(told: bytes) -> int | None:
    """Which period's key an event lies under; ``None`` where it lies in clear, was erased, or is none."""
    return None if len(told) < HEAD_BYTES or told[:1] == _CLEAR else key_id_of(told)
