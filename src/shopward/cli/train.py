"""``shopward train``: a learned score from a recorded stream, as a bundle.

Promise: the bundle is written whole or not at all, and only when the training ended well. What was learnt and how well
it did goes to standard output, as the model card or as one JSON object; refused lines and the bar to standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from shopward.adapters.process import tune_collector
from shopward.cli.policy import compiled
from shopward.cli.recorded import csv_labels, file_events, moment_ms
from shopward.errors import Misconfigured
from shopward.flows.train import bundle_of, gather, labelled
from shopward.keyring.files import write_private
from shopward.risk.models import pack

if TYPE_CHECKING:
    from shopward.errors import ShopwardError

_REFUSALS_SHOWN = 20
_FOREVER_MS = 2**62


@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Labels that arrived outside the stream: columns event_id and label; others are ignored.",
)
@click.option("--until", metavar="T", help="Learn from what was known at this time (RFC 3339).")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the bundle here."
)
@click.option(
    "--policy",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A policy folder; the default policy where left out.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the model card.")
def train(
    name: str,
    files: tuple[str, ...],
    labels: Path | None,
    until: str | None,
    out: Path,
    folder: Path | None,
    *,
    as_json: bool,
) -> None:
    """Learn the score NAME from a recorded stream and write it as a bundle.

    NAME is a model of the policy: models/NAME.toml says which event types it scores, which labels are fraud and how
    late labels come. FILES are NDJSON (plain, .gz, .zst, or -) or Parquet, in the order given.

    \b
    Examples:
      shopward train payment events.ndjson.gz --until 2026-08-08T00:00:00Z --out payment.model
      shopward train takeover events.ndjson.gz --labels labels.csv --until 2026-02-05 --out takeover.model
      shopward replay events.ndjson.gz --model takeover.model --since 2026-02-05
    """
    policy = compiled(folder)
    if name not in policy.inputs:
        raise Misconfigured(
            "the policy has no such model", path="NAME", expected=", ".join(policy.inputs) or "models/NAME.toml",
            found=name[:64],
        )  # fmt: skip
    refused: list[ShopwardError] = []
    tune_collector()
    with file_events(files, "train") as stream:
        collector, until_ms = gather(
            policy, name, stream, until_ms=moment_ms(until, _FOREVER_MS), on_refused=refused.append
        )
    for each in refused[:_REFUSALS_SHOWN]:
        click.echo(f"refused: {each}", err=True)
    if refused:
        click.echo(f"{len(refused)} lines were refused", err=True)
    labelled(collector, csv_labels(labels))
    bundle = bundle_of(policy, collector, until_ms=until_ms)
    write_private(out, pack(bundle))
    if as_json:
        click.echo(msgspec.json.encode(bundle.head))
    else:
        click.echo(bundle.card, nl=False)
    sys.exit(1 if refused else 0)
