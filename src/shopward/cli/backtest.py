"""``shopward policy backtest`` and ``shopward policy diff``: what a policy would do, before it does it.

Promise: both read a log beside its running server, or files, and change nothing. Standard output holds the account,
as a table or one JSON object; what was refused and the bar go to standard error.
"""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from shopward.adapters.bundles import put_in_force
from shopward.adapters.process import tune_collector
from shopward.cli.backtest_tables import show_differences, show_report
from shopward.cli.policy import compiled
from shopward.cli.recorded import (
    GENUINE,
    csv_labels,
    delay_ms_of,
    file_events,
    moment_ms,
    recorded_log,
    recorded_policies,
)
from shopward.errors import Misconfigured, ShopwardError
from shopward.flows.backtest import (
    over_files,
    over_log,
    over_log_against,
    over_log_by_columns,
    over_log_itself,
    rule_names,
)
from shopward.flows.tally import Tally
from shopward.risk.policy.difference import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
                     help="Labels from outside the stream: event_id,label and, if known, labelled_at; any word but genuine is fraud."),
        click.option("--label-delay", default="30d", show_default=True, help="An event without a label for so long is genuine."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables."),
    )):  # fmt: skip
        command = option(command)
    return command


_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option(
    "--policy",
    "folder",
    type=_folder,
    help="The policy on trial; left out, the one that ships, or over a log those that decided it.",
)
@click.option("--against", type=_folder, help="With FILES: a policy to compare with.")
@click.option(
    "--model",
    "models",
    metavar="BUNDLE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A bundle of shopward train in force with the policy on trial; may be given for several models.",
)
@click.option(
    "--how",
    type=click.Choice(["auto", "live", "columns"]),
    default="auto",
    show_default=True,
    help="Over a log: event by event, or thousands at once; auto takes columns where the policy fits them.",
)
@_stream_options
def backtest(
    files: tuple[str, ...],
    folder: Path | None,
    against: Path | None,
    models: tuple[Path, ...],
    how: str,
    **options: Any,
) -> None:
    """Run a policy over the recorded log or over files, and account for every rule.

    With --data or --database the log is read beside its server and the recorded decisions stand beside; with FILES
    (NDJSON plain, .gz, .zst, -, or Parquet) a policy to compare with may be given. Over a log without --policy those
    that decided it are run again, each from where it came into force. Nothing is carried out or written.

    \b
    Examples:
      shopward policy backtest --data ./shopward-data --policy ./my-policy --since 2026-10-01T00:00:00Z
      shopward policy backtest events.ndjson.gz --policy ./my-policy --against ./old-policy --json
    """
    _check_source(files, options)
    if against is not None and not files:
        raise click.UsageError("--against goes with FILES; a log is compared with its recorded decisions")
    if files:
        policies = [_with_models(compiled(folder), models)]
        beside = None if against is None else compiled(against)
        with file_events(files, "backtest") as stream:
            trials: Iterable[Trial | ShopwardError] = over_files(policies[0], stream, against=beside)
            report, refused = _account(trials, policies, options, beside.version if beside else "")
    else:
        with recorded_log(options["data"], options["database"], "backtest") as log:
            if folder is None and how != "columns":
                editions = recorded_policies(options["data"], options["database"])
                policies = list(
                    {id(each): each for each in (editions.first, *editions.by_digest.values())}.values()
                )
                for each in policies:
                    put_in_force(each, models)
                trials = over_log_itself(editions, log.entries, reread=log.reread)
            else:
                policies = [_with_models(compiled(folder), models)]
                trials = (
                    over_log_by_columns(policies[0], log.stretches)
                    if _by_columns(policies[0], how)
                    else over_log(policies[0], log.entries)
                )
            report, refused = _account(trials, policies, options, "the recorded decisions")
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
        if files:
            with file_events(files, "diff") as stream:
                report, refused = _account(over_files(new, stream, against=old), [new], options, old.version)
        else:
            with recorded_log(options["data"], options["database"], "diff") as log:
                report, refused = _account(
                    over_log_against(new, old, log.entries), [new], options, old.version
                )
    if options["as_json"]:
        changes = None if report is None else report.changes
        body = {"before": old.version, "after": new.version, "differences": found, "changes": changes,
                "events": None if report is None else report.events}  # fmt: skip
        click.echo(msgspec.json.encode(body))
    else:
        show_differences(old.version, new.version, found, report)
    sys.exit(1 if refused else 0)


def _account(
    trials: Iterable[Trial | ShopwardError],
    policies: Sequence[Policy],
    options: dict[str, Any],
    compared_with: str,
) -> tuple[Report, int]:
    """The account, and how many lines were refused; the first of them are told."""
    tally = Tally(
        rule_names(*policies),
        since_ms=moment_ms(options["since"]),
        until_ms=moment_ms(options["until"], _UNTIL_MAX_MS),
    )
    delay_ms = delay_ms_of(options["label_delay"])
    late = deque(sorted(csv_labels(options["labels"]), key=lambda each: each.known_ms or 0))
    tune_collector()
    refused = 0
    for trial in trials:
        if isinstance(trial, ShopwardError):
            refused += 1
            if refused <= _REFUSALS_SHOWN:
                click.echo(f"refused: {trial}", err=True)
            continue
        while late and (late[0].known_ms or 0) <= trial.facts.at_ms:  # it is known from here on
            label = late.popleft()
            tally.units.label(event_id=label.event_id, transaction="", is_fraud=label.word != GENUINE)
        tally.note(trial.facts, trial.record, trial.before, held=trial.held)
    if refused:
        click.echo(f"{refused} lines were refused", err=True)
    named = ", ".join(policy.version for policy in policies)
    return tally.report(named, compared_with=compared_with, label_delay_ms=delay_ms), refused


def _with_models(policy: Policy, models: tuple[Path, ...]) -> Policy:
    """The policy with these models in force."""
    put_in_force(policy, models)
    return policy


def _by_columns(policy: Policy, how: str) -> bool:
    """Whether the policy is run over columns; raises ``Misconfigured`` where that is asked for and cannot be."""
    if how == "live":
        return False
    try:
        from shopward.flows.columns import fits  # noqa: PLC0415 -- needs numpy, an extra
    except ImportError:
        does, found = False, "no numpy"
    else:
        does, found = fits(policy), "something that learns from decisions, or a model"
    if how == "columns" and not does:
        raise Misconfigured(
            "this policy cannot be run over columns",
            path="--how",
            expected="numpy, no model, no campaigns, and no feature of phase decision, known or condemned",
            found=found,
            hint="leave --how out",
        )
    return does


def _check_source(files: tuple[str, ...], options: dict[str, Any]) -> None:
    if bool(files) == bool(options["data"] or options["database"]):
        raise click.UsageError("FILES, or --data or --database, and not both")
    missing = [file for file in files if file != "-" and not Path(file).exists()]
    if missing:
        raise click.UsageError(f"there is no file {missing[0]}")
