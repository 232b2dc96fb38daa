"""``shopward partner alias``: virtual contact data, over HTTP to a running server.

Promise: numbers come from a file or standard input; nobody's own number or address passes here: only the relay's service
asks whom an alias stands for.
"""

from __future__ import annotations

from typing import IO, Any, Final

import click

from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/partners/aliases/pool"


@click.group()
def alias() -> None:
    """Import and look at numbers and addresses that stand for customers' on pages of partners."""


@alias.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@server_options
def pool(file: IO[str], **server: Any) -> None:
    """Import numbers of your relay: FILE (- for standard input) has one a line, with + and country code.

    \b
    Examples:
      shopward partner alias pool numbers.txt
    """
    numbers = [line.strip() for line in file if line.strip()]
    said = talk_to(**server).ask("POST", _PATH, {"numbers": numbers})
    say(said, f"{said['added']} new; {said['free']} of {said['numbers']} free", as_json=server["as_json"])


@alias.command("list")
@click.option("--state", type=click.Choice(["free", "taken", "quarantine"]), help="Only these.")
@server_options
def list_(state: str | None, **server: Any) -> None:
    """List numbers and addresses: free, taken or in quarantine, for whom and until when.

    \b
    Examples:
      shopward partner alias list --state free
    """
    all_ = talk_to(**server).listed(_PATH, "aliases", {}, by="after")["aliases"]
    found = [each for each in all_ if state in (None, each["state"])]
    say({"aliases": found}, "\n".join(map(_line, found)) or "none", as_json=server["as_json"])


def _line(shown: dict[str, Any]) -> str:
    whose = (
        f"  {shown['partner']}  {shown['record']}  until {shown['expires_at']}" if "share" in shown else ""
    )
    return f"{shown['alias']}  {shown['state']}{whose}"
