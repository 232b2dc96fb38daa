"""Screening over HTTP: links, messages and senders, one at a time or as lines, and the profile that judges them.

Promise: any key may ask, so that a shop's pages and its staff can; a line that is refused is answered as a problem on its
line and spoils no other; nothing that was asked is kept. Judging takes microseconds, in a thread: it holds up no decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InputTooLarge, ShopwardError
from shopward.flows.screen import LinkAsked, MessageAsked, SenderAsked
from shopward.http.calls import JSON, NDJSON, by_method, decoded, json_answer, language
from shopward.http.problems import problem_bytes, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.screening import Screened
    from shopward.service import Shopward

LINES_MAX: Final = 10_000

T = TypeVar("T")


class ScreeningCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.screening
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/screen/links", self.links, methods=["POST"]),
            Route("/v1/screen/messages", self.messages, methods=["POST"]),
            Route("/v1/screen/senders", self.senders, methods=["POST"]),
            Route(
                "/v1/screen/profile", by_method(GET=self.profile, PUT=self.publish), methods=["GET", "PUT"]
            ),
        ]

    async def links(self, request: Request) -> Response:
        """``POST /v1/screen/links``: ``{"url": ...}``, or such lines as ``application/x-ndjson``."""
        return await self.answer(request, LinkAsked, self._desk.link)

    async def messages(self, request: Request) -> Response:
        """``POST /v1/screen/messages``: ``{"text": ..., "channel": ..., "sender": ...}``, or such lines."""
        return await self.answer(request, MessageAsked, self._desk.message)

    async def senders(self, request: Request) -> Response:
        """``POST /v1/screen/senders``: ``{"sender": ..., "channel": ...}``, or such lines."""
        return await self.answer(request, SenderAsked, self._desk.sender)

    async def profile(self, request: Request) -> Response:
        """``GET /v1/screen/profile``."""
        self._calls.caller(request)
        return json_answer(await run_in_threadpool(self._desk.shown))

    async def publish(self, request: Request) -> Response:
        """``PUT /v1/screen/profile``."""
        caller = self._calls.caller(request, "analyst")
        said: Any = decoded(await self._calls.body(request, caller), dict[str, Any])
        return json_answer(await run_in_threadpool(self._desk.publish, caller, said))

    async def answer(self, request: Request, shape: type[T], judge: Callable[[T, str], Screened]) -> Response:
        """The verdicts on one object, or on lines, in order."""
        caller, spoken = self._calls.caller(request), language(request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != NDJSON:
            asked = decoded(await self._calls.body(request, caller, media_type=JSON), shape)
            return json_answer(await run_in_threadpool(judge, asked, spoken))
        raw = await self._calls.body(request, caller, media_type=NDJSON)
        lines = raw.split(b"\n")
        if len(lines) > LINES_MAX + 1:
            raise InputTooLarge("too many lines", expected=f"at most {LINES_MAX} lines")
        body = await run_in_threadpool(_judged_lines, lines, shape, judge, spoken)
        return Response(body, media_type=NDJSON, headers={"cache-control": "no-store"})


def _judged_lines(
    lines: list[bytes], shape: type[T], judge: Callable[[T, str], Screened], spoken: str
) -> bytes:
    """One answer for each line that is not empty; a refusal is a problem with the line's number."""
    answers: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answers.append(msgspec.json.encode(judge(decoded(line, shape), spoken)))
        except ShopwardError as refused:
            answers.append(problem_bytes(problem_of(refused, line=number)))
    return b"".join(answer + b"\n" for answer in answers)
