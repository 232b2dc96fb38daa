"""Postal addresses in three languages.

Promise: an address is found by what only addresses have: a word for a street or quarter with a name or a number behind
it, RT/RW, a Chinese road with a house number or a province before it, an English house number with a street's word. It
reaches to the postcode where one follows. A city or a province alone is no address.
"""

from __future__ import annotations

import re
from typing import Final

from shopward.scrubber.kinds import Span

_CAPITAL: Final = r"[A-Z0-9][\w'’./\-]*"
_ID_STREET: Final = r"(?:Jl|Jln|Jalan|Gg|Gang|Komplek|Kompleks|Komp|Perumahan|Perum|Perumnas|Dusun|Dsn|Kampung|Kp|Desa|Ds|Apartemen|Apt|Rusun|Ruko|Cluster)"
_ID_PART: Final = (
    r"(?:No(?:mor)?\.? ?\d+ ?[A-Z]?\b|Nomor \d+\w*|RT\.? ?\d{1,3}|RW\.? ?\d{1,3}|Blok [A-Z0-9]+|Kav\.? ?\w+|Lt\.? ?\d+|Lantai \d+|Unit \w+|"
    r"(?:Kel|Kec|Kab|Kelurahan|Kecamatan|Kabupaten|Kota|Desa|Ds|Dusun|Prov|Provinsi|Tower|Dekat)\.? [A-Z]\w+(?: [A-Z]\w+){0,2}|"
    r"(?:[A-Z][A-Za-z\-]+)(?: [A-Z][A-Za-z\-]+){0,3}|\d{5})"
)
_ID: Final = re.compile(
    rf"(?<![A-Za-z])(?:{_ID_STREET}\.?|{_ID_STREET.upper()}\.?)(?: |(?<=\.)){_CAPITAL}(?: {_CAPITAL}){{0,7}}(?:[,.]?[ \n,/]{{0,2}}{_ID_PART}){{0,10}}"
)
_ID_LOWER: Final = re.compile(
    r"(?<![a-z])(?:jl|jln|jalan|gg|gang|komplek|kompleks|perumahan|perum|dusun|kampung|kp|desa)\.? ?[a-z][a-z.' ]{2,40}? ?,? ?(?:no|nomor|blok|kav)\.? ?\d*\w{1,5}"
    r"(?:[, ]+(?:rt|rw)[ ./]*\d{1,3}(?:[ ./]*rw[ ./]*\d{1,3})?|[, ]+(?:kel|kec|kab|kelurahan|kecamatan|kota)\.? ?[a-z]+|,? ?(?<![0-9])\d{5}(?![0-9]))*",
    re.IGNORECASE,
)
_RT_RW: Final = re.compile(
    r"(?<![A-Za-z])RT[. ]{0,2}\d{1,3}[ ,/.\-]{0,3}RW[. ]{0,2}\d{1,3}(?:[, ]+(?:Kel|Kec|Kab|Kelurahan|Kecamatan|Kota|Desa)\.? ?\w+){0,4}",
    re.IGNORECASE,
)
_PROVINCE: Final = (
    r"(?:北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|"
    r"青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?"
)
_H: Final = "[\u4e00-\u9fff]"
_ROAD: Final = "(?:路|街|大道|道|巷|弄|胡同|条|里|村|屯|园|苑|庄|小区|花园|新村|公寓|家园|广场|大厦|中心|城|府|湾|院|镇|坊|区)"
_N: Final = r"[0-9A-Za-z一二三四五六七八九十百甲乙丙丁东西南北之\-]{1,8}"
_TAIL: Final = rf"(?:{_N} ?(?:号楼|号院|号|號|弄|巷|栋|幢|座|单元|室|楼|层|房|院|户|组)[ ,]?)"
_STOP: Final = (
    "(?:地址|住址|寄到|送到|发到|寄往|送往|发往|收货|住在|位于|家在|改成|改为|改到|是|在|到|为|至|往|从)"
)
_CN: Final = re.compile(
    rf"(?:{_PROVINCE}(?:{_H}{{1,8}}?(?:市|区|县|旗|州|盟|镇|乡|街道)){{0,3}}{_H}{{0,12}}?{_ROAD}(?:[ ,]?{_TAIL}|{_H}{{1,10}}?{_ROAD}){{0,6}}(?:[ ,]?{_N}(?:号|室))?"
    rf"|(?:{_H}{{2,5}}?(?:市|区|县|旗|镇|乡|街道)){{1,3}}{_H}{{1,8}}?{_ROAD}(?:{_H}{{0,6}}?{_TAIL}){{1,4}}"
    rf"|{_H}{{2,10}}?{_ROAD}(?:{_H}{{0,8}}?{_TAIL}){{1,5}})"
    r"(?:[ ,，]*(?:邮编)?[ :：]?\d{6}(?!\d))?"
)
_LEADING: Final = re.compile(rf".*{_STOP}(?=.{{3}})")
_ROOM: Final = re.compile(
    rf"{_H}{{0,10}}[0-9]{{1,4}}(?:栋|幢|座|号楼)[ ]?(?:[0-9一二三四]{{1,2}}单元)?[ ]?[0-9A-Z]{{2,5}}(?:室|号|房)?"
)
_EN: Final = re.compile(
    r"(?<![\w.])\d{1,6}[A-Z]? (?:(?:[NSEW]|North|South|East|West)\.? )?(?:[A-Z][\w.'’\-]* ){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|"
    r"Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Close|Crescent|Parkway|Pkwy|Highway|Hwy|Circle|Trail|Dam|Underpass|Centers?|Mews|Row)\b\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|#)\.? ?#?\w{1,6})?(?:,? [A-Z][a-z]+(?: [A-Z][a-z]+){0,2})?(?:,? [A-Z]{2}(?: \d{5}(?:-\d{4})?)?)?(?:,? \d{5,6}(?!\d))?"
)
_CN_HINT: Final = re.compile(
    "[路街道巷弄村园苑区镇里院厦城庄][0-9A-Za-z一-龥 ,]{0,9}[号號栋幢座室楼弄]|省|市|自治区"
)
_ROOM_HINT: Final = re.compile("[0-9](?:栋|幢|座|号楼)")
_ON_THE_WAY: Final = re.compile(
    r"(?:Jalan|Gang|Desa|Kampung)(?:-| (?:Tol|Macet|Raya\b(?! [A-Z0-9])|Ke|Dulu)\b)"
)


def indonesian(text: str, found: list[Span], *, digits: bool) -> None:
    """Add addresses of Indonesia; the caller has seen a word for a street or quarter."""
    streets = [match for match in _ID.finditer(text) if not _ON_THE_WAY.match(match.group())]
    found += [Span(match.start(), match.end(), "address") for match in streets]
    if digits:
        for pattern in (_ID_LOWER, _RT_RW):
            found += [Span(match.start(), match.end(), "address") for match in pattern.finditer(text)]


def english(text: str, found: list[Span]) -> None:
    """Add addresses as English writes them; the caller has seen a digit."""
    found += [Span(match.start(), match.end(), "address") for match in _EN.finditer(text)]


def chinese(text: str, found: list[Span]) -> None:
    """Add addresses of China; the caller has seen Han characters."""
    if _CN_HINT.search(text) is None and _ROOM_HINT.search(text) is None:
        return
    for match in _CN.finditer(text):
        start, value = match.start(), match.group()
        led = _LEADING.match(value[:24])
        if led is not None and not re.match(_PROVINCE, value):
            start += led.end()
        if (
            any(map(str.isdigit, value))
            or re.match(_PROVINCE, text[start : match.end()])
            or re.search(f"{_TAIL}", value)
        ):
            found.append(Span(start, match.end(), "address"))
    if not any(span.kind == "address" for span in found):
        found += [Span(match.start(), match.end(), "address") for match in _ROOM.finditer(text)]
