"""The application: one ASGI callable around an open ``Shopward``.

Promise: every answer carries a request id and the security headers; every refusal is a problem; an exception that is
not ours becomes a bare 500, and the log names its class and the request's id and nothing else. The hot calls never
touch the router; everything else is Starlette's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

from shopward.adapters.mail import MailMessenger
from shopward.adapters.webhooks import HttpMessenger
from shopward.flows.shadow import ShadowBook
from shopward.http.activity import Activity
from shopward.http.advice import AdvicePage
from shopward.http.advisories import AdvisoryCalls
from shopward.http.aliases import AliasCalls
from shopward.http.audit import AuditCalls
from shopward.http.beside import Beside
from shopward.http.body import Bodies
from shopward.http.calls import Calls, by_method
from shopward.http.campaigns import CampaignCalls
from shopward.http.case_pages import CasePages
from shopward.http.challenges import ChallengeCalls
from shopward.http.claim_pages import ClaimPages
from shopward.http.claims import ClaimCalls
from shopward.http.complaint_pages import ComplaintPages
from shopward.http.complaints import ComplaintCalls
from shopward.http.conversations import ConversationCalls
from shopward.http.cooperation import CooperationCalls
from shopward.http.decided import decisions_on
from shopward.http.exercises import ExerciseCalls
from shopward.http.express import Express, UnderWay
from shopward.http.factors import FactorCalls
from shopward.http.figures import Figures
from shopward.http.filing_pages import FilingPages
from shopward.http.gate import Gate
from shopward.http.headers import RequestIds, read_head, security_headers
from shopward.http.hot import PATHS, HotCalls, standing_headers
from shopward.http.incident_pages import IncidentPages
from shopward.http.incidents import IncidentCalls
from shopward.http.ledger import LedgerCalls
from shopward.http.lines import LineCalls
from shopward.http.linkage import LinkCalls
from shopward.http.metrics import Metrics
from shopward.http.money import MoneyCalls
from shopward.http.notices import NoticeCalls
from shopward.http.order_pages import OrderPages
from shopward.http.orders import OrderCalls
from shopward.http.packs import PackCalls
from shopward.http.pages import Pages, Paper
from shopward.http.partners import PartnerCalls
from shopward.http.passwords import PasswordCalls
from shopward.http.peers.calls import PeerCalls
from shopward.http.playbooks import PlaybookCalls
from shopward.http.policies import PolicyCalls
from shopward.http.privacy import PrivacyPage
from shopward.http.problems import MEDIA_TYPE, HttpRefusal, problem_bytes, problem_headers, problem_of
from shopward.http.processing import ProcessingCalls
from shopward.http.reads import Reads
from shopward.http.recoveries import RecoveryCalls
from shopward.http.reference import Reference
from shopward.http.report_pages import ReportPages
from shopward.http.reports import ReportCalls
from shopward.http.scopes import ScopeCalls
from shopward.http.screening import ScreeningCalls
from shopward.http.sessions import Sessions
from shopward.http.signals import SignalCalls
from shopward.http.sims import SimCalls
from shopward.http.ssf import SsfCalls
from shopward.http.staff import StaffCalls
from shopward.http.streams import StreamCalls
from shopward.http.training import TrainingCalls
from shopward.http.user_pages import UserPages
from shopward.http.vault import VaultCalls
from shopward.http.vault_office import VaultOffice
from shopward.http.victims import VictimCalls
from shopward.http.visits import VisitCalls
from shopward.http.webhooks import WebhookCalls
from shopward.http.whatsapp import WhatsAppCalls
from shopward.outbox.letters import letter_of
from shopward.service.desks import mail_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shopward.access import ApiKeys
    from shopward.flows.decide import Group
    from shopward.http.body import Receive
    from shopward.http.headers import Head
    from shopward.http.hot import Message, Send
    from shopward.ports import Messenger
    from shopward.service import Shopward

STATIC: Final = Path(__file__).parent / "static"
_logger = logging.getLogger("shopward")
_HTTP_CODES: Final = {404: "not_found", 405: "method_not_allowed"}


class Application:
    """The whole HTTP side; ``start`` it inside a running loop, ``stop`` it before ``shopward`` is closed.

    Args:
        shopward: opened with or without its state rebuilt; the gate rebuilds it.
        keys: who may call.
    """

    def __init__(self, shopward: Shopward, keys: ApiKeys) -> None:
        settings = shopward.settings
        self._shopward = shopward
        self.metrics = Metrics()
        self.activity = Activity(shopward.clock, self.metrics)
        self.shadows = ShadowBook(lambda: shopward.policy)
        self.beside = Beside(
            follower=shopward.follower,
            recorder=shopward.recorder,
            overseer=shopward.overseer,
            notary=shopward.notary,
            courier=shopward.courier,
            proofs=shopward.proofs,
            undos=shopward.undos,
            claims=shopward.claims,
            report_cases=shopward.report_cases,
            complaints=shopward.complaints,
            deadlines=shopward.deadlines,
            payouts=shopward.payouts,
            notices=shopward.notices,
            signals=shopward.signals,
            partners=shopward.partners,
            shared=shopward.shared,
            messenger_of=self._messenger,
            conversations=shopward.conversations,
            lines=shopward.lines,
            exercises=shopward.exercises,
            vault=shopward.vault,
        )
        self.gate = Gate(shopward.desk, settings, self.metrics, self._committed)
        self._is_https = settings.has_tls or settings.behind_proxy
        figures, paper = Figures(shopward, self.gate), Paper()
        self._figures = figures
        sessions = Sessions(shopward.clock, is_https=self._is_https)
        self.pages = Pages(
            shopward, keys, self.gate, self.activity, figures=figures, sessions=sessions, paper=paper
        )
        self._ids = RequestIds("r-" + secrets.token_hex(5))
        self._under_way = UnderWay(settings.requests_max)
        bodies = Bodies(settings)
        self._hot = HotCalls(
            keys=keys,
            gate=self.gate,
            wording=shopward.wording,
            settings=settings,
            metrics=self.metrics,
            bodies=bodies,
        )
        self.express = Express(
            keys=keys,
            gate=self.gate,
            wording=shopward.wording,
            settings=settings,
            metrics=self.metrics,
            bodies=bodies,
            ids=self._ids,
            under_way=self._under_way,
            standing=standing_headers(settings),
        )
        calls = Calls(keys, settings)
        self._slow = _router(
            Reads(shopward, keys, self.gate, self.metrics, self.shadows, figures),
            OrderCalls(shopward, keys, self.gate, calls),
            MoneyCalls(shopward, self.gate, calls),
            Reference(),
            [
                *self.pages.routes(),
                *CasePages(shopward, figures=figures, sessions=sessions, paper=paper).routes(),
                *AdvicePage(shopward, paper).routes(),
                *PrivacyPage(shopward, paper).routes(),
                *VisitCalls(shopward, self.gate, calls, paper, is_https=self._is_https).routes(),
                *IncidentPages(shopward, sessions=sessions, paper=paper).routes(),
                *ClaimPages(shopward, sessions=sessions, paper=paper).routes(),
                *ComplaintPages(shopward, sessions=sessions, paper=paper).routes(),
                *ReportPages(shopward, figures=figures, sessions=sessions, paper=paper).routes(),
                *UserPages(shopward, self.gate, figures=figures, sessions=sessions, paper=paper).routes(),
                *OrderPages(shopward, self.gate, sessions=sessions, paper=paper).routes(),
                *FilingPages(shopward, sessions=sessions, paper=paper).routes(),
                *LinkCalls(shopward, calls).routes(),
                *AdvisoryCalls(shopward, self.gate, calls).routes(),
                *ChallengeCalls(shopward, self.gate, calls).routes(),
                *VictimCalls(shopward, calls).routes(),
                *VaultCalls(shopward, self.gate, calls).routes(),
                *VaultOffice(shopward, calls, self.beside).routes(),
                *StaffCalls(shopward, calls).routes(),
                *TrainingCalls(shopward, keys, calls).routes(),
                *ExerciseCalls(shopward, calls, paper).routes(),
                *FactorCalls(shopward, self.gate, calls).routes(),
                *AuditCalls(shopward, calls).routes(),
                *WebhookCalls(shopward, calls, self.beside).routes(),
                *LedgerCalls(shopward, calls).routes(),
                *ClaimCalls(shopward, calls).routes(),
                *IncidentCalls(shopward, calls).routes(),
                *ScopeCalls(shopward, calls).routes(),
                *PackCalls(shopward, calls).routes(),
                *PlaybookCalls(shopward, calls).routes(),
                *CooperationCalls(shopward, calls).routes(),
                *NoticeCalls(shopward, calls).routes(),
                *SignalCalls(shopward, calls).routes(),
                *SsfCalls(shopward, calls).routes(),
                *StreamCalls(shopward, calls).routes(),
                *WhatsAppCalls(shopward, calls, self.beside).routes(),
                *LineCalls(shopward, calls).routes(),
                *ConversationCalls(shopward, self.gate, calls).routes(),
                *AliasCalls(shopward, self.gate, calls, self.metrics).routes(),
                *PartnerCalls(shopward, self.gate, calls).routes(),
                *CampaignCalls(shopward, self.gate, calls).routes(),
                *PolicyCalls(shopward, self.gate, calls, self.shadows).routes(),
                *RecoveryCalls(shopward, self.gate, calls).routes(),
                *PeerCalls(shopward, keys, self.gate, calls, self.metrics).routes(),
                *PasswordCalls(shopward, calls).routes(),
                *SimCalls(shopward, self.gate, calls).routes(),
                *ScreeningCalls(shopward, calls).routes(),
                *ReportCalls(shopward, calls).routes(),
                *ComplaintCalls(shopward, calls).routes(),
                *ProcessingCalls(shopward, calls).routes(),
            ],
        )

    def _messenger(self) -> Messenger:
        """What carries messages: to mailboxes by the mail server of the settings, everywhere else over HTTP."""
        settings = self._shopward.settings
        write = partial(
            letter_of, shop=settings.shop_name, page_url=settings.page_url, title_of=self._figures.title
        )
        server = mail_server(settings, self._shopward.clock, timeout_s=settings.webhook_timeout_s)
        return MailMessenger(server, write, HttpMessenger(timeout_s=settings.webhook_timeout_s))

    def start(self) -> None:
        """Rebuild the state, then answer decisions."""
        self.gate.start()
        loop = asyncio.get_running_loop()
        self.beside.start(
            lambda: loop.call_soon_threadsafe(self.gate.take_orders),
            lambda events: asyncio.run_coroutine_threadsafe(decisions_on(self.gate, events), loop).result(),
        )

    async def stop(self) -> None:
        """Finish the group under way and decide no more."""
        await self.gate.stop()
        await asyncio.to_thread(self.beside.stop)

    def _committed(self, group: Group) -> None:
        """A group is recorded: it is counted, and what has to be done about it is done beside."""
        self.activity.take(group)
        self.shadows.take(group)
        recorder = self._shopward.recorder
        recorder.offer(self._shopward.desk.engine.campaigns, self._shopward.desk.seq)
        is_heard = self._shopward.follower.overheard(group.entries)
        if is_heard or recorder.is_waited_for or len(group.entries) > len(group.decided):  # more than events
            self.beside.wake()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        head = read_head(scope["headers"], self._ids)
        answer = _Answer(send, head, is_https=self._is_https)
        self._under_way.count += 1
        try:
            if self._under_way.count > self._under_way.most:
                raise HttpRefusal(503, "overloaded", "too many requests are under way", retry_after_s=1.0)  # noqa: TRY301
            path = scope["path"]
            if path in PATHS:
                await self._hot.serve(path, scope["method"], head, receive, answer.send_hot)
            else:
                scope["app"] = self  # tells the router to raise its refusals, which are answered below
                await self._slow(scope, receive, answer.send)
        except HTTPException as refused:
            await self._refuse(_ours(refused), answer, head)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller hears a problem and nobody else suffers
            await self._refuse(error, answer, head)
        finally:
            self._under_way.count -= 1

    def refusing(self, error: Exception) -> Callable[[Message, Receive, Send], Awaitable[None]]:
        """What answers a request with an error alone."""

        async def refuse(scope: Message, _receive: Receive, send: Send) -> None:
            head = read_head(scope["headers"], self._ids)
            await self._refuse(error.with_traceback(None), _Answer(send, head, is_https=self._is_https), head)

        return refuse

    async def _refuse(self, error: Exception, answer: _Answer, head: Head) -> None:
        problem = problem_of(error, request_id=head.request_id.decode())
        self.metrics.problems[problem.code] += 1
        if (
            answer.started
        ):  # too late for a status: the answer stays incomplete, the connection ends, the client asks again
            return
        body = problem_bytes(problem)
        headers = [
            (b"content-type", MEDIA_TYPE),
            (b"content-length", str(len(body)).encode()),
            *problem_headers(problem),
        ]
        if problem.code == "method_not_allowed" and problem.expected:
            headers.append((b"allow", problem.expected.encode()))
        await answer.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await answer.send({"type": "http.response.body", "body": body})


class _Answer:
    """The answer on its way: adds what stands on every answer, and knows whether it has begun."""

    def __init__(self, send: Send, head: Head, *, is_https: bool) -> None:
        self._send = send
        self._head = head
        self._is_https = is_https
        self.started = False

    async def send_hot(self, message: Message) -> None:
        """For the hot calls, whose headers are complete."""
        self.started = True
        await self._send(message)

    async def send(self, message: Message) -> None:
        """For all others."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = list(message["headers"])
            present = {name.lower() for name, _value in headers}
            is_page = any(
                name == b"content-type" and value.startswith(b"text/html") for name, value in headers
            )
            extra = [
                (b"x-request-id", self._head.request_id),
                *security_headers(is_page=is_page, has_tls=self._is_https),
            ]
            if b"cache-control" not in present:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers + [item for item in extra if item[0] not in present]}
        await self._send(message)


def _router(
    reads: Reads, orders: OrderCalls, money: MoneyCalls, reference: Reference, more: list[Route]
) -> Router:
    return Router([
        *more,
        Route("/v1/users/batch", by_method(POST=money.declare_batch), methods=["POST"]),
        Route("/v1/users/{id}", by_method(GET=reads.user, PUT=money.declare), methods=["GET", "PUT"]),
        Route("/v1/users/{id}/timeline", reads.timeline, methods=["GET"]),
        Route("/v1/orders", by_method(GET=orders.listed, POST=orders.place), methods=["GET", "POST"]),
        Route("/v1/orders/{id}", orders.one, methods=["GET"]),
        Route("/v1/orders/{id}/approve", orders.approve, methods=["POST"]),
        Route("/v1/orders/{id}/release", orders.release, methods=["POST"]),
        Route("/v1/orders/{id}/exceptions", orders.exceptions, methods=["POST"]),
        Route("/v1/authorizations", money.authorize, methods=["POST"]),
        Route("/v1/authorizations/{id}/capture", money.capture, methods=["POST"]),
        Route("/v1/authorizations/{id}/void", money.void, methods=["POST"]),
        Route("/v1/keys", by_method(GET=orders.list_keys, POST=orders.make_key), methods=["GET", "POST"]),
        Route("/healthz", reads.health, methods=["GET"]),
        Route("/readyz", reads.ready, methods=["GET"]),
        Route("/metrics", reads.metrics, methods=["GET"]),
        Route("/openapi.json", reference.openapi, methods=["GET"]),
        Route("/docs", reference.docs, methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ])  # fmt: skip


def _ours(refused: HTTPException) -> HttpRefusal:
    """A refusal of the router (no such path, a wrong method) as ours."""
    code = _HTTP_CODES.get(refused.status_code, "bad_input")
    allow = (refused.headers or {}).get("Allow")
    if allow:
        return HttpRefusal(refused.status_code, code, "this path does not take this method", expected=allow)
    return HttpRefusal(refused.status_code, code, "no such path" if code == "not_found" else "refused")
