"""Idempotency keys: the same key with another body is a conflict.

Promise: while a key is remembered, it stands for one body of one caller and path; a body that was refused frees its
key. Keys are remembered in memory alone, the newest ``KEYS_MAX`` of them: that is enough here, because events are
idempotent by their own id, durably, whatever happens to a key. A retry with the same key and body goes the normal way
and hears the recorded answer.
"""

from __future__ import annotations

import re
from typing import Final

from shopward.errors import Conflict, InvalidField
from shopward.values import digest16

KEYS_MAX: Final = 100_000
_KEY: Final = re.compile(rb"[\x21-\x7e]{1,255}")


class IdempotencyKeys:
    """Digests of bodies by caller, path and key."""

    def __init__(self) -> None:
        self._digests: dict[bytes, bytes] = {}

    def reserve(self, caller: str, path: str, key: bytes, body: bytes) -> bytes | None:
        """Let the key stand for this body; what to ``free`` where the body is refused, ``None`` for a repeat.

        Raises:
            Conflict: it stands for another body.
            InvalidField: it is no key.
        """
        if not _KEY.fullmatch(key):
            raise InvalidField(
                "not an idempotency key",
                path="Idempotency-Key",
                expected="1 to 255 visible ASCII characters",
                found="another text",
            )
        name = digest16(b"\x1f".join((caller.encode(), path.encode(), key)))
        digest = digest16(body)
        known = self._digests.get(name)
        if known is None:
            if len(self._digests) >= KEYS_MAX:
                del self._digests[next(iter(self._digests))]
            self._digests[name] = digest
            return name
        if known != digest:
            raise Conflict(
                "this idempotency key was used with another body",
                code="idempotency_key_reused",
                path="Idempotency-Key",
                expected="the same body as before, or a new key",
                found="another body",
            )
        return None

    def free(self, name: bytes) -> None:
        """The body was refused; the key may be used with a mended one."""
        self._digests.pop(name, None)
