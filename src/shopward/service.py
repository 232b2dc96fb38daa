"""The composition root: the one place that picks adapters, clocks and sources of ids, and puts the parts together.

Promise:
- ``Shopward.open`` either returns an engine that owns its store and may decide, or raises and leaves nothing open;
- a second one on the same store is refused (``StoreLocked``), whatever the process;
- an answer of ``decide`` is recorded durably before it is returned;
- ``close`` saves a snapshot, gives up the store, and may be called twice.

The story of opening:
  (1) settings are checked
  (2) the policy of the files is read and compiled
  (3) the store is opened and claimed
  (4) the token key is read, or made beside an empty log; so are the key that signs the audit log and that of step-up
  (5) the desks of protection, step-up and publication are put together over the same store; what was published is in
      force unless a folder was given
  (6) the state is rebuilt from snapshot and log

It speaks no HTTP: ``http`` puts a server around it, and a Python shop may call it as it is. ``decide`` may be called
from any thread; calls are answered one after the other.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shopward.access import open_token_key
from shopward.adapters.bundles import put_in_force
from shopward.adapters.codes import channel_of
from shopward.adapters.snapshots import FileSnapshots
from shopward.adapters.sql import SqlEventLog, open_engine
from shopward.adapters.sql.records import SqlRecords, fence_of
from shopward.audit import AuditTrail, open_signing_key
from shopward.config import Settings, check_settings
from shopward.errors import Misconfigured, ModelInvalid, NotFound, StoreError
from shopward.events import Event, FactsMaker, Tokeniser
from shopward.flows.advise import AdvisoryDesk
from shopward.flows.alerted import IdentityWatch
from shopward.flows.arrows import Arrows
from shopward.flows.asked import Askings, Witnesses
from shopward.flows.authorize import AuthorizationDesk
from shopward.flows.consequences import Consequences
from shopward.flows.courier import Courier
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import DecisionRecord, Engine
from shopward.flows.enrol import FactorDesk
from shopward.flows.evidence import Evidence
from shopward.flows.follow import Follower
from shopward.flows.ground import Ground
from shopward.flows.notary import Notary
from shopward.flows.oversee import Overseer
from shopward.flows.protect import ProtectionDesk
from shopward.flows.prove import ProofDesk
from shopward.flows.publish import Edition, PolicyDesk
from shopward.flows.recover import RecoveryDesk
from shopward.flows.succession import Successor
from shopward.flows.system import SystemOrders
from shopward.flows.trace import Tracer
from shopward.flows.trusted import RecoveryAsking
from shopward.flows.undo import UndoDesk
from shopward.flows.victims import VictimDesk
from shopward.flows.webhooks import Telling, WebhookDesk
from shopward.flows.wording import Decision, Wording
from shopward.keyring import open_key
from shopward.outbox.cursors import Cursors
from shopward.outbox.deliveries import Deliveries
from shopward.outbox.messages import Outbox
from shopward.outbox.registry import WEBHOOK_KEY, Endpoints, has_endpoints, sealer_of
from shopward.protection.authorizations import Authorizations
from shopward.protection.links import AccountLinks
from shopward.protection.sets import SetStore
from shopward.protection.store import OrderStore
from shopward.protection.users import DeclaredUsers
from shopward.publication.store import PolicyStore
from shopward.recovery.store import RecoveryStore
from shopward.risk.policy import Policy, PolicyFiles
from shopward.stepup import RFC_9106_SECOND, Desk, Hasher, Keys, RelyingParty, Store, open_stepup_key
from shopward.values import SECOND_MS, SystemClock, SystemIds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from shopward.errors import ShopwardError
    from shopward.flows.engine import Recall
    from shopward.ports import EventLog
    from shopward.protection import Order
    from shopward.values import Clock

SNAPSHOT_FILE = "state.snapshot"
LEASE_TIMES = 3
"""So many times the time that a receiver has is a delivery one process's alone."""
TENANT = "main"
_logger = logging.getLogger("shopward")


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


class Shopward:
    """An open Shopward: a claimed log, a policy in force, and the desk that decides.

    Made by ``Shopward.open``; closed by ``close`` or as a context manager.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        log: EventLog,
        edition: Edition,
        maker: FactsMaker,
        clock: Clock,
        desks: Desks,
    ) -> None:
        self.settings = settings
        self.log = log
        self.edition = edition
        self.maker = maker
        self.clock = clock
        self.records = desks.records
        self.trail = desks.trail
        self.outbox = desks.outbox
        self.overseer = desks.overseer
        self.protection = desks.protection
        self.authorizations = desks.authorizations
        self.webhooks = desks.webhooks
        self.courier = desks.courier
        self.tracer = desks.tracer
        self.advisories = desks.advisories
        self.victims = desks.victims
        cases, witnesses = RecoveryStore(TENANT), Witnesses(desks.trail, desks.outbox)
        asking = RecoveryAsking(
            records=desks.records, store=cases, desk=desks.step_up, overseer=desks.overseer, log=log, maker=maker,
            clock=clock,
        )  # fmt: skip
        askings = Askings(log, maker, asking)
        self.proofs = ProofDesk(
            askings=askings, desk=desks.step_up, overseer=desks.overseer, witnesses=witnesses, clock=clock, ids=SystemIds(),
            policy=lambda: self.desk.engine.policy,
        )  # fmt: skip
        self.factors = FactorDesk(
            askings=askings, desk=desks.step_up, witnesses=witnesses, clock=clock, ids=SystemIds()
        )
        self.policies = desks.policies
        self.notary = Notary(records=desks.records, trail=desks.trail, outbox=desks.outbox, clock=clock)
        carried = lambda: self.policy.spec.head.consequences  # noqa: E731 -- of the policy in force then
        system = SystemOrders(desks.ground, desks.outbox, SystemIds(), carried)
        self.follower = Follower(
            "consequences", log=log, records=desks.records, fence=desks.ground.fence, cursors=Cursors(TENANT),
            listeners=(
                Consequences(desks.ground, desks.outbox, system, carried),
                IdentityWatch(desks.ground, system, lambda connection: AccountLinks(connection, TENANT)),
            ),
        )  # fmt: skip
        self.wording = Wording(edition.policy.spec)
        self.recoveries = RecoveryDesk(
            ground=desks.ground, store=cases, desk=desks.step_up, overseer=desks.overseer, log=log, asking=asking,
            evidence=Evidence(desks.step_up, maker.blind), witnesses=witnesses, outbox=desks.outbox, ids=SystemIds(),
        )  # fmt: skip
        self.undos = UndoDesk(
            ground=desks.ground, store=cases, recoveries=self.recoveries, log=log, entropy=secrets.token_bytes
        )
        self.desk = DecisionDesk(
            log=log,
            engine_of=self._engine_of(edition),
            snapshots=FileSnapshots(settings.folder / SNAPSHOT_FILE),
            clock=clock,
            limits=settings.limits,
            orders=desks.overseer,
            mark=edition.mark,
        )
        self._one_at_a_time = threading.Lock()
        self._open = True

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        rebuild: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Open the store of ``settings`` and become the one that decides on it.

        Args:
            settings: where everything is; defaults where ``None``.
            clock: the machine's where ``None``.
            rebuild: whether to rebuild the state now; a server does it later, while it already answers ``/healthz``.
            progress: told ``(done, of)`` now and then while the state is rebuilt.

        Raises:
            Misconfigured: a setting is unsafe or a key file is missing or broken.
            PolicyInvalid: the policy does not compile.
            ModelInvalid: a model bundle is damaged or was made for other features.
            StoreLocked: another decision server owns the store.
            StoreUnavailable: the store cannot be opened or read.
        """
        settings = settings or Settings()
        check_settings(settings)  # (1)
        by_files = edition_of_files(settings)  # (2)
        log = open_log(settings)  # (3)
        try:
            log.claim()
            key = open_token_key(settings.folder, log_is_empty=log.last_seq() == 0)  # (4)
            maker = FactsMaker(Tokeniser(key))
            desks = open_desks(settings, maker, clock)  # (5)
            try:
                edition = desks.policies.at_start(by_files)
                put_in_force(edition.policy, settings.models)
                opened = cls(
                    settings=settings,
                    log=log,
                    edition=edition,
                    maker=maker,
                    clock=clock or SystemClock(),
                    desks=desks,
                )
                opened.follower.begin()
                if rebuild:
                    opened.desk.rebuild(progress)  # (6)
                    if opened.desk.refused_snapshot:
                        _logger.warning("the snapshot is not used: %s", opened.desk.refused_snapshot)
            except BaseException:
                desks.records.close()
                raise
        except BaseException:
            log.close()
            raise
        return opened

    def decide(self, event: bytes | dict[str, Any] | Event, *, language: str = "en") -> Decision:
        """The recorded decision on one event.

        Args:
            event: the contract's event, as JSON bytes or as a dictionary.
            language: of the reasons' texts: ``id``, ``zh`` or ``en``.

        Raises:
            BadInput: the event is refused; nothing was recorded.
            Conflict: the id was used for another event.
            StoreUnavailable: nothing was recorded; ask again.
        """
        raw = event if isinstance(event, bytes | Event) else msgspec.json.encode(event)
        with self._one_at_a_time:
            answer = self.desk.decide([raw])[0]
        if isinstance(answer, DecisionRecord):
            return self.wording.decision(answer, language)
        raise answer

    def carry_out(self) -> None:
        """Carry out the consequences of what is decided by now; a server does it by itself, beside the decisions."""
        while self.follower.step().more:
            pass

    def user_of(self, order: Order) -> str:
        """The shop's id of the one user that an order is about; empty where it is about more, or nobody's event tells.

        An order holds a token; the name is looked up in the newest event of that token, as it was sent.
        """
        target = order.standing.target
        newest = (
            self.log.timeline(target.tokens[0], before_seq=None, limit=1) if target.kind == "user" else ()
        )
        return str(msgspec.json.decode(newest[0].personal)["user"]["id"]) if newest else ""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.edition.policy

    @property
    def kernel(self) -> str:
        """Which kernel keeps the features."""
        return self.desk.engine.kernel.name

    @property
    def models(self) -> tuple[str, ...]:
        """The learned scores in force, by name."""
        return () if self.policy.scorers is None else self.policy.scorers.names

    def successor(self, edition: Edition) -> Successor:
        """An edition on its way into force; who owns the desk lets it take over and then calls ``succeeded``."""
        try:
            put_in_force(edition.policy, self.settings.models)
        except (ModelInvalid, NotFound) as refused:  # fails open: the new rules go on alone
            _logger.warning("policy %s decides without models: %s", edition.policy.version, refused)
        return Successor(self.desk, edition, self._engine_of(edition))

    def succeeded(self, edition: Edition) -> None:
        """Speak for the edition that has taken over."""
        self.edition = edition
        self.wording.take(edition.policy.spec)
        self.proofs.take_policy(edition.policy)

    @property
    def state_keys(self) -> int:
        """How many keys the features hold."""
        return self.desk.engine.kernel.keys()

    def close(self, *, snapshot: bool = True) -> None:
        """Save the state, give up the store. A state that cannot be saved costs time at the next start, never data."""
        with self._one_at_a_time:
            if not self._open:
                return
            self._open = False
            try:
                if snapshot:
                    self.desk.save_snapshot()
            except StoreError as failed:
                _logger.warning("no snapshot at the end: %s; the next start replays the log", failed.code)
            finally:
                self.records.close()
                self.log.close()

    def _engine_of(self, edition: Edition) -> Callable[[Recall], Engine]:
        return lambda recall: Engine(edition.policy, self.maker, recall, kernel=self.settings.kernel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_desks(settings: Settings, maker: FactsMaker, clock: Clock | None = None) -> Desks:
    """The desks of protection over the store of the settings, whose schema is up to date.

    It needs no claim: orders and captures are made for several processes on one PostgreSQL.
    """
    engine = open_engine(settings.database_url)
    records, fence, blind = SqlRecords(engine), fence_of(engine, TENANT), maker.blind
    has_checkpoints = records.read(lambda each: AuditTrail(TENANT).newest_checkpoint(each)) is not None
    trail = AuditTrail(TENANT, signer=open_signing_key(settings.folder, has_checkpoints=has_checkpoints))
    store, sets = OrderStore(TENANT, SystemIds()), SetStore(TENANT)
    users = DeclaredUsers(TENANT, blind, sets)
    outbox = Outbox(TENANT, SystemIds())
    arrows = Arrows(store, trail, outbox)
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
    webhooks, courier = _webhooks(settings, records=records, outbox=outbox, trail=trail, clock=clock)
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
    )


def _step_up(settings: Settings, records: SqlRecords, clock: Clock) -> Desk:
    """The desk of step-up over the same store; its key is made once, and never again beside enrolled factors."""
    store = Store(TENANT)
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
        channel=channel_of(
            smtp_url=settings.smtp_url,
            mail_from=settings.mail_from,
            domain=settings.shop_domain,
            webhook_url=settings.code_webhook_url,
            webhook_secret=settings.code_webhook_secret,
            clock=clock,
            ids=SystemIds(),
        ),
        store=store,
    )


def _webhooks(
    settings: Settings, *, records: SqlRecords, outbox: Outbox, trail: AuditTrail, clock: Clock
) -> tuple[WebhookDesk, Courier]:
    """Who is told, and the bookkeeping of the telling."""
    in_use = records.read(lambda connection: has_endpoints(connection, TENANT))
    key = open_key(settings.folder, WEBHOOK_KEY, in_use=in_use)
    endpoints = Endpoints(TENANT, sealer_of(key), secrets.token_bytes)
    telling = Telling(records, endpoints, Deliveries(TENANT), outbox, trail, clock, SystemIds())
    lease_ms = round(LEASE_TIMES * settings.webhook_timeout_s * SECOND_MS)
    courier = Courier(telling, lease_ms=lease_ms, random=random.Random())  # noqa: S311 -- spreads pauses
    return WebhookDesk(telling, secrets.token_bytes), courier


def _never_jumps(clock: Clock) -> Callable[[], float]:
    """For a clock that was handed over: whoever moves it means it."""
    return lambda: clock.now_ms() / 1000


def edition_of_files(settings: Settings) -> Edition:
    """The policy of the settings' folder, or the one that ships, compiled; raises ``PolicyInvalid``."""
    if not settings.policy:
        files = PolicyFiles.shipped()
        return Edition(files.compiled(), files)
    folder = Path(settings.policy).expanduser()
    if not folder.is_dir():
        raise Misconfigured(
            "the policy's folder is missing",
            path="policy",
            expected="a folder with policy.toml",
            found="no folder",
        )
    files = PolicyFiles.read(folder)
    return Edition(files.compiled(), files, is_folder=True)


def open_log(settings: Settings) -> SqlEventLog:
    """The log of the settings, not yet claimed."""
    failure: ShopwardError | None = None
    with suppress(FileExistsError):
        try:
            settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except PermissionError:
            failure = Misconfigured(
                "the data folder cannot be made",
                path="data",
                expected="a folder that this user may write",
                found="no right",
            )
    if failure is not None:
        raise failure
    if not settings.folder.is_dir():
        raise Misconfigured(
            "the data folder is no folder", path="data", expected="a folder", found="something else"
        )
    return SqlEventLog.open(settings.database_url)


def open_log_to_read(settings: Settings) -> SqlEventLog:
    """The log of the settings for reading alone, beside the server that owns it; raises where there is none."""
    return SqlEventLog.open_to_read(settings.database_url)


def published_policies(settings: Settings) -> dict[str, PolicyFiles]:
    """Every policy that was published in the store of the settings, by digest, the first one first; for reading alone."""
    SqlEventLog.open_to_read(settings.database_url).close()
    records, store = SqlRecords(open_engine(settings.database_url)), PolicyStore(TENANT)
    try:
        return records.read(store.all_files)
    finally:
        records.close()
