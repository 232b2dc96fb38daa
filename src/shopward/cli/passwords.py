"""``shopward passwords``: the store of stolen passwords, and passwords of the shop's own incidents.

Promise: ``build`` and ``verify`` need no server and no network; the store appears whole or not at all. Passwords are read
from a file or standard input, never from an argument, which others on the machine could read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from shopward.cli.talk import server_options, talk_to
from shopward.screening.passwords import HashStore, build_store

_TOLD_AT_ONCE = 10_000


@click.group()
def passwords() -> None:
    """Keep the lists of passwords that nobody may take."""


@passwords.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the store here."
)
@click.option("--partial", is_flag=True, help="SOURCE may lack ranges: a corpus of your own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def build(source: Path, out: Path, *, partial: bool, as_json: bool) -> None:
    """Build the store from SOURCE: a folder of range files (00000 to FFFFF, plain or .gz), or a file of SHA1:COUNT in order.

    \b
    Examples:
      shopward passwords build ./ranges --out /srv/shopward/pwned.bin
      SHOPWARD_PASSWORD_STORE=/srv/shopward/pwned.bin shopward serve
    """
    hidden = not sys.stderr.isatty()
    bar: Any
    with click.progressbar(length=1000, label="build", file=sys.stderr, hidden=hidden) as bar:
        shown = 0

        def progress(done: int, of: int) -> None:
            nonlocal shown
            step = min(1000, 1000 * done // max(of, 1)) - shown
            shown += step
            bar.update(step)

        built = build_store(source, out, partial=partial, progress=progress)
    if as_json:
        click.echo(msgspec.json.encode({"records": built.records, "bytes": built.size}))
    else:
        click.echo(f"{built.records:,} digests, {built.size:,} bytes in {out}")


@passwords.command()
@click.argument("store", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(store: Path) -> None:
    """Read all of STORE and say whether it is as it was written.

    \b
    Examples:
      shopward passwords verify /srv/shopward/pwned.bin
    """
    with HashStore(store) as held:
        held.verify()
        click.echo(f"intact: {len(held):,} digests")


@passwords.command()
@click.argument("source", type=click.File("r", encoding="utf-8"))
@server_options
def remember(source: Any, **server: Any) -> None:
    """Have a running server refuse the passwords in SOURCE (a line each; - is standard input): attackers tried them here.

    \b
    Examples:
      shopward passwords remember tried.txt
    """
    told = [line.rstrip("\r\n") for line in source]
    told = [line for line in told if line]
    talk, new, known = talk_to(**server), 0, 0
    for at in range(0, len(told), _TOLD_AT_ONCE):
        said = talk.ask(
            "POST", "/v1/screen/passwords/incidents", {"passwords": told[at : at + _TOLD_AT_ONCE]}
        )
        new, known = new + said["new"], said["known"]
    if server["as_json"]:
        click.echo(msgspec.json.encode({"new": new, "known": known}))
    else:
        click.echo(f"{new} new, {known} digests are known")
