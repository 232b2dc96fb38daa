"""Virtual contact data over HTTP: the pool of numbers, and whom an alias stands for.

Promise: a resolution is decided by the gate between its two halves, as every reveal; a value leaves for the caller who asked,
after it is on the disk, and an alias stands in no path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, ShopwardError
from shopward.http.calls import by_method, decoded, json_answer
from shopward.http.decided import judged_on
from shopward.http.orders import limit_of
from shopward.partners.aliases import POOL_MAX, Alias, AliasState, state_of
from shopward.partners.partner import Name
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.http.metrics import Metrics
    from shopward.service import Shopward

ALIAS_CHARS_MAX: Final = 320
AliasText = Annotated[str, Meta(min_length=1, max_length=ALIAS_CHARS_MAX)]
Explained = Annotated[str, Meta(max_length=128)]


class NumbersAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """Numbers of the shop's relay, E.164."""

    numbers: Annotated[
        tuple[Annotated[str, Meta(max_length=16)], ...], Meta(min_length=1, max_length=POOL_MAX)
    ]


class PoolView(Struct):
    """The pool after an import."""

    added: int
    numbers: int
    free: int


class AliasView(Struct, omit_defaults=True):
    """An alias; whose it is where it is not free."""

    alias: str
    kind: str
    state: AliasState
    partner: str = ""
    share: str = ""
    record: str = ""
    expires_at: str = ""


class AliasesView(Struct):
    """A page of aliases, by alias."""

    aliases: list[AliasView]
    next: str | None


class ResolveAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """Which alias, and why somebody has to be reached: ``case_id`` or ``order_id``, as the purpose takes it; ``challenge_id`` that a person passed for exactly this."""

    alias: AliasText
    purpose: Name
    case_id: Explained = ""
    order_id: Explained = ""
    challenge_id: Annotated[str, Meta(max_length=64)] = ""


class ResolvedView(Struct):
    """Whom the relay has to reach."""

    kind: str
    value: str


class AliasCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides on each resolution.
        calls: reads requests.
        metrics: counts what came of resolutions.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls, metrics: Metrics) -> None:
        self._desk, self._gate, self._calls, self._metrics = shopward.aliases, gate, calls, metrics

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/partners/aliases/pool", by_method(GET=self.listed, POST=self.pool), methods=["GET", "POST"]),
            Route("/v1/partners/aliases/resolve", self.resolve, methods=["POST"]),
        ]  # fmt: skip

    async def pool(self, request: Request) -> Response:
        """``POST /v1/partners/aliases/pool``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), NumbersAsked)
        return json_answer(
            PoolView(*await run_in_threadpool(self._desk.add_numbers, caller, asked.numbers)), 201
        )

    async def listed(self, request: Request) -> Response:
        """``GET /v1/partners/aliases/pool?after=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, after = limit_of(request), _after(request)
        found = await run_in_threadpool(lambda: self._desk.listed(after=after, limit=limit + 1))
        now_ms = self._desk.now_ms()
        shown = [_view(each, now_ms) for each in found[:limit]]
        return json_answer(AliasesView(shown, shown[-1].alias if len(found) > limit else None))

    async def resolve(self, request: Request) -> Response:
        """``POST /v1/partners/aliases/resolve``."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), ResolveAsked)
        try:
            answer = await self._resolved(caller, asked)
        except ShopwardError as refused:
            self._metrics.resolutions[refused.code] += 1
            raise
        self._metrics.resolutions["given"] += 1
        return json_answer(answer)

    async def _resolved(self, caller: Caller, asked: ResolveAsked) -> ResolvedView:
        resolving = await run_in_threadpool(
            lambda: self._desk.prepare(
                caller, asked.alias, purpose=asked.purpose, case_id=asked.case_id, order_id=asked.order_id,
                challenge_id=asked.challenge_id,
            )
        )  # fmt: skip
        decisions, excluded = await judged_on(self._gate, resolving.pending.events)
        value = await run_in_threadpool(
            lambda: self._desk.finish(caller, resolving, decisions, excluded=excluded)
        )
        return ResolvedView(resolving.alias.kind, value)


def _after(request: Request) -> str:
    after = request.query_params.get("after", "")
    if "\0" in after or len(after) > ALIAS_CHARS_MAX:
        raise InvalidField("not an alias", path="after", expected=f"at most {ALIAS_CHARS_MAX} characters", found="another text")  # fmt: skip
    return after


def _view(alias: Alias, now_ms: int) -> AliasView:
    state = state_of(alias, now_ms)
    if state == "free":
        return AliasView(alias.alias, alias.kind, state)
    return AliasView(
        alias.alias, alias.kind, state, alias.partner, alias.share, alias.record, to_rfc3339(alias.expires_ms)
    )
