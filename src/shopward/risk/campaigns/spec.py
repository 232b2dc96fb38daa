"""Shapes of ``campaigns.toml``: which rates are watched, and what makes deeds one campaign.

Promise: what passes ``check_campaigns`` can be kept and names nothing that does not exist; filters are checked by the
policy language (``plan``). A policy without the file watches nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct, field

from shopward.errors import InvalidField, PolicyInvalid
from shopward.risk.features.declare import FIELDS
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

Share = Annotated[float, Meta(gt=0, le=1)]
Accounts = Annotated[int, Meta(ge=2, le=10_000)]
LINKS_MAX = 8


class Titles(Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign of a kind is called, in the three languages."""

    id: str
    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The title in one of the three languages; English for any other."""
        return {"id": self.id, "zh": self.zh}.get(language, self.en)


class RateSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate that is watched: how often ``where`` holds, for the whole shop or for each value of ``per``.

    Attributes:
        where: filter in the policy language, over the event, its features and its decision.
        per: path of an event field; each of its values has a baseline of its own.
        rise: how many times its usual level the rate has to reach to matter.
        arl: mean time between two false alarms, while the counts are Poisson around their baseline.
        usual_per_day: least that is taken for usual, where the shop has seen less.
        warm_up: how long a rate is learnt before it can alarm.
    """

    where: str
    per: str = ""
    rise: Annotated[float, Meta(gt=1, le=100)] = 2.0
    arl: str = "30d"
    usual_per_day: Annotated[float, Meta(gt=0)] = 1.0
    warm_up: str = "3d"
    description: str = ""


class LinkSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What two suspicious accounts may share.

    Attributes:
        key: path of an event field.
        accounts: how many suspicious accounts one value has to have before it joins them.
        share: least part of the accounts seen there that is suspicious; a hub of honest people joins nobody.
        within: how close in time these accounts have to be suspicious; the kind's window where empty.
        same_hand: whether the same value means the same hand, as a device does. A network is a neighbourhood: it joins
            only while it is suspicious, explains nothing, and what succeeds there is not held against anybody.
    """

    key: str
    accounts: Accounts = 3
    share: Share = 0.5
    within: str = ""
    same_hand: bool = True


class KindSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of campaign.

    Attributes:
        traces: filters; an event on which one holds is a trace of its account.
        links: what joins accounts.
        rates: while one of these alarms, the traces since its rise began belong together, whatever they share.
        explained_by: path of a field; a trace is no trace where this value succeeds, unstopped, within ``settles``.
        settles: how long a trace waits for that.
        deeds: filter; which later events of a member are the campaign's doing.
        entries: filter; which earlier successes of a source are looked at again once it is condemned or belongs to a
            campaign.
        accounts: how many accounts make a campaign.
        window: how far apart in time two deeds may lie and still belong together, and how far back successes are looked at.
        quiet: a campaign without a new trace for this long has ended.
    """

    title: Titles
    traces: tuple[str, ...]
    deeds: str
    entries: str
    links: tuple[LinkSpec, ...] = ()
    rates: tuple[str, ...] = ()
    explained_by: str = ""
    settles: str = "1h"
    accounts: Accounts = 10
    window: str = "72h"
    quiet: str = "36h"
    description: str = ""


class FoundSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What an earlier success becomes once its source is condemned or belongs to a campaign.

    Attributes:
        points: that it gains, times the part of the accounts at its source that is suspicious.
        score: from which on it is a finding.
    """

    points: Annotated[float, Meta(ge=0, le=1000)] = 60.0
    score: Annotated[float, Meta(ge=0, le=100)] = 57.0


class AlertSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How the shop is told.

    Attributes:
        acknowledge_within: a live campaign that nobody acknowledged for so long is told again.
    """

    acknowledge_within: str = "1h"


class CampaignsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``campaigns.toml``."""

    rate: dict[str, RateSpec] = field(default_factory=dict)
    campaign: dict[str, KindSpec] = field(default_factory=dict)
    found: FoundSpec = FoundSpec()
    alert: AlertSpec = AlertSpec()


def check_campaigns(spec: CampaignsSpec) -> None:
    """Refuse declarations that cannot be kept; raises ``PolicyInvalid`` naming the declaration."""
    _durations("alert", acknowledge_within=spec.alert.acknowledge_within)
    for name, rate in spec.rate.items():
        where = f"rate.{name}"
        _names(where, [name])
        _paths(f"{where}.per", [rate.per] if rate.per else [])
        _durations(where, arl=rate.arl, warm_up=rate.warm_up)
    for name, kind in spec.campaign.items():
        where = f"campaign.{name}"
        _names(where, [name])
        if not kind.traces:
            raise _bad(f"{where}.traces", "one filter or more")
        if len(kind.links) > LINKS_MAX:
            raise _bad(f"{where}.links", f"at most {LINKS_MAX}")
        _paths(f"{where}.links", [link.key for link in kind.links])
        _paths(f"{where}.explained_by", [kind.explained_by] if kind.explained_by else [])
        _durations(where, settles=kind.settles, window=kind.window, quiet=kind.quiet)
        for link in kind.links:
            _durations(where, links=link.within or kind.window)
        for rate_name in kind.rates:
            if rate_name not in spec.rate:
                raise _bad(f"{where}.rates", "rates declared in this file")
        if not kind.links and not kind.rates:
            raise _bad(where, "links or rates: without them nothing belongs together")


def _names(where: str, names: Iterable[str]) -> None:
    if not all(name.isidentifier() for name in names):
        raise _bad(where, "a name of letters, digits and underscores")


def _paths(where: str, paths: Iterable[str]) -> None:
    if not all(path in FIELDS and FIELDS[path].kind in ("token", "string", "int") for path in paths):
        raise _bad(where, "fields of the event")


def _durations(where: str, **texts: str) -> None:
    for part, text in texts.items():
        try:
            parse_duration_ms(text, path=part)
        except InvalidField as wrong:
            raise PolicyInvalid(
                "not a duration",
                path=f"campaigns.toml: {where}.{part}",
                expected=wrong.expected,
                found=wrong.found,
            ) from None


def _bad(where: str, expected: str) -> PolicyInvalid:
    return PolicyInvalid(
        "a campaign cannot be watched for", path=f"campaigns.toml: {where}", expected=expected
    )
