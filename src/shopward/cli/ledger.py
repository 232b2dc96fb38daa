"""``shopward ledger``: read the books of a store, and say whether they are sound.

Promise: reads one state of the books and writes nothing to them; a server may go on. Exit code 0 sound, 1 not, 2 wrong use.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shopward.cli.stores import DATA, DATABASE, reading, said
from shopward.config import settings_from
from shopward.ledger import Reading, verify
from shopward.ledger.beancount import beancount_lines
from shopward.service import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from shopward.ledger import Balance

PAGE = 1_000


@click.group()
def ledger() -> None:
    """The books: verify them, or export them for Beancount."""


@ledger.command("verify")
@DATA
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def verify_(data: str | None, database: str | None, *, as_json: bool) -> None:
    """Read every transfer: sums, order, chain, endings and balances.

    \b
    Examples:
      shopward ledger verify --data /srv/shopward
    """
    with said("read the books"), _books(data, database) as connection:
        bar: Any = click.progressbar(
            length=Reading(TENANT).length(connection),
            label="verify",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        )
        with bar:
            report = verify(connection, TENANT, progress=lambda done: bar.update(done - bar.pos))
    if as_json:
        click.echo(json.dumps({**report._asdict(), "faults": [each._asdict() for each in report.faults]}))
    else:
        click.echo(
            f"{report.transfers} transfers, {report.entries} entries, {report.accounts} accounts: "
            + ("sound" if report.is_sound else "NOT sound")
        )
        for fault in report.faults:
            click.echo(
                f"  {fault.word}: {fault.subject or 'the head'}" + (f" at {fault.seq}" if fault.seq else "")
            )
        click.echo(f"chain {report.chain}")
    sys.exit(0 if report.is_sound else 1)


@ledger.command()
@DATA
@DATABASE
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the file here."
)
def export(data: str | None, database: str | None, out: Path) -> None:
    """Write the books as a Beancount file; its own bean-check can then say whether they are sound.

    \b
    Examples:
      shopward ledger export --out books.beancount && bean-check books.beancount
    """
    with (
        said("read the books"),
        _books(data, database) as connection,
        out.open("w", encoding="utf-8") as file,
    ):
        lines = beancount_lines(Reading(TENANT).stream(connection), _balances(connection))
        file.writelines(line + "\n" for line in lines)
    click.echo(f"written: {out}")


def _books(data: str | None, database: str | None) -> AbstractContextManager[Connection]:
    return reading(settings_from(os.environ, data=data, database=database).database_url, table="ledger_head")


def _balances(connection: Connection) -> Iterator[Balance]:
    after = ("", "")
    while page := Reading(TENANT).all_balances(connection, after=after, limit=PAGE):
        yield from page
        after = page[-1][:2]
