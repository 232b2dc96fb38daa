"""The page of an account: what is in force and why, what happened and why it was decided so, and what staff may do about it.

Promise: shown to a service's and an analyst's session; one that only looks sees nobody. Nothing of the vault stands on it: no address, no
name, no number, devices by the beginning of their token. What is pressed goes through the same stories as over the API, under the same
roles and the person of the session, and stands in the audit log; a form of another site is refused. Pages work without scripts.

Not here: the steps of a recovery, which the customer takes in the shop, and orders about many (``order_pages``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.claims.regimes import DEFAULT
from shopward.errors import Conflict, InvalidField, Refused
from shopward.http.calls import USER_ID_MAX, id_of, needed_id, user_id
from shopward.http.case_pages import findings_shown
from shopward.http.challenges import tell
from shopward.http.filters import account_path
from shopward.http.order_forms import (
    HOURS,
    hours_of,
    let_out,
    limit_of,
    placed_once,
    request_from,
    shown_order,
)
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.sessions import form_of
from shopward.protection.attributes import NOTHING_DECLARED
from shopward.protection.orders import REASON_CODES
from shopward.values import HOUR_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from shopward.access import Caller, Role
    from shopward.events import Event
    from shopward.flows.sight import CustomerSeen, SeenEvent
    from shopward.http.figures import Figures
    from shopward.http.gate import Gate
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.protection.attributes import Declared
    from shopward.protection.linkage import Shared
    from shopward.service import Shopward

PAGE: Final = 50
EACH_MAX: Final = 20
"""So many of its orders, claims, cases and complaints are listed."""
WORKERS: Final[tuple[Role, ...]] = ("service", "analyst")
EVIDENCE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
USUAL_CURRENCY: Final = "IDR"
SELF_REASONS: Final = ("account_at_risk", "lost_device", "takeover", "phishing", "payment_fraud")
TOLD: Final = (
    "already_released",
    "release_condition",
    "release_needs_two",
    "order_wrong",
    "second_person_needed",
    "unknown_factor",
)
"""Refusals that have a sentence of their own on the page."""


class Account(NamedTuple):
    """What the page is written from."""

    id: str
    seen: CustomerSeen
    declared: Declared
    shared: list[Shared]
    events: list[SeenEvent]
    next: int | None
    orders: list[Any]
    recoveries: list[Any]
    factors: tuple[Any, ...]
    findings: list[dict[str, Any]]
    incidents: list[tuple[Any, str]]
    cases: list[Any]
    complaints: list[Any]


class _Done(NamedTuple):
    """What came of a press: where it leads, and what the log has to hear of it."""

    leads_to: str = ""
    event: Event | None = None


class UserPages:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: takes changed orders into the log.
        figures: titles of campaigns.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(
        self, shopward: Shopward, gate: Gate, *, figures: Figures, sessions: Sessions, paper: Paper
    ) -> None:
        self._shopward = shopward
        self._gate = gate
        self._figures = figures
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/users", self.search, methods=["GET"]),
            Route("/users/{id:path}", self.one, methods=["GET"]),
            Route("/users/{id:path}", self.press, methods=["POST"]),
        ]

    async def search(self, request: Request) -> Response:
        """``GET /users?id=``: the form, or the way to the account, which an event's id leads to as well."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        wanted, may = request.query_params.get("id", "").strip(), self._sessions.has_role(request, *WORKERS)
        if may and is_cursor(wanted) and 1 <= len(wanted) <= USER_ID_MAX:
            return RedirectResponse(account_path(await run_in_threadpool(self._user_of, wanted)), 303)
        return self._paper.page(request, "users.html", may=may)

    async def one(self, request: Request) -> Response:
        """``GET /users/{id}?before=&case=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        name, before = id_of(request), request.query_params.get("before", "")
        case_id = request.query_params.get("case", "")
        is_good = before == "" or (before.isascii() and before.isdigit() and len(before) <= 18)
        if (
            name is None
            or not is_good
            or not is_cursor(case_id)
            or not self._sessions.has_role(request, *WORKERS)
        ):
            return self._paper.missing(request)
        is_analyst, spoken = self._sessions.has_role(request, "analyst"), reader_language(request)
        account = await run_in_threadpool(
            lambda: self._account(name, spoken, int(before) if before else None, is_analyst=is_analyst)
        )
        if account is None:
            return self._paper.page(request, "users.html", 404, may=True, unknown=name)
        return self._paper.page(
            request, "user.html", account=account, seen=account.seen, is_analyst=is_analyst, case_id=case_id,
            back=account_path(name), titles={each.kind: self._figures.title(each.kind, spoken) for each in account.seen.campaigns},
            reasons=REASON_CODES, self_reasons=SELF_REASONS, hours=HOURS, currency=_currency(account.seen),
            once=self._shopward.ids.new("once", self._shopward.clock.now_ms()), notice=notice_of(request, TOLD),
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /users/{id}``: freeze, limit, let out of an order, remove a lost factor, or fill in a claim."""
        caller = self._sessions.acting(request, *WORKERS)
        name, form = user_id(needed_id(request, "user")), await form_of(request)
        deeds: Mapping[str, Callable[[Caller, str, Mapping[str, str]], _Done]] = {
            "freeze": self._freeze, "limit": self._limit, "let_out": self._let_out, "lost": self._lost, "claim": self._claim,
        }  # fmt: skip
        deed = deeds.get(form.get("do", ""))
        if deed is None:
            raise InvalidField(
                "no such deed", path="do", expected="one of " + ", ".join(deeds), found="another word"
            )
        asked = {"case": form["case"]} if form.get("case") else {}
        done = _Done()
        try:
            done = await run_in_threadpool(deed, caller, name, form)
        except (Conflict, Refused) as refused:
            if refused.code == "role_missing":
                raise
            asked["notice"] = refused.code
        except InvalidField:
            asked["notice"] = "order_wrong"
        await tell(self._gate, done.event)
        await self._gate.take_orders()
        return RedirectResponse(done.leads_to or f"{account_path(name)}?{urlencode(asked)}".rstrip("?"), 303)

    def _freeze(self, caller: Caller, user: str, form: Mapping[str, str]) -> _Done:
        """As its owner would: in force at once, and the way back is open."""
        reason = form.get("reason", "")
        if reason not in SELF_REASONS:
            raise InvalidField("not a reason", path="reason", expected="one of " + ", ".join(SELF_REASONS), found="another word")  # fmt: skip
        self._shopward.recoveries.freeze(caller, user, reason=reason, since_ms=0)
        return _Done()

    def _limit(self, caller: Caller, user: str, form: Mapping[str, str]) -> _Done:
        """What leaves the account, for a while."""
        caller.require("analyst")
        ends_ms = self._shopward.clock.now_ms() + hours_of(form) * HOUR_MS
        request = request_from({
            "kind": "limit", "target": {"user": user}, "scope": ["money_out"], "reason": form.get("reason", ""),
            "incident": form.get("case", ""), "ends_at": to_rfc3339(ends_ms), "limit": limit_of(form),
            "release": ["staff_release", "identity_proved"],
        })  # fmt: skip
        placed_once(self._shopward.protection, caller, request, form)
        return _Done()

    def _let_out(self, caller: Caller, user: str, form: Mapping[str, str]) -> _Done:
        """Out of one order: it ends where it is about this account alone."""
        caller.require("analyst")
        order, _exceptions = self._shopward.overseer.get(form.get("order", ""))
        token = self._shopward.maker.user_token(user)
        if order.standing.target.kind == "user" and order.standing.target.tokens == (token,):
            self._shopward.protection.release(caller, order.id)
        else:
            let_out(self._shopward.protection, caller, order.id, user=user, evidence=form.get("case", ""))
        return _Done()

    def _lost(self, caller: Caller, user: str, form: Mapping[str, str]) -> _Done:
        """A factor that its owner lost counts no more, on the word of staff and the number of a case."""
        evidence = form.get("evidence", "").strip()
        if not EVIDENCE.fullmatch(evidence):
            raise InvalidField("no number of a case", path="evidence", expected="its number", found="another text")  # fmt: skip
        factors = self._shopward.factors
        return _Done(event=factors.remove_lost(caller, user, form.get("factor", ""), evidence=evidence))

    def _claim(self, caller: Caller, user: str, _form: Mapping[str, str]) -> _Done:
        """The form, filled in from the log; it is filed on a page of its own."""
        made = self._shopward.claims.draft(caller, user, regime=DEFAULT)
        return _Done(leads_to=f"/claims/{quote(made.id, safe='')}/file")

    def _user_of(self, wanted: str) -> str:
        """The account of that name, or the one that the event of that name is about; the name where neither is recorded."""
        log, token = self._shopward.log, self._shopward.maker.user_token(wanted)
        if log.timeline(token, before_seq=None, limit=1):
            return wanted
        entry = log.find([wanted]).get(wanted)
        told = self._shopward.vault.history.user_ids([entry]) if entry else [""]
        return told[0] or wanted

    def _account(self, user: str, spoken: str, before: int | None, *, is_analyst: bool) -> Account | None:
        """All of it; nothing where neither the log nor the records know the user."""
        shopward, token = self._shopward, self._shopward.maker.user_token(user)
        seen = shopward.sight.of(token, spoken)
        events, next_ = shopward.sight.earlier(token, spoken, before_seq=before, limit=PAGE)
        cases = shopward.report_cases.cases(user_id=user, limit=EACH_MAX) if is_analyst else []
        complaints = shopward.complaints.listed(user_id=user, limit=EACH_MAX)
        declared = shopward.overseer.declared([token]).get(token, NOTHING_DECLARED)
        is_known = declared != NOTHING_DECLARED or seen.events or seen.orders or cases or complaints
        if not is_known:
            return None
        at_ms = shopward.clock.now_ms()
        orders = [shopward.overseer.get(each.id) for each in seen.orders[:EACH_MAX]]
        found = [(each, user) for each in shopward.sight.findings_of(token)] if is_analyst else []
        return Account(
            user,
            seen,
            declared,
            [each for each in shopward.tracer.shared_by(user) if each.accounts],
            events,
            next_,
            [shown_order(order, spoken, at_ms=at_ms, exceptions=exceptions) for order, exceptions in orders],
            shopward.recoveries.under_way(user_id=user, before="", limit=EACH_MAX, language=spoken),
            shopward.factors.listed(user),
            findings_shown(found),
            shopward.scopes.incidents_of(token) if is_analyst else [],
            cases,
            complaints,
        )


def _currency(seen: CustomerSeen) -> str:
    """What the account pays in, as far as it did lately."""
    return next((each.currency for each in seen.events if each.currency), USUAL_CURRENCY)
