"""A learned part of one's own, from a file that may be replaced while the server runs.

Promise: what judges is always a whole bundle. A file that is missing, broken, of another release or would flag what is
ordinary is refused with its reason in the log of the server, and what judged before goes on: at the start the bundle that ships. So
it fails open; ``refused`` says so for the metrics. A file is read when it changed, and only then; put the former one back, and it
judges again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, TypeVar

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
_logger = logging.getLogger("shopward")


class BundleFile(Generic[T]):
    """The newest bundle of a file that could be used; called from one thread at a time.

    Args:
        path: of the bundle; ``None`` where there is none.
        read: gives what judges by its bytes, or raises ``ModelInvalid``.
        before: what judges until then.
    """

    def __init__(self, path: Path | None, read: Callable[[bytes], T], before: T) -> None:
        self._path = path
        self._read = read
        self._used = before
        self._stamp: tuple[int, int] | None = None
        self.refused = False

    def __call__(self) -> T:
        """What judges now."""
        if self._path is not None:
            self._look(self._path)
        return self._used

    def _look(self, path: Path) -> None:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            raw = path.read_bytes()
        except OSError as failed:
            if self._stamp is not None or not self.refused:
                self._refuse(path, type(failed).__name__)
            self._stamp = None
            return
        self._stamp = stamp
        try:
            self._used = self._read(raw)
        except ModelInvalid as wrong:
            said = [wrong.message, *(f"{name}: {value}" for name, value in wrong.diagnostics().items())]
            self._refuse(path, "; ".join(said))
            return
        self.refused = False
        _logger.info("the bundle %s judges from now on", path.name)

    def _refuse(self, path: Path, why: str) -> None:
        self.refused = True
        _logger.warning("the bundle %s is not used, what judged before goes on: %s", path.name, why)
