"""``shopward import``: other formats into events.

Promise: events go to standard output or ``--out`` as NDJSON, refused rows to standard error with their line, what was
expected and what was found; the good rows are written either way, and the exit code is 1 if any row was refused.
A progress bar stands on a terminal alone. Labels leave through ``--labels``, and enter the stream only with
``--label-events``.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from shopward.adapters.formats import (
    EventWriter,
    LabelWriter,
    Refusal,
    Source,
    SshdLog,
    load_map,
    read_aws_ati,
    read_csv,
    read_rba,
    shipped_maps,
    with_label_events,
)
from shopward.adapters.formats.aws_ati import FRAUD_WORDS
from shopward.adapters.formats.times import zone_of
from shopward.errors import InvalidField, Misconfigured
from shopward.events import canonical_bytes
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shopward.adapters.formats import Imported
    from shopward.events import Event

_REFUSALS_SHOWN: Final = 20
_BAR_EVERY: Final = 4_096

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here (.gz by name), not to standard output.",
)
_labels = click.option(
    "--labels",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write event_id,label here, apart from the events.",
)
_label_events = click.option("--label-events", is_flag=True, help="Also put label events into the stream.")
_label_delay = click.option(
    "--label-delay",
    default="30d",
    show_default=True,
    help="How long after its event a label event stands, where its row gives no time: 12h, 30d.",
)


@click.group(name="import")
def import_() -> None:
    """Make events out of other formats: NDJSON for replay, train and the batch call.

    FILE may be plain, .gz or .zst, or - for standard input. Refused rows go to standard error; the good ones are
    written, and the exit code is 1 if any was refused.

    \b
    Examples:
      shopward import rba rba-dataset.csv --out logins.ndjson.gz --labels labels.csv
      shopward import sshd /var/log/auth.log --year 2026 --zone Asia/Jakarta | shopward replay -
      shopward import csv openssh_labsz.csv --map loghub-openssh --out ssh.ndjson
    """


@import_.command()
@_file
@_out
@_labels
@_label_events
@_label_delay
def rba(file: str, *, out: Path | None, labels: Path | None, label_events: bool, label_delay: str) -> None:
    """The login data set for risk-based authentication (33 million rows, CC BY 4.0).

    Account takeovers become the label `ato`, never a part of an event.

    \b
    Examples:
      shopward import rba rba-dataset.csv --out logins.ndjson.gz --labels labels.csv
      shopward import rba rba-dataset.csv --label-events --label-delay 7d | shopward replay -
    """
    source = Source(file)
    _write(source, _labelled(read_rba(source), wanted=label_events, delay=label_delay), out, labels)


@import_.command(name="aws-ati")
@_file
@click.option(
    "--fraud-label",
    "fraud_words",
    metavar="WORD",
    multiple=True,
    default=FRAUD_WORDS,
    show_default=True,
    help="A value of EVENT_LABEL that means fraud; may be repeated. Any other word means genuine.",
)
@_out
@_labels
@_label_events
@_label_delay
def aws_ati(
    file: str,
    *,
    fraud_words: tuple[str, ...],
    out: Path | None,
    labels: Path | None,
    label_events: bool,
    label_delay: str,
) -> None:
    """Login data as Amazon Fraud Detector's Account Takeover Insights takes it.

    Labels become label events at their LABEL_TIMESTAMP, never a part of an event.

    \b
    Examples:
      shopward import aws-ati logins.csv --out logins.ndjson.gz --labels labels.csv
      shopward import aws-ati logins.csv --label-events | shopward policy backtest -
    """
    source = Source(file)
    words = tuple(word.lower() for word in fraud_words)
    items = read_aws_ati(source, fraud_words=words)
    _write(source, _labelled(items, wanted=label_events, delay=label_delay), out, labels)


@import_.command()
@_file
@_out
@click.option(
    "--year", type=click.IntRange(1970, 9998), help="The year of the first line, where the log has none."
)
@click.option(
    "--zone", default="UTC", show_default=True, help="The log's time zone: UTC, +07:00, Asia/Jakarta."
)
def sshd(file: str, out: Path | None, year: int | None, zone: str) -> None:
    """Log lines of OpenSSH, as syslog or journald write them.

    \b
    Examples:
      shopward import sshd /var/log/auth.log --year 2026 --zone Asia/Jakarta --out ssh.ndjson
      journalctl -u ssh -o short-iso | shopward import sshd -
    """
    source = Source(file)
    log = SshdLog(source, zone=zone_of(zone), year=year)
    _write(
        source, log, out, None, note=lambda: f"{log.passed_over} lines were no logins and were passed over"
    )


@import_.command(name="csv")
@_file
@click.option(
    "--map",
    "map_",
    required=True,
    help="A map file, or the name of a shipped map: " + ", ".join(shipped_maps()),
)
@_out
@_labels
@_label_events
@_label_delay
def csv_(
    file: str, *, map_: str, out: Path | None, labels: Path | None, label_events: bool, label_delay: str
) -> None:
    """Any CSV, by a map file that says which column is which field (docs/importing.md).

    \b
    Examples:
      shopward import csv openssh_labsz.csv --map loghub-openssh | shopward replay -
      shopward import csv payments.csv.gz --map ./payments.toml --out payments.ndjson.gz
    """
    source = Source(file)
    spec = load_map(map_)
    _write(source, _labelled(read_csv(source, spec), wanted=label_events, delay=label_delay), out, labels)


def _labelled(
    items: Iterable[Imported | Refusal], *, wanted: bool, delay: str
) -> Iterable[Imported | Refusal]:
    try:
        delay_ms = parse_duration_ms(delay, path="--label-delay")
    except InvalidField as wrong:
        raise Misconfigured(
            wrong.message, path=wrong.path, expected=wrong.expected, found=wrong.found
        ) from None
    return with_label_events(items, delay_ms=delay_ms) if wanted else items


def _write(
    source: Source,
    items: Iterable[Imported | Refusal],
    out: Path | None,
    labels: Path | None,
    *,
    note: Callable[[], str] | None = None,
) -> None:
    """Write the good rows, tell of the others, and leave with 1 if there were any."""
    written = refused = 0
    with ExitStack() as stack:
        put = stack.enter_context(EventWriter(out)).write if out else _to_stdout
        label = stack.enter_context(LabelWriter(labels)).write if labels else None
        for item in _progressing(source, items, stack, to_terminal=out is None and sys.stdout.isatty()):
            if isinstance(item, Refusal):
                refused += 1
                if refused <= _REFUSALS_SHOWN:
                    click.echo(f"line {item.line}: {item.error}", err=True)
                continue
            written += 1
            put(item.event)
            if label is not None:
                label(item)
        if out is None:
            sys.stdout.buffer.flush()
    parts = [f"{written} events", note() if note else "", f"{refused} rows were refused" if refused else ""]
    click.echo("; ".join(part for part in parts if part), err=True)
    if refused:
        sys.exit(1)


def _to_stdout(event: Event) -> None:
    sys.stdout.buffer.write(canonical_bytes(event) + b"\n")


def _progressing(
    source: Source, items: Iterable[Imported | Refusal], stack: ExitStack, *, to_terminal: bool
) -> Iterator[Imported | Refusal]:
    """The items, with a bar where it disturbs nothing: on a terminal that does not show the events."""
    if to_terminal or source.bytes_total is None or not sys.stderr.isatty():
        yield from items
        return
    bar: Any = stack.enter_context(
        click.progressbar(length=source.bytes_total, label="import", file=sys.stderr)
    )
    last = 0
    for number, item in enumerate(items):
        if not number % _BAR_EVERY:
            bar.update(source.bytes_read - last)
            last = source.bytes_read
        yield item
    bar.update(source.bytes_read - last)
