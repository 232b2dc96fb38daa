"""The desks of protection, step-up, publication and telling, put together over one store.

Promise: every desk works on the same tables, clock and keys; a key that is missing beside what it sealed or signed is
refused (``Misconfigured``) before anything is served. It needs no claim on the log: orders and captures are made for
several processes on one PostgreSQL.
"""

from __future__ import annotations

import random
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.adapters.codes import BarredChannel, channel_of
from shopward.adapters.lists import ListFiles
from shopward.adapters.mail import MailServer, mail_route
from shopward.adapters.sql import open_engine
from shopward.adapters.sql.records import SqlRecords, fence_of
from shopward.audit import AUDIT_KEY, AuditTrail, FolderSigner, open_signing_key
from shopward.errors import Misconfigured
from shopward.flows.advise import AdvisoryDesk
from shopward.flows.announce import Announcer
from shopward.flows.arrows import Arrows
from shopward.flows.authorize import AuthorizationDesk
from shopward.flows.books import LedgerDesk
from shopward.flows.courier import Courier
from shopward.flows.evidence import Evidence
from shopward.flows.ground import Ground
from shopward.flows.oversee import Overseer
from shopward.flows.protect import ProtectionDesk
from shopward.flows.publish import PolicyDesk
from shopward.flows.screen import ScreeningDesk
from shopward.flows.trace import Tracer
from shopward.flows.victims import VictimDesk
from shopward.flows.webhooks import Telling, WebhookDesk
from shopward.keyring import Generations, open_key
from shopward.ledger import Book, Reading
from shopward.lines.store import LineStore
from shopward.outbox.deliveries import Deliveries
from shopward.outbox.messages import Outbox
from shopward.outbox.registry import WEBHOOK_KEY, Endpoints, has_endpoints, renewable_sealer
from shopward.protection.authorizations import Authorizations
from shopward.protection.links import AccountLinks
from shopward.protection.sets import SetStore
from shopward.protection.store import OrderStore
from shopward.protection.users import DeclaredUsers
from shopward.publication.store import PolicyStore
from shopward.screening import load_profile
from shopward.screening.profile import refuse_faults
from shopward.screening.profile.store import ProfileStore
from shopward.screening.reports.store import ReportStore
from shopward.service.learned import LearnedFiles
from shopward.service.renewals import renewals_of
from shopward.service.signals_key import signals_sealer
from shopward.ssf.receiver_store import ReceiverStore
from shopward.stepup import RFC_9106_SECOND, Desk, Hasher, Keys, RelyingParty, Store, open_stepup_key
from shopward.values import SECOND_MS, SystemClock, SystemIds

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.config import Settings
    from shopward.events import FactsMaker
    from shopward.flows.renew import Renewal
    from shopward.keyring import RenewableSealer
    from shopward.ports import Fence
    from shopward.screening import Profile
    from shopward.values import Clock

LEASE_TIMES: Final = 3
"""So many times the time that a receiver has is a delivery one process's alone."""
TENANT: Final = "main"


class Desks(NamedTuple):
    """The desks of protection over one store, and what is closed with them."""

    records: SqlRecords
    trail: AuditTrail
    outbox: Outbox
    overseer: Overseer
    protection: ProtectionDesk
    authorizations: AuthorizationDesk
    tracer: Tracer
    advisories: AdvisoryDesk
    victims: VictimDesk
    step_up: Desk
    webhooks: WebhookDesk
    courier: Courier
    policies: PolicyDesk
    ground: Ground
    books: LedgerDesk
    book: Book
    screening: ScreeningDesk
    renewals: dict[str, Renewal]
    complaint_fence: Fence
    report_fence: Fence
    announcer: Announcer
    signals_sealer: RenewableSealer


def open_desks(settings: Settings, maker: FactsMaker, clock: Clock | None = None) -> Desks:
    """The desks of protection over the store of the settings, whose schema is up to date.

    It needs no claim: orders and captures are made for several processes on one PostgreSQL.
    """
    engine = open_engine(settings.database_url)
    records, fence, blind = SqlRecords(engine), fence_of(engine, TENANT), maker.blind
    has_checkpoints = records.read(lambda each: AuditTrail(TENANT).newest_checkpoint(each)) is not None
    open_signing_key(
        settings.folder, has_checkpoints=has_checkpoints
    )  # made, or missed, before anything is signed
    trail = AuditTrail(TENANT, signer=FolderSigner(Generations(settings.folder, AUDIT_KEY)))
    store, sets = OrderStore(TENANT, SystemIds()), SetStore(TENANT)
    users = DeclaredUsers(TENANT, blind, sets)
    outbox = Outbox(TENANT, SystemIds())
    announcer = Announcer(ReceiverStore(TENANT), SystemIds())
    arrows = Arrows(store, trail, outbox, announcer)
    sealer = signals_sealer(settings.folder, records)
    steady_s = time.monotonic if clock is None else _never_jumps(clock)
    clock = clock or SystemClock()
    ground = Ground(records, fence, store, users, arrows, clock, blind, sets)
    overseer = Overseer(ground, steady_s=steady_s)
    step_up = _step_up(settings, records, clock)
    evidence = Evidence(step_up, blind)
    protection = ProtectionDesk(ground, SystemIds(), evidence)
    authorizations = AuthorizationDesk(
        records=records, fence=fence, book=Authorizations(TENANT, store, users), overseer=overseer, maker=maker,
        clock=clock,
    )  # fmt: skip
    tracer = Tracer(ground, lambda connection: AccountLinks(connection, TENANT), overseer)
    advisories = AdvisoryDesk(ground, protection, SystemIds())
    victims = VictimDesk(ground, tracer, SystemIds())
    policies = PolicyDesk(
        records=records, fence=fence_of(engine, f"{TENANT}:policies"), store=PolicyStore(TENANT), trail=trail,
        clock=clock, ids=SystemIds(),
    )  # fmt: skip
    book = Book(TENANT)
    learned = LearnedFiles(settings)
    screening = ScreeningDesk(
        records=records, store=ProfileStore(TENANT), reports=ReportStore(TENANT), trail=trail, clock=clock, steady_s=time.monotonic,
        learned=learned.in_force, on_trial=learned.on_trial, pinned=_profile(settings), feeds=ListFiles(settings.lists),
    )  # fmt: skip
    webhooks, courier, endpoints = _webhooks(
        settings, records=records, outbox=outbox, trail=trail, clock=clock
    )
    return Desks(
        records,
        trail,
        outbox,
        overseer,
        protection,
        authorizations,
        tracer,
        advisories,
        victims,
        step_up,
        webhooks,
        courier,
        policies,
        ground,
        LedgerDesk(records=records, book=book, reading=Reading(TENANT), trail=trail, clock=clock),
        book,
        screening,
        renewals_of(
            settings.folder,
            tenant=TENANT,
            records=records,
            fence=fence,
            trail=trail,
            endpoints=endpoints,
            signals=sealer,
            clock=clock,
        ),
        fence_of(engine, f"{TENANT}:complaints"),
        fence_of(engine, f"{TENANT}:reports"),
        announcer,
        sealer,
    )


def _profile(settings: Settings) -> Profile | None:
    """The profile of the settings' file; raises ``BadInput`` for one that would judge the shop's own wrongly."""
    if not settings.profile:
        return None
    try:
        raw = Path(settings.profile).expanduser().read_bytes()
    except OSError:
        raise Misconfigured("the profile cannot be read", path="profile", expected="a file") from None
    profile = load_profile(raw)
    refuse_faults(profile)
    return profile


def _step_up(settings: Settings, records: SqlRecords, clock: Clock) -> Desk:
    """The desk of step-up over the same store; its key is made once, and never again beside enrolled factors."""
    store, lines = Store(TENANT), LineStore(TENANT)
    channel = channel_of(
        mail=mail_server(settings, clock), webhook_url=settings.code_webhook_url, webhook_secret=settings.code_webhook_secret,
        clock=clock, ids=SystemIds(),
    )  # fmt: skip
    key = open_stepup_key(
        settings.folder, nothing_enrolled=records.read(store.nothing_enrolled), entropy=secrets.token_bytes
    )
    return Desk(
        records=records,
        keys=Keys(key),
        hasher=Hasher(RFC_9106_SECOND, entropy=secrets.token_bytes),
        party=RelyingParty(settings.shop_domain, settings.shop_name, settings.origins),
        entropy=secrets.token_bytes,
        ids=SystemIds(),
        channel=BarredChannel(channel, lambda: records.read(lines.is_barred)),
        store=store,
    )


def mail_server(settings: Settings, clock: Clock, **changes: float) -> MailServer | None:
    """The mail server of the settings; ``None`` where none is set."""
    if not settings.smtp_url:
        return None
    return MailServer(
        mail_route(settings.smtp_url),
        sender=settings.mail_from,
        clock=clock,
        domain=settings.shop_domain,
        **changes,
    )


def _webhooks(
    settings: Settings, *, records: SqlRecords, outbox: Outbox, trail: AuditTrail, clock: Clock
) -> tuple[WebhookDesk, Courier, Endpoints]:
    """Who is told, and the bookkeeping of the telling."""
    in_use = records.read(lambda connection: has_endpoints(connection, TENANT))
    open_key(settings.folder, WEBHOOK_KEY, in_use=in_use)
    generations = Generations(settings.folder, WEBHOOK_KEY)
    endpoints = Endpoints(TENANT, renewable_sealer(generations), secrets.token_bytes)
    telling = Telling(records, endpoints, Deliveries(TENANT), outbox, trail, clock, SystemIds())
    lease_ms = round(LEASE_TIMES * settings.webhook_timeout_s * SECOND_MS)
    courier = Courier(telling, lease_ms=lease_ms, random=random.Random())  # noqa: S311 -- spreads pauses
    return WebhookDesk(telling, secrets.token_bytes, has_mail=bool(settings.smtp_url)), courier, endpoints


def _never_jumps(clock: Clock) -> Callable[[], float]:
    """For a clock that was handed over: whoever moves it means it."""
    return lambda: clock.now_ms() / 1000
