"""Partners over HTTP: registered and watched by the shop, pulled from by partners with the token of a share.

Promise: registering, suspending and sharing is the administrator's, looking the analyst's; a page is given for the share's
own token and nothing else, sealed. A token stands in no URL, log or later answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.events.catalogue import Id
from shopward.flows.pulling import PullAsk
from shopward.http.calls import by_method, decoded, id_of, json_answer, needed_id
from shopward.http.decided import decisions_on
from shopward.http.orders import before_of, limit_of
from shopward.http.problems import HttpRefusal
from shopward.partners import Agreement, AuditPlan, Contact, Partner, Share, due_ms
from shopward.partners.partner import Day, Fields, Line, Name, PartnerKind, PartnerState
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward

PAGE_MAX: Final = 10_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")
TOKEN_CHARS_MAX: Final = 128
SEALED: Final = "application/octet-stream"
MISSING: Final = "shopward-aliases-missing"
Row = dict[Name, Annotated[str, Meta(max_length=2_000)]]


class PartnerAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """A partner as the shop registers it."""

    id: Name
    name: Line
    kind: PartnerKind
    agreement: Agreement
    scope: dict[Name, Fields]
    duties: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=64)]
    audit: AuditPlan
    contact: Contact
    public_key: Annotated[str, Meta(max_length=64)]
    preset: Annotated[str, Meta(max_length=64)] = ""


class PartnerStep(Struct, forbid_unknown_fields=True, frozen=True):
    """A step: ``suspend``, ``resume`` or ``end``, and why."""

    step: Literal["suspend", "resume", "end"]
    reason: Line


class PartnerAudited(Struct, forbid_unknown_fields=True, frozen=True):
    """An audit that was held; one that was not passed suspends the partner."""

    on: Day
    passed: bool


class ShareAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """What a partner gets: ``records`` of the vault, by id, or ``rows`` with ``id`` and some of ``fields``."""

    purpose: Name
    fields: Fields
    days: Annotated[int, Meta(ge=1, le=366)]
    rows: Annotated[tuple[Row, ...], Meta(max_length=10_000)] = ()
    records: Annotated[tuple[Id, ...], Meta(max_length=10_000)] = ()


class PartnerView(Struct, omit_defaults=True):
    """A partner, and when its next audit is due."""

    id: str
    name: str
    kind: PartnerKind
    state: PartnerState
    agreement: Agreement
    scope: dict[str, tuple[str, ...]]
    duties: tuple[str, ...]
    audit: AuditPlan
    audit_due_at: str
    contact: Contact
    public_key: str
    preset: str = ""
    why: str = ""


class PartnersView(Struct):
    """A page of partners, by id."""

    partners: list[PartnerView]
    next: str | None


class ShareView(Struct, omit_defaults=True):
    """A share; ``token`` is there once, when it is made."""

    id: str
    partner: str
    purpose: str
    fields: tuple[str, ...]
    rows: int
    pages: int
    made_at: str
    expires_at: str
    state: Literal["open", "closed"]
    source: Literal["rows", "vault"]
    token: str = ""


class SharesView(Struct):
    """A page of shares, newest first."""

    shares: list[ShareView]
    next: str | None


class PartnerCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides on each pull.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.partners
        self._pulls = shopward.pulls
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        one = "/v1/partners/{id}"
        return [
            Route("/v1/partners", by_method(GET=self.listed, POST=self.register), methods=["GET", "POST"]),
            Route(one, self.look, methods=["GET"]),
            Route(one + "/steps", self.step, methods=["POST"]),
            Route(one + "/audits", self.audit, methods=["POST"]),
            Route(one + "/shares", by_method(GET=self.shares, POST=self.share), methods=["GET", "POST"]),
            Route(one + "/shares/{share}/close", self.close, methods=["POST"]),
            Route(one + "/shares/{share}/pages/{page}", self.page, methods=["GET"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /v1/partners?after=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, after = limit_of(request), _after(request)
        found = await run_in_threadpool(lambda: self._desk.listed(after=after, limit=limit + 1))
        shown = [_view(each) for each in found[:limit]]
        return json_answer(PartnersView(shown, shown[-1].id if len(found) > limit else None))

    async def register(self, request: Request) -> Response:
        """``POST /v1/partners``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), PartnerAsked)
        partner = Partner(**{name: getattr(asked, name) for name in PartnerAsked.__struct_fields__})
        return json_answer(_view(await run_in_threadpool(lambda: self._desk.register(caller, partner))), 201)

    async def look(self, request: Request) -> Response:
        """``GET /v1/partners/{id}``."""
        self._calls.caller(request, "analyst")
        partner_id = needed_id(request, "partner or share")
        return json_answer(_view(await run_in_threadpool(lambda: self._desk.get(partner_id))))

    async def step(self, request: Request) -> Response:
        """``POST /v1/partners/{id}/steps``."""
        caller, partner_id = self._calls.caller(request, "admin"), needed_id(request, "partner or share")
        asked = decoded(await self._calls.body(request, caller), PartnerStep)
        step = {"suspend": self._desk.suspend, "resume": self._desk.resume, "end": self._desk.end}[asked.step]
        return json_answer(_view(await run_in_threadpool(lambda: step(caller, partner_id, asked.reason))))

    async def audit(self, request: Request) -> Response:
        """``POST /v1/partners/{id}/audits``."""
        caller, partner_id = self._calls.caller(request, "admin"), needed_id(request, "partner or share")
        asked = decoded(await self._calls.body(request, caller), PartnerAudited)
        held = await run_in_threadpool(
            lambda: self._desk.audited(caller, partner_id, asked.on, passed=asked.passed)
        )
        return json_answer(_view(held))

    async def shares(self, request: Request) -> Response:
        """``GET /v1/partners/{id}/shares?before=&limit=``."""
        self._calls.caller(request, "analyst")
        partner_id, limit = needed_id(request, "partner or share"), limit_of(request)
        before = before_of(request) or ""
        found = await run_in_threadpool(lambda: self._desk.shares(partner_id, before=before, limit=limit + 1))
        shown = [_share(each) for each in found[:limit]]
        return json_answer(SharesView(shown, shown[-1].id if len(found) > limit else None))

    async def share(self, request: Request) -> Response:
        """``POST /v1/partners/{id}/shares``."""
        caller, partner_id = self._calls.caller(request, "admin"), needed_id(request, "partner or share")
        asked = decoded(await self._calls.body(request, caller), ShareAsked)
        share, token = await run_in_threadpool(
            lambda: self._desk.share(
                caller,
                partner_id,
                purpose=asked.purpose,
                fields=asked.fields,
                rows=asked.rows,
                records=asked.records,
                days=asked.days,
            )
        )
        return json_answer(_share(share, token), 201)

    async def close(self, request: Request) -> Response:
        """``POST /v1/partners/{id}/shares/{share}/close``."""
        caller, partner_id, share_id = (
            self._calls.caller(request, "admin"),
            needed_id(request, "partner or share"),
            needed_id(request, "partner or share", "share"),
        )
        return json_answer(
            _share(await run_in_threadpool(lambda: self._desk.close(caller, partner_id, share_id)))
        )

    async def page(self, request: Request) -> Response:
        """``GET /v1/partners/{id}/shares/{share}/pages/{page}``, with the share's token as the bearer."""
        scheme, _blank, token = request.headers.get("authorization", "").partition(" ")
        given: Any = request.path_params["page"]
        number = int(given) if given.isascii() and given.isdecimal() and len(given) <= 5 else PAGE_MAX
        partner_id, share_id = id_of(request) or "", id_of(request, "share") or ""
        if scheme.lower() != "bearer" or not 1 <= len(token) <= TOKEN_CHARS_MAX:
            raise _unknown()
        ask = PullAsk(partner_id, share_id, number, token)
        try:
            pending = await run_in_threadpool(self._pulls.prepare, ask)
            decisions = await decisions_on(self._gate, [pending.event])
            pulled = await run_in_threadpool(self._pulls.finish, pending, decisions)
        except NotFound:  # no such share and a wrong token look the same
            raise _unknown() from None
        headers = {"cache-control": "no-store"}
        if pulled.aliases_missing:
            headers[MISSING] = str(pulled.aliases_missing)
        return Response(pulled.sealed, media_type=SEALED, headers=headers)


def _unknown() -> HttpRefusal:
    return HttpRefusal(
        401, "unauthorized", "the token of this share is needed", path="Authorization",
        expected="Bearer and the token that the share was answered with", found="nothing or another token",
    )  # fmt: skip


def _after(request: Request) -> str:
    after = request.query_params.get("after", "")
    if after and not _NAME.fullmatch(after):
        raise InvalidField("not a partner's id", path="after", expected="an id as it was registered", found="another text")  # fmt: skip
    return after


def _view(partner: Partner) -> PartnerView:
    return PartnerView(
        id=partner.id, name=partner.name, kind=partner.kind, state=partner.state, agreement=partner.agreement,
        scope=partner.scope, duties=partner.duties, audit=partner.audit, audit_due_at=to_rfc3339(due_ms(partner.audit)),
        contact=partner.contact, public_key=partner.public_key, preset=partner.preset, why=partner.why,
    )  # fmt: skip


def _share(share: Share, token: str = "") -> ShareView:
    return ShareView(
        id=share.id, partner=share.partner, purpose=share.purpose, fields=share.fields, rows=share.rows, pages=share.pages,
        made_at=to_rfc3339(share.made_ms), expires_at=to_rfc3339(share.expires_ms), state=share.state, source=share.source,
        token=token,
    )  # fmt: skip
