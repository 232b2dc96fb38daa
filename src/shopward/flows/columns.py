"""Columns: a backtest that asks all rules of thousands of events at once, and the live rules only where one may fire.

Promise: the same records as ``Engine.weigh`` gives one by one. Conditions are evaluated over columns from the syntax trees
that the live closures are made of, and tell which events *may* fire; on those, and on no others, the live closures decide.
A term that columns cannot tell (an order of texts, a pattern) is left to them. So a mistake of the columns could hide an
alert and never invent one, and ``tests/backtest/test_columns.py`` holds the two against each other.

It takes policies whose features learn nothing from decisions: a feature of phase ``decision``, ``known`` or ``condemned``
needs each decision before the next event is read (``fits``). Needs numpy.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from shopward.flows.engine import DecisionRecord
from shopward.risk.campaigns.spec import CampaignsSpec
from shopward.risk.cel.columns import Columnar, NotColumnar
from shopward.risk.features import Outcome
from shopward.risk.features.declare import FIELDS
from shopward.risk.features.layout import STATELESS
from shopward.risk.verdict import score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from shopward.events import Facts
    from shopward.flows.engine import Engine
    from shopward.risk import cel
    from shopward.risk.policy import Policy

STRIDE: Final = 8_192
"""Events a time: every stride asks each column of each rule once, so that long ones are cheaper."""
FEW_SHARE: Final = 64
"""A rule that may fire on one row in so many, or on fewer, has no more of its terms asked over columns."""
_ALLOWED: Final = Outcome("allow", 0)
_FEEDBACK: Final = frozenset({"known", "condemned", "campaign", "alarm"})
_DTYPES: Final[dict[str, Any]] = {"int": np.int64, "double": np.float64, "bool": np.bool_}


def fits(policy: Policy) -> bool:
    """Whether nothing of a policy learns from decisions, features or campaigns, and no model is asked of every event."""
    is_alone = policy.scorers is None and policy.spec.campaigns == CampaignsSpec()
    return is_alone and not any(
        spec.phase == "decision" or spec.measure in _FEEDBACK for spec in policy.spec.features
    )


class Observer(Protocol):
    """Observes a stride of events, and gives what was read of it."""

    def observe(self, facts: Sequence[Facts]) -> None:
        """Observe events, in order."""
        ...

    def column(self, index: int) -> Any:
        """What a feature read, event by event; ``None`` where columns cannot tell."""
        ...

    def readings(self, row: int) -> Any:
        """The readings of one event."""
        ...


class ColumnTrial:
    """A policy over a stream, a stride at a time.

    Args:
        engine: of a policy that ``fits``.
        stride: how many events a time.
        named: whether every record tells its event; a backtest has no use for that, and saves a record an event.
    """

    def __init__(self, engine: Engine, *, stride: int = STRIDE, named: bool = False) -> None:
        self._engine = engine
        self._stride = stride
        self._named = named
        self._policy = engine.policy
        self._rules = [
            (frozenset(rule.spec.on), list(rule.condition.terms))
            for rule in engine.policy.rules
            if not any(
                path[0] == "model" for path in rule.condition.references
            )  # silent without a model in force
        ]
        expressions = [
            part
            for rule in engine.policy.rules
            for part in (rule.condition, rule.weight)
            if not isinstance(part, float | int)
        ]
        names = {path[1] for each in expressions for path in each.references if path[0] == "f"}
        self._observer = self._observer_of(sorted(engine.policy.layout.index[name] for name in names))
        self._silent: dict[tuple[str, bool], DecisionRecord] = {}

    @property
    def in_one_call(self) -> bool:
        """Whether the kernel observes a stride in one call, rather than one event after the other."""
        return not isinstance(self._observer, _OneByOne)

    def judged(
        self,
        facts: Sequence[Facts],
        *,
        held: Sequence[DecisionRecord | None] | None = None,
        are_many: bool = True,
    ) -> list[DecisionRecord]:
        """The records of one stride at most, in order.

        Args:
            facts: of the events, their times stamped.
            held: by event, the recorded decision that an order had a say on, which is what the state learns.
            are_many: whether columns are worth their while; else the rules are asked event by event.
        """
        if not are_many:
            self._observer.observe(facts)
            return [
                self._engine.conclude(each, self._observer.readings(row)) for row, each in enumerate(facts)
            ]
        loud = self._observed(facts)
        if held is None:
            return [self._judged(each, row, is_loud=loud[row]) for row, each in enumerate(facts)]
        return [
            self._judged(each, row, is_loud=loud[row] or held[row] is not None, held=held[row])
            for row, each in enumerate(facts)
        ]

    def _observed(self, facts: Sequence[Facts]) -> list[bool]:
        """Observe a stride; on which of its events some rule may fire."""
        self._observer.observe(facts)
        loud: list[bool] = self._may_fire(_Stride(self._policy, facts, self._observer)).tolist()
        return loud

    def _judged(
        self, facts: Facts, row: int, *, is_loud: bool, held: DecisionRecord | None = None
    ) -> DecisionRecord:
        if is_loud or facts.type == "challenge":
            return self._engine.conclude(facts, self._observer.readings(row), held=held)
        silent = self._silent_record(facts)
        if not self._named:
            return silent
        return DecisionRecord("d-" + facts.id, facts.id, "allow", silent.score, (), (), (), silent.policy)

    def _observer_of(self, wanted: list[int]) -> Observer:
        """The kernel's own way for many events, where it has one that can read all that is wanted."""
        features = self._policy.spec.features
        many = getattr(self._engine.kernel, "many", None)
        if many is None or any(features[index].measure == "derived" for index in wanted):
            return _OneByOne(self._engine, wanted)
        index = self._policy.layout.index
        parts = {
            index[name]
            for each in wanted
            if features[each].measure == "ratio"
            for name in (features[each].numerator, features[each].denominator)
        }
        if any(features[each].measure in STATELESS for each in parts):
            return _OneByOne(self._engine, wanted)
        observer: Observer = many(frozenset({*wanted, *parts}), self._stride)
        return observer

    def _may_fire(self, table: _Stride) -> npt.NDArray[np.bool_]:
        """Rows on which some rule is not surely silent.

        All terms of a rule have to hold, so they may be asked in any order: one that left few rows is asked first on the next
        stride. Few rows are not asked further: the live closures know them sooner.
        """
        few = table.length // FEW_SHARE
        columnar, known = Columnar(table), dict[str, Any]()
        loud = np.zeros(table.length, np.bool_)
        for types, terms in self._rules:
            rows = table.of_types(types)
            if not np.count_nonzero(rows):
                continue
            for asked, term in enumerate(terms):
                rows = rows & self._may_hold(columnar, term, known)
                if np.count_nonzero(rows) <= few:
                    terms.insert(0, terms.pop(asked))
                    break
            loud |= rows
        return loud

    def _may_hold(self, columnar: Columnar, term: cel.Checked, known: dict[str, Any]) -> Any:
        """Rows on which a term is not surely false; the same words are asked once."""
        source = term.source
        if source not in known:
            try:
                values, errors = columnar.evaluate(term.node)
                known[source] = values | errors
            except NotColumnar:
                known[source] = np.True_
        return known[source]

    def _silent_record(self, facts: Facts) -> DecisionRecord:
        """What is recorded where nothing fires, made once for each kind of event."""
        kind = (facts.type, facts.status == "failed")
        record = self._silent.get(kind)
        if record is None:
            score = score_of(self._policy.base_points(facts))
            record = self._silent[kind] = DecisionRecord("", "", "allow", score, policy=self._policy.version)
        return record


class _OneByOne:
    """Observes one event after the other, and keeps what each read."""

    def __init__(self, engine: Engine, wanted: list[int]) -> None:
        self._kernel = engine.kernel
        self._wanted = wanted
        self._readings: list[Any] = []
        self._columns: dict[int, tuple[Any, ...]] = {}

    def observe(self, facts: Sequence[Facts]) -> None:
        """Observe events, in order."""
        observe, settle, wanted = self._kernel.observe, self._kernel.settle, self._wanted
        self._readings, rows = [], []
        for each in facts:
            readings = observe(each)
            rows.append([readings[index] for index in wanted])
            self._readings.append(readings)
            if each.transaction:  # that it was counted is remembered when it settles
                settle(each, readings, _ALLOWED)
        self._columns = dict(zip(wanted, zip(*rows, strict=True), strict=True))

    def column(self, index: int) -> Sequence[Any]:
        """What a feature read, event by event."""
        return self._columns[index]

    def readings(self, row: int) -> Any:
        """The readings of one event."""
        return self._readings[row]


class _Stride:
    """The columns of some events, made when they are asked for."""

    def __init__(self, policy: Policy, facts: Sequence[Facts], observer: Observer) -> None:
        self.length = len(facts)
        self._policy = policy
        self._facts = facts
        self._observer = observer
        self._columns: dict[tuple[str, ...], npt.NDArray[Any]] = {}
        self._codes: dict[str, int] = {}
        self._of_types: dict[frozenset[str], npt.NDArray[np.bool_]] = {}

    def column(self, names: tuple[str, ...]) -> npt.NDArray[Any]:
        """The values of a path; raises ``NotColumnar`` where a number has more than 64 bits."""
        if names not in self._columns:
            self._columns[names] = self._made(names)
        return self._columns[names]

    def code(self, text: str) -> int:
        """A number that stands for a text within this stride."""
        return self._codes.setdefault(text, len(self._codes))

    def of_types(self, types: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Rows of events that a rule looks at: of these types; of all but labels where there are none."""
        if types not in self._of_types:
            column = self.column(("type",))
            rows = (
                np.isin(column, [self.code(each) for each in types])
                if types
                else column != self.code("label")
            )
            self._of_types[types] = rows
        return self._of_types[types]

    def _made(self, names: tuple[str, ...]) -> npt.NDArray[Any]:
        if names[0] == "f":
            values: Any = self._observer.column(self._policy.layout.index[names[1]])
            kind = str(self._policy.types[names[1]])
        else:
            field = FIELDS[".".join(names)]
            values, kind = map(attrgetter(field.attribute), self._facts), field.kind
        if values is None:
            raise NotColumnar
        if isinstance(values, np.ndarray):
            return values
        dtype = _DTYPES.get(kind)
        if dtype is None:
            return np.fromiter(map(self.code, values), np.int32, self.length)
        try:
            return np.fromiter(values, dtype, self.length)
        except (OverflowError, TypeError):
            raise NotColumnar from None
