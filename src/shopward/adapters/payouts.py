"""``ports.Payer`` over HTTP: the shop's own endpoint for paying customers.

Promise: each call is signed as Standard Webhooks says, goes over TLS or stays on this machine, follows no redirect and ends within
``TIMEOUT_S``. ``POST URL`` carries the payout with its key in ``Idempotency-Key``; ``GET URL/KEY`` asks what became of it.
The shop answers with 2xx and ``{"state":"paid"}``, ``"pending"`` or ``"failed"``; 404 to the question means that it never
heard of the key. Everything else, a lost answer too, is ``no_answer``: it may have been paid, so it is asked about again.
"""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import msgspec

from shopward.errors import Misconfigured
from shopward.outbox.signing import signed_headers
from shopward.values import SECOND_MS, is_loopback

if TYPE_CHECKING:
    from shopward.ports import PayoutAnswer, PayoutAsked
    from shopward.values import Clock

TIMEOUT_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 * 1024
_OK: Final = range(200, 300)


class _Answer(msgspec.Struct):
    state: str


_answer: Final = msgspec.json.Decoder(_Answer).decode


class HttpPayer:
    """Asks the shop to pay.

    Args:
        url: of its endpoint.
        key: what calls are signed with.
        clock: dates them.

    Raises:
        Misconfigured: the URL is none, or money would be asked for in clear.
    """

    def __init__(self, url: str, *, key: bytes, clock: Clock) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not host or not is_safe or parts.username or parts.query:
            raise Misconfigured(
                "the payout endpoint cannot be used", path="payout_url",
                expected="an https URL without a query, or http on this machine", found="another one",
            )  # fmt: skip
        self._is_tls = parts.scheme == "https"
        self._host, self._port, self._path = host, parts.port, parts.path.rstrip("/")
        self._key = key
        self._clock = clock

    def pay(self, payout: PayoutAsked, *, user_id: str) -> PayoutAnswer:
        """Pay under the payout's key."""
        body = msgspec.json.encode({
            "payout": payout.id, "claim": payout.claim, "user": user_id, "amount_minor": payout.amount_minor,
            "currency": payout.currency, "instrument": payout.instrument,
        })  # fmt: skip
        answer = self._asked("POST", self._path or "/", payout.id, body)
        return "no_answer" if answer == "unknown" else answer

    def status(self, key: str) -> PayoutAnswer:
        """What the shop knows of a key."""
        return self._asked("GET", f"{self._path}/{quote(key, safe='')}", key, b"")

    def _asked(self, method: str, target: str, key: str, body: bytes) -> PayoutAnswer:
        headers = signed_headers(
            [self._key], message_id=key, timestamp_s=self._clock.now_ms() // SECOND_MS, body=body
        )
        headers |= {"idempotency-key": key, "content-type": "application/json", "accept": "application/json"}
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
            if self._is_tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        )
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            raw = response.read(ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException):
            return "no_answer"
        finally:
            connection.close()
        return _read(response.status, raw)


def _read(status: int, raw: bytes) -> PayoutAnswer:
    if status == http.client.NOT_FOUND:
        return "unknown"
    if status not in _OK:
        return "no_answer"
    try:
        state = _answer(raw).state
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "no_answer"
    match state:
        case "paid" | "pending" | "failed":
            return state
        case _:
            return "no_answer"
