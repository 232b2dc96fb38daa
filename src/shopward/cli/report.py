"""``shopward report``: what the recorded decisions add up to.

Promise: reads a log beside its running server, or files, and changes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from shopward.adapters.bundles import put_in_force
from shopward.adapters.process import tune_collector
from shopward.cli.policy import compiled
from shopward.cli.recorded import GENUINE, csv_labels, delay_ms_of, file_events, moment_ms, recorded_log
from shopward.errors import ShopwardError
from shopward.flows.fairness import FairnessTally
from shopward.flows.recorded import EVENT, facts_of_entry, record_of_entry
from shopward.flows.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.flows.fairness import Fairness

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def report() -> None:
    """What the recorded decisions add up to."""


@report.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=str))
@click.option(
    "--data", metavar="DIR", help="The data folder of a server, whose recorded decisions are counted."
)
@click.option("--database", metavar="URL", help="The log: sqlite:///FILE or postgresql://USER@HOST/DB.")
@click.option(
    "--policy",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With FILES: the policy that decides.",
)
@click.option(
    "--model", "models", multiple=True, type=_FILE, metavar="BUNDLE", help="With FILES: learned scores."
)
@click.option("--labels", type=_FILE, metavar="CSV", help="Labels from outside the stream: event_id,label.")
@click.option(
    "--label-delay", default="30d", show_default=True, help="An event without a label for so long is genuine."
)
@click.option("--since", metavar="T", help="Count events from this time on (RFC 3339); all are applied.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
def fairness(
    files: tuple[str, ...],
    data: str | None,
    database: str | None,
    folder: Path | None,
    models: tuple[Path, ...],
    labels: Path | None,
    label_delay: str,
    since: str | None,
    *,
    as_json: bool,
) -> None:
    """Say how often honest customers are challenged and denied, by country and device class.

    With --data or --database the recorded decisions of a log are counted, with FILES those of a replay. Groups of fewer
    than 50 customers are not shown.

    \b
    Examples:
      shopward report fairness --data ./shopward-data --since 2026-10-01T00:00:00Z
      shopward report fairness events.ndjson.gz --labels labels.csv --model takeover.model --json
    """
    if bool(files) == bool(data or database):
        raise click.UsageError("FILES, or --data or --database, and not both")
    delay_ms = delay_ms_of(label_delay)
    tally = FairnessTally(since_ms=moment_ms(since))
    for label in csv_labels(labels):
        tally.label(label.event_id, is_fraud=label.word != GENUINE)
    tune_collector()
    refused = 0
    if files:
        refused = _from_files(tally, files, folder, models)
    else:
        with recorded_log(data, database, "report") as log:
            for entry in log.entries:
                if entry.kind == EVENT:
                    tally.note(facts_of_entry(entry), record_of_entry(entry))
    made = tally.report(label_delay_ms=delay_ms)
    click.echo(msgspec.json.encode(made)) if as_json else _show(made)
    sys.exit(1 if refused else 0)


def _from_files(
    tally: FairnessTally, files: tuple[str, ...], folder: Path | None, models: Iterable[Path]
) -> int:
    policy = compiled(folder)
    put_in_force(policy, models)
    refused = 0
    with file_events(files, "report") as stream:
        for result in Replay(policy).run(stream):
            if isinstance(result, ShopwardError):
                refused += 1
                continue
            tally.note(*result)
    if refused:
        click.echo(f"{refused} lines were refused", err=True)
    return refused


def _show(made: Fairness) -> None:
    what = (
        "genuine events of customers"
        if made.labelled
        else "events of customers, fraud included: there are no labels"
    )
    click.echo(f"{made.events:,} {what}, {made.users:,} customers; {made.left_out:,} left out")
    click.echo(f"challenged {made.challenged:.3%}, denied {made.denied:.3%}")
    click.echo()
    click.echo(
        f"{'':9} {'group':16} {'events':>10} {'users':>8} {'challenged':>11} {'denied':>9} {'95 % of both':>19} {'to all':>7}"
    )
    for group in made.groups:
        between = f"{group.stopped_low:.3%} to {group.stopped_high:.3%}"
        ratio = "-" if group.against_all is None else f"{group.against_all:.2f}"
        click.echo(
            f"{group.dimension:9} {group.value[:16]:16} {group.events:>10,} {group.users:>8,}"
            f" {group.challenged:>11.3%} {group.denied:>9.3%} {between:>19} {ratio:>7}"
        )
