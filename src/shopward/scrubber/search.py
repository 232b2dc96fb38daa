"""The search itself: which rules a text needs, and which finding wins where two overlap.

Promise: each part of a text belongs to at most one span; spans come in order. Where two overlap, the surer kind wins,
then the longer. A text that holds neither digits nor capitals nor telling characters costs one look.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shopward.scrubber.addresses import chinese, english, indonesian
from shopward.scrubber.codes import births, han_plates, lettered, mail, spelled, wechat
from shopward.scrubber.kinds import KINDS, Kind, Span
from shopward.scrubber.names import han_names, latin_names
from shopward.scrubber.numbers import numbers
from shopward.scrubber.plain import plain

_HAN: Final = re.compile("[\u4e00-\u9fff]")
_DIGITS: Final = re.compile(r"\d(?:[^\d]{0,3}\d){3}")
_LETTERED_HINT: Final = re.compile(r"[A-Za-z][ -]?\d")
_DIGIT: Final = re.compile(r"\d")
_CHAT_HINTS: Final = ("微", "信", "vx", "wx", "weixin", "wechat")
_SPELLED_HINTS: Final = (
    "nol",
    "kosong",
    "zero",
    "oh ",
    "lapan",
    "eight",
    "satu",
    "one",
    "tiga",
    "three",
    "lima",
    "five",
)
_HAN_DIGITS: Final = re.compile(
    "[零〇○一二三四五六七八九两幺壹贰叁肆伍陆柒捌玖][零〇○一二三四五六七八九两幺壹贰叁肆伍陆柒捌玖 ,、-]{6}"
)
_BIRTH_HINTS: Final = ("lahir", "ttl", "born", "birth", "dob", "d.o.b", "ultah", "ulang tahun", "生")
_STREET_HINTS: Final = (
    "jl", "jalan", "gg", "gang", "komp", "perum", "dusun", "dsn", "kampung", "kp", "desa", "ds", "apart", "apt", "rusun", "ruko", "cluster", "rt",
)  # fmt: skip
_RANK: Final[dict[Kind, int]] = {kind: at for at, kind in enumerate(KINDS)} | {
    "email": -3,
    "address": 40,
    "name": 50,
    "birth_date": -1,
}
_MASKS: Final[dict[Kind, str]] = {kind: f"[{kind}]" for kind in KINDS}


class Scrubbed(NamedTuple):
    """A text with its personal values masked, and where they stood in the text as it was given."""

    text: str
    spans: tuple[Span, ...]


def find(text: str) -> tuple[Span, ...]:  # noqa: C901, PLR0912 -- one gate a rule, in one place
    """Where personal values stand, in order, none overlapping another.

    Args:
        text: Any text, a line or a page.

    Returns:
        Spans with offsets in characters (code points) of ``text``.
    """
    read, places = seen = plain(text)
    found: list[Span] = []
    lower = read.lower()
    digits = _DIGIT.search(read) is not None
    han = not read.isascii() and _HAN.search(read) is not None
    if "@" in read or ("at" in read and ("(at" in read or "[at" in read)):
        mail(read, found)
    if digits:
        if _DIGITS.search(read):
            numbers(read, found)
        if _LETTERED_HINT.search(read):
            lettered(read, found)
        if han:
            han_plates(read, found)
        if _any(_BIRTH_HINTS, lower):
            births(read, found)
    if _any(_CHAT_HINTS, lower):
        wechat(read, found)
    if _any(_SPELLED_HINTS, lower) or (han and _HAN_DIGITS.search(read)):
        spelled(read, found)
    if _any(_STREET_HINTS, lower):
        indonesian(read, found, digits=digits)
    if digits:
        english(read, found)
    if han:
        chinese(read, found)
    if han:
        han_names(read, found)
    latin_names(read, found)
    if not found:
        return ()
    chosen = _apart(found)
    if places is None:
        return tuple(chosen)
    return tuple([Span(*seen.place(span.start, span.end), span.kind) for span in chosen])


def scrub(text: str) -> Scrubbed:
    """The text with each personal value replaced by its kind in brackets, and the spans."""
    spans = find(text)
    if not spans:
        return Scrubbed(text, spans)
    parts: list[str] = []
    at = 0
    for start, end, kind in spans:
        parts += (text[at:start], _MASKS[kind])
        at = end
    parts.append(text[at:])
    return Scrubbed("".join(parts), spans)


def _any(hints: tuple[str, ...], lower: str) -> bool:
    for hint in hints:  # noqa: SIM110 -- twice as fast as any() over a generator, on every message
        if hint in lower:
            return True
    return False


def _apart(found: list[Span]) -> list[Span]:
    """Those that stay where several overlap."""
    if len(found) == 1:
        return found
    kept: list[Span] = []
    for span in sorted(found, key=_by_sureness):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
        elif span.kind == "address":  # an address that holds a surer value is still an address around it
            kept += [Span(start, end, "address") for start, end in _around(span, kept)]
    return sorted(kept)


def _by_sureness(span: Span) -> tuple[int, int, int]:
    return _RANK[span.kind], span.start - span.end, span.start


def _around(span: Span, kept: list[Span]) -> list[tuple[int, int]]:
    """What of a span no kept one covers."""
    parts, at = [], span.start
    for other in sorted(kept):
        if other.end <= at or other.start >= span.end:
            continue
        if other.start > at:
            parts.append((at, other.start))
        at = max(at, other.end)
    if at < span.end:
        parts.append((at, span.end))
    return [(start, end) for start, end in parts if end - start > 3]
