"""``shopward signals``: Shared Signals with other companies, over HTTP to a running server.

Promise: what is registered comes from a file or standard input, since a token stands in it; taking away is a dry run until
``--yes``; what a transmitter or a receiver has to show is printed once, when it is made.
"""

from __future__ import annotations

from typing import IO, Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import object_in, say, server_options, talk_to
from shopward.errors import NotFound

_TRANSMITTERS: Final = "/v1/signals/transmitters"
_RECEIVERS: Final = "/v1/signals/receivers"


@click.group()
def signals() -> None:
    """Hear from other companies of accounts that are linked to yours, and tell them of yours (OpenID Shared Signals).

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


@signals.group()
def receiver() -> None:
    """Partners that you tell."""


@receiver.command("add")
@click.argument("partner")
@click.option("--audience", required=True, metavar="URL", help="Who it is, as the tokens to it name it.")
@click.option(
    "--event", "events", multiple=True, metavar="URI", help="Only this type of event; may be repeated."
)
@server_options
def admit(partner: str, audience: str, events: tuple[str, ...], **server: Any) -> None:
    """Let a partner hear from you; its scope has to hold the purpose signals. Its token is printed once.

    \b
    Examples:
      shopward signals receiver add wallet --audience https://wallet.example/
    """
    asked = {"partner": partner, "audience": audience, "events": events}
    said = talk_to(**server).ask("POST", _RECEIVERS, asked)
    say(said, f"{_heard(said)}\nits token: {said['token']}   (shown once)", as_json=server["as_json"])


@receiver.command("list")
@server_options
def receivers(**server: Any) -> None:
    """List who hears from you, of how many customers, and what came of what was told.

    \b
    Examples:
      shopward signals receiver list
    """
    said = talk_to(**server).ask("GET", _RECEIVERS)
    say(said, "\n".join(map(_heard, said["receivers"])) or "none", as_json=server["as_json"])


@receiver.command("remove")
@click.argument("partner")
@click.option("--yes", is_flag=True, help="Do it; without, what would end is shown.")
@server_options
def dismiss(partner: str, *, yes: bool, **server: Any) -> None:
    """Tell a partner nothing more, and forget as whom it knows customers.

    \b
    Examples:
      shopward signals receiver remove wallet --yes
    """
    talk = talk_to(**server)
    said = next(
        (each for each in talk.ask("GET", _RECEIVERS)["receivers"] if each["partner"] == partner), None
    )
    if said is None:
        raise NotFound("no such receiver", path="PARTNER", expected="a partner that is a receiver")
    if yes:
        talk.ask("DELETE", f"{_RECEIVERS}/{quote(partner, safe='')}")
    say(said, ("removed: " if yes else "would end (--yes): ") + _heard(said), as_json=server["as_json"])


@signals.command()
@server_options
def rotate(**server: Any) -> None:
    """Sign with another key from now on; the one of before stays published for a week.

    \b
    Examples:
      shopward signals rotate
    """
    talk_to(**server).ask("POST", "/v1/signals/keys/rotate")
    say({"rotated": True}, "another key signs now", as_json=server["as_json"])


def _heard(shown: dict[str, Any]) -> str:
    tokens = ", ".join(f"{count} {state}" for state, count in sorted(shown["tokens"].items()))
    stream = f"{shown['stream']} {shown['status']}" if "stream" in shown else "no stream"
    return f"{shown['partner']}  {shown['audience']}  {stream}  {shown['subjects']} customers  {tokens or 'nothing yet'}"


def _line(shown: dict[str, Any]) -> str:
    received = ", ".join(f"{count} {outcome}" for outcome, count in sorted(shown.get("received", {}).items()))
    proof = f"verified {shown['verified_at']}" if "verified_at" in shown else "not verified"
    return f"{shown['id']}  {shown['provider']}  {shown['issuer']}  {shown['delivery']}  {shown['status']}  {proof}  {received or 'nothing yet'}"
