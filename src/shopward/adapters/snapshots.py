"""The saved state in one file, and nothing else in it.

Promise: ``save`` replaces the file in one step, so that a crash at any moment leaves the old snapshot or the new
one; ``load`` gives back exactly what was saved or refuses. A wrong byte anywhere, a missing or an extra one, is
``SnapshotInvalid`` with what was found. The checksum finds accidents; it is no signature: who can write the file
can write a valid one, which is why it is made readable and writable for its owner alone.

Not here: when to save, what the state means, more than one snapshot. One process saves at a time (the owner of
the log); two at once could leave a file that ``load`` refuses, never one that it accepts wrongly.

Layout, big-endian: magic (8 bytes), format version (u32), length of schema (u32), seq (u64), length of state (u64),
BLAKE2b-256 over all that and what follows (32 bytes), schema in UTF-8, state.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shopward.errors import SnapshotInvalid, StoreUnavailable
from shopward.ports import Snapshot

if TYPE_CHECKING:
    from typing import BinaryIO

MAGIC: Final = b"SHWDSNAP"
FORMAT_VERSION: Final = 1
_FIELDS: Final = struct.Struct(">8sIIQQ")
_CHECKSUM_BYTES: Final = 32
_HEADER_BYTES: Final = _FIELDS.size + _CHECKSUM_BYTES
_REBUILD: Final = "remove the file; the state is rebuilt from the log"


class NoSnapshots:
    """Keeps nothing: every start replays the whole log. For tests, and where the log is short."""

    def save(self, snapshot: Snapshot) -> None:
        """Forget it."""

    def load(self) -> Snapshot | None:
        """There is none."""
        return None


class FileSnapshots:
    """``ports.SnapshotStore`` in one file; its directory is made with mode 0700 where it is missing."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path).absolute()
        self._new = self._path.with_name(self._path.name + ".new")

    def save(self, snapshot: Snapshot) -> None:
        """Replace the kept snapshot atomically: a crash leaves the old one or the new one."""
        try:
            self._write(snapshot)
        except OSError as error:
            failure = _refused("save snapshot", error)
        else:
            return
        with suppress(OSError):
            self._new.unlink()
        raise failure

    def load(self) -> Snapshot | None:
        """The newest snapshot, ``None`` where there is none; raise ``SnapshotInvalid`` where it is corrupt."""
        try:
            with self._path.open("rb") as file:
                return _read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            failure = _refused("load snapshot", error)
        raise failure

    def _write(self, snapshot: Snapshot) -> None:
        """1. write a new file, 2. to the disk, 3. give it the name, 4. the name to the disk."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(self._new, flags, 0o600), "wb") as file:  # noqa: PTH123 -- a mode needs a descriptor
            file.writelines(_parts(snapshot))  # 1
            file.flush()
            os.fsync(file.fileno())  # 2
        self._new.replace(self._path)  # 3
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)  # 4
        finally:
            os.close(directory)


def _parts(snapshot: Snapshot) -> tuple[bytes, ...]:
    """The bytes of a file, in order."""
    schema = snapshot.schema.encode()
    fields = _FIELDS.pack(MAGIC, FORMAT_VERSION, len(schema), snapshot.seq, len(snapshot.state))
    return fields, _checksum(fields, schema, snapshot.state), schema, snapshot.state


def _read(file: BinaryIO) -> Snapshot:
    """The snapshot of an open file; the lengths are held against the file before anything large is read."""
    size = os.fstat(file.fileno()).st_size
    header = file.read(_HEADER_BYTES)
    if header[: len(MAGIC)] != MAGIC[: len(header)]:
        raise _invalid("this is no snapshot of Shopward", f"it to begin with {MAGIC.decode()}", "other bytes")
    if len(header) < _HEADER_BYTES:
        raise _invalid("the snapshot is cut off", f"at least {_HEADER_BYTES} bytes", f"{size} bytes")
    fields, checksum = header[: _FIELDS.size], header[_FIELDS.size :]
    _, version, schema_length, seq, state_length = _FIELDS.unpack(fields)
    if version != FORMAT_VERSION:
        raise _invalid("the snapshot is of another version", f"format {FORMAT_VERSION}", f"format {version}")
    expected = _HEADER_BYTES + schema_length + state_length
    if size != expected:
        raise _invalid("the snapshot has the wrong length", f"{expected} bytes", f"{size} bytes")
    schema, state = file.read(schema_length), file.read(state_length)
    if _checksum(fields, schema, state) != checksum:
        raise _invalid("the snapshot is corrupt", "contents that fit their checksum", "another checksum")
    return Snapshot(seq=seq, schema=schema.decode(), state=state)


def _checksum(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _invalid(message: str, expected: str, found: str) -> SnapshotInvalid:
    return SnapshotInvalid(message, expected=expected, found=found, hint=_REBUILD)


def _refused(doing: str, error: OSError) -> StoreUnavailable:
    """The error for a disk that does not let us; a snapshot that is not there costs time, never data."""
    return StoreUnavailable(
        f"{doing}: the system refused",
        found=os.strerror(error.errno) if error.errno else type(error).__name__,
        hint="check space, quota and rights of the snapshot's directory",
        retry_after_s=60.0,
    )
