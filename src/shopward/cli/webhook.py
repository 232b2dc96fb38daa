"""``shopward webhook``: who is told, on a running server.

Promise: everything goes through the HTTP API with the key of the one who asks; a secret is printed once, when it is made
or replaced; removing is a dry run until ``--yes``.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.outbox import Topic
from shopward.outbox.endpoints import STATES

_PATH: Final = "/v1/webhooks"


@click.group()
def webhook() -> None:
    """Tell the shop by signed webhooks.

    SHOPWARD_KEY holds a key of the server: admin to change anything, analyst to look.
    """


@webhook.command()
@click.argument("receiver", metavar="RECEIVER")
@click.option(
    "--topic", "topics", type=click.Choice([topic.value for topic in Topic]), multiple=True,
    help="Tell of this; may be repeated.  [default: of everything]",
)  # fmt: skip
@server_options
def add(receiver: str, topics: tuple[str, ...], **server: Any) -> None:
    """Tell a RECEIVER (its URL, or mailto: and an address) from now on; prints its secret, once.

    \b
    Examples:
      shopward webhook add https://shop.example/hooks/shopward --topic order.activated --topic order.ended
      shopward webhook add "mailto:fraud@shop.example?content-language=id"
    """
    said = talk_to(**server).ask("POST", _PATH, {"url": receiver, "topics": list(topics)})
    say(said, f"{said['id']}  {said.get('secret', '')}".strip(), as_json=server["as_json"])


@webhook.command("list")
@server_options
def list_(**server: Any) -> None:
    """List webhooks and how they are.

    \b
    Examples:
      shopward webhook list
    """
    said = talk_to(**server).ask("GET", _PATH)
    lines = [
        f"{each['id']}  {each['state']:6} {each.get('why', ''):8} {each.get('last_code', '-'):13} "
        f"{each.get('pending', 0)} waiting, {each.get('failed', 0)} failed  {each['url']}"
        for each in said["webhooks"]
    ]
    say(said, "\n".join(lines), as_json=server["as_json"])


@webhook.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--state", type=click.Choice(list(STATES)), help="Only deliveries in this state.")
@server_options
def deliveries(webhook_id: str, state: str | None, **server: Any) -> None:
    """List what became of each message, newest first.

    \b
    Examples:
      shopward webhook deliveries w-019b8f2c5a10 --state failed
    """
    query = f"?state={state}" if state else ""
    said = talk_to(**server).ask("GET", f"{_path(webhook_id)}/deliveries{query}")
    lines = [
        f"{each['message_id']}  {each['topic']:24} {each['state']:9} {each['tries']:2} tries  "
        f"{each.get('last_code', '-'):13} {each.get('next_try_at', '')}"
        for each in said["deliveries"]
    ]
    say(said, "\n".join(lines), as_json=server["as_json"])


@webhook.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@server_options
def rotate(webhook_id: str, **server: Any) -> None:
    """Replace the secret; prints the new one, once. The old one signs beside it for a day.

    \b
    Examples:
      shopward webhook rotate w-019b8f2c5a10
    """
    said = talk_to(**server).ask("POST", f"{_path(webhook_id)}/rotate")
    say(said, said["id"] + "  " + said["secret"], as_json=server["as_json"])


@webhook.command("test")
@click.argument("webhook_id", metavar="WEBHOOK")
@server_options
def test_(webhook_id: str, **server: Any) -> None:
    """Send a test message to this webhook alone.

    \b
    Examples:
      shopward webhook test w-019b8f2c5a10
    """
    said = talk_to(**server).ask("POST", f"{_path(webhook_id)}/test")
    say(said, f"on its way: {said['message_id']}", as_json=server["as_json"])


@webhook.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@server_options
def replay(webhook_id: str, **server: Any) -> None:
    """Try everything that failed anew, and switch the webhook on where it is off.

    \b
    Examples:
      shopward webhook replay w-019b8f2c5a10
    """
    said = talk_to(**server).ask("POST", f"{_path(webhook_id)}/replay")
    say(said, f"tried again: {said['replayed']}", as_json=server["as_json"])


@webhook.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is removed.")
@server_options
def remove(webhook_id: str, *, yes: bool, **server: Any) -> None:
    """Tell a webhook nothing more, and forget its secret.

    \b
    Examples:
      shopward webhook remove w-019b8f2c5a10 --yes
    """
    talk = talk_to(**server)
    said = talk.ask("DELETE" if yes else "GET", _path(webhook_id))
    text = "removed" if yes else f"{said['url']}: nothing is removed; repeat it with --yes"
    say(said, text, as_json=server["as_json"])


def _path(webhook_id: str) -> str:
    return f"{_PATH}/{quote(webhook_id, safe='')}"
