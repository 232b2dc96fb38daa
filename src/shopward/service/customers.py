"""The desks that speak of one customer across contexts, put together: complaints, reports and their cases, sight, processing, dossiers.

Promise: all of them stand on the same tables, clock and log as the desks that they read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shopward.claims.store import ClaimStore
from shopward.complaints.store import ComplaintStore
from shopward.findings.store import FindingStore
from shopward.flows.complain import ComplaintDesk
from shopward.flows.dossier import DossierDesk
from shopward.flows.processing import ProcessingDesk
from shopward.flows.report_cases import ReportCases
from shopward.flows.reports import ReportDesk
from shopward.flows.sight import Sight
from shopward.processing.store import ProcessingStore
from shopward.screening.reports.store import ReportStore
from shopward.service.desks import TENANT
from shopward.values import HOUR_MS, SystemIds
from shopward.vault.census import Census

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.events import FactsMaker
    from shopward.flows.wording import Wording
    from shopward.ports import EventLog
    from shopward.service.desks import Desks
    from shopward.service.vault import Vault
    from shopward.values import Clock


class Customers(NamedTuple):
    """The desks."""

    complaints: ComplaintDesk
    reports: ReportDesk
    report_cases: ReportCases
    sight: Sight
    processing: ProcessingDesk
    dossiers: DossierDesk


def open_customers(
    settings: Settings,
    desks: Desks,
    *,
    log: EventLog,
    vault: Vault,
    maker: FactsMaker,
    clock: Clock,
    wording: Wording,
) -> Customers:
    """The desks over one store."""
    claims, complaints, processing = ClaimStore(TENANT), ComplaintStore(TENANT), ProcessingStore(TENANT)
    reports, words, history = ReportStore(TENANT), vault.words, vault.history
    return Customers(
        ComplaintDesk(
            records=desks.records, fence=desks.complaint_fence, store=complaints, claims=claims, overseer=desks.overseer,
            log=log, words=words, token_of=maker.user_token, trail=desks.trail, outbox=desks.outbox, clock=clock, ids=SystemIds(),
        ),
        ReportDesk(
            records=desks.records, fence=desks.report_fence, store=reports, words=words, screening=desks.screening,
            outbox=desks.outbox, clock=clock, ids=SystemIds(), token_of=maker.user_token,
            within_ms=lambda kind: HOUR_MS * (settings.loss_look_h if kind == "loss" else settings.report_look_h),
        ),
        ReportCases(
            records=desks.records, fence=desks.report_fence, store=reports, words=words, screening=desks.screening,
            trail=desks.trail, outbox=desks.outbox, clock=clock, ids=SystemIds(), token_of=maker.user_token,
        ),
        Sight(
            records=desks.records, log=log, history=history, overseer=desks.overseer, findings=FindingStore(TENANT),
            claims=claims, wording=wording,
        ),
        ProcessingDesk(
            records=desks.records, fence=desks.ground.fence, store=processing, census=Census(TENANT),
            deeds=desks.trail.details_of, token_of=maker.user_token, trail=desks.trail, outbox=desks.outbox, clock=clock,
            controller=settings.shop_name,
        ),
        DossierDesk(
            records=desks.records, reports=reports, complaints=complaints, claims=claims, processing=processing, words=words,
            token_of=maker.user_token, trail=desks.trail, clock=clock,
        ),
    )  # fmt: skip
