"""What generated code calls: everything of CEL that is not one plain Python operator.

The promise: each helper either returns a value of its CEL type or raises ``EvalError``; none of them loops
without a bound given by its argument's size. Conversions and mathematics are in ``conversions``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from shopward.risk.cel import regex
from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt, decode_key, encode_key, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def fail(message: str) -> NoReturn:
    """Raise what was wrong statically, now that it is evaluated."""
    raise EvalError(message)


def no_overload(function: str, *kinds: str) -> NoReturn:
    """Raise for a function on types that it is not defined for."""
    raise EvalError(f"no such overload: {function}({', '.join(kinds)})")


def check_int(value: int) -> int:
    """A result of int arithmetic, unless it has left 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvalError("integer overflow")


def check_uint(value: int) -> UInt:
    """A result of uint arithmetic, unless it has left 64 bits."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise EvalError("unsigned integer overflow")


def divide(left: int, right: int) -> int:
    """Integer division that truncates toward zero."""
    if right == 0:
        raise EvalError("divide by zero")
    return check_int(truncate(left, right)) if type(left) is int else int(left) // right


def truncate(left: int, right: int) -> int:
    """The quotient, rounded toward zero; the divisor is not zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def modulo(left: int, right: int) -> int:
    """The remainder of the truncating division; it has the sign of the dividend."""
    if right == 0:
        raise EvalError("modulus by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def divide_double(left: float, right: float) -> float:
    """Division after IEEE 754: by zero it is an infinity or not a number."""
    try:
        return left / right
    except ZeroDivisionError:
        if left == 0 or left != left:  # noqa: PLR0124 - only NaN differs from itself
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)


def equal(left: object, right: object) -> bool:
    """Equality across all types: numbers by value, containers by their items, everything else by type too."""
    kind, other = type(left), type(right)
    if kind is not other:
        if kind in _NUMBERS and other in _NUMBERS:
            return float(left) == float(right) if float in (kind, other) else left == right  # type: ignore[arg-type]
        return False
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))  # type: ignore[arg-type,call-overload]
    if kind is dict:
        return len(left) == len(right) and all(  # type: ignore[arg-type]
            key in right and equal(value, right[key])  # type: ignore[operator,index]
            for key, value in left.items()  # type: ignore[attr-defined]
        )
    return left == right


_NUMBERS = frozenset({int, UInt, float})


def in_list(value: object, items: Iterable[object]) -> bool:
    """Whether an equal item is in a list."""
    return any(equal(value, item) for item in items)


def in_map(value: object, mapping: dict[object, object]) -> bool:
    """Whether a map has the key."""
    return type(value) in _KEYS and encode_key(value) in mapping


_KEYS = frozenset({bool, int, UInt, float, str})


def index(items: list[object], position: object) -> object:
    """An item of a list by a whole number of any numeric type."""
    key = encode_key(position) if type(position) in _NUMBERS else None
    if isinstance(key, int) and 0 <= key < len(items):
        return items[key]
    raise EvalError("index out of bounds", expected=f"0 to {len(items) - 1}")


def lookup(mapping: dict[object, object], key: object) -> object:
    """The value under a key of a map."""
    if in_map(key, mapping):
        return mapping[encode_key(key)]
    raise EvalError("no such key")


def select(operand: object, field: str) -> object:
    """The value under a key that is written as a field."""
    if type(operand) is not dict:
        raise EvalError(f"a {kind_of(operand)} has no fields", expected="a map")
    return lookup(operand, field)


def has_field(operand: object, field: str) -> bool:
    """Whether a map has the key that is written as a field."""
    if type(operand) is not dict:
        raise EvalError(f"a {kind_of(operand)} has no fields", expected="a map")
    return field in operand


def make_map(*items: object) -> dict[object, object]:
    """A map from alternating keys and values; a repeated key is an error."""
    result: dict[object, object] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) not in _KEYS or type(key) is float:
            raise EvalError(f"a {kind_of(key)} cannot be the key of a map")
        encoded = encode_key(key)
        if encoded in result:
            raise EvalError("a map literal repeats a key")
        result[encoded] = value
    return result


def items_of(value: object) -> list[object]:
    """What a macro with one variable walks over: the items of a list or the keys of a map."""
    if type(value) is list:
        return value
    if type(value) is dict:
        return [decode_key(key) for key in value]
    raise EvalError(f"a {kind_of(value)} cannot be walked", expected="a list or a map")


def pairs_of(value: object) -> list[tuple[object, object]]:
    """What a macro with two variables walks over: index and item, or key and value."""
    if type(value) is list:
        return list(enumerate(value))
    if type(value) is dict:
        return [(decode_key(key), item) for key, item in value.items()]
    raise EvalError(f"a {kind_of(value)} cannot be walked", expected="a list or a map")


def need_bool(value: object) -> bool:
    """A value where only a bool will do."""
    if type(value) is bool:
        return value
    raise EvalError(f"no such overload: a {kind_of(value)} where a bool is needed")


def all_of(*operands: Callable[[], bool]) -> bool:
    """``&&`` in any order: one false decides, whatever else has failed."""
    return _absorb(operands, decisive=False)


def any_of(*operands: Callable[[], bool]) -> bool:
    """``||`` in any order: one true decides, whatever else has failed."""
    return _absorb(operands, decisive=True)


def every(test: Callable[..., bool], rows: Iterable[tuple[object, ...]]) -> bool:
    """``all``: ``&&`` over the test of each row."""
    return _absorb((lambda row=row: test(*row) for row in rows), decisive=False)  # type: ignore[misc]


def some(test: Callable[..., bool], rows: Iterable[tuple[object, ...]]) -> bool:
    """``exists``: ``||`` over the test of each row."""
    return _absorb((lambda row=row: test(*row) for row in rows), decisive=True)  # type: ignore[misc]


def _absorb(operands: Iterable[Callable[[], bool]], *, decisive: bool) -> bool:
    failure: EvalError | None = None
    for operand in operands:
        try:
            if operand() is decisive:
                return decisive
        except EvalError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive


def matches(text: str, pattern: str) -> bool:
    """Whether a pattern is found anywhere in a text, in time linear in the text."""
    return regex.compiled(pattern).search(text)
