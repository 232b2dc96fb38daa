"""A key of the data folder with those before it: ``NAME`` is in use, ``NAME.1``, ``NAME.2`` ... were, in this order.

Promise: another key takes the place of the one in use in two steps of the file system, and a crash between them leaves the
old one in use; the older ones stay until somebody destroys them. A destroyed one leaves an empty file, so that no number is
given twice. Two processes of one folder see the same keys, each when it reads.

Not here: what depends on an older key, and who says that it can go.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from shopward.errors import Misconfigured, StoreError
from shopward.keyring.files import read_private, refused, sync_folder, write_private
from shopward.keyring.keys import KEY_BYTES, read_key
from shopward.keyring.sealing import Sealer, derived

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shopward.keyring.keys import Entropy, KeyFile


class Generation(NamedTuple):
    """A key, its number, counted from one, and when its file was made (``stat``, milliseconds)."""

    number: int
    key: bytes
    made_ms: int


class Generations:
    """The generations of one key file.

    Args:
        folder: the data folder.
        file: which key.
    """

    def __init__(self, folder: Path, file: KeyFile) -> None:
        self._folder = folder
        self._file = file

    def all(self) -> list[Generation]:
        """The key in use and then those before it, the newest first; raises ``Misconfigured`` where it is missing."""
        path = self._folder / self._file.name
        current = read_key(self._folder, self._file)
        if current is None:
            raise Misconfigured(
                f"the {self._file.what} is missing", path=self._file.name, expected=self._file.was, found="no file",
                hint="restore it from the backup of the data folder",
            )  # fmt: skip
        numbers = self._numbers()
        older = [
            Generation(number, key, _made_ms(each))
            for number in sorted(numbers, reverse=True)
            if (key := read_private(each := self._older(number)))
        ]
        older = [each for each in older if each.key != current]  # a crash between the steps of ``replace``
        if any(len(each.key) != KEY_BYTES for each in older):
            raise Misconfigured(
                f"an older {self._file.what} is no key", path=self._file.name, expected=f"{KEY_BYTES} bytes",
                found="another file", hint="restore it from the backup of the data folder",
            )  # fmt: skip
        doubled = sum(1 for number in numbers if read_private(self._older(number)) == current)
        return [Generation(1 + len(numbers) - doubled, current, _made_ms(path)), *older]

    def replace(self, key: bytes) -> None:
        """Use another key: 1. the one in use gets a number, 2. the other takes its place. Raises ``Misconfigured``."""
        current, numbers = self.all()[0], self._numbers()
        path, failure = self._folder / self._file.name, None
        if not any(read_private(self._older(number)) == current.key for number in numbers):
            try:
                self._older(1 + max(numbers, default=0)).hardlink_to(path)  # 1
                sync_folder(self._folder)
            except OSError as error:
                failure = refused(path, error)
        if failure is not None:
            raise failure
        write_private(path, key)  # 2

    def retire(self, number: int) -> None:
        """Destroy an older key: its bytes are overwritten where they lie, as far as file system and disk do that."""
        path = self._older(number)
        with suppress(OSError), path.open("r+b") as file:
            file.write(bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        write_private(path, b"")

    def _older(self, number: int) -> Path:
        return self._folder / f"{self._file.name}.{number}"

    def _numbers(self) -> list[int]:
        mine = re.compile(re.escape(self._file.name) + r"\.([1-9][0-9]{0,5})")
        return [int(found[1]) for each in self._folder.iterdir() if (found := mine.fullmatch(each.name))]


class RenewableSealer:
    """Seals by the key in use, and opens by any that is not destroyed; called like ``Sealer``.

    Args:
        generations: of the key.
        use: the sub-key's name.
        what: people's word for what is sealed.
        hint: what to do where it cannot be opened.
    """

    def __init__(self, generations: Generations, *, use: bytes, what: str, hint: str) -> None:
        self._generations = generations
        self._use, self._what, self._hint = use, what, hint
        self._sealers: list[Sealer] = []
        self.reload()

    def reload(self) -> None:
        """Read the keys again: another one is in use."""
        self._sealers = [
            Sealer(derived(each.key, self._use), what=self._what, hint=self._hint)
            for each in self._generations.all()
        ]

    def seal(self, plain: bytes, *, context: tuple[str, ...], entropy: Entropy) -> bytes:
        """``plain`` under the key in use, as this process knows it."""
        return self._sealers[0].seal(plain, context=context, entropy=entropy)

    def unseal(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """What was sealed for this context; the keys are read again before it is given up. Raises ``StoreError``."""
        opened = _opened(self._sealers, sealed, context)
        if opened is None:
            self.reload()
            opened = _opened(self._sealers, sealed, context)
        return self._sealers[0].unseal(sealed, context=context) if opened is None else opened

    def is_by_the_newest(self, sealed: bytes, *, context: tuple[str, ...]) -> bool:
        """Whether it needs no older key, as this process knows them; raises ``StoreError`` where none opens it."""
        if _opened(self._sealers[:1], sealed, context) is not None:
            return True
        self.unseal(sealed, context=context)
        return False


def _opened(sealers: Sequence[Sealer], sealed: bytes, context: tuple[str, ...]) -> bytes | None:
    """What one of them opens; ``None`` where none does."""
    for sealer in sealers:
        with suppress(StoreError):
            return sealer.unseal(sealed, context=context)
    return None


def _made_ms(path: Path) -> int:
    return int(path.stat().st_mtime * 1000)
