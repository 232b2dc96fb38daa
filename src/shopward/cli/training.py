"""``shopward training``: who of staff learnt what, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts.
"""

from __future__ import annotations

from typing import Any, Final

import click

from shopward.cli.talk import say, server_options, talk_to

_PATH: Final = "/v1/training"


@click.group()
def training() -> None:
    """Training of staff: record it, and see who is due.

    SHOPWARD_KEY holds a key of the server with the role analyst.
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


def _line(said: dict[str, Any]) -> str:
    return (
        f"{said['id']}  {said['person']}  {said['course']}  {said['done_on']}, holds until {said['ends_at']}  "
        f"by {said['recorded_by']}"
    )
