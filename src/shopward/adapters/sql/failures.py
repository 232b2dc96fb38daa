"""What a driver's error means to an operator, in words.

Promise: a driver's own text never leaves. It may quote a row (PostgreSQL's DETAIL does) or a connection string;
what leaves is a sentence from the tables below and the driver's error code, and the driver's exception is
neither the cause nor the context of what is raised. What is not known here is "unavailable" and never success.
"""

from __future__ import annotations

import functools
import sqlite3
import sys
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from shopward.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.errors import ShopwardError

P = ParamSpec("P")
R = TypeVar("R")

Meaning = tuple[str, str, float]
"""What is wrong, what to do about it, and after how many seconds asking again makes sense."""

_FULL: Final[Meaning] = ("the disk of the store is full", "free or add space; nothing recorded is lost", 5.0)
_BUSY: Final[Meaning] = ("the store is busy with another writer", "ask again", 0.5)
_READ_ONLY: Final[Meaning] = (
    "the store is read-only",
    "give the process the right to write, or point it at the primary database",
    5.0,
)
_CORRUPT: Final[Meaning] = (
    "the store is corrupt or is no database of this kind",
    "stop, keep the files as they are, and restore the newest backup",
    60.0,
)
_CANNOT_OPEN: Final[Meaning] = (
    "the store cannot be opened",
    "check that the directory exists and that this user may read and write it",
    5.0,
)
_IO: Final[Meaning] = (
    "the disk of the store reports an input or output error",
    "check the disk, its quota and the kernel's log",
    5.0,
)
_UNREACHABLE: Final[Meaning] = (
    "the database cannot be reached",
    "check that it runs, the network to it, and that it speaks TLS (one elsewhere has to, unless its URL says sslmode=disable)",
    1.0,
)
_NOT_LET_IN: Final[Meaning] = (
    "the database does not let this user in or does not have this database",
    "check the user, its rights and the database name of the URL",
    5.0,
)
_BUSY_SERVER: Final[Meaning] = ("the database has no room for this now", "raise its limits or ask again", 1.0)
_AGAIN: Final[Meaning] = ("the database asks to repeat the transaction", "ask again", 0.1)
_OTHER: Final[Meaning] = (
    "the store could not do what was asked",
    "look the error code up in its manual",
    5.0,
)

_BY_SQLITE_NAME: Final = (
    ("SQLITE_FULL", _FULL),
    ("SQLITE_BUSY", _BUSY),
    ("SQLITE_LOCKED", _BUSY),
    ("SQLITE_READONLY", _READ_ONLY),
    ("SQLITE_CORRUPT", _CORRUPT),
    ("SQLITE_NOTADB", _CORRUPT),
    ("SQLITE_CANTOPEN", _CANNOT_OPEN),
    ("SQLITE_PERM", _CANNOT_OPEN),
    ("SQLITE_IOERR_CORRUPTFS", _CORRUPT),
    ("SQLITE_IOERR", _IO),
)
_BY_SQLSTATE: Final = (  # the first prefix that fits; https://www.postgresql.org/docs/15/errcodes-appendix.html
    ("53100", _FULL),
    ("53", _BUSY_SERVER),
    ("25006", _READ_ONLY),
    ("28", _NOT_LET_IN),
    ("3D000", _NOT_LET_IN),
    ("42501", _NOT_LET_IN),
    ("40", _AGAIN),
    ("55P03", _BUSY),
    ("57014", _BUSY),
    ("57", _UNREACHABLE),
    ("08", _UNREACHABLE),
    ("58030", _IO),
    ("XX001", _CORRUPT),
    ("XX002", _CORRUPT),
)


def driver_errors() -> tuple[type[Exception], ...]:
    """The classes of error that the drivers in use raise; psycopg is not imported for the sake of asking."""
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error, DBAPIError) if psycopg is None else (sqlite3.Error, DBAPIError, psycopg.Error)


def code_of(error: BaseException) -> str:
    """The driver's code: ``SQLITE_FULL``, an SQLSTATE, or empty where a connection broke before it had one."""
    name = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return name if isinstance(name, str) else ""


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may be tried again at once: the connection broke, or a serialisation failed.

    Only for what failed before COMMIT was sent; after it the outcome has to be looked up.
    """
    if isinstance(error, sqlite3.Error):
        return False
    code = code_of(error)
    return code == "" or code.startswith(("08", "40", "57P"))


def translate(error: Exception, doing: str) -> ShopwardError:
    """The error of this package for a driver's error, without a word of the driver's text."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        error = error.orig
    what, hint, retry_after_s = _meaning(error)
    return StoreUnavailable(
        f"{doing}: {what}",
        found=code_of(error) or type(error).__name__,
        hint=hint,
        retry_after_s=retry_after_s,
    )


def from_os(error: OSError, doing: str) -> StoreUnavailable:
    """The error of this package for a file or directory that the system refuses; the path is not repeated."""
    return StoreUnavailable(
        f"{doing}: {_CANNOT_OPEN[0]}",
        found=type(error).__name__,
        hint=_CANNOT_OPEN[1],
        retry_after_s=_CANNOT_OPEN[2],
    )


def translating(doing: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let no driver's error out of a function; ``doing`` opens the message."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def translated(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except driver_errors() as error:
                failure = translate(error, doing)
            raise failure  # outside the handler, so that the driver's text is not kept as the context

        return translated

    return wrap


def _meaning(error: Exception) -> Meaning:
    """The row of the tables above that fits; a server's connection error without a code is unreachable."""
    code = code_of(error)
    if not code and not isinstance(error, sqlite3.Error):
        return _UNREACHABLE if type(error).__name__ in {"OperationalError", "ConnectionTimeout"} else _OTHER
    table = _BY_SQLITE_NAME if isinstance(error, sqlite3.Error) else _BY_SQLSTATE
    return next((meaning for prefix, meaning in table if code.startswith(prefix)), _OTHER)
