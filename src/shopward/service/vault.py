"""The vault, put together over the store of the desks."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from shopward.adapters.roots import open_root
from shopward.adapters.sql.personal import PersonalColumn
from shopward.claims.store import ClaimStore
from shopward.complaints.store import ComplaintStore
from shopward.conversations.store import ConversationStore
from shopward.findings.store import FindingStore
from shopward.flows.canary import CanaryDesk
from shopward.flows.custody import Custody
from shopward.flows.erase import ERASURE, HOLD, EraseDesk
from shopward.flows.guard import CANARY, LOCK, GuardDesk, lock_name
from shopward.flows.history import History
from shopward.flows.keeping import EventKeeper
from shopward.flows.leaked import LeakDesk
from shopward.flows.processing import Lawful
from shopward.flows.rekey import RekeyDesk
from shopward.flows.reveal import RevealDesk
from shopward.flows.staff import StaffDesk
from shopward.flows.strongroom import Strongroom
from shopward.flows.training import Trained
from shopward.flows.unexplained import ReadingWatch
from shopward.flows.words import WORDS, InClear, Words
from shopward.incidents import clear
from shopward.incidents.store import KIND as INCIDENT
from shopward.keyring import derived
from shopward.leaks import MarkRing
from shopward.notices.store import NoticeStore
from shopward.partners.store import PartnerStore
from shopward.processing.store import ProcessingStore
from shopward.screening.reports.store import ReportStore
from shopward.ssf.receiver_store import ReceiverStore
from shopward.training import courses_of
from shopward.training.store import TrainingStore
from shopward.values import SystemIds
from shopward.vault.accesses import AccessBook
from shopward.vault.canaries import CanaryBook
from shopward.vault.census import Census
from shopward.vault.erasures import ErasureBook, overwrite_freed
from shopward.vault.journal import JOURNAL_FILE, Journal
from shopward.vault.keys import TenantKeys, states_of
from shopward.vault.periods import Periods
from shopward.vault.records import SealedRecords
from shopward.vault.rotations import Rotations
from shopward.vault.texts import SealedTexts

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.config import Settings
    from shopward.ports import EventLog, KeyRoot
    from shopward.service.desks import Desks


class Vault(NamedTuple):
    """The desks of the vault, and what they share, for those who build on it."""

    room: Strongroom
    custody: Custody
    guard: GuardDesk
    reveals: RevealDesk
    erasing: EraseDesk
    rekeying: RekeyDesk
    marks: MarkRing
    leaks: LeakDesk
    canaries: CanaryDesk
    keeper: EventKeeper
    history: History
    staff: StaffDesk
    words: Words


def open_vault(settings: Settings, desks: Desks, log: EventLog, *, tenant: str, token_key: bytes) -> Vault:
    """Unwrap the keys, and do erasures again that a restored store has forgotten, before anything is served.

    Raises:
        Misconfigured: the root or the journal of erasures is missing, damaged or another one.
        StoreError: the root does not open the keys.
    """
    ground = desks.ground
    in_use = bool(ground.records.read(lambda connection: states_of(connection, tenant)))
    root = _root(settings, settings.vault_root, in_use=in_use)
    keys = TenantKeys(tenant, root, secrets.token_bytes)
    now_ms = ground.clock.now_ms()
    ground.records.write(lambda connection: _begin(desks, keys, connection, now_ms, settings.vault_keys))
    sealed = SealedRecords(tenant, keys, secrets.token_bytes)
    texts = SealedTexts(tenant, keys, secrets.token_bytes)
    periods = Periods(tenant, keys, secrets.token_bytes)
    room = Strongroom(
        records=ground.records,
        fence=ground.fence,
        keys=keys,
        sealed=sealed,
        texts=texts,
        accesses=AccessBook(tenant),
        canaries=CanaryBook(tenant),
        census=Census(tenant),
        erasures=ErasureBook(tenant),
        rotations=Rotations(tenant, keys, sealed, texts, periods, ground.fence),
        journal=Journal(settings.folder / JOURNAL_FILE, derived(token_key, b"shopward journal of erasures")),
        trail=desks.trail,
        outbox=desks.outbox,
        clock=ground.clock,
        ids=SystemIds(),
        blind=ground.blind,
        periods=periods,
        column=PersonalColumn(tenant),
        told=ReceiverStore(tenant),
    )
    words = Words(room, _in_clear(tenant, partial(ground.blind, WORDS)), overwrite_freed)
    erasing = EraseDesk(room, words, NoticeStore(tenant).forget, backup_days=settings.vault_backup_days)
    erasing.at_start()
    guard = GuardDesk(room, words)
    partners = PartnerStore(tenant)
    staff = StaffDesk(
        desk=desks.step_up, blind=ground.blind, trail=desks.trail, clock=ground.clock, ids=SystemIds()
    )
    rekeying = RekeyDesk(room, partial(_next_root, settings), desks.renewals, partners.shares_between)
    marks = MarkRing(lambda: keys.known("mark"))
    return Vault(
        room,
        Custody(room),
        guard,
        RevealDesk(
            room,
            guard,
            Lawful(ProcessingStore(tenant)),
            Trained(TrainingStore(tenant), courses_of(settings.trained_purposes)),
            staff,
            ReadingWatch(ConversationStore(tenant), FindingStore(tenant), desks.outbox),
        ),
        erasing,
        rekeying,
        marks,
        LeakDesk(room, marks),
        CanaryDesk(
            room,
            secrets.token_bytes,
            lambda connection, partner: partners.get(connection, partner) is not None,
        ),
        EventKeeper(room, log.held),
        History(ground.records, periods, log),
        staff,
        words,
    )


def _in_clear(tenant: str, keyed: Callable[[str], str]) -> tuple[InClear, ...]:
    """Where versions before this one kept what people wrote."""
    complaints, reports, claims = ComplaintStore(tenant), ReportStore(tenant), ClaimStore(tenant)
    erasures, accesses = ErasureBook(tenant), AccessBook(tenant)

    def name(kind: str, target: str) -> str:
        return keyed(lock_name(kind, target))

    return (
        InClear(INCIDENT, partial(clear.in_clear, tenant), partial(clear.emptied, tenant)),
        InClear("claim", claims.in_clear, claims.emptied),
        InClear("complaint", complaints.in_clear, partial(complaints.emptied, keyed=keyed)),
        InClear("case", reports.cases_in_clear, reports.empty_cases),
        InClear("note", reports.notes_in_clear, reports.empty_notes),
        InClear("report", reports.reports_in_clear, reports.empty_reports),
        InClear(HOLD, erasures.holds_in_clear, erasures.empty_holds),
        InClear(ERASURE, erasures.certificates_in_clear, erasures.empty_certificates),
        InClear(
            LOCK,
            partial(accesses.locks_in_clear, name=name, word=CANARY),
            partial(accesses.empty_locks, name=name),
        ),
    )


def _begin(desks: Desks, keys: TenantKeys, connection: Any, now_ms: int, width: str) -> None:
    desks.ground.fence.one_user(connection, "vault:keys")
    keys.begin(connection, now_ms, width=width)


def _root(settings: Settings, spec: str, *, in_use: bool) -> KeyRoot:
    return open_root(
        spec, folder=settings.folder, passphrase=settings.vault_passphrase, pin=settings.vault_pin, in_use=in_use,
        entropy=secrets.token_bytes,
    )  # fmt: skip


def _next_root(settings: Settings) -> KeyRoot | None:
    return _root(settings, settings.vault_root_next, in_use=False) if settings.vault_root_next else None
