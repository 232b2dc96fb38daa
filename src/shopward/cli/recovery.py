"""``shopward recovery``: who is on the way back into an account, and how far; and the freeze that begins it.

Promise: everything goes through the HTTP API with the key of the one who asks. What it does not do: take a step of a recovery;
these are the customer's, with the customer's proof.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/recoveries"


@click.group()
def recovery() -> None:
    """Customers who froze their account and are led back: list, look, begin.

    SHOPWARD_KEY holds a key of the server: service or analyst.
    """


@recovery.command("list")
@click.option("--user", metavar="USER", help="Only this customer's (your own id).")
@server_options
def list_(user: str | None, **server: Any) -> None:
    """List open recoveries, newest first, with the step that comes next.

    \b
    Examples:
      shopward recovery list
      shopward recovery list --user u008490
    """
    said = talk_to(**server).listed(_PATH, "recoveries", {"user": user})
    say(said, "\n".join(map(_line, said["recoveries"])), as_json=server["as_json"])


@recovery.command()
@click.argument("recovery_id", metavar="RECOVERY")
@server_options
def show(recovery_id: str, **server: Any) -> None:
    """Show a recovery: what is stopped, what works, what is next, and what changed.

    \b
    Examples:
      shopward recovery show r-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", f"{_PATH}/{quote(recovery_id, safe='')}")
    say(said, _whole(said), as_json=server["as_json"])


@recovery.command()
@click.argument("user", metavar="USER")
@click.option("--reason", default="account_at_risk", help="What happened, e.g. takeover, lost_device.")
@click.option(
    "--since", metavar="TIME", help="Since when something was wrong (RFC 3339).  [default: a week ago]"
)
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is frozen.")
@server_options
def begin(user: str, reason: str, since: str | None, *, yes: bool, **server: Any) -> None:
    """Freeze a customer's account at the customer's wish, and open the way back.

    \b
    Examples:
      shopward recovery begin u008490 --reason lost_device --yes
    """
    if not yes:
        say(
            {"user": user, "reason": reason},
            f"would freeze {user} for {reason}; repeat it with --yes",
            as_json=server["as_json"],
        )
        return
    body = {"reason": reason} | ({"since": since} if since else {})
    said = talk_to(**server).ask("POST", f"/v1/users/{quote(user, safe='')}/freeze", body)
    say(said, _whole(said), as_json=server["as_json"])


def _line(said: dict[str, Any]) -> str:
    return f"{said['id']}  {said['state']:9} next {said['next']:9} {said['reason']:22} since {said['since']}"


def _whole(said: dict[str, Any]) -> str:
    told = said["explanation"]
    changes = [
        f"  {each['at']}  {each['type']:16} {' '.join(filter(None, (each.get('os'), each.get('browser'), each.get('country'))))}"
        for each in said["changes"]
    ]
    return "\n".join([_line(said), told["stopped"], told["works"], told["next"], *changes])
