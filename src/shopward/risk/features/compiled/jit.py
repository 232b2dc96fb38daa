"""How functions of the compiled kernel are compiled, and where the machine code is kept.

Promise: compiled code is kept on disk where a place can be written, so that a fresh process does not compile again (a
minute, once); where none can be, it compiles at each start and nothing else changes.

The place is ``NUMBA_CACHE_DIR``, or else the user's cache folder. It is executed, so it is made for its owner alone.
Numba asks the file of a function alone whether it changed, and the kernel is spread over several files that are compiled
into each other: therefore the folder's name is a digest of all of them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.features.compiled import Words

F = TypeVar("F", bound="Callable[..., Any]")


def compiled(function: F) -> F:
    """The function as machine code."""
    if FOLDER is None:
        return cast("F", numba.njit(error_model="numpy")(function))
    others, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(FOLDER)
    try:
        return cast("F", numba.njit(error_model="numpy", cache=True)(function))
    finally:
        numba.config.CACHE_DIR = others


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
    """Where compiled code is kept; ``None`` where nothing can be written (open: it compiles at each start)."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=8).hexdigest()
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = (Path(chosen) if chosen else cache / "shopward") / f"kernel-{digest}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


FOLDER: Final = _folder()
