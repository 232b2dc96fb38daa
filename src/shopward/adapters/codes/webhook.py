"""Codes that the shop sends by itself: one signed call to its endpoint for each.

Promise: the call is signed as Standard Webhooks says (HMAC-SHA-256 over id, time and body), goes over TLS or stays on
this machine, follows no redirect, and is made once: a code is worth ten minutes, so there is no queue and no retry. 2xx
means that the shop took it; everything else is ``ChannelDown``. What the shop answers is not read.

It carries the address and the code, which no other webhook of ours does: the endpoint must not log its body.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

import msgspec

from shopward.adapters.endpoint import Endpoint
from shopward.errors import Misconfigured
from shopward.outbox.signing import secret_bytes, signed_headers
from shopward.stepup.code_channel import ChannelDown
from shopward.values import SECOND_MS, to_rfc3339

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
        self._endpoint = Endpoint(url, setting="code_webhook_url", is_asked=False, timeout_s=TIMEOUT_S)
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
        status = self._endpoint.ask("POST", "", headers=self._signed(body, now_ms), body=body).status
        if not 200 <= status < 300:
            raise ChannelDown(message.channel)

    def _signed(self, body: bytes, now_ms: int) -> dict[str, str]:
        message_id = self._ids.new("msg", now_ms)
        return signed_headers([self._key], message_id=message_id, timestamp_s=now_ms // SECOND_MS, body=body)
