"""Private files: written whole or not at all, readable by their owner alone.

Promise: a crash at any moment leaves the old file, the new one, or none; never half of one. The mode is 0600 from
the first byte on, and a file that others could read is mended when it is read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from shopward.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` under ``path`` in one step and onto the disk.

    Raises:
        Misconfigured: the folder cannot be written.
    """
    try:
        _write(path, content)
    except OSError as error:
        failure = refused(path, error)
    else:
        return
    raise failure


def read_private(path: Path) -> bytes | None:
    """The content, ``None`` where there is no such file; group and others lose their rights on it.

    Raises:
        Misconfigured: the file is there and cannot be read.
    """
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        failure = refused(path, error)
    raise failure


def refused(path: Path, error: OSError) -> Misconfigured:
    """The error for a file that the system does not let us have; the name without its folder."""
    return Misconfigured(
        "a file of the data folder cannot be used",
        path=path.name,
        expected="a folder that this user may read and write",
        found=os.strerror(error.errno) if error.errno else type(error).__name__,
    )


def _write(path: Path, content: bytes) -> None:
    """1. a new file, 2. to the disk, 3. its name, 4. the name to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    write_new(new, content, os.O_TRUNC)  # 1 and 2
    new.replace(path)  # 3
    sync_folder(path.parent)  # 4


def write_new(path: Path, content: bytes, mode: int) -> None:
    """A private file with this content, on the disk; ``mode`` is ``O_TRUNC`` or ``O_EXCL``."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 -- a mode needs a descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
