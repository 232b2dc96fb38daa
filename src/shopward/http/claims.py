"""Claims over HTTP: the form that fills itself, decisions, appeals, payouts.

Promise: a step is committed, booked and audited before it is answered. The shop's service files and appeals for its customers;
deciding is the analyst's, and who decides is told by the key; what became of a payout by hand is the administrator's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar, get_args

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.claims.claim import PlatformEvidence, Reason, State, StopReason
from shopward.claims.payouts import Instrument
from shopward.claims.regimes import AMOUNT_MAX, DEFAULT
from shopward.claims.view import ClaimView, view
from shopward.errors import InvalidField, ShopwardError
from shopward.events.catalogue import Id, Moment
from shopward.flows.claim import ITEMS_MAX, Filing
from shopward.flows.claim_many import CLAIMS_MAX, Incident, Loss
from shopward.http.calls import by_method, decoded, json_answer, language, needed_id
from shopward.http.orders import before_of, limit_of
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.claims import Claim
    from shopward.http.calls import Calls
    from shopward.service import Shopward

STATES: Final[tuple[State, ...]] = get_args(State)
Reference = Annotated[str, Meta(min_length=1, max_length=64)]
Amounts = Annotated[dict[Id, Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]], Meta(max_length=ITEMS_MAX)]


class ClaimAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A form to be filled in.

    Attributes:
        user: the shop's own id.
        regime: ``full``, ``uk_app`` or ``reg_e``.
        incident: a sealed victim set, if the claim is about one.
        since: when the incident began; ``until`` when it ended.
    """

    user: Id
    regime: Annotated[str, Meta(min_length=1, max_length=32)] = DEFAULT
    incident: Annotated[str, Meta(max_length=64)] = ""
    since: Moment | UnsetType = UNSET
    until: Moment | UnsetType = UNSET


class SubmitAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The form comes in.

    Attributes:
        events: what is disputed, of the form's items.
        notice_at: when the platform was first told; now where left out.
        learned_at: when the customer learned of it; ``statement_at`` when a statement showed it; for regimes that ask.
        instrument: how the customer wants it back.
        is_vulnerable: of a customer whom the regime protects further.
    """

    events: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=ITEMS_MAX)]
    notice_at: Moment | UnsetType = UNSET
    learned_at: Moment | UnsetType = UNSET
    statement_at: Moment | UnsetType = UNSET
    instrument: Instrument = "original"
    is_vulnerable: bool = False


class ApproveAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Approve as assessed; ``amounts`` by event where more is borne, which is ``goodwill`` or a better assessment."""

    amounts: Amounts = {}
    is_goodwill: bool = False
    instrument: Instrument = "original"


class DeclineAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Propose to refuse: by event, what would be borne instead, and why."""

    amounts: Amounts
    reason: Reason


class ConfirmClaimAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The second person agrees; how what is still borne is paid."""

    instrument: Instrument = "original"


class EvidenceAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Evidence against an item: of which kind, and where it can be seen."""

    event: Id
    kind: PlatformEvidence
    reference: Reference


class ClockAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Stop the clock with a reason; without one it runs again."""

    stop: StopReason | UnsetType = UNSET


class ReopenAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is newly known."""

    reason: Annotated[str, Meta(min_length=3, max_length=200)]


class PayoutSaid(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What became of a payout, by hand."""

    state: Literal["paid", "failed"]
    reference: Reference


class LossAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a victim lost."""

    user: Id
    events: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=ITEMS_MAX)]


class ClaimsAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Claims filed for victims of an incident, a sealed victim set; ``since`` and ``until`` are its window."""

    incident: Annotated[str, Meta(min_length=1, max_length=64)]
    since: Moment
    until: Moment
    losses: Annotated[tuple[LossAsked, ...], Meta(min_length=1, max_length=CLAIMS_MAX)]
    regime: Annotated[str, Meta(min_length=1, max_length=32)] = DEFAULT
    instrument: Instrument = "original"


class FiledView(Struct, omit_defaults=True):
    """Of one victim: the claim and its state, or the code of why there is none, and what was found."""

    user: str
    claim: str = ""
    state: str = ""
    code: str = ""
    found: str = ""


class Filed(Struct):
    """One for each loss, in order."""

    filed: list[FiledView]


class Claims(Struct):
    """A page of claims, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    claims: list[ClaimView]
    next: str | None


_Shape = TypeVar("_Shape")


class ClaimCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.claims
        self._many = shopward.victim_claims
        self._payouts = shopward.payouts
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        steps = {
            "submit": self.submit, "approve": self.approve, "decline": self.decline, "confirm": self.confirm,
            "reject": self.reject, "evidence": self.evidence, "clock": self.clock, "appeal": self.appeal,
            "reopen": self.reopen, "withdraw": self.withdraw, "payouts": self.repay,
        }  # fmt: skip
        return [
            Route("/v1/claims", by_method(GET=self.listed, POST=self.draft), methods=["GET", "POST"]),
            Route("/v1/claims/batch", self.file_many, methods=["POST"]),
            Route("/v1/claims/{id}", self.one, methods=["GET"]),
            *(Route("/v1/claims/{id}/" + name, step, methods=["POST"]) for name, step in steps.items()),
            Route("/v1/payouts/{id}", self.settle, methods=["POST"]),
        ]

    async def draft(self, request: Request) -> Response:
        """``POST /v1/claims``."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), ClaimAsked)
        made = await run_in_threadpool(
            lambda: self._desk.draft(
                caller, asked.user, regime=asked.regime, incident=asked.incident, since_ms=_ms(asked.since),
                until_ms=_ms(asked.until),
            )
        )  # fmt: skip
        return json_answer(view(made, (), language=language(request)), 201)

    async def file_many(self, request: Request) -> Response:
        """``POST /v1/claims/batch``."""
        caller, asked = await self._read(request, ClaimsAsked, "analyst")
        about = Incident(
            asked.incident, to_ms(asked.since), to_ms(asked.until), asked.regime, asked.instrument
        )
        losses = [Loss(each.user, each.events) for each in asked.losses]
        answers = await run_in_threadpool(lambda: self._many.file(caller, about, losses))
        return json_answer(
            Filed([_filed(loss.user_id, each) for loss, each in zip(losses, answers, strict=True)])
        )

    async def listed(self, request: Request) -> Response:
        """``GET /v1/claims?state=&user=&incident=&before=&limit=``."""
        self._calls.caller(request, "service", "analyst")
        limit, before, spoken = limit_of(request), before_of(request) or "", language(request)
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(STATES),
                found="another word",
            )  # fmt: skip
        user, incident = (request.query_params.get(name, "")[:128] for name in ("user", "incident"))
        found = await run_in_threadpool(
            lambda: self._desk.listed(
                state=state, user_id=user, incident=incident, before=before, limit=limit + 1
            )
        )
        owners = await run_in_threadpool(self._desk.owners, found[:limit])
        shown = [view(each, (), language=spoken, user=owners[each.user]) for each in found[:limit]]
        return json_answer(Claims(shown, shown[-1].id if len(found) > limit else None))

    async def one(self, request: Request) -> Response:
        """``GET /v1/claims/{id}``."""
        self._calls.caller(request, "service", "analyst")
        claim, payouts = await run_in_threadpool(self._desk.get, needed_id(request, "thing"))
        owners = await run_in_threadpool(self._desk.owners, [claim])
        return json_answer(view(claim, payouts, language=language(request), user=owners[claim.user]))

    async def submit(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/submit``."""
        caller, asked = await self._read(request, SubmitAsked, "service", "analyst")
        filing = Filing(
            asked.events, _ms(asked.notice_at), _ms(asked.learned_at), _ms(asked.statement_at), asked.instrument,
            asked.is_vulnerable,
        )  # fmt: skip
        return await self._stepped(request, lambda name: self._desk.submit(caller, name, filing))

    async def approve(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/approve``; the body may be left out."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, ApproveAsked())
        return await self._stepped(
            request,
            lambda name: self._desk.approve(
                caller, name, asked.amounts, is_goodwill=asked.is_goodwill, instrument=asked.instrument
            ),
        )

    async def decline(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/decline``: proposes it."""
        caller, asked = await self._read(request, DeclineAsked, "analyst")
        return await self._stepped(
            request, lambda name: self._desk.propose(caller, name, asked.amounts, asked.reason)
        )

    async def confirm(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/confirm``; the body may be left out."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, ConfirmClaimAsked())
        return await self._stepped(
            request, lambda name: self._desk.confirm(caller, name, instrument=asked.instrument)
        )

    async def reject(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/reject``; no body."""
        caller = self._calls.caller(request, "analyst")
        return await self._stepped(request, lambda name: self._desk.reject(caller, name))

    async def evidence(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/evidence``."""
        caller, asked = await self._read(request, EvidenceAsked, "analyst")
        return await self._stepped(
            request,
            lambda name: self._desk.add_evidence(caller, name, asked.event, asked.kind, asked.reference),
        )

    async def clock(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/clock``."""
        caller, asked = await self._read(request, ClockAsked, "analyst")
        stop = asked.stop
        if stop is UNSET:
            return await self._stepped(request, lambda name: self._desk.start_clock(caller, name))
        return await self._stepped(request, lambda name: self._desk.stop_clock(caller, name, stop))

    async def appeal(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/appeal``; no body."""
        caller = self._calls.caller(request, "service", "analyst")
        return await self._stepped(request, lambda name: self._desk.appeal(caller, name))

    async def reopen(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/reopen``."""
        caller, asked = await self._read(request, ReopenAsked, "analyst")
        return await self._stepped(request, lambda name: self._desk.reopen(caller, name, asked.reason))

    async def withdraw(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/withdraw``; no body."""
        caller = self._calls.caller(request, "service", "analyst")
        return await self._stepped(request, lambda name: self._desk.withdraw(caller, name))

    async def repay(self, request: Request) -> Response:
        """``POST /v1/claims/{id}/payouts``: what failed, by another way."""
        caller, asked = await self._read(request, ConfirmClaimAsked, "analyst")
        return await self._stepped(request, lambda name: self._desk.repay(caller, name, asked.instrument))

    async def settle(self, request: Request) -> Response:
        """``POST /v1/payouts/{id}``: what became of it, by hand."""
        caller, asked = await self._read(request, PayoutSaid, "admin")
        payout = await run_in_threadpool(
            lambda: self._payouts.by_hand(
                caller, needed_id(request, "thing"), is_paid=asked.state == "paid", reference=asked.reference
            )
        )
        claim, payouts = await run_in_threadpool(self._desk.get, payout.claim)
        return json_answer(view(claim, payouts, language=language(request)))

    async def _read(
        self, request: Request, shape: type[_Shape], *roles: Literal["admin", "analyst", "service"]
    ) -> tuple[Caller, _Shape]:
        caller = self._calls.caller(request, *roles)
        return caller, decoded(await self._calls.body(request, caller), shape)

    async def _stepped(self, request: Request, step: Callable[[str], Claim]) -> Response:
        name = needed_id(request, "thing")
        await run_in_threadpool(step, name)
        claim, payouts = await run_in_threadpool(self._desk.get, name)
        return json_answer(view(claim, payouts, language=language(request)))


def _filed(user_id: str, answer: Claim | ShopwardError) -> FiledView:
    if isinstance(answer, ShopwardError):
        return FiledView(user_id, code=answer.code, found=answer.found or "")
    return FiledView(user_id, answer.id, answer.state)


def _ms(moment: Moment | UnsetType) -> int:
    return 0 if moment is UNSET else to_ms(moment)
