"""A filter for ``logging`` that masks personal values in what is about to be written.

Promise: message, arguments and traceback leave the filter as one masked text, so that no formatter puts a value back.
A record that cannot be scrubbed is replaced by a line that says so: fails closed.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from shopward.scrubber.search import scrub

if TYPE_CHECKING:
    from collections.abc import Callable


class ScrubbingFilter(logging.Filter):
    """Put it on a handler: ``handler.addFilter(ScrubbingFilter())``; every record through it is masked."""

    def __init__(self, masking: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self._mask = masking or (lambda text: scrub(text).text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place and let it pass."""
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                record.exc_text = self._mask("".join(traceback.format_exception(*record.exc_info)).rstrip())
            elif record.exc_text:
                record.exc_text = self._mask(record.exc_text)
            if record.stack_info:
                record.stack_info = self._mask(record.stack_info)
            record.msg = self._mask(text)
        except Exception:  # noqa: BLE001 -- fails closed: what could not be masked is not written
            record.msg = "a record was left out: it could not be scrubbed"
            record.exc_text = record.stack_info = None
        record.args = None
        record.exc_info = None
        return True
