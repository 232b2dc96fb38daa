"""``shopward line``: watch the shop's own lines, announce work on them, condemn them and take them back, on a running server.

Promise: everything goes through the HTTP API with the key of the one who acts; what changes a line's state is a dry run until ``--yes``.
"""

from __future__ import annotations

from typing import Any, Final, get_args
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.lines.signals import Work
from shopward.values import SystemClock, parse_duration_ms, to_rfc3339

_PATH: Final = "/v1/lines"


@click.group()
def line() -> None:
    """The shop's own numbers on WhatsApp: whether they still speak for it, and what to do now.

    SHOPWARD_KEY holds a key of the server: admin to declare a line, analyst for all else.
    """


@line.command("list")
@server_options
def list_(**server: Any) -> None:
    """List the lines with their state.

    \b
    Examples:
      shopward line list --language id
    """
    said = talk_to(**server).ask("GET", _PATH)
    say(said, "\n".join(map(_line, said["lines"])), as_json=server["as_json"])


@line.command()
@click.argument("line_id", metavar="LINE")
@server_options
def show(line_id: str, **server: Any) -> None:
    """Show a line, what was told of it, and what to do now.

    \b
    Examples:
      shopward line show ln-019b8f2c5a10
    """
    said = talk_to(**server).ask("GET", _path(line_id))
    say(said, _whole(said), as_json=server["as_json"])


@line.command()
@click.argument("number")
@click.option("--phone-id", metavar="ID", default="", help="The platform's id of the number.")
@click.option("--account", metavar="ID", default="", help="The platform's id of the business account.")
@click.option("--title", metavar="TEXT", default="", help="What staff call it.")
@server_options
def declare(number: str, phone_id: str, account: str, title: str, **server: Any) -> None:
    """Say that a number is the shop's own.

    \b
    Examples:
      shopward line declare +622150001234 --phone-id 106540352242922 --account 102290129340398
    """
    asked = {"number": number, "phone_id": phone_id, "account": account, "title": title}
    said = talk_to(**server).ask("POST", _PATH, {name: value for name, value in asked.items() if value})
    say(said, _line(said), as_json=server["as_json"])


@line.command()
@click.argument("line_id", metavar="LINE")
@click.argument("work", type=click.Choice(list(get_args(Work))))
@click.option("--for", "lasts", metavar="DURATION", required=True, help="How long from now, as 2h or 3d.")
@click.option("--reason", metavar="TEXT", required=True, help="What is going to be done.")
@server_options
def announce(line_id: str, work: str, lasts: str, reason: str, **server: Any) -> None:
    """Announce work on a line, so that it raises no alarm.

    \b
    Examples:
      shopward line announce ln-019b8f2c5a10 pin --for 2h --reason "New PIN each quarter"
    """
    ends = to_rfc3339(SystemClock().now_ms() + parse_duration_ms(lasts, path="for"))
    asked = {"work": work, "ends": ends, "reason": reason}
    said = talk_to(**server).ask("POST", f"{_path(line_id)}/tickets", asked)
    say(said, _whole(said), as_json=server["as_json"])


@line.command()
@click.argument("line_id", metavar="LINE")
@click.option("--reason", metavar="TEXT", required=True, help="Why.")
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is changed.")
@server_options
def condemn(line_id: str, reason: str, *, yes: bool, **server: Any) -> None:
    """Say that a line speaks for the shop no longer: no code and no notice goes out by it.

    \b
    Examples:
      shopward line condemn ln-019b8f2c5a10 --reason "Customers were asked for codes in our name" --yes
    """
    _change(line_id, "condemn", {"reason": reason}, yes=yes, **server)


@line.command()
@click.argument("line_id", metavar="LINE")
@click.option("--reason", metavar="TEXT", required=True, help="What was done.")
@click.option("--pin-is-new", is_flag=True, help="A new two-step PIN was set, though no signal told so.")
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is changed.")
@server_options
def restore(line_id: str, reason: str, *, pin_is_new: bool, yes: bool, **server: Any) -> None:
    """Take a line back into use; another person than who condemned it.

    \b
    Examples:
      shopward line restore ln-019b8f2c5a10 --reason "Devices unlinked, new PIN" --pin-is-new --yes
    """
    _change(line_id, "restore", {"reason": reason, "pin_is_new": pin_is_new}, yes=yes, **server)


def _change(line_id: str, step: str, asked: dict[str, Any], *, yes: bool, **server: Any) -> None:
    talk = talk_to(**server)
    if yes:
        said = talk.ask("POST", f"{_path(line_id)}/{step}", asked)
        say(said, _whole(said), as_json=server["as_json"])
        return
    said = talk.ask("GET", _path(line_id))
    say(said, _whole(said) + "\nnothing is changed; repeat it with --yes", as_json=server["as_json"])


def _path(line_id: str) -> str:
    return f"{_PATH}/{quote(line_id, safe='')}"


def _line(said: dict[str, Any]) -> str:
    whose = "" if said["is_declared"] else "  NOT DECLARED"
    return f"{said['id']}  {said['state']:10} {said.get('number', '-'):16} {said.get('title', '')}{whose}"


def _whole(said: dict[str, Any]) -> str:
    lines = [_line(said), said["text"], said["do"], said["two_step_text"]]
    if "incident" in said:
        lines.append(f"incident {said['incident']}")
    lines += [
        f"  {each['at']}  {each['severity']:8} {each['kind']} {each.get('detail', '')} {each.get('ticket', '')}".rstrip()
        for each in said["signals"]
    ]
    lines += [
        f"  announced: {each['work']} until {each['ends']}: {each['reason']}" for each in said["tickets"]
    ]
    return "\n".join(lines)
