"""What the scenarios share: a shop with customers for attackers, and a quiet one for what must not be stopped.

More seeds by the environment: ``SHOPWARD_SCENARIO_SEEDS=1,2,3``.
"""

from __future__ import annotations

import os

import pytest

SEEDS = [int(seed) for seed in os.environ.get("SHOPWARD_SCENARIO_SEEDS", "1").split(",")]


def seeded(seed):
    """What a seed is called in a test's name."""
    return f"seed{seed}"


@pytest.fixture(params=SEEDS, ids=seeded)
def stage(request):
    """A shop of 200 after 14 ordinary days, with the engine beside it."""
    from scenarios.stage import Stage  # noqa: PLC0415 -- pytest collects this file before the package

    return Stage(request.param)


@pytest.fixture(params=SEEDS, ids=seeded)
def quiet(request):
    """The same with 40 residents."""
    from scenarios.stage import Stage  # noqa: PLC0415 -- pytest collects this file before the package

    return Stage(request.param, residents=40)
