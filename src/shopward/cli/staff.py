"""``shopward staff``: factors of persons of staff, and the challenges that their reveals are answered with, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts. A code is read from the terminal or standard
input and never from an argument, which others on the machine could read. Passkeys need a browser and are added by the shop's own pages.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/staff"


@click.group()
def staff() -> None:
    """Persons of staff: an app for one-time codes, and proofs with it.

    SHOPWARD_KEY holds a key of the server, of the person who acts.
    """


@staff.command()
@click.argument("person", metavar="PERSON")
@server_options
def factors(person: str, **server: Any) -> None:
    """List the factors of a person: your own, or as an admin anybody's.

    \b
    Examples:
      shopward staff factors ani
    """
    said = talk_to(**server).ask("GET", _factors(person))
    say(said, _lines(said), as_json=server["as_json"])


@staff.command()
@click.argument("person", metavar="PERSON")
@click.option("--challenge", "challenge_id", default="", help="A challenge for enrol that you passed.")
@server_options
def enrol(person: str, challenge_id: str, **server: Any) -> None:
    """Begin to add an app for one-time codes; its secret is printed once.

    Your first one counts once an admin has confirmed it with the code that you tell him.

    \b
    Examples:
      shopward staff enrol ani
    """
    asked = {"kind": "totp", "challenge_id": challenge_id}
    said = talk_to(**server).ask("POST", _factors(person), asked)
    text = f"{said['id']}: confirm it within 10 minutes\n{said['uri']}\n{said['secret_base32']}"
    say(said, text, as_json=server["as_json"])


@staff.command()
@click.argument("person", metavar="PERSON")
@click.argument("factor", metavar="FACTOR")
@server_options
def confirm(person: str, factor: str, **server: Any) -> None:
    """Make a factor count, with the first code of the app, which is asked for.

    \b
    Examples:
      shopward staff confirm ani fac-019b8f2c5a10
    """
    path = f"{_factors(person)}/{quote(factor, safe='')}/confirm"
    said = talk_to(**server).ask("POST", path, {"answer": _code()})
    say(said, _lines(said), as_json=server["as_json"])


@staff.command()
@click.argument("person", metavar="PERSON")
@click.argument("factor", metavar="FACTOR")
@click.option("--challenge", "challenge_id", default="", help="A challenge for remove that you passed.")
@click.option("--evidence", default="", help="As an admin: the number of what shows that it was lost.")
@server_options
def remove(person: str, factor: str, challenge_id: str, evidence: str, **server: Any) -> None:
    """Remove a factor: your own with a proof, or as an admin one that somebody else lost.

    \b
    Examples:
      shopward staff remove ani fac-019b8f2c5a10 --evidence hr-7
    """
    asked = {"challenge_id": challenge_id, "evidence": evidence}
    said = talk_to(**server).ask("POST", f"{_factors(person)}/{quote(factor, safe='')}/remove", asked)
    say(said, f"removed: {said['id']}", as_json=server["as_json"])


@staff.command()
@click.argument("what", type=click.Choice(["enrol", "remove"]))
@server_options
def challenge(what: str, **server: Any) -> None:
    """Ask for a challenge before you change your factors; answer it with `prove`.

    \b
    Examples:
      shopward staff challenge enrol
    """
    said = talk_to(**server).ask("POST", f"{_PATH}/challenges", {"for": what})
    say(said, _challenge(said), as_json=server["as_json"])


@staff.command()
@click.argument("challenge_id", metavar="CHALLENGE")
@server_options
def prove(challenge_id: str, **server: Any) -> None:
    """Answer a challenge of yours with a code of your app, which is asked for.

    \b
    Examples:
      shopward staff prove chl-019b8f2c5a10
    """
    path = f"{_PATH}/challenges/{quote(challenge_id, safe='')}/verify"
    said = talk_to(**server).ask("POST", path, {"factor": "totp", "answer": _code()})
    say(said, _challenge(said), as_json=server["as_json"])


def _factors(person: str) -> str:
    return f"{_PATH}/{quote(person, safe='')}/factors"


def _code() -> str:
    code: str = click.prompt("Code", err=True)
    return code


def _lines(said: dict[str, Any]) -> str:
    return (
        "\n".join(
            f"{each['id']}  {each['kind']:8} {each['state']}  since {each['since']}"
            for each in said["factors"]
        )
        or "none"
    )


def _challenge(said: dict[str, Any]) -> str:
    until = said.get("good_until") or said["expires_at"]
    return f"{said['id']}: {said['state']} for {said['operation']}, by {', '.join(said['offered'])}, until {until}"
