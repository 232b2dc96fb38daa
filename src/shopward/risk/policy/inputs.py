"""Inputs: what a model may look at, compiled into one row of numbers.

Promise:
- an input is a number or a yes of the event, a feature that is one, what the rules added up (``rules.points``), or a
  word of a vocabulary that stands in a file: one column a word. No token is an input, and no vocabulary is learnt from
  data, so nothing in a model names anybody;
- country, city, language and provider are no inputs, nor is a feature that repeats one: where somebody comes from is
  no risk in itself;
- a row is made from the same facts and readings that rules see, whether to learn from or to score;
- ``schema`` changes whenever a column, or a feature behind a column, means something else.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import InvalidField, PolicyInvalid
from shopward.events.catalogue import EVENT_TYPES
from shopward.risk.features.declare import FIELDS
from shopward.risk.vocabulary import DECISION_KINDS, ORIGIN_PATHS
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.events.facts import Facts
    from shopward.risk import cel
    from shopward.risk.features import FeatureSpec, Readings
    from shopward.risk.policy.spec import InputGroup, ModelSpec

POINTS: Final = "rules.points"
WORDS_MAX: Final = 50
_NUMBERS: Final = ("int", "double", "bool")
_FEATURE: Final = re.compile(r"\bf\.(\w+)")


class Column(NamedTuple):
    """One number of a row: its name, the group that explains it, and Python source that reads it."""

    name: str
    group: int
    source: str


class Inputs:
    """The columns of one model under one policy.

    Args:
        spec: the model as written.
        features: the policy's features.
        types: under which type the policy language reads each feature.

    Raises:
        PolicyInvalid: an input is unknown, is no number or word, names somebody, or says where somebody comes from.
    """

    def __init__(
        self, spec: ModelSpec, features: tuple[FeatureSpec, ...], types: dict[str, cel.Type]
    ) -> None:
        self.spec = spec
        self._features = {feature.name: feature for feature in features}
        self._index = {feature.name: position for position, feature in enumerate(features)}
        self._types = types
        self.delay_ms = self._duration_ms("label_delay", spec.label_delay)
        self.history_ms = self._duration_ms("history", spec.history)
        for type_ in spec.types:
            if type_ not in EVENT_TYPES or type_ == "label":
                raise self._bad("types", "event types of the catalogue", type_)
        self.columns = tuple(
            column for number, group in enumerate(spec.group) for column in self._group(number, group)
        )
        if not self.columns or not spec.types:
            raise self._bad("group", "at least one type and one input", "none")
        listed = ", ".join(column.source for column in self.columns)
        self.row: Callable[[Facts, Readings, float], tuple[float, ...]] = eval(  # noqa: S307 -- names of our own tables and quoted words
            f"lambda e, F, points: ({listed},)", {"__builtins__": {}, "float": float}
        )

    @property
    def schema(self) -> str:
        """A digest of the columns and of every feature behind them: a bundle fits exactly one."""
        used = [self._features[name] for name in sorted(self._behind())]
        named = [(column.name, column.source.partition("F[")[0]) for column in self.columns]
        return hashlib.blake2b(msgspec.json.encode([named, used]), digest_size=16).hexdigest()

    def _group(self, number: int, group: InputGroup) -> Iterator[Column]:
        for name in group.words:
            if name not in group.inputs:
                raise self._bad(f"group {group.name}: words", "inputs of the group", name)
        for name in group.inputs:
            for column, source in self._columns(name, group):
                yield Column(column, number, source)

    def _columns(self, name: str, group: InputGroup) -> list[tuple[str, str]]:
        """Names and sources of the columns of one input."""
        where = f"group {group.name}: inputs"
        if name == POINTS:
            return [(name, "float(points)")]
        if name.startswith("f."):
            return self._feature_columns(name, where)
        if name not in FIELDS:
            raise self._bad(where, "event fields, f.FEATURE or rules.points", name)
        field = FIELDS[name]
        if field.kind == "token" or tuple(name.split(".")) in ORIGIN_PATHS:
            raise self._bad(where, "nothing that names somebody or says where somebody comes from", name)
        if field.kind != "string":
            return [(name, f"float(e.{field.attribute})")]
        words = field.words or group.words.get(name, ())
        if name == "type":
            words = self.spec.types
        if not 0 < len(words) <= WORDS_MAX:
            raise self._bad(where, f"1 to {WORDS_MAX} words for {name}", str(len(words)))
        return [(f"{name}={word}", f"1.0 if e.{field.attribute} == {word!r} else 0.0") for word in words]

    def _feature_columns(self, name: str, where: str) -> list[tuple[str, str]]:
        feature = self._features.get(name[2:])
        if feature is None:
            raise self._bad(where, "a declared feature", name)
        read = f"F[{self._index[feature.name]}]"
        if feature.of == "decision.kind":
            return [(f"{name}={kind}", f"1.0 if {read} == {kind!r} else 0.0") for kind in DECISION_KINDS]
        of_origin = feature.measure == "last" and tuple(feature.of.split(".")) in ORIGIN_PATHS
        if of_origin or str(self._types[feature.name]) not in _NUMBERS:
            raise self._bad(where, "a feature that is a number or a yes, and no origin", name)
        return [(name, f"float({read})")]

    def _behind(self) -> set[str]:
        """The features that any column depends on, through ratios, values and filters."""
        open_ = {column.name[2:].partition("=")[0] for column in self.columns if column.name.startswith("f.")}
        found: set[str] = set()
        while open_:
            feature = self._features[open_.pop()]
            found.add(feature.name)
            named = {feature.numerator, feature.denominator, *_FEATURE.findall(feature.value + feature.where)}
            open_ |= (named & self._features.keys()) - found
        return found

    def _duration_ms(self, part: str, text: str) -> int:
        try:
            return parse_duration_ms(text, path=part)
        except InvalidField as wrong:
            raise self._bad(part, wrong.expected or "a duration", text[:20]) from None

    def _bad(self, part: str, expected: str, found: str) -> PolicyInvalid:
        where: Any = f"models/{self.spec.name}.toml: {part}"
        return PolicyInvalid(f"model {self.spec.name!r} is wrong", path=where, expected=expected, found=found)
