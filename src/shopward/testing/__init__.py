"""A simulated shop, for tests, demonstrations and measurements.

Promise: seeded, deterministic, plain dicts of the contract's event shape, nothing of the engine imported. What it does
not do: it is not a model of any real shop, and a detector that is good here is not thereby good there
(docs/simulator.md). The attackers are in ``shopward.testing.attackers``.
"""

from __future__ import annotations

from shopward.testing.demo import demo_week
from shopward.testing.person import Person
from shopward.testing.shop import Shop, Story
from shopward.testing.simulator import Label, Planned, ShopSimulator
from shopward.testing.writing import Written, write

__all__ = [
    "Label",
    "Person",
    "Planned",
    "Shop",
    "ShopSimulator",
    "Story",
    "Written",
    "demo_week",
    "write",
]
