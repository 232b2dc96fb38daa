"""The vault over HTTP: keep, look, reveal, search, correct, export, and who looked.

Promise: who asks is told by the key; a reveal is decided by the gate between its two halves, and its values leave after audit
and access are on the disk. Values never stand in a path or a query, which proxies log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.flows.custody import masked_view, revealed
from shopward.flows.looks import RevealAsk
from shopward.http.calls import by_method, decoded, json_answer, language, needed_id
from shopward.http.decided import judged_on
from shopward.http.orders import limit_of
from shopward.http.vault_shapes import (
    Accesses,
    AccessView,
    ExportAsked,
    Exported,
    RecordAsked,
    Records,
    RecordsAsked,
    RecordView,
    RectifyAsked,
    Requests,
    RequestView,
    RevealAsked,
    SearchAsked,
    TokenAsked,
    TokenView,
)
from shopward.values import to_ms, to_rfc3339
from shopward.vault.masks import STYLES
from shopward.vault.rows import Access, RevealRequest, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.flows.custody import Shown
    from shopward.flows.looks import Pending
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward


class VaultCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides on each reveal and search.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._vault = shopward.vault
        self._dossiers = shopward.dossiers
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/vault/records", self.put, methods=["POST"]),
            Route(
                "/v1/vault/records/{id}", by_method(GET=self.look, POST=self.rectify), methods=["GET", "POST"]
            ),
            Route("/v1/vault/reveal", self.reveal, methods=["POST"]),
            Route("/v1/vault/requests", self.waiting, methods=["GET"]),
            Route("/v1/vault/requests/{id}/approve", self.approve, methods=["POST"]),
            Route("/v1/vault/search", self.search, methods=["POST"]),
            Route("/v1/vault/tokens", self.token, methods=["POST"]),
            Route("/v1/vault/users/{id}/records", self.of_user, methods=["GET"]),
            Route("/v1/vault/users/{id}/accesses", self.accesses, methods=["GET"]),
            Route("/v1/vault/users/{id}/export", self.export, methods=["POST"]),
        ]

    async def put(self, request: Request) -> Response:
        """``POST /v1/vault/records``: all of them or none."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), RecordsAsked)
        writes = [_write(each) for each in asked.records]
        return _records(await run_in_threadpool(self._vault.custody.put, caller, writes), 201)

    async def look(self, request: Request) -> Response:
        """``GET /v1/vault/records/{id}?style=``: masked."""
        self._calls.caller(request, "service", "analyst")
        style: Any = request.query_params.get("style", "screen")
        if style not in STYLES:
            raise InvalidField(
                "no such style", path="style", expected=" or ".join(STYLES), found="another word"
            )
        return json_answer(
            _view(await run_in_threadpool(self._vault.custody.look, needed_id(request, "thing"), style))
        )

    async def rectify(self, request: Request) -> Response:
        """``POST /v1/vault/records/{id}``."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), RectifyAsked)
        return json_answer(
            _view(
                await run_in_threadpool(
                    self._vault.custody.rectify, caller, needed_id(request, "thing"), asked.fields
                )
            )
        )

    async def reveal(self, request: Request) -> Response:
        """``POST /v1/vault/reveal``: 200 with values, 202 where a second person has to agree, 403 with a challenge to answer."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), RevealAsked)
        ask = RevealAsk(asked.records, asked.fields, asked.purpose, asked.case_id, asked.order_id)
        pending = await run_in_threadpool(
            lambda: self._vault.reveals.prepare(
                caller, ask, asked.request_id, challenge_id=asked.challenge_id
            )
        )
        if isinstance(pending, RevealRequest):
            return json_answer(_request_view(pending), 202)
        return json_answer(Records(await self._opened(caller, pending)))

    async def export(self, request: Request) -> Response:
        """``POST /v1/vault/users/{id}/export``: the records of the vault, and what stands beside them."""
        caller, spoken = self._calls.caller(request, "analyst"), language(request)
        asked, user = (
            decoded(await self._calls.body(request, caller), ExportAsked),
            needed_id(request, "thing"),
        )
        missing, records = None, list[RecordView]()
        try:
            pending = await run_in_threadpool(
                lambda: self._vault.reveals.prepare_export(
                    caller, user, asked.case_id, challenge_id=asked.challenge_id
                )
            )
            records = await self._opened(caller, pending)
        except NotFound as refused:
            missing = refused
        dossier = await run_in_threadpool(self._dossiers.of, caller, user, asked.case_id, spoken)
        if missing is not None and dossier.is_empty:
            raise missing
        return json_answer(Exported(records, dossier))

    async def search(self, request: Request) -> Response:
        """``POST /v1/vault/search``: masked; 403 with a challenge to answer."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), SearchAsked)
        hits = await run_in_threadpool(
            lambda: self._vault.reveals.search(
                caller, kind=asked.kind, field=asked.field, transform=asked.transform, value=asked.value, limit=asked.limit,
                challenge_id=asked.challenge_id,
            )
        )  # fmt: skip
        decisions, excluded = await judged_on(self._gate, hits.events)
        await run_in_threadpool(lambda: self._vault.reveals.check(caller, hits, decisions, excluded=excluded))
        return _records([masked_view(each) for each in hits.found])

    async def waiting(self, request: Request) -> Response:
        """``GET /v1/vault/requests``."""
        self._calls.caller(request, "analyst")
        found = await run_in_threadpool(self._vault.guard.waiting)
        return json_answer(Requests([_request_view(each) for each in found]))

    async def approve(self, request: Request) -> Response:
        """``POST /v1/vault/requests/{id}/approve``; no body."""
        caller = self._calls.caller(request, "analyst")
        return json_answer(
            _request_view(
                await run_in_threadpool(self._vault.guard.approve, caller, needed_id(request, "thing"))
            )
        )

    async def of_user(self, request: Request) -> Response:
        """``GET /v1/vault/users/{id}/records?kind=&after=&limit=``: masked."""
        self._calls.caller(request, "service", "analyst")
        limit, query = limit_of(request), request.query_params
        found = await run_in_threadpool(
            lambda: self._vault.custody.of_user(
                needed_id(request, "thing"), kind=_text(query.get("kind")), after=_text(query.get("after")) or "", limit=limit + 1
            )
        )  # fmt: skip
        shown = found[:limit]
        return json_answer(
            Records([_view(each) for each in shown], shown[-1].id if len(found) > limit else None)
        )

    async def accesses(self, request: Request) -> Response:
        """``GET /v1/vault/users/{id}/accesses?before=&limit=``: who looked."""
        self._calls.caller(request, "service", "analyst")
        limit, before = limit_of(request), _text(request.query_params.get("before"))
        found = await run_in_threadpool(
            lambda: self._vault.custody.seen(needed_id(request, "thing"), before=before, limit=limit + 1)
        )
        shown = found[:limit]
        following = shown[-1].id if len(found) > limit else None
        return json_answer(Accesses([_access_view(each) for each in shown], following))

    async def token(self, request: Request) -> Response:
        """``POST /v1/vault/tokens``."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), TokenAsked)
        made = await run_in_threadpool(
            lambda: self._vault.custody.token(
                asked.user,
                partner=asked.partner,
                purpose=asked.purpose,
                epoch=asked.epoch,
                version=asked.key_version,
            )
        )
        return json_answer(TokenView(made))

    async def _opened(self, caller: Caller, pending: Pending) -> list[RecordView]:
        """The values, once the gate has decided and everything is written down."""
        decisions, excluded = await judged_on(self._gate, pending.events)
        found = await run_in_threadpool(
            lambda: self._vault.reveals.finish(caller, pending, decisions, excluded=excluded)
        )
        return [_view(revealed(each)) for each in found]


def _write(asked: RecordAsked) -> Write:
    expires_ms = 0 if asked.expires_at is UNSET else to_ms(asked.expires_at)
    return Write(asked.id, asked.user, "", asked.kind, asked.fields, asked.region, expires_ms, asked.canary)


def _records(shown: Sequence[Shown], status: int = 200) -> Response:
    return json_answer(Records([_view(each) for each in shown]), status)


def _view(shown: Shown) -> RecordView:
    return RecordView(
        shown.id, shown.kind, shown.version, shown.region, to_rfc3339(shown.created_ms), to_rfc3339(shown.changed_ms),
        shown.fields, to_rfc3339(shown.expires_ms) if shown.expires_ms else "",
    )  # fmt: skip


def _request_view(request: RevealRequest) -> RequestView:
    asked = msgspec.json.decode(request.body, type=RevealAsked)
    return RequestView(
        request.id, request.state, request.person, asked, to_rfc3339(request.ends_ms), request.approved_by
    )


def _access_view(seen: Access) -> AccessView:
    return AccessView(
        seen.id, to_rfc3339(seen.at_ms), seen.person, seen.purpose, seen.case_id, seen.order_id, seen.record, seen.version,
        [each for each in seen.fields.split(",") if each], seen.outcome,
    )  # fmt: skip


def _text(value: str | None) -> str | None:
    """A text of the query; raises where no store could compare it."""
    if value is not None and ("\0" in value or len(value) > 130):
        raise InvalidField("not a text to look for", path="(the query)", expected="at most 130 characters")
    return value
