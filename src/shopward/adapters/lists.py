"""Lists of reported links in files, as feeds bring them.

Promise: files are read again when they changed, and only then; a file that is gone or broken leaves what it said before and is
named in the log of the server. Entries run out by themselves (``screening.links.lists``), so that a feed that stopped stops
counting.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shopward.errors import BadInput
from shopward.screening.links.lists import read_entries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from shopward.screening import ListEntry

_logger = logging.getLogger("shopward")


class ListFiles:
    """The entries of some files; called from one thread at a time.

    Args:
        paths: NDJSON files (docs/screening.md, "Links").
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._entries: dict[Path, tuple[ListEntry, ...]] = dict.fromkeys(paths, ())
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._whole: tuple[ListEntry, ...] = ()

    def __call__(self) -> tuple[ListEntry, ...]:
        """All entries; the same object for as long as no file changed."""
        changed = [path for path in self._entries if self._has_changed(path)]
        if changed:
            self._whole = tuple(entry for entries in self._entries.values() for entry in entries)
        return self._whole

    def _has_changed(self, path: Path) -> bool:
        """Read a file that is another than before; fails open: one that cannot be read leaves what it said."""
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if self._stamps.get(path) == stamp:
                return False
            self._stamps[path] = stamp
            self._entries[path] = tuple(read_entries(path.read_bytes()))
        except OSError as failed:
            if self._stamps.pop(path, None) is not None:
                _logger.warning("the list %s cannot be read: %s", path.name, type(failed).__name__)
            return False
        except BadInput as wrong:
            _logger.warning("the list %s is not used: %s", path.name, wrong.path)
            return False
        return True
