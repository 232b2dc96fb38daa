"""``shopward complaint``: take complaints down and deal with them, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts; a decision is a dry run until ``--yes``.
"""

from __future__ import annotations

from typing import Any, Final, get_args
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.complaints.complaint import About, ExtendReason, Outcome, Reason, RemedyKind, State
from shopward.complaints.regimes import DEFAULT, shipped_regimes

_PATH: Final = "/v1/complaints"


@click.group()
def complaint() -> None:
    """Complaints of customers: acknowledged and decided in time, appealed to another person.

    SHOPWARD_KEY holds a key of the server: analyst to deal with them.
    """


@complaint.command("file")
@click.argument("about", type=click.Choice(list(get_args(About))))
@click.argument("statement")
@click.option("--user", metavar="USER", required=True, help="The customer (your own id).")
@click.option("--subject", metavar="ID", default="", help="The decision's event, the order or the claim.")
@click.option("--against", metavar="PERSON", default="", help="The member of staff.")
@click.option(
    "--regime",
    type=click.Choice(list(shipped_regimes())),
    default=DEFAULT,
    help=f"By when.  [default: {DEFAULT}]",
)
@click.option(
    "--key", metavar="KEY", default="", help="Your own name for it: sent again, it is the same one."
)
@server_options
def file_(
    about: str, statement: str, user: str, subject: str, against: str, regime: str, key: str, **server: Any
) -> None:
    """Take a complaint down; personal values in it are masked.

    \b
    Examples:
      shopward complaint file claim "This was not me" --user u008490 --subject c-019b8f2c5a10 --key ticket-4711
    """
    asked = {
        "about": about, "statement": statement, "user": user, "subject": subject, "against": against, "regime": regime,
        "key": key,
    }  # fmt: skip
    said = talk_to(**server).ask("POST", _PATH, {name: value for name, value in asked.items() if value})
    say(said, _whole(said), as_json=server["as_json"])


@complaint.command("list")
@click.option("--state", type=click.Choice(list(get_args(State))), help="Only those in this state.")
@click.option("--user", metavar="USER", help="Only those of this customer (your own id).")
@click.option("--overdue", is_flag=True, help="Only those whose date has passed.")
@server_options
def list_(state: str | None, user: str | None, *, overdue: bool, **server: Any) -> None:
    """List complaints, newest first, with the date by which the next step is due.

    \b
    Examples:
      shopward complaint list --overdue
    """
    asked = {"state": state, "user": user, "overdue": "true" if overdue else None}
    said = talk_to(**server).listed(_PATH, "complaints", asked)
    say(said, "\n".join(map(_line, said["complaints"])), as_json=server["as_json"])


@complaint.command()
@click.argument("complaint_id", metavar="COMPLAINT")
@server_options
def show(complaint_id: str, **server: Any) -> None:
    """Show a complaint and what happened to it.

    \b
    Examples:
      shopward complaint show cp-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(complaint_id))
    say(said, _whole(said), as_json=server["as_json"])


@complaint.command()
@click.argument("complaint_id", metavar="COMPLAINT")
@click.argument("step", type=click.Choice(["acknowledge", "take", "appeal", "withdraw"]))
@server_options
def step(complaint_id: str, step: str, **server: Any) -> None:
    """Acknowledge a complaint, take it, or note that the customer appeals or withdraws.

    \b
    Examples:
      shopward complaint step cp-019b8f2c5a10 take
    """
    said = talk_to(**server).ask("POST", f"{_path(complaint_id)}/{step}")
    say(said, _line(said), as_json=server["as_json"])


@complaint.command()
@click.argument("complaint_id", metavar="COMPLAINT")
@click.option("--reason", type=click.Choice(list(get_args(ExtendReason))), required=True, help="Why.")
@server_options
def extend(complaint_id: str, reason: str, **server: Any) -> None:
    """More time, once, where the regime has it.

    \b
    Examples:
      shopward complaint extend cp-019b8f2c5a10 --reason waiting_for_partner
    """
    said = talk_to(**server).ask("POST", f"{_path(complaint_id)}/extend", {"reason": reason})
    say(said, _line(said), as_json=server["as_json"])


@complaint.command()
@click.argument("complaint_id", metavar="COMPLAINT")
@click.argument("outcome", type=click.Choice(list(get_args(Outcome))))
@click.option(
    "--reason", type=click.Choice(list(get_args(Reason))), required=True, help="Why; has to fit the outcome."
)
@click.option(
    "--remedy", "remedies", multiple=True, metavar="KIND[:ID]",
    help="What puts it right: " + ", ".join(get_args(RemedyKind)) + "; may be repeated.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is decided.")
@server_options
def decide(
    complaint_id: str, outcome: str, reason: str, remedies: tuple[str, ...], *, yes: bool, **server: Any
) -> None:
    """Decide a complaint; on appeal another person, for good.

    \b
    Examples:
      shopward complaint decide cp-019b8f2c5a10 upheld --reason our_mistake --remedy claim:c-019b8f2c5a10 --yes
    """
    talk = talk_to(**server)
    if not yes:
        said = talk.ask("GET", _path(complaint_id))
        say(said, _whole(said) + "\nnothing is decided; repeat it with --yes", as_json=server["as_json"])
        return
    body: dict[str, Any] = {"outcome": outcome, "reason": reason}
    if remedies:
        body["remedies"] = [_remedy(each) for each in remedies]
    said = talk.ask("POST", f"{_path(complaint_id)}/decide", body)
    say(said, _whole(said), as_json=server["as_json"])


def _remedy(given: str) -> dict[str, str]:
    kind, _colon, reference = given.partition(":")
    return {"kind": kind, "reference": reference} if reference else {"kind": kind}


def _path(complaint_id: str) -> str:
    return f"{_PATH}/{quote(complaint_id, safe='')}"


def _line(said: dict[str, Any]) -> str:
    late = "  OVERDUE" if said.get("is_overdue") else ""
    subject, outcome = said.get("subject", "-"), said.get("outcome", "")
    return f"{said['id']}  {said['state']:12} {said['about']:8} {subject}  by {said.get('due_at', '-')}  {outcome}{late}"


def _whole(said: dict[str, Any]) -> str:
    lines = [_line(said), said["text"], f"  {said.get('statement', '')}"]
    lines += [said[name] for name in ("outcome_text", "reason_text") if name in said]
    lines += [
        f"  {each['kind']} {each.get('reference', '')}  {each['text']}" for each in said.get("remedies", ())
    ]
    steps = [f"  {each['at']}  {each['step']}  {each.get('reason', '')}" for each in said["history"]]
    return "\n".join((*lines, "history:", *steps))
