"""The gate: events that arrive at the same time are decided together and share one commit.

Promise:
- one group is under way at a time: looked up by one writer thread, decided on the event loop, committed by that thread,
  then answered; what arrives meanwhile forms the next group, of at most ``group_max`` lines (a larger job is a group of
  its own). A database that hangs holds up decisions and nothing else;
- nothing is answered before the log has it; where the log cannot record, everyone in that group gets the error, the
  process stays up, and the state is rebuilt before the next group;
- a fault of ours on one event spoils that event alone: the group is told apart and tried line by line;
- snapshots are taken between groups, so that they hold exactly what the log up to some position has taught, and written
  by a process aside (``adapters.aside``), so that decisions wait for the copy alone; another policy takes over between groups too (``handover``).

After a failure of the store the gate stays shut for a moment and answers at once (fails closed: an event that is not
recorded is not decided). A lost claim shuts it for good: another server owns the store, only a restart may go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from shopward.adapters.aside import Aside, can_work_aside
from shopward.adapters.process import tune_collector
from shopward.errors import Conflict, ShopwardError, StoreError, StoreLocked, StoreUnavailable
from shopward.http.handover import Handover
from shopward.http.problems import HttpRefusal
from shopward.ports import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.config import Settings
    from shopward.events import Event
    from shopward.flows.decide import Answer, DecisionDesk, Group
    from shopward.http.metrics import Metrics

PAUSE_S: Final = 1.0
"""How long the gate stays shut after a failure; longer where the last rebuild took longer."""
SNAPSHOT_SHARE: Final = 50
"""A snapshot that took one second is not repeated within this many: it costs at most 2 % of the time."""
ASIDE_SHARE: Final = 9
"""A snapshot that was written aside in one second is not repeated within this many: it costs at most a tenth of a core."""
_logger = logging.getLogger("shopward")

T = TypeVar("T")
Outcome = list["Answer | Exception"]
"""For each line its decision or refusal; an exception that is not ours stands for a fault of ours."""
Heard = Outcome | ShopwardError
"""What a job hears: its lines' answers, or the one error for which nothing of it was recorded."""


class _Job(NamedTuple):
    events: Sequence[Event]
    done: asyncio.Future[Heard]


class Gate:
    """Gathers, decides, commits, answers.

    Args:
        desk: decides; nobody else uses it while the gate runs.
        settings: how large groups are, and when snapshots are taken.
        metrics: what is counted.
        on_group: told of every committed group; what it raises changes no answer.
    """

    def __init__(
        self, desk: DecisionDesk, settings: Settings, metrics: Metrics, on_group: Callable[[Group], None]
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._metrics = metrics
        self._on_group = on_group
        self._writer = ThreadPoolExecutor(1, "shopward-writer")
        self._saver = ThreadPoolExecutor(1, "shopward-snapshot")
        self._jobs: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self.handover = Handover(self._wake.set)
        self._stale = True
        self._shut: ShopwardError | None = _not_ready()
        self._shut_until = float("inf")
        self._rebuild_s = 0.0
        self._saving: asyncio.Task[None] | None = None
        self._aside: Aside | None = None
        self._unsaved = 0
        self._save_from = 0.0
        self._save_by = 0.0
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.progress = (0, 0)
        self.on_progress: Callable[[int, int], None] = lambda _done, _of: None
        self.waiting = 0

    @property
    def is_ready(self) -> bool:
        """Whether the state is rebuilt and the store took the last group."""
        return not self._stale and self._shut is None

    @property
    def seq(self) -> int:
        """The position of the last group."""
        return self._desk.seq

    def start(self) -> None:
        """Rebuild the state, then serve groups, in the background."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="shopward-gate")

    async def stop(self) -> None:
        """Finish the group under way, refuse the rest, end the threads."""
        self._is_stopping = True
        self._shut, self._shut_until = _shutting_down(), float("inf")
        self._refuse_waiting(self._shut)
        self._wake.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._saving is not None:
            if self._aside is not None:
                self._aside.end()  # whoever closes the engine saves what it knows by then
            await asyncio.gather(self._saving, return_exceptions=True)
        await self.handover.stop()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._writer.shutdown)
        await loop.run_in_executor(None, self._saver.shutdown)

    def submit(self, events: Sequence[Event]) -> asyncio.Future[Heard]:
        """Put events in; the future never raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Heard] = loop.create_future()
        if not events and (self._shut is None or loop.time() >= self._shut_until):
            done.set_result([])
            return done
        return self._put(events, done)

    def take_orders(self) -> asyncio.Future[Heard]:
        """Bring the orders that changed meanwhile into the log before anything else is decided; never raises."""
        self._desk.look_at_orders()
        return self._put((), asyncio.get_running_loop().create_future())

    def _put(self, events: Sequence[Event], done: asyncio.Future[Heard]) -> asyncio.Future[Heard]:
        if self._shut is not None and asyncio.get_running_loop().time() < self._shut_until:
            done.set_result(self._shut)
            return done
        self._jobs.append(_Job(events, done))
        self.waiting += len(events)
        self._wake.set()
        return done

    async def _run(self) -> None:
        while True:
            if self._stale:
                await self._pause()
                await self._recover()
                continue
            if not self._jobs and not self.handover.is_ready:
                self._wake.clear()
                await self._idle()
            await asyncio.sleep(0)  # everyone whose bytes are here already joins this group
            await self._hand_over()
            await self._serve(self._gather())
            await self._snapshot_if_due()

    async def _hand_over(self) -> None:
        """Let a policy that is ready take over, and give the log its entry even where no event comes."""
        loop = asyncio.get_running_loop()
        if await self.handover.finish(lambda work: _finished(loop.run_in_executor(self._writer, work))):
            self._put((), loop.create_future())

    async def _pause(self) -> None:
        """Stay shut for the time set; for good where the claim is lost. Not at the start, when nothing has failed."""
        if isinstance(self._shut, StoreLocked):
            await asyncio.Event().wait()
        if self._shut_until != float("inf"):
            await asyncio.sleep(self._shut_until - asyncio.get_running_loop().time())

    async def _idle(self) -> None:
        """Wait for work; now and then look whether a snapshot is due."""
        try:
            async with asyncio.timeout(self._settings.snapshot_s):
                await self._wake.wait()
        except TimeoutError:
            await self._snapshot_if_due()

    def _gather(self) -> list[_Job]:
        jobs: list[_Job] = []
        lines = 0
        while self._jobs and (not jobs or lines + len(self._jobs[0].events) <= self._settings.group_max):
            job = self._jobs.popleft()
            self.waiting -= len(job.events)
            lines += len(job.events)
            if not job.done.cancelled():
                jobs.append(job)
        return jobs

    async def _serve(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        events = [event for job in jobs for event in job.events]
        try:
            answers: Outcome = list(await self._decide(events))
        except (StoreError, Conflict) as failed:
            _answer_all(jobs, self._close_for(failed))
            return
        except Exception as fault:  # noqa: BLE001 -- a fault of ours must not end the gate
            self._stale = True
            if not events:
                _answer_all(
                    jobs, StoreUnavailable("the orders cannot be taken into the log", retry_after_s=PAUSE_S)
                )
                return
            answers = [fault] if len(events) == 1 else await self._one_by_one(events)
        except asyncio.CancelledError:  # the server stops: what was recorded is heard when it is asked again
            _answer_all(jobs, _shutting_down())
            raise
        start = 0
        for job in jobs:
            if not job.done.done():
                job.done.set_result(answers[start : start + len(job.events)])
            start += len(job.events)

    async def _decide(self, events: Sequence[Event]) -> Sequence[Answer]:
        loop = asyncio.get_running_loop()
        looked = await _finished(loop.run_in_executor(self._writer, self._desk.look_up, events))
        group = self._desk.prepare(looked)
        answers = group.answers
        if group.entries:
            answers = await _finished(loop.run_in_executor(self._writer, self._desk.commit, group))
        self._metrics.groups += 1
        self._metrics.grouped += len(events)
        self._unsaved += len(group.entries)
        self._tell(group)
        return answers

    def _tell(self, group: Group) -> None:
        """Tell of a group that is recorded. Fails open: it is answered, and the state built anew, so that nobody misses a change."""
        try:
            self._on_group(group)
        except Exception as fault:  # noqa: BLE001 -- who listens has no say in an answer that stands in the log
            self._stale = True
            _logger.error("a listener failed on a recorded group: %s", type(fault).__name__)  # noqa: TRY400 -- no values in the log

    async def _one_by_one(self, events: Sequence[Event]) -> Outcome:
        """After a fault in a group: rebuild, then each line alone, so that only the one at fault goes unanswered."""
        answers: Outcome = []
        for event in events:
            try:
                if self._stale and self._shut is None:
                    await self._recover()
                answers.append(self._shut or (await self._decide([event]))[0])
            except (StoreError, Conflict) as failed:
                answers.append(self._close_for(failed))
            except Exception as fault:  # noqa: BLE001 -- as above
                self._stale = True
                answers.append(fault)
        return answers

    async def _recover(self) -> None:
        """Bring the state back to what the log says, and open; or stay shut."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await _finished(loop.run_in_executor(self._writer, self._desk.rebuild, self._progressed))
        except StoreError as failed:
            self._close_for(failed)
            return
        except Exception as fault:  # noqa: BLE001 -- fails closed: no state, no decision
            _logger.error("the state cannot be rebuilt: %s", type(fault).__name__)  # noqa: TRY400 -- no values in the log
            self._close_for(StoreUnavailable("the state cannot be rebuilt", retry_after_s=5.0))
            return
        if self._desk.refused_snapshot:
            _logger.warning(
                "the snapshot is not used, the log rebuilt the state: %s", self._desk.refused_snapshot
            )
        tune_collector()  # the state lives as long as the process: the collector need not walk it
        self._rebuild_s = loop.time() - started
        self._stale = False
        self._shut = None
        self._save_by = loop.time() + self._settings.snapshot_s

    def _close_for(self, failed: ShopwardError) -> ShopwardError:
        """Shut the gate, for good where the claim is lost and for a moment otherwise; whoever waits hears it too."""
        loop = asyncio.get_running_loop()
        self._stale = True
        if self._shut is None or self._shut.code != failed.code:
            _logger.error("the log does not record: %s (%s)", failed.code, failed.found or "no code")
        if isinstance(failed, StoreLocked):
            self._shut, self._shut_until = failed, float("inf")
        else:
            if isinstance(failed, Conflict):
                failed = StoreUnavailable(
                    "the log holds more than this process knows; ask again", retry_after_s=PAUSE_S
                )
            self._shut, self._shut_until = failed, loop.time() + max(PAUSE_S, self._rebuild_s)
        self._refuse_waiting(self._shut)
        return self._shut

    def _refuse_waiting(self, failed: ShopwardError) -> None:
        jobs, self.waiting = list(self._jobs), 0
        self._jobs.clear()
        _answer_all(jobs, failed)

    def _progressed(self, done: int, of: int) -> None:
        """Told by the rebuilding thread; ends it where the server stops meanwhile."""
        self.progress = (done, of)
        self.on_progress(done, of)
        if self._is_stopping:
            raise _shutting_down()

    async def _snapshot_if_due(self) -> None:
        """Have the state saved as it is between two groups; the next groups do not wait for it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        is_busy = self._saving is not None and not self._saving.done()
        if is_busy or self._stale or not self._unsaved or now < self._save_from:
            return
        if self._unsaved < self._settings.snapshot_events and now < self._save_by:
            return
        save = await self._copy()
        self._unsaved = 0
        self._metrics.snapshot_pause_s = loop.time() - now
        self._save_from = loop.time() + SNAPSHOT_SHARE * (loop.time() - now)
        self._save_by = max(self._save_from, loop.time() + self._settings.snapshot_s)
        self._saving = loop.create_task(self._save(save))

    async def _copy(self) -> Callable[[], None]:
        """A copy of the state, and what saves it: in a process aside, or where that cannot be had, encoded here."""
        desk = self._desk
        if can_work_aside():
            with suppress(OSError):  # no room for a process: encode it here, which takes longer
                self._aside = Aside(desk.save_snapshot)
                return self._aside.wait
        state = await _finished(asyncio.get_running_loop().run_in_executor(self._writer, desk.engine.dump))
        return partial(desk.snapshots.save, Snapshot(desk.seq, desk.engine.schema, state))

    async def _save(self, save: Callable[[], None]) -> None:
        """Fails open: a snapshot that cannot be written costs time at the next start, never data."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await _finished(loop.run_in_executor(self._saver, save))
        except StoreError as failed:
            if self._is_stopping:  # ended by us; whoever closes the engine saves the newer state
                return
            self._metrics.snapshots["failed"] += 1
            _logger.warning("no snapshot: %s (%s)", failed.code, failed.found or "no more is known")
        else:
            self._metrics.snapshots["saved"] += 1
            self._save_from = max(self._save_from, loop.time() + ASIDE_SHARE * (loop.time() - started))


async def _finished(work: asyncio.Future[T]) -> T:
    """Wait for a thread's work to its end even where this task is cancelled: a commit is never left half heard."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # heard, and of no use to anybody any more
        raise


def _answer_all(jobs: list[_Job], failed: ShopwardError) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_result(failed)


def _not_ready() -> ShopwardError:
    return HttpRefusal(503, "not_ready", "the state is being rebuilt from the log", retry_after_s=2.0)


def _shutting_down() -> ShopwardError:
    return HttpRefusal(503, "shutting_down", "the server is stopping", retry_after_s=5.0)
