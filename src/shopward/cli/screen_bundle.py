"""``shopward screen bundle``: what a bundle of the learned parts is, and whether a server would use it.

Promise: the checks are those of a server; a bundle that it would refuse ends with its reason and exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from shopward.screening.links.learned.bundle import own_scorer, unpack
from shopward.screening.messages import own_model

_ZIP = b"PK"


@click.command("bundle")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def bundle(file: Path, *, as_json: bool) -> None:
    r"""Say what a bundle of train or train-messages is, and refuse what a server would refuse.

    \b
    Examples:
      shopward screen bundle links.bundle
    """
    raw = file.read_bytes()
    told = _of_links(raw) if raw.startswith(_ZIP) else _of_messages(raw)
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        click.echo(f"{told['kind']}, version {told['version']}: good")
        click.echo(
            told["card"] if "card" in told else msgspec.json.format(msgspec.json.encode(told["about"]))
        )


def _of_links(raw: bytes) -> dict[str, Any]:
    whole = unpack(raw)
    return {"kind": "links", "version": own_scorer(raw).version, "about": whole.head, "card": whole.card}


def _of_messages(raw: bytes) -> dict[str, Any]:
    model = own_model(raw)
    return {"kind": "messages", "version": model.version, "about": model.about}
