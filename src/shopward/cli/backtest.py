"""``shopward policy backtest`` and ``shopward policy diff``: what a policy would do, before it does it.

Promise: both read a log beside its running server, or files, and change nothing. Standard output holds the account,
as a table or one JSON object; what was refused and the bar go to standard error.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from shopward.adapters.process import tune_collector
from shopward.cli.backtest_tables import show_differences, show_report
from shopward.cli.policy import compiled
from shopward.cli.recorded import file_events, log_entries, moment_ms
from shopward.errors import InvalidField, Misconfigured, ShopwardError
from shopward.flows.backtest import over_files, over_log, over_log_against, rule_names
from shopward.flows.tally import Tally
from shopward.risk.policy.difference import differences
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shopward.flows.account import Report
    from shopward.flows.backtest import Trial
    from shopward.risk.policy import Policy

_REFUSALS_SHOWN = 20
_UNTIL_MAX_MS = 2**62


def _stream_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--data", metavar="DIR", help="The data folder of a server, whose log is read."),
        click.option("--database", metavar="URL", help="The log: sqlite:///FILE or postgresql://USER@HOST/DB."),
        click.option("--since", metavar="T", help="Count events from this time on (RFC 3339); all are applied."),
        click.option("--until", metavar="T", help="Count events before this time; labels count wherever they stand."),
        click.option("--labels", metavar="CSV", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="Labels from outside the stream: event_id,label; any word but genuine is fraud."),
        click.option("--label-delay", default="30d", show_default=True, help="An event without a label for so long is genuine."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables."),
    )):  # fmt: skip
        command = option(command)
    return command


_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option(
    "--policy", "folder", type=_folder, help="The policy on trial; the one that ships where left out."
)
@click.option("--against", type=_folder, help="With FILES: a policy to compare with.")
@_stream_options
def backtest(files: tuple[str, ...], folder: Path | None, against: Path | None, **options: Any) -> None:
    """Run a policy over the recorded log or over files, and account for every rule.

    With --data or --database the log is read beside its server and the recorded decisions stand beside; with FILES
    (NDJSON plain, .gz, .zst, -, or Parquet) a policy to compare with may be given. Nothing is carried out or written.

    \b
    Examples:
      shopward policy backtest --data ./shopward-data --policy ./my-policy --since 2026-10-01T00:00:00Z
      shopward policy backtest events.ndjson.gz --policy ./my-policy --against ./old-policy --json
    """
    _check_source(files, options)
    policy = compiled(folder)
    if against is not None and not files:
        raise click.UsageError("--against goes with FILES; a log is compared with its recorded decisions")
    beside = None if against is None else compiled(against)
    named = (beside.version if beside else "") if files else "the recorded decisions"
    report, refused = _reported(
        policy,
        files,
        options,
        "backtest",
        lambda stream: over_files(policy, stream, against=beside),
        lambda entries: over_log(policy, entries),
        compared_with=named,
    )
    if options["as_json"]:
        click.echo(msgspec.json.encode(report))
    else:
        show_report(report)
    sys.exit(1 if refused else 0)


@click.command()
@click.argument("before", type=_folder)
@click.argument("after", type=_folder)
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@_stream_options
def diff(before: Path, after: Path, files: tuple[str, ...], **options: Any) -> None:
    """Say what differs between two policies, and on a stream whose decision changes.

    Without FILES, --data and --database only the policies are compared. A difference is no failure: exit code 0.

    \b
    Examples:
      shopward policy diff ./old-policy ./my-policy
      shopward policy diff ./old-policy ./my-policy events.ndjson.gz --json
    """
    old, new = compiled(before), compiled(after)
    found = differences(old.spec, new.spec)
    report, refused = None, 0
    if files or options["data"] or options["database"]:
        _check_source(files, options)
        report, refused = _reported(
            new,
            files,
            options,
            "diff",
            lambda stream: over_files(new, stream, against=old),
            lambda entries: over_log_against(new, old, entries),
            compared_with=old.version,
        )
    if options["as_json"]:
        changes = None if report is None else report.changes
        body = {"before": old.version, "after": new.version, "differences": found, "changes": changes,
                "events": None if report is None else report.events}  # fmt: skip
        click.echo(msgspec.json.encode(body))
    else:
        show_differences(old.version, new.version, found, report)
    sys.exit(1 if refused else 0)


def _reported(
    policy: Policy,
    files: tuple[str, ...],
    options: dict[str, Any],
    label: str,
    from_files: Callable[[Any], Iterable[Trial | ShopwardError]],
    from_log: Callable[[Any], Iterable[Trial]],
    *,
    compared_with: str,
) -> tuple[Report, int]:
    """The account, and how many lines were refused; the first of them are told."""
    tally = Tally(
        rule_names(policy),
        since_ms=moment_ms(options["since"]),
        until_ms=moment_ms(options["until"], _UNTIL_MAX_MS),
    )
    delay_ms = _delay_ms(options["label_delay"])
    for event_id, is_fraud in _csv_labels(options["labels"]):
        tally.units.label(event_id=event_id, transaction="", is_fraud=is_fraud)
    tune_collector()
    refused = 0
    if files:
        with file_events(files, label) as stream:
            for trial in from_files(stream):
                if isinstance(trial, ShopwardError):
                    refused += 1
                    if refused <= _REFUSALS_SHOWN:
                        click.echo(f"refused: {trial}", err=True)
                    continue
                tally.note(trial.facts, trial.record, trial.before, held=trial.held)
    else:
        with log_entries(options["data"], options["database"], label) as entries:
            for each in from_log(entries):
                tally.note(each.facts, each.record, each.before, held=each.held)
    if refused:
        click.echo(f"{refused} lines were refused", err=True)
    return tally.report(policy.version, compared_with=compared_with, label_delay_ms=delay_ms), refused


def _check_source(files: tuple[str, ...], options: dict[str, Any]) -> None:
    if bool(files) == bool(options["data"] or options["database"]):
        raise click.UsageError("FILES, or --data or --database, and not both")
    missing = [file for file in files if file != "-" and not Path(file).exists()]
    if missing:
        raise click.UsageError(f"there is no file {missing[0]}")


def _delay_ms(text: str) -> int:
    if text in ("0", "0d"):
        return 0
    try:
        return parse_duration_ms(text, path="--label-delay")
    except InvalidField as wrong:
        failure = Misconfigured(wrong.message, path=wrong.path, expected=wrong.expected, found=wrong.found)
    raise failure


def _csv_labels(path: Path | None) -> Iterator[tuple[str, bool]]:
    """``event_id,label`` by the names of the columns; others are passed over."""
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
                yield row["event_id"], row["label"] != "genuine"
