"""``shopward policy publish``, ``rollback`` and ``list``: the policy in force of a running server, over HTTP.

Promise: publishing and rolling back are a dry run until ``--yes``: what would change is shown, and nothing is in force.
The key comes from the environment (``SHOPWARD_KEY``) and goes only to the server that ``--url`` names.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shopward.cli.talk import DEFAULT_URL, Server
from shopward.risk.policy import PolicyFiles

if TYPE_CHECKING:
    from collections.abc import Callable


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--url", metavar="URL", envvar="SHOPWARD_URL", default=DEFAULT_URL, help=f"The server.  [default: {DEFAULT_URL}]"),
        click.option("--json", "as_json", is_flag=True, help="The server's JSON instead of text."),
    )):  # fmt: skip
        command = option(command)
    return command


_note = click.option("--note", metavar="TEXT", default="", help="Why; kept with the publication.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_note
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is published.")
@_server_options
def publish(folder: Path, *, note: str, yes: bool, url: str, as_json: bool) -> None:
    """Publish a policy on a running server; without --yes only check it there and say what would change.

    \b
    Examples:
      shopward policy publish ./my-policy
      shopward policy publish ./my-policy --note "new payees" --yes
    """
    server, files = _server(url), PolicyFiles.read(folder).files
    if yes:
        _say_published(server.ask("POST", "/v1/policies", {"files": files, "note": note}), as_json=as_json)
        return
    checked = server.ask("POST", "/v1/policies/check", {"files": files})
    if as_json:
        click.echo(json.dumps(checked, ensure_ascii=False))
    else:
        click.echo(
            f"{checked['policy']}: {checked['rules']} rules, {checked['features']} features, {checked['tests']} tests pass"
        )
        for each in checked["differences"]:
            click.echo(
                f"  {each['change']} {each['part']} {each['name']}".rstrip()
                + (", words only" if each["words_only"] else "")
            )
        if checked["rebuilds"]:
            click.echo("its features are others: the state is rebuilt from the log before it decides")
    click.echo("nothing is published: this was a dry run; repeat it with --yes", err=True)


@click.command()
@click.option(
    "--to",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="The publication to go back to; the last other one.",
)
@_note
@click.option("--yes", is_flag=True, help="Do it. Without it nothing changes.")
@_server_options
def rollback(*, to: int | None, note: str, yes: bool, url: str, as_json: bool) -> None:
    """Bring an earlier policy back into force; without --yes only list them.

    \b
    Examples:
      shopward policy rollback --yes
      shopward policy rollback --to 3 --note "too many challenges" --yes
    """
    server = _server(url)
    if not yes:
        _say_listed(server.ask("GET", "/v1/policies"), as_json=as_json)
        click.echo("nothing is rolled back: this was a dry run; repeat it with --yes", err=True)
        return
    body: dict[str, Any] = {"note": note}
    if to is not None:
        body["to"] = to
    _say_published(server.ask("POST", "/v1/policies/rollback", body), as_json=as_json)


@click.command(name="list")
@_server_options
def list_(*, url: str, as_json: bool) -> None:
    """What decides on a running server, what gets ready, and every publication.

    \b
    Examples:
      shopward policy list
    """
    _say_listed(_server(url).ask("GET", "/v1/policies"), as_json=as_json)


def _server(url: str) -> Server:
    return Server(url, os.environ.get("SHOPWARD_KEY", ""), "en")


def _say_published(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False))
        return
    told = {"in_force": "is in force", "preparing": "gets ready; shopward policy list tells how far it is"}
    click.echo(
        f"{made['policy']} as publication {made['number']} {told.get(made['state'], 'was superseded already')}"
    )


def _say_listed(listed: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    now, preparing = listed["in_force"], listed["preparing"]
    click.echo(f"in force: {now['policy']} ({now['source']}), {now['digest']}")
    if preparing:
        click.echo(
            f"gets ready: publication {preparing['number']}, {preparing['done']:,} of {preparing['of']:,} entries"
        )
    for each in listed["publications"]:
        note = f"  {each['note']}" if each["note"] else ""
        click.echo(
            f"{each['number']:>4}  {each['at']}  {each['kind']:8}  {each['policy']}  {each['state']}  {each['person']}{note}"
        )
