"""What other companies call of Shared Signals: a push of a token (RFC 8935).

Promise: 202 without a body only after the token is on the disk, or had been; 400 with ``err`` and ``description`` for one that is
refused, with no word of what stood in it; a problem with 503 for "later". Apple's body, JSON around a token, is unwrapped. No
API key is asked for: a push shows what its stream was made with, and its token is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InputTooLarge
from shopward.http.calls import JSON, id_of, json_answer
from shopward.ssf.sets import BYTES_MAX, SECEVENT, ErrorCode, SetRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward


class SetError(Struct):
    """Why a token is not taken (RFC 8935, 2.3)."""

    err: ErrorCode
    description: str


class _Apple(Struct, frozen=True):
    """How Apple sends a token."""

    payload: str


class SsfCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._receiver = shopward.shared.receiver
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [Route("/ssf/events/{id}", self.push, methods=["POST"])]

    async def push(self, request: Request) -> Response:
        """``POST /ssf/events/{id}``."""
        try:
            token = await self._token(request)
            shown = request.headers.get("authorization", "")
            await run_in_threadpool(self._receiver.push, id_of(request) or "", shown, token)
        except SetRefused as refused:
            return json_answer(SetError(refused.err, refused.message), 400)
        return Response(status_code=202, headers={"cache-control": "no-store"})

    async def _token(self, request: Request) -> bytes:
        named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if named not in (SECEVENT, JSON):
            raise SetRefused("invalid_request", f"a token comes as {SECEVENT}", path="Content-Type")
        try:
            raw = await self._calls.raw(request, limit=BYTES_MAX)
        except InputTooLarge:
            raise SetRefused("invalid_request", "the token is too large") from None
        return raw if named == SECEVENT else _unwrapped(raw)


def _unwrapped(raw: bytes) -> bytes:
    try:
        return msgspec.json.decode(raw, type=_Apple).payload.encode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise SetRefused("invalid_request", "no payload in this body", path="payload") from None
