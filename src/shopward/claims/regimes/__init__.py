"""Regimes: how long a claim may take and who bears how much, as data with its source.

Promise: a regime without a source, with an unknown field or a negative amount is refused with its place; a new regime is a
file and a vector in ``tests/claims``. Those that ship are profiles of published rules. They are not legal advice.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct

from shopward.calendars import Place, Within, is_known
from shopward.errors import InvalidField, NotFound
from shopward.toml import from_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

AMOUNT_MAX: Final = 2**53 - 1
Minor = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
_SHIPPED: Final = ("full", "reg_e", "uk_app")
DEFAULT: Final = "full"
_REFUSAL: Final = "this is no regime"


class Tiers(Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer bears by how soon he told, as in 12 CFR 1005.6(b).

    Attributes:
        learned_within: after he learned of it; told in this time he bears ``early_minor`` at most.
        late_minor: what he bears at most where he told later.
        statement_within: after a statement showed it; what went after that and before he told is his.
    """

    learned_within: Within
    early_minor: Minor
    late_minor: Minor
    statement_within: Within
    currency: Currency


class Regime(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of a claim.

    Attributes:
        decide_within: after it was received; when it passes, the claim is approved.
        decide_at_most: the same with every stop of the clock.
        provisional_within: when the disputed amount is credited while nobody decided; absent for never.
        appeal_within: after a decision.
        claim_within_months: how old an item may be; 0 for any age. An older one is looked at by a person.
        excess_minor: what a customer bears of a claim, by currency; never a vulnerable one.
        cap_minor: what is paid at most, by currency.
        tiers: what a customer bears by how soon he told.
        partner_share: whether the partner who received the money bears one half.
        auto_approve_max_minor: up to this much, by currency, no person has to look; another currency is always looked at.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
    version: Annotated[int, Meta(ge=1)]
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    source: Annotated[str, Meta(min_length=8, max_length=400)]
    place: Place
    decide_within: Within
    decide_at_most: Within
    appeal_within: Within
    provisional_within: Within | None = None
    claim_within_months: Annotated[int, Meta(ge=0, le=240)] = 0
    excess_minor: dict[Currency, Minor] = {}
    cap_minor: dict[Currency, Minor] = {}
    tiers: Tiers | None = None
    partner_share: bool = False
    auto_approve_max_minor: dict[Currency, Minor] = {}


def load_regime(text: str) -> Regime:
    """A regime of a TOML file's text.

    Raises:
        InvalidField: with the place in the file.
    """
    regime = from_toml(text, Regime, refusal=_REFUSAL)
    if is_known(regime.place):
        return regime
    raise InvalidField(
        _REFUSAL, path="place", expected="a country, region and time zone that there are", found="another"
    )


@cache
def shipped_regimes() -> Mapping[str, Regime]:
    """Those that ship, by name."""
    folder = files(__name__)
    found = [load_regime(folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in _SHIPPED]
    return {regime.name: regime for regime in found}


def regime_of(name: str) -> Regime:
    """A regime by name; raises ``NotFound``."""
    found = shipped_regimes().get(name)
    if found is None:
        raise NotFound(
            "no such regime",
            path="regime",
            expected="one of " + ", ".join(shipped_regimes()),
            found="another word",
        )
    return found
