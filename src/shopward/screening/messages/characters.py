"""Characters and what each is read as: the tables of the normaliser.

Promise: a character's reading depends on the character alone and is remembered; most are read as one character, so that
places stay; those that are read as none or as several are told by ``is_irregular``. Sources: NFKC and case folding of the
Unicode database of this Python, ``traditional.txt`` (OpenCC), ``confusables`` of this context.
"""

from __future__ import annotations

import unicodedata
from importlib import resources
from typing import Final

MARKERS: Final = "\ua000\ua001\ua002\ua003\ua004\ua005\ua006\ua007"
"""Letters of the Yi script that stand for things that were found in the text; nobody can write them: they are dropped."""
_DROPPED_MARKS: Final = (
    (0x0300, 0x036F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
_UNSEEN: Final = frozenset(("Cf", "Cs", "Cn", "Co"))
_SPACES: Final = frozenset(("Cc", "Zs", "Zl", "Zp"))
_INVISIBLE_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BOXED: Final = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Letters in boxes and circles, and the halves of flags, of which Unicode knows no compatible form."""
_SMALL_CAPITALS: Final = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_STROKED: Final = dict(zip("đøłħŧƀɨɉɍʉƶ", "dolhtbijruz", strict=True))
_SIGNS: Final = {"。": ".", "｡": ".", "․": ".", "﹒": ".", "、": "、", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-",
                 "’": "'", "‘": "'", "“": '"', "”": '"', "∶": ":", "⁄": "/", "∕": "/"}  # fmt: skip


def _simplified() -> dict[str, str]:
    text = (resources.files(__package__) / "traditional.txt").read_text(encoding="utf-8")
    rows = [item for line in text.splitlines() if not line.startswith("#") for item in line.split()]
    return {each: row[0] for row in rows for each in row[1:]}


_SIMPLIFIED: Final = _simplified()


def reading(character: str) -> str:
    """What one character is read as: none, one or several characters, lower case and compatible."""
    point, category = ord(character), unicodedata.category(character)
    if _is_unseen(character, category):
        return ""
    if category in _SPACES:
        return "\n" if character in "\n\r\u2028\u2029\x85" else " "
    if category == "Nd":
        return str(unicodedata.digit(character))
    for start in _BOXED:
        if start <= point < start + 26:
            return chr(ord("a") + point - start)
    known = _SIGNS.get(character) or _SMALL_CAPITALS.get(character)
    return known or _plain(character)


def _is_unseen(character: str, category: str) -> bool:
    point = ord(character)
    return (
        character in _INVISIBLE_LETTERS
        or character in MARKERS
        or category in _UNSEEN
        or any(first <= point <= last for first, last in _DROPPED_MARKS)
        or 0xE0100 <= point <= 0xE01EF
    )


def _plain(character: str) -> str:
    """Compatible and without accents; a letter that is none without its marks stays whole."""
    plain = unicodedata.normalize("NFKD", character).casefold()
    if not plain.isascii():
        composed = unicodedata.normalize("NFKC", plain)
        if len(composed) == 1 and not _has_mark(plain):
            plain = composed
        else:
            plain = "".join(each for each in plain if not unicodedata.combining(each))
    return "".join(_STROKED.get(each) or _SIMPLIFIED.get(each) or each for each in plain)


def _has_mark(text: str) -> bool:
    return any(any(first <= ord(each) <= last for first, last in _DROPPED_MARKS) for each in text)


class Readings(dict[int, str]):
    """A table for ``str.translate`` that fills itself; ``irregular`` holds those that are not read as one character."""

    def __init__(self) -> None:
        super().__init__({point: chr(point).lower() for point in range(0x20, 0x7F)})
        self.irregular: set[str] = set()

    def __missing__(self, point: int) -> str:
        read = reading(chr(point))
        self[point] = read
        if len(read) != 1:
            self.irregular.add(chr(point))
        return read


READINGS: Final = Readings()
