"""Activities: each thing that is done with personal data, with its legal basis; data with its article.

Promise: pure; an activity without an article, with an unknown field or a basis outside the closed set is refused with its place
in the file. Those that ship say what this software does and what the vault's purposes are for; a shop declares its own, or
another version of one, and the newest version is in force. They are a proposal of ours, not legal advice.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct

from shopward.toml import from_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTICE: Final = "A record of what is done, not legal advice: whether it is lawful is for counsel to say."
Basis = Literal[
    "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"
]
DataClass = Literal[
    "account", "contact", "address", "order", "payment", "device", "location", "credentials", "identity_document",
    "conversation", "behaviour",
]  # fmt: skip
Subject = Literal["customers", "recipients", "staff", "attackers"]
Words = Annotated[str, Meta(min_length=3, max_length=400)]
NAME: Final = r"^[a-z][a-z0-9_]{0,47}\Z"
Name = Annotated[str, Meta(pattern=NAME)]


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """What it is for, for those whose data it is."""

    id: Words
    zh: Words
    en: Words


class Activity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is done with personal data.

    Attributes:
        basis: why it is lawful; ``law`` names the articles.
        recipients: to whom it goes; empty for nobody outside.
        transfers: to which countries; empty for none.
        keep: how long, in words; ``keep_days`` in days, 0 where the words say it.
        measures: what protects it.
    """

    title: Title
    basis: Basis
    law: Annotated[str, Meta(min_length=8, max_length=400)]
    data: Annotated[tuple[DataClass, ...], Meta(min_length=1, max_length=20)]
    subjects: Annotated[tuple[Subject, ...], Meta(min_length=1, max_length=8)]
    keep: Words
    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    recipients: Annotated[tuple[Words, ...], Meta(max_length=40)] = ()
    transfers: Annotated[tuple[Words, ...], Meta(max_length=40)] = ()
    measures: Annotated[str, Meta(max_length=800)] = ""


class _File(Struct, forbid_unknown_fields=True):
    activity: dict[Name, Activity]


def load_activities(text: str) -> Mapping[str, Activity]:
    """The activities of a TOML file's text, by name; raises ``InvalidField`` with the place in the file."""
    return from_toml(text, _File, refusal="these are no activities").activity


@cache
def shipped_activities() -> Mapping[str, Activity]:
    """Those that ship, by name."""
    return load_activities(files("shopward.processing").joinpath("activities.toml").read_text("utf-8"))
