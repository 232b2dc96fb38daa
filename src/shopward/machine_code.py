"""How hot functions are compiled, and where the machine code is kept; needs the extra ``[fast]`` (numba).

Promise: compiled code is kept on disk where a place can be written, so that a fresh process does not compile again; where none
can be, it compiles at each start and nothing else changes.

The place is ``NUMBA_CACHE_DIR``, or else the user's cache folder. It is executed, so it is made for its owner alone. Numba asks
the file of a function alone whether it changed, and functions and constants of several files are compiled into each other:
therefore the folder's name is a digest of all of them, and of this file. Of the folders of earlier versions the two that were used
last stay, and all that were used within a day: another process may be about to write there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

F = TypeVar("F", bound="Callable[..., Any]")
KEPT: Final = 2
KEPT_S: Final = 86_400.0


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
        _leave_newest(folder, name)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _leave_newest(folder: Path, name: str) -> None:
    """Remove what earlier versions left; what cannot be removed stays."""
    with suppress(OSError):  # another process removes the same ones
        os.utime(folder)
        used_s = {each: each.stat().st_mtime for each in folder.parent.glob(f"{name}-{'[0-9a-f]' * 16}")}
        for each in sorted(used_s, key=lambda each: used_s[each])[:-KEPT]:
            if used_s[each] < used_s[folder] - KEPT_S:
                shutil.rmtree(each, ignore_errors=True)


def compiled_in(folder: Path | None, function: F, *, is_inlined: bool = False) -> F:
    """The function as machine code, kept in a folder of ``code_folder``; where it is inlined, in each of its callers."""
    if folder is None:
        return cast("F", numba.njit(error_model="numpy", forceinline=is_inlined)(function))
    others, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        return cast("F", numba.njit(error_model="numpy", forceinline=is_inlined, cache=True)(function))
    finally:
        numba.config.CACHE_DIR = others
