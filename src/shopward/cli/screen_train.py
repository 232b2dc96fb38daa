"""``shopward screen train``: the learned part of link screening, from links that the user supplies.

Promise: the bundle is written whole or not at all; it holds weights and their evaluation, and no link. Lines that are no
link are passed over and counted.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from shopward.errors import Misconfigured
from shopward.keyring.files import write_private
from shopward.screening.links.address import read_address
from shopward.screening.links.learned.bundle import FORMAT, Head, LinkBundle, Source, pack
from shopward.screening.links.learned.card import card_of
from shopward.screening.links.learned.features import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.screening.links.learned.fit import Example

LINK_COLUMNS: Final = ("url", "link", "domain", "host")
DATE_COLUMNS: Final = ("first_seen", "date", "seen")
_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--fraud", "frauds", multiple=True, required=True, type=_FILES, help="Links of fraud; may be repeated."
)
@click.option(
    "--ordinary",
    "ordinaries",
    multiple=True,
    required=True,
    type=_FILES,
    help="Ordinary links; may be repeated.",
)
@click.option(
    "--until", default="", metavar="DATE", help="Leave out fraud that was seen on this day or later."
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the bundle here."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the model card.")
def train(
    frauds: tuple[Path, ...], ordinaries: tuple[Path, ...], until: str, out: Path, *, as_json: bool
) -> None:
    r"""Learn what links of fraud are built like, from your own lists.

    Each file is a CSV with a column url, link, domain or host (and first_seen or date, for --until), or one link a line.
    Needs the extra models. Train only on lists whose licence lets you.

    \b
    Examples:
      shopward screen train --fraud feed.csv --fraud reports.csv --ordinary visited.csv --out links.bundle
      shopward screen link https://example.net/ --profile shop.toml --bundle links.bundle
    """
    try:
        from shopward.screening.links.learned.fit import Example, train_links  # noqa: PLC0415 -- an extra
    except ImportError:
        raise Misconfigured(
            "training needs numpy and scipy",
            expected="the extra models",
            hint="pip install 'shopward[models]'",
        ) from None
    examples: list[Example] = []
    sources: list[Source] = []
    for path, is_fraud in [*((each, True) for each in frauds), *((each, False) for each in ordinaries)]:
        raw = path.read_bytes()
        found = [Example(read_address(link), is_fraud) for link in _links(raw, until if is_fraud else "")]
        found = [each for each in found if each.address.kind in ("name", "ipv4", "ipv6")]
        examples += found
        sources.append(Source(path.name, hashlib.sha256(raw).hexdigest()[:16], is_fraud, len(found)))
    trained = train_links(examples, lambda text: click.echo(f"learning from {text}", err=True))
    head = Head(format=FORMAT, schema=SCHEMA, until=until, sources=tuple(sources), measured=trained.measured)
    words = len(trained.model.host.weights) + len(trained.model.path.weights)
    card = card_of(head, words)
    write_private(out, pack(LinkBundle(head, trained.model, card)))
    if as_json:
        click.echo(msgspec.json.encode(head))
    else:
        click.echo(card, nl=False)
    sys.exit(0)


def _links(raw: bytes, until: str) -> Iterator[str]:
    """The links of a file, before a day."""
    lines = raw.decode("utf-8", "replace").splitlines()
    if not lines:
        return
    columns = next(csv.reader(lines[:1]))
    link = next((columns.index(name) for name in LINK_COLUMNS if name in columns), None)
    if link is None:
        yield from (line.strip() for line in lines if line.strip() and not line.startswith("#"))
        return
    date = next((columns.index(name) for name in DATE_COLUMNS if name in columns), None)
    for row in csv.reader(lines[1:]):
        if len(row) > link and row[link]:
            seen = row[date] if date is not None and len(row) > date else ""
            if not until or (seen and seen < until):
                yield row[link]
