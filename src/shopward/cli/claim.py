"""``shopward claim``: look at claims and decide them, on a running server.

Promise: everything goes through the HTTP API with the key of the one who decides; a decision is a dry run until ``--yes``.
"""

from __future__ import annotations

from typing import Any, Final, get_args
from urllib.parse import quote

import click

from shopward.claims.claim import Reason, State
from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/claims"
_YES: Final = click.option("--yes", is_flag=True, help="Do it. Without it nothing is decided.")


@click.group()
def claim() -> None:
    """Losses that customers claim: list, look, approve, refuse with a second person.

    SHOPWARD_KEY holds a key of the server: analyst to decide.
    """


@claim.command("list")
@click.option("--state", type=click.Choice(list(get_args(State))), help="Only those in this state.")
@click.option("--user", metavar="USER", help="Only those of this customer (your own id).")
@server_options
def list_(state: str | None, user: str | None, **server: Any) -> None:
    """List claims, newest first, with the date by which they count as approved.

    \b
    Examples:
      shopward claim list --state under_review
    """
    said = talk_to(**server).listed(_PATH, "claims", {"state": state, "user": user})
    say(said, "\n".join(map(_line, said["claims"])), as_json=server["as_json"])


@claim.command()
@click.argument("claim_id", metavar="CLAIM")
@server_options
def show(claim_id: str, **server: Any) -> None:
    """Show a claim: each item, what is known of it, what is borne and why.

    \b
    Examples:
      shopward claim show c-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(claim_id))
    say(said, _whole(said), as_json=server["as_json"])


@claim.command()
@click.argument("claim_id", metavar="CLAIM")
@_YES
@server_options
def approve(claim_id: str, *, yes: bool, **server: Any) -> None:
    """Approve a claim as it was assessed.

    \b
    Examples:
      shopward claim approve c-019b8f2c5a10 --yes
    """
    _decide(claim_id, "approve", None, yes=yes, **server)


@claim.command()
@click.argument("claim_id", metavar="CLAIM")
@click.option(
    "--event",
    "events",
    metavar="EVENT",
    multiple=True,
    required=True,
    help="Refuse this one; may be repeated.",
)
@click.option("--reason", type=click.Choice(list(get_args(Reason))), required=True, help="Why.")
@_YES
@server_options
def decline(claim_id: str, events: tuple[str, ...], reason: str, *, yes: bool, **server: Any) -> None:
    """Propose to refuse items of a claim; another person has to confirm it.

    \b
    Examples:
      shopward claim decline c-019b8f2c5a10 --event e-81 --reason authorised_by_owner --yes
    """
    _decide(claim_id, "decline", {"amounts": dict.fromkeys(events, 0), "reason": reason}, yes=yes, **server)


@claim.command()
@click.argument("claim_id", metavar="CLAIM")
@_YES
@server_options
def confirm(claim_id: str, *, yes: bool, **server: Any) -> None:
    """Confirm a refusal that somebody else proposed.

    \b
    Examples:
      shopward claim confirm c-019b8f2c5a10 --yes
    """
    _decide(claim_id, "confirm", None, yes=yes, **server)


def _decide(claim_id: str, step: str, body: dict[str, Any] | None, *, yes: bool, **server: Any) -> None:
    talk = talk_to(**server)
    if not yes:
        said = talk.ask("GET", _path(claim_id))
        say(said, _whole(said) + "\nnothing is decided; repeat it with --yes", as_json=server["as_json"])
        return
    said = talk.ask("POST", f"{_path(claim_id)}/{step}", body)
    say(said, _line(said), as_json=server["as_json"])


def _path(claim_id: str) -> str:
    return f"{_PATH}/{quote(claim_id, safe='')}"


def _line(said: dict[str, Any]) -> str:
    amounts = ", ".join(
        f"{each['borne_minor']} of {each['claimed_minor']} {each['currency']}" for each in said["amounts"]
    )
    return f"{said['id']}  {said['state']:16} due {said.get('due_at', '-'):24} {said.get('user', '-')}  {amounts}"


def _whole(said: dict[str, Any]) -> str:
    items = [
        f"  {each['event_id']}  {each['at']}  {each['borne_minor']} of {each['amount_minor']} {each['currency']}  "
        f"{each.get('reason', '-')}  {' '.join(each.get('evidence', ()))}"
        for each in said["items"]
    ]
    steps = [f"  {each['at']}  {each['step']}  {each.get('reason', '')}" for each in said["history"]]
    return "\n".join((_line(said), *items, "history:", *steps))
