"""The functions and operators of the subset: signatures, and the Python expression each one becomes.

The promise: this table is the only description of a function. The checker resolves overloads from it, the code
generator pastes its templates, and dynamic dispatch compiles the same templates; so static and dynamic evaluation
cannot drift apart. ``fails`` is true wherever evaluation may raise. Helper names are those of ``runtime``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shopward.risk.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Param,
    Type,
    list_of,
    map_of,
)

# How tightly Python binds an expression; a part that binds less than its place asks for is put in parentheses.
LOOSE, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, ATOM = range(1, 10)

A, B = Param("A"), Param("B")


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature and its Python template."""

    params: tuple[Type, ...]
    result: Type
    template: str
    level: int = ATOM
    tight: int = LOOSE
    fails: bool = False
    method: bool = False


_table: dict[str, list[Overload]] = {}


def _add(
    name: str,
    params: str | tuple[Type, ...],
    result: Type,
    template: str,
    *,
    level: int = ATOM,
    tight: int = LOOSE,
    fails: bool = False,
    method: bool = False,
) -> None:
    kinds = tuple(_SHORT[letter] for letter in params) if isinstance(params, str) else params
    _table.setdefault(name, []).append(Overload(kinds, result, template, level, tight, fails, method))


_SHORT: Final = {
    "b": BOOL,
    "i": INT,
    "u": UINT,
    "d": DOUBLE,
    "s": STRING,
    "y": BYTES,
    "t": TIMESTAMP,
    "D": DURATION,
    "?": DYN,
    "A": A,
}


def _arithmetic() -> None:
    for mark in "+-*":
        _add(f"_{mark}_", "ii", INT, f"cel_int({{0}} {mark} {{1}})", tight=UNARY, fails=True)
        _add(f"_{mark}_", "uu", UINT, f"cel_uint({{0}} {mark} {{1}})", tight=UNARY, fails=True)
    _add("_+_", "dd", DOUBLE, "{0} + {1}", level=SUM, tight=PRODUCT)
    _add("_-_", "dd", DOUBLE, "{0} - {1}", level=SUM, tight=PRODUCT)
    _add("_*_", "dd", DOUBLE, "{0} * {1}", level=PRODUCT, tight=UNARY)
    _add("_/_", "dd", DOUBLE, "cel_divide_double({0}, {1})")
    for mark, helper in (("/", "cel_divide"), ("%", "cel_modulo")):
        _add(f"_{mark}_", "ii", INT, f"{helper}({{0}}, {{1}})", fails=True)
        _add(f"_{mark}_", "uu", UINT, f"UInt({helper}({{0}}, {{1}}))", fails=True)
    _add("-_", "i", INT, "cel_int(-{0})", tight=ATOM, fails=True)
    _add("-_", "d", DOUBLE, "-{0}", level=UNARY, tight=ATOM)
    for text in (STRING, BYTES, list_of(A)):
        _add("_+_", (text, text), text, "{0} + {1}", level=SUM, tight=PRODUCT)
    for mark, params, kind in (
        ("+", "tD", TIMESTAMP),
        ("+", "Dt", TIMESTAMP),
        ("+", "DD", DURATION),
        ("-", "tD", TIMESTAMP),
        ("-", "tt", DURATION),
        ("-", "DD", DURATION),
    ):
        helper = "cel_timestamp" if kind is TIMESTAMP else "cel_duration"
        _add(f"_{mark}_", params, kind, f"{helper}({{0}}.ns {mark} {{1}}.ns)", tight=ATOM, fails=True)


def _comparison() -> None:
    for mark in ("<", "<=", ">", ">="):
        plain = f"{{0}} {mark} {{1}}"
        for params in ("bb", "ii", "uu", "dd", "ss", "yy", "tt", "DD", "iu", "ui"):
            _add(f"_{mark}_", params, BOOL, plain, level=COMPARE, tight=SUM)
        # Between a whole number and a double CEL compares doubles; Python would compare exactly.
        for params in ("id", "ud"):
            _add(f"_{mark}_", params, BOOL, f"float({{0}}) {mark} {{1}}", level=COMPARE, tight=SUM)
        for params in ("di", "du"):
            _add(f"_{mark}_", params, BOOL, f"{{0}} {mark} float({{1}})", level=COMPARE, tight=SUM)
    _add("!_", "b", BOOL, "not {0}", level=NOT, tight=NOT)
    # These three never fail; the code generator writes plain Python where the types allow it.
    _add("_==_", "AA", BOOL, "cel_equal({0}, {1})")
    _add("_!=_", "AA", BOOL, "not cel_equal({0}, {1})", level=NOT)
    _add("@in", (A, list_of(A)), BOOL, "cel_in_list({0}, {1})")
    _add("@in", (A, map_of(A, B)), BOOL, "cel_in_map({0}, {1})")
    _add("_[_]", (list_of(A), INT), A, "cel_index({0}, {1})", fails=True)
    _add("_[_]", (map_of(A, B), A), B, "cel_lookup({0}, {1})", fails=True)


def _text() -> None:
    for method in (True, False):
        for kind in (STRING, BYTES, list_of(A), map_of(A, B)):
            _add("size", (kind,), INT, "len({0})", method=method)
        _add("matches", "ss", BOOL, "cel_matches({0}, {1})", fails=True, method=method)
    _add("contains", "ss", BOOL, "{1} in {0}", level=COMPARE, tight=SUM, method=True)
    _add("startsWith", "ss", BOOL, "{0}.startswith({1})", tight=ATOM, method=True)
    _add("endsWith", "ss", BOOL, "{0}.endswith({1})", tight=ATOM, method=True)


def _conversions() -> None:
    for kind, letters in (("int", "iudst"), ("uint", "iuds"), ("double", "iuds")):
        result = {"int": INT, "uint": UINT, "double": DOUBLE}[kind]
        for letter in letters:
            name = {"i": "int", "u": "uint", "d": "double", "s": "string", "t": "timestamp"}[letter]
            if name == kind:
                _add(kind, letter, result, "{0}", tight=ATOM)
            else:
                _add(kind, letter, result, f"cel_{kind}_of_{name}({{0}})", fails=True)
    for letter in "biudytD":
        _add("string", letter, STRING, "cel_text({0})", fails=letter == "y")
    _add("string", "s", STRING, "{0}", tight=ATOM)
    _add("bytes", "y", BYTES, "{0}", tight=ATOM)
    _add("bytes", "s", BYTES, "cel_bytes({0})", fails=True)
    _add("bool", "b", BOOL, "{0}", tight=ATOM)
    _add("bool", "s", BOOL, "cel_bool_of_string({0})", fails=True)
    _add("timestamp", "t", TIMESTAMP, "{0}", tight=ATOM)
    _add("timestamp", "i", TIMESTAMP, "cel_timestamp({0} * 1000000000)", tight=UNARY, fails=True)
    _add("timestamp", "s", TIMESTAMP, "cel_parse_timestamp({0})", fails=True)
    _add("duration", "D", DURATION, "{0}", tight=ATOM)
    _add("duration", "i", DURATION, "cel_duration({0} * 1000000000)", tight=UNARY, fails=True)
    _add("duration", "s", DURATION, "cel_parse_duration({0})", fails=True)
    _add("type", "A", TYPE, "cel_type({0})")
    _add("dyn", "A", DYN, "{0}", tight=ATOM)


ACCESSORS = {
    "getFullYear": "cel_date({0}{1}).year",
    "getMonth": "cel_date({0}{1}).month - 1",
    "getDate": "cel_date({0}{1}).day",
    "getDayOfMonth": "cel_date({0}{1}).day - 1",
    "getDayOfWeek": "cel_date({0}{1}).isoweekday() % 7",
    "getDayOfYear": "cel_day_of_year({0}{1})",
    "getHours": "cel_date({0}{1}).hour",
    "getMinutes": "cel_date({0}{1}).minute",
    "getSeconds": "cel_date({0}{1}).second",
    "getMilliseconds": "cel_date({0}{1}).microsecond // 1000",
}
_DURATION_PARTS = {
    "getHours": "cel_truncate({0}.ns, 3600000000000)",
    "getMinutes": "cel_truncate({0}.ns, 60000000000)",
    "getSeconds": "cel_truncate({0}.ns, 1000000000)",
    "getMilliseconds": "cel_truncate({0}.ns, 1000000) % 1000",
}


def _times() -> None:
    for name, template in ACCESSORS.items():
        _add(name, "t", INT, template.format("{0}", ""), level=SUM, fails=True, method=True)
        _add(name, "ts", INT, template.format("{0}", ", {1}"), level=SUM, fails=True, method=True)
    for name, template in _DURATION_PARTS.items():
        _add(name, "D", INT, template, level=SUM, tight=ATOM, method=True)


def _math() -> None:
    for name in ("ceil", "floor", "round", "trunc"):
        _add(f"math.{name}", "d", DOUBLE, f"cel_{name}({{0}})")
    for name, letters in (("abs", "iud"), ("sign", "iud")):
        for letter in letters:
            _add(f"math.{name}", letter, _SHORT[letter], f"cel_{name}({{0}})", fails=True)
    _add("math.isNaN", "d", BOOL, "cel_is_nan({0})")
    _add("math.isInf", "d", BOOL, "cel_is_infinite({0})")
    _add("math.isFinite", "d", BOOL, "cel_is_finite({0})")
    for name, mark in (("And", "&"), ("Or", "|"), ("Xor", "^")):
        _add(f"math.bit{name}", "ii", INT, f"{{0}} {mark} {{1}}", level=LOOSE, tight=ATOM)
        _add(f"math.bit{name}", "uu", UINT, f"UInt({{0}} {mark} {{1}})", tight=ATOM)
    _add("math.bitNot", "i", INT, "~{0}", level=UNARY, tight=ATOM)
    _add("math.bitNot", "u", UINT, "UInt({0} ^ 18446744073709551615)", tight=ATOM)
    for direction in ("left", "right"):
        for letter in "iu":
            name = f"math.bitShift{direction.capitalize()}"
            template = f"cel_shift_{direction}({{0}}, {{1}})"
            _add(name, letter + "i", _SHORT[letter], template, fails=True)


for _fill in (_arithmetic, _comparison, _text, _conversions, _times, _math):
    _fill()

FUNCTIONS: Final[dict[str, tuple[Overload, ...]]] = {name: tuple(rows) for name, rows in _table.items()}
VARIADIC: Final = {"math.greatest": "cel_greatest", "math.least": "cel_least"}
METHODS: Final = frozenset(name for name, rows in FUNCTIONS.items() if any(row.method for row in rows))
GLOBALS: Final = frozenset(
    name for name, rows in FUNCTIONS.items() if name[0] not in "_-!@" and not all(row.method for row in rows)
) | set(VARIADIC)
