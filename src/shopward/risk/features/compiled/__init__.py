"""The same state as ``features.kernel``, in arrays and machine code; needs the extra ``[fast]`` (numba, numpy).

Promise: readings equal the reference's, event by event. From the bottom up: ``memory`` gives blocks of one array,
``counters`` and ``distincts`` keep panes, ``slots`` what a feature keeps, ``tables`` the row of a key, ``machine`` runs a
``program`` over records that ``fields`` describes, and ``kernel`` is what the rest of Shopward sees. Why so: docs/adr.
"""

from typing import Protocol


class Words(Protocol):
    """Words of 64 bits in machine code: a bare pointer."""

    def __getitem__(self, at: int) -> int:
        """The word at a place."""
        ...

    def __setitem__(self, at: int, value: int) -> None:
        """Write a word."""
        ...
