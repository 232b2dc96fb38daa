"""What commands share that look at a recorded stream: the log of a store, or files; labels; times; a bar.

Promise: a store is opened for reading alone, beside its running server, and is neither made nor upgraded. A bar stands
on a terminal and nowhere else.
"""

from __future__ import annotations

import csv
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from shopward.adapters.formats.streams import read_events
from shopward.config import settings_from
from shopward.errors import BadInput, InvalidField, Misconfigured
from shopward.flows.backtest import Editions, Stretch, stretches_of
from shopward.risk.policy import PolicyFiles
from shopward.service import open_log_to_read, published_policies
from shopward.values import parse_duration_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.flows.replay import Line
    from shopward.ports import EventLog, LogEntry

GENUINE: Final = "genuine"
"""The word of a CSV that says no fraud."""
_PAGE: Final = 2_000
_BAR_EVERY: Final = 1_000


class RecordedLog(NamedTuple):
    """All entries of a log up to where it ended when it was opened, once with a bar, and again up to a position.

    Either ``entries`` or ``stretches`` is gone through.
    """

    entries: Iterator[LogEntry]
    stretches: Iterator[Stretch]
    reread: Callable[[int], Iterator[LogEntry]]


@contextmanager
def recorded_log(data: str | None, database: str | None, label: str) -> Iterator[RecordedLog]:
    """The log of a store, opened for reading."""
    log = open_log_to_read(settings_from(os.environ, data=data, database=database))
    try:
        last = log.last_seq()
        with _bar(last, label) as bar:
            yield RecordedLog(
                _entries(log, last, bar.update),
                stretches_of(log, last=last, update=bar.update),
                lambda until: _entries(log, until, _nothing),
            )
    finally:
        log.close()


def recorded_policies(data: str | None, database: str | None) -> Editions:
    """The policies that decided a store's log; where nothing was published, the one that ships."""
    published = published_policies(settings_from(os.environ, data=data, database=database))
    policies = {digest: files.compiled() for digest, files in published.items()}
    first = next(iter(policies.values())) if policies else PolicyFiles.shipped().compiled()
    return Editions(first, policies)


@contextmanager
def file_events(files: tuple[str, ...], label: str) -> Iterator[Iterator[Line]]:
    """All events of the files, in the order given, and in its place why a row of Parquet is none."""
    sizes = [Path(file).stat().st_size for file in files if file != "-" and Path(file).exists()]
    with _bar(sum(sizes), label) as bar:
        yield _events(files, bar)


def moment_ms(text: str | None, default: int = 0) -> int:
    """An RFC 3339 time of an option; one without a zone is UTC."""
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no RFC 3339 time, such as 2026-02-05T00:00:00Z") from None
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _nothing(_done: int) -> None:
    """Show nothing."""


def delay_ms_of(text: str) -> int:
    """The label delay of an option; ``0`` for none."""
    if text in ("0", "0d"):
        return 0
    try:
        return parse_duration_ms(text, path="--label-delay")
    except InvalidField as wrong:
        failure = Misconfigured(wrong.message, path=wrong.path, expected=wrong.expected, found=wrong.found)
    raise failure


class CsvLabel(NamedTuple):
    """A label from outside the stream; ``known_ms`` is when it was known, ``None`` where the file does not say."""

    event_id: str
    word: str
    known_ms: int | None


def csv_labels(path: Path | None) -> Iterator[CsvLabel]:
    """Labels of a CSV by the names of its columns: ``event_id``, ``label`` and, where it is there, ``labelled_at``."""
    if path is None:
        return
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if not {"event_id", "label"} <= set(rows.fieldnames or ()):
            raise Misconfigured(
                "no labels in this file", path="--labels", expected="the columns event_id and label"
            )
        for row in rows:
            if row["event_id"] and row["label"]:
                known = row.get("labelled_at") or ""
                yield CsvLabel(row["event_id"], row["label"], moment_ms(known) if known else None)


def _entries(log: EventLog, last: int, update: Callable[[int], None]) -> Iterator[LogEntry]:
    after = 0
    while after < last:
        page = log.read(after_seq=after, limit=min(_PAGE, last - after))
        if not page:
            return
        yield from page
        update(page[-1].seq - after)
        after = page[-1].seq


def _events(files: tuple[str, ...], bar: Any) -> Iterator[Line]:
    for file in files:
        done, refused = 0, list[BadInput]()
        source = read_events(file, on_refused=refused.append)
        for number, item in enumerate(source):
            if not number % _BAR_EVERY:
                bar.update(source.bytes_read - done)
                done = source.bytes_read
            if refused:
                yield from refused
                refused.clear()
            yield item
        yield from refused


def _bar(length: int, label: str) -> Any:
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
