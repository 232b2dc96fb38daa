"""Codes that the shop sends by itself: one signed call to its endpoint for each.

Promise: the call is signed as Standard Webhooks says (HMAC-SHA-256 over id, time and body), goes over TLS or stays on
this machine, follows no redirect, and is made once: a code is worth ten minutes, so there is no queue and no retry. 2xx
means that the shop took it; everything else is ``ChannelDown``. What the shop answers is not read.

It carries the address and the code, which no other webhook of ours does: the endpoint must not log its body.
"""

from __future__ import annotations

import binascii
import http.client
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from shopward.errors import Misconfigured
from shopward.outbox.signing import secret_bytes, signed_headers
from shopward.stepup.code_channel import ChannelDown
from shopward.values import SECOND_MS, is_loopback, to_rfc3339

if TYPE_CHECKING:
    from shopward.stepup.code_channel import CodeMessage
    from shopward.values import Clock, IdSource

TIMEOUT_S: Final = 10.0
KEY_BYTES_MIN: Final = 24
TYPE: Final = "stepup.code"


def webhook_key(secret: str, *, setting: str = "code_webhook_secret") -> bytes:
    """The key of a ``whsec_`` secret.

    Raises:
        Misconfigured: it is none, or too short to be one.
    """
    try:
        key = secret_bytes(secret)
    except binascii.Error:
        key = b""
    if len(key) < KEY_BYTES_MIN:
        raise Misconfigured(
            "the secret of the shop's endpoint cannot be used", path=setting,
            expected=f"whsec_ and the base64 of {KEY_BYTES_MIN} random bytes or more", found="something else",
        )  # fmt: skip
    return key


class WebhookChannel:
    """Hands codes to the shop.

    Args:
        url: of its endpoint.
        key: what the call is signed with.
        clock: dates the call.
        ids: names it.

    Raises:
        Misconfigured: the URL is none, or the code would go out in clear.
    """

    carries: frozenset[str] = frozenset({"email", "whatsapp"})

    def __init__(self, url: str, *, key: bytes, clock: Clock, ids: IdSource) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not host or not is_safe or parts.username:
            raise Misconfigured(
                "the code webhook cannot be used", path="code_webhook_url",
                expected="an https URL, or http on this machine", found="another one",
            )  # fmt: skip
        self._is_tls = parts.scheme == "https"
        self._host, self._port = host, parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._key = key
        self._clock = clock
        self._ids = ids

    def send(self, message: CodeMessage) -> None:
        """Hand the message over, or raise ``ChannelDown``."""
        now_ms = self._clock.now_ms()
        body = msgspec.json.encode({
            "type": TYPE,
            "timestamp": to_rfc3339(now_ms),
            "data": {
                "channel": message.channel, "to": message.to, "language": message.language,
                "subject": message.subject, "text": message.text,
            },
        })  # fmt: skip
        status = 0
        with suppress(OSError, http.client.HTTPException):
            status = self._post(body, self._signed(body, now_ms))
        if not 200 <= status < 300:
            raise ChannelDown(message.channel)

    def _signed(self, body: bytes, now_ms: int) -> dict[str, str]:
        message_id = self._ids.new("msg", now_ms)
        signed = signed_headers(
            [self._key], message_id=message_id, timestamp_s=now_ms // SECOND_MS, body=body
        )
        return {"Content-Type": "application/json"} | signed

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
            if self._is_tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        )
        try:
            connection.request("POST", self._target, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
