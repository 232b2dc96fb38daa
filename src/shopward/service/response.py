"""What answers an attack: incidents, whom they touched, the signals that they come from, packs of evidence, what others may
learn, what other companies tell, the shop's own lines, how much of all this waits for people and by when, put together over one store.

Promise: all of them work on the same rows, clock and audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shopward.audit import AUDIT_KEY, FolderSigner, sealed_pack
from shopward.claims.store import ClaimStore
from shopward.complaints.store import ComplaintStore
from shopward.conversations.store import ConversationStore
from shopward.flows.acquit import Acquittal
from shopward.flows.converse import ConversationDesk
from shopward.flows.cooperate import CooperationDesk
from shopward.flows.deadlines import DeadlineDesk
from shopward.flows.incident import IncidentDesk
from shopward.flows.line import LineDesk
from shopward.flows.pack import PackDesk, PackStores
from shopward.flows.scope import ScopeDesk
from shopward.flows.screen import MessageAsked
from shopward.flows.signal import SignalDesk
from shopward.flows.workload import WorkloadDesk
from shopward.incidents.store import IncidentStore
from shopward.keyring import Generations
from shopward.ledger import Reading
from shopward.lines.store import LineStore
from shopward.outbox.told import Told
from shopward.protection.sets import SetStore
from shopward.protection.store import OrderStore
from shopward.screening.reports.store import ReportStore
from shopward.service.desks import TENANT
from shopward.service.mail import correspondents_of
from shopward.service.ssf import open_shared_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.config import Settings
    from shopward.flows.casework import CaseDesk
    from shopward.notices import Mailing
    from shopward.ports import EventLog
    from shopward.service.desks import Desks
    from shopward.service.ssf import SharedSignals
    from shopward.service.vault import Vault
    from shopward.values import Clock, IdSource


class Response(NamedTuple):
    """The desks."""

    incidents: IncidentDesk
    scopes: ScopeDesk
    signals: SignalDesk
    packs: PackDesk
    cooperation: CooperationDesk
    shared: SharedSignals
    lines: LineDesk
    conversations: ConversationDesk
    workload: WorkloadDesk
    deadlines: DeadlineDesk


def acquittal(desks: Desks, vault: Vault) -> Acquittal:
    """What keeps duties and mailings in step."""
    return Acquittal(store=IncidentStore(TENANT, vault.words), trail=desks.trail, outbox=desks.outbox)


def open_response(
    settings: Settings,
    desks: Desks,
    vault: Vault,
    *,
    log: EventLog,
    cases: CaseDesk,
    clock: Clock,
    ids: IdSource,
    title_of: Callable[[str], str],
    told: Callable[[Any, str], Sequence[tuple[Mailing, dict[str, int]]]],
) -> Response:
    """The desks over the store of the settings."""
    store = IncidentStore(TENANT, vault.words)
    incidents = IncidentDesk(
        records=desks.records, store=store, sets=SetStore(TENANT).sealed, told=told, trail=desks.trail, outbox=desks.outbox,
        clock=clock, ids=ids,
    )  # fmt: skip
    scopes = ScopeDesk(
        desks.ground,
        store=store,
        log=log,
        history=vault.history,
        cases=cases,
        accesses=vault.room.accesses,
        outbox=desks.outbox,
        ids=ids,
    )
    signals = SignalDesk(
        records=desks.records, store=store, scopes=scopes, cases=cases, log=log, trail=desks.trail, outbox=desks.outbox,
        clock=clock, ids=ids, title_of=title_of, mode=settings.incidents, elsewhere=settings.shop_jurisdiction,
    )  # fmt: skip
    signer = FolderSigner(Generations(settings.folder, AUDIT_KEY))
    stores = PackStores(
        store, SetStore(TENANT).sealed, told, OrderStore(TENANT, ids), ClaimStore(TENANT), Reading(TENANT)
    )
    packs = PackDesk(
        records=desks.records, stores=stores, trail=desks.trail, clock=clock,
        seal=lambda files, **about: sealed_pack(files, key=signer.now(), **about),
    )  # fmt: skip
    cooperation = CooperationDesk(
        records=desks.records, cases=cases, incidents=incidents, log=log, history=vault.history, trail=desks.trail,
        clock=clock, shop=lambda: desks.screening.profile().spec.name,
    )  # fmt: skip
    shared = open_shared_signals(settings, desks, history=vault.history, clock=clock)
    line_store = LineStore(TENANT)
    lines = LineDesk(
        records=desks.records, fence=desks.ground.fence, store=line_store, signals=signals, trail=desks.trail,
        outbox=desks.outbox, clock=clock, ids=ids,
    )  # fmt: skip
    screening = desks.screening
    conversations = ConversationDesk(
        room=vault.room, reveals=vault.reveals, store=ConversationStore(TENANT), is_barred=line_store.is_barred,
        judge=lambda text, number: screening.judge_message(MessageAsked(text, channel="whatsapp", sender=number)).level,
        correspondents=correspondents_of(settings),
    )  # fmt: skip
    claims, complaints, reports = ClaimStore(TENANT), ComplaintStore(TENANT), ReportStore(TENANT)
    workload = WorkloadDesk(
        records=desks.records, incidents=store, claims=claims, complaints=complaints, reports=reports, clock=clock
    )  # fmt: skip
    deadlines = DeadlineDesk(
        records=desks.records, incidents=store, claims=claims, complaints=complaints, reports=reports,
        told=Told(TENANT), outbox=desks.outbox, clock=clock,
    )  # fmt: skip
    return Response(
        incidents, scopes, signals, packs, cooperation, shared, lines, conversations, workload, deadlines
    )
