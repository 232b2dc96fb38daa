"""A key in a file: 32 secret bytes that are made once.

Promise: the first process that needs the key makes it, whole and private; all others read that one. Where something was
made under the key and the file is missing, nothing is made in its place: under another key all of it would be lost or
look forged, silently.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import Misconfigured
from shopward.keyring.files import read_private, refused, sync_folder, write_new

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32

Entropy = Callable[[int], bytes]
"""Where randomness comes from: ``secrets.token_bytes``, chosen by ``service``. It gives that many bytes."""


class KeyFile(NamedTuple):
    """A key of the data folder: its file, what people call it, and what it was there for."""

    name: str
    what: str
    was: str


def read_key(folder: Path, file: KeyFile) -> bytes | None:
    """The key, ``None`` where there is none; group and others lose their rights on its file.

    Raises:
        Misconfigured: the file is no key or cannot be read.
    """
    key = read_private(folder / file.name)
    if key is not None and len(key) != KEY_BYTES:
        raise Misconfigured(
            f"the {file.what} is no key",
            path=file.name,
            expected=f"{KEY_BYTES} bytes",
            found=f"{len(key)} bytes",
            hint="restore it from the backup of the data folder",
        )
    return key


def open_key(folder: Path, file: KeyFile, *, in_use: bool, entropy: Entropy = secrets.token_bytes) -> bytes:
    """The key; a new one where neither it nor anything made under it is there.

    Args:
        folder: the data folder.
        file: which key.
        in_use: whether something was made under it.
        entropy: makes the new one.

    Raises:
        Misconfigured: it is missing though in use, is no key, or the folder cannot be used.
    """
    key = read_key(folder, file)
    if key is not None:
        return key
    if in_use:  # fails closed
        raise Misconfigured(
            f"the {file.what} is missing",
            path=file.name,
            expected=file.was,
            found="no file",
            hint="restore it from the backup of the data folder, or point --data at the folder that has it",
        )
    path = folder / file.name
    try:
        _create(path, entropy(KEY_BYTES))
    except OSError as error:
        failure = refused(path, error)
    else:
        return open_key(folder, file, in_use=True)
    raise failure


def _create(path: Path, key: bytes) -> None:
    """1. a new file of our own, 2. its name unless it is taken, 3. the name to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    write_new(new, key, os.O_EXCL)  # 1
    try:
        with suppress(FileExistsError):  # somebody else's came first, and holds
            path.hardlink_to(new)  # 2
    finally:
        new.unlink()
    sync_folder(path.parent)  # 3
