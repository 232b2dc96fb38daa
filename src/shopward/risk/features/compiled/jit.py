"""How functions of the compiled kernel are compiled (``machine_code``), and what they need that numba has not.

Promise: a fresh process does not compile the kernel again (a minute, once) while none of its files has changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from shopward.machine_code import code_folder, compiled_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.features.compiled import Words

F = TypeVar("F", bound="Callable[..., Any]")
SOURCES: Final = (*Path(__file__).parent.glob("*.py"), Path(__file__).parents[1] / "series.py")
"""All of the kernel, and whose constants it takes."""


def compiled(function: F) -> F:
    """The function as machine code that is called: for what is large, or seldom needed."""
    return compiled_in(FOLDER, function)


def inlined(function: F) -> F:
    """The function as machine code that stands in each of its callers: for the small steps of every event.

    Left to itself the compiler calls nearly all of them, which made an event a sixth slower.
    """
    return compiled_in(FOLDER, function, is_inlined=True)


@intrinsic  # type: ignore[untyped-decorator]
def _words_at(_typing: Any, address: Any) -> Any:

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.int64)(address), lower


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(_typing: Any, _words: Any, _at: Any) -> Any:
    def lower(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        function = get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(
            function, [place, number(0), number(3), number(1)]
        )  # for reading, to the nearest cache, data

    return types.void(types.CPointer(types.int64), types.int64), lower


prefetch: Final[Callable[[Words, int], None]] = _prefetch
"""Have the cache line of a word fetched while other work goes on."""

words_at: Final[Callable[[int], Words]] = _words_at
"""The words at an address: a bare pointer, which costs nothing to hand on, and checks no index.

An array would be counted at each call and asked for its end at each access: that made the kernel three times slower.
"""


def _folder() -> Path | None:
    """Where compiled code is kept; ``None`` where nothing can be written."""
    return code_folder("kernel", SOURCES)


FOLDER: Final = _folder()
