"""What a personal value can be, and one that was found."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

Kind = Literal[
    "nik",
    "kk",
    "npwp",
    "phone",
    "resident_id",
    "bank_card",
    "bank_account",
    "email",
    "address",
    "name",
    "birth_date",
    "passport",
    "plate",
    "wechat",
    "qq",
    "waybill",
    "otp",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Span(NamedTuple):
    """One personal value: ``text[start:end]`` of the text as it was given."""

    start: int
    end: int
    kind: Kind
