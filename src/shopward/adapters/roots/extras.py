"""Libraries of roots that not everybody has."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def library_of(name: str) -> Any | None:
    """A library, ``None`` where it is not installed; neither of these says its types."""
    try:
        return import_module(name)
    except ImportError:
        return None
