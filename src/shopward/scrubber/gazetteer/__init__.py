"""Word lists of the scrubber: one file a list, words between blanks, lines of # for people."""

from __future__ import annotations

from importlib import resources


def words(name: str) -> frozenset[str]:
    """All words of a list."""
    text = resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
