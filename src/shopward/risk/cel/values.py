"""The values of CEL as Python objects, where Python's own are not enough.

The promise: a value's Python class tells its CEL type. ``int`` is CEL's int, ``UInt`` its uint, ``float`` its
double; ``str``, ``bytes``, ``bool``, ``None``, ``list`` and ``dict`` mean themselves. Timestamps and durations count
nanoseconds and are always in range. In a ``dict`` a bool key is a ``BoolKey``, because to Python ``True`` and ``1``
would be one key. ``from_python`` and ``to_native`` are the only doors in and out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from shopward.risk.cel import types
from shopward.risk.cel.issues import EvalError

if TYPE_CHECKING:
    from collections.abc import Callable

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1
NS_PER_S = 1_000_000_000
# 0001-01-01T00:00:00Z and the last nanosecond of 9999-12-31.
TIMESTAMP_MIN_NS = -62_135_596_800 * NS_PER_S
TIMESTAMP_MAX_NS = 253_402_300_800 * NS_PER_S - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class UInt(int):
    """An unsigned 64-bit integer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970 in UTC."""

    ns: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A signed span of time in nanoseconds."""

    ns: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: what ``type(x)`` returns."""

    name: str


class BoolKey(Enum):
    """A bool as a key of a map."""

    FALSE = False
    TRUE = True


KINDS: dict[type, str] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    dict: "map",
    Timestamp: types.TIMESTAMP.name,
    Duration: types.DURATION.name,
    TypeValue: "type",
}


def kind_of(value: object) -> str:
    """The name of a value's CEL type."""
    return KINDS[type(value)]


def timestamp(ns: int) -> Timestamp:
    """A timestamp, or a range error."""
    if TIMESTAMP_MIN_NS <= ns <= TIMESTAMP_MAX_NS:
        return Timestamp(ns)
    raise EvalError("timestamp out of range", expected="a time in the years 1 to 9999")


def duration(ns: int) -> Duration:
    """A duration, or a range error."""
    if INT_MIN <= ns <= INT_MAX:
        return Duration(ns)
    raise EvalError("duration out of range", expected="at most 292 years")


def encode_key(key: object) -> object:
    """A value as the key of a map; numbers of all three types that are equal are one key."""
    if type(key) is bool:
        return BoolKey(key)
    if type(key) is float and key.is_integer():
        return int(key)
    return key


def decode_key(key: object) -> object:
    """The value that a key of a map stands for."""
    return key.value if isinstance(key, BoolKey) else key


def default_of(kind: types.Type) -> object:
    """What an unset field or variable reads as."""
    return _DEFAULTS.get(kind.name)


def is_default(value: object) -> bool:
    """Whether an unset field of some type reads as this value."""
    return any(value == default for default in _DEFAULTS.values())


def from_python(value: object, kind: types.Type = types.DYN) -> object:
    """A Python value as a value of a declared type.

    Raises:
        EvalError: the value does not have this type.
    """
    if kind.name == "dyn":
        return _infer(value)
    if kind.name == "list" and isinstance(value, list | tuple):
        return [from_python(item, kind.params[0]) for item in value]
    if kind.name == "map" and isinstance(value, dict):
        key, item = kind.params
        return {encode_key(from_python(k, key)): from_python(v, item) for k, v in value.items()}
    if (convert := _CONVERTERS.get((kind.name, type(value)))) is not None:
        return convert(value)
    raise EvalError(f"a value is not of its declared type {kind}", found=type(value).__name__)


def to_native(value: object) -> object:
    """A result with map keys as plain Python bools again; the inverse of ``from_python`` for containers."""
    if isinstance(value, list):
        return [to_native(item) for item in value]
    if isinstance(value, dict):
        return {decode_key(key): to_native(item) for key, item in value.items()}
    return value


def _infer(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_infer(item) for item in value]
    if isinstance(value, dict):
        return {encode_key(_infer(key)): _infer(item) for key, item in value.items()}
    if type(value) is int:
        return _int(value)
    if isinstance(value, dt.datetime):
        return _from_datetime(value)
    if isinstance(value, dt.timedelta):
        return _from_timedelta(value)
    if type(value) in KINDS:
        return value
    raise EvalError("a value has no type of CEL", found=type(value).__name__)


def _from_timedelta(value: dt.timedelta) -> Duration:
    return duration(value // dt.timedelta(microseconds=1) * 1000)


def _from_datetime(value: dt.datetime) -> Timestamp:
    if value.tzinfo is None:
        raise EvalError("a datetime without a time zone is no point in time")
    return timestamp((value - _EPOCH) // dt.timedelta(microseconds=1) * 1000)


def _int(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvalError("an int is out of the 64-bit range")


def _uint(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise EvalError("a uint is out of the 64-bit range")


def _same(value: object) -> object:
    return value


_DEFAULTS: dict[str, object] = {
    "bool": False,
    "int": 0,
    "uint": UInt(0),
    "double": 0.0,
    "string": "",
    "bytes": b"",
    "list": [],
    "map": {},
    types.TIMESTAMP.name: Timestamp(0),
    types.DURATION.name: Duration(0),
}
_CONVERTERS: dict[tuple[str, type], Callable[..., object]] = {
    **{(name, python): _same for python, name in KINDS.items() if name not in {"list", "map"}},
    ("int", int): _int,
    ("uint", int): _uint,
    ("double", int): float,  # JSON writes 1.0 as 1
    (types.TIMESTAMP.name, dt.datetime): _from_datetime,
    (types.DURATION.name, dt.timedelta): _from_timedelta,
}
