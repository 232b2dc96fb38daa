"""Masks: what is shown of a personal value to somebody who has no need of it.

Promise: a mask never shows more than its rule says, whatever the value looks like; of a value that does not have its usual
shape nothing is shown. Stars stand in a fixed number, so that they do not tell a length.

Two styles. ``screen`` is for pages of staff. ``waybill`` is for parcels under GB/T 41833-2022 (privacy of express
waybills): at least one Han character of a name, six digits of a telephone number, and building, unit and room of an address
are hidden, and the rest is what a courier needs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Style = Literal["screen", "waybill"]
STYLES: Final = ("screen", "waybill")
HIDDEN: Final = "***"
_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_DIGITS: Final = re.compile(r"\d")
_COMPOUND: Final = re.compile(
    "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|宇文|长孙|端木|轩辕|南宫|独孤"
)
_EMAIL: Final = re.compile(r"([^@\s])[^@\s]*@([^@\s]+\.[^@\s]+)")
_BIRTH: Final = re.compile(r"(\d{4})-\d{2}-\d{2}")
_COUNTRY: Final = re.compile(r"\+(62|86|1|7|[2-9]\d)")
_HAN_REGION: Final = re.compile(
    r"^.{0,40}?(?:特别行政区|自治区|省|市|县|区|旗|镇|乡)+(?=[^省市县区旗镇乡]*$)"
)
_HAN_ROOM: Final = re.compile(
    r"[0-9\uff10-\uff19A-Za-z一二三四五六七八九十百-]+(?=号楼|号院|单元|栋|幢|座|室|层|楼|号|房|弄)"
)
_LATIN_ROOM: Final = re.compile(
    r"(?i)\b(no|nomor|unit|apt|apartment|suite|room|rm|flat|blok|block|lantai|lt|floor|rt|rw|kav|tower)\b[.\s/#]*[0-9A-Za-z]+"
)


def masked(rule: str, value: str, style: Style = "screen") -> str:
    """What is shown of ``value``, a value of the kind that ``rule`` names; the empty value stays empty."""
    if not value:
        return ""
    mask = _WAYBILL.get(rule) if style == "waybill" else None
    return (mask or _SCREEN[rule])(value)


def _name(value: str) -> str:
    """Of a Han name the surname; of another one the first letter of each of its first three words."""
    if _HAN.match(value):
        shown = value[:2] if _COMPOUND.match(value) and len(value) > 2 else value[:1]
        return shown + "**"
    return " ".join(word[0] + HIDDEN for word in value.split()[:3])


def _phone(value: str) -> str:
    """The country, and the last four digits of a number that has at least nine."""
    digits = _DIGITS.findall(value)
    country = _COUNTRY.match(value)
    shown = "".join(digits[-4:]) if len(digits) >= 9 else ""
    return (country[0] if country else "") + "****" + shown


def _phone_of_waybill(value: str) -> str:
    """The first three and the last two digits; at least six between them are hidden."""
    digits = "".join(_DIGITS.findall(value))
    national = re.sub(r"^(62|86)(?=\d{9,})", "", digits)
    return f"{national[:3]}******{national[-2:]}" if len(national) >= 11 else "******" + national[-2:]


def _email(value: str) -> str:
    match = _EMAIL.fullmatch(value)
    return f"{match[1]}{HIDDEN}@{match[2]}" if match else HIDDEN


def _street(value: str) -> str:
    """The region where one stands before it; nothing of street and house."""
    region = _HAN_REGION.match(value)
    return (region[0] if region else "") + HIDDEN


def _street_of_waybill(value: str) -> str:
    """Building, unit and room are hidden, and every number that stands alone."""
    if _HAN.search(value):
        return re.sub(r"\d+", "*", _HAN_ROOM.sub("*", value))
    return re.sub(r"\d+", "*", _LATIN_ROOM.sub(lambda match: f"{match[1]} *", value))


def _number(value: str) -> str:
    """Two characters at each end of a number of identity of at least eight."""
    bare = re.sub(r"[\s.-]", "", value)
    return f"{bare[:2]}{HIDDEN}{bare[-2:]}" if len(bare) >= 8 else HIDDEN


def _last4(value: str) -> str:
    bare = re.sub(r"[\s-]", "", value)
    return "****" + (bare[-4:] if len(bare) >= 10 else "")


def _birth_date(value: str) -> str:
    match = _BIRTH.fullmatch(value)
    return f"{match[1]}-**-**" if match else HIDDEN


def _hidden(_value: str) -> str:
    return HIDDEN


def _plain(value: str) -> str:
    return value


_SCREEN: Final[dict[str, Callable[[str], str]]] = {
    "name": _name, "phone": _phone, "email": _email, "street": _street, "number": _number, "card": _last4,
    "waybill": _last4, "birth_date": _birth_date, "handle": lambda value: value[:1] + HIDDEN, "text": _hidden,
    "plain": _plain,
}  # fmt: skip
_WAYBILL: Final[dict[str, Callable[[str], str]]] = {
    "phone": _phone_of_waybill, "street": _street_of_waybill, "waybill": _plain, "email": _hidden,
}  # fmt: skip
RULES: Final = tuple(_SCREEN)
