"""``shopward conversation``: what customers write to the shop's lines, looked after by one agent at a time, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts; what was said is printed by ``open`` alone, which is decided
and audited.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.conversations.conversation import STATES

_PATH: Final = "/v1/conversations"


@click.group()
def conversation() -> None:
    """Conversations with customers: taken, read under a decision, answered, closed.

    SHOPWARD_KEY holds a key of the server with the role analyst.
    """


@conversation.command("list")
@click.option("--state", type=click.Choice(list(STATES)), help="Only those in this state.")
@server_options
def list_(state: str | None, **server: Any) -> None:
    """List conversations, newest first.

    \b
    Examples:
      shopward conversation list --state open
    """
    said = talk_to(**server).listed(_PATH, "conversations", {"state": state})
    say(said, "\n".join(map(_line, said["conversations"])), as_json=server["as_json"])


@conversation.command()
@click.argument("conversation_id", metavar="CONVERSATION")
@server_options
def show(conversation_id: str, **server: Any) -> None:
    """Show who spoke when, how it was judged, and who read it.

    \b
    Examples:
      shopward conversation show cv-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(conversation_id))
    reads = [
        f"  read {each['at']}  {each['person']}  {each['purpose']}" + ("" if each["is_explained"] else "  UNEXPLAINED")
        for each in said["reads"]
    ]  # fmt: skip
    lines = [_line(said["conversation"]), *map(_message, said["messages"]), *reads]
    say(said, "\n".join(lines), as_json=server["as_json"])


@conversation.command("open")
@click.argument("conversation_id", metavar="CONVERSATION")
@click.option(
    "--challenge", "challenge_id", default="", help="The challenge that you passed for this conversation."
)
@server_options
def open_(conversation_id: str, challenge_id: str, **server: Any) -> None:
    """Read the newest messages of a conversation that you look after.

    \b
    Examples:
      shopward conversation open cv-019b8f2c5a10
    """
    said = talk_to(**server).ask("POST", f"{_path(conversation_id)}/open", {"challenge_id": challenge_id})
    say(said, "\n".join(map(_message, said["messages"])), as_json=server["as_json"])


@conversation.command()
@click.argument("conversation_id", metavar="CONVERSATION")
@click.argument("step", type=click.Choice(["take", "close"]))
@server_options
def step(conversation_id: str, step: str, **server: Any) -> None:
    """Look after a conversation, or close it.

    \b
    Examples:
      shopward conversation step cv-019b8f2c5a10 take
    """
    said = talk_to(**server).ask("POST", f"{_path(conversation_id)}/{step}")
    say(said, _line(said), as_json=server["as_json"])


@conversation.command()
@click.argument("conversation_id", metavar="CONVERSATION")
@click.argument("text")
@click.option(
    "--template", metavar="NAME", default="", help="An approved template, whose one parameter is the text."
)
@server_options
def reply(conversation_id: str, text: str, template: str, **server: Any) -> None:
    """Answer a customer; a template is in the language of ``--language``.

    \b
    Examples:
      shopward conversation reply cv-019b8f2c5a10 "Paket Anda tiba besok."
    """
    asked = {"text": text} | ({"template": template, "language": server["language"]} if template else {})
    said = talk_to(**server).ask("POST", f"{_path(conversation_id)}/reply", asked)
    say(said, _message(said), as_json=server["as_json"])


def _path(conversation_id: str) -> str:
    return f"{_PATH}/{quote(conversation_id, safe='')}"


def _line(said: dict[str, Any]) -> str:
    marks = ("" if said["is_known"] else "  no customer's number") + (
        f"  CHANGED: {said['changed']}" if "changed" in said else ""
    )
    return f"{said['id']}  {said['state']:6} {said['last_at']}  {said.get('agent') or '-'}{marks}"


def _message(said: dict[str, Any]) -> str:
    who = said.get("by") or "customer"
    return f"  {said['at']}  {who:10} {said.get('verdict', said.get('said', '')):10} {said.get('text', '')}".rstrip()
