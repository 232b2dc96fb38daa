"""Tokens under a key of these tests, and a clock that stands."""

from shopward.events.tokens import Tokeniser

NOW_MS = 1_767_571_200_000


def blind(domain, value):
    """The token of a value."""
    return Tokeniser(b"k" * 32).token(domain, value)
