"""Names of persons by gazetteer and by the words that announce them.

Promise: in Latin letters a name is a row of capitalised words of which one is a known name, an Indonesian name by its
ending beside another word, or announced ("Ibu", "atas nama", "Mr"); in Han it is a surname of the gazetteer with a given
name that stands free or is announced. Words that are names and everything else too (Indah, Mega, 高兴, 方便) need an
announcement. Firms, streets and places are left alone where a word says that they are such.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile
from typing import Final

from shopward.scrubber.gazetteer import words
from shopward.scrubber.kinds import Span

_WORD: Final = r"[A-Z][a-z'’]+[A-Za-z]*|[A-Z]{2,}"
_ROW: Final = re.compile(
    rf"(?<![A-Za-z0-9@_./])(?:{_WORD})(?:[ \-]{{1,2}}(?:(?:{_WORD}|[A-Z]\.?)(?![A-Za-z0-9@]))){{0,5}}"
)
_TOKEN: Final = re.compile(r"[A-Za-z'’]+")
_ENDING: Final = re.compile(
    r"[a-z]{2,}(?:wati|anto|yanto|arto|yanti|yono|tono|ningsih|ingrum|astuti|uddin|udin|ullah|ansyah|syah|sari|yadi|"
    r"wijaya|kusum[ao]|putra|putri|nuraini|idayat|uliarti|iyah|arsa|imah|setiawan|irawan|nawan|mawan)$"
)
_ANNOUNCED: Final = re.compile(
    r"(?:\b(?:bapak|ibu|bpk|pak|bu|sdr|sdri|saudara|saudari|kak|kakak|mas|mbak|tuan|nyonya|nona|mr|mrs|ms|miss|nama saya|"
    r"nama lengkap|nama penerima|nama pengirim|nama|atas nama|a\.n|a/n|penerima|pengirim|pemesan|my name is|name|recipient|receiver|attn|yth)\.?[ :]{1,3})$",
    re.IGNORECASE,
)
_LOWER_ANNOUNCED: Final = re.compile(
    r"\b(?:nama (?:saya|penerima|pengirim|lengkap|pemesan|pembeli)|atas nama|a\.n\.?|penerima|my name is|name is|a/n)[ :]{1,3}((?:[a-z'’]{3,}[ ]?){1,3})"
)
_FIRM_BEFORE: Final = re.compile(
    r"\b(?:pt|cv|ud|pd|toko|bank|hotel|universitas|sd|smp|sma|smk|rs|rumah sakit|jl|jln|jalan|gg|gang|kota|kabupaten|masjid|gereja|pasar|"
    r"stasiun|bandara|terminal|mall|plaza|kec|kel|desa)\.? ?$",
    re.IGNORECASE,
)
_DEGREE: Final = re.compile(
    r",? ?(?:S\.|M\.|Dr\.|Ph\.?D|A\.Md|Sp\.|Tbk)[A-Za-z.]*(?:,? (?:S\.|M\.)[A-Za-z.]+)*"
)
_TITLES: Final = words("titles")
_TITLE_BEFORE: Final = re.compile(
    r"(?:\b(?:drs|dra|drg|dr|dt|ir|hj|kh|k\.h|prof|r\.ay|r\.a|r\.m|rm|h)\. ?)+$", re.IGNORECASE
)
_H: Final = "[\u4e00-\u9fff]"
_HAN_CUE: Final = (
    "(?:收件人|收货人|收貨人|寄件人|联系人|聯繫人|姓名|名字叫|名字是|名字|我叫|我是|本人|叫做|叫|户名|戶名|持卡人|开户名|收款人|付款人|客户|顾客|用户|会员|买家|"
    "经办人|申请人|投保人|签收人|请联系|联系|致电|转告|通知|麻烦|请找|找|给|由|和|与|跟|向|对|@)(?:是|为|叫|:|：|,|，| )*"
)
_HAN_TITLE: Final = "(?:先生|女士|小姐|太太|老师|同学|师傅|经理|医生|总|阿姨|叔叔|哥|姐)"
_HAN_END: Final = (
    "(?=$|[^\u4e00-\u9fff]|的|在|是|于|說|说|要|想|已|买|下单|购|收到|申请|投诉|反馈|签收|来电|电话|手机|联系|住|和|与|跟|给|把|被|身份|地址|本人|"
    "先生|女士|小姐|老师|您|你|生于|出生|今天|昨天|刚|没|未|也|都|请|需要|表示|将|会|去|到|从|向|发|寄|退|换|付|转)"
)


@cache
def _latin() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Known names, names that are words too, and words that open a sentence and are no names."""
    ambiguous = words("names-ambiguous")
    return words("names-latin") - ambiguous, ambiguous, words("ordinary-words")


@cache
def _han() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str], frozenset[str]]:
    """Names that stand free, names that are announced, given-name characters, words that look like names."""
    surnames = words("surnames-han")
    double = "|".join(sorted(word for word in surnames if len(word) == 2))
    single = "".join(sorted(word for word in surnames if len(word) == 1))
    given = words("given-han")
    surname = f"(?:{double}|[{single}])"
    chosen = "[" + "".join(sorted(given)) + "]"
    free = re.compile(f"({surname}{chosen}{{1,2}}){_HAN_END}")
    told = re.compile(f"{_HAN_CUE}({surname}{_H}{{1,2}}?){_HAN_END}|({surname}{_H}{{0,2}}?){_HAN_TITLE}")
    return free, told, words("surnames-that-open-words"), words("words-han")


def han_names(text: str, found: list[Span]) -> None:
    """Add names in Han characters."""
    free, told, risky, ordinary = _han()
    for match in told.finditer(text):
        name, group = (match[1], 1) if match[1] else (match[2], 2)
        if name not in ordinary and name[:2] not in ordinary and (len(name) > 1 or name not in risky):
            found.append(Span(match.start(group), match.end(group), "name"))
    at = 0
    while (alone := free.search(text, at)) is not None:
        name, start = alone[1], alone.start(1)
        at = start + 1
        if len(name) == 2 and name[0] in risky:
            continue
        if name in ordinary or name[:2] in ordinary or name[1:] in ordinary:
            continue
        before = text[max(0, start - 1) : start]
        if before and (text[start - 1 : start + 1] in ordinary or text[start - 2 : start + 1] in ordinary):
            continue
        if (
            before
            and "\u4e00" <= before <= "\u9fff"
            and before not in "是叫给和与跟由向找到为让请的对在了于，。人户名系"
        ):
            continue
        found.append(Span(start, alone.end(1), "name"))
        at = alone.end(1)


def latin_names(text: str, found: list[Span]) -> None:  # noqa: C901, PLR0912 -- one question after the other
    """Add names in Latin letters."""
    known, ambiguous, ordinary = _latin()
    for row in _ROW.finditer(text):
        tokens = [(part.start() + row.start(), part.end() + row.start(), part.group().lower()) for part in _TOKEN.finditer(row.group())]  # fmt: skip
        while tokens and tokens[0][2] in ordinary and tokens[0][2] not in _TITLES:
            tokens.pop(0)
        while tokens and tokens[0][2] in _TITLES:
            tokens.pop(0)
        for at, token in enumerate(tokens):
            if at and token[2] in ordinary:
                del tokens[at:]
                break
        if not tokens or (len(tokens) == 1 and len(tokens[0][2]) < 3):
            continue
        start, end = tokens[0][0], tokens[-1][1]
        row_words = [word for _start, _end, word in tokens]
        strong = sum(word in known for word in row_words)
        ended = sum(
            len(word) >= 5 and word not in ambiguous and _ENDING.match(word) is not None for word in row_words
        )
        weak = ended + sum(word in ambiguous for word in row_words)
        if not strong and not weak and len(row_words) > 3:
            continue
        before = text[max(0, start - 24) : start]
        if _FIRM_BEFORE.search(before):
            continue
        degree = _DEGREE.match(text, end)
        title = _TITLE_BEFORE.search(before)
        told = _ANNOUNCED.search(before) is not None
        if (
            strong
            or (ended and len(row_words) > 1)
            or ((told or title) and (weak or not _is_shout(row_words, ordinary)))
        ):
            if title:
                start -= len(title.group())
            found.append(Span(start, degree.end() if degree else end, "name"))
    if "nam" in text or "penerima" in text or "a.n" in text or "a/n" in text:
        for match in _LOWER_ANNOUNCED.finditer(text):
            spoken = list(takewhile(lambda word: word not in ordinary, match[1].split()))
            if any(word in known or word in ambiguous for word in spoken):
                found.append(Span(match.start(1), match.start(1) + len(" ".join(spoken)), "name"))


def _is_shout(spoken: list[str], ordinary: frozenset[str]) -> bool:
    """Whether a row of capitals is ordinary words."""
    return all(word in ordinary for word in spoken)
