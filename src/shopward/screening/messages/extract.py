"""What a message holds besides words: links, phones, accounts, codes, amounts, app files, messenger names.

Promise: linear in the text; things never overlap; each search is tried only where a cheap look says that it could find
something. A link is judged as it was given, since the normalised text has lost the letters that a look-alike is made of.
Placeholders of masked data (``<url>``, ``URL``, ``CELLPHONE``) count as what they mask: reported messages often come masked.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import ahocorasick

from shopward.screening.messages.characters import MARKERS
from shopward.screening.messages.normalise import normalise

THINGS_MAX: Final = 64
"""More of them in one message are left to stand as words."""
KINDS: Final = ("link", "phone", "account", "code", "amount", "app_file", "handle", "number")
MARKER_OF: Final = dict(zip(KINDS, MARKERS, strict=True))

_DOT: Final = r"(?:\.|\[\.\]|\(\.\)|\[dot\]|\(dot\)|\[titik\]|\(titik\)|\[点\])"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_ENDINGS: Final = (
    "com|net|org|info|biz|xyz|top|shop|store|online|site|club|vip|win|live|link|icu|app|dev|page|buzz|cyou|monster|click|work|"
    "fun|space|website|tech|pro|mobi|asia|cc|tv|ws|tk|ml|ga|cf|gq|cn|hk|tw|jp|kr|sg|my|th|vn|ph|in|uk|eu|de|fr|nl|it|es|pl|"
    "ru|ch|au|nz|ca|us|br|mx|za|ng|co|io|ai|gg|ly|gl|gd|ee|lc|su|pw|bid|loan|date|review|stream|download|racing|trade|id"
)
_PATH: Final = r"(?::\d{2,5})?(?:[/?#][a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%|]*)?"
_DOTTED: Final = re.compile(r"\.[a-z]")
_LINK_NEAR: Final = (
    "://",
    ": /",
    "www",
    "[.]",
    "(.)",
    "dot",
    "titik",
    "[点",
    "<url",
    "[url",
    "{url",
    "<link",
    "[link",
    "链接>",
    "链接]",
)
_LINK: Final = re.compile(
    rf"(?:h(?:tt|xx|\*\*)ps?\s?:\s?/\s?/)(?:[a-z0-9\-._~%:@\[\]()]+|[^\s/<>\"'，。！？；、）】》」]{{1,120}}){_PATH}"
    rf"|(?<![\w@.\-])www ?{_DOT} ?(?:{_LABEL} ?{_DOT} ?){{0,5}}{_LABEL}{_PATH}"
    rf"|(?<![\w@.\-])(?:{_LABEL}{_DOT}){{1,6}}(?:{_ENDINGS})(?![a-z0-9\-]|\.[a-z]){_PATH}"
    rf"|(?<![\w@.\-])(?:{_LABEL}\.){{1,6}}[a-z]{{2,18}}(?::\d{{2,5}})?/[a-z0-9\-._~:/?#@!$&'()*+,;=%|]*"
    r"|[<\[{](?:url|link|tautan|链接|网址)[>\]}]"
)
_APP: Final = re.compile(r"[\w\-. ()]{1,60}\.(?:apks?|xapk|exe|msi|scr|ipa|mobileconfig)(?!\w)")
_APP_NEAR: Final = (".apk", ".xapk", ".exe", ".msi", ".scr", ".ipa", ".mobileconfig")
_HANDLE: Final = re.compile(
    r"(?<![\w@.])@[a-z0-9_][a-z0-9_.]{2,30}"
    r"|(?:wechat|weixin|微信号?|薇信|威信|qq群?|\bvx|telegram|line id|id line|pin ?bb|\bbbm?)\s?[:：号]?\s?[a-z0-9_\-]{5,20}(?!\w)"
)
_HANDLE_NEAR: Final = (
    "@", "微信", "薇信", "威信", "wechat", "weixin", "qq", "vx", "telegram", "line id", "id line", "pin bb", "pinbb", "bb",
)  # fmt: skip
_NUMBER: Final = re.compile(
    r"(?<![\d\-])\d{1,3}(?:,\d{2,3})+(?![\d\-])|(?:\+|\()?\d(?:[\d.\-() x*]*[\dx*])?(?!\w*@)"
)
_CURRENCY: Final = re.compile(
    r"(?:\brp|\bidr|\busd|\bsgd|\bmyr|\brm|\binr|\brs|\brmb|\bcny|[£$€¥￥₹])\.?\s?$"
)
_UNIT: Final = re.compile(
    r"\s?(?:juta|jt|ribu|rb|rupiah|ringgit|dollars?|pounds?|euros?|rupees?|million|miliar|cash)(?![a-z])|\s?(?:万元|千元|元|块|万)"
)
_ACCOUNT: Final = re.compile(
    r"(?:rek(?:ening)?|norek|\ba/?n\b|bca|bri|bni|mandiri|bsi|cimb|permata|danamon|\bdana|\bovo|gopay|account|acct|a/c|iban|"
    r"账号|帐号|账户|帐户|卡号|户名|农行|工行|建行|中行|银行)[^\d\n]{0,25}$"
)
_IN_A_NAME: Final = re.compile(r"[a-z]$|[a-z][\-/#_]$")
"""What makes digits part of an order number or a name."""
_DIGIT: Final = re.compile(r"\d")
_DATE: Final = re.compile(r"(?:0?[1-9]|[12]\d|3[01])[\-.](?:0?[1-9]|1[0-2])[\-.](?:\d{2}|\d{4})")
_PHONE_SHAPE: Final = re.compile(r"\+|00|\(?0\d|628|1[3-9]\d{9}$|[48]00[\- ]")
_SPOKEN: Final = re.compile(
    r"(?:(?:nol|kosong|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|zero|oh|one|two|three|four|five|six|seven|eight|"
    r"nine|double)[\s\-.,]{0,2}){7,}"
    r"|[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,}"
)
_SPOKEN_NEAR: Final = (
    "kosong",
    "nol ",
    "delapan",
    "sembilan",
    "zero ",
    "eight ",
    "seven ",
    "nine ",
    "零",
    "〇",
    "八",
    "七",
    "九",
    "幺",
)
_MASKED_NEAR: Final = ("url", "phone", "hotline", "tel", "<hp", "[hp", "{hp", "电话", "手机")
_MASKED: Final = re.compile(
    r"(?<![A-Za-z])(?:URL(?![A-Z])|((?:CELLPHONE|PHONE|HOTLINE|TELEPHONE)(?![a-z])|[<\[{](?i:phone|tel|telp|hp|电话|手机)[>\]}]))"
)


def _nears() -> ahocorasick.Automaton:
    """What a text has to hold, normalised, before a pattern is tried on it: all of them in one pass."""
    kinds: dict[str, list[str]] = {}
    for kind, words in (
        ("masked", _MASKED_NEAR), ("app_file", _APP_NEAR), ("link", _LINK_NEAR), ("handle", _HANDLE_NEAR), ("phone", _SPOKEN_NEAR),
    ):  # fmt: skip
        for word in words:
            kinds.setdefault(word, []).append(kind)
    automaton = ahocorasick.Automaton()
    for word, named in kinds.items():
        automaton.add_word(word, tuple(named))
    automaton.make_automaton()
    return automaton


_NEAR: Final = _nears()
_TRAILING: Final = ".,;:!?)]}'\"*"


class Thing(NamedTuple):
    """Something that a message holds.

    Attributes:
        kind: one of ``KINDS``.
        start, end: in the normalised text.
        text: what is written there, normalised.
    """

    kind: str
    start: int
    end: int
    text: str


def links_in(given: str) -> list[str]:
    """The links of a message, as they were given."""
    normal = normalise(given)
    things, _ = things_in(normal.text, given, normal.places)
    spans = [normal.span(each.start, each.end) for each in things if each.kind == "link"]
    return [given[start:end].replace(" ", "") for start, end in spans]


def things_in(text: str, given: str, places: list[int] | None = None) -> tuple[list[Thing], str]:
    """What a normalised text holds, in order, and the text with a marker for each, of the same length.

    Args:
        text: normalised.
        given: as it was given; asked for placeholders in capitals.
        places: of each character of the text in it, where they are not the same.
    """
    near = {kind for _end, kinds in _NEAR.iter(text) for kind in kinds}
    found: list[Thing] = []
    if "masked" in near:
        found = _placeholders(text, given if places is None else "".join([given[place] for place in places]))
        text = _marked(text, found, 0)
    if "app_file" in near:
        text = _taken(_APP, "app_file", text, found)
    if "link" in near or _DOTTED.search(text) is not None:
        text = _taken(_LINK, "link", text, found)
    if "handle" in near:
        text = _taken(_HANDLE, "handle", text, found)
    if "phone" in near:
        text = _taken(_SPOKEN, "phone", text, found)
    before = len(found)
    if _DIGIT.search(text) is not None:
        for match in _NUMBER.finditer(text):
            if len(found) >= THINGS_MAX:
                break
            found.append(_number(match, text))
        text = _marked(text, found, before)
    if 0 < before < len(found) or before > 1:
        found.sort(key=_start)
    return found, text


def _placeholders(text: str, given: str) -> list[Thing]:
    """What stands in place of links and numbers, in a text as long as what was given."""
    return [
        Thing("phone" if each[1] else "link", *each.span(), text[each.start() : each.end()])
        for each in _MASKED.finditer(given)
    ]


def _start(thing: Thing) -> int:
    return thing.start


def _taken(pattern: re.Pattern[str], kind: str, text: str, found: list[Thing]) -> str:
    """What a pattern finds, into ``found``; the text with markers there."""
    before = len(found)
    for match in pattern.finditer(text):
        if len(found) >= THINGS_MAX:
            break
        start = match.start()
        said = match[0].rstrip(_TRAILING) if kind == "link" else match[0].rstrip()
        if kind == "link" and match[0][0] in "<[{":
            said = match[0]
        lead = len(said) - len(said.lstrip())
        found.append(Thing(kind, start + lead, start + len(said), said[lead:]))
    return _marked(text, found, before)


def _marked(text: str, found: list[Thing], since: int) -> str:
    if since == len(found):
        return text
    parts: list[str] = []
    done = 0
    for thing in found[since:]:
        parts += (text[done : thing.start], MARKER_OF[thing.kind], " " * (thing.end - thing.start - 1))
        done = thing.end
    parts.append(text[done:])
    return "".join(parts)


def _number(match: re.Match[str], text: str) -> Thing:
    """What a number is, by what stands around it and how many digits it has."""
    start, end = match.span()
    said = match[0].rstrip(" -(.,")
    end = start + len(said)
    before = text[max(0, start - 40) : start]
    digits = sum(map(str.isdigit, said))
    after = text[end : end + 9]
    kind = "number"
    if _CURRENCY.search(before[-6:]) is not None or (digits <= 9 and _UNIT.match(after) is not None):
        kind = "amount"
    elif digits >= 4 and not (_IN_A_NAME.search(before[-3:]) or _DATE.fullmatch(said)):
        is_phone = digits >= 8 and _PHONE_SHAPE.match(said) is not None
        if (
            digits >= 6
            and not (is_phone and said[:2] in ("08", "+6", "62"))
            and _ACCOUNT.search(before) is not None
        ) or digits >= 15:
            kind = "account"
        elif digits >= 8:
            kind = "phone"
        else:
            kind = "code"
    return Thing(kind, start, end, said)
