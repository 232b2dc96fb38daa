"""The journal of erasures: a file apart from the store, that a restored backup is held against.

Promise: a line is on the disk before the erasure that it tells of is committed; its lines are chained under a key, so that
none is changed or left out of the middle unseen. It names nobody: customers are keyed tokens.

A backup of the store that is restored lacks the erasures since; the journal has them (``flows.erase``). Keep it in another
backup than the store, or in none: what matters is that it is never older than the store.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.errors import Misconfigured
from shopward.keyring import read_private
from shopward.keyring.files import refused

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL_FILE: Final = "vault.erasures"
_MAC_CHARS: Final = 64


class Erased(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the journal: whose records of which classes, made up to when, are gone.

    Attributes:
        subject: the customer's keyed token; the journal names nobody.
        until_ms: what was kept up to here is gone; a customer who comes back begins anew.
    """

    seq: int
    subject: str
    retention: tuple[str, ...]
    until_ms: int


class Journal:
    """The journal of one data folder.

    Args:
        path: of the file.
        key: under which its lines are chained (HMAC-SHA256), so that none is changed or left out unseen.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._last = b""

    def read(self) -> list[Erased]:
        """All erasures, oldest first; raises ``Misconfigured`` where a line was changed. Fails closed.

        A last line without its end was never promised to anybody, and is cut off.
        """
        raw = read_private(self._path) or b""
        whole, end, rest = raw.rpartition(b"\n")
        if rest:
            self._cut(len(whole) + len(end))
        found, self._last = [], b""
        for line in whole.splitlines() if end else ():
            mac, body = line[:_MAC_CHARS], line[_MAC_CHARS + 1 :]
            if not hmac.compare_digest(mac, self._mac(body)):
                raise Misconfigured(
                    "the journal of erasures was changed", path=self._path.name, expected="the lines that were written",
                    found="another one", hint="restore the file; without it a restored backup would bring back the erased",
                )  # fmt: skip
            found.append(msgspec.json.decode(body, type=Erased))
            self._last = mac
        return found

    def append(self, erased: Erased) -> None:
        """Write a line through to the disk; raises ``Misconfigured`` where that cannot be done."""
        self.read()
        body = msgspec.json.encode(erased)
        line = self._mac(body) + b" " + body + b"\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "ab") as file:  # noqa: PTH123 -- a mode needs a descriptor
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            failure = refused(self._path, error)
        else:
            return
        raise failure

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, self._last + b" " + body, hashlib.sha256).hexdigest().encode()

    def _cut(self, length: int) -> None:
        with self._path.open("r+b") as file:
            file.truncate(length)
