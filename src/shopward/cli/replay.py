"""``shopward replay``: decisions for a recorded stream, one a line."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
import msgspec

from shopward.adapters.bundles import put_in_force
from shopward.adapters.process import tune_collector
from shopward.cli.policy import compiled
from shopward.cli.recorded import file_events, moment_ms
from shopward.errors import ShopwardError
from shopward.flows.found import Found
from shopward.flows.replay import Replay

if TYPE_CHECKING:
    from shopward.flows.engine import DecisionRecord

_REFUSALS_SHOWN = 20
_TAKE_EVERY = 1_000


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of standard output."
)
@click.option(
    "--policy",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A policy folder.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="BUNDLE",
    help="A bundle of shopward train: its score is the score of its event types. May be given for several models.",
)
@click.option(
    "--since", help="Print only decisions on events at or after this time (RFC 3339); all are applied."
)
@click.option(
    "--campaigns",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the campaigns that were found here, one a line, with the events that made their members.",
)
def replay(
    files: tuple[str, ...],
    out: Path | None,
    folder: Path | None,
    models: tuple[Path, ...],
    since: str | None,
    campaigns: Path | None,
) -> None:
    """Decide a recorded stream with the live code path, from empty state, carrying out no action.

    FILES are NDJSON (plain, .gz, .zst, or - for standard input) or Parquet, applied in the order given.

    \b
    Examples:
      shopward replay events.ndjson.gz --out decisions.ndjson
      shopward simulate --out world && shopward replay world/events.ndjson.gz | head
      shopward replay events.ndjson.gz --model takeover.model --since 2026-02-05
      shopward replay events.ndjson.gz --out decisions.ndjson --campaigns campaigns.ndjson
    """
    since_ms = moment_ms(since)
    policy = compiled(folder)
    put_in_force(policy, models)
    run = Replay(policy)
    tune_collector()
    refused, found = 0, Found()
    with ExitStack() as stack:
        sink: IO[bytes] = stack.enter_context(out.open("wb")) if out else sys.stdout.buffer
        for number, result in enumerate(run.run(stack.enter_context(file_events(files, "replay")))):
            if campaigns is not None and not number % _TAKE_EVERY:
                found.take(run.engine.campaigns.take())
            if isinstance(result, ShopwardError):
                refused += 1
                if refused <= _REFUSALS_SHOWN:
                    click.echo(f"refused: {result}", err=True)
                continue
            facts, record = result
            if facts.time_ms >= since_ms:
                sink.write(decision_line(record))
        sink.flush()
    if campaigns is not None:
        found.take(run.engine.campaigns.take())
        campaigns.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in found.rows()))
    if run.repeated:
        click.echo(f"{run.repeated} events repeated an id and were passed over", err=True)
    if refused:
        click.echo(f"{refused} lines were refused", err=True)
        sys.exit(1)


def decision_line(record: DecisionRecord) -> bytes:
    """A decision as a line of the output."""
    public = {
        "id": record.id,
        "event_id": record.event_id,
        "decision": record.decision,
        "score": record.score,
        "reasons": record.reasons,
        "actions": record.actions,
        "policy": record.policy,
        "shadow": record.shadow,
    }
    return msgspec.json.encode(public) + b"\n"
