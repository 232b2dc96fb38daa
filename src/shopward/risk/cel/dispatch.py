"""The vocabulary of generated code, and the choice of an overload by the types of values.

The promise: ``NAMESPACE`` holds every name that generated code may use and nothing else, no builtins either.
Dynamic dispatch compiles the templates of ``functions``; it finds the overload that the checker would have found.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shopward.risk.cel import conversions, runtime, times, values
from shopward.risk.cel.functions import FUNCTIONS, VARIADIC, Overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.cel.types import Type

NAMESPACE: dict[str, Any] = {
    "__builtins__": {},
    **{name.__name__: name for name in (all, any, bool, float, len, sum)},
    "UInt": values.UInt,
    "inf": math.inf,
    "nan": math.nan,
    "cel_abs": conversions.absolute,
    "cel_all_of": runtime.all_of,
    "cel_any_of": runtime.any_of,
    "cel_bool": runtime.need_bool,
    "cel_bool_of_string": conversions.bool_of_string,
    "cel_bytes": conversions.bytes_of,
    "cel_ceil": conversions.ceil,
    "cel_date": times.date,
    "cel_day_of_year": times.day_of_year,
    "cel_divide": runtime.divide,
    "cel_divide_double": runtime.divide_double,
    "cel_double_of_int": float,
    "cel_double_of_string": conversions.double_of_string,
    "cel_double_of_uint": float,
    "cel_duration": values.duration,
    "cel_equal": runtime.equal,
    "cel_every": runtime.every,
    "cel_fail": runtime.fail,
    "cel_floor": conversions.floor,
    "cel_greatest": conversions.greatest,
    "cel_has": runtime.has_field,
    "cel_in_list": runtime.in_list,
    "cel_in_map": runtime.in_map,
    "cel_index": runtime.index,
    "cel_int": runtime.check_int,
    "cel_int_of_double": conversions.int_of_double,
    "cel_int_of_string": conversions.int_of_string,
    "cel_int_of_timestamp": conversions.int_of_timestamp,
    "cel_int_of_uint": lambda value: runtime.check_int(int(value)),
    "cel_is_finite": math.isfinite,
    "cel_is_infinite": math.isinf,
    "cel_is_nan": math.isnan,
    "cel_items": runtime.items_of,
    "cel_least": conversions.least,
    "cel_lookup": runtime.lookup,
    "cel_map": runtime.make_map,
    "cel_matches": runtime.matches,
    "cel_max": max,
    "cel_min": min,
    "cel_modulo": runtime.modulo,
    "cel_pairs": runtime.pairs_of,
    "cel_parse_duration": times.parse_duration,
    "cel_parse_timestamp": times.parse_timestamp,
    "cel_round": conversions.nearest,
    "cel_rows": lambda items: [(item,) for item in items],
    "cel_select": runtime.select,
    "cel_shift_left": conversions.shift_left,
    "cel_shift_right": conversions.shift_right,
    "cel_sign": conversions.sign,
    "cel_some": runtime.some,
    "cel_text": conversions.text_of,
    "cel_timestamp": values.timestamp,
    "cel_trunc": conversions.truncate,
    "cel_truncate": runtime.truncate,
    "cel_type": conversions.type_of,
    "cel_type_value": values.TypeValue,
    "cel_uint": runtime.check_uint,
    "cel_uint_of_double": conversions.uint_of_double,
    "cel_uint_of_int": runtime.check_uint,
    "cel_uint_of_string": conversions.uint_of_string,
}


def call(function: str, method: bool, *arguments: object) -> object:  # noqa: FBT001 - generated code calls it
    """Apply a function to values whose types were not known before."""
    kinds = tuple(map(values.kind_of, arguments))
    return _implementation(function, method, kinds)(*arguments)


NAMESPACE["cel_call"] = call


@lru_cache(maxsize=1024)
def _implementation(function: str, method: bool, kinds: tuple[str, ...]) -> Callable[..., object]:  # noqa: FBT001
    if function in VARIADIC:
        helper: Callable[..., object] = NAMESPACE[VARIADIC[function]]
        return helper
    if function == "_[_]" and kinds[0] == "list":
        return runtime.index  # an index that is dynamic may be of any numeric type
    for overload in FUNCTIONS.get(function, ()):
        if overload.method is method and len(overload.params) == len(kinds):
            pairs = zip(overload.params, kinds, strict=True)
            if all(_accepts(param, kind) for param, kind in pairs):
                return _compile(overload)
    return lambda *_: runtime.no_overload(function, *kinds)


def _accepts(param: Type, kind: str) -> bool:
    return param.name in {"A", "B", "dyn", kind}


def _compile(overload: Overload) -> Callable[..., object]:
    names = [f"a{position}" for position in range(len(overload.params))]
    source = f"lambda {', '.join(names)}: {overload.template.format(*names)}"
    function: Callable[..., object] = eval(source, NAMESPACE)  # noqa: S307 - our own table, no input
    return function
