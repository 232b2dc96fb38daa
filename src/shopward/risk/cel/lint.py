"""Conditions that no event can meet, or that every event meets: a rule with one is a mistake.

The promise: only what certainly cannot be (or cannot fail to be) true is reported; what these simple domains
cannot tell is let through. A domain per path is narrowed by the comparisons that hold together; it knows bounds,
closed vocabularies and excluded values, and nothing about how two paths relate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shopward.risk.cel import ir
from shopward.risk.cel.scope import nearest
from shopward.risk.cel.terms import Comparison, comparison, conjuncts
from shopward.risk.cel.types import Enumeration, Type, resolve
from shopward.risk.cel.values import INT_MAX, INT_MIN, UINT_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.risk.cel.fold import Finding

_NEGATED = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_DISCRETE = {"int": (INT_MIN, INT_MAX), "uint": (0, UINT_MAX)}
_Domains = dict[ir.Names, "Domain"]


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that a path may still have."""

    whole: bool = False
    low: Any = None
    high: Any = None
    open_low: bool = False
    open_high: bool = False
    allowed: frozenset[object] | None = None
    excluded: frozenset[object] = frozenset()

    @staticmethod
    def of(kind: Type) -> Domain:
        """Every value of a type."""
        kind = resolve(kind)
        if isinstance(kind, Enumeration):
            return Domain(allowed=frozenset(kind.vocabulary))
        if kind.name == "bool":
            return Domain(allowed=frozenset({True, False}))
        low, high = _DISCRETE.get(kind.name, (None, None))
        return Domain(whole=kind.name in _DISCRETE, low=low, high=high)

    def narrowed(self, operator: str, literal: Any) -> Domain:
        """The values that also satisfy a comparison."""
        step = 1 if self.whole else 0
        match operator:
            case "==" | "in":
                values = frozenset(literal) if operator == "in" else frozenset({literal})
                return replace(self, allowed=values if self.allowed is None else self.allowed & values)
            case "!=":
                return replace(self, excluded=self.excluded | {literal})
            case ">" | ">=":
                bound, is_open = (
                    (literal + step, False) if operator == ">" and step else (literal, operator == ">")
                )
                if self.low is None or (bound, is_open) > (self.low, self.open_low):
                    return replace(self, low=bound, open_low=is_open)
            case "<" | "<=":
                bound, is_open = (
                    (literal - step, False) if operator == "<" and step else (literal, operator == "<")
                )
                if self.high is None or (bound, not is_open) < (self.high, not self.open_high):
                    return replace(self, high=bound, open_high=is_open)
            case _:
                pass
        return self

    def is_empty(self) -> bool:
        """Whether no value is left for certain."""
        if self.allowed is not None:
            return not any(self._holds(value) for value in self.allowed)
        if self.low is None or self.high is None:
            return False
        if self.low == self.high:
            return self.open_low or self.open_high or self.low in self.excluded
        return bool(self.low > self.high)

    def _holds(self, value: Any) -> bool:
        if value in self.excluded:
            return False
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        return above and (self.high is None or (value < self.high if self.open_high else value <= self.high))


def lint(node: ir.Node) -> list[Finding]:
    """Every impossible, inevitable or misspelt comparison in a condition."""
    words = list(_unknown_words(node))
    return words or list(_contradictions(node, {}))


def _unknown_words(node: ir.Node) -> Iterator[Finding]:
    """Literals that are compared with a closed vocabulary and do not belong to it."""
    for part in ir.walk(node):
        if (
            isinstance(part, ir.Apply)
            and part.function in {"_==_", "_!=_", "@in"}
            and len(part.arguments) == 2
        ):
            left, right = part.arguments
            for path, other in ((left, right), (right, left)):
                kind = resolve(path.type)
                if isinstance(kind, Enumeration):
                    literals = other.items if isinstance(other, ir.ListOf) else (other,)
                    yield from _outside(kind, literals)


def _outside(kind: Enumeration, literals: tuple[ir.Node, ...]) -> Iterator[Finding]:
    for literal in literals:
        if isinstance(literal, ir.Const) and literal.value not in kind.vocabulary:
            near = nearest(str(literal.value), kind.vocabulary)
            hint = (
                f"did you mean '{near}'?" if near else f"one of: {', '.join(sorted(kind.vocabulary - {''}))}"
            )
            yield (literal.at, f"'{literal.value}' is not a value of '{kind.label}'", hint)


def _contradictions(node: ir.Node, known: _Domains) -> Iterator[Finding]:
    match node:
        case ir.Junction(operator="&&"):
            yield from _conjunction(conjuncts(node), dict(known))
        case ir.Junction(items=items):
            yield from _tautology(node, items)
            for item in items:
                yield from _contradictions(item, known)
        case ir.Apply(function="!_", arguments=(operand,)) if comparison(node) is None:
            yield from _contradictions(operand, known)
        case ir.Conditional(condition=condition):
            yield from _contradictions(condition, known)
        case _:
            yield from _conjunction((node,), dict(known))


def _conjunction(items: tuple[ir.Node, ...], known: _Domains) -> Iterator[Finding]:
    others: list[ir.Node] = []
    for item in items:
        found = _usable(item)
        if found is None:
            others.append(item)
            continue
        name = ".".join(found.path)
        before = known.get(found.path, Domain.of(_path_type(item)))
        known[found.path] = after = before.narrowed(found.operator, found.literal)
        if after.is_empty() and not before.is_empty():
            hint = f"no value of '{name}' satisfies this together with what is asked of it before"
            yield (item.at, "this condition can never be true", hint)
    for other in others:
        if isinstance(other, ir.Junction | ir.Apply | ir.Conditional):
            yield from _below(other, known)


def _below(node: ir.Node, known: _Domains) -> Iterator[Finding]:
    if isinstance(node, ir.Apply) and node.function != "!_":
        return
    yield from _contradictions(node, known)


def _tautology(node: ir.Junction, items: tuple[ir.Node, ...]) -> Iterator[Finding]:
    """``a || b`` is always true if ``!a && !b`` is impossible."""
    domains: _Domains = {}
    for item in items:
        found = _usable(item)
        # NaN satisfies neither a comparison of doubles nor its opposite, except for == and !=.
        if found is None or found.operator == "in" or isinstance(found.literal, float):
            continue
        domain = domains.get(found.path, Domain.of(_path_type(item)))
        domains[found.path] = domain.narrowed(_NEGATED[found.operator], found.literal)
        if domains[found.path].is_empty():
            yield (
                node.at,
                "this condition is always true",
                f"every value of '{'.'.join(found.path)}' satisfies it",
            )
            return


def _usable(node: ir.Node) -> Comparison | None:
    found = comparison(node)
    if found is None or found.literal is None:
        return None
    values = found.literal if isinstance(found.literal, tuple) else (found.literal,)
    is_nan = any(value != value for value in values)  # noqa: PLR0124 - only NaN differs from itself
    kinds = {type(value) for value in values}
    # A bound with a fraction would need rounding on a path of whole numbers.
    is_mixed = float in kinds and resolve(_path_type(node)).name != "double"
    unsure = is_nan or is_mixed or len(kinds) > 1 or resolve(_path_type(node)).name == "dyn"
    return None if unsure else found


def _path_type(node: ir.Node) -> Type:
    path = next(part for part in ir.walk(node) if isinstance(part, ir.Path))
    return path.type
