"""``shopward order set``: a file of users becomes a sealed victim set on a running server.

Promise: the set that is sealed holds exactly the users of the file, which the server is told to count; nothing is sealed
where a page is refused or the connection breaks. The file is read as it is sent.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import quote

import click

from shopward.cli.talk import server_options, talk_to

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES: Final = 10_000


@click.command("set")
@click.argument("name", metavar="NAME")
@click.argument("file", type=click.File(encoding="utf-8"), metavar="FILE")
@server_options
def set_(name: str, file: TextIO, **server: Any) -> None:
    """Make a victim set of the users in FILE, one id a line or an object a line; - reads from standard input.

    What it prints (vs-...) goes where an order names whom it is about: --set.

    \b
    Examples:
      shopward order set stuffed-2026-01 victims.txt
      shopward order freeze --set vs-019b8f2c5a10 --reason credential_stuffing --for 3d --yes
    """
    talk = talk_to(**server)
    path = f"/v1/victim-sets/{quote(talk.ask('POST', '/v1/victim-sets', {'name': name})['id'], safe='')}"
    users = _users(file)
    seen: set[str] = set()
    for page, lines in enumerate(iter(lambda: list(islice(users, LINES)), [])):
        seen.update(lines)
        body = "".join(json.dumps({"id": user}) + "\n" for user in lines).encode()
        talk.ask("PUT", f"{path}/pages/{page}", body)
    sealed = talk.ask("POST", f"{path}/seal", {"users": len(seen)})
    if server["as_json"]:
        click.echo(json.dumps(sealed, ensure_ascii=False))
        return
    click.echo(
        f"{sealed['id']}  {sealed['name']}@{sealed['version']}  {sealed['users']:,} users  {sealed['digest']}"
    )


def _users(file: TextIO) -> Iterator[str]:
    """The ids, line by line; empty lines are skipped."""
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("{"):
            yield text
            continue
        try:
            read = json.loads(text)["id"]
        except (ValueError, KeyError):
            read = None
        if not isinstance(read, str):
            raise click.UsageError(f"line {number}: neither an id nor an object with an id")
        yield read
