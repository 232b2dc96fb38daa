"""Personal values that are made of letters and digits: addresses of mail, waybills, plates, passports, WeChat ids, IBANs,
numbers spelled in words, and dates of birth.

Promise: each pattern is one that its issuer publishes or that people write; where such a form is also that of a product
code, a word beside it has to announce it.
"""

from __future__ import annotations

import re
from typing import Final

from shopward.scrubber import formats
from shopward.scrubber.cues import cue_before
from shopward.scrubber.gazetteer import words
from shopward.scrubber.kinds import Span
from shopward.scrubber.trie import any_of

_MAIL: Final = re.compile(
    r"[A-Za-z0-9._%+\-]{1,64} ?@ ?[A-Za-z0-9\-]{1,63}(?:(?:\.| \. )[A-Za-z0-9\-]{2,63}){1,4}"
)
_MAIL_WORDS: Final = re.compile(
    r"[A-Za-z0-9._%+\-]{2,64} ?[\[({] ?at ?[\])}] ?[A-Za-z0-9\-]{2,63}(?: ?(?:\.|[\[({] ?dot ?[\])}]) ?[A-Za-z]{2,20}){1,3}",
    re.IGNORECASE,
)
_LETTERED: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,6}-?\d[A-Z0-9]{5,18}(?![A-Za-z0-9])", re.IGNORECASE)
_WAYBILL: Final = re.compile(
    r"SF-?\d{12,15}|YT-?\d{13}|JT-?\d{12,13}|JTE?\d{12}|(?:ZTO|STO|YD|DPK|JDV[A-Z]|JDX?|JDK|LP|JYM|ZJS|UC)-?\d{11,15}"
    r"|(?:JP|JX|JD|JB|JZ|JO|JS|JT)\d{10}|SPX(?:ID|CN|MY|TH)?\d{9,15}[A-Z0-9]{0,4}|(?:TLJR|TLJN|TLJC|TLJX|CGK|JNAP|CM|TJR)\w{0,4}\d{8,14}|"
    r"NLIDA?P?\d{8,14}|NVID\w{6,14}|IDE\d{9,13}|IDS\d{9,13}|LXAD\d{8,14}|LXRP\d{8,14}|TKP\d{2}-?[A-Z0-9]{6,10}|TSA-?\d{8,12}|"
    r"1Z[A-Z0-9]{16}|\d\dLP\d{10,14}|RC\d{10}[A-Z]{0,2}|SAP\d{9,12}|GK-\d{2}-\d{6,9}"
)
_SOME_WAYBILL: Final = re.compile(r"[A-Z]{1,6}-?\d{6,18}[A-Z]{0,3}")
_S10: Final = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_PASSPORT: Final = re.compile(r"[A-Z]{1,2}-?\d{6,8}")
_CN_PLATE: Final = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-Z][ ·•.\-]?"
    r"(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳领]|[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF])(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ID_PLATE: Final = re.compile(
    r"(?<![A-Za-z0-9.\-])([A-Z]{1,2})([ \-]?)(\d{1,4})([ \-]?)([A-Z]{1,3})(?![A-Za-z0-9])"
)
_ID_REGIONS: Final = words("plate-regions-id")
_UNITS: Final = words("units")
_WECHAT: Final = re.compile(
    r"(?:微信号?|微訊|薇信|威信|加微|vx|v信|wx|weixin|wechat)(?P<mark>[\s:：号為为是]*(?:id)?[\s:：是]*)(?P<id>[A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_WXID: Final = re.compile(r"(?<![A-Za-z0-9])wxid_[a-z0-9]{8,20}", re.IGNORECASE)
_IBAN: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_HAN_DIGITS: Final = re.compile(
    "[零〇○一二三四五六七八九两幺壹贰叁肆伍陆柒捌玖](?:[ ,、-]?[零〇○一二三四五六七八九两幺壹贰叁肆伍陆柒捌玖]){6,19}"
)
_HAN_VALUES: Final = str.maketrans(
    "零〇○一幺壹二两贰三叁四肆五伍六陆七柒八捌九玖", "00011122233445566778899", " ,、-"
)
_SPELLED_WORDS: Final = {
    "nol": "0", "kosong": "0", "satu": "1", "dua": "2", "tiga": "3", "empat": "4", "lima": "5", "enam": "6", "tujuh": "7",
    "delapan": "8", "lapan": "8", "sembilan": "9", "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_SPELLED: Final = re.compile(
    rf"\b{any_of(_SPELLED_WORDS)}(?:[\s,\-]+{any_of(_SPELLED_WORDS)}){{3,19}}\b", re.IGNORECASE
)
_MONTHS: Final = r"(?:jan|feb|mar|apr|mei|may|jun|jul|agu|aug|agt|ags|sep|okt|oct|nov|nop|des|dec)[a-z]*"
_DATE: Final = re.compile(
    rf"(?<![0-9])(?:(?:19|20)\d\d ?[\-/.年] ?\d{{1,2}} ?[\-/.月] ?\d{{1,2}} ?[日号]?|(?:19|20)\d\d年\d{{1,2}}月|\d{{1,2}} ?[\-/.] ?\d{{1,2}} ?[\-/.] ?(?:(?:19|20)\d\d|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ \-](?:of )?{_MONTHS}[ ,\-]+(?:19|20)?\d\d|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d)(?![0-9])",
    re.IGNORECASE,
)
_BORN_AFTER: Final = re.compile(r"[ ,]?(?:出生|生(?![产鲜成效])|的生日|日?生人)")
_FULL_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def mail(text: str, found: list[Span]) -> None:
    """Add addresses of mail; the caller has seen an ``@`` or a bracketed ``at``."""
    for pattern in (_MAIL, _MAIL_WORDS):
        for match in pattern.finditer(text):
            start = match.start()
            while text[start] in ".-":
                start += 1
            found.append(Span(start, match.end(), "email"))


def lettered(text: str, found: list[Span]) -> None:
    """Add waybills, passports, IBANs and plates of Indonesia; the caller has seen digits and letters."""
    for match in _LETTERED.finditer(text):
        value = match.group().upper()
        if _WAYBILL.fullmatch(value) or (_S10.fullmatch(value) and formats.is_s10(value)):
            if (cue := cue_before(text, match.start())) is None or not (
                cue.meaning == "other" and cue.beside
            ):
                found.append(Span(match.start(), match.end(), "waybill"))
            continue
        cue = cue_before(text, match.start())
        if cue is None:
            continue
        if cue.meaning == "passport" and _PASSPORT.fullmatch(value):
            found.append(Span(match.start(), match.end(), "passport"))
        elif cue.meaning == "waybill" and _SOME_WAYBILL.fullmatch(value):
            found.append(Span(match.start(), match.end(), "waybill"))
    found += [
        Span(match.start(), match.end(), "bank_account")
        for match in _IBAN.finditer(text)
        if formats.is_iban(match.group().replace(" ", ""))
    ]
    for match in _ID_PLATE.finditer(text):
        region, first, digits, second, letters = match.groups()
        cue = cue_before(text, match.start())
        if (cue is not None and cue.meaning == "plate") or (
            region in _ID_REGIONS
            and letters not in _UNITS
            and (len(digits) == 4 or (len(digits) == 3 and len(letters) >= 2))
            and first == second
            and first != "-"
            and (cue is None or not (cue.meaning == "other" and cue.beside))
        ):
            found.append(Span(match.start(), match.end(), "plate"))


def han_plates(text: str, found: list[Span]) -> None:
    """Add plates of China; the caller has seen Han characters and digits."""
    found += [
        Span(match.start(), match.end(), "plate")
        for match in _CN_PLATE.finditer(text)
        if sum(map(str.isdigit, match.group())) >= 2
    ]


def wechat(text: str, found: list[Span]) -> None:
    """Add WeChat ids; the Latin words for it need a mark or a digit behind them, as in ``wechat id: li_2020``."""
    for match in _WECHAT.finditer(text):
        value, mark = match["id"], match["mark"].strip()
        if match.group()[0] in "微薇威加" or mark or any(map(str.isdigit, value)) or "_" in value:
            found.append(Span(match.start("id"), match.end("id"), "wechat"))
    found += [Span(match.start(), match.end(), "wechat") for match in _WXID.finditer(text)]


def spelled(text: str, found: list[Span]) -> None:
    """Add numbers that are spelled digit by digit in words or Han numerals."""
    for match in _HAN_DIGITS.finditer(text):
        digits = match.group().translate(_HAN_VALUES)
        cue = cue_before(text, match.start())
        if formats.is_cn_mobile(digits) or (len(digits) >= 7 and cue is not None and cue.meaning == "phone"):
            found.append(Span(match.start(), match.end(), "phone"))
    for match in _SPELLED.finditer(text):
        digits = "".join([_SPELLED_WORDS[word] for word in re.findall(r"[a-z]+", match.group().lower())])
        cue = cue_before(text, match.start())
        if len(digits) >= 9:
            found.append(Span(match.start(), match.end(), "phone"))
        elif cue is not None and cue.meaning == "otp":
            found.append(Span(match.start(), match.end(), "otp"))


def births(text: str, found: list[Span]) -> None:
    """Add dates that the words around them call somebody's birth."""
    for match in _DATE.finditer(text):
        cue = cue_before(text, match.start())
        if (cue is not None and cue.meaning == "birth_date") or (
            _FULL_YEAR.search(match.group()) and _BORN_AFTER.match(text, match.end())
        ):
            found.append(Span(match.start(), match.end(), "birth_date"))
