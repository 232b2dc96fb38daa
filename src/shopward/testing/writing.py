"""The simulated stream as files: ``events.ndjson.gz`` and ``labels.csv``.

Promise: the same simulator gives the same bytes (the archive carries no time and no name), and a directory holds
either both complete files or none of this call. What it does not do: it overwrites files of these names without asking.
"""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shopward.testing.simulator import Label, ShopSimulator

EVENTS_NAME: Final = "events.ndjson.gz"
LABELS_NAME: Final = "labels.csv"
REPORT_EVERY: Final = 2_000
COMPRESSION: Final = 6


class Written(NamedTuple):
    """What was written."""

    events: int
    labels: int
    events_path: Path
    labels_path: Path


def write(
    directory: Path, simulator: ShopSimulator, progress: Callable[[int, float], None] | None = None
) -> Written:
    """Write both files; ``progress`` hears the number of events and the part of the days done (0 to 1)."""
    directory.mkdir(parents=True, exist_ok=True)
    events_path, labels_path = directory / EVENTS_NAME, directory / LABELS_NAME
    events_part, labels_part = (path.with_name(path.name + ".part") for path in (events_path, labels_path))
    count = _write_events(events_part, simulator, progress)
    labels = simulator.labels()
    _write_labels(labels_part, labels)
    events_part.replace(events_path)
    labels_part.replace(labels_path)
    if progress is not None:
        progress(count, 1.0)
    return Written(count, len(labels), events_path, labels_path)


def _write_events(path: Path, simulator: ShopSimulator, progress: Callable[[int, float], None] | None) -> int:
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    count = 0
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=raw, mtime=0) as out,
    ):
        for event in simulator:
            out.write(encode(event).encode() + b"\n")
            count += 1
            if progress is not None and count % REPORT_EVERY == 0:
                progress(count, simulator.part_done)
    return count


def _write_labels(path: Path, labels: list[Label]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("event_id", "label", "campaign"))
        rows.writerows(labels)
