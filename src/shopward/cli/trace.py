"""``shopward vault trace``: who leaked a file, from what the vault showed to whom, or from the shop's own lists.

Promise: with lists no server, no store, no network; values are compared as keyed hashes under a key of this run alone.
Without them the rows go to the shop's own server, which keeps none of them. No value appears in an answer. It prints what may
be said: ``proof``, ``lead``, ``possible`` or ``ruled_out``, and always how likely it is that none of the logged leaked. Exit
code 1 where no row is the shop's.
"""

from __future__ import annotations

import csv
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from shopward.cli.talk import server_options, talk_to
from shopward.errors import InvalidField, MalformedInput, NotFound
from shopward.flows.leaked import ROWS_MAX as SENT_MAX
from shopward.leaks import Bias, Marks, Matcher, Report, Sighting, trace
from shopward.leaks.columns import renamed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS_MAX: Final = 1_000_000
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("trace")
@click.argument("file", type=_FILE)
@click.option(
    "--orders", type=_FILE, help="Instead of the vault: the shop's orders: id and fields, CSV or NDJSON."
)
@click.option(
    "--seen", type=_FILE, help="Instead of the vault: who was shown what: recipient, record, fields, version."
)
@click.option("--marks", type=_FILE, help="With --seen: file of the key under which copies were marked.")
@click.option("--bias", type=click.Choice([bias.value for bias in Bias]), default="half", show_default=True, help="Of these marks.")  # fmt: skip
@click.option(
    "--since", metavar="TIME", help="Of the vault's log: only what was shown from then on (RFC 3339)."
)
@click.option("--until", metavar="TIME", help="Of the vault's log: only what was shown before.")
@server_options
def trace_(
    file: Path, orders: Path | None, seen: Path | None, marks: Path | None, bias: str, since: str | None,
    until: str | None, **server: Any,
) -> None:  # fmt: skip
    r"""Rank who leaked FILE (CSV or NDJSON, partial, shuffled, edited).

    Asks the server, whose vault knows what it showed to whom; with --orders and --seen it asks nobody.

    \b
    Examples:
      shopward vault trace leaked.csv
      shopward vault trace leaked.csv --since 2026-06-01T00:00:00Z --json
      shopward vault trace leaked.csv --orders orders.csv --seen seen.csv
      shopward vault trace leaked.ndjson --orders orders.csv --seen seen.csv --marks marks.key --json
    """
    if (orders is None) != (seen is None) or (orders is None and marks is not None):
        raise click.UsageError("--orders and --seen belong together, and --marks to them")
    if orders is None or seen is None:
        span = {name: each for name, each in (("since", since), ("until", until)) if each}
        said = talk_to(**server).ask("POST", "/v1/vault/trace", {"rows": _spread(list(_rows(file))), **span})
    else:
        said = _shown(_of_files(file, orders, seen, Marks(marks.read_bytes(), Bias(bias)) if marks else None))
    click.echo(json.dumps(said, ensure_ascii=False) if server["as_json"] else _table(said))


def _of_files(file: Path, orders: Path, seen: Path, marks: Marks | None) -> Report:
    """The trace over the shop's own lists."""
    matcher = Matcher(secrets.token_bytes(32))
    positions: dict[str, int] = {}
    for row in _rows(orders):
        record = _field(row, "id", orders)
        matcher.add(record, row)
        positions.setdefault(record, len(positions))
    report = trace(
        list(_rows(file)),
        matcher,
        [_sighting(row, seen) for row in _rows(seen)],
        total=len(positions),
        position=positions.__getitem__,
        marks=marks,
    )
    if not report.matched:
        raise NotFound("no row of the file is of this shop", code="leak_not_ours", expected="rows with values of --orders", found=f"{report.rows} foreign rows")  # fmt: skip
    return report


def _spread(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """All rows, or so many spread over the file as one call takes, in columns of a known meaning alone."""
    step = -(-len(rows) // SENT_MAX) or 1
    return [renamed(row) for row in rows[::step]]


def _shown(report: Report) -> dict[str, Any]:
    candidates = [
        each._asdict() | {"log_odds": each.log_odds if each.rows_seen else None} for each in report.candidates
    ]
    return report._asdict() | {"candidates": candidates}


def _table(said: dict[str, Any]) -> str:
    lines = [
        f"{said['rows']} rows, {said['matched']} of them ours, {said['foreign']} foreign",
        f"none of the logged: {said['nobody']:.3g} ({said['nobody_how']})",
        f"{'standing':9} {'seen':>6} {'canary':>6} {'marks':>6} {'chance':>9} {'posterior':>9}  recipient",
    ]
    lines += [
        f"{each['standing']:9} {each['rows_seen']:6} {each['canaries']:6} {each['mark_places']:6} "
        f"{each['mark_chance']:9.2g} {each['posterior']:9.3g}  {each['recipient']}"
        for each in said["candidates"]
    ]
    return "\n".join(lines)


def _sighting(row: dict[str, str], file: Path) -> Sighting:
    version = row.get("version") or "0"
    if not version.isdecimal():
        raise InvalidField("a version is no number", path=f"{file.name}: version", expected="a whole number")
    fields = frozenset((row.get("fields") or "").split())
    return Sighting(_field(row, "recipient", file), _field(row, "record", file), fields, int(version))


def _field(row: dict[str, str], name: str, file: Path) -> str:
    if not row.get(name):
        raise InvalidField(
            "a row lacks a field", path=f"{file.name}: {name}", expected="a value", found="nothing"
        )
    return row[name]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV with a header, or of JSON objects a line; values as text."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = opened if file.suffix in (".ndjson", ".jsonl", ".json") else None
            rows: Iterator[Any] = (json.loads(line) for line in lines if line.strip()) if lines else csv.DictReader(opened)  # fmt: skip
            for number, row in enumerate(rows, 1):
                if number > ROWS_MAX:
                    raise InvalidField("too many rows", path=file.name, expected=f"{ROWS_MAX:,} at most")
                if not isinstance(row, dict):
                    raise MalformedInput("a line is no object", path=file.name, expected="JSON objects")
                yield {name: value if isinstance(value, str) else " ".join(value) if isinstance(value, list) else str(value) for name, value in row.items() if name and value is not None}  # fmt: skip
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, TypeError, RecursionError):
        raise MalformedInput("the file cannot be read", path=file.name, expected="CSV with a header or JSON objects, UTF-8") from None  # fmt: skip
