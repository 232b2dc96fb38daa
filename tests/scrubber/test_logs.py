"""The logging filter: what a handler writes holds no value, whichever way it came into the record."""

from __future__ import annotations

import io
import logging

from shopward.scrubber import ScrubbingFilter


def logged(write, masking=None) -> str:
    """What a handler with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ScrubbingFilter(masking))
    logger = logging.Logger("test")  # noqa: LOG001 -- a logger of this test alone
    logger.addHandler(handler)
    write(logger)
    return stream.getvalue()


def test_message_arguments_and_traceback_are_masked() -> None:
    """A value in the text, in an argument or in an exception does not reach the stream."""

    def write(logger) -> None:
        logger.warning("login of %s from %s", "budi@example.com", {"hp": "081298765432"})
        try:
            int("no such card 4111111111111111")
        except ValueError:
            logger.exception("payment of 13912345678 failed")

    said = logged(write)
    for value in ("budi@example.com", "081298765432", "4111111111111111", "13912345678"):
        assert value not in said
    assert "ValueError" in said
    assert said.count("[phone]") == 2


def test_a_record_that_cannot_be_masked_is_left_out() -> None:
    """The filter fails closed."""

    def broken(_text: str) -> str:
        raise RuntimeError

    said = logged(lambda logger: logger.warning("hp 081298765432"), broken)
    assert "081298765432" not in said
    assert "left out" in said


def test_bad_arguments_do_not_put_the_values_back() -> None:
    """A message whose arguments do not fit is left out, not printed raw."""
    assert "081298765432" not in logged(lambda logger: logger.warning("%d", "081298765432"))
