"""The room that the memory stands in: a mapping of its own, in huge pages where the system has them.

Promise: words come zeroed; growing keeps what stands there, and may move it. Rows are touched at random: in pages of 4 KiB
most touches also wait for the table of pages, in pages of 2 MiB few do. Where there are no huge pages, or a mapping
cannot be moved, room is had all the same (open: slower). What the words mean is no matter here: see ``memory``.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import Final

import numpy as np
import numpy.typing as npt

_PAGE_BYTES: Final = 2 << 20
"""Whole huge pages only: a mapping of such a length is aligned to them, when it is made and when it is moved."""
_WORD_BYTES: Final = 8


class Room:
    """Words of 64 bits that can become more.

    Args:
        words: how many are needed at least.

    Attributes:
        words: all of them; another array once the room has grown, and nobody may hold on to the old one.
    """

    def __init__(self, words: int) -> None:
        self._mapping = _mapping(words)
        self.words: npt.NDArray[np.int64] = np.frombuffer(self._mapping, np.int64)

    def grow(self, more: int) -> None:
        """Have so many words more, at least; raises ``OSError`` where there is no memory, and keeps what there is."""
        words = len(self.words) + more
        self.words = self.words[:0].copy()
        try:
            self._mapping.resize(_bytes_of(words))
        except (BufferError, SystemError):  # somebody looks at the old words, or this system moves no mapping
            larger = _mapping(words)
            larger[: len(self._mapping)] = memoryview(self._mapping)
            self._mapping = larger
        finally:
            self.words = np.frombuffer(self._mapping, np.int64)


def _bytes_of(words: int) -> int:
    return -(-words * _WORD_BYTES // _PAGE_BYTES) * _PAGE_BYTES


def _mapping(words: int) -> mmap.mmap:
    fresh = mmap.mmap(-1, _bytes_of(words), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system that was built without them
            fresh.madvise(mmap.MADV_HUGEPAGE)
    return fresh
