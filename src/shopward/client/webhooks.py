"""Verifying a webhook of Shopward's: Standard Webhooks 1.0.0, scheme ``v1`` (HMAC-SHA256).

Promise: a message is taken only where one of its signatures was made with a secret of the shop's over this id, time and
body, and its time is within five minutes; the comparison takes the same time whatever differs. A message comes at least
once: keep ``id`` and do the work once. What is read is thin: an id, a topic and words, and no personal data.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLERANCE_S: Final = 300
_PREFIX: Final = "whsec_"
_SIGNATURES_MAX: Final = 16


class WebhookInvalid(Exception):
    """The message is not taken; answer 400 and do nothing. ``code`` says why and may be logged."""

    def __init__(self, code: str, expected: str) -> None:
        super().__init__(f"{code}: expected {expected}")
        self.code = code


@dataclass(frozen=True)
class Message:
    """A verified message: ``id`` is the same each time it comes."""

    id: str
    sent_s: int
    body: Mapping[str, Any]


def verify_webhook(
    *, headers: Mapping[str, str], body: bytes, secrets: str | tuple[str, ...], now_s: float
) -> Message:
    """The message, or ``WebhookInvalid``.

    Args:
        headers: of the request, under any case.
        body: exactly as it came.
        secrets: ``whsec_...`` of the endpoint; two while one takes the other's place.
        now_s: seconds since the epoch.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, sent, signatures = (given["webhook-" + each] for each in ("id", "timestamp", "signature"))
    except KeyError:
        raise WebhookInvalid(
            "headers_missing", "webhook-id, webhook-timestamp and webhook-signature"
        ) from None
    if not sent.isascii() or not sent.isdigit() or len(sent) > len("9999999999"):
        raise WebhookInvalid("timestamp_invalid", "whole seconds since the epoch")
    if abs(now_s - int(sent)) > TOLERANCE_S:  # fails closed: an old message may be a replay
        raise WebhookInvalid("timestamp_too_far", f"a time within {TOLERANCE_S} s; check both clocks")
    signed = f"{message_id}.{sent}.".encode() + body
    right = [_signature(each, signed) for each in ((secrets,) if isinstance(secrets, str) else secrets)]
    found = [part.partition(",") for part in signatures.split()[:_SIGNATURES_MAX]]
    offered = [value.encode() for version, _, value in found if version == "v1"]
    if not any([hmac.compare_digest(one, other) for one in right for other in offered]):  # noqa: C419 -- all of them
        raise WebhookInvalid(
            "signature_wrong", "a signature with this endpoint's secret over the body as it came"
        )
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise WebhookInvalid("body_invalid", "a JSON object")
    return Message(message_id, int(sent), read)


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("secrets: expected whsec_ and base64, as the endpoint showed it once")
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
