"""The page about one's own account, put together: visits, what they show, what is set going there.

Promise: all of it stands on the desks that do the same for everybody else; nothing here decides or keeps anything of its own.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from shopward.claims.store import ClaimStore
from shopward.complaints.store import ComplaintStore
from shopward.findings.store import FindingStore
from shopward.flows.overview import OverviewDesk
from shopward.flows.redress import Redress
from shopward.flows.selfservice import SelfService
from shopward.flows.visit import VisitDesk
from shopward.notices.store import NoticeStore
from shopward.partners.store import PartnerStore
from shopward.processing.store import ProcessingStore
from shopward.protection.links import AccountLinks
from shopward.screening.reports.store import ReportStore
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.events import FactsMaker
    from shopward.flows.claim import ClaimDesk
    from shopward.flows.complain import ComplaintDesk
    from shopward.flows.enrol import FactorDesk
    from shopward.flows.processing import ProcessingDesk
    from shopward.flows.recover import RecoveryDesk
    from shopward.flows.reports import ReportDesk
    from shopward.ports import EventLog
    from shopward.service.desks import Desks
    from shopward.service.vault import Vault
    from shopward.values import Clock


class OwnPage(NamedTuple):
    """The desks."""

    visits: VisitDesk
    overviews: OverviewDesk
    self_service: SelfService
    redress: Redress


def open_own_page(
    desks: Desks,
    vault: Vault,
    recoveries: RecoveryDesk,
    complaints: ComplaintDesk,
    reports: ReportDesk,
    claims: ClaimDesk,
    processing: ProcessingDesk,
    factors: FactorDesk,
    *,
    log: EventLog,
    maker: FactsMaker,
    clock: Clock,
) -> OwnPage:
    """The desks over one store."""
    overviews = OverviewDesk(
        records=desks.records, log=log, overseer=desks.overseer, recoveries=recoveries, reports=ReportStore(TENANT),
        complaints=ComplaintStore(TENANT), claims=ClaimStore(TENANT), processing=ProcessingStore(TENANT),
        findings=FindingStore(TENANT), notices=NoticeStore(TENANT), partners=PartnerStore(TENANT),
        accesses=vault.room.accesses,
        links=lambda connection: AccountLinks(connection, TENANT), factors=factors, token_of=maker.user_token, clock=clock,
    )  # fmt: skip
    visits = VisitDesk(
        records=desks.records,
        trail=desks.trail,
        clock=clock,
        entropy=secrets.token_bytes,
        token_of=maker.user_token,
    )
    return OwnPage(
        visits, overviews,
        SelfService(
            overviews=overviews, reports=reports, recoveries=recoveries, complaints=complaints,
            processing=processing,
        ),
        Redress(overviews=overviews, claims=claims, complaints=complaints),
    )  # fmt: skip
