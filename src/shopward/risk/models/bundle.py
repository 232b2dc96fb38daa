"""The bundle: one model in one file, checked whole before any of it is used.

Promise: a bundle is a ZIP of text that anybody can read: ``bundle.json`` (what it is and how it was made),
``model.json`` (the trees), ``card.md`` (for people) and ``SHA256SUMS`` over the three. It holds no code and nothing of a
customer. The same training gives the same bytes. ``unpack`` gives a bundle whose every part was checked, or raises
``ModelInvalid`` with the reason; nothing is ever half-loaded. Docs: docs/models.md, ADR 0014.

The sums tell damage, not malice: whoever can replace the file can replace the sums.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.forest import Forest
from shopward.keyring.parts import checked_parts, invalid_part, pack_parts
from shopward.risk.models.evaluation import Evaluation
from shopward.risk.models.scale import Line
from shopward.risk.policy.spec import Trainer

if TYPE_CHECKING:
    from shopward.errors import ModelInvalid

FORMAT: Final = "shopward-model/1"
_MADE_BY: Final = "shopward train"
_HEAD, _TREES, _CARD = "bundle.json", "model.json", "card.md"
_PARTS: Final = (_HEAD, _TREES, _CARD)


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
    return pack_parts(
        {
            _HEAD: msgspec.json.format(msgspec.json.encode(bundle.head)) + b"\n",
            _TREES: msgspec.json.encode(bundle.forest),
            _CARD: bundle.card.encode(),
        }
    )


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
    parts = checked_parts(data, _PARTS, made_by=_MADE_BY)
    if _read(parts[_HEAD], _Format, _HEAD).format != FORMAT:
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
    return invalid_part(path, expected, found, _MADE_BY)
