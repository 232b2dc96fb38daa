"""Conversions between the scalar types, and the functions of ``math``.

The promise: a conversion either keeps the value (rounding toward zero from a double) or raises ``EvalError``;
no text of any length costs more than linear time.
"""

from __future__ import annotations

import math
import re

from shopward.risk.cel import times
from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.runtime import check_int, check_uint
from shopward.risk.cel.values import NS_PER_S, UINT_MAX, Duration, Timestamp, TypeValue, UInt, kind_of

_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}")
_DOUBLE = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE
)
_MAX_NUMBER_LENGTH = 400
_BOOLS = {
    **dict.fromkeys(("1", "t", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "false", "FALSE", "False"), False),
}
# Doubles at these bounds do not survive the way to an integer and back.
_INT_BOUND, _UINT_BOUND = 2.0**63, 2.0**64


def int_of_double(value: float) -> int:
    """The whole part of a double that lies strictly between the bounds of an int."""
    if -_INT_BOUND < value < _INT_BOUND:
        return int(value)
    raise EvalError("range error: the double does not fit an int")


def uint_of_double(value: float) -> UInt:
    """The whole part of a double that fits a uint."""
    if -1.0 < value < _UINT_BOUND and not value < 0:
        return UInt(value)
    raise EvalError("range error: the double does not fit a uint")


def int_of_string(text: str) -> int:
    """A decimal number."""
    if _DECIMAL.fullmatch(text) is None:
        raise EvalError("type conversion error: the string is not an int")
    return check_int(int(text))


def uint_of_string(text: str) -> UInt:
    """A decimal number without a sign."""
    if _DECIMAL.fullmatch(text) is None or text[0] in "+-":
        raise EvalError("type conversion error: the string is not a uint")
    return check_uint(int(text))


def double_of_string(text: str) -> float:
    """A decimal number with or without fraction and exponent."""
    if len(text) > _MAX_NUMBER_LENGTH or _DOUBLE.fullmatch(text) is None:
        raise EvalError("type conversion error: the string is not a double")
    return float(text)


def bool_of_string(text: str) -> bool:
    """One of the ten spellings of true and false."""
    if (value := _BOOLS.get(text)) is None:
        raise EvalError("type conversion error: the string is not a bool")
    return value


def int_of_timestamp(value: Timestamp) -> int:
    """Seconds since 1970."""
    return value.ns // NS_PER_S


def text_of(value: object) -> str:
    """A scalar as text."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return _text_of_double(value)
        case bytes():
            return _decode(value)
        case Timestamp():
            return times.text_of_timestamp(value)
        case Duration():
            return times.text_of_duration(value)
        case _:
            return str(value)


def bytes_of(text: str) -> bytes:
    """A text in UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise EvalError("the string is not valid Unicode") from None


def type_of(value: object) -> TypeValue:
    """The type of a value as a value."""
    return TypeValue(kind_of(value))


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvalError("invalid UTF-8 in bytes") from None


def _text_of_double(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def ceil(value: float) -> float:
    """The next whole double upward."""
    return float(math.ceil(value)) if math.isfinite(value) else value


def floor(value: float) -> float:
    """The next whole double downward."""
    return float(math.floor(value)) if math.isfinite(value) else value


def truncate(value: float) -> float:
    """The whole part of a double."""
    return float(math.trunc(value)) if math.isfinite(value) else value


def nearest(value: float) -> float:
    """The nearest whole double, halves away from zero."""
    if not math.isfinite(value):
        return value
    whole = math.trunc(value)
    return float(whole + math.copysign(1, value)) if abs(value - whole) >= 0.5 else float(whole)


def absolute(value: float) -> float:
    """The value without its sign."""
    return check_int(abs(value)) if type(value) is int else type(value)(abs(value))


def sign(value: float) -> float:
    """-1, 0 or 1 in the type of the value."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return value
    return type(value)((value > 0) - (value < 0))


def greatest(*values: object) -> object:
    """The largest of numbers of any type; the first one of equals."""
    return _extreme(values, least=False)


def least(*values: object) -> object:
    """The smallest of numbers of any type; the first one of equals."""
    return _extreme(values, least=True)


def _extreme(values: tuple[object, ...], *, least: bool) -> object:
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    if not values:
        raise EvalError("math.greatest and math.least need at least one number")
    chosen = values[0]
    for value in values:
        if type(value) not in {int, UInt, float} or not isinstance(chosen, int | float):
            raise EvalError("no such overload: math.greatest or math.least of something that is no number")
        assert isinstance(value, int | float)  # noqa: S101 - the line above looked
        if value < chosen if least else value > chosen:
            chosen = value
    return chosen


def shift_left(value: int, places: int) -> int:
    """The bits moved left; those that leave 64 bits are lost."""
    bits = 0 if _check_places(places) > 63 else (value & UINT_MAX) << places & UINT_MAX
    return _from_bits(value, bits)


def shift_right(value: int, places: int) -> int:
    """The bits moved right, with zeros entering."""
    bits = 0 if _check_places(places) > 63 else (value & UINT_MAX) >> places
    return _from_bits(value, bits)


def _check_places(places: int) -> int:
    if places < 0:
        raise EvalError("a shift by a negative offset")
    return places


def _from_bits(value: int, bits: int) -> int:
    if isinstance(value, UInt):
        return UInt(bits)
    return bits - (UINT_MAX + 1) if bits > UINT_MAX // 2 else bits
