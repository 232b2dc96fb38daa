"""Beside the server: what must be done soon and must never hold up a decision, in a thread with a loop of its own.

Promise:
- nothing here is on the way of an answer: a receiver that is slow, hostile or gone costs its own turn alone, and the
  store is asked in short transactions from one thread of this module;
- what was decided has its consequences soon after its answer, and what is due by the clock happens though nobody asks;
- an endpoint has one task at most, so that one that hangs delays no other;
- what fails is tried again after a pause, and never ends the thread: the log of the server names the kind of the failure;
- ``stop`` lets what is under way end for a moment; what it cuts off is sent again after its lease, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from shopward.errors import ShopwardError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from shopward.flows.claim import ClaimDesk
    from shopward.flows.complain import ComplaintDesk
    from shopward.flows.converse import ConversationDesk
    from shopward.flows.courier import Courier
    from shopward.flows.deadlines import DeadlineDesk
    from shopward.flows.exercise import ExerciseDesk
    from shopward.flows.follow import Follower
    from shopward.flows.line import LineDesk
    from shopward.flows.notary import Notary
    from shopward.flows.notify import NoticeDesk
    from shopward.flows.oversee import Overseer
    from shopward.flows.partner import PartnerDesk
    from shopward.flows.payout import PayoutDesk
    from shopward.flows.prove import ProofDesk
    from shopward.flows.record import CampaignRecorder
    from shopward.flows.report_cases import ReportCases
    from shopward.flows.signal import SignalDesk
    from shopward.flows.undo import UndoDesk
    from shopward.ports import Messenger
    from shopward.service.ssf import SharedSignals
    from shopward.service.vault import Vault

LOOK_S: Final = 1.0
"""How long anything waits at most where nobody wakes this thread: what another process owed, what is due."""
ROUND_S: Final = 0.05
PAUSE_S: Final = 5.0
HOURLY_S: Final = 3_600.0
DATES_S: Final = 300.0
"""The shortest time that a law gives is four hours."""
STOP_S: Final = 2.0
PUSHERS: Final = 4
"""So many receivers of Shared Signals are pushed to at once: one that hangs holds up a quarter."""
_logger = logging.getLogger("shopward")

T = TypeVar("T")


class Beside:
    """The thread.

    Args:
        follower: carries out the consequences of decisions.
        recorder: writes down what decisions found of campaigns.
        overseer: begins and ends orders whose moment has come, also where nobody sends an event.
        notary: signs the audit log now and then.
        courier: the bookkeeping of webhooks.
        proofs: forgets old challenges.
        undos: forgets old ways back.
        claims: approves what nobody decided in time.
        deadlines: tells of dates that come near or pass.
        payouts: has customers paid.
        notices: tells many.
        signals: makes or proposes incidents of campaigns.
        conversations: forgets what was said long ago.
        lines: forgets old signals.
        exercises: forgets what came of old ones.
        vault: forgets records whose time is over, goes on with rotations, settles the days of the log, and seals what lies in clear.
        partners: tells of audits that come due, and drops shares that are over.
        shared: what other companies told becomes alerts; those that do not push are asked; those that listen are told.
        messenger_of: makes what carries them, in this thread.
    """

    def __init__(
        self,
        *,
        follower: Follower,
        recorder: CampaignRecorder,
        overseer: Overseer,
        notary: Notary,
        courier: Courier,
        proofs: ProofDesk,
        undos: UndoDesk,
        claims: ClaimDesk,
        report_cases: ReportCases,
        complaints: ComplaintDesk,
        deadlines: DeadlineDesk,
        payouts: PayoutDesk,
        notices: NoticeDesk,
        signals: SignalDesk,
        conversations: ConversationDesk,
        lines: LineDesk,
        exercises: ExerciseDesk,
        vault: Vault,
        partners: PartnerDesk,
        shared: SharedSignals,
        messenger_of: Callable[[], Messenger],
    ) -> None:
        self._follower = follower
        self._recorder = recorder
        self._overseer = overseer
        self._notary = notary
        self._courier = courier
        self._proofs = proofs
        self._undos = undos
        self._claims = claims
        self._report_cases = report_cases
        self._complaints = complaints
        self._deadlines = deadlines
        self._payouts = payouts
        self._notices = notices
        self._signals = signals
        self._conversations = conversations
        self._lines = lines
        self._exercises = exercises
        self._vault = vault
        self._partners = partners
        self._shared = shared
        self._messenger_of = messenger_of
        self._thread = threading.Thread(target=self._main, name="shopward-beside", daemon=True)
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._store = ThreadPoolExecutor(1, "shopward-beside-store")
        self._payer = ThreadPoolExecutor(1, "shopward-payer")
        self._mailer = ThreadPoolExecutor(1, "shopward-mailer")
        self._scoper = ThreadPoolExecutor(1, "shopward-scoper")
        self._alerter = ThreadPoolExecutor(1, "shopward-alerter")
        self._poller = ThreadPoolExecutor(1, "shopward-poller")
        self._pusher = ThreadPoolExecutor(PUSHERS, "shopward-pusher")
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._dates_at = 0.0
        self._on_orders: Callable[[], object] = lambda: None
        self._decide: Callable[[Sequence[dict[str, Any]]], object] = list

    def start(
        self, on_orders: Callable[[], object], decide: Callable[[Sequence[dict[str, Any]]], object]
    ) -> None:
        """Begin.

        Args:
            on_orders: called from this thread when orders in force changed here, and where a group of no events is wanted.
            decide: has events of our own decided; called from another thread, blocks, raises where they were not recorded.
        """
        self._on_orders, self._decide = on_orders, decide
        self._thread.start()

    def wake(self) -> None:
        """Something may be owed; from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake.set)

    def stop(self) -> None:
        """End, within a few seconds; blocks."""
        self._is_stopping = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._store.shutdown()
        self._payer.shutdown(cancel_futures=True)
        self._mailer.shutdown(cancel_futures=True)
        self._scoper.shutdown(cancel_futures=True)
        self._alerter.shutdown(cancel_futures=True)
        self._poller.shutdown(cancel_futures=True)
        self._pusher.shutdown(cancel_futures=True)

    def _main(self) -> None:
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _run(self) -> None:
        messenger = self._messenger_of()
        shared = self._shared
        others: list[tuple[Callable[[], int], ThreadPoolExecutor]] = [
            (self._payouts.step, self._payer),
            (self._notices.step, self._mailer),
            (self._signals.step, self._scoper),
            (partial(shared.receiver.step, self._decide), self._alerter),
            (shared.poller.step, self._poller),
            *((shared.pusher.step, self._pusher) for _one in range(PUSHERS)),
        ]
        waiting = [self._loop.create_task(self._again(step, on)) for step, on in others]
        look_at = hourly_at = 0.0
        is_rekeying = False
        while not self._is_stopping:
            self._wake.clear()
            await self._follow()
            if await self._tried(self._recorder.step):
                self._on_orders()
            if self._loop.time() >= look_at:
                await self._look()
                is_rekeying = True  # or may be, since somebody may have begun to
                look_at = self._loop.time() + LOOK_S
            if self._loop.time() >= hourly_at:
                await self._hourly()
                hourly_at = self._loop.time() + HOURLY_S
            if is_rekeying:
                steps = (self._vault.rekeying.step, self._vault.keeper.step, self._vault.words.step)
                is_rekeying = any([await self._tried(step) for step in steps])
            if is_rekeying:
                self._wake.set()  # there is more to do, after this round's pause
            due = await self._tried(self._courier.due)
            for endpoint_id in due or ():
                if endpoint_id not in self._telling:
                    task = self._loop.create_task(self._tell(endpoint_id, messenger))
                    self._telling[endpoint_id] = task
                    task.add_done_callback(partial(self._told, endpoint_id))
            await asyncio.sleep(ROUND_S)  # however often it is woken, the store is asked so seldom
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S if due is None else LOOK_S):
                    await self._wake.wait()
        tasks = [*waiting, *self._telling.values()]
        await asyncio.wait(tasks, timeout=STOP_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        """What the clock brings."""
        for each in (self._overseer, self._claims, self._report_cases, self._complaints):
            await self._tried(each.sweep)
        await self._tried(self._recorder.look)
        if self._loop.time() >= self._dates_at:
            await self._tried(self._deadlines.step)
            self._dates_at = self._loop.time() + DATES_S

    async def _hourly(self) -> None:
        """What is over is forgotten, what is due signed and reminded of."""
        forgetful = (
            self._courier,
            self._proofs,
            self._undos,
            self._conversations,
            self._lines,
            self._exercises,
            self._deadlines,
        )
        for each in forgetful:
            await self._tried(each.forget)
        await self._tried(self._notary.sign_if_due)
        await self._tried(self._vault.erasing.forget_expired)
        await self._tried(self._partners.remind)
        await self._tried(self._shared.receiver.forget)
        self._on_orders()  # a day of the log ends, too, where nobody sends an event
        await self._tried(self._shared.pusher.forget)

    async def _again(self, step: Callable[[], int], on: ThreadPoolExecutor) -> None:
        """What waits for others, in a thread of its own: as long as there is something to do, else now and then."""
        while not self._is_stopping:
            if not await self._tried(step, on=on):
                await asyncio.sleep(LOOK_S)

    async def _follow(self) -> None:
        """Carry out what was decided meanwhile, a page at a time."""
        more = True
        while more and not self._is_stopping:
            followed = await self._tried(self._follower.step)
            if followed is not None and followed.changed:
                self._on_orders()
            more = followed is not None and followed.more

    def _told(self, endpoint_id: str, _task: asyncio.Task[None]) -> None:
        del self._telling[endpoint_id]

    async def _tell(self, endpoint_id: str, messenger: Messenger) -> None:
        """Send what an endpoint has due, some letters at a time."""
        while not self._is_stopping:
            parcel = await self._tried(partial(self._courier.lease, endpoint_id))
            if parcel is None:
                return
            now_ms = self._courier.now_ms()
            codes = await asyncio.gather(
                *(
                    messenger.carry(parcel.url, parcel.headers(letter, now_ms), letter.body)
                    for letter in parcel.letters
                )
            )
            await self._tried(partial(self._courier.settle, parcel, codes))

    async def _tried(self, work: Callable[[], T], *, on: ThreadPoolExecutor | None = None) -> T | None:
        """What a step gives; ``None`` where it failed, and it will be tried again."""
        try:
            return await self._loop.run_in_executor(on or self._store, work)
        except ShopwardError as failed:
            _logger.warning("beside the server: %s", failed.code)
        except Exception as fault:  # noqa: BLE001 -- a fault of ours must not end the thread
            _logger.error("beside the server: %s", type(fault).__name__)  # noqa: TRY400 -- no values in the log
        return None
