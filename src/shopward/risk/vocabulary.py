"""The vocabulary: which names the policy language knows, and how they are read in Python.

Promise: rules and filters see the fields of ``FACT_FIELDS`` under the names of the event contract, declared features
behind ``f.``, and, after the decision, ``decision.kind`` and ``decision.score_centi``. Nothing else can be named.
Country, city and language may be compared with another value of the same customer's history, never with a constant:
where somebody comes from is no risk in itself, and a rule that says so does not compile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from shopward.errors import PolicyInvalid
from shopward.events.facts import FACT_FIELDS
from shopward.risk import cel
from shopward.risk.cel import ir
from shopward.risk.cel.terms import comparison
from shopward.risk.features.declare import FIELDS, FeatureSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.events.facts import Facts
    from shopward.risk.features import Outcome, Readings

DECISION_KINDS: Final = ("allow", "review", "challenge", "deny")
ORIGIN_PATHS: Final = frozenset(
    {("context", "country"), ("context", "city"), ("context", "language"), ("context", "asn")}
)
CONDITION_COST_MAX: Final = 2_000

Path = tuple[str, ...]


def feature_type(spec: FeatureSpec) -> cel.Type:
    """The type under which the policy language reads a feature."""
    if spec.measure == "ratio":
        return cel.DOUBLE
    if spec.measure in ("known", "condemned"):
        return cel.BOOL
    if spec.measure != "last" or spec.of == "decision.score_centi":
        return cel.INT
    if spec.of == "decision.kind":
        return cel.enum("decision.kind", DECISION_KINDS)
    return _field_type(spec.of)


def event_environment() -> cel.Environment:
    """What a filter of phase ``event`` may name: the event's own fields."""
    return cel.Environment(_event_names(), max_cost=CONDITION_COST_MAX)


def rule_environment(features: tuple[FeatureSpec, ...]) -> cel.Environment:
    """What a rule may name: the event's fields and every feature."""
    names = _event_names() | {"f": _feature_record(features)}
    return cel.Environment(names, max_cost=CONDITION_COST_MAX)


def decision_environment(features: tuple[FeatureSpec, ...]) -> cel.Environment:
    """What a filter of phase ``decision`` may name: the same and the decision."""
    decision = cel.record(
        "decision", {"kind": cel.enum("decision.kind", DECISION_KINDS), "score_centi": cel.INT}
    )
    return cel.Environment(
        _event_names() | {"f": _feature_record(features), "decision": decision}, max_cost=CONDITION_COST_MAX
    )


def refuse_origin(checked: cel.Checked, where: str) -> None:
    """Raise ``PolicyInvalid`` where a country, city, network or language is held against a constant."""
    for node in ir.walk(checked.node):
        held = comparison(node)
        if held is None or held.path not in ORIGIN_PATHS:
            continue
        if held.operator not in ("==", "!=") or held.literal not in ("", 0):
            raise PolicyInvalid(
                "origin is no risk in itself",
                path=where,
                expected="a comparison with the customer's own history, such as f.user_country_last",
                found=f"{'.'.join(held.path)} against a constant",
            )


def reader_of(index: Mapping[str, int]) -> Callable[[Path], str]:
    """Python source for reading a path: ``e`` are the facts, ``F`` the readings, ``o`` the outcome."""

    def read(path: Path) -> str:
        if path[0] == "f":
            return f"F[{index[path[1]]}]"
        if path[0] == "decision":
            return f"o.{path[1]}"
        return f"e.{FIELDS['.'.join(path)].attribute}"

    return read


def presence_of(index: Mapping[str, int]) -> Callable[[Path], str]:
    """Python source for ``has(path)``: set to something else than the empty value, as for proto3 scalars."""
    read = reader_of(index)

    def present(path: Path) -> str:
        return f"bool({read(path)})"

    return present


class CelFilters:
    """Compiles the filters of features; the ``FilterCompiler`` that layouts use."""

    def __init__(self, features: tuple[FeatureSpec, ...]) -> None:
        self._index = {spec.name: position for position, spec in enumerate(features)}
        self._event = event_environment()
        self._decision = decision_environment(features)
        self._checked: dict[tuple[str, str], cel.Checked] = {}
        for spec in features:
            if spec.where:
                self._check(spec)

    def event_filter(self, spec: FeatureSpec, type_: str, status: str) -> Callable[[Facts], bool] | bool:
        """A test of the facts, or a constant where the type and status decide it."""
        left = self._left(spec, type_, status)
        return left if isinstance(left, bool) else self._compiled("e", left)

    def decision_filter(
        self, spec: FeatureSpec, type_: str, status: str
    ) -> Callable[[Facts, Readings, Outcome], bool] | bool:
        """A test of facts, readings and outcome, or a constant; what makes a pair known has passed and succeeded."""
        if spec.measure == "known":
            if status != "succeeded" or type_ == "label":
                return False
            left = self._left(spec, type_, status)
            if isinstance(left, bool):
                return (lambda _e, _readings, outcome: outcome.passed) if left else False
            test = self._compiled("e, F, o", left)
            return lambda e, readings, outcome: outcome.passed and test(e, readings, outcome)
        left = self._left(spec, type_, status)
        return left if isinstance(left, bool) else self._compiled("e, F, o", left)

    def _left(self, spec: FeatureSpec, type_: str, status: str) -> cel.Checked | bool:
        """What remains of the filter once type and status are known."""
        if not spec.where:
            return type_ != "label"
        checked = self._check(spec)
        if type_ == "label" and ("type",) not in checked.references:
            return False
        return checked.under({("type",): type_, ("status",): status})

    def _check(self, spec: FeatureSpec) -> cel.Checked:
        environment = self._event if spec.phase == "event" else self._decision
        key = (spec.phase, spec.where)
        if key not in self._checked:
            checked = environment.check(spec.where, expect=cel.BOOL)
            refuse_origin(checked, f"feature.{spec.name}.where")
            self._checked[key] = checked
        return self._checked[key]

    def _compiled(self, arguments: str, checked: cel.Checked) -> Any:
        source = checked.to_python(reader_of(self._index), presence_of(self._index))
        return eval(f"lambda {arguments}: {source}", dict(cel.RUNTIME_NAMESPACE))  # noqa: S307 -- made by our own compiler


@lru_cache(maxsize=1)
def _event_names() -> dict[str, cel.Type]:
    """The event's fields as nested records of the policy language."""
    tree: dict[str, Any] = {}
    for field in FACT_FIELDS:
        *parents, leaf = field.path.split(".")
        holder = tree
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[leaf] = _field_type(field.path)

    def build(name: str, node: Any) -> cel.Type:
        if not isinstance(node, dict):
            return node  # type: ignore[no-any-return]
        return cel.record(name, {child: build(f"{name}.{child}", below) for child, below in node.items()})

    return {name: build(name, node) for name, node in tree.items()}


def _feature_record(features: tuple[FeatureSpec, ...]) -> cel.Type:
    return cel.record("f", {spec.name: feature_type(spec) for spec in features})


def _field_type(path: str) -> cel.Type:
    field = FIELDS[path]
    if field.kind == "int":
        return cel.INT
    if field.kind == "bool":
        return cel.BOOL
    return cel.enum(path, field.words) if field.words else cel.STRING
