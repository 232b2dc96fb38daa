"""``shopward training``: who of staff learnt what, and exercises, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts.
"""

from __future__ import annotations

import csv
from typing import IO, Any, Final
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.training.exercise import LURES

_PATH: Final = "/v1/training"


@click.group()
def training() -> None:
    """Training of staff: record it, see who is due, and send exercises.

    SHOPWARD_KEY holds a key of the server with the role analyst; exercises take an admin.
    """


@training.command()
@click.argument("person", metavar="PERSON")
@click.argument("course", metavar="COURSE")
@click.option("--done", "done_on", required=True, metavar="DAY", help="The day on which it was done.")
@click.option("--until", "valid_until", required=True, metavar="DAY", help="The last day on which it holds.")
@click.option("--evidence", default="", help="The number of what shows it.")
@server_options
def record(person: str, course: str, **options: Any) -> None:
    """Record a training of somebody else.

    \b
    Examples:
      shopward training record ani privacy --done 2026-01-05 --until 2026-12-31 --evidence hr-2026-17
    """
    asked = {name: options.pop(name) for name in ("done_on", "valid_until", "evidence")}
    asked |= {"person": person, "course": course}
    said = talk_to(**options).ask("POST", f"{_PATH}/records", asked)
    say(said, _line(said), as_json=options["as_json"])


@training.command("list")
@click.option("--person", default="", help="Only of this person.")
@server_options
def list_(person: str, **server: Any) -> None:
    """List trainings, newest first.

    \b
    Examples:
      shopward training list --person ani
    """
    said = talk_to(**server).listed(f"{_PATH}/records", "records", {"person": person})
    say(said, "\n".join(map(_line, said["records"])) or "none", as_json=server["as_json"])


@training.command()
@server_options
def due(**server: Any) -> None:
    """List who has to be trained: never was, lapsed, or lapses within 30 days.

    \b
    Examples:
      shopward training due
    """
    said = talk_to(**server).ask("GET", f"{_PATH}/due")
    lines = [
        f"{each['person']:16} {each['course']:20} {each['why']:6} {each['ends_at']}" for each in said["due"]
    ]
    say(said, "\n".join(lines) or "nobody", as_json=server["as_json"])


@training.command()
@click.argument("lure", type=click.Choice(LURES))
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@click.option("--yes", is_flag=True, help="Send it. Without it nothing is sent.")
@server_options
def exercise(lure: str, file: IO[str], *, yes: bool, **server: Any) -> None:
    """Send staff a mail that looks like phishing: FILE has a line a person, `person,email,language`.

    Some at a time; broken off and repeated within a day, nobody gets a second one.

    \b
    Examples:
      shopward training exercise parcel staff.csv --yes
    """
    people = [
        dict(zip(("person", "email", "language"), map(str.strip, row), strict=False))
        for row in csv.reader(file)
        if row
    ]
    if not yes:
        click.echo(f"{len(people)} mails would be sent; repeat it with --yes")
        return
    talk, asked = talk_to(**server), {"lure": lure, "people": people}
    said = talk.ask("POST", f"{_PATH}/exercises", asked)
    while said["waiting"]:
        click.echo(f"{len(people) - said['waiting']} of {len(people)}", err=True)
        said = talk.ask("POST", f"{_PATH}/exercises", asked)
    say(said, _outcome(said), as_json=server["as_json"])


@training.command()
@click.argument("exercise_id", default="", metavar="[EXERCISE]")
@server_options
def results(exercise_id: str, **server: Any) -> None:
    """Show what came of exercises; of one, by person, with the key of an admin.

    \b
    Examples:
      shopward training results
      shopward training results ex-019b8f2c5a10
    """
    talk = talk_to(**server)
    if exercise_id:
        said = talk.ask("GET", f"{_PATH}/exercises/{quote(exercise_id, safe='')}")
        people = [
            f"  {each['person']:16} {each['state']:8} clicked {each['clicked_at'] or '-'}  reported {each['reported_at'] or '-'}"
            for each in said.get("people", [])
        ]
        say(said, "\n".join([_outcome(said), *people]), as_json=server["as_json"])
    else:
        said = talk.listed(f"{_PATH}/exercises", "exercises", {})
        say(said, "\n".join(map(_outcome, said["exercises"])) or "none", as_json=server["as_json"])


@training.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@server_options
def report(file: IO[str], **server: Any) -> None:
    """Count a mail that somebody passed on as reported: FILE (- for standard input) has its text or its link.

    \b
    Examples:
      shopward training report passed-on.txt
    """
    said = talk_to(**server).ask("POST", f"{_PATH}/exercises/reports", {"link": file.read(20_000)})
    say(said, f"reported: {said['exercise']}", as_json=server["as_json"])


def _outcome(said: dict[str, Any]) -> str:
    return (
        f"{said['id']}  {said['at']}  {said['lure']:8} sent {said['sent']}, failed {said['failed']}, waiting {said['waiting']}, "
        f"clicked {said['clicked']}, reported {said['reported']}"
    )


def _line(said: dict[str, Any]) -> str:
    return (
        f"{said['id']}  {said['person']}  {said['course']}  {said['done_on']}, holds until {said['ends_at']}  "
        f"by {said['recorded_by']}"
    )
