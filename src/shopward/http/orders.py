"""Orders and keys over HTTP: place, look at, approve, release, except; make and list keys.

Promise: an answer to a change leaves after it is committed and, unless the log cannot record just now, after the log has
it: what is decided from then on is decided under it. Who approves is told by the key and by nothing in the body. A
release for many users that waits for a second person is a 202.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from shopward.access.keys import KeyName, KeyView, Role
from shopward.errors import InvalidField
from shopward.events.catalogue import Id, Word
from shopward.http.calls import decoded, json_answer, language, needed_id
from shopward.outbox import Topic
from shopward.protection.orders import OrderRequest, ReleaseCondition
from shopward.protection.states import STATES
from shopward.protection.view import OrderView, view

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import ApiKeys
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.protection.orders import Order
    from shopward.service import Shopward

LIST_MAX: Final = 200
LIST_DEFAULT: Final = 50
EXCEPTIONS_MAX: Final = 10_000


class Orders(Struct):
    """A page of orders, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    orders: list[OrderView]
    next: str | None


class ReleaseAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/release`` takes: nothing, or that a request for release is taken back."""

    withdraw: bool = False


class ExceptionsAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/exceptions`` takes: whom to let out, by which condition of the order, and what shows it."""

    users: Annotated[list[Id], Meta(min_length=1, max_length=EXCEPTIONS_MAX)]
    cause: ReleaseCondition
    evidence: Word = ""


class KeyAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A key to be made: its name, whose it is, what it may do, and how large a share of users it may approve."""

    name: KeyName
    person: KeyName
    roles: Annotated[list[Role], Meta(min_length=1, max_length=3)]
    share_max: Annotated[float, Meta(ge=0, le=1)] = 1.0


class KeyMade(Struct):
    """The key, in clear for this once."""

    key: str
    name: str
    person: str
    roles: list[Role]


class Keys(Struct):
    """All keys, without anything of the keys themselves."""

    keys: list[KeyView]


class OrderCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        keys: who may call, and where keys are made.
        gate: takes changed orders into the log.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, keys: ApiKeys, gate: Gate, calls: Calls) -> None:
        self._shopward = shopward
        self._desk = shopward.protection
        self._overseer = shopward.overseer
        self._keys = keys
        self._gate = gate
        self._calls = calls

    async def place(self, request: Request) -> Response:
        """``POST /v1/orders``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), OrderRequest)
        key = request.headers.get("idempotency-key")
        order = await run_in_threadpool(self._desk.place, caller, asked, key)
        return await self._changed(request, order, 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/orders?state=&before=&limit=``."""
        self._calls.caller(request)
        state, before, limit = request.query_params.get("state"), before_of(request), limit_of(request)
        if state is not None and state not in STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(STATES),
                found="another word",
            )  # fmt: skip
        found = await run_in_threadpool(
            lambda: self._overseer.newest(state=state, before=before, limit=limit + 1)
        )
        at_ms, spoken = self._shopward.clock.now_ms(), language(request)
        shown = [view(order, language=spoken, at_ms=at_ms) for order in found[:limit]]
        return json_answer(Orders(shown, shown[-1].id if len(found) > limit else None))

    async def one(self, request: Request) -> Response:
        """``GET /v1/orders/{id}?progress=true``."""
        self._calls.caller(request)
        asked = request.query_params.get("progress", "false")
        if asked not in ("true", "false"):
            raise InvalidField(
                "not yes or no", path="progress", expected="true or false", found="another word"
            )
        order_id = needed_id(request, "order")

        def work() -> OrderView:
            order, exceptions = self._overseer.get(order_id)
            progress = self._overseer.progress(order) if asked == "true" else None
            return view(
                order, language=language(request), at_ms=self._shopward.clock.now_ms(), exceptions=exceptions,
                progress=progress, user=self._shopward.user_of(order),
            )  # fmt: skip

        return json_answer(await run_in_threadpool(work))

    async def approve(self, request: Request) -> Response:
        """``POST /v1/orders/{id}/approve``; no body."""
        caller = self._calls.caller(request, "analyst")
        order = await run_in_threadpool(self._desk.approve, caller, needed_id(request, "order"))
        return await self._changed(request, order)

    async def release(self, request: Request) -> Response:
        """``POST /v1/orders/{id}/release``; the body may be left out."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, ReleaseAsked())
        order_id = needed_id(request, "order")
        order = await run_in_threadpool(lambda: self._desk.release(caller, order_id, withdraw=asked.withdraw))
        return await self._changed(request, order, 202 if order.release_by and not order.ended_ms else 200)

    async def exceptions(self, request: Request) -> Response:
        """``POST /v1/orders/{id}/exceptions``."""
        caller = self._calls.caller(request, "analyst", "service")
        asked = decoded(await self._calls.body(request, caller), ExceptionsAsked)
        order_id = needed_id(request, "order")
        done = await run_in_threadpool(
            lambda: self._desk.exempt(
                caller, order_id, asked.users, cause=asked.cause, evidence=asked.evidence
            )
        )
        await self._gate.take_orders()
        return json_answer(done)

    async def make_key(self, request: Request) -> Response:
        """``POST /v1/keys``; the audit line is written before the key, so that no key is without one."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), KeyAsked)
        clock = self._shopward.clock

        def work() -> str:
            at_ms, subject, roles = clock.now_ms(), f"key:{asked.name}", list(asked.roles)
            details = {"roles": roles, "share_max": str(asked.share_max)}

            def deed(connection: Any) -> None:
                self._shopward.outbox.owe(
                    connection,
                    at_ms=at_ms,
                    topic=Topic.KEY_CREATED,
                    subject=subject,
                    payload={"roles": roles},
                )
                self._shopward.trail.append(
                    connection,
                    at_ms=at_ms,
                    actor=caller.key,
                    deed="key:create",
                    subject=subject,
                    details=details,
                )

            self._shopward.records.write(deed)
            return self._keys.make(
                name=asked.name, person=asked.person, roles=tuple(asked.roles), share_max=asked.share_max,
                clock=clock,
            )  # fmt: skip

        key = await run_in_threadpool(work)
        return json_answer(KeyMade(key, asked.name, asked.person, asked.roles), 201)

    async def list_keys(self, request: Request) -> Response:
        """``GET /v1/keys``."""
        self._calls.caller(request, "admin")
        return json_answer(Keys(self._keys.listed()))

    async def _changed(self, request: Request, order: Order, status: int = 200) -> Response:
        """The order, once the log has it.

        Where the log cannot record, the order stands all the same: the fence holds it against captures, and the log
        takes it before it takes any event.
        """
        await self._gate.take_orders()
        shown: Any = view(order, language=language(request), at_ms=self._shopward.clock.now_ms())
        return json_answer(shown, status)


def before_of(request: Request) -> str | None:
    """Where a page of a list begins."""
    before = request.query_params.get("before")
    if before is not None and (not before.isascii() or not before.isprintable() or len(before) > 64):
        raise InvalidField(
            "not the id of anything listed",
            path="before",
            expected="the next of an answer",
            found="another text",
        )
    return before


def limit_of(request: Request) -> int:
    """How long a page of a list is."""
    text = request.query_params.get("limit", str(LIST_DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= LIST_MAX):
        raise InvalidField(
            "not a limit", path="limit", expected=f"a whole number from 1 to {LIST_MAX}", found="another text"
        )
    return int(text)
