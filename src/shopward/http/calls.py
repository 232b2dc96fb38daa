"""What the calls of the record plane share: who asks, the body, the answer.

Promise: a body is read within its limits and decoded into its struct or refused with path, expected and found, before
anything is done; an ``Idempotency-Key`` stands for one body of one caller and path; work that waits for the database is
done in a thread, so that it holds up nobody's decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from starlette.responses import Response

from shopward.errors import InputTooLarge, InvalidField, MalformedInput, NotFound
from shopward.events.intake import holds_nul, refusal_of
from shopward.flows.wording import language_of
from shopward.http.body import Bodies, ClientGone
from shopward.http.hot import authorised_caller
from shopward.http.idempotency import IdempotencyKeys
from shopward.http.problems import HttpRefusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from shopward.access import ApiKeys, Caller, Role
    from shopward.config import Settings

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Enough for a victim set of 10,000 ids."""
ID_MAX: Final = 130
USER_ID_MAX: Final = 128
"""As in an event (``events.catalogue.Id``)."""

T = TypeVar("T")


class Calls:
    """Reads requests of the record plane.

    Args:
        keys: who may call.
        settings: limits.
    """

    def __init__(self, keys: ApiKeys, settings: Settings) -> None:
        self._keys = keys
        self._bodies = Bodies(settings)
        self._idempotency = IdempotencyKeys()

    def caller(self, request: Request, *roles: Role) -> Caller:
        """Who asks; raises where there is no key, or one without any of these roles. Fails closed."""
        caller = authorised_caller(self._keys, request.headers.get("authorization", "").encode("latin-1"))
        if roles:
            caller.require(*roles)
        return caller

    async def raw(self, request: Request, *, limit: int = BODY_BYTES_MAX) -> bytes:
        """The whole body of a caller who has no key and proves himself by the body."""
        announced = request.headers.get("content-length")
        try:
            raw = await self._bodies.read(
                request.receive, None if announced is None else announced.encode("latin-1"), limit
            )
        except ClientGone:
            raise MalformedInput("the body ended too early", expected="a whole body") from None
        self._bodies.release(len(raw))  # bounded by the number of requests from here on
        return raw

    async def body(
        self, request: Request, caller: Caller, *, media_type: str = JSON, limit: int = BODY_BYTES_MAX
    ) -> bytes:
        """The whole body, of the right type, under its idempotency key if it has one."""
        found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if found != media_type:
            raise HttpRefusal(
                415, "unsupported_media_type", "this call does not read this content type", path="Content-Type",
                expected=media_type, found="another type" if found else "nothing",
            )  # fmt: skip
        raw = await self.raw(request, limit=limit)
        key = request.headers.get("idempotency-key")
        if key is not None:
            self._idempotency.reserve(caller.key, request.url.path, key.encode("latin-1"), raw)
        return raw

    async def optional_body(self, request: Request, caller: Caller, default: T) -> T:
        """The struct that a body says; ``default`` where there is none."""
        if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
            return default
        return decoded(await self.body(request, caller), type(default))


def decoded(raw: bytes, shape: type[T]) -> T:
    """The struct that a body says; raises ``BadInput``."""
    try:
        value = msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as refusal:
        raise refusal_of(str(refusal), raw) from None
    except RecursionError:
        raise InputTooLarge("nested too deeply", expected="a depth that the call needs") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise MalformedInput("not a JSON object", expected="one JSON object in UTF-8") from None
    if b"\\u0000" in raw and holds_nul(msgspec.to_builtins(value)):
        raise InvalidField("a NUL character", path="(the body)", expected="text without U+0000")
    return value


def by_method(
    **handlers: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """One handler of several methods, of one route: a wrong method is answered with all that are right. HEAD is GET."""

    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle


def id_of(request: Request, name: str = "id") -> str | None:
    """An id of the path; ``None`` where nothing can have it."""
    given: str = request.path_params[name]
    if not 1 <= len(given) <= ID_MAX or "\0" in given or any("\ud800" <= each <= "\udfff" for each in given):
        return None
    return given


def needed_id(request: Request, noun: str, name: str = "id") -> str:
    """An id of the path; raises ``NotFound`` where nothing can have it."""
    found = id_of(request, name)
    if found is None:
        raise NotFound(f"no such {noun}", path=name, expected="the id of one", found="another text")
    return found


def user_id(given: str | None, *, path: str = "id") -> str:
    """The id of a user as an event may carry it; raises ``InvalidField`` where it could not."""
    if not given or len(given) > USER_ID_MAX:
        raise InvalidField(
            "not a user's id",
            path=path,
            expected=f"1 to {USER_ID_MAX} characters",
            found="another text" if given is None else f"{len(given)}",
        )
    return given


def language(request: Request) -> str:
    """The language asked for."""
    return language_of(request.headers.get("accept-language", "").encode("latin-1"))


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer that nobody keeps."""
    return Response(
        msgspec.json.encode(value), status, media_type=JSON, headers={"cache-control": "no-store"}
    )
