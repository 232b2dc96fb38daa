"""What somebody is told of a date; plain values."""

from __future__ import annotations

from typing import NamedTuple


class Telling(NamedTuple):
    """Of which subject, of what of it, by when, and whether that is ``near`` or ``passed``."""

    subject: str
    of: str
    due_ms: int
    step: str
