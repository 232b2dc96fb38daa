"""How hot functions are compiled, and where the machine code is kept; needs the extra ``[fast]`` (numba).

Promise: compiled code is kept on disk where a place can be written, so that a fresh process does not compile again; where none
can be, it compiles at each start and nothing else changes.

The place is ``NUMBA_CACHE_DIR``, or else the user's cache folder. It is executed, so it is made for its owner alone. Numba asks
the file of a function alone whether it changed, and functions and constants of several files are compiled into each other:
therefore the folder's name is a digest of all of them, and of this file.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

F = TypeVar("F", bound="Callable[..., Any]")


def code_folder(name: str, sources: Iterable[Path]) -> Path | None:
    """Where the code of some files is kept; ``None`` where nothing can be written (open: it compiles at each start).

    Args:
        name: what it is the code of.
        sources: the files of all functions that are compiled, and of all constants that these take from elsewhere.
    """
    whole = b"".join(path.read_bytes() for path in sorted([Path(__file__), *sources]))
    digest = hashlib.blake2b(whole, digest_size=8).hexdigest()
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = (Path(chosen) if chosen else cache / "shopward") / f"{name}-{digest}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def compiled_in(folder: Path | None, function: F, *, is_inlined: bool = False) -> F:
    """The function as machine code, kept in a folder of ``code_folder``; where it is inlined, in each of its callers."""
    if folder is None:
        return cast("F", numba.njit(error_model="numpy", forceinline=is_inlined)(function))
    others, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        return cast("F", numba.njit(error_model="numpy", forceinline=is_inlined, cache=True)(function))
    finally:
        numba.config.CACHE_DIR = others
