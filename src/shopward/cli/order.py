"""``shopward order``: protection orders from a terminal, over HTTP to a running server.

Promise: what stops or releases is a dry run until ``--yes``: it shows whom it would reach and what they would be told,
and changes nothing that is in force. The key comes from the environment (``SHOPWARD_KEY``) and never from an argument,
which others on the machine could read; it goes only to the server that ``--url`` names.
"""

from __future__ import annotations

import http.client
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import click

from shopward.errors import Misconfigured, PolicyInvalid, ShopwardError, StoreUnavailable
from shopward.flows.advise import PREFIX as ADVISORY
from shopward.protection.operations import GROUPS, OPERATIONS
from shopward.protection.orders import FACTOR_LEVELS, REASON_CODES, RELEASE_CONDITIONS
from shopward.protection.states import STATES
from shopward.values import SystemClock, is_loopback, parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S: Final = 60
DEFAULT_URL: Final = "http://127.0.0.1:8700"


class Server:
    """A server to talk to.

    Args:
        url: where it listens.
        key: sent to it alone.
        language: of explanations.
    """

    def __init__(self, url: str, key: str, language: str) -> None:
        self._address = urlsplit(url)
        host = self._address.hostname or ""
        if self._address.scheme not in ("http", "https") or not host:
            raise Misconfigured(
                "not an address", path="url", expected="http://HOST:PORT or https://HOST:PORT"
            )
        if self._address.scheme == "http" and not is_loopback(host):  # fails closed
            raise Misconfigured(
                "refusing to send a key in clear text beyond this machine", path="url", expected="https"
            )
        if not key:
            raise Misconfigured(
                "no key", path="SHOPWARD_KEY", expected="a key of the server, in the environment"
            )
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept-Language": language,
        }

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that it answers to a JSON or, where ``body`` is bytes, NDJSON body; a problem is raised as what it says."""
        return _result(*self._answered(method, path, body))

    def file(self, path: str) -> bytes:
        """The bytes that it answers to a GET; a problem is raised as what it says."""
        status, read = self._answered("GET", path)
        if status >= http.client.MULTIPLE_CHOICES:
            _result(status, read)
        return read

    def _answered(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        is_lines = isinstance(body, bytes)
        data = body if is_lines or body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/x-ndjson"} if is_lines else {})
        host, port = self._address.hostname or "", self._address.port
        connection: http.client.HTTPConnection
        if self._address.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._address.path.rstrip("/") + path, data, headers)
            answer = connection.getresponse()
            status, read = answer.status, answer.read()
        except OSError as error:
            found = type(error).__name__
        else:
            return status, read
        finally:
            connection.close()
        raise StoreUnavailable(
            "the server does not answer", found=found, hint="is it running there? see --url"
        )


def _result(status: int, read: bytes) -> Any:
    try:
        said = json.loads(read)
    except ValueError:
        said = {}
    if status < http.client.MULTIPLE_CHOICES:
        return said
    parts = {name: said[name] for name in ("path", "expected", "found", "hint") if name in said}
    message, code = str(said.get("detail", f"status {status}")), said.get("code", "error")
    if code == PolicyInvalid.code:
        invalid = PolicyInvalid(message, **parts)
        invalid.file, invalid.line, invalid.column = said.get("file"), said.get("line"), said.get("column")
        raise invalid
    raise ShopwardError(message, code=code, **parts)


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


server_options = _options(
    click.option("--url", metavar="URL", envvar="SHOPWARD_URL", default=DEFAULT_URL, help=f"The server.  [default: {DEFAULT_URL}]"),
    click.option("--language", type=click.Choice(["en", "id", "zh"]), default="en", help="Language of explanations."),
    click.option("--json", "as_json", is_flag=True, help="The server's JSON instead of text."),
)  # fmt: skip
_ending_options = _options(
    click.option("--for", "lasting", metavar="3d", help="Ends after so long (s, m, h, d)."),
    click.option("--review-in", metavar="1d", help="Stays in force; is looked at after so long."),
    click.option("--release", "conditions", type=click.Choice(list(RELEASE_CONDITIONS)), multiple=True,
                 help="What lets a single user out; may be repeated."),
    click.option("--yes", is_flag=True, help="Do it. Without it nothing is stopped."),
)  # fmt: skip
_limit_options = _options(
    click.option("--amount-minor", type=click.IntRange(0), required=True, help="Most in a window, in minor units."),
    click.option("--currency", metavar="CCY", required=True, help="ISO 4217; every other currency is denied."),
    click.option("--window", metavar="1d", default="1d", help="The window (s, m, h, d).  [default: 1d]"),
)  # fmt: skip
_order_options = _options(
    click.option("--where", metavar="CEL", help="Everybody whose declared attributes fit a predicate."),
    click.option("--all", "everyone", is_flag=True, help="Everybody."),
    click.option("--user", metavar="ID", help="One user."),
    click.option("--set", "victim_set", metavar="ID", help="The users of a sealed victim set (vs-...)."),
    click.option("--scope", metavar="WORD", multiple=True, help="Operation or group; may be repeated.  [default: stored_value]"),
    click.option("--reason", type=click.Choice(list(REASON_CODES)), required=True, help="Why; customers are told."),
    click.option("--incident", metavar="NO", default="", help="The shop's number of what happened."),
    _ending_options,
)  # fmt: skip


@click.group()
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
    query = f"?state={state}" if state else ""
    said = talk_to(**server).ask("GET", f"/v1/orders{query}")
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


def talk_to(*, url: str, language: str, as_json: bool) -> Server:  # noqa: ARG001 -- the options as they come
    """The server that the options name, with the key of the environment."""
    import os  # noqa: PLC0415 -- only a command reads the environment

    return Server(url, os.environ.get("SHOPWARD_KEY", ""), language)


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
