"""``shopward simulate``: a shop's event stream and its labels, from the product's own simulator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from shopward.testing.simulator import ShopSimulator
from shopward.testing.writing import write


@click.command()
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the two files."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--users", default=3_000, show_default=True, type=click.IntRange(50, 1_000_000), help="Customers."
)
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 400), help="Days of trade.")
def simulate(out: Path, seed: int, users: int, days: int) -> None:
    """Write events.ndjson.gz and labels.csv of a simulated shop: customers with habits, and attackers among them.

    \b
    Examples:
      shopward simulate --out world
      shopward simulate --out world --seed 7 --users 30000 --days 60
    """
    hidden = not sys.stderr.isatty()
    bar: Any
    with click.progressbar(length=1000, label="simulate", file=sys.stderr, hidden=hidden) as bar:
        done = 0

        def progress(_events: int, part: float) -> None:
            nonlocal done
            step = int(part * 1000) - done
            done += step
            bar.update(step)

        written = write(out, ShopSimulator(seed=seed, users=users, days=days), progress)
    click.echo(f"{written.events} events in {written.events_path}")
    click.echo(f"{written.labels} labels in {written.labels_path}")
