"""Pages of claims: the list by state, one claim with what the platform knows of each transaction, decided from the browser.

Promise: as over the API, claims are shown to a service's and an analyst's session, and decided by an analyst's alone; one that only looks
is told so and sees none. Who decided is shown to nobody here; it stands in the audit log. What is pressed goes through ``flows.claim`` under
the person of the session, which holds the rule of two persons; a form of another site is refused. Pages work without scripts.

Not here: filing (``filing_pages``), and what became of a payout by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, get_args
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.claims.claim import (
    OPEN,
    PlatformEvidence,
    Reason,
    StopReason,
    borne,
    claimed,
    deadline_ms,
)
from shopward.claims.payouts import INSTRUMENTS, Instrument
from shopward.claims.view import view
from shopward.claims.wording import said, texts
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows.claim import ITEMS_MAX
from shopward.http.calls import decoded, id_of, needed_id
from shopward.http.claims import STATES, Reference
from shopward.http.filters import minor_of
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.sessions import form_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from shopward.access import Caller
    from shopward.claims import Claim
    from shopward.claims.claim import State
    from shopward.flows.claim import ClaimDesk
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.service import Shopward

PAGE: Final = 50
_AMOUNT: Final = "amount."
_FORM_BYTES_MAX: Final = 4_096 + ITEMS_MAX * 1_600
"""An amount for each item, by an event's id of 128 characters, each of them up to twelve bytes in a form."""
ORDER: Final[tuple[State, ...]] = (
    "under_review", "decline_proposed", "approved", "paid", "declined", "withdrawn", "draft",
)  # fmt: skip
REFUSALS: Final[tuple[Reason, ...]] = (
    "authorised_by_owner", "customer_share", "above_cap", "outside_period", "not_disputable",
)  # fmt: skip
"""Why a claim is refused; the other reasons are for what is borne."""
STOPS: Final[tuple[StopReason, ...]] = (
    "waiting_for_customer",
    "waiting_for_partner",
    "waiting_for_authority",
)
UNFIT: Final = "unfit_amounts"
"""Tells of amounts that the claim does not take."""
TOLD: Final = (
    "second_person_needed", "claim_needs_evidence", "claim_always_borne", "claim_state", UNFIT,
)  # fmt: skip
"""Refusals that have a sentence of their own on the page."""


class _Press(Struct, tag_field="do", forbid_unknown_fields=True):
    """What may be pressed."""

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        """Take the step; raises why it may not be taken."""
        raise NotImplementedError


class _Approve(_Press, tag="approve"):
    """As assessed, or more of an item."""

    instrument: Instrument = "original"
    goodwill: bool = False
    amounts: dict[str, str] = {}

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        amounts = _minor(claim, self.amounts)
        return desk.approve(caller, claim.id, amounts, is_goodwill=self.goodwill, instrument=self.instrument)


class _Decline(_Press, tag="decline"):
    """Less of an item; whole, for each that has evidence against it, where no amounts are said."""

    reason: Reason
    amounts: dict[str, str] = {}

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        doubted = {item.event_id: 0 for item in claim.items if item.evidence and item.borne_minor}
        return desk.propose(caller, claim.id, _minor(claim, self.amounts) or doubted, self.reason)


class _Evidence(_Press, tag="evidence"):
    event: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: PlatformEvidence
    reference: Reference

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        return desk.add_evidence(caller, claim.id, self.event, self.kind, self.reference)


class _Confirm(_Press, tag="confirm"):
    instrument: Instrument = "original"

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        return desk.confirm(caller, claim.id, instrument=self.instrument)


class _Reject(_Press, tag="reject"):
    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        return desk.reject(caller, claim.id)


class _Stop(_Press, tag="stop"):
    reason: StopReason

    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        return desk.stop_clock(caller, claim.id, self.reason)


class _Start(_Press, tag="start"):
    def on(self, desk: ClaimDesk, caller: Caller, claim: Claim) -> object:
        return desk.start_clock(caller, claim.id)


_Pressed = _Approve | _Decline | _Evidence | _Confirm | _Reject | _Stop | _Start


class ClaimPages:
    """The handlers.

    Args:
        shopward: the open engine.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(self, shopward: Shopward, *, sessions: Sessions, paper: Paper) -> None:
        self._desk = shopward.claims
        self._clock = shopward.clock
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/claims", self.listed, methods=["GET"]),
            Route("/claims/{id}", self.one, methods=["GET"]),
            Route("/claims/{id}", self.press, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /claims?state=&before=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        state, before = request.query_params.get("state", ORDER[0]), request.query_params.get("before", "")
        if state not in STATES or not is_cursor(before):
            return self._paper.missing(request)
        may = self._may(request)
        found: Sequence[Claim] = (
            await run_in_threadpool(
                lambda: self._desk.listed(state=state, user_id="", incident="", before=before, limit=PAGE + 1)
            )
            if may
            else ()
        )
        owners = await run_in_threadpool(self._desk.owners, found[:PAGE])
        rows = [
            {"claim": each, "user": owners.get(each.user, ""), "sums": _sums(each), "due_ms": _due_ms(each)}
            for each in found[:PAGE]
        ]
        return self._paper.page(
            request, "claims.html", state=state, states=ORDER, may=may, rows=rows, now_ms=self._clock.now_ms(),
            before=found[PAGE - 1].id if len(found) > PAGE else "",
        )  # fmt: skip

    async def one(self, request: Request) -> Response:
        """``GET /claims/{id}``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        name = id_of(request)
        if name is None or not self._may(request):
            return self._paper.missing(request)
        try:
            claim, payouts = await run_in_threadpool(self._desk.get, name)
        except NotFound:
            return self._paper.missing(request)
        owners = await run_in_threadpool(self._desk.owners, [claim])
        spoken = reader_language(request)
        shown = view(claim, payouts, language=spoken, user=owners[claim.user])
        return self._paper.page(
            request, "claim.html", claim=claim, shown=shown, now_ms=self._clock.now_ms(), due_ms=_due_ms(claim),
            may=self._sessions.has_role(request, "analyst"), back=_path(name), instruments=INSTRUMENTS,
            refusals=[(each, said("reasons", each, spoken)) for each in REFUSALS],
            why=_why(spoken),
            stops=[(each, said("stops", each, spoken)) for each in STOPS],
            is_doubted=any(item.evidence and item.borne_minor for item in claim.items), evidence=get_args(PlatformEvidence),
            notice=notice_of(request, TOLD),
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /claims/{id}``: decide it, or stop its clock."""
        caller, name = self._sessions.analyst(request), needed_id(request, "claim")
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        asked: _Press = decoded(msgspec.json.encode(_fields(form)), _Pressed)  # type: ignore[arg-type] # a union
        claim, _payouts = await run_in_threadpool(self._desk.get, name)
        notice = ""
        try:
            await run_in_threadpool(asked.on, self._desk, caller, claim)
        except (Conflict, Refused) as refused:
            notice = f"?notice={refused.code}"
        except InvalidField:
            notice = f"?notice={UNFIT}"
        return RedirectResponse(_path(name) + notice, 303)

    def _may(self, request: Request) -> bool:
        return self._sessions.has_role(request, "service", "analyst")


def _fields(form: dict[str, str]) -> dict[str, Any]:
    """A form's fields: ``amount.EVENT`` for each event, and a box that is ticked or not."""
    named: dict[str, Any] = {name: value for name, value in form.items() if not name.startswith(_AMOUNT)}
    amounts = {name.removeprefix(_AMOUNT): value for name, value in form.items() if name.startswith(_AMOUNT)}
    if named.get("do") in ("approve", "decline"):
        named |= {"amounts": amounts}
    return named | {"goodwill": True} if "goodwill" in named else named


def _minor(claim: Claim, amounts: Mapping[str, str]) -> dict[str, int]:
    """The amounts in minor units; raises where one is none of its item's currency."""
    found: dict[str, int] = {}
    for item in claim.items:
        if item.event_id in amounts:
            amount = minor_of(amounts[item.event_id], item.currency)
            if amount is None:
                raise InvalidField(
                    "not an amount", path="amounts", expected=f"an amount in {item.currency}", found="another text"
                )  # fmt: skip
            found[item.event_id] = amount
    return found


def _sums(claim: Claim) -> list[tuple[str, int, int]]:
    """By currency: what is claimed, and what the platform bears of it."""
    owed = borne(claim)
    return [(currency, amount, owed.get(currency, 0)) for currency, amount in claimed(claim).items()]


def _why(spoken: str) -> dict[str, str]:
    """What the words of the history's reasons say; what a person wrote stands as it is."""
    return {word: text[spoken] for kind in ("reasons", "stops") for word, text in texts()[kind].items()}


def _due_ms(claim: Claim) -> int:
    """By when somebody has to decide; 0 where nobody has."""
    return deadline_ms(claim) if claim.state in OPEN else 0


def _path(claim_id: str) -> str:
    return f"/claims/{quote(claim_id, safe='')}"
