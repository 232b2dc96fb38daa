"""A checked expression over columns: the same tree, the same values and the same errors, for many events at once.

Promise: where ``Columnar`` gives a value for a row it is the one that the expression has on that row, and where it gives an
error the evaluation of that row raises one: overflow of 64 bits, division by zero, conversion out of range; ``&&`` and
``||`` absorb errors as CEL says. What it does not know it refuses (``NotColumnar``), it never guesses: texts are codes here,
so they can be equal or not, and nothing else.

Needs numpy. A text column holds any numbers that are equal exactly where the texts are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from shopward.risk.cel import ir
from shopward.risk.cel.types import resolve
from shopward.risk.cel.values import INT_MAX, INT_MIN, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]

_SAFE_PRODUCT: Final = 2.0**62
_DOUBLE_BOUND: Final = 2.0**63
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "_==_": np.equal,
    "_!=_": np.not_equal,
    "_<_": np.less,
    "_<=_": np.less_equal,
    "_>_": np.greater,
    "_>=_": np.greater_equal,
}


class NotColumnar(Exception):
    """Something that is asked of each row by itself."""


class Table(Protocol):
    """Where columns come from."""

    def column(self, names: ir.Names) -> Array:
        """The values of a path: int64, float64, bool, or codes of texts; raises ``NotColumnar``."""
        ...

    def code(self, text: str) -> int:
        """The code of a text."""
        ...


class Evaluated(NamedTuple):
    """Values, and where the evaluation fails; a value there means nothing."""

    values: Any
    errors: Any = False


class Columnar:
    """Evaluates trees over one table.

    Args:
        table: the columns.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def evaluate(self, node: ir.Node) -> Evaluated:
        """The value of a tree on every row; raises ``NotColumnar``."""
        with np.errstate(all="ignore"):
            return self._value(node)

    def _value(self, node: ir.Node) -> Evaluated:
        match node:
            case ir.Const(value=value):
                return self._constant(value)
            case ir.Path(names=names):
                return Evaluated(self._table.column(names))
            case ir.Has(names=names):
                return self._has(names)
            case ir.Junction():
                return self._junction(node)
            case ir.Conditional():
                condition, then, otherwise = map(self._value, (node.condition, node.then, node.otherwise))
                errors = condition.errors | np.where(condition.values, then.errors, otherwise.errors)
                return Evaluated(np.where(condition.values, then.values, otherwise.values), errors)
            case ir.Apply():
                return self._apply(node)
            case _:
                raise NotColumnar

    def _constant(self, value: object) -> Evaluated:
        match value:
            case UInt():
                raise NotColumnar
            case bool():
                return Evaluated(np.bool_(value))
            case int():
                return Evaluated(np.int64(value))
            case float():
                return Evaluated(np.float64(value))
            case str():
                return Evaluated(np.int64(self._table.code(value)))
            case _:
                raise NotColumnar

    def _has(self, names: ir.Names) -> Evaluated:
        """Set to something else than the empty value of its type."""
        column = self._table.column(names)
        empty = self._table.code("") if column.dtype == np.int32 else 0  # texts are told by their dtype
        return Evaluated(column != empty)

    def _junction(self, node: ir.Junction) -> Evaluated:
        """Any operand that decides does so, whatever failed beside it."""
        decisive = node.operator == "||"
        decided: Any = False
        failed: Any = False
        for item in node.items:
            if resolve(item.type).name != "bool":
                raise NotColumnar
            each = self._value(item)
            decides = each.values if decisive else np.logical_not(each.values)
            decided = decided | (decides & np.logical_not(each.errors))
            failed = failed | each.errors
        return Evaluated(decided if decisive else np.logical_not(decided), failed & np.logical_not(decided))

    def _apply(self, node: ir.Apply) -> Evaluated:
        kinds = tuple(resolve(argument.type).name for argument in node.arguments)
        if node.function == "@in":
            return self._membership(node, kinds[0])
        arguments = [self._value(argument) for argument in node.arguments]
        errors: Any = False
        for argument in arguments:
            errors = errors | argument.errors
        values, failed = _applied(node.function, kinds, [argument.values for argument in arguments])
        return Evaluated(values, errors | failed)

    def _membership(self, node: ir.Apply, kind: str) -> Evaluated:
        value, container = node.arguments
        if not isinstance(container, ir.ListOf) or kind not in {"int", "bool", "string", "double"}:
            raise NotColumnar
        if any(resolve(item.type).name != kind for item in container.items):
            raise NotColumnar
        given = self._value(value)
        found: Any = False
        errors = given.errors
        for item in container.items:
            each = self._value(item)
            found, errors = found | np.equal(given.values, each.values), errors | each.errors
        return Evaluated(found, errors)


def _applied(function: str, kinds: tuple[str, ...], values: list[Any]) -> tuple[Any, Any]:
    """A function on values of these kinds, and where it fails."""
    if function in _COMPARE:
        return _compared(function, kinds, values), False
    if function in ("math.greatest", "math.least") and kinds in {
        ("int",) * len(kinds),
        ("double",) * len(kinds),
    }:
        return _extreme(function, values), False
    operation = _TABLE.get((function, kinds))
    if operation is None:
        raise NotColumnar
    return operation(*values)


def _compared(function: str, kinds: tuple[str, ...], values: list[Any]) -> Any:
    left, right = kinds
    if left == right and left in {"int", "double", "bool"}:
        return _COMPARE[function](values[0], values[1])
    if left == right == "string" and function in ("_==_", "_!=_"):
        return _COMPARE[function](values[0], values[1])
    if {left, right} == {"int", "double"}:  # as doubles, which CEL compares too
        as_doubles = [np.asarray(each).astype(np.float64) for each in values]
        return _COMPARE[function](*as_doubles)
    raise NotColumnar


def _extreme(function: str, values: list[Any]) -> Any:
    """The first of the largest or smallest, as the one at a time does it; so it does with what is no number."""
    chosen = values[0]
    better = np.greater if function == "math.greatest" else np.less
    for value in values[1:]:
        chosen = np.where(better(value, chosen), value, chosen)
    return chosen


def _integers(function: str, left: Array, right: Array) -> tuple[Array, Any]:
    """Arithmetic of 64 bits, and where it leaves them."""
    if function == "_+_":
        total = left + right
        return total, ((left ^ total) & (right ^ total)) < 0
    if function == "_-_":
        rest = left - right
        return rest, ((left ^ right) & (left ^ rest)) < 0
    if function == "_*_":
        return _product(left, right)
    is_zero = np.equal(right, 0)
    divisor = np.where(is_zero, 1, right)
    overflow = np.equal(left, INT_MIN) & np.equal(divisor, -1)
    divisor = np.where(overflow, 1, divisor)
    quotient = left // divisor
    quotient = quotient + ((left % divisor != 0) & ((left < 0) != (divisor < 0)))  # toward zero
    if function == "_/_":
        return quotient, is_zero | overflow
    return np.where(overflow, 0, left - quotient * divisor), is_zero


def _product(left: Array, right: Array) -> tuple[Array, Any]:
    doubtful = np.abs(left.astype(np.float64) * right.astype(np.float64)) >= _SAFE_PRODUCT
    if not np.any(doubtful):
        return left * right, False
    pairs = np.broadcast_arrays(left, right)
    exact = [int(a) * int(b) for a, b in zip(pairs[0].ravel(), pairs[1].ravel(), strict=True)]
    errors = np.array([not INT_MIN <= each <= INT_MAX for each in exact]).reshape(pairs[0].shape)
    kept = np.array([0 if not INT_MIN <= each <= INT_MAX else each for each in exact], np.int64)
    return kept.reshape(pairs[0].shape), errors


def _sure(operation: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """An operation that never fails."""
    return lambda *values: (operation(*values), False)


def _integer(function: str) -> Callable[..., tuple[Any, Any]]:
    return lambda left, right: _integers(function, np.asarray(left), np.asarray(right))


def _int_of_double(value: Any) -> tuple[Any, Any]:
    fits = (value > -_DOUBLE_BOUND) & (value < _DOUBLE_BOUND)
    return np.trunc(np.where(fits, value, 0.0)).astype(np.int64), np.logical_not(fits)


_TABLE: Final[dict[tuple[str, tuple[str, ...]], Callable[..., tuple[Any, Any]]]] = {
    ("!_", ("bool",)): _sure(np.logical_not),
    ("-_", ("int",)): lambda value: (-value, np.equal(value, INT_MIN)),
    ("-_", ("double",)): _sure(np.negative),
    ("_+_", ("double", "double")): _sure(np.add),
    ("_-_", ("double", "double")): _sure(np.subtract),
    ("_*_", ("double", "double")): _sure(np.multiply),
    ("_/_", ("double", "double")): _sure(np.divide),
    **{(f"_{mark}_", ("int", "int")): _integer(f"_{mark}_") for mark in "+-*/%"},
    ("double", ("int",)): _sure(lambda value: np.asarray(value).astype(np.float64)),
    ("int", ("double",)): _int_of_double,
    ("math.floor", ("double",)): _sure(np.floor),
    ("math.ceil", ("double",)): _sure(np.ceil),
    ("math.trunc", ("double",)): _sure(np.trunc),
    **{(kind, (kind,)): _sure(lambda value: value) for kind in ("int", "double", "bool", "string")},
}
"""What columns know besides comparisons; anything else is asked of each row by itself."""
