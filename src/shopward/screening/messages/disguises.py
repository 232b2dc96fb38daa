"""Disguises under which training sees a part of its messages again.

Promise: pure; the same text is disguised in the same way. They are those that thieves are known to use and that the benchmark
does *not* measure with: it keeps others for itself, so that its figures tell how unseen disguises fare.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD: Final = re.compile(r"[A-Za-z]{4,}")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]{2,}")
_CYRILLIC: Final = str.maketrans("aceopxyiKMHBT", "асеорхуіКМНВТ")
_SIGNS: Final = str.maketrans("aisAIS", "@1$@1$")
_WIDE: Final = {ord(each): ord(each) + 0xFEE0 for each in map(chr, range(0x21, 0x7F))}


def disguised(text: str) -> str:
    """A text under one disguise, chosen by the text itself."""
    return _DISGUISES[zlib.crc32(text.encode("utf-8", "replace")) // 20 % len(_DISGUISES)](text)


def _between(sign: str) -> Callable[[str], str]:
    """A sign between the letters of every second word."""

    def disguise(text: str) -> str:
        turn = iter(range(len(text)))
        for words in (_WORD, _CHINESE):
            text = words.sub(lambda found: found[0] if next(turn) % 2 else sign.join(found[0]), text)
        return text

    return disguise


def _run_together(text: str) -> str:
    words = text.split(" ")
    return "".join(word + ("" if at % 3 else " ") for at, word in enumerate(words))


_DISGUISES: Final[tuple[Callable[[str], str], ...]] = (
    _between("*"),
    _between("."),
    _between("-"),
    lambda text: text.translate(_CYRILLIC),
    lambda text: text.translate(_SIGNS),
    lambda text: text.translate(_WIDE),
    str.upper,
    str.lower,
    _run_together,
)
