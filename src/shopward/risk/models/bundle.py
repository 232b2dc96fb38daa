"""The bundle: one model in one file, checked whole before any of it is used.

Promise: a bundle is a ZIP of text that anybody can read: ``bundle.json`` (what it is and how it was made),
``model.json`` (the trees), ``card.md`` (for people) and ``SHA256SUMS`` over the three. It holds no code and nothing of a
customer. The same training gives the same bytes. ``unpack`` gives a bundle whose every part was checked, or raises
``ModelInvalid`` with the reason; nothing is ever half-loaded. Docs: docs/models.md, ADR 0014.

The sums tell damage, not malice: whoever can replace the file can replace the sums.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
import zlib
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import ModelInvalid
from shopward.risk.models.evaluation import Evaluation
from shopward.risk.models.forest import Forest
from shopward.risk.models.scale import Line
from shopward.risk.policy.spec import Trainer

FORMAT: Final = "shopward-model/1"
BYTES_MAX: Final = 64 * 1024 * 1024
"""Of the file, and of each part unpacked."""
_SUMS, _HEAD, _TREES, _CARD = "SHA256SUMS", "bundle.json", "model.json", "card.md"
_PARTS: Final = (_HEAD, _TREES, _CARD)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same training gives the same bytes."""


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``bundle.json``.

    Attributes:
        types: event types that it scores.
        columns: names of the numbers of a row, in order.
        schema: digest of what the columns mean; a policy fits if its own is the same.
        policy: the policy under which the rows were made.
        from_ms, until_ms: the examples' first moment, and the moment whose knowledge was learnt.
        start, calibration: see ``fit.Trained``.
    """

    format: str
    name: str
    types: tuple[str, ...]
    columns: tuple[str, ...]
    schema: str
    policy: str
    from_ms: int
    until_ms: int
    label_delay_ms: int
    frauds: int
    genuine: int
    start: Line
    calibration: Line
    trainer: Trainer
    seed: int
    evaluation: Evaluation | None


class Bundle(Struct, frozen=True):
    """A whole, checked model."""

    head: Head
    forest: Forest
    card: str


def pack(bundle: Bundle) -> bytes:
    """The bytes of a bundle."""
    parts = {
        _HEAD: msgspec.json.format(msgspec.json.encode(bundle.head)) + b"\n",
        _TREES: msgspec.json.encode(bundle.forest),
        _CARD: bundle.card.encode(),
    }
    sums = "".join(f"{hashlib.sha256(part).hexdigest()}  {name}\n" for name, part in parts.items())
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in ((_SUMS, sums.encode()), *parts.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), part, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def unpack(data: bytes) -> Bundle:
    """The bundle in these bytes; raises ``ModelInvalid`` where anything about it is not as it should be."""
    parts = _checked_parts(data)
    head, forest = _read(parts[_HEAD], Head, _HEAD), _read(parts[_TREES], Forest, _TREES)
    numbers = (*forest.threshold, *forest.value, head.start.intercept, head.start.slope,
               head.calibration.intercept, head.calibration.slope)  # fmt: skip
    if not all(map(math.isfinite, numbers)):
        raise _invalid(_TREES, "numbers", "what is none")
    forest.check(len(head.columns))
    return Bundle(head, forest, parts[_CARD].decode(errors="replace"))


def _checked_parts(data: bytes) -> dict[str, bytes]:
    """The parts whose sums are right, of a bundle of our format."""
    if len(data) > BYTES_MAX:
        raise _invalid("", f"at most {BYTES_MAX} bytes", str(len(data)))
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sorted(archive.namelist()) != sorted((_SUMS, *_PARTS)):
                raise _invalid("", "exactly " + ", ".join((_SUMS, *_PARTS)), "other members")
            for member in archive.infolist():
                if member.file_size > BYTES_MAX:
                    raise _invalid(member.filename, f"at most {BYTES_MAX} bytes", str(member.file_size))
                parts[member.filename] = archive.read(member)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        raise _invalid("", "a ZIP as shopward train writes it", "damaged or something else") from None
    expected = "".join(f"{hashlib.sha256(parts[name]).hexdigest()}  {name}\n" for name in _PARTS).encode()
    if parts[_SUMS] != expected:
        raise _invalid(_SUMS, "the SHA-256 of each part", "another")
    version = _read(parts[_HEAD], _Format, _HEAD).format
    if version != FORMAT:
        raise _invalid(_HEAD, FORMAT, "another format or version")
    return parts


class _Format(Struct):
    format: str = ""


def _read(part: bytes, shape: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(part, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _invalid(name, "JSON of this format", "something else") from None


def _invalid(path: str, expected: str, found: str) -> ModelInvalid:
    return ModelInvalid(
        "the model bundle is refused", path=path or None, expected=expected, found=found,
        hint="train it again: shopward train",
    )  # fmt: skip
