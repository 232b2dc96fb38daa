"""The bundle of the learned part: what it is, its weights and its evaluation, in one checked file.

Promise: text that anybody can read, with sums (``keyring.parts``); no code, and no link that it was trained on. ``unpack``
gives a model whose every part was checked, or raises ``ModelInvalid``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopward.keyring.parts import checked_parts, invalid_part, pack_parts
from shopward.screening.links.address import read_address
from shopward.screening.links.known import known
from shopward.screening.links.learned.features import SCHEMA
from shopward.screening.links.learned.model import LinkModel, LinkScorer, Reader
from shopward.screening.verdict import SUSPICIOUS, score_of
from shopward.values import digest16

FORMAT: Final = "shopward-links/2"
MADE_BY: Final = "shopward screen train"
SHIPPED: Final = "shipped.links"
_HEAD, _WEIGHTS, _CARD = "bundle.json", "weights.json", "card.md"
_PARTS: Final = (_HEAD, _WEIGHTS, _CARD)
KNOWN_FLAGGED_MAX: Final = 0.1
_WEIGHT_LIMIT: Final = 1_000_000


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """How well it did on links whose registered domains it had not seen.

    Attributes:
        what: ``host`` or ``link``.
        fraud, ordinary: how many of each.
        recall_1_in_1000, recall_1_in_100: share of the fraud above the score of so many ordinary ones.
    """

    what: str
    fraud: int
    ordinary: int
    recall_1_in_1000: float
    recall_1_in_100: float


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was learnt from: its name without its folder, a digest, and how many links it gave."""

    name: str
    digest: str
    fraud: bool
    links: int


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``bundle.json``."""

    format: str
    schema: str
    until: str
    sources: tuple[Source, ...]
    measured: tuple[Measured, ...]


class LinkBundle(Struct, frozen=True):
    """A whole, checked bundle."""

    head: Head
    model: LinkModel
    card: str


def pack(bundle: LinkBundle) -> bytes:
    """The bytes of a bundle."""
    return pack_parts(
        {
            _HEAD: msgspec.json.format(msgspec.json.encode(bundle.head)) + b"\n",
            _WEIGHTS: msgspec.json.encode(bundle.model),
            _CARD: bundle.card.encode(),
        }
    )


def unpack(data: bytes) -> LinkBundle:
    """The bundle in these bytes; raises ``ModelInvalid``."""
    bundle = _opened(data)
    Reader(bundle.model)  # its trees are trees
    return bundle


def scorer_of(data: bytes, *, fast: bool = False) -> LinkScorer:
    """What scores by a bundle; its version is a digest of the bytes.

    Args:
        data: of the bundle.
        fast: in machine code where the extra ``fast`` is installed, for many links; it scores the same.
    """
    model = _opened(data).model
    return LinkScorer(_fast(model) if fast else Reader(model), digest16(data).hex()[:12])


def own_scorer(data: bytes, *, fast: bool = False) -> LinkScorer:
    """``scorer_of`` for a bundle that is to judge in place of the one that ships.

    Raises ``ModelInvalid`` also where it would flag too many of the sites that everybody knows: it was trained on links that do
    not stand for the ordinary ones.
    """
    scorer = scorer_of(data, fast=fast)
    sites = known().well_known
    flagged = sum(score_of(scorer.findings(read_address(site))) >= SUSPICIOUS for site in sites)
    if flagged > KNOWN_FLAGGED_MAX * len(sites):
        raise invalid_part(
            _WEIGHTS, f"at most {KNOWN_FLAGGED_MAX:.0%} of the sites that everybody knows flagged",
            f"{flagged} of {len(sites)}", MADE_BY,
        )  # fmt: skip
    return scorer


@cache
def shipped_scorer(*, fast: bool = False) -> LinkScorer | None:
    """What scores by the bundle that ships; ``None`` where none does."""
    file = resources.files("shopward.screening.links.learned") / SHIPPED
    return scorer_of(file.read_bytes(), fast=fast) if file.is_file() else None


def _opened(data: bytes) -> LinkBundle:
    """A bundle whose trees nobody has tried yet: a ``Reader`` does."""
    parts = checked_parts(data, _PARTS, made_by=MADE_BY)
    head, model = _read(parts[_HEAD], Head, _HEAD), _read(parts[_WEIGHTS], LinkModel, _WEIGHTS)
    if (head.format, head.schema) != (FORMAT, SCHEMA):
        raise invalid_part(_HEAD, f"{FORMAT}, {SCHEMA}", "another format or version", MADE_BY)
    for half in (model.host, model.path):
        figures = (*half.weights.values(), *half.endings.values(), *half.forest.threshold, *half.forest.value)
        if any(not abs(figure) <= _WEIGHT_LIMIT for figure in figures):
            raise invalid_part(_WEIGHTS, f"weights up to {_WEIGHT_LIMIT}", "a larger one", MADE_BY)
    for marks in (model.host_marks, model.link_marks):
        if not marks.faint <= marks.suspicious <= marks.dangerous:
            raise invalid_part(_WEIGHTS, "marks in order", "others", MADE_BY)
    return LinkBundle(head, model, parts[_CARD].decode(errors="replace"))


def _fast(model: LinkModel) -> Reader:
    """Machine code, or plain Python where the extra is not installed."""
    try:
        from shopward.screening.links.learned.compiled import CompiledReader  # noqa: PLC0415 -- an extra
    except ImportError:
        return Reader(model)
    return CompiledReader(model)


def _read(part: bytes, shape: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(part, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise invalid_part(name, "JSON of this format", "something else", MADE_BY) from None
