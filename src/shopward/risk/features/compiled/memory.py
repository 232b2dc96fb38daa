"""The memory: all state of the compiled kernel in one array of 64-bit words.

Promise: a reference is an offset into the array, so that the array is its own snapshot and may move when it grows.
Blocks are powers of two of words and come zeroed; what is freed is used again by its size. ``take`` gives 0 where the
array is too short and changes nothing: the caller gives up the step, the array grows, the step is made again.

Layout: ``[words in use, words that were missing, words there are, ..., free list of each block size, families...]``, then blocks and rows as they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.risk.features.compiled.jit import inlined

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

USED: Final = 0
NEED: Final = 1
LIMIT: Final = 2
FREE: Final = 8
SIZES: Final = 32
FAMILIES: Final = FREE + SIZES


@inlined
def take(mem: Words, size: int) -> int:
    """A zeroed block of ``2**size`` words; 0 where memory is short."""
    words = 1 << size
    block = mem[FREE + size]
    if block:
        mem[FREE + size] = mem[block]
        for each in range(block, block + words):
            mem[each] = 0
        return block
    return extend(mem, words)


@inlined
def give(mem: Words, block: int, size: int) -> None:
    """Take a block back."""
    mem[block] = mem[FREE + size]
    mem[FREE + size] = block


@inlined
def extend(mem: Words, words: int) -> int:
    """Words that nobody used before, which are zero; 0 where memory is short."""
    start = mem[USED]
    if start + words > mem[LIMIT]:
        mem[NEED] = words
        return 0
    mem[USED] = start + words
    return start
