"""``shopward case``: what customers reported, on a running server: take it down, look, look after it, settle it.

Promise: everything goes through the HTTP API with the key of the one who acts. It freezes and claims nothing: ``show`` prints
the requests that do.
"""

from __future__ import annotations

import json
from typing import Any, Final, get_args
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.screening.reports import CASE_STATES, REASONS, Reason

_PATH: Final = "/v1/reports"
_SHOWN_MAX: Final = 10
"""Events and devices that ``show`` prints; ``--json`` has all."""


@click.group()
def case() -> None:
    """Reports of customers and staff, gathered into cases that people settle.

    SHOPWARD_KEY holds a key of the server: analyst, or any key to open one.
    """


@case.command("open")
@click.argument("kind", type=click.Choice(["loss", "doubt"]))
@click.option("--user", metavar="USER", required=True, help="The customer (your own id).")
@click.option("--said", metavar="TEXT", default="", help="What happened, in their words; values are masked.")
@click.option("--since", metavar="T", default="", help="Since when something is wrong (RFC 3339).")
@server_options
def open_(kind: str, user: str, said: str, since: str, **server: Any) -> None:
    """Take down a loss or a doubt of a customer; joins the case that is open.

    \b
    Examples:
      shopward case open loss --user u008490 --said "paid twice, not by me"
    """
    asked = {"kind": kind, "user": user, "reporter": "staff", "said": said, "since": since}
    told = talk_to(**server).ask("POST", _PATH, {name: value for name, value in asked.items() if value})
    offers = [_offer(each) for each in told.get("offers", ())]
    head = f"{told['case_id']}  {told['state']}  by {told['due_at']}"
    say(told, "\n".join((head, told["text"], *offers)), as_json=server["as_json"])


@case.command("list")
@click.option("--state", type=click.Choice(list(CASE_STATES)), help="Only those in this state.")
@click.option("--user", metavar="USER", help="Only those of this customer (your own id).")
@click.option("--assignee", metavar="PERSON", help="Only those that this person looks after.")
@server_options
def list_(state: str | None, user: str | None, assignee: str | None, **server: Any) -> None:
    """List cases, newest first, with the date by which somebody has to look.

    \b
    Examples:
      shopward case list --state open
    """
    said = talk_to(**server).listed(_PATH, "cases", {"state": state, "user": user, "assignee": assignee})
    say(said, "\n".join(map(_line, said["cases"])), as_json=server["as_json"])


@case.command()
@click.argument("case_id", metavar="CASE")
@server_options
def show(case_id: str, **server: Any) -> None:
    """Show a case: reports, notes, and what is known of the customer now.

    \b
    Examples:
      shopward case show rc-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(case_id))
    say(said, _whole(said), as_json=server["as_json"])


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--to", "person", metavar="PERSON", help="Somebody else; nobody for an empty text.")
@server_options
def assign(case_id: str, person: str | None, **server: Any) -> None:
    """Look after a case, or say who does.

    \b
    Examples:
      shopward case assign rc-019b8f2c5a10
    """
    body = None if person is None else {"person": person}
    said = talk_to(**server).ask("POST", _path(case_id) + "/assign", body)
    say(said, _line(said), as_json=server["as_json"])


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("text")
@server_options
def note(case_id: str, text: str, **server: Any) -> None:
    """Write into a case; personal values are masked.

    \b
    Examples:
      shopward case note rc-019b8f2c5a10 "called back, the phone was stolen on Sunday"
    """
    said = talk_to(**server).ask("POST", _path(case_id) + "/notes", {"text": text})
    say(said, f"{said['id']}  {said['text']}", as_json=server["as_json"])


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("state", type=click.Choice(list(REASONS)))
@click.option("--reason", type=click.Choice(list(get_args(Reason))), help="Why; has to fit the state.")
@click.option(
    "--scope", type=click.Choice(["url", "path", "host", "domain"]), help="How wide its link is listed."
)
@server_options
def settle(case_id: str, state: str, reason: str | None, scope: str | None, **server: Any) -> None:
    """Say what a case is, and why; said anew, the last word counts.

    \b
    Examples:
      shopward case settle rc-019b8f2c5a10 confirmed --reason account_taken_over
    """
    asked = {"state": state, "reason": reason, "scope": scope}
    said = talk_to(**server).ask(
        "POST", _path(case_id), {name: value for name, value in asked.items() if value}
    )
    say(said, _line(said), as_json=server["as_json"])


def _path(case_id: str) -> str:
    return f"{_PATH}/{quote(case_id, safe='')}"


def _line(said: dict[str, Any]) -> str:
    late = "  OVERDUE" if said["is_overdue"] and said["state"] == "open" else ""
    who = said["assignee"] or "-"
    return (
        f"{said['id']}  {said['state']:9} {said['kind']:8} {said['reports']:4} reports  by {said['due_at'] or '-'}  {who}"
        f"  {said['reason']}{late}"
    )


def _whole(said: dict[str, Any]) -> str:
    lines = [_line(said["case"])]
    lines += [
        f"  {each['at']}  {each['kind']} by {each['reporter']}  {each['said']}" for each in said["reports"]
    ]
    lines += [f"  {each['at']}  note of {each['person']}: {each['text']}" for each in said["notes"]]
    seen = said["customer"]
    if seen is not None:
        lines.append(f"customer {seen['user'] or '(not known any more)'}")
        for each in seen["events"][:_SHOWN_MAX]:
            why = " ".join(reason["code"] for reason in each["reasons"])
            lines.append(f"  {each['at']}  {each['type']} {each['status']}  {each['decision']}  {why}")
        lines += [
            f"  device {each['device'][:12]}  {each['events']} events"
            for each in seen["devices"][:_SHOWN_MAX]
        ]
        lines += [f"  order {each['id']}  {each['kind']}  {each['reason']}" for each in seen["orders"]]
        lines += [f"  campaign {each['id']}  {each['kind']}  {each['how']}" for each in seen["campaigns"]]
        lines += [f"  claim {each['id']}  {each['state']}" for each in seen["claims"]]
    return "\n".join((*lines, *map(_offer, said["offers"])))


def _offer(said: dict[str, Any]) -> str:
    return f"{said['action']}: {said['method']} {said['path']} {json.dumps(said['body'])}\n  {said['text']}"
