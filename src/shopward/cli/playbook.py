"""``shopward incident playbook``: which playbooks there are, one of them as CACAO 2.0, and bringing one.

Promise: everything goes through the HTTP API; what is brought is never carried out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/playbooks"


@click.group()
def playbook() -> None:
    """Who does what by when, for each kind of incident."""


@playbook.command("list")
@server_options
def list_(**server: Any) -> None:
    """List playbooks: those that ship and those that were brought.

    \b
    Examples:
      shopward incident playbook list
    """
    said = talk_to(**server).ask("GET", _PATH)
    lines = [
        f"{each['id'] + '@' + str(each['version']):28} {each['acts']:3} acts  {each['name']}"
        for each in said["playbooks"]
    ]
    say(said, "\n".join(lines), as_json=server["as_json"])


@playbook.command("export")
@click.argument("playbook_id", metavar="PLAYBOOK")
@server_options
def export(playbook_id: str, **server: Any) -> None:
    """Print a playbook as a CACAO 2.0 document.

    \b
    Examples:
      shopward incident playbook export credential_stuffing > stuffing.json
    """
    said = talk_to(**server).ask("GET", f"{_PATH}/{quote(playbook_id, safe='')}?format=cacao")
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))


@playbook.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@server_options
def import_(file: Path, **server: Any) -> None:
    """Bring a CACAO 2.0 document: it is kept as a new version, and its commands become tasks for people.

    \b
    Examples:
      shopward incident playbook import stuffing.json
    """
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError):
        raise click.BadParameter("this file holds no JSON", param_hint="FILE") from None
    said = talk_to(**server).ask("POST", _PATH, document)
    say(said, f"{said['id']}@{said['version']}: {said['name']}", as_json=server["as_json"])
