"""``shopward incident``: work on incidents, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts. What it prints of the law is not legal advice, and it
says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import quote, urlencode

import click

from shopward.cli.order import server_options, talk_to
from shopward.incidents.incident import Kind, Severity, State

_PATH: Final = "/v1/incidents"


@click.group()
def incident() -> None:
    """What happened, what the law asks by when, who does what.

    SHOPWARD_KEY holds a key of the server: analyst.
    """


@incident.command("open")
@click.argument("title")
@click.option("--kind", type=click.Choice(list(get_args(Kind))), required=True, help="What it is.")
@click.option(
    "--severity",
    type=click.Choice(list(get_args(Severity))),
    default="medium",
    help="How bad.  [default: medium]",
)
@click.option("--campaign", metavar="ID", default="", help="The campaign that it came from.")
@server_options
def open_(title: str, kind: str, severity: str, campaign: str, **server: Any) -> None:
    """Open an incident; the clock of what may have happened begins.

    \b
    Examples:
      shopward incident open "Orders read at a courier" --kind partner_leak --severity high
    """
    asked = {"title": title, "kind": kind, "severity": severity, "campaign": campaign}
    said = talk_to(**server).ask("POST", _PATH, {name: value for name, value in asked.items() if value})
    _print(said, _whole(said), as_json=server["as_json"])


@incident.command("list")
@click.option("--state", type=click.Choice(list(get_args(State))), help="Only those in this state.")
@server_options
def list_(state: str | None, **server: Any) -> None:
    """List incidents, newest first.

    \b
    Examples:
      shopward incident list --state open
    """
    said = talk_to(**server).ask("GET", f"{_PATH}?{urlencode({'state': state})}" if state else _PATH)
    lines = [
        f"{each['id']}  {each['state']:9} {each['severity']:8} {each['kind']:24} {each['title']}"
        for each in said["incidents"]
    ]
    _print(said, "\n".join(lines), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@server_options
def show(incident_id: str, **server: Any) -> None:
    """Show an incident: its timeline, and what the law asks by when.

    \b
    Examples:
      shopward incident show inc-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(incident_id))
    _print(said, _whole(said), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("word", metavar="STEP")
@click.argument("fields", metavar="[FIELD=VALUE]...", nargs=-1)
@server_options
def step(incident_id: str, word: str, fields: tuple[str, ...], **server: Any) -> None:
    """Take a step: a word and its fields; a value that is JSON is taken as such, @FILE is read.

    \b
    Examples:
      shopward incident step inc-019b8f2c5a10 clock clock=aware
      shopward incident step inc-019b8f2c5a10 facts 'facts={"subjects":{"ID":1200},"data":["address"]}'
      shopward incident step inc-019b8f2c5a10 content content=measures language=id text=@measures.id.txt
    """
    body = {"step": word, **dict(_field(each) for each in fields)}
    said = talk_to(**server).ask("POST", f"{_path(incident_id)}/steps", body)
    _print(said, _whole(said), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("rule")
@click.option(
    "--in", "spoken", type=click.Choice(["id", "zh", "en"]), required=True, help="Language of the notice."
)
@server_options
def draft(incident_id: str, rule: str, spoken: str, **server: Any) -> None:
    """Print the draft of a notice, with what is missing.

    \b
    Examples:
      shopward incident draft inc-019b8f2c5a10 ID-agency --in id
    """
    path = f"{_path(incident_id)}/notices/{quote(rule, safe='')}?language={spoken}"
    said = talk_to(**server).ask("GET", path)
    parts = [f"{each['heading']}\n{each['text']}".strip() for each in said["paragraphs"]]
    red = [f"MISSING: {each}" for each in said["missing"]] + [f"PROBLEM: {each}" for each in said["problems"]]
    _print(
        said, "\n\n".join([said["title"], *parts, *red, said["law"], said["note"]]), as_json=server["as_json"]
    )


def _field(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals:
        raise click.BadParameter(f"{given!r} is no FIELD=VALUE")
    if value.startswith("@"):
        try:
            return name, Path(value[1:]).read_text("utf-8").strip()
        except OSError as error:
            raise click.BadParameter(f"{value[1:]}: {error.strerror}") from None
    if value.startswith(("{", "[")):
        try:
            return name, json.loads(value)
        except ValueError:
            raise click.BadParameter(f"{name} is no JSON") from None
    return name, value


def _path(incident_id: str) -> str:
    return f"{_PATH}/{quote(incident_id, safe='')}"


def _whole(said: dict[str, Any]) -> str:
    shown = said["incident"]
    lines = [f"{shown['id']}  {shown['state']}  {shown['severity']}  {shown['title']}"]
    lines += [f"  {each['at']}  {each['text']}" for each in shown.get("timeline", ())]
    for each in said["obligations"]:
        due = f"due {each['due_at']}" if each.get("due_at") else ""
        lines.append(f"{each['status'].upper():15} {each['rule']:16} {due:28} {each['name']}")
        if each["status"] in ("open", "overdue", "waiting") and each.get("missing"):
            lines.append("                missing: " + ", ".join(each["missing"]))
    return "\n".join((*lines, said["note"]))


def _print(said: Any, text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else text)
