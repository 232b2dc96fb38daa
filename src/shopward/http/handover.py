"""The hand-over: a policy that was published gets ready beside the one that decides, then takes over between groups.

Promise: decisions go on meanwhile, by the old policy; of several that are published while one gets ready, only the newest
takes over. A log that cannot be read just now delays it and never stops it; a fault of ours is logged by its class, and
the old policy goes on until a restart.

The steps run in a thread of their own, and share the processor with the decisions.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from shopward.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shopward.flows.publish import Edition
    from shopward.flows.succession import Successor

AGAIN_S: Final = 1.0
_logger = logging.getLogger("shopward")


class Handover:
    """Gets one successor ready at a time.

    Args:
        wake: tells the gate that one is ready.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._builder = ThreadPoolExecutor(1, "shopward-policy")
        self._next: Successor | None = None
        self._then: Callable[[Edition], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._done = asyncio.Event()
        self.is_ready = False

    @property
    def preparing(self) -> tuple[int, int, int] | None:
        """Number of the publication that gets ready, entries done, and how many there are."""
        if self._next is None or self._next.edition.mark is None:
            return None
        return (self._next.edition.mark.number, *self._next.progress)

    def take(self, successor: Successor, then: Callable[[Edition], None]) -> None:
        """Get a successor ready, in the place of an older one; ``then`` is called once it has taken over."""
        if self._next is not None and _number(self._next) > _number(successor):
            return
        if self._task is not None:
            self._task.cancel()
        self._next, self._then = successor, then
        self._done = asyncio.Event()
        self._start(successor)

    async def over_within(self, seconds: float) -> bool:
        """Wait for the hand-over; whether it is over."""
        if self._next is None:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError:
            return False
        return True

    async def finish(self, run: Callable[[Callable[[], None]], Awaitable[None]]) -> bool:
        """Between two groups: let the one that is ready take over; whether it did.

        Args:
            run: runs a function where nothing is appended meanwhile.
        """
        successor, then = self._next, self._then
        if successor is None or then is None or not self.is_ready:
            return False
        try:
            await run(successor.finish)
        except StoreError as failed:
            _logger.warning("the policy cannot take over yet: %s", failed.code)
            self._start(successor, after_s=AGAIN_S)
            return False
        successor.take_over()
        then(successor.edition)
        self._next, self._then, self.is_ready = None, None, False
        self._done.set()
        return True

    async def stop(self) -> None:
        """Get nothing ready any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._builder.shutdown)

    def _start(self, successor: Successor, after_s: float = 0.0) -> None:
        self.is_ready = False
        work = self._get_ready(successor, after_s)
        self._task = asyncio.get_running_loop().create_task(work, name="shopward-handover")

    async def _get_ready(self, successor: Successor, after_s: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(after_s)
        while True:
            try:
                if await loop.run_in_executor(self._builder, _step, successor):
                    break
            except StoreError as failed:
                _logger.warning("the policy cannot get ready: %s", failed.code)
                await asyncio.sleep(AGAIN_S)
            except Exception as fault:  # noqa: BLE001 -- fails closed: the old policy stays
                _logger.error("the policy cannot get ready: %s", type(fault).__name__)  # noqa: TRY400 -- no values in the log
                return
        self.is_ready = True
        self._wake()


def _step(successor: Successor) -> bool:
    """One step; whether it was the last but what is left between two groups."""
    if not successor.is_near:
        successor.advance()
    return successor.is_near


def _number(successor: Successor) -> int:
    return successor.edition.mark.number if successor.edition.mark else 0
