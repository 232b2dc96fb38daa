"""Locks that end with their holder, however it ends.

Promise: the kernel frees a file lock when its process dies, and PostgreSQL an advisory lock when its session
does; no lock here can be left behind. A lock is the polite half of a claim: it refuses early and says whom to
look for. The half that cannot be fooled is the epoch, which ``log`` checks in every append.

Not here: locks on network file systems, whose ``flock`` may be local to one machine; the epoch still holds.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.sql import failures
from shopward.errors import StoreLocked, StoreUnavailable
from shopward.values import digest16

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S: Final = 0.02


class FileLock:
    """An exclusive ``flock`` on a file that holds the pid of its holder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, *, wait_s: float = 0.0) -> bool:
        """Take the lock, waiting so long at most; whether it is ours."""
        until = time.monotonic() + wait_s
        while not self._try():
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL_S)
        return True

    def holder(self) -> str:
        """Who holds it, for a message: ``process 4711``."""
        try:
            pid = self._path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            pid = ""
        return f"process {pid}" if pid.isdecimal() else "a process that is not known"

    def release(self) -> None:
        """Give it back. The file stays: removing it would let two holders lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            failure = failures.from_os(error, "lock store")
        else:
            return self._lock(descriptor)
        raise failure

    def _lock(self, descriptor: int) -> bool:
        """Lock an open file and write our pid into it; a file that somebody removed meanwhile does not count."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.path.samestat(os.fstat(descriptor), self._path.stat())
        except OSError:  # fail closed: a lock that cannot be had is a lock of somebody else
            ours = False
        if not ours:
            os.close(descriptor)
            return False
        with suppress(OSError):  # fail open: on a full disk the pid is missing from messages, the lock holds
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return True


def advisory_key(*parts: str) -> int:
    """The 64-bit number that PostgreSQL locks for these names."""
    return int.from_bytes(digest16("\x1f".join(("shopward", *parts)).encode())[:8], "big", signed=True)


def try_advisory(connection: Any, tenant: str) -> bool:
    """Take the session lock of a tenant in the schema of this connection; whether it is ours."""
    (schema,) = connection.execute("SELECT current_schema()").fetchone()
    (ours,) = connection.execute("SELECT pg_try_advisory_lock(%s)", [advisory_key(schema, tenant)]).fetchone()
    return bool(ours)


def advisory_holder(connection: Any, tenant: str) -> str:
    """Who holds it, for a message, as far as this user may see it."""
    (schema,) = connection.execute("SELECT current_schema()").fetchone()
    unsigned = advisory_key(schema, tenant) % 2**64
    row = connection.execute(
        "SELECT pid, coalesce(host(client_addr), 'the database host') FROM pg_stat_activity WHERE pid IN "
        "(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = %s AND objid::bigint = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) LIMIT 1",
        [unsigned >> 32, unsigned & 0xFFFFFFFF],
    ).fetchone()
    return "a session that is not known" if row is None else f"database session {row[0]} from {row[1]}"


def refused(holder: str) -> StoreLocked:
    """The refusal of a second decision server."""
    return StoreLocked(
        "another decision server owns this store",
        found=holder,
        hint="stop that one first, or point this one at a store of its own; two would answer differently",
    )


def set_up_timed_out(holder: str) -> StoreUnavailable:
    """Somebody takes too long to make or upgrade the tables."""
    return StoreUnavailable(
        "open store: another process is still setting it up",
        found=holder,
        hint="wait for it; a large upgrade takes minutes",
        retry_after_s=5.0,
    )
