"""A policy's own tests: values in, fires or not.

Promise: each ``[[rule.test]]`` is run against the compiled condition of its rule alone, with every value that it does
not give at its empty value. A test that names an unknown field or feature fails with that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shopward.errors import PolicyInvalid
from shopward.events.facts import Facts
from shopward.risk import cel
from shopward.risk.features.declare import FIELDS
from shopward.risk.features.slots import empty_reading
from shopward.risk.vocabulary import presence_of, reader_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.risk.policy.compile import CompiledRule, Policy
    from shopward.risk.policy.spec import RuleTest


class TestResult(NamedTuple):
    """How one test of one rule went."""

    rule: str
    number: int
    passed: bool
    message: str


def run_tests(policy: Policy) -> Iterator[TestResult]:
    """Every test of every rule, and a failure for each rule that lacks a test of either kind."""
    for rule in policy.rules:
        outcomes = {test.fires for test in rule.spec.test}
        for missing in {True, False} - outcomes:
            word = "fires" if missing else "does not fire"
            yield TestResult(rule.spec.name, 0, False, f"no test shows on what it {word}")  # noqa: FBT003
        condition = _condition(policy, rule)
        for number, test in enumerate(rule.spec.test, start=1):
            try:
                fired = _fires(policy, condition, test)
            except (PolicyInvalid, TypeError) as wrong:  # TypeError: a value of another type than the field's
                yield TestResult(rule.spec.name, number, False, str(wrong))  # noqa: FBT003
                continue
            expected, found = ("to fire", "silent") if test.fires else ("silent", "fired")
            message = "" if fired == test.fires else f"expected {expected}, found {found}, given {test.given}"
            yield TestResult(rule.spec.name, number, fired == test.fires, message)


def _condition(policy: Policy, rule: CompiledRule) -> Any:
    index = policy.layout.index
    source = rule.condition.to_python(reader_of(index), presence_of(index))
    namespace = dict(cel.RUNTIME_NAMESPACE)
    return eval(f"lambda e, F, M: {source}", namespace)  # noqa: S307 -- made by our own compiler


def _fires(policy: Policy, condition: Any, test: RuleTest) -> bool:
    layout = policy.layout
    facts = Facts("test", "custom", "succeeded")
    readings = {layout.index[spec.name]: empty_reading(spec) for spec in layout.features}
    models = dict.fromkeys(policy.inputs, 0.0)
    for path, value in test.given.items():
        if path.startswith("f.") and path[2:] in layout.index:
            readings[layout.index[path[2:]]] = value
        elif path.startswith("model.") and path[6:] in models:
            models[path[6:]] = float(value)
        elif path in FIELDS:
            setattr(facts, FIELDS[path].attribute, value)
        else:
            raise PolicyInvalid(
                "a test gives an unknown value",
                path=path,
                expected="a field, a feature (f.NAME) or a model (model.NAME)",
            )
    try:
        return bool(condition(facts, readings, models))
    except cel.EvalError:
        return False
