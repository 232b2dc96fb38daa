"""Standard Webhooks 1.0.0: what a message carries so that its receiver can tell who sent it.

Promise: exactly that standard with its symmetric scheme: ``webhook-id`` stays the same over all tries, ``webhook-timestamp``
is the try's, ``webhook-signature`` is ``v1,`` and the base64 of HMAC-SHA-256 over ``id.timestamp.body``; while a secret is
being replaced there are two, with a space between. A secret is ``whsec_`` and the base64 of 32 random bytes.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret as the receiver's library takes it."""
    return PREFIX + b64encode(secret).decode()


def secret_bytes(text: str) -> bytes:
    """The key of a secret's text."""
    return b64decode(text.removeprefix(PREFIX), validate=True)


def signed_headers(
    secrets: Sequence[bytes], *, message_id: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """The three headers of one try; a signature for each secret, the newest first."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signatures = (b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
