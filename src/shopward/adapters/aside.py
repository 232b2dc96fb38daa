"""Work aside: in a child process, on a copy of this one's memory, while this one goes on.

Promise: what the work sees is the memory of the moment when it was started, whatever changes afterwards; the system copies
a page only once one of the two writes to it (``fork``). Starting takes milliseconds for each gigabyte, where encoding a
large state holds Python's lock for seconds. The child touches nothing of its parent's: it closes every file and socket
that it inherited first, so that no lock outlives its owner and no connection is shared; it takes no lock of another
thread that is ours, writes no log, and leaves without cleaning up. A library of the system's may hold a lock in a thread that
is not in the copy; a child that waits for one would wait for ever, so that each has a limit, after which it is killed.

Not for work that needs a connection, a thread or an event loop. Where there is no ``fork``, or where the system's own
libraries do not stand it (macOS), ``can_work_aside`` says so and the caller does the work itself.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Final

from shopward.errors import ShopwardError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S: Final = 600.0
"""Long enough for the largest state on a slow disk, and no reason to wait for ever."""
_REASON_BYTES_MAX: Final = 400
_FIRST_INHERITED: Final = 3


def can_work_aside() -> bool:
    """Whether this system can copy a process that has threads."""
    return hasattr(os, "fork") and sys.platform != "darwin"


class Aside:
    """Work that is under way in a child.

    Args:
        work: done on the copy; call this where no other thread is changing what it reads.

    Raises:
        OSError: the system has no room for another process.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        reading, writing = os.pipe()
        try:
            with warnings.catch_warnings():
                # Python warns of threads that hold locks while a process is copied: the child takes none of theirs.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        if pid == 0:
            _work_and_leave(work, writing)
        os.close(writing)
        self._pid, self._reading = pid, reading
        self._lock, self._is_over = threading.Lock(), False

    def end(self) -> None:
        """Have it end now; whoever waits hears that it was ended. From any thread, also where it has ended by itself."""
        with self._lock:
            if not self._is_over:
                os.kill(self._pid, signal.SIGKILL)

    def wait(self, *, limit_s: float = LIMIT_S) -> None:
        """Wait for the end of the work; call once.

        Args:
            limit_s: after so long it is ended.

        Raises:
            StoreUnavailable: the work failed, its process was ended, or it took too long.
        """
        with os.fdopen(self._reading, "rb") as file:
            poll = select.poll()
            poll.register(file, select.POLLIN)
            if not poll.poll(limit_s * 1000):  # its end is heard, too
                self.end()
            reason = file.read().decode("utf-8", "replace")
        os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        with self._lock:  # its number may be another process's once it is reaped
            _pid, status = os.waitpid(self._pid, 0)
            self._is_over = True
        if status:
            raise StoreUnavailable(
                "the work aside did not end well",
                found=reason or f"status {os.waitstatus_to_exitcode(status)}",
                hint="check space, quota and rights of the data folder, and the memory of the machine",
                retry_after_s=60.0,
            )


def _work_and_leave(work: Callable[[], None], writing: int) -> None:
    """The child's whole life; never returns."""
    status = 1
    try:
        gc.disable()  # it would touch, and so copy, every page
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(_FIRST_INHERITED, writing)
        os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
        work()
        status = 0
    except ShopwardError as failed:
        os.write(writing, f"{failed.code}: {failed.found or ''}".encode()[:_REASON_BYTES_MAX])
    except BaseException as fault:  # noqa: BLE001 -- a child that returned would be a second server
        os.write(writing, type(fault).__name__.encode())
    finally:
        os._exit(status)
