"""Serving: the score of a model on one event, and why.

Promise: a scorer is made of a bundle and of the policy's inputs whose schema is the bundle's, or not at all
(``ModelInvalid``). The score of an event is a pure function of its facts, its readings and the rules' points. Where two
models speak of one event type, the higher score stands. Reasons are worked out only when they are asked for.

A model never weakens what rules decide: it gives the score, and the policy's thresholds do the rest (``risk.verdict``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import ModelInvalid
from shopward.forest import walker
from shopward.risk.models.scale import score_of_log_odds
from shopward.risk.policy.inputs import POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.events.facts import Facts
    from shopward.risk.features import Readings
    from shopward.risk.models.bundle import Bundle
    from shopward.risk.policy.inputs import Inputs

GROUPS_MAX: Final = 3
GROUP_SHARE_MIN: Final = 0.1
"""A group that carries less than a tenth of what speaks against an event is no reason."""
INPUTS_SHOWN: Final = 3


class Scorer:
    """One model ready to score.

    Args:
        bundle: the checked bundle.
        inputs: the inputs of that name under the policy in force, ``None`` where it has none.
    """

    def __init__(self, bundle: Bundle, inputs: Inputs | None) -> None:
        head = bundle.head
        if inputs is None:
            raise ModelInvalid(
                "the policy has no such model", path="name", expected="models/NAME.toml in the policy",
                found=head.name[:64],
            )  # fmt: skip
        if head.schema != inputs.schema or len(head.columns) != len(inputs.columns):
            raise ModelInvalid(
                "the bundle was made for other features", path="schema", expected="the features of this policy",
                found=f"those of {head.policy[:64]}", hint="train it again under this policy: shopward train",
            )  # fmt: skip
        self.name, self.types = head.name, frozenset(head.types)
        self.bundle, self._inputs = bundle, inputs
        self._margin = walker(bundle.forest)
        line = head.calibration
        self._intercept = line.intercept + line.slope * head.start.intercept
        self._slope, self._points_slope = line.slope, line.slope * head.start.slope

    def score(self, facts: Facts, readings: Readings, points: float) -> tuple[float, tuple[float, ...]]:
        """The score of an event, and the row that it was made of."""
        row = self._inputs.row(facts, readings, points)
        log_odds = self._intercept + self._points_slope * points + self._slope * self._margin(row)
        return score_of_log_odds(log_odds), row

    def reasons(self, row: tuple[float, ...], points: float) -> list[tuple[str, dict[str, Any]]]:
        """The groups of inputs that speak most against an event, strongest first, each with what it saw.

        What a group moved is in log-odds, before the calibration.
        """
        columns, groups = self._inputs.columns, self._inputs.spec.group
        moved = self.bundle.forest.contributions(row, len(columns))
        for number, column in enumerate(columns):
            if column.name == POINTS:
                moved[number] += self.bundle.head.start.slope * points
        by_group = [0.0] * len(groups)
        for column, by in zip(columns, moved, strict=True):
            by_group[column.group] += by
        against = sum(by for by in by_group if by > 0)
        strongest = sorted(range(len(groups)), key=lambda number: -by_group[number])[:GROUPS_MAX]
        return [
            (f"model_{self.name}_{groups[number].name}", self._evidence(number, row, moved, by_group[number]))
            for number in strongest
            if by_group[number] > 0 and by_group[number] >= GROUP_SHARE_MIN * against
        ]

    def _evidence(self, group: int, row: tuple[float, ...], moved: list[float], by: float) -> dict[str, Any]:
        own = [number for number, column in enumerate(self._inputs.columns) if column.group == group]
        shown = sorted(own, key=lambda number: -moved[number])[:INPUTS_SHOWN]
        seen = {
            self._inputs.columns[number].name.removeprefix("f."): row[number]
            for number in shown
            if moved[number] > 0
        }
        return {"log_odds": round(by, 2)} | seen


class Scored:
    """What the models say of one event.

    Attributes:
        score: the highest of their scores.
        values: each model's score by name; 0 for a model that does not speak of the event.
    """

    def __init__(
        self, values: Mapping[str, float], strongest: Scorer, row: tuple[float, ...], points: float
    ) -> None:
        self.values = values
        self.score = values[strongest.name]
        self._strongest, self._row, self._points = strongest, row, points

    def reasons(self) -> list[tuple[str, dict[str, Any]]]:
        """Codes and evidence of the model that stands."""
        return self._strongest.reasons(self._row, self._points)


class Scorers:
    """The models in force, by ``names``.

    Args:
        scorers: one for each name.

    Raises:
        ModelInvalid: two bundles of one name.
    """

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self.scorers = tuple(scorers)
        self.names = tuple(scorer.name for scorer in scorers)
        if len(set(self.names)) < len(self.names):
            raise ModelInvalid(
                "two bundles of one model", path="name", expected="one bundle a name", found="two"
            )
        self._none: dict[str, float] = dict.fromkeys(self.names, 0.0)

    def score(self, facts: Facts, readings: Readings, points: float) -> Scored | None:
        """What the models say; ``None`` where none of them speaks of this event type."""
        spoken = [
            (*scorer.score(facts, readings, points), scorer)
            for scorer in self.scorers
            if facts.type in scorer.types
        ]
        if not spoken:
            return None
        _score, row, strongest = max(spoken, key=lambda each: each[0])
        return Scored(
            self._none | {scorer.name: score for score, _row, scorer in spoken}, strongest, row, points
        )
