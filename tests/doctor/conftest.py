"""A store of each kind, as the tests of protection have it."""

from protection.conftest import database  # noqa: F401 -- a fixture
