"""Decoys: orders that nobody placed and that look like anybody's, in Indonesian, Chinese and English.

Promise: a decoy follows from its seed, so that whoever hands over randomness gets another one each time and a test the same.
Its phone lies in a pool of numbers that the shop owns and its mail in a domain of the shop's, so nobody real is named; the rest
is as frequent as real names and streets are. ``like`` writes an id in the shape of the shop's own.

It does not imitate the shop's own mix of goods and regions: ask for as many of each region as there are orders from it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIX: Final = re.compile(r"\+?\d{5,12}")
_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9.\-]{1,120}\.[a-z]{2,24}")


class _Place(NamedTuple):
    province: str
    city: str
    district: str
    postcode: str


class _Language(NamedTuple):
    """What decoys of a region are made of; ``digits`` is the length of a telephone number with its country."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    places: tuple[_Place, ...]
    streets: tuple[str, ...]
    address: str
    waybills: tuple[str, ...]
    digits: int


_ID: Final = _Language(
    ("Adi", "Agus", "Ayu", "Bayu", "Citra", "Dewi", "Dian", "Eko", "Fajar", "Fitri", "Gilang", "Hendra", "Indah", "Joko", "Kartika", "Lestari", "Maya", "Nanda", "Putri", "Rina", "Rizky", "Sari", "Tri", "Wahyu", "Yuni"),
    ("Hidayat", "Kusuma", "Lubis", "Maulana", "Nasution", "Permana", "Pratama", "Rahayu", "Ramadhan", "Saputra", "Setiawan", "Siregar", "Susanto", "Utami", "Wibowo", "Wijaya", "Yulianto", "Firmansyah"),
    (
        _Place("DKI Jakarta", "Jakarta Selatan", "Tebet", "12810"), _Place("DKI Jakarta", "Jakarta Barat", "Kebon Jeruk", "11530"),
        _Place("Jawa Barat", "Bandung", "Coblong", "40132"), _Place("Jawa Barat", "Bekasi", "Rawalumbu", "17114"),
        _Place("Jawa Timur", "Surabaya", "Gubeng", "60281"), _Place("Jawa Tengah", "Semarang", "Banyumanik", "50263"),
        _Place("Sumatera Utara", "Medan", "Medan Baru", "20153"), _Place("DI Yogyakarta", "Sleman", "Depok", "55281"),
    ),
    ("Anggrek", "Cempaka", "Dahlia", "Flamboyan", "Kenanga", "Mawar", "Melati", "Merpati", "Pahlawan", "Teratai"),
    "Jl. {street} No. {number}, RT {a}/RW {b}",
    ("JP", "JT", "SPXID", "TLJR"),
    13,
)  # fmt: skip
_CN: Final = _Language(
    ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "霞", "平", "刚", "桂英", "子涵", "欣怡", "浩然", "宇轩"),
    ("王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "罗", "高"),
    (
        _Place("广东省", "深圳市", "南山区", "518052"), _Place("广东省", "广州市", "天河区", "510630"),
        _Place("浙江省", "杭州市", "西湖区", "310012"), _Place("江苏省", "苏州市", "姑苏区", "215000"),
        _Place("四川省", "成都市", "武侯区", "610041"), _Place("湖北省", "武汉市", "洪山区", "430070"),
        _Place("山东省", "青岛市", "市南区", "266071"), _Place("福建省", "厦门市", "思明区", "361005"),
    ),
    ("中山路", "人民路", "建设路", "解放路", "和平路", "文化路", "新华路", "学府路"),
    "{street}{number}号{a}栋{b}室",
    ("SF", "YT", "ZTO", "JT"),
    13,
)  # fmt: skip
_EN: Final = _Language(
    ("James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Susan", "Daniel", "Karen", "Mark", "Nancy", "Grace", "Peter"),
    ("Tan", "Lim", "Lee", "Wong", "Smith", "Brown", "Taylor", "Wilson", "Clark", "Walker", "Young", "King", "Wright", "Hill"),
    (
        _Place("", "Singapore", "Bedok", "460216"), _Place("", "Singapore", "Tampines", "520148"),
        _Place("", "Singapore", "Clementi", "120325"), _Place("Selangor", "Petaling Jaya", "", "46000"),
    ),
    ("Orchid", "Garden", "Lake", "Hill", "Park", "Church", "Market", "Station"),
    "{number} {street} Road, #{a:02}-{b:02}",
    ("NV", "DHL", "JT"),
    11,
)  # fmt: skip
LANGUAGES: Final = {"ID": _ID, "CN": _CN, "SG": _EN}
"""The regions of which there are decoys."""


def check_pool(phones: str, domain: str) -> None:
    """Raise ``InvalidField`` where a pool of numbers or a domain of mail cannot be one."""
    if not _PREFIX.fullmatch(phones):
        raise InvalidField("not the beginning of numbers of yours", path="phones", expected="5 to 12 digits, such as +62851000", found="another text")  # fmt: skip
    if not _DOMAIN.fullmatch(domain):
        raise InvalidField("not a domain", path="domain", expected="a domain of yours whose mailbox takes every address", found="another text")  # fmt: skip


def decoy(seed: bytes, *, region: str, phones: str, domain: str) -> dict[str, str]:
    """The fields of an order that nobody placed.

    Args:
        seed: 16 random bytes or more; the same seed gives the same order.
        region: one of ``LANGUAGES``.
        phones: the digits with which the shop's own pool of numbers begins.
        domain: of the shop; its mailbox takes every address.
    """
    language = LANGUAGES.get(region)
    if language is None:
        raise InvalidField("no decoys of this region", path="region", expected=" or ".join(LANGUAGES), found="another word")  # fmt: skip
    draw = _drawer(seed)
    given, family = language.given[draw(len(language.given))], language.family[draw(len(language.family))]
    where = language.places[draw(len(language.places))]
    street = language.address.format(
        street=language.streets[draw(len(language.streets))],
        number=draw(180) + 1,
        a=draw(12) + 1,
        b=draw(14) + 1,
    )
    missing = max(4, language.digits - sum(each.isdigit() for each in phones))
    carrier = language.waybills[draw(len(language.waybills))]
    box = f"{given}.{family}".lower() if family.isascii() else "buyer"
    return {
        "name": family + given if region == "CN" else f"{given} {family}",
        "phone": phones + f"{draw(10**missing):0{missing}}",
        "email": f"{box}{draw(10_000)}@{domain}",
        **{name: value for name, value in where._asdict().items() if value},
        "street": street,
        "waybill": f"{carrier}{draw(10**12):012}",
        "amount": str((draw(400) + 10) * 1_000),
    }


def like(example: str, seed: bytes) -> str:
    """An id in the shape of another: its letters, other digits; a dozen digits where it has none."""
    draw = _drawer(seed)
    if not any(each.isdigit() for each in example):
        return f"{example}{draw(10**12):012}"
    return "".join(str(draw(10)) if each.isascii() and each.isdigit() else each for each in example)


def _drawer(seed: bytes) -> Callable[[int], int]:
    """Numbers below a limit, one after the other, from one seed (SHA-256 in counter mode)."""
    drawn = 0

    def draw(below: int) -> int:
        nonlocal drawn
        drawn += 1
        digest = hashlib.sha256(drawn.to_bytes(4, "big") + seed).digest()
        return int.from_bytes(digest[:16], "big") % below

    return draw
