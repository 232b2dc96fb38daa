"""``shopward order``: protection orders from a terminal, over HTTP to a running server.

Promise: what stops or releases is a dry run until ``--yes``: it shows whom it would reach and what they would be told,
and changes nothing that is in force.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import click

from shopward.cli.lazily import Lazily
from shopward.cli.talk import server_options, talk_to, together
from shopward.flows.advise import PREFIX as ADVISORY
from shopward.protection.operations import GROUPS, OPERATIONS
from shopward.protection.orders import FACTOR_LEVELS, REASON_CODES, RELEASE_CONDITIONS
from shopward.protection.states import STATES
from shopward.values import SystemClock, parse_duration_ms

_ending_options = together(
    click.option("--for", "lasting", metavar="3d", help="Ends after so long (s, m, h, d)."),
    click.option("--review-in", metavar="1d", help="Stays in force; is looked at after so long."),
    click.option("--release", "conditions", type=click.Choice(list(RELEASE_CONDITIONS)), multiple=True,
                 help="What lets a single user out; may be repeated."),
    click.option("--yes", is_flag=True, help="Do it. Without it nothing is stopped."),
)  # fmt: skip
_limit_options = together(
    click.option("--amount-minor", type=click.IntRange(0), required=True, help="Most in a window, in minor units."),
    click.option("--currency", metavar="CCY", required=True, help="ISO 4217; every other currency is denied."),
    click.option("--window", metavar="1d", default="1d", help="The window (s, m, h, d).  [default: 1d]"),
)  # fmt: skip
_order_options = together(
    click.option("--where", metavar="CEL", help="Everybody whose declared attributes fit a predicate."),
    click.option("--all", "everyone", is_flag=True, help="Everybody."),
    click.option("--user", metavar="ID", help="One user."),
    click.option("--set", "victim_set", metavar="ID", help="The users of a sealed victim set (vs-...)."),
    click.option("--scope", metavar="WORD", multiple=True, help="Operation or group; may be repeated.  [default: stored_value]"),
    click.option("--reason", type=click.Choice(list(REASON_CODES)), required=True, help="Why; customers are told."),
    click.option("--incident", metavar="NO", default="", help="The shop's number of what happened."),
    _ending_options,
)  # fmt: skip


@click.group(
    cls=Lazily,
    elsewhere={
        "set": "victims:set_",
    },
)
def order() -> None:
    """Stop, limit and release: protection orders on a running server.

    Reads the key from SHOPWARD_KEY. What stops or releases is a dry run until --yes.

    \b
    Examples:
      shopward order freeze --all --reason credential_stuffing --for 3d
      shopward order list --state active
    """


@order.command()
@_order_options
@server_options
def freeze(**options: Any) -> None:
    """Deny operations to one user, to those who fit a predicate, or to everybody.

    \b
    Examples:
      shopward order freeze --all --scope stored_value --reason credential_stuffing --for 3d
      shopward order freeze --where 'registered_at < timestamp("2012-03-20T00:00:00Z")' --reason data_breach --for 3d --yes
      shopward order freeze --user u008490 --reason lost_device --review-in 1d --yes
    """
    _place({"kind": "freeze"}, **options)


@order.command()
@_limit_options
@_order_options
@server_options
def limit(amount_minor: int, currency: str, window: str, **options: Any) -> None:
    """Cap what each user can move in a window.

    \b
    Examples:
      shopward order limit --where '"apple" in identity_providers' --amount-minor 50000000 --currency IDR
          --reason linked_identity_breach --for 7d --yes
    """
    _place({"kind": "limit", "limit": _limit_of(amount_minor, currency, window)}, **options)


@order.command()
@click.argument("provider", metavar="PROVIDER")
@click.option("--incident", metavar="NO", required=True, help="The shop's number of what happened.")
@_limit_options
@click.option("--scope", multiple=True, metavar="NAME", help="What more proof is asked for; may be repeated.")
@click.option(
    "--exclude",
    type=click.Choice(list(FACTOR_LEVELS)),
    multiple=True,
    help="A factor that the threat may own; may be repeated.  [default: email, sms]",
)
@_ending_options
@server_options
def advisory(
    provider: str,
    *,
    incident: str,
    amount_minor: int,
    currency: str,
    window: str,
    scope: tuple[str, ...],
    exclude: tuple[str, ...],
    lasting: str | None,
    review_in: str | None,
    conditions: tuple[str, ...],
    yes: bool,
    **server: Any,
) -> None:
    """Lower limits and ask for more proof for everyone linked to a provider that is in trouble.

    The id that it prints (ad-...) goes where an order's does: show, approve, release.

    \b
    Examples:
      shopward order advisory apple --incident inc-7 --amount-minor 50000000 --currency IDR --for 7d
      shopward order advisory apple --incident inc-7 --amount-minor 50000000 --currency IDR --for 7d --yes
    """
    _check_scope(scope)
    body: dict[str, Any] = {
        "provider": provider,
        "incident": incident,
        "limit": _limit_of(amount_minor, currency, window),
        "dry_run": not yes,
    }
    for name, given in (("scope", scope), ("exclude", exclude), ("release", conditions)):
        if given:
            body[name] = list(given)
    _print(
        talk_to(**server).ask("POST", "/v1/advisories", body | _ending(lasting, review_in)),
        as_json=server["as_json"],
    )
    if not yes:
        click.echo("nothing is lowered: this was a dry run; repeat it with --yes", err=True)


@order.command("list")
@click.option("--state", type=click.Choice(list(STATES)), help="Only orders in this state.")
@server_options
def list_(state: str | None, **server: Any) -> None:
    """List orders, newest first.

    \b
    Examples:
      shopward order list
      shopward order list --state active --json
    """
    said = talk_to(**server).listed("/v1/orders", "orders", {"state": state})
    if server["as_json"]:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    for each in said["orders"]:
        until = each.get("ends_at") or "review " + each.get("review_at", "")
        click.echo(
            f"{each['id']}  {each['state']:16} {each['kind']:11} {each['target']['kind']:10} {each['reason']:22} {until}"
        )


@order.command()
@click.argument("order_id", metavar="ORDER")
@click.option("--progress", is_flag=True, help="Count how far a reset or a release is.")
@server_options
def show(order_id: str, *, progress: bool, **server: Any) -> None:
    """Show one order and what customers are told.

    \b
    Examples:
      shopward order show o-019b8f2c5a10 --progress
    """
    query = "?progress=true" if progress else ""
    _print(talk_to(**server).ask("GET", f"{_path(order_id)}{query}"), as_json=server["as_json"])


@order.command()
@click.argument("order_id", metavar="ORDER")
@server_options
def approve(order_id: str, **server: Any) -> None:
    """Agree as the second person: to an order that waits, or to its release. Lets a draft begin.

    \b
    Examples:
      shopward order approve o-019b8f2c5a10
    """
    _print(talk_to(**server).ask("POST", f"{_path(order_id)}/approve"), as_json=server["as_json"])


@order.command()
@click.argument("order_id", metavar="ORDER")
@click.option(
    "--user", metavar="ID", multiple=True, help="Let these users out and nobody else; may be repeated."
)
@click.option(
    "--all", "everyone", is_flag=True, help="End the order; for many users a second person approves."
)
@click.option(
    "--cause",
    type=click.Choice(list(RELEASE_CONDITIONS)),
    default="staff_release",
    help="Which condition is met.",
)
@click.option("--evidence", metavar="REF", default="", help="What shows it, such as a case number.")
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is released.")
@server_options
def release(
    order_id: str,
    *,
    user: tuple[str, ...],
    everyone: bool,
    cause: str,
    evidence: str,
    yes: bool,
    **server: Any,
) -> None:
    """Let single users out of an order, or end it.

    \b
    Examples:
      shopward order release o-019b8f2c5a10 --user u008490 --evidence case-12 --yes
      shopward order release o-019b8f2c5a10 --all --yes
    """
    if bool(user) == everyone:
        raise click.UsageError("one of --user and --all")
    talk = talk_to(**server)
    if not yes:
        _print(talk.ask("GET", _path(order_id)), as_json=server["as_json"])
        click.echo("nothing is released: this was a dry run; repeat it with --yes", err=True)
        return
    if everyone:
        said = talk.ask("POST", f"{_path(order_id)}/release", {})
        _print(said, as_json=server["as_json"])
        if any(each["state"] == "active" for each in said.get("orders", [said])):
            click.echo(f"a second person has to approve: shopward order approve {order_id}", err=True)
        return
    body = {"users": list(user), "cause": cause, "evidence": evidence}
    said = talk.ask("POST", f"{_path(order_id)}/exceptions", body)
    if server["as_json"]:
        click.echo(json.dumps(said))
        return
    for each in said.get("orders", [said]):
        click.echo(f"released: {each['released']}, before: {each['already']}")


def _place(
    body: dict[str, Any],
    *,
    where: str | None,
    everyone: bool,
    user: str | None,
    victim_set: str | None,
    scope: tuple[str, ...],
    reason: str,
    incident: str,
    lasting: str | None,
    review_in: str | None,
    conditions: tuple[str, ...],
    yes: bool,
    **server: Any,
) -> None:
    """Ask for an order, or for the draft of one."""
    named = {"predicate": where, "everyone": everyone or None, "user": user, "victim_set_id": victim_set}
    target = {name: given for name, given in named.items() if given is not None}
    if len(target) != 1:
        raise click.UsageError("exactly one of --where, --all, --user and --set")
    _check_scope(scope)
    body |= {
        "target": target, "scope": list(scope or ("stored_value",)), "reason": reason, "incident": incident,
        "release": list(conditions or ("staff_release",)), "dry_run": not yes,
    } | _ending(lasting, review_in)  # fmt: skip
    _print(talk_to(**server).ask("POST", "/v1/orders", body), as_json=server["as_json"])
    if not yes:
        click.echo(
            "nothing is stopped: this was a dry run; repeat it with --yes, or approve the draft", err=True
        )


def _check_scope(scope: tuple[str, ...]) -> None:
    if any(word not in GROUPS and word not in OPERATIONS for word in scope):
        raise click.UsageError("--scope is one of " + ", ".join((*GROUPS, *OPERATIONS)))


def _ending(lasting: str | None, review_in: str | None) -> dict[str, str]:
    """When it ends or is looked at again; one of the two is needed."""
    if lasting is None and review_in is None:
        raise click.UsageError("an order needs --for or --review-in")
    given = (("ends_at", lasting), ("review_at", review_in))
    return {name: _moment(parse_duration_ms(each, path=name)) for name, each in given if each is not None}


def _limit_of(amount_minor: int, currency: str, window: str) -> dict[str, Any]:
    seconds = parse_duration_ms(window, path="window") // 1000
    return {"amount_minor": amount_minor, "currency": currency, "window_s": seconds}


def _path(name: str) -> str:
    """Where an order, or an advisory, is."""
    return f"/v1/{'advisories' if name.startswith(ADVISORY) else 'orders'}/{quote(name, safe='')}"


def _moment(in_ms: int) -> str:
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    return (now + timedelta(milliseconds=in_ms)).isoformat().replace("+00:00", "Z")


def _print(said: dict[str, Any], *, as_json: bool) -> None:
    """An order, or an advisory with its orders, for people."""
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if "orders" in said:
        click.echo(f"{said['id']}  advisory of {said['provider']} in {said['incident']}")
        for each in said["orders"]:
            _print(each, as_json=False)
        return
    target = said["target"]
    whom = (
        target.get("predicate")
        or target.get("victim_set_id")
        or (f"{target['tokens']} named" if "tokens" in target else "")
    )
    click.echo(f"{said['id']}  {said['state']}  {said['kind']} of {', '.join(said['scope'])}")
    click.echo(f"for      {target['kind']} {whom}".rstrip())
    measured = said.get("measured")
    if measured is not None:
        about = "" if measured["exact"] else "about "
        click.echo(
            f"reaches  {about}{measured['count']:,} of {measured['of']:,} declared users, {measured['share']:.2%}"
        )
    for name, label in (("why", "why"), ("stopped", "stopped"), ("works", "works"), ("ends", "ends")):
        click.echo(f"{label:8} {said['explanation'][name]}")
    if said.get("release_requested_by"):
        click.echo(f"release  asked for by {said['release_requested_by']}; a second person has to approve")
    if "exceptions" in said:
        click.echo(f"let out  {said['exceptions']:,}")
    if "progress" in said:
        progress = said["progress"]
        click.echo(f"progress {progress['done']:,} of {progress['of']:,}, {progress['share']:.2%}")
