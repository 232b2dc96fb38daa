"""An open Shopward over a fresh store of each kind, as the tests of protection have it."""

from protection.conftest import clock, database, lite, shop  # noqa: F401 -- fixtures
