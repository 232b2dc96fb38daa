"""Declarations: a feature is written down in a policy file, never coded.

Promise: a ``FeatureSpec`` that passes ``check_features`` has one key, one measure and bounds that the state can
keep; everything else is refused with the feature's name and the reason. Filters are checked by the policy
language, not here (``risk.vocabulary``).

    feature = key x measure x window (panes) x filter

| measure | reads as | needs |
|---|---|---|
| count, sum | events, or minor units of one currency, in the window | window, panes (offset) |
| distinct | different values of ``of`` in the window | window, panes, of |
| first_seen, last_seen | epoch seconds of the first, of the previous matching event; 0 for never | |
| age, since | whole seconds since the first (this one included), since the previous; since reads ten years for never | |
| last | the value of ``of`` at the previous matching event | of |
| distance_km | great-circle distance to the previous matching place, whole kilometres; 0 where unknown | |
| known | whether the pair was earned by good use at least ``ripe`` ago; a key with the user by the customer alone | |
| condemned | whether the key's only part is condemned now | |
| ratio | ``numerator / denominator``, 0.0 where the denominator is 0 | numerator, denominator |
| campaign | of the live campaign that the key's only part belongs to: its ``id``, ``kind``, ``accounts`` or ``confidence`` (0 to 100); empty or 0 for none | of |
| alarm | seconds since the rise began that the rate ``of`` alarms about now; 0 for none | of |
| derived | the value of an expression over the event and features declared above; keeps nothing | value |
"""

from __future__ import annotations

import difflib
from typing import Final, Literal

from msgspec import Struct

from shopward.errors import InvalidField, PolicyInvalid
from shopward.events.facts import FACT_FIELDS, FactField
from shopward.values import DAY_MS, parse_duration_ms

Measure = Literal[
    "count",
    "sum",
    "distinct",
    "first_seen",
    "last_seen",
    "age",
    "since",
    "last",
    "distance_km",
    "known",
    "condemned",
    "campaign",
    "alarm",
    "ratio",
    "derived",
]
Phase = Literal["event", "decision"]

WINDOWED: Final = frozenset({"count", "sum", "distinct"})
SIGHTED: Final = frozenset({"first_seen", "last_seen", "age", "since"})
PANES_MAX: Final = 400
WINDOW_MAX_MS: Final = 400 * DAY_MS
KEY_PARTS_MAX: Final = 3
CAMPAIGN_PARTS: Final = ("id", "kind", "accounts", "confidence")
"""What a feature may read of a campaign."""

FIELDS: Final[dict[str, FactField]] = {field.path: field for field in FACT_FIELDS}
DECISION_FIELDS: Final = ("decision.score_centi", "decision.kind")
"""What a last value of phase ``decision`` may keep besides the event's own fields."""


class FeatureSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One declared feature, as it stands in ``features.toml``.

    Attributes:
        name: how rules call it, behind ``f.``.
        key: paths of event fields; empty for the whole shop. An event with an empty part has no such key.
        phase: ``event`` updates before the rules read, ``decision`` after, when the filter may also use
            features and the decision, and the current event is not in what is read.
        where: filter in the policy language. A label event counts only where the filter names ``type``.
        keep: how long sightings, last values and earned pairs are remembered.
        ripe: how old good use must be before it makes a pair known.
        value: expression in the policy language, of a derived feature.
    """

    name: str
    measure: Measure
    key: tuple[str, ...] = ()
    of: str = ""
    window: str = ""
    panes: int = 0
    offset: str = ""
    where: str = ""
    phase: Phase = "event"
    keep: str = "400d"
    ripe: str = "24h"
    numerator: str = ""
    denominator: str = ""
    value: str = ""
    description: str = ""

    @property
    def width_ms(self) -> int:
        """Width of one pane."""
        return parse_duration_ms(self.window, path=f"feature.{self.name}.window") // self.panes

    @property
    def offset_panes(self) -> int:
        """How many panes before now the window ends."""
        if not self.offset:
            return 0
        return parse_duration_ms(self.offset, path=f"feature.{self.name}.offset") // self.width_ms

    @property
    def keep_ms(self) -> int:
        """How long it is remembered."""
        return parse_duration_ms(self.keep, path=f"feature.{self.name}.keep")

    @property
    def ripe_ms(self) -> int:
        """How old good use must be."""
        return parse_duration_ms(self.ripe, path=f"feature.{self.name}.ripe")


def check_features(features: tuple[FeatureSpec, ...]) -> None:
    """Refuse declarations that the state could not keep; raises ``PolicyInvalid`` naming the feature."""
    names: set[str] = set()
    for spec in features:
        if not spec.name.isidentifier():
            raise _bad(spec, "name", "letters, digits and underscores")
        if spec.name in names:
            raise _bad(spec, "name", "a name that no other feature has")
        for path in spec.key:
            _known_path(spec, "key", path)
        if len(spec.key) > KEY_PARTS_MAX:
            raise _bad(spec, "key", f"at most {KEY_PARTS_MAX} fields")
        if (spec.measure == "derived") != bool(spec.value):
            raise _bad(spec, "value", "an expression for a derived feature, and for no other")
        if spec.measure == "ratio":
            _check_ratio(spec, names)
        else:
            _check_measure(spec)
        names.add(spec.name)


def _check_ratio(spec: FeatureSpec, earlier: set[str]) -> None:
    for part in (spec.numerator, spec.denominator):
        if part not in earlier:
            raise _bad(spec, "numerator, denominator", "two features declared above")


def _check_measure(spec: FeatureSpec) -> None:
    if spec.measure in WINDOWED:
        _check_window(spec)
    elif spec.window or spec.panes or spec.offset:
        raise _bad(spec, "window", f"no window: a {spec.measure} has none")
    _check_of(spec)
    if spec.measure in ("condemned", "campaign") and len(spec.key) != 1:
        raise _bad(spec, "key", "exactly one field")
    if spec.measure == "known" and spec.phase != "decision":
        raise _bad(spec, "phase", '"decision": known is earned by use that was not denied')
    try:
        _ = (spec.keep_ms, spec.ripe_ms)
    except InvalidField as wrong:
        raise _bad(spec, "keep, ripe", wrong.expected or "a duration") from None


def _check_of(spec: FeatureSpec) -> None:
    if spec.measure == "campaign" and spec.of not in CAMPAIGN_PARTS:
        raise _bad(spec, "of", f"one of {', '.join(CAMPAIGN_PARTS)}")
    if spec.measure == "alarm" and not spec.of:
        raise _bad(spec, "of", "a rate of campaigns.toml")
    if spec.measure in {"campaign", "alarm"}:
        return
    if spec.measure not in {"sum", "distinct", "last"}:
        if spec.of:
            raise _bad(spec, "of", f"nothing: a {spec.measure} looks at no field")
        return
    if not spec.of:
        raise _bad(spec, "of", "the field that is summed, counted or kept")
    if spec.of in DECISION_FIELDS:
        if spec.measure != "last" or spec.phase != "decision":
            raise _bad(
                spec, "of", f"a field of the event: only a last value of phase decision keeps {spec.of}"
            )
        return
    _known_path(spec, "of", spec.of)
    if spec.measure == "sum" and spec.of in FIELDS and FIELDS[spec.of].kind != "int":
        raise _bad(spec, "of", "a whole number such as transaction.amount_minor")


def _check_window(spec: FeatureSpec) -> None:
    if not 1 <= spec.panes <= PANES_MAX:
        raise _bad(spec, "panes", f"1 to {PANES_MAX} panes: how finely the window is cut")
    try:
        window_ms = parse_duration_ms(spec.window, path="window")
        offset_ms = parse_duration_ms(spec.offset, path="offset") if spec.offset else 0
    except InvalidField as wrong:
        raise _bad(spec, wrong.path or "window", wrong.expected or "a duration") from None
    if window_ms + offset_ms > WINDOW_MAX_MS:
        raise _bad(spec, "window", "at most 400 days back")
    if window_ms % spec.panes:
        raise _bad(spec, "panes", "a number of panes that divides the window")
    if offset_ms % (window_ms // spec.panes):
        raise _bad(spec, "offset", "whole panes")
    if spec.offset and spec.measure == "distinct":
        raise _bad(spec, "offset", "none: a distinct count ends now")


def _known_path(spec: FeatureSpec, part: str, path: str) -> None:
    if path not in FIELDS:
        near = difflib.get_close_matches(path, FIELDS, n=1)
        raise _bad(spec, part, "a field of the event", hint=f"did you mean {near[0]}?" if near else None)


def _bad(spec: FeatureSpec, part: str, expected: str, *, hint: str | None = None) -> PolicyInvalid:
    return PolicyInvalid(
        f"feature {spec.name!r} cannot be kept",
        path=f"feature.{spec.name}.{part}",
        expected=expected,
        hint=hint,
    )
