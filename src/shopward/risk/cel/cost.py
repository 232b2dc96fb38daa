"""How much work one evaluation can be, at most, before any event is seen.

The promise: an upper bound in steps (one step is about one operation on scalars), or a finding at the part that
has none: a walk over a list or map whose length nobody declared. Sizes of intermediate values are bounded too, so
doubling a list or a string again and again shows in the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shopward.risk.cel import ir
from shopward.risk.cel.functions import VARIADIC
from shopward.risk.cel.types import BoundedList, Type, is_static_scalar, resolve

if TYPE_CHECKING:
    from shopward.risk.cel.fold import Finding

# A field of text is taken to have at most 1024 characters; one unit of weight is 32 of them.
_TEXT_WEIGHT, _CHARACTERS = 32, 32
_HEAVY = frozenset({"_+_", "matches", "contains", "string", "bytes", "@in", "_==_", "_!=_"})
_MATCH_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Size:
    """A bound on a value: its items if it is a container, its weight with all inside, the weight of one item."""

    items: int | None
    weight: int | None
    item: int | None = 1


_SCALAR = Size(1, 1)


class Meter:
    """Measures one tree; ``findings`` lists the parts without a bound."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._locals: dict[str, Size] = {}

    def measure(self, node: ir.Node) -> tuple[int, Size]:  # noqa: PLR0911 - one return per kind of node
        """The cost of a node and the size of its value."""
        match node:
            case ir.Const(value=value):
                return 0, _text(len(value)) if isinstance(value, str | bytes) else _SCALAR
            case ir.Path():
                return 1, _declared(resolve(node.type))
            case ir.Local(name=name):
                return 0, self._locals[name]
            case ir.ListOf() | ir.MapOf():
                return self._literal(node)
            case ir.Apply():
                return self._apply(node)
            case ir.Loop():
                return self._loop(node)
            case ir.Bind(variable=variable, value=value, body=body):
                cost, self._locals[variable] = self.measure(value)
                inner, size = self.measure(body)
                return cost + inner + 1, size
            case ir.Conditional(condition=condition, then=then, otherwise=otherwise):
                first, _ = self.measure(condition)
                (one, left), (two, right) = self.measure(then), self.measure(otherwise)
                return first + max(one, two) + 1, _either(left, right)
            case _:
                measured = [self.measure(child) for child in node.children()]
                weight = _sum([size.weight for _, size in measured])
                size = Size(weight, weight, weight) if isinstance(node, ir.Select) else _SCALAR
                return sum(cost for cost, _ in measured) + 1, size

    def _literal(self, node: ir.Node) -> tuple[int, Size]:
        measured = [self.measure(child) for child in node.children()]
        weights = [1, *(size.weight for _, size in measured)]
        return sum(cost for cost, _ in measured) + 1, Size(len(measured), _sum(weights), _max(*weights))

    def _apply(self, node: ir.Apply) -> tuple[int, Size]:
        measured = [self.measure(argument) for argument in node.arguments]
        sizes = [size for _, size in measured]
        cost = 1 + sum(cost for cost, _ in measured)
        weight = _sum([size.weight for size in sizes])
        if node.function in _HEAVY and not all(is_static_scalar(a.type) for a in node.arguments):
            cost += self._bounded(node, weight)
        elif node.function in {"matches", "contains"}:
            cost += (weight or 0) * _MATCH_FACTOR
        elif node.function == "_+_" and resolve(node.type).name in {"string", "bytes"}:
            cost += weight or 0
        elif node.function in VARIADIC:
            cost += self._bounded(node, weight)
        grows = node.function in {"_+_", "_[_]", "dyn", "string", "bytes"}
        if not grows or resolve(node.type).name in {"bool", "int", "uint", "double"}:
            return cost, _SCALAR
        item = _max(*(size.item for size in sizes))
        if node.function == "_[_]":
            return cost, Size(item, item, item)
        return cost, Size(_sum([size.items for size in sizes]), weight, item)

    def _loop(self, node: ir.Loop) -> tuple[int, Size]:
        cost, size = self.measure(node.source)
        items = self._bounded(node, size.items)
        for variable in node.variables:
            self._locals[variable] = Size(size.item, size.item, size.item)
        step, (extra, body) = 1, (0, _SCALAR)
        if node.condition is not None:
            step += self.measure(node.condition)[0]
        if node.body is not None:
            extra, body = self.measure(node.body)
        total = cost + 1 + items * (step + extra)
        if node.macro == "filter":
            return total, size
        if node.body is None:
            return total, _SCALAR
        weight = None if body.weight is None or size.weight is None else items * body.weight + size.weight + 1
        return total, Size(items, weight, body.weight)

    def _bounded(self, node: ir.Node, amount: int | None) -> int:
        if amount is None:
            hint = "use a list literal, or declare the list with a largest length"
            self.findings.append((node.at, "this walks a list or map whose length is not bounded", hint))
            return 0
        return amount


def _declared(kind: Type) -> Size:
    if isinstance(kind, BoundedList):
        item = _declared(resolve(kind.params[0]))
        weight = None if item.weight is None else kind.max_items * item.weight + 1
        return Size(kind.max_items, weight, item.weight)
    if kind.name in {"string", "bytes"}:
        return Size(_TEXT_WEIGHT * _CHARACTERS, _TEXT_WEIGHT)
    return _SCALAR if is_static_scalar(kind) else Size(None, None, None)


def _text(length: int) -> Size:
    return Size(length, 1 + length // _CHARACTERS)


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _max(*amounts: int | None) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return max(known) if len(known) == len(amounts) else None


def _either(left: Size, right: Size) -> Size:
    return Size(_max(left.items, right.items), _max(left.weight, right.weight), _max(left.item, right.item))
