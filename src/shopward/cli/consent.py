"""``shopward consent`` and ``shopward processing``: who agreed to what, and the record of what is done with personal data.

Promise: everything goes through the HTTP API with the key of the one who acts.
"""

from __future__ import annotations

import json
from typing import IO, Any, Final, get_args
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.processing.consent import How

_HOW: Final = click.option(
    "--how",
    type=click.Choice(list(get_args(How))),
    default="shop",
    help="Where it was said.  [default: shop]",
)
_TEXT: Final = click.option(
    "--text", "text_version", metavar="VERSION", required=True, help="Of the words that were shown."
)


@click.group()
def consent() -> None:
    """What customers agreed to, line by line.

    SHOPWARD_KEY holds a key of the server: service or analyst.
    """


@consent.command()
@click.argument("user", metavar="USER")
@click.argument("purpose", metavar="PURPOSE")
@_TEXT
@_HOW
@server_options
def give(user: str, purpose: str, text_version: str, how: str, **server: Any) -> None:
    """Note that a customer agrees.

    \b
    Examples:
      shopward consent give u008490 offers --text 2026-11
    """
    _say(user, purpose, "given", text_version, how, **server)


@consent.command()
@click.argument("user", metavar="USER")
@click.argument("purpose", metavar="PURPOSE")
@_TEXT
@_HOW
@server_options
def withdraw(user: str, purpose: str, text_version: str, how: str, **server: Any) -> None:
    """Note that a customer does not agree any more; holds from the answer on.

    \b
    Examples:
      shopward consent withdraw u008490 offers --text 2026-11 --how phone
    """
    _say(user, purpose, "withdrawn", text_version, how, **server)


@consent.command("list")
@click.argument("user", metavar="USER")
@server_options
def list_(user: str, **server: Any) -> None:
    """List every line of a customer.

    \b
    Examples:
      shopward consent list u008490
    """
    said = talk_to(**server).ask("GET", _path(user))
    say(said, "\n".join(map(_line, said["consents"])), as_json=server["as_json"])


@click.group()
def processing() -> None:
    """What is done with personal data, why, and how long it stays; not legal advice.

    SHOPWARD_KEY holds a key of the server: analyst, or admin to declare.
    """


@processing.command()
@server_options
def record(**server: Any) -> None:
    """Print the record of processing activities.

    \b
    Examples:
      shopward processing record --json > record.json
    """
    said = talk_to(**server).ask("GET", "/v1/processing/record")
    lines = [
        f"{each['name']:24} v{each['version']}  {each['basis']:20} {each['title']}  ({each['keep']})"
        for each in said["activities"]
    ]
    lines += [
        f"{each['retention']:24} {each['records']} records, {each['ending']} with an end"
        for each in said["retention"]
    ]
    erased = said["erased"]
    lines.append(
        f"erased: {erased['by_retention']} by the clock, {erased['by_request']} in {erased['requests']} requests"
    )
    say(said, "\n".join((*lines, said["notice"])), as_json=server["as_json"])


@processing.command()
@click.argument("name")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@server_options
def declare(name: str, file: IO[str], **server: Any) -> None:
    """Declare an activity from a JSON file: a new version.

    \b
    Examples:
      shopward processing declare offers offers.json
    """
    try:
        body = json.load(file)
    except ValueError:
        raise click.UsageError("FILE is not JSON") from None
    said = talk_to(**server).ask("PUT", f"/v1/processing/activities/{quote(name, safe='')}", body)
    say(
        said,
        f"{said['name']}: version {said['version']}, {said['activity']['basis']}",
        as_json=server["as_json"],
    )


def _say(user: str, purpose: str, state: str, text_version: str, how: str, **server: Any) -> None:
    asked = {"purpose": purpose, "state": state, "text_version": text_version, "how": how}
    said = talk_to(**server).ask("POST", _path(user), asked)
    say(said, _line(said), as_json=server["as_json"])


def _path(user: str) -> str:
    return f"/v1/users/{quote(user, safe='')}/consents"


def _line(said: dict[str, Any]) -> str:
    return f"{said['at']}  {said['purpose']:24} {said['number']:4}  {said['state']:10} {said['text_version']}  {said['how']}"
