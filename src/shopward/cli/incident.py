"""``shopward incident``: work on incidents, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts. What it prints of the law is not legal advice, and it
says so.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import quote, urlencode

import click

from shopward.cli.playbook import playbook
from shopward.cli.talk import say, server_options, talk_to
from shopward.incidents.incident import Severity, State
from shopward.incidents.stix import Tlp
from shopward.incidents.words import Kind
from shopward.keyring import write_private

_PATH: Final = "/v1/incidents"


@click.group()
def incident() -> None:
    """What happened, what the law asks by when, who does what.

    SHOPWARD_KEY holds a key of the server: analyst.
    """


incident.add_command(playbook)


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
@click.option("--playbook", metavar="ID", default="", help="The playbook that it follows.")
@server_options
def open_(title: str, kind: str, severity: str, campaign: str, playbook: str, **server: Any) -> None:
    """Open an incident; the clock of what may have happened begins.

    \b
    Examples:
      shopward incident open "Orders read at a courier" --kind partner_leak --severity high --playbook partner_leak
    """
    asked = {"title": title, "kind": kind, "severity": severity, "campaign": campaign, "playbook": playbook}
    said = talk_to(**server).ask("POST", _PATH, {name: value for name, value in asked.items() if value})
    say(said, _whole(said), as_json=server["as_json"])


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
    say(said, "\n".join(lines), as_json=server["as_json"])


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
    say(said, _whole(said), as_json=server["as_json"])


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
    say(said, _whole(said), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("rule")
@click.option(
    "--in", "spoken", type=click.Choice(["id", "zh", "en"]), required=True, help="Language of the notice."
)
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write it here as PDF instead.")
@server_options
def draft(incident_id: str, rule: str, spoken: str, pdf: Path | None, **server: Any) -> None:
    """Print the draft of a notice, with what is missing, or write it as PDF.

    \b
    Examples:
      shopward incident draft inc-019b8f2c5a10 ID-agency --in id
      shopward incident draft inc-019b8f2c5a10 CN-authority --in zh --pdf notice.pdf
    """
    path = f"{_path(incident_id)}/notices/{quote(rule, safe='')}?language={spoken}"
    if pdf is not None:
        made = talk_to(**server).file(path, form="application/pdf")
        write_private(pdf, made)
        told = {"file": str(pdf), "bytes": len(made)}
        say(told, f"written: {pdf}, {len(made):,} bytes", as_json=server["as_json"])
        return
    said = talk_to(**server).ask("GET", path)
    parts = [f"{each['heading']}\n{each['text']}".strip() for each in said["paragraphs"]]
    red = [f"MISSING: {each}" for each in said["missing"]] + [f"PROBLEM: {each}" for each in said["problems"]]
    say(
        said, "\n\n".join([said["title"], *parts, *red, said["law"], said["note"]]), as_json=server["as_json"]
    )


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("known", metavar="KIND=VALUE...", nargs=-1, required=True)
@click.option("--since", required=True, help="From when on it may have happened: 2026-01-05T00:00:00Z.")
@click.option("--until", help="Until when.  [default: now]")
@click.option("--reason", required=True, help="Why this count, for the record.")
@click.option("--where", default="", help="Only users whose declared attributes fit, as in orders.")
@click.option("--elsewhere", default="", help="Jurisdiction of whom nobody declared a region: ID, CN, ...")
@click.option("--no-sessions", is_flag=True, help="Do not follow what the same session did afterwards.")
@click.option("--yes", is_flag=True, help="Keep it as the next version; without it only count.")
@server_options
def scope(
    incident_id: str,
    known: tuple[str, ...],
    since: str,
    until: str | None,
    reason: str,
    where: str,
    elsewhere: str,
    *,
    no_sessions: bool,
    yes: bool,
    **server: Any,
) -> None:
    """Find who was touched, from what is known: ip, network, device, payee, password, session, campaign, staff, partner.

    \b
    Examples:
      shopward incident scope inc-019b8f2c5a10 ip=203.0.113.7 --since 2026-01-05T00:00:00Z --reason "first count"
      shopward incident scope inc-019b8f2c5a10 staff=desk-7 --since 2026-01-01T00:00:00Z --reason export --elsewhere ID --yes
    """
    indicators = [dict(zip(("kind", "value"), _field(each), strict=True)) for each in known]
    body = {
        "indicators": indicators, "since": since, "reason": reason, "where": where, "elsewhere": elsewhere,
        "follow_sessions": not no_sessions, "dry_run": not yes,
    } | ({"until": until} if until else {})  # fmt: skip
    said = talk_to(**server).ask("POST", f"{_path(incident_id)}/scope", body)
    lines = [
        f"{each['of']:13} {each['kind']:20} {each['users']:>10,}  {each['open']}" for each in said["numbers"]
    ]
    lines += [f"also in       {name:20} {users:>10,}" for name, users in said["overlaps"].items()]
    done = (
        "nothing is kept: this was a dry run; repeat it with --yes"
        if not yes
        else f"version {said['version']}"
    )
    say(said, "\n".join((*lines, done)), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--version", type=int, required=True, help="Of the scope.")
@click.option("--grade", default="", help="reached, tried, entered, read, spent, or exposed.")
@click.option("--jurisdiction", default="", help="Only those whom this law counts: ID, CN, ..., unknown.")
@click.option("--after", default="", help="The next of the page before.")
@server_options
def victims(incident_id: str, version: int, grade: str, jurisdiction: str, after: str, **server: Any) -> None:
    """List the people of a scope by the shop's own ids, a page at a time; the audit log has a line of it.

    \b
    Examples:
      shopward incident victims inc-019b8f2c5a10 --version 1 --grade spent
    """
    asked = {"version": version, "grade": grade, "jurisdiction": jurisdiction, "after": after}
    query = urlencode({name: value for name, value in asked.items() if value})
    said = talk_to(**server).ask("GET", f"{_path(incident_id)}/victims?{query}")
    lines = [f"{each['user'] or each['token']:24} {','.join(each['grades'])}" for each in said["people"]]
    lines += [f"next: --after {said['next']}"] if said["next"] else []
    say(said, "\n".join(lines), as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the archive here."
)
@server_options
def pack(incident_id: str, out: Path, **server: Any) -> None:
    """Write the evidence pack for an auditor: one signed zip, checked by ``shopward audit pack``; key of an admin.

    \b
    Examples:
      shopward incident pack inc-019b8f2c5a10 --out inc-019b8f2c5a10.zip --language id
    """
    made = talk_to(**server).file(f"{_path(incident_id)}/pack")
    write_private(out, made)
    digest = hashlib.sha256(made).hexdigest()
    told = {"file": str(out), "bytes": len(made), "sha256": digest}
    say(told, f"written: {out}, {len(made):,} bytes, SHA-256 {digest}", as_json=server["as_json"])


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where it goes.  [default: printed]"
)
@click.option(
    "--tlp",
    type=click.Choice(list(get_args(Tlp))),
    default="amber",
    help="How far it may go.  [default: amber]",
)
@click.option(
    "--indicators",
    type=click.Choice(["none", "ip"]),
    default="none",
    help="What of the attacker it names.  [default: none]",
)
@server_options
def stix(incident_id: str, out: Path | None, tlp: str, indicators: str, **server: Any) -> None:
    """Export an incident and its campaigns as a STIX 2.1 bundle, without anything of a customer; the audit log has a line of it.

    \b
    Examples:
      shopward incident stix inc-019b8f2c5a10 --indicators ip --out incident.json
    """
    asked = urlencode({"tlp": tlp, "indicators": indicators})
    said = talk_to(**server).ask("GET", f"{_path(incident_id)}/stix?{asked}")
    if out is None:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    try:
        out.write_text(json.dumps(said, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from None
    done = {"objects": len(said["objects"]), "out": str(out)}
    say(done, f"{done['objects']} objects in {out}", as_json=server["as_json"])


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
    run = said.get("playbook")
    if run:
        lines.append(f"playbook {run['playbook']}@{run['version']}: {run['name']}")
        lines += [_run_line(each) for each in run["steps"]]
    for each in said["obligations"]:
        due = f"due {each['due_at']}" if each.get("due_at") else ""
        lines.append(f"{each['status'].upper():15} {each['rule']:16} {due:28} {each['name']}")
        if each["status"] in ("open", "overdue", "waiting") and each.get("missing"):
            lines.append("                missing: " + ", ".join(each["missing"]))
    return "\n".join((*lines, said["note"]))


def _run_line(step: dict[str, Any]) -> str:
    """A step of the playbook; a question has no role."""
    late = " OVERDUE" if step.get("is_overdue") else ""
    due = f"  due {step['due_at']}{late}" if step.get("due_at") else ""
    answer = "" if step.get("answer") is None else ("  yes" if step["answer"] else "  no")
    call = f"\n{'':31}{step['call']['method']} {step['call']['path']}" if step.get("call") else ""
    return f"  {step['state']:9} {step['id']:18} {step['name']}{answer}{due}{call}"
