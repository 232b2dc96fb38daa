"""Numbers in a text: which digits belong together, and what they are.

Promise: digits that people split by blanks, dots, dashes or brackets are put together again before they are judged; a
number is judged by its official form first and by the words beside it where the form says nothing. What stands inside a
code (``INV-0812...``, ``SKU13812345678``) or behind a word for orders, goods, sums and times is left alone.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shopward.scrubber import formats
from shopward.scrubber.cues import Cue, announced_after, cue_before
from shopward.scrubber.gazetteer import words
from shopward.scrubber.kinds import Kind, Span

_RUN: Final = re.compile(r"[(\[]?\+?[(\[]?\d(?:[ .()\-\[\]]{0,3}\d)*")
_GROUP: Final = re.compile(r"\d+")
_WINDOW_DIGITS_MAX: Final = 22
_EXTENSION: Final = re.compile(r"[ ,;]{0,2}(?:转|轉|分机|ext\.?|x|#|-)[ ]?\d{1,6}(?!\d)", re.IGNORECASE)
_CODE_BEFORE: Final = re.compile(r"([A-Za-z]+)[\-_/.]?$")
_LABELS: Final = words("labels")
_YEARS: Final = ("19", "20")
_HOT_LINES: Final = ("400", "800", "888")


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


class _Number(NamedTuple):
    """Some groups of a run, judged together."""

    digits: str
    shape: tuple[int, ...]
    glue: str  # what stands between the groups
    plus: bool
    bracket: bool


def numbers(text: str, found: list[Span]) -> None:
    """Add every personal number of the text."""
    for run in _RUN.finditer(text):
        start, end = run.span()
        if end - start < 4:
            continue
        if end - start < 60:
            _judge_run(text, start, end, found)
        else:
            for at in range(start, end, 60):  # a wall of digits is judged in overlapping pieces
                _judge_run(text, at, min(end, at + 90), found)


def _judge_run(text: str, start: int, end: int, found: list[Span]) -> None:
    groups = [_Group(start + part.start(), start + part.end(), part.group()) for part in _GROUP.finditer(text[start:end])]  # fmt: skip
    cue, coded = cue_before(text, start), _inside_code(text, start)
    at = 0
    while at < len(groups):
        if (
            groups[at].digits in _HOT_LINES
            and 7 <= sum([len(group.digits) for group in groups[at + 1 : at + 3]]) <= 8
        ):
            at += 3
            continue
        if groups[at].start > start:
            cue, coded = cue_before(text, groups[at].start), False
        count, kind, last = _best(text, groups, at, cue, coded=coded)
        if kind is None:
            at += 1
            continue
        first = groups[at].start
        while first > start and text[first - 1] in "+([":
            first -= 1
        if kind == "phone" and (extension := _EXTENSION.match(text, last)) is not None:
            last = extension.end()
        found.append(Span(first, last, kind))
        at += count


def _best(
    text: str, groups: list[_Group], at: int, cue: Cue | None, *, coded: bool
) -> tuple[int, Kind | None, int]:
    """How many groups from one on make a number, of what kind, and where it ends; one whole group goes first."""
    reach, digits = at, 0
    while reach < len(groups) and digits + len(groups[reach].digits) <= _WINDOW_DIGITS_MAX:
        digits += len(groups[reach].digits)
        reach += 1
    is_long = len(groups[at].digits) >= 10
    counts = (1, *range(reach - at, 1, -1)) if is_long else range(reach - at, 0, -1)
    for count in counts:
        part = groups[at : at + count]
        end = part[-1].end
        if end < len(text) and text[end].isascii() and (text[end].isalpha() or text[end] == "_"):
            if text[end] not in "xX" or sum(len(group.digits) for group in part) != 17:
                continue
            if formats.is_resident_id("".join([group.digits for group in part]) + "X"):
                return count, "resident_id", end + 1
            continue
        before = text[part[0].start - 1 : part[0].start]
        number = _Number(
            "".join([group.digits for group in part]),
            tuple([len(group.digits) for group in part]),
            text[part[0].start : end].translate(_NO_DIGITS) if count > 1 else "",
            before == "+" or text[part[0].start - 2 : part[0].start] == "+(",
            before in ("(", "[") and before != "",
        )
        if len(number.digits) < 4:
            break
        kind = _kind(text, number, part[0].start, end, None if coded else cue, coded=coded)
        if kind is not None:
            return count, kind, end
    return 1, None, 0


_NO_DIGITS: Final = {ord(digit): None for digit in "0123456789"}


def _inside_code(text: str, start: int) -> bool:
    """Whether a number goes on from letters, as in a product or order code; a label as in ``WA0812`` is none."""
    if start == 0 or not (
        text[start - 1].isascii() and (text[start - 1].isalpha() or text[start - 1] in "-_/.")
    ):
        return False
    letters = _CODE_BEFORE.search(text[max(0, start - 14) : start])
    if letters is None:
        return text[start - 1] in "_-/" and start > 1 and text[start - 2].isalnum()
    return letters.group(1).lower() not in _LABELS


def _kind(text: str, number: _Number, start: int, end: int, cue: Cue | None, *, coded: bool) -> Kind | None:  # noqa: C901, PLR0911, PLR0912 -- one question after the other, the surest first
    digits, count = number.digits, len(number.digits)
    if coded:
        return None
    said = cue.meaning if cue else None
    if cue and cue.meaning == "other" and cue.beside:
        return None
    if start and text[start - 1] in "#$¥￥":
        return None
    if text[end : end + 1] == "%" or text[end : end + 1] in ("元", "件", "个"):
        return None
    # 1. Forms with check digits or places and dates.
    if count == 18 and formats.is_resident_id(digits):
        return "resident_id"
    if count == 16:
        if said == "kk":
            return "kk"
        if said == "nik":
            return "nik"
        if said == "npwp":
            return "npwp"
    if count >= 12 and said == "bank_card" and (formats.is_card(digits) or count in (15, 16, 18, 19)):
        return "bank_card"
    if (
        count == 16
        and formats.is_nik(digits)
        and not (number.shape == (4, 4, 4, 4) and formats.is_card(digits))
    ):
        return "nik"
    if count == 15 and (number.shape == (2, 3, 3, 1, 3, 3) or (said == "npwp")):
        return "npwp"
    if count >= 8 and said == "bank_account" and not number.plus and count <= 19 and not _is_date(number):
        return "bank_card" if formats.is_card(digits) and count >= 15 else "bank_account"
    if (
        count >= 12
        and said not in ("waybill", "other")
        and formats.is_card(digits)
        and not _looks_like_ean(digits)
        and not (count == 12 and number.plus)
    ):
        return "bank_card"
    if said == "resident_id" and (count == 18 or (count == 15 and formats.is_old_resident_id(digits))):
        return "resident_id"
    # 2. What the words beside it say.
    if (
        said == "otp"
        and cue
        and 4 <= count <= 8
        and len(number.shape) <= 2
        and (cue.beside or not _is_year(number))
    ):
        return "otp"
    if said == "qq" and 5 <= count <= 11 and cue and cue.beside:
        return "qq"
    if said == "waybill" and 8 <= count <= 20 and not _is_date(number):
        return "waybill"
    if said == "passport" and 8 <= count <= 9 and len(number.shape) == 1:
        return "passport"
    # 3. Telephones.
    if 7 <= count <= 19 and _is_phone(number, told=said == "phone"):
        return "phone"
    # 4. A code whose words come after it.
    if 4 <= count <= 8 and len(number.shape) <= 2 and not _is_year(number) and announced_after(text, end):
        return "otp"
    return None


def _is_year(number: _Number) -> bool:
    return number.shape == (4,) and number.digits[:2] in _YEARS


def _is_date(number: _Number) -> bool:
    """Whether the first three groups are a day: 2026-01-05, 05-01-2026 08."""
    if len(number.shape) < 3:
        return number.shape == (8,) and number.digits[:2] in _YEARS and formats.is_date(int(number.digits[6:8]), int(number.digits[4:6]))  # fmt: skip
    one, two, three = number.shape[:3]
    if one == 4 and two <= 2 and three <= 2 and number.digits[:2] in _YEARS:
        return True
    return one <= 2 and two <= 2 and three == 4 and number.digits[one + two : one + two + 2] in _YEARS


def _is_sum(number: _Number) -> bool:
    """Groups of three behind the first, as sums of money are written."""
    return (
        len(number.shape) > 1
        and set(number.glue) <= {"."}
        and number.shape[0] <= 3
        and set(number.shape[1:]) == {3}
        and number.digits[0] != "0"
    )


def _looks_like_ean(digits: str) -> bool:
    """A bar code of EAN-13: its own check digit, which a card does not have."""
    return len(digits) == 13 and (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


def _is_phone(number: _Number, *, told: bool) -> bool:  # noqa: C901, PLR0911, PLR0912 -- one numbering plan after the other
    digits, shape, count = number.digits, number.shape, len(number.digits)
    if number.plus:
        if digits.startswith("62"):
            return 9 <= count <= 15
        if digits.startswith("86"):
            return 11 <= count <= 14
        return 8 <= count <= 15 and digits[0] != "0" and not _is_sum(number)
    if _is_date(number) or _is_sum(number):
        return False
    if digits.startswith("00") and count >= 11 and digits[2:4] in ("62", "86"):
        return digits[4:5] in ("8", "2", "3") if digits[2:4] == "62" else formats.is_cn_mobile(digits[4:])
    even = _is_even(shape)
    if digits.startswith("0"):
        if formats.is_id_mobile(digits[1:]) and (even or shape[0] >= 3):
            return True
        if number.bracket and 9 <= count <= 12:
            return True
        if formats.is_cn_landline(digits) or formats.is_id_landline(digits):
            return told or (len(shape) > 1 and 3 <= shape[0] <= 4) or (len(shape) == 1 and digits[:3] in ("021", "022", "024", "031", "010"))  # fmt: skip
        return told and 8 <= count <= 13
    if digits.startswith("62") and count <= 14 and formats.is_id_mobile(digits[2:]):
        return even or shape[0] in (2, 5) or told
    if digits.startswith("86") and formats.is_cn_mobile(digits[2:]):
        return even or shape[0] in (2, 5) or told
    if count == 11 and formats.is_cn_mobile(digits):
        return even or shape in ((3, 8), (7, 4), (3, 3, 5), (5, 6), (4, 7), (3, 5, 3))
    if count == 15 and shape[:1] == (11,) and formats.is_cn_mobile(digits[:11]) and len(shape) == 2:
        return True
    if shape in ((3, 3, 4), (1, 3, 3, 4)) and number.glue.replace(" ", ""):
        return shape[0] == 3 or digits[0] == "1"
    if told and digits[0] == "8" and formats.is_id_mobile(digits):
        return True
    return told and 7 <= count <= 13 and len(shape) <= 4


def _is_even(shape: tuple[int, ...]) -> bool:
    """Whole, or in groups of one to five of which none is much longer than the others: how people split a number."""
    return len(shape) == 1 or max(shape) <= 5 or all(length <= 2 for length in shape[:-1])
