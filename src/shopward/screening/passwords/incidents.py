"""Passwords of the shop's own incidents: those that attackers tried, or that leaked, so that nobody takes one again.

Promise: what is kept is HMAC-SHA-256 of each under a key of the data folder, cut to 20 bytes: without the key the file
tells nothing about passwords, with it every guess can be tested, as with any hash. Kept in memory as a set; a million take
about 70 MB. The file is private and written whole or not at all.
"""

from __future__ import annotations

import hmac
import threading
import unicodedata
from typing import TYPE_CHECKING, Final

from shopward.errors import InputTooLarge, ModelInvalid
from shopward.keyring import KeyFile, derived, read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INCIDENT_KEY: Final = KeyFile(
    "password.key", "key of incident passwords", "the key that they were kept under"
)
INCIDENT_FILE: Final = "incident-passwords.bin"
KEPT_MAX: Final = 5_000_000
_HEAD: Final = b"swincpw1"
_BYTES: Final = 20


class IncidentHashes:
    """The passwords of a shop's incidents, by keyed digest.

    Args:
        folder: the data folder.
        key: of the data folder.

    Raises:
        ModelInvalid: the file is damaged.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._path = folder / INCIDENT_FILE
        self._key = derived(key, b"shopward incident passwords 1")
        self._writing = threading.Lock()
        self._known = _read(self._path)

    def __len__(self) -> int:
        return len(self._known)

    def holds(self, password: str) -> bool:
        """Whether it is one of them, as typed or in its compatible form."""
        return bool(self._known) and any(self._digest(form) in self._known for form in _forms(password))

    def remember(self, passwords: Iterable[str]) -> int:
        """Keep these; how many were new. Empty lines are no passwords."""
        with self._writing:
            new = {self._digest(form) for each in passwords if each for form in _forms(each)} - self._known
            if len(self._known) + len(new) > KEPT_MAX:
                raise InputTooLarge("too many incident passwords", expected=f"at most {KEPT_MAX}")
            if new:
                known = self._known | new
                write_private(self._path, _HEAD + b"".join(sorted(known)))
                self._known = known
            return len(new)

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode(), "sha256")[:_BYTES]


def _forms(password: str) -> dict[str, None]:
    return dict.fromkeys((password, unicodedata.normalize("NFKC", password)))


def _read(path: Path) -> frozenset[bytes]:
    raw = read_private(path)
    if raw is None:
        return frozenset()
    body = raw[len(_HEAD) :]
    if (
        not raw.startswith(_HEAD) or len(body) % _BYTES
    ):  # fails closed: a lost list would let stolen passwords back in
        raise ModelInvalid(
            "the list of incident passwords is damaged", path=path.name, expected="a list as it was written", found="another file",
            hint="restore it from the backup of the data folder, or remove it to begin anew",
        )  # fmt: skip
    return frozenset(body[at : at + _BYTES] for at in range(0, len(body), _BYTES))
