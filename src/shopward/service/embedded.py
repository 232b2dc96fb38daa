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
      force unless a folder was given; so is the vault, which first does erasures again that a restored store forgot
  (6) the state is rebuilt from snapshot and log

It speaks no HTTP: ``http`` puts a server around it, and a Python shop may call it as it is. ``decide`` may be called
from any thread; calls are answered one after the other.
"""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.access import open_token_key
from shopward.adapters.bundles import put_in_force
from shopward.adapters.snapshots import FileSnapshots
from shopward.claims.store import ClaimStore
from shopward.config import Settings
from shopward.errors import ModelInvalid, NotFound, StoreError
from shopward.events import Event, FactsMaker, Tokeniser
from shopward.findings.store import FindingStore
from shopward.flows.alerted import IdentityWatch
from shopward.flows.asked import Askings, Witnesses
from shopward.flows.canary_watch import CanaryWatch
from shopward.flows.casework import CaseDesk
from shopward.flows.claim import ClaimDesk
from shopward.flows.claim_many import VictimClaims
from shopward.flows.claiming import Claiming
from shopward.flows.consequences import Consequences
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import DecisionRecord, Engine
from shopward.flows.enrol import FactorDesk
from shopward.flows.evidence import Evidence
from shopward.flows.follow import Follower
from shopward.flows.notary import Notary
from shopward.flows.notify import NoticeDesk
from shopward.flows.payout import PayoutDesk
from shopward.flows.playbooks import PlaybookDesk
from shopward.flows.prove import ProofDesk
from shopward.flows.record import CampaignRecorder
from shopward.flows.recover import RecoveryDesk
from shopward.flows.sim import SimDesk
from shopward.flows.succession import Successor
from shopward.flows.system import SystemOrders
from shopward.flows.trusted import RecoveryAsking
from shopward.flows.undo import UndoDesk
from shopward.flows.wording import Decision, Wording
from shopward.incidents.playbooks.store import PlaybookStore
from shopward.notices.store import NoticeStore
from shopward.outbox.cursors import Cursors
from shopward.protection.links import AccountLinks
from shopward.recovery.store import RecoveryStore
from shopward.service.checks import check_settings
from shopward.service.customers import open_customers
from shopward.service.desks import TENANT, Desks, open_desks
from shopward.service.mail import notice_sealer, postmen_of
from shopward.service.own import open_own_page
from shopward.service.partners import partner_desks
from shopward.service.passwords import PasswordDesk
from shopward.service.response import acquittal, open_response
from shopward.service.sims import sim_swaps_of
from shopward.service.stores import edition_of_files, open_log, payer_of
from shopward.service.training import training_desks
from shopward.service.vault import Vault, open_vault
from shopward.values import SystemClock, SystemIds, parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from shopward.flows.engine import Recall
    from shopward.flows.publish import Edition
    from shopward.ports import EventLog
    from shopward.protection import Order
    from shopward.risk.policy import Policy
    from shopward.values import Clock


SNAPSHOT_FILE: Final = "state.snapshot"
_logger = logging.getLogger("shopward")


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
        vault: Vault,
    ) -> None:
        self.settings = settings
        self.log = log
        self.edition = edition
        self.maker = maker
        self.clock = clock
        self.records = desks.records
        self.trail = desks.trail
        self.outbox, self.overseer = desks.outbox, desks.overseer
        self.protection = desks.protection
        self.authorizations = desks.authorizations
        self.webhooks = desks.webhooks
        self.courier = desks.courier
        self.tracer = desks.tracer
        self.advisories, self.victims = desks.advisories, desks.victims
        self.vault = vault
        self.books, self.screening = desks.books, desks.screening
        cases, witnesses = RecoveryStore(TENANT), Witnesses(desks.trail, desks.outbox)
        asking = RecoveryAsking(
            records=desks.records, store=cases, desk=desks.step_up, overseer=desks.overseer, log=log, maker=maker,
            clock=clock,
        )  # fmt: skip
        askings = Askings(log, maker, asking)
        self.sims = SimDesk(sim_swaps_of(settings), askings, within_h=settings.sim_swap_within_h, clock=clock)
        self.proofs = ProofDesk(
            askings=askings, sims=self.sims, desk=desks.step_up, overseer=desks.overseer, witnesses=witnesses, clock=clock, ids=SystemIds(),
            policy=lambda: self.desk.engine.policy,
        )  # fmt: skip
        self.factors = FactorDesk(
            askings=askings, desk=desks.step_up, witnesses=witnesses, clock=clock, ids=SystemIds()
        )
        self.policies = desks.policies
        self.notary = Notary(records=desks.records, trail=desks.trail, outbox=desks.outbox, clock=clock)
        carried = lambda: self.policy.spec.head.consequences  # noqa: E731 -- of the policy in force then
        system = SystemOrders(desks.ground, desks.outbox, SystemIds(), carried)
        found = FindingStore(TENANT)
        self.follower = Follower(
            "consequences", log=log, records=desks.records, fence=desks.ground.fence, cursors=Cursors(TENANT),
            listeners=(
                Consequences(desks.ground, desks.outbox, system, carried),
                CanaryWatch(found, desks.outbox, clock),
                IdentityWatch(desks.ground, system, lambda connection: AccountLinks(connection, TENANT)),
                desks.announcer,
            ),
        )  # fmt: skip
        self.recorder = CampaignRecorder(
            records=desks.records, store=found, outbox=desks.outbox, clock=clock,
            within_ms=lambda: parse_duration_ms(self.policy.spec.campaigns.alert.acknowledge_within, path="alert"),
        )  # fmt: skip
        self.cases = CaseDesk(
            records=desks.records, store=found, log=log, history=vault.history, trail=desks.trail, outbox=desks.outbox,
            clock=clock,
        )  # fmt: skip
        self.passwords = PasswordDesk(settings, desks.records, desks.trail, clock)
        claims = ClaimStore(TENANT)
        claiming = Claiming(
            desks.records, claims, desks.book, log, vault.history, vault.words, maker, desks.overseer.members, desks.trail, desks.outbox, clock,
            SystemIds(),
        )  # fmt: skip
        self.claims, self.victim_claims = ClaimDesk(claiming), VictimClaims(claiming)
        self.payouts = PayoutDesk(
            records=desks.records, store=claims, book=desks.book, history=vault.history, trail=desks.trail, outbox=desks.outbox,
            payer=payer_of(settings, clock), clock=clock,
        )  # fmt: skip
        self.ids = SystemIds()
        self.playbooks = PlaybookDesk(
            records=desks.records, store=PlaybookStore(TENANT), trail=desks.trail, clock=clock
        )
        self.notices = NoticeDesk(
            records=desks.records, store=NoticeStore(TENANT), token_of=maker.user_token,
            sealer=notice_sealer(settings, desks.records), entropy=secrets.token_bytes, postmen=postmen_of(settings, desks.records, clock),
            trail=desks.trail, outbox=desks.outbox, duty=acquittal(desks, vault), clock=clock, ids=self.ids,
        )  # fmt: skip
        (
            self.incidents,
            self.scopes,
            self.signals,
            self.packs,
            self.cooperation,
            self.shared,
            self.lines,
            self.conversations,
            self.workload,
            self.deadlines,
        ) = open_response(
            settings,
            desks,
            vault,
            log=log,
            cases=self.cases,
            clock=clock,
            ids=self.ids,
            title_of=self._campaign_title,
            told=self.notices.of_incident,
        )
        self.partners, self.pulls, self.aliases = partner_desks(settings, desks, vault, clock, self.ids)
        self.training, self.exercises = training_desks(settings, desks, vault, clock, self.ids)
        self.wording = Wording(edition.policy.spec)
        (
            self.complaints,
            self.reports,
            self.report_cases,
            self.sight,
            self.processing,
            self.dossiers,
        ) = open_customers(
            settings, desks, log=log, vault=vault, maker=maker, clock=clock, wording=self.wording
        )
        self.recoveries = RecoveryDesk(
            ground=desks.ground, store=cases, desk=desks.step_up, overseer=desks.overseer, log=log, asking=asking,
            evidence=Evidence(desks.step_up, maker.blind), witnesses=witnesses, outbox=desks.outbox, ids=SystemIds(),
        )  # fmt: skip
        self.visits, self.overviews, self.self_service, self.redress = open_own_page(
            desks,
            vault,
            self.recoveries,
            self.complaints,
            self.reports,
            self.claims,
            self.processing,
            self.factors,
            log=log,
            maker=maker,
            clock=clock,
        )
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
            keeper=vault.keeper,
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
                vault = open_vault(settings, desks, log, tenant=TENANT, token_key=key)  # (5)
                opened = cls(
                    settings=settings,
                    log=log,
                    edition=edition,
                    maker=maker,
                    clock=clock or SystemClock(),
                    desks=desks,
                    vault=vault,
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
        while self.shared.poller.step() + self.shared.receiver.step(self._decide_all):
            pass
        while self.follower.step().more:
            pass
        with self._one_at_a_time:
            self.recorder.offer(self.desk.engine.campaigns, self.desk.seq)
        self.recorder.step()
        self.signals.step()
        self.claims.sweep()
        self.report_cases.sweep()
        self.complaints.sweep()
        self.deadlines.step()
        while self.payouts.step():
            pass
        while self.notices.step():
            pass
        self.recorder.look()
        while self.shared.pusher.step():
            pass

    def _decide_all(self, events: Sequence[dict[str, Any]]) -> None:
        for each in events:
            self.decide(each)

    def user_of(self, order: Order) -> str:
        """The shop's id of the one user that an order is about; empty where it is about more, or nobody's event tells.

        An order holds a token; the name is looked up in the newest event of that token, as it was sent.
        """
        target = order.standing.target
        return self.vault.history.user(target.tokens[0]) if target.kind == "user" else ""

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
                self.passwords.close()
                self.records.close()
                self.log.close()

    def _campaign_title(self, kind: str) -> str:
        declared = self.policy.spec.campaigns.campaign.get(kind)
        return kind if declared is None else declared.title.in_language("en")

    def _engine_of(self, edition: Edition) -> Callable[[Recall], Engine]:
        return lambda recall: Engine(edition.policy, self.maker, recall, kernel=self.settings.kernel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
