"""The vocabulary: which names the policy language knows, and how they are read in Python.

Promise: rules and filters see the fields of ``FACT_FIELDS`` under the names of the event contract, declared features
behind ``f.``, models behind ``model.`` (rules alone), and, after the decision, ``decision.kind`` and ``decision.score_centi``. Nothing else can be named.
Country, city and language may be compared with another value of the same customer's history, never with a constant:
where somebody comes from is no risk in itself, and a rule that says so does not compile.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from shopward.errors import PolicyInvalid
from shopward.events.facts import FACT_FIELDS
from shopward.risk import cel
from shopward.risk.cel import ir
from shopward.risk.features.declare import FIELDS, FeatureSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from shopward.events.facts import Facts
    from shopward.risk.features import Asked, Readings

DECISION_KINDS: Final = ("allow", "review", "challenge", "deny")
ORIGIN_PATHS: Final = frozenset(
    {("context", "country"), ("context", "city"), ("context", "language"), ("context", "asn")}
)
CONDITION_COST_MAX: Final = 2_000
EMPTY: Final[dict[str, Any]] = {"int": 0, "double": 0.0, "bool": False, "string": ""}

_TYPES: Final = {"ratio": cel.DOUBLE, "known": cel.BOOL, "condemned": cel.BOOL}

Path = tuple[str, ...]


def event_environment() -> cel.Environment:
    """What a filter of phase ``event`` may name: the event's own fields."""
    return cel.Environment(_event_names(), max_cost=CONDITION_COST_MAX)


def rule_environment(types: Mapping[str, cel.Type], models: tuple[str, ...] = ()) -> cel.Environment:
    """What a rule or a derived feature may name: the event's fields, the features of these types and these models."""
    names = _event_names() | {"f": cel.record("f", types)}
    if models:
        names["model"] = cel.record("model", dict.fromkeys(models, cel.DOUBLE))
    return cel.Environment(names, max_cost=CONDITION_COST_MAX)


def decision_environment(types: Mapping[str, cel.Type]) -> cel.Environment:
    """What a filter of phase ``decision`` may name: the same and the decision."""
    decision = cel.record(
        "decision", {"kind": cel.enum("decision.kind", DECISION_KINDS), "score_centi": cel.INT}
    )
    names = _event_names() | {"f": cel.record("f", types), "decision": decision}
    return cel.Environment(names, max_cost=CONDITION_COST_MAX)


def refuse_origin(checked: cel.Checked, where: str, origins: Collection[Path] = ()) -> None:
    """Raise ``PolicyInvalid`` unless origin is only compared with the customer's own history or with nothing.

    Args:
        checked: a condition, filter, weight or derived value.
        where: how an error names it.
        origins: features that repeat an origin (a ``last`` of country, say), beside the event's own fields.
    """
    watched = ORIGIN_PATHS | set(origins)
    fair: set[int] = set()
    for node in ir.walk(checked.node):
        if isinstance(node, ir.Apply) and node.function in ("_==_", "_!=_"):
            left, right = node.arguments
            for side, other in ((left, right), (right, left)):
                empty = isinstance(other, ir.Const) and other.value in ("", 0)
                if isinstance(side, ir.Path) and (
                    empty or (isinstance(other, ir.Path) and side.names[0] != other.names[0])
                ):
                    fair.add(id(side))
    for node in ir.walk(checked.node):
        if isinstance(node, ir.Path) and node.names in watched and id(node) not in fair:
            raise PolicyInvalid(
                "origin is no risk in itself",
                path=where,
                expected="== or != between the event and the customer's own history, such as f.user_country_last",
                found=f"{'.'.join(node.names)} used otherwise",
            )


def reader_of(index: Mapping[str, int], held: Collection[int] = ()) -> Callable[[Path], str]:
    """Python source for reading a path: ``e`` are the facts, ``F`` the readings, ``M`` the scores of models, ``o`` the outcome.

    Args:
        index: the place of each feature among the readings.
        held: those that the code around it has read into ``F_`` and their place.
    """

    def read(path: Path) -> str:
        if path[0] == "f":
            place = index[path[1]]
            return f"F_{place}" if place in held else f"F[{place}]"
        if path[0] == "model":
            return f"M[{path[1]!r}]"
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
    """Compiles filters and derived values of features; the ``FilterCompiler`` that layouts use.

    Args:
        features: declarations in their order; a derived value sees those above it, a late filter sees all.

    Attributes:
        types: under which type the policy language reads each feature.
        origins: features that repeat where somebody comes from.
        failing: how often a filter could not be computed on an event, which then did not count there, by its place in the policy; of
            filters that say the same the first one's.
    """

    def __init__(self, features: tuple[FeatureSpec, ...]) -> None:
        self._index = {spec.name: position for position, spec in enumerate(features)}
        self.types: dict[str, cel.Type] = {}
        self.origins = frozenset(
            ("f", spec.name)
            for spec in features
            if tuple(spec.of.split(".")) in ORIGIN_PATHS and spec.measure == "last"
        )
        self._derived: dict[str, cel.Checked] = {}
        for spec in features:
            self.types[spec.name] = self._type(spec)
        self._event = event_environment()
        self._decision = decision_environment(self.types)
        self._checked: dict[tuple[str, str], cel.Checked] = {}
        self.failing: Counter[str] = Counter()
        self._places: dict[tuple[str, str], str] = {}
        self._places_of_tests: dict[str, str] = {}
        self._functions: dict[str, Any] = {}
        self._lefts: dict[tuple[str, str, str, str], cel.Checked | bool] = {}
        self._known: dict[tuple[str, str], dict[Path, Any]] = {}
        for spec in features:
            if spec.where:
                self._check(spec)

    def derived(self, spec: FeatureSpec) -> Callable[[Readings], Any]:
        """The value of a derived feature; its empty value where it cannot be computed (fails open, as a rule does)."""
        source = self._source(self._derived[spec.name])
        namespace = dict(cel.RUNTIME_NAMESPACE) | {"EvalError": cel.EvalError}
        empty = EMPTY[str(self.types[spec.name])]
        lines = [
            "def read(F):",
            " e = F.facts",
            f" try: return {source}",
            f" except EvalError: return {empty!r}",
        ]
        exec("\n".join(lines), namespace)  # noqa: S102 -- source made by our own compiler from checked trees
        return namespace["read"]  # type: ignore[no-any-return]

    def known(self, type_: str, status: str) -> Mapping[Path, Any]:
        """What is known of every event of a kind: type, status, and the derived features that these two decide.

        A feature that names a deed of one type is false for all others: whatever asks for it there need not read it.
        """
        known = self._known.get((type_, status))
        if known is None:
            known = self._known[type_, status] = {("type",): type_, ("status",): status}
            for name, checked in self._derived.items():  # a derived value names derived ones above it only
                left = checked.under(known)
                if isinstance(left, bool):
                    known["f", name] = left
        return known

    def event_filter(self, spec: FeatureSpec, type_: str, status: str) -> Callable[[Facts], bool] | bool:
        """A test of the facts, or a constant where the type and status decide it.

        It fails open: an event on which the filter cannot be computed does not count.
        """
        left = self._left(spec, type_, status)
        return left if isinstance(left, bool) else self._compiled(left, self._place(spec))

    def event_paths(self, spec: FeatureSpec) -> frozenset[tuple[str, ...]]:
        """Paths of the event that the filter of a feature asks for, of whatever kind the event is."""
        if not spec.where:
            return frozenset()
        return frozenset(path for path in self._check(spec).references if ".".join(path) in FIELDS)

    def decision_filter(self, spec: FeatureSpec, type_: str, status: str) -> str | bool:
        """A test of facts, readings and outcome for ``asked``, or a constant; what makes a pair known has passed and succeeded."""
        if spec.measure == "known" and (status != "succeeded" or type_ == "label"):
            return False
        left = self._left(spec, type_, status)
        if isinstance(left, bool):
            return left  # of a pair the kernel itself asks whether the event passed, and whose deed it was
        if spec.measure != "known":
            return self._placed(self._source(left), self._place(spec))
        own = "e.actor_type == 'customer' and " if "user.id" in spec.key else ""
        return self._placed(f"o.passed and {own}({self._source(left)})", self._place(spec))

    def asked(self, tests: Iterable[tuple[str | bool, int]]) -> Asked:
        """One function that asks tests of a decided event and gives the bits of those that hold.

        Tests that read the same are asked once. Each fails open: what cannot be computed does not hold.

        Args:
            tests: what ``decision_filter`` or ``decided`` gave, each with its bits.
        """
        bits_of: dict[str, int] = {}
        for test, bits in tests:
            bits_of[str(test)] = bits_of.get(str(test), 0) | bits
        lines = ["def asked(e, F, o):", " bits = 0"]
        for source, bits in bits_of.items():
            failed = f"failed({self._places_of_tests.get(source, '')!r})"
            lines += [" try:", f"  if {source}: bits |= {bits}", f" except EvalError: {failed}"]
        return self._made("\n".join([*lines, " return bits"]), "asked")  # type: ignore[no-any-return]

    def check_decided(self, where: str, place: str) -> cel.Checked:
        """A filter over the event, its features and its decision; raises ``PolicyInvalid`` naming the place."""
        key = ("decision", where)
        if key not in self._checked:
            try:
                checked = self._decision.check(where, expect=cel.BOOL)
            except cel.CelInvalid as invalid:
                raise PolicyInvalid("a filter does not compile", path=place, found=str(invalid)) from invalid
            refuse_origin(checked, place, self.origins)
            self._checked[key], self._places[key] = checked, place
        return self._checked[key]

    def decided(self, where: str, type_: str, status: str) -> str | bool:
        """A checked filter for one kind of event, as a test for ``asked``; a label counts only where it names ``type``."""
        key = ("decision", where)
        checked = self._checked[key]
        if type_ == "label" and ("type",) not in checked.references:
            return False
        left = checked.under(self.known(type_, status))
        return left if isinstance(left, bool) else self._placed(self._source(left), self._places[key])

    def _type(self, spec: FeatureSpec) -> cel.Type:
        if spec.measure == "derived":
            checked = _checked(rule_environment(self.types), spec, "value")
            refuse_origin(checked, f"feature.{spec.name}.value", self.origins)
            if str(checked.type) not in EMPTY:
                raise PolicyInvalid(
                    f"feature {spec.name!r} cannot be kept", path=f"feature.{spec.name}.value",
                    expected="a number, bool or string", found=str(checked.type),
                )  # fmt: skip
            self._derived[spec.name] = checked
            return checked.type
        if spec.measure in _TYPES:
            return _TYPES[spec.measure]
        if spec.measure == "campaign" and spec.of in ("id", "kind"):
            return cel.STRING
        if spec.measure != "last" or spec.of == "decision.score_centi":
            return cel.INT
        if spec.of == "decision.kind":
            return cel.enum("decision.kind", DECISION_KINDS)
        return _field_type(spec.of)

    def _left(self, spec: FeatureSpec, type_: str, status: str) -> cel.Checked | bool:
        """What remains of the filter once type and status are known."""
        if not spec.where:
            return type_ != "label"
        checked = self._check(spec)
        if type_ == "label" and ("type",) not in checked.references:
            return False
        kind = (spec.phase, spec.where, type_, status)
        if kind not in self._lefts:  # many features share a filter
            self._lefts[kind] = checked.under(self.known(type_, status))
        return self._lefts[kind]

    def _check(self, spec: FeatureSpec) -> cel.Checked:
        environment = self._event if spec.phase == "event" else self._decision
        key = (spec.phase, spec.where)
        if key not in self._checked:
            checked = _checked(environment, spec, "where", expect=cel.BOOL)
            place = f"feature.{spec.name}.where"
            refuse_origin(checked, place, self.origins)
            self._checked[key], self._places[key] = checked, place
        return self._checked[key]

    def _place(self, spec: FeatureSpec) -> str:
        return self._places[spec.phase, spec.where]

    def _placed(self, test: str, place: str) -> str:
        """A test, of which it is remembered where it stands."""
        self._places_of_tests.setdefault(test, place)
        return test

    def _source(self, checked: cel.Checked) -> str:
        return checked.to_python(reader_of(self._index), presence_of(self._index))

    def _compiled(self, checked: cel.Checked, place: str) -> Any:
        lines = (
            "def test(e):",
            f" try: return {self._source(checked)}",
            f" except EvalError: return failed({place!r})",
        )
        return self._made("\n".join(lines), "test")

    def _made(self, text: str, name: str) -> Any:
        if text not in self._functions:  # many kinds of event leave and ask the same
            namespace = dict(cel.RUNTIME_NAMESPACE) | {"EvalError": cel.EvalError, "failed": self._failed}
            exec(text, namespace)  # noqa: S102 -- source made by our own compiler from checked trees
            self._functions[text] = namespace[name]
        return self._functions[text]

    def _failed(self, place: str) -> bool:
        self.failing[place] += 1
        return False


def _checked(
    environment: cel.Environment, spec: FeatureSpec, part: str, expect: cel.Type | None = None
) -> cel.Checked:
    """An expression of a feature; what is wrong in it is told with the feature's name."""
    try:
        return environment.check(getattr(spec, part), expect=expect)
    except cel.CelInvalid as invalid:
        raise PolicyInvalid(
            f"feature {spec.name!r} does not compile", path=f"feature.{spec.name}.{part}", found=str(invalid)
        ) from invalid


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


def _field_type(path: str) -> cel.Type:
    field = FIELDS[path]
    if field.kind == "int":
        return cel.INT
    if field.kind == "bool":
        return cel.BOOL
    return cel.enum(path, field.words) if field.words else cel.STRING
