"""What a receiver of ours calls (SSF 1.0, 7 and 8; RFC 8936): our configuration and keys, its stream, its subjects, its tokens.

Promise: the configuration and the public keys are public; everything else takes the token that the shop gave the receiver, and
never an API key. Refusals are problems (RFC 9457) with the statuses of the specification: 400 for a body that is wrong, 401, 403,
404, 409, 429. A token stands in no URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import BadInput, InputTooLarge, NotFound
from shopward.http.calls import by_method, decoded, json_answer
from shopward.http.problems import HttpRefusal
from shopward.ssf.metadata import WELL_KNOWN
from shopward.ssf.receivers import PollAsked, StatusAsked, StreamAsked, SubjectStep, VerifyAsked

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward
    from shopward.ssf.receivers import Receiver

TOKEN_CHARS_MAX: Final = 128
T = TypeVar("T")


class StreamCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.shared.streams
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        streams = by_method(
            GET=self.read, POST=self.create, PATCH=self.update, PUT=self.replace, DELETE=self.remove
        )
        return [
            Route(WELL_KNOWN, self.configuration, methods=["GET"]),
            Route(WELL_KNOWN + "/{rest:path}", self.configuration, methods=["GET"]),
            Route("/ssf/jwks", self.jwks, methods=["GET"]),
            Route("/ssf/streams", streams, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
            Route("/ssf/status", by_method(GET=self.status, POST=self.set_status), methods=["GET", "POST"]),
            Route("/ssf/subjects/add", self.add_subject, methods=["POST"]),
            Route("/ssf/subjects/remove", self.remove_subject, methods=["POST"]),
            Route("/ssf/verify", self.verify, methods=["POST"]),
            Route("/ssf/poll", self.poll, methods=["POST"]),
        ]

    async def configuration(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /.well-known/ssf-configuration``, with our path behind it where we have one."""
        return json_answer(self._desk.configuration())

    async def jwks(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /ssf/jwks``."""
        return json_answer(await run_in_threadpool(self._desk.jwks))

    async def create(self, request: Request) -> Response:
        """``POST /ssf/streams``."""
        receiver = await self._receiver(request)
        asked = await self._body(request, StreamAsked)
        return json_answer(await _done(lambda: self._desk.create(receiver, asked)), 201)

    async def read(self, request: Request) -> Response:
        """``GET /ssf/streams?stream_id=``: one, or the list of all."""
        receiver, stream_id = await self._receiver(request), request.query_params.get("stream_id")
        if stream_id is None:
            return json_answer(self._desk.streams(receiver))
        return json_answer(self._desk.get(receiver, stream_id))

    async def update(self, request: Request) -> Response:
        """``PATCH /ssf/streams``."""
        return await self._change(request, is_whole=False)

    async def replace(self, request: Request) -> Response:
        """``PUT /ssf/streams``."""
        return await self._change(request, is_whole=True)

    async def remove(self, request: Request) -> Response:
        """``DELETE /ssf/streams?stream_id=``."""
        receiver, stream_id = await self._receiver(request), request.query_params.get("stream_id", "")
        await run_in_threadpool(self._desk.remove, receiver, stream_id)
        return Response(status_code=204)

    async def status(self, request: Request) -> Response:
        """``GET /ssf/status?stream_id=``."""
        receiver = await self._receiver(request)
        return json_answer(self._desk.status(receiver, request.query_params.get("stream_id", "")))

    async def set_status(self, request: Request) -> Response:
        """``POST /ssf/status``."""
        receiver = await self._receiver(request)
        asked = await self._body(request, StatusAsked)
        return json_answer(await _done(lambda: self._desk.set_status(receiver, asked)))

    async def add_subject(self, request: Request) -> Response:
        """``POST /ssf/subjects/add``: 200 whoever it is."""
        receiver = await self._receiver(request)
        asked = await self._body(request, SubjectStep)
        await run_in_threadpool(lambda: self._desk.want(receiver, asked, wanted=True))
        return Response(status_code=200)

    async def remove_subject(self, request: Request) -> Response:
        """``POST /ssf/subjects/remove``: 204 whoever it is."""
        receiver = await self._receiver(request)
        asked = await self._body(request, SubjectStep)
        await run_in_threadpool(lambda: self._desk.want(receiver, asked, wanted=False))
        return Response(status_code=204)

    async def verify(self, request: Request) -> Response:
        """``POST /ssf/verify``."""
        receiver = await self._receiver(request)
        asked = await self._body(request, VerifyAsked)
        await run_in_threadpool(self._desk.verify, receiver, asked)
        return Response(status_code=204)

    async def poll(self, request: Request) -> Response:
        """``POST /ssf/poll`` (RFC 8936)."""
        receiver = await self._receiver(request)
        asked = await self._body(request, PollAsked)
        return json_answer(await run_in_threadpool(self._desk.poll, receiver, asked))

    async def _change(self, request: Request, *, is_whole: bool) -> Response:
        receiver = await self._receiver(request)
        asked = await self._body(request, StreamAsked)
        return json_answer(await _done(lambda: self._desk.change(receiver, asked, is_whole=is_whole)))

    async def _receiver(self, request: Request) -> Receiver:
        scheme, _blank, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and 1 <= len(token) <= TOKEN_CHARS_MAX:
            try:
                return await run_in_threadpool(self._desk.receiver_of, token)
            except NotFound:
                pass
        raise HttpRefusal(
            401, "unauthorized", "the token of a receiver is needed", path="Authorization",
            expected="Bearer and the token that the shop gave you", found="nothing or another token",
        )  # fmt: skip

    async def _body(self, request: Request, shape: type[T]) -> T:
        raw = await self._calls.raw(request)
        return await _done(lambda: decoded(raw, shape))


async def _done(work: Callable[[], T]) -> T:
    """What it gives; a body that is wrong is 400 here, whatever is wrong with it."""
    try:
        return await run_in_threadpool(work)
    except InputTooLarge:
        raise
    except BadInput as wrong:
        refused = wrong
    parts = {name: str(value) for name, value in refused.diagnostics().items()}
    raise HttpRefusal(400, refused.code, refused.message, retry_after_s=None, **parts)
