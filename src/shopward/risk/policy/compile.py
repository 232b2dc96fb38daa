"""Compiling: a policy as written becomes one Python function for each kind of event.

Promise:
- everything that can be wrong is found here, before the policy is in force: unknown names, wrong types, conditions
  that cannot be true, origin held against a constant, two rules of one name, actions that contradict their exclusions;
- for an event type and status only the rules that can fire there are compiled, in the order of the files;
- a rule reads a feature only when the terms before it hold; one that leads a rule is read once, before all of them;
- evidence is gathered for the rules that fired, and for no other;
- rules that ask a model (``model.NAME``) run after the others, and only where a model speaks of the event: without its
  bundle they fail open.

The generated source holds nothing but names of our own tables and literals that the CEL compiler wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from shopward.errors import InvalidField, PolicyInvalid
from shopward.events.catalogue import EVENT_TYPES
from shopward.risk import cel
from shopward.risk.campaigns.plan import CampaignPlans
from shopward.risk.features import Layout
from shopward.risk.features.declare import FIELDS
from shopward.risk.policy.inputs import Inputs
from shopward.risk.vocabulary import CelFilters, presence_of, reader_of, refuse_origin, rule_environment
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from shopward.events.facts import Facts
    from shopward.risk.features import Readings
    from shopward.risk.policy.spec import PolicySpec, RuleSpec, ScoreThresholds

POINTS_MAX: Final = 1000.0
"""Far beyond any score."""
STRENGTH = {"allow": 0, "review": 1, "challenge": 2, "deny": 3}


class Spoken(Protocol):
    """What models say of one event: ``risk.models.Scored``."""

    score: float
    values: Mapping[str, float]

    def reasons(self) -> list[tuple[str, dict[str, Any]]]:
        """Codes and evidence, strongest first."""
        ...


class Scoring(Protocol):
    """The models in force: ``risk.models.Scorers``."""

    names: tuple[str, ...]

    def score(self, facts: Facts, readings: Readings, points: float) -> Spoken | None:
        """What they say of an event; ``None`` where none speaks of its type."""
        ...


class CompiledRule(NamedTuple):
    """A rule ready to run: its condition, its weight, and which features are its evidence."""

    spec: RuleSpec
    condition: cel.Checked
    weight: float | cel.Checked
    strength: int
    evidence: Callable[[Readings], dict[str, Any]]
    condemns: tuple[tuple[str, str], ...]
    condemn_ms: int


class Policy:
    """A compiled policy.

    Args:
        spec: the policy as written.

    Attributes:
        inputs: what each model of the policy looks at.
        scorers: the models in force; whoever opens the policy puts them there, before the first event.
        types: under which type rules read each feature.

    Raises:
        PolicyInvalid: where anything in it is wrong; the message names the rule.
    """

    def __init__(self, spec: PolicySpec) -> None:
        self.spec = spec
        self.version = spec.version
        self._base_points = spec.head.base_points
        self.satisfied_for_ms = _duration_ms(spec.head.challenge.satisfied_for, "challenge.satisfied_for")
        filters = CelFilters(spec.features)
        self._filters = filters
        self.failing_filters = filters.failing
        self.types = filters.types
        self._index = {feature.name: position for position, feature in enumerate(spec.features)}
        self._environment = rule_environment(filters.types, tuple(model.name for model in spec.models))
        self._origins = filters.origins
        self.rules = self._compile_rules()
        self.layout = Layout(spec.features, filters, condemnable=self._condemnable())
        self.campaigns = CampaignPlans(spec.campaigns, filters)
        self._check_watching()
        self._functions: dict[tuple[str, str], Callable[[Facts, Readings], list[tuple[int, float]]]] = {}
        self._asking: dict[tuple[str, str], Callable[..., list[tuple[int, float]]]] = {}
        self.inputs = {model.name: Inputs(model, spec.features, filters.types) for model in spec.models}
        self.scorers: Scoring | None = None
        _check_types("score_by_type", spec.head.score_by_type)
        _check_types("base_points", spec.head.base_points)

    @property
    def schema(self) -> str:
        """A digest of what is remembered under this policy: a saved state fits exactly one."""
        return self.layout.schema + self.campaigns.schema

    def fire(self, facts: Facts, readings: Readings) -> list[tuple[int, float]]:
        """The rules that fire on an event, by index, each with its points."""
        key = (facts.type, facts.status)
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = self._function(*key, asking=False)
        return function(facts, readings)

    def fire_asking(
        self, facts: Facts, readings: Readings, models: Mapping[str, float]
    ) -> list[tuple[int, float]]:
        """The rules that ask a model and fire; ``models`` are the scores by name."""
        key = (facts.type, facts.status)
        function = self._asking.get(key)
        if function is None:
            function = self._asking[key] = self._function(*key, asking=True)
        return function(facts, readings, models)

    def thresholds(self, type_: str) -> ScoreThresholds:
        """From which score on the score alone decides, for an event type."""
        return self.spec.head.score_by_type.get(type_, self.spec.head.score)

    def base_points(self, facts: Facts) -> float:
        """Points that a thing which went ahead starts from; 0 for what failed."""
        return 0.0 if facts.status == "failed" else self._base_points.get(facts.type, 0.0)

    def _check_watching(self) -> None:
        """Features read only of campaigns and rates that are watched for."""
        rates, paths = self.spec.campaigns.rate, {"user.id"}
        paths |= {link.key for kind in self.spec.campaigns.campaign.values() for link in kind.links}
        for feature in self.spec.features:
            wrong = (feature.measure == "campaign" and not paths.issuperset(feature.key)) or (
                feature.measure == "alarm"
                and (feature.of not in rates or feature.key != tuple(filter(None, [rates[feature.of].per])))
            )
            if wrong:
                raise PolicyInvalid(
                    f"feature {feature.name!r} reads what nobody watches",
                    path=f"feature.{feature.name}",
                    expected="a link of campaigns.toml as its key, or a rate as its of, with the rate's per as its key",
                )

    def _compile_rules(self) -> tuple[CompiledRule, ...]:
        names: set[str] = set()
        rules = []
        for rule in self.spec.rules:
            if rule.name in names or rule.name == "score":
                raise _bad(rule, "name", "a name that no other rule has", rule.name)
            names.add(rule.name)
            rules.append(self._compile_rule(rule))
        return tuple(rules)

    def _compile_rule(self, rule: RuleSpec) -> CompiledRule:
        for type_ in rule.on:
            if type_ not in EVENT_TYPES:
                raise _bad(rule, "on", "event types of the catalogue", type_)
        for action in rule.actions:
            if action.factor is not None and action.factor in (*action.exclude, *rule.exclude):
                raise _bad(rule, "actions", "a factor that the rule does not exclude", action.factor)
        condition = self._checked(rule, "when", rule.when, cel.BOOL)
        weight: float | cel.Checked
        if isinstance(rule.weight, str):
            weight = self._checked(rule, "weight", rule.weight, cel.DOUBLE)
        elif 0 <= rule.weight <= POINTS_MAX:
            weight = rule.weight
        else:
            raise _bad(rule, "weight", "0 or more: evidence never lowers a score", str(rule.weight))
        features = sorted({path[1] for path in condition.references if path[0] == "f"})
        return CompiledRule(
            rule,
            condition,
            weight,
            STRENGTH[rule.decision],
            self._evidence(features, dict(_thresholds(condition))),
            _condemns(rule),
            _duration_ms(rule.condemn.for_, f"rule {rule.name}: condemn.for") if rule.condemn else 0,
        )

    def _checked(self, rule: RuleSpec, part: str, source: str, expect: cel.Type) -> cel.Checked:
        try:
            checked = self._environment.check(source, expect=expect)
        except cel.CelInvalid as invalid:
            raise PolicyInvalid(
                f"rule {rule.name!r} does not compile", path=f"rule {rule.name}: {part}", found=str(invalid)
            ) from invalid
        refuse_origin(checked, f"rule {rule.name}: {part}", self._origins)
        return checked

    def _condemnable(self) -> frozenset[str]:
        return frozenset(path for rule in self.rules for path, _attribute in rule.condemns)

    def _applicable(self, type_: str, status: str) -> list[tuple[int, CompiledRule, cel.Checked | bool]]:
        """Rules that can fire on this kind of event, with what remains of their conditions."""
        applicable: list[tuple[int, CompiledRule, cel.Checked | bool]] = []
        for position, rule in enumerate(self.rules):
            if rule.spec.on and type_ not in rule.spec.on:
                continue
            if type_ == "label" and "label" not in rule.spec.on:
                continue
            left = rule.condition.under(self._filters.known(type_, status))
            if left is not False:
                applicable.append((position, rule, left))
        return applicable

    def _function(self, type_: str, status: str, *, asking: bool) -> Callable[..., list[tuple[int, float]]]:
        """One function that runs the rules for this kind of event that ask a model, or those that do not."""
        applicable = [each for each in self._applicable(type_, status) if _asks(each[1]) == asking]
        conditions = [left for _position, _rule, left in applicable if isinstance(left, cel.Checked)]
        led = sorted({index for condition in conditions for index in self._leading(condition)})
        read, present = reader_of(self._index, led), presence_of(self._index)
        lines = ["def fire(e, F, M=None):", " fired = []", *(f" F_{index} = F[{index}]" for index in led)]
        for position, rule, left in applicable:
            points = (
                f"bounded({rule.weight.to_python(read, present)})"
                if isinstance(rule.weight, cel.Checked)
                else repr(float(rule.weight))
            )
            condition = "True" if left is True else left.to_python(read, present)  # type: ignore[union-attr]
            # A condition that cannot be computed (an overflow, a division by zero) does not fire: the rule fails
            # open for this one event, and the others still stand.
            lines += [
                " try:",
                f"  if {condition}: fired.append(({position}, {points}))",
                " except EvalError: pass",
            ]
        lines.append(" return fired")
        namespace = dict(cel.RUNTIME_NAMESPACE) | {"EvalError": cel.EvalError, "bounded": bounded}
        exec("\n".join(lines), namespace)  # noqa: S102 -- source made by our own compiler from checked trees
        return namespace["fire"]  # type: ignore[no-any-return]

    def _leading(self, condition: cel.Checked) -> tuple[int, ...]:
        """The feature that the first term of a condition compares: it is read whatever the other terms say."""
        held = condition.terms[0].comparison
        return () if held is None or held.path[0] != "f" else (self._index[held.path[1]],)

    def _evidence(
        self, features: Iterable[str], thresholds: dict[str, Any]
    ) -> Callable[[Readings], dict[str, Any]]:
        """A function that gathers what a rule saw, and the constants that it held it against."""
        seen = "".join(f"{name!r}: F[{self._index[name]}], " for name in features)
        return eval(f"lambda F: {{{seen}**thresholds}}", {"thresholds": thresholds})  # type: ignore[no-any-return] # noqa: S307 -- names of our own tables


def _asks(rule: CompiledRule) -> bool:
    """Whether a rule looks at a model's score."""
    weight = rule.weight.references if isinstance(rule.weight, cel.Checked) else ()
    return any(path[0] == "model" for path in (*rule.condition.references, *weight))


def _condemns(rule: RuleSpec) -> tuple[tuple[str, str], ...]:
    """Paths and attributes of the sources that a rule condemns."""
    if rule.condemn is None:
        return ()
    for path in rule.condemn.keys:
        if path not in FIELDS:
            raise _bad(rule, "condemn.keys", "fields of the event", path)
    return tuple((path, FIELDS[path].attribute) for path in rule.condemn.keys)


def _thresholds(condition: cel.Checked) -> list[tuple[str, Any]]:
    """The constants that a rule holds its features against, for the evidence."""
    return [
        (f"{held.path[1]}_threshold", held.literal)
        for term in condition.terms
        if (held := term.comparison) is not None and held.path[0] == "f"
    ]


def _check_types(part: str, types: Iterable[str]) -> None:
    for type_ in types:
        if type_ not in EVENT_TYPES:
            raise PolicyInvalid(
                "unknown event type", path=f"{part}.{type_}", expected="a type of the catalogue"
            )


def _duration_ms(text: str, path: str) -> int:
    try:
        return parse_duration_ms(text, path=path)
    except InvalidField as wrong:
        raise PolicyInvalid("not a duration", path=path, expected=wrong.expected, found=wrong.found) from None


def bounded(points: float) -> float:
    """Points of an expression, held between 0 and 1000; what is no number counts nothing."""
    return min(points, POINTS_MAX) if points > 0.0 else 0.0


def _bad(rule: RuleSpec, part: str, expected: str, found: str) -> PolicyInvalid:
    return PolicyInvalid(
        f"rule {rule.name!r} is wrong", path=f"rule {rule.name}: {part}", expected=expected, found=found
    )
