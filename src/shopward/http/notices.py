"""Notices to customers over HTTP: a mailing is made, filled page by page, started by another person, looked at.

Promise: no answer holds an address; a page is taken whole or not at all, and sending it again changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, ShopwardError
from shopward.events import split_lines
from shopward.events.catalogue import Id
from shopward.http.calls import NDJSON, decoded, json_answer, needed_id
from shopward.notices.bounces import Lost, lost_message
from shopward.notices.mailing import Channel, Language, Letter, Way
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.notices import Mailing
    from shopward.service import Shopward

RFC822: Final = "message/rfc822"


class MailingAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is told, about which incident; ``rule`` is the duty that it meets.

    ``via`` is the order in which somebody's routes are tried, ``template`` what WhatsApp approved, ``per_minute`` how fast at most.
    """

    incident: Annotated[str, Meta(min_length=1, max_length=64)]
    letters: Annotated[dict[Language, Letter], Meta(min_length=1)]
    rule: Annotated[str, Meta(max_length=64)] = ""
    via: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=3)] = ("email", "whatsapp", "shop")
    template: Annotated[str, Meta(pattern=r"^[a-z0-9_]{0,512}\Z")] = ""
    per_minute: Annotated[int, Meta(ge=0, le=100_000)] = 0


class RecipientAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line of a page: who is told, by which ways, in which language; ``shop`` is the shop's own endpoint."""

    user: Id
    language: Language
    email: (
        Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\Z")]
        | UnsetType
    ) = UNSET
    phone: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")] | UnsetType = UNSET
    shop: bool = False

    def ways(self) -> list[Way]:
        """The ways to them."""
        mail = [] if self.email is UNSET else [Way("email", self.email)]
        phone = [] if self.phone is UNSET else [Way("whatsapp", self.phone)]
        return [*mail, *phone, *([Way("shop", self.user)] if self.shop else [])]


class MailingView(Struct, omit_defaults=True):
    """Where a mailing stands: how many wait and were told; whom no route is left for, since the last was refused or came back."""

    id: str
    incident: str
    state: str
    queued: int
    sent: int
    refused: int
    bounced: int
    created_at: str
    rule: str = ""
    started_at: str = ""
    done_at: str = ""


class Filled(Struct):
    """How many of a page were new."""

    added: int


class BounceAsked(Struct, forbid_unknown_fields=True):
    """A message came back: its ``Message-ID`` without brackets and domain, and why."""

    message: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Annotated[str, Meta(min_length=1, max_length=64)]


class NoticeCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.notices
        self._calls = calls
        self._limits = shopward.settings.limits

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/notices", self.make, methods=["POST"]),
            Route("/v1/notices/bounces", self.bounce, methods=["POST"]),
            Route("/v1/notices/{id}", self.one, methods=["GET"]),
            Route("/v1/notices/{id}/recipients", self.fill, methods=["POST"]),
            Route("/v1/notices/{id}/start", self.start, methods=["POST"]),
            Route("/v1/notices/{id}/pause", self.pause, methods=["POST"]),
        ]

    async def make(self, request: Request) -> Response:
        """``POST /v1/notices``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), MailingAsked)
        made = await run_in_threadpool(
            lambda: self._desk.make(
                caller, incident=asked.incident, rule=asked.rule, letters=asked.letters,
                via=tuple(dict.fromkeys(asked.via)), template=asked.template, per_minute=asked.per_minute,
            )
        )  # fmt: skip
        return json_answer(_view(made, {}), 201)

    async def one(self, request: Request) -> Response:
        """``GET /v1/notices/{id}``."""
        self._calls.caller(request, "analyst")
        return json_answer(_view(*await run_in_threadpool(self._desk.get, needed_id(request, "mailing"))))

    async def fill(self, request: Request) -> Response:
        """``POST /v1/notices/{id}/recipients``: a line a person."""
        caller = self._calls.caller(request, "analyst", "service")
        raw = await self._calls.body(request, caller, media_type=NDJSON, limit=self._limits.batch_bytes_max)
        lines = split_lines(raw, limits=self._limits)
        people = [_person(line, number) for number, line in enumerate(lines, start=1)]
        return json_answer(
            Filled(await run_in_threadpool(self._desk.fill, caller, needed_id(request, "mailing"), people))
        )

    async def start(self, request: Request) -> Response:
        """``POST /v1/notices/{id}/start``; no body."""
        caller = self._calls.caller(request, "analyst")
        await run_in_threadpool(self._desk.start, caller, needed_id(request, "mailing"))
        return json_answer(
            _view(*await run_in_threadpool(self._desk.get, needed_id(request, "mailing"))), 202
        )

    async def pause(self, request: Request) -> Response:
        """``POST /v1/notices/{id}/pause``; no body."""
        caller = self._calls.caller(request, "analyst")
        await run_in_threadpool(self._desk.pause, caller, needed_id(request, "mailing"))
        return json_answer(_view(*await run_in_threadpool(self._desk.get, needed_id(request, "mailing"))))

    async def bounce(self, request: Request) -> Response:
        """``POST /v1/notices/bounces``: an id and a reason, or the report as it came (RFC 3464)."""
        caller = self._calls.caller(request, "analyst", "service")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == RFC822:
            lost = lost_message(await self._calls.body(request, caller, media_type=RFC822))
        else:
            asked = decoded(await self._calls.body(request, caller), BounceAsked)
            lost = Lost(asked.message, asked.reason)
        mailing_id = await run_in_threadpool(self._desk.bounced, caller, lost.message, lost.why)
        return json_answer(_view(*await run_in_threadpool(self._desk.get, mailing_id)))


def _person(line: bytes, number: int) -> tuple[str, list[Way], Language]:
    refused: ShopwardError
    try:
        asked = decoded(line, RecipientAsked)
    except ShopwardError as error:
        refused = error
    else:
        return asked.user, asked.ways(), asked.language
    raise InvalidField(
        "a line of the page is refused", code=refused.code, path=f"line {number}", expected=refused.expected,
        found=refused.found, hint="no line of this page was taken",
    )  # fmt: skip


def _view(mailing: Mailing, counts: dict[str, int]) -> MailingView:
    return MailingView(
        mailing.id, mailing.incident, mailing.state, counts.get("queued", 0), counts.get("sent", 0), counts.get("refused", 0),
        counts.get("bounced", 0), to_rfc3339(mailing.created_ms), mailing.rule,
        to_rfc3339(mailing.started_ms) if mailing.started_ms else "", to_rfc3339(mailing.done_ms) if mailing.done_ms else "",
    )  # fmt: skip
