"""Parts of text in one file: a ZIP with the SHA-256 of each part, checked whole before any of it is used.

Promise: the same parts give the same bytes; ``checked_parts`` gives every part whose sum is right, of exactly the names that
are expected and each within the limit, or raises ``ModelInvalid``; nothing is ever half-loaded. It holds no code.

The sums tell damage, not malice: whoever can replace the file can replace the sums.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BYTES_MAX: Final = 64 * 1024 * 1024
"""Of the file, and of each part unpacked."""
SUMS: Final = "SHA256SUMS"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same training gives the same bytes."""


def pack_parts(parts: Mapping[str, bytes]) -> bytes:
    """The bytes of a file of these parts."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in ((SUMS, _sums(parts)), *parts.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), part, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def checked_parts(data: bytes, names: Sequence[str], *, made_by: str) -> dict[str, bytes]:
    """The parts of a file by name; raises ``ModelInvalid``.

    Args:
        data: the file.
        names: of the parts, in the order in which they were packed.
        made_by: the command that writes such files, for the hint.
    """
    if len(data) > BYTES_MAX:
        raise invalid_part("", f"at most {BYTES_MAX} bytes", str(len(data)), made_by)
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sorted(archive.namelist()) != sorted((SUMS, *names)):
                raise invalid_part("", "exactly " + ", ".join((SUMS, *names)), "other members", made_by)
            for member in archive.infolist():
                if member.file_size > BYTES_MAX:
                    raise invalid_part(
                        member.filename, f"at most {BYTES_MAX} bytes", str(member.file_size), made_by
                    )
                parts[member.filename] = archive.read(member)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        raise invalid_part(
            "", f"a ZIP as {made_by} writes it", "damaged or something else", made_by
        ) from None
    if parts[SUMS] != _sums({name: parts[name] for name in names}):
        raise invalid_part(SUMS, "the SHA-256 of each part", "another", made_by)
    return parts


def invalid_part(path: str, expected: str, found: str, made_by: str) -> ModelInvalid:
    """The refusal of a file, or of a part of it."""
    return ModelInvalid(
        "the model bundle is refused", path=path or None, expected=expected, found=found,
        hint=f"train it again: {made_by}",
    )  # fmt: skip


def _sums(parts: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(part).hexdigest()}  {name}\n" for name, part in parts.items()).encode()
