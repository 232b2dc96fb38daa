"""``shopward signals``: Shared Signals with other companies, over HTTP to a running server.

Promise: what is registered comes from a file or standard input, since a token stands in it; taking away is a dry run until
``--yes``; what a transmitter has to show is printed once, when it is made.
"""

from __future__ import annotations

from typing import IO, Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import object_in, say, server_options, talk_to

_TRANSMITTERS: Final = "/v1/signals/transmitters"


@click.group()
def signals() -> None:
    """Hear from other companies about accounts that are linked to yours (OpenID Shared Signals).

    SHOPWARD_KEY holds a key of the server.
    """


@signals.group()
def transmitter() -> None:
    """Companies that tell you."""


@transmitter.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@server_options
def add(file: IO[str], **server: Any) -> None:
    """Register a company that tells you: FILE (- for standard input) is JSON with id, provider and issuer.

    \b
    Examples:
      shopward signals transmitter add acme.json
    """
    asked = object_in(file, expected="a transmitter as POST /v1/signals/transmitters takes it")
    said = talk_to(**server).ask("POST", _TRANSMITTERS, asked)
    lines = [_line(said)]
    if said.get("push_path"):
        lines.append(f"it pushes to {said['push_path']} below this server's address")
    if said.get("authorization"):
        lines.append(f"with Authorization: {said['authorization']}   (shown once)")
    say(said, "\n".join(lines), as_json=server["as_json"])


@transmitter.command("list")
@server_options
def list_(**server: Any) -> None:
    """List who tells you, and what became of what they told.

    \b
    Examples:
      shopward signals transmitter list
    """
    said = talk_to(**server).ask("GET", _TRANSMITTERS)
    say(said, "\n".join(map(_line, said["transmitters"])) or "none", as_json=server["as_json"])


@transmitter.command()
@click.argument("transmitter_id", metavar="TRANSMITTER")
@server_options
def verify(transmitter_id: str, **server: Any) -> None:
    """Ask a company for a verification event; list shows when it has come.

    \b
    Examples:
      shopward signals transmitter verify acme
    """
    said = talk_to(**server).ask("POST", f"{_TRANSMITTERS}/{quote(transmitter_id, safe='')}/verify")
    say(said, f"asked; {_line(said)}", as_json=server["as_json"])


@transmitter.command()
@click.argument("transmitter_id", metavar="TRANSMITTER")
@click.option("--yes", is_flag=True, help="Do it; without, what would end is shown.")
@server_options
def remove(transmitter_id: str, *, yes: bool, **server: Any) -> None:
    """Hear a company no more: it is asked to end its stream, and what it told is forgotten.

    \b
    Examples:
      shopward signals transmitter remove acme --yes
    """
    path, server_ = f"{_TRANSMITTERS}/{quote(transmitter_id, safe='')}", talk_to(**server)
    said = server_.ask("GET", path)
    if yes:
        server_.ask("DELETE", path)
    say(said, ("removed: " if yes else "would end (--yes): ") + _line(said), as_json=server["as_json"])


def _line(shown: dict[str, Any]) -> str:
    received = ", ".join(f"{count} {outcome}" for outcome, count in sorted(shown.get("received", {}).items()))
    proof = f"verified {shown['verified_at']}" if "verified_at" in shown else "not verified"
    return f"{shown['id']}  {shown['provider']}  {shown['issuer']}  {shown['delivery']}  {shown['status']}  {proof}  {received or 'nothing yet'}"
