"""An open Shopward under the policy that ships, over a fresh store of each kind, on a clock that stands."""

import pytest

from protection.conftest import clock, database  # noqa: F401 -- fixtures
from shopward.config import Settings
from shopward.service import Shopward


@pytest.fixture
def opened(database, tmp_path, clock):  # noqa: F811 -- the fixtures
    """Opens it, as often as it is asked."""

    def open_(**more):
        settings = Settings(data=str(tmp_path / "data"), database=database, **more)
        return Shopward.open(settings, clock=clock)

    return open_
