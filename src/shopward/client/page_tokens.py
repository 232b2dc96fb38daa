"""A word that a page carries and its form brings back: whether a request came from a page of the shop, and from how many.

Promise: a token is made and read with the shop's key alone, nothing is stored, and what comes back is data for an event
(``properties.page``), never a refusal: a page that was left open over night, a form of somebody without a token, all of them
are words, and the policy says what they mean. A token says nothing of who asks. It costs a program one page for each few
tries; it does not tell a person from a program that loads pages.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Final

FRESH_S: Final = 4 * 3600
"""A page that is older is ``stale``: people leave pages open."""
_ID_BYTES: Final = 12
_MAC_DIGITS: Final = 32
_TOKEN_MAX: Final = 96
_KEY_BYTES_MIN: Final = 16


class PageTokens:
    """Makes and reads tokens.

    Args:
        key: of the shop, 16 bytes or more, the same in all its processes.

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES_MIN:
            raise ValueError(f"key: expected {_KEY_BYTES_MIN} bytes or more")
        self._key = key

    def issue(self, *, now_s: float | None = None) -> str:
        """A token for one page, to be put into its form."""
        made_s = int(time.time() if now_s is None else now_s)  # noqa: TID251 -- the shop's now
        body = f"{secrets.token_urlsafe(_ID_BYTES)}.{made_s:x}"
        return f"{body}.{self._mac(body)}"

    def read(self, token: str, *, now_s: float | None = None) -> dict[str, str]:
        """``properties.page`` of an event: ``id``, and ``state``: ``fresh``, ``stale``, ``forged`` or ``none``."""
        if not token:
            return {"state": "none"}
        body, _, mac = token[: _TOKEN_MAX + 1].rpartition(".")
        if len(token) > _TOKEN_MAX or not hmac.compare_digest(_bytes(mac), _bytes(self._mac(body))):
            return {"state": "forged"}
        name, _, made = body.partition(".")
        age_s = (time.time() if now_s is None else now_s) - int(made, 16)  # noqa: TID251 -- the shop's now
        return {"id": name, "state": "fresh" if age_s < FRESH_S else "stale"}

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, b"shopward.page:" + _bytes(body), hashlib.sha256).hexdigest()[:_MAC_DIGITS]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # whatever a form brings
