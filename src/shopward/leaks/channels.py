"""Where marks live in a row: ways of writing that change nothing for who delivers a parcel.

Promise: ``write`` gives the row back with each channel that the row has set to a bit, ``read`` gives those bits back, and
marked rows mean the same: the same street, the same number, the same person. A field that does not have a channel's form
is left as it is and read as nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STREET: Final = re.compile(r"\b(Jl\.|Jalan) (?=\S)")
_RT_RW: Final = re.compile(r"\bRT ?0?(\d{1,2})(/| )RW ?0?(\d{1,2})\b")
_COMMA: Final = re.compile(r", ?(?=\S)")
_HAN_COMMA: Final = re.compile("[,\uff0c]")
_ID_PHONE: Final = re.compile(r"(?:\+62 ?|0)(8\d{8,11})")
_CN_PHONE: Final = re.compile(r"(1\d{2}) ?(\d{4}) ?(\d{4})")
_NUMBER: Final = re.compile(r"\bNo\.? ?(\d+)")


def _street(text: str, bit: bool) -> str:  # noqa: FBT001 -- the bit is what it is about
    return _STREET.sub("Jalan " if bit else "Jl. ", text, count=1)


def _rt_rw(text: str, bit: bool) -> str:  # noqa: FBT001 -- as above
    return _RT_RW.sub(lambda found: f"RT {int(found[1]):02}/RW {int(found[3]):02}" if bit else f"RT {int(found[1])}/RW {int(found[3])}", text)  # fmt: skip


def _commas(text: str, bit: bool) -> str:  # noqa: FBT001 -- as above
    return _COMMA.sub(", " if bit else ",", text)


def _number(text: str, bit: bool) -> str:  # noqa: FBT001 -- as above
    return _NUMBER.sub(r"No. \1" if bit else r"No \1", text, count=1)


def _phone(text: str, bit: bool) -> str:  # noqa: FBT001 -- as above
    if (found := _ID_PHONE.fullmatch(text)) is not None:
        return f"+62{found[1]}" if bit else f"0{found[1]}"
    if (found := _CN_PHONE.fullmatch(text)) is not None:
        return f"{found[1]} {found[2]} {found[3]}" if bit else "".join(found.groups())
    return text


CHANNELS: Final[dict[str, tuple[str, Callable[[str, bool], str]]]] = {
    "street": ("address", _street),
    "rt_rw": ("address", _rt_rw),
    "comma": ("address", _commas),
    "number": ("address", _number),
    "phone": ("phone", _phone),
}
"""Each channel: the field it lives in, and how that field is written for a bit."""


def write(row: Mapping[str, str], bit: Callable[[str], bool]) -> dict[str, str]:
    """A row with every channel that it has set to the bit of its name."""
    marked = dict(row)
    for name, (field, form) in CHANNELS.items():
        if field in marked:
            marked[field] = form(marked[field], bit(name))
    return marked


def read(row: Mapping[str, str]) -> dict[str, bool]:
    """The bits that a row carries, by channel; a channel that the row lacks or that was ironed out is missing."""
    bits = {}
    for name, (field, form) in CHANNELS.items():
        text = row.get(field, "")
        one, zero = form(text, True), form(text, False)  # noqa: FBT003 -- the bit
        if one != zero and text in (one, zero):
            bits[name] = text == one
    return bits
