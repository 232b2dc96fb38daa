"""What every test stands on: what a server froze is let go after each file, so that closed servers leave no memory and no thread behind."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def thawed() -> Iterator[None]:
    """A server hides what it holds from the collector for as long as its process lives (``adapters.process``); here it lives on."""
    yield
    gc.unfreeze()
