"""``shopward partner``: who handles the shop's orders, over HTTP to a running server.

Promise: a registration comes from a file or standard input; what ends is a dry run until ``--yes``; no value of a customer passes
here, and no token of a share is shown again.
"""

from __future__ import annotations

from typing import IO, Any, Final
from urllib.parse import quote

import click

from shopward.cli.alias import alias
from shopward.cli.talk import object_in, say, server_options, talk_to
from shopward.values import DAY_MS, SystemClock, to_rfc3339

_PATH: Final = "/v1/partners"


@click.group()
def partner() -> None:
    """Register, audit, suspend and look at partners that handle your orders.

    SHOPWARD_KEY holds a key of the server.
    """


@partner.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@server_options
def register(file: IO[str], **server: Any) -> None:
    """Register a partner: FILE (- for standard input) is JSON with agreement, scope, duties, audit, contact and public_key.

    \b
    Examples:
      shopward partner register fast-courier.json
    """
    asked = object_in(file, expected="a partner as POST /v1/partners takes it")
    said = talk_to(**server).ask("POST", _PATH, asked)
    say(said, _line(said), as_json=server["as_json"])


@partner.command("list")
@click.option("--due", type=click.IntRange(0, 1_096), metavar="DAYS", help="Only whose audit is due within so many days, overdue ones first.")  # fmt: skip
@server_options
def list_(due: int | None, **server: Any) -> None:
    """List partners with their state and the day of their next audit.

    \b
    Examples:
      shopward partner list
      shopward partner list --due 30
    """
    found = talk_to(**server).listed(_PATH, "partners", {}, by="after")["partners"]
    if due is not None:
        last = _in_days(due)
        found = sorted(
            (each for each in found if each["state"] != "ended" and each["audit_due_at"] <= last), key=_due
        )
    say({"partners": found}, "\n".join(map(_line, found)) or "none", as_json=server["as_json"])


@partner.command()
@click.argument("partner_id", metavar="PARTNER")
@server_options
def show(partner_id: str, **server: Any) -> None:
    """Show a partner: agreement, scope, duties, audits.

    \b
    Examples:
      shopward partner show fast-courier
    """
    said = talk_to(**server).ask("GET", _of(partner_id))
    scope = "\n".join(f"  {purpose}: {', '.join(fields)}" for purpose, fields in said["scope"].items())
    say(said, f"{_line(said)}\n{scope}\n  duties: {'; '.join(said['duties'])}", as_json=server["as_json"])


@partner.command()
@click.argument("partner_id", metavar="PARTNER")
@click.argument("step", type=click.Choice(["suspend", "resume", "end"]))
@click.option("--reason", required=True, help="Why; others read it.")
@click.option("--yes", is_flag=True, help="For end: do it. It is for good.")
@server_options
def step(partner_id: str, step: str, reason: str, *, yes: bool, **server: Any) -> None:
    """Suspend a partner (at once, in the middle of a download too), let it go on, or end it for good.

    \b
    Examples:
      shopward partner step fast-courier suspend --reason "rows found for sale"
    """
    if step == "end" and not yes:
        said = talk_to(**server).ask("GET", _of(partner_id))
        say(said, f"{_line(said)}\nwould be ended for good; repeat it with --yes", as_json=server["as_json"])
        return
    said = talk_to(**server).ask("POST", f"{_of(partner_id)}/steps", {"step": step, "reason": reason})
    say(said, _line(said), as_json=server["as_json"])


@partner.command()
@click.argument("partner_id", metavar="PARTNER")
@click.option("--on", required=True, metavar="DAY", help="The day of the audit, YYYY-MM-DD.")
@click.option("--passed/--failed", required=True, help="How it went; a failed one suspends.")
@server_options
def audit(partner_id: str, on: str, *, passed: bool, **server: Any) -> None:
    """Say that an audit was held, and how it went.

    \b
    Examples:
      shopward partner audit fast-courier --on 2026-06-30 --passed
    """
    said = talk_to(**server).ask("POST", f"{_of(partner_id)}/audits", {"on": on, "passed": passed})
    say(said, _line(said), as_json=server["as_json"])


@partner.command()
@click.argument("partner_id", metavar="PARTNER")
@click.option("--close", metavar="SHARE", help="End this share instead.")
@server_options
def shares(partner_id: str, close: str | None, **server: Any) -> None:
    """List the newest shares of a partner, or end one. They are made by shopward vault share.

    \b
    Examples:
      shopward partner shares fast-courier
      shopward partner shares fast-courier --close sh-019b8f2c5a10
    """
    talk = talk_to(**server)
    if close:
        said = talk.ask("POST", f"{_of(partner_id)}/shares/{quote(close, safe='')}/close")
        found = [said]
    else:
        said = talk.ask("GET", f"{_of(partner_id)}/shares")
        found = said["shares"]
    lines = [f"{each['id']}  {each['state']:6}  {each['purpose']:16} {each['rows']:6} rows  until {each['expires_at']}" for each in found]  # fmt: skip
    say(said, "\n".join(lines) or "none", as_json=server["as_json"])


partner.add_command(alias)


def _in_days(days: int) -> str:
    return to_rfc3339(SystemClock().now_ms() + days * DAY_MS)


def _due(shown: dict[str, Any]) -> str:
    return str(shown["audit_due_at"])


def _of(partner_id: str) -> str:
    return f"{_PATH}/{quote(partner_id, safe='')}"


def _line(shown: dict[str, Any]) -> str:
    why = f"  ({shown['why']})" if shown.get("why") else ""
    return (
        f"{shown['id']}  {shown['state']:9}  {shown['kind']:10} audit due {shown['audit_due_at'][:10]}{why}"
    )
