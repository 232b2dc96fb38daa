"""Letters of other scripts that look like Latin ones: a small pinned table, generated once from Unicode's confusables.

Promise: ``LATIN_OF`` maps a lower-case character to the Latin letter or digit that it looks like, and no ASCII character to
anything, so that updates of Unicode's table never make ``o`` and ``0`` of an ordinary name change places here.
"""

from __future__ import annotations

from importlib import resources
from typing import Final


def _table() -> dict[int, str]:
    text = (resources.files("shopward.screening") / "confusables.txt").read_text(encoding="utf-8")
    rows = (line.partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {ord(each): latin for latin, _, alike in rows for each in alike}


LATIN_OF: Final = _table()
