"""The SDK's page and its code name the same faults."""

from __future__ import annotations

from pathlib import Path

from shopward.client import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"


def test_every_fault_stands_on_the_page():
    """A shop can look up whatever a fault says."""
    text = PAGE.read_text(encoding="utf-8")
    assert not [code for code in FAULTS if f"| `{code}` |" not in text]
