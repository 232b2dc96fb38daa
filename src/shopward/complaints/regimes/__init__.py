"""Regimes of complaints: by when one is acknowledged, decided and, on appeal, decided again; data with its source.

Promise: a regime without a source, a day of verification and what it rests on, with an unknown field or a place that there is
not, is refused with its place in the file; a new regime is a file. ``basis`` is ``read`` where the words of the rule were
before us, ``remembered`` where they were not and have to be checked first, ``own`` for a promise of the shop that no law
asks for. Where the source gives no number, ``reading`` says that the number is ours. They are not legal advice.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct

from shopward.calendars import Place, Within, is_known
from shopward.errors import InvalidField, NotFound
from shopward.toml import from_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTICE: Final = "Not legal advice: a reading of published rules, to be checked by counsel."
DEFAULT: Final = "house"
_REFUSAL: Final = "this is no regime"
_SHIPPED: Final = ("house", "id_ojk", "id_pdp", "cn_pi", "uk_disp", "uk_psd", "eu_gdpr")


class Regime(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """By when.

    Attributes:
        source: the law or rule, with its article.
        verified: the day on which the source was looked at last.
        acknowledge_within, decide_within: after it was received.
        extend_within: the date after an extension, counted from when it was received; absent where there is none.
        appeal_within: after the decision.
        appeal_decide_within: after the appeal.
        reading: which of these the source does not say.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
    version: Annotated[int, Meta(ge=1)]
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    source: Annotated[str, Meta(min_length=8, max_length=400)]
    verified: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
    basis: Literal["read", "remembered", "own"]
    place: Place
    acknowledge_within: Within
    decide_within: Within
    appeal_within: Within
    appeal_decide_within: Within
    extend_within: Within | None = None
    reading: Annotated[str, Meta(max_length=400)] = ""


def load_regime(text: str) -> Regime:
    """A regime of a TOML file's text; raises ``InvalidField`` with the place in the file."""
    regime = from_toml(text, Regime, refusal=_REFUSAL)
    if is_known(regime.place):
        return regime
    raise InvalidField(
        _REFUSAL, path="place", expected="a country, region and time zone that there are", found="another"
    )


@cache
def shipped_regimes() -> Mapping[str, Regime]:
    """Those that ship, by name."""
    texts = (files(__name__).joinpath(f"{name}.toml").read_text("utf-8") for name in _SHIPPED)
    return {regime.name: regime for regime in map(load_regime, texts)}


def regime_of(name: str) -> Regime:
    """A regime by name; raises ``NotFound``."""
    known = shipped_regimes()
    if name in known:
        return known[name]
    raise NotFound(
        "no such regime", path="regime", expected="one of " + ", ".join(known), found="another word"
    )
