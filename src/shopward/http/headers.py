"""The head of a request and of an answer: what is read of the one, and what stands on every other.

Promise: a request id is echoed only where it is short and of harmless characters, else a new one is made; every answer
says that it must not be framed, sniffed or (where it holds data) stored.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

RawHeaders = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """The headers that the hot calls look at."""

    request_id: bytes
    authorization: bytes
    content_type: bytes
    content_length: bytes | None
    accept_language: bytes
    idempotency_key: bytes | None


class RequestIds:
    """Makes request ids: unique in time by the ``start`` of the process, and in it by counting."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._count = count(1)

    def echoed(self, given: bytes | None) -> bytes:
        """The caller's id where it can be echoed, else a new one."""
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given
        return f"{self._start}-{next(self._count):x}".encode()


def read_head(headers: Iterable[tuple[bytes, bytes]], ids: RequestIds) -> Head:
    """One pass over the headers of an ASGI scope; of a repeated header the last one counts."""
    found: dict[bytes, bytes] = dict(headers)
    return Head(
        ids.echoed(found.get(b"x-request-id")),
        found.get(b"authorization", b""),
        found.get(b"content-type", b""),
        found.get(b"content-length"),
        found.get(b"accept-language", b""),
        found.get(b"idempotency-key"),
    )


def document_policy(style: str) -> str:
    """The content security policy of a document that brings its style along, to be printed or kept: that style and nothing else."""
    shown = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{shown}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def security_headers(*, is_page: bool, has_tls: bool) -> RawHeaders:
    """What stands on every answer."""
    headers = [
        (b"content-security-policy", PAGE_POLICY if is_page else API_POLICY),
        (b"x-content-type-options", b"nosniff"),
        (
            b"referrer-policy",
            b"same-origin",
        ),  # under no-referrer browsers hide the Origin of our own forms from us
    ]
    if has_tls:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    return headers
