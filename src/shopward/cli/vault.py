"""``shopward vault``: customer data on a running server.

Promise: everything goes through the HTTP API with the key of the one who asks; values to keep come from a file or standard
input and never from an argument, which others on the machine could read; erasing and destroying are a dry run until ``--yes``.
"""

from __future__ import annotations

import json
from typing import IO, Any, Final
from urllib.parse import quote

import click

from shopward.cli.canary import canary
from shopward.cli.share import share
from shopward.cli.talk import say, server_options, talk_to
from shopward.cli.trace import trace_
from shopward.errors import MalformedInput
from shopward.vault.kinds import KINDS
from shopward.vault.purposes import PURPOSES

_PATH: Final = "/v1/vault"


@click.group()
def vault() -> None:
    """Keep, see, find and erase customer data; find out who leaked it.

    SHOPWARD_KEY holds a key of the server.
    """


vault.add_command(trace_)
vault.add_command(share)
vault.add_command(canary)


@vault.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), metavar="FILE")
@server_options
def put(file: IO[str], **server: Any) -> None:
    """Keep records: FILE (- for standard input) has one JSON object a line: user, kind, fields, and id, region, expires_at, canary.

    \b
    Examples:
      echo '{"user":"u1","kind":"order","id":"o-1","fields":{"name":"Budi"}}' | shopward vault put -
    """
    talk, kept = talk_to(**server), []
    for part in _parts(_read(file), 200):
        kept += talk.ask("POST", f"{_PATH}/records", {"records": part})["records"]
    say({"records": kept}, f"kept: {len(kept)}", as_json=server["as_json"])


@vault.command()
@click.argument("record", metavar="RECORD")
@click.option("--waybill", is_flag=True, help="As on a parcel, not as on a page of staff.")
@server_options
def get(record: str, *, waybill: bool, **server: Any) -> None:
    """Show a record, masked.

    \b
    Examples:
      shopward vault get o-1 --waybill
    """
    style = "?style=waybill" if waybill else ""
    said = talk_to(**server).ask("GET", f"{_PATH}/records/{quote(record, safe='')}{style}")
    say(said, _line(said), as_json=server["as_json"])


@vault.command()
@click.argument("records", nargs=-1, required=True, metavar="RECORD...")
@click.option("--field", "fields", multiple=True, required=True, help="What to see; may be repeated.")
@click.option("--purpose", type=click.Choice(list(PURPOSES)), required=True, help="Why.")
@click.option("--case", "case_id", default="", help="The case that explains it.")
@click.option("--order", "order_id", default="", help="The order that explains it.")
@click.option("--request", "request_id", default="", help="The request that a second person agreed to.")
@click.option(
    "--challenge", "challenge_id", default="", help="The challenge that you passed for exactly this."
)
@server_options
def reveal(records: tuple[str, ...], fields: tuple[str, ...], **options: Any) -> None:
    """See values of records, for a purpose. Decided, audited, and counted against your day.

    \b
    Examples:
      shopward vault reveal o-1 --field name --field phone --purpose delivery --order 1001
    """
    asked = {
        name: options.pop(name) for name in ("purpose", "case_id", "order_id", "request_id", "challenge_id")
    }
    said = talk_to(**options).ask("POST", f"{_PATH}/reveal", {"records": records, "fields": fields, **asked})
    text = (
        "\n".join(map(_line, said["records"]))
        if "records" in said
        else f"waits for a second person: {said['id']}, until {said['ends_at']}"
    )
    say(said, text, as_json=options["as_json"])


@vault.command()
@click.argument("request", metavar="REQUEST")
@server_options
def approve(request: str, **server: Any) -> None:
    """Agree to somebody else's reveal.

    \b
    Examples:
      shopward vault approve vr-019b8f2c5a10
    """
    said = talk_to(**server).ask("POST", f"{_PATH}/requests/{quote(request, safe='')}/approve")
    say(said, f"{said['id']}: {said['state']}", as_json=server["as_json"])


@vault.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("field", metavar="FIELD")
@click.argument("value", type=click.File("r", encoding="utf-8"), metavar="VALUE_FILE")
@click.option(
    "--by",
    type=click.Choice(["exact", "last4", "ngram"]),
    default="exact",
    help="How to compare.  [default: exact]",
)
@click.option(
    "--challenge", "challenge_id", default="", help="The challenge that you passed for exactly this."
)
@server_options
def search(kind: str, field: str, value: IO[str], by: str, challenge_id: str, **server: Any) -> None:
    """Find records by a value, read from VALUE_FILE (- for standard input); shown masked.

    \b
    Examples:
      echo 0812-3456-7890 | shopward vault search order phone -
    """
    asked = {
        "kind": kind,
        "field": field,
        "value": value.read().strip(),
        "transform": by,
        "challenge_id": challenge_id,
    }
    said = talk_to(**server).ask("POST", f"{_PATH}/search", asked)
    say(said, "\n".join(map(_line, said["records"])) or "none", as_json=server["as_json"])


@vault.command()
@click.argument("user", metavar="USER")
@server_options
def seen(user: str, **server: Any) -> None:
    """List who looked at a customer, newest first.

    \b
    Examples:
      shopward vault seen u008490
    """
    said = talk_to(**server).ask("GET", f"{_PATH}/users/{quote(user, safe='')}/accesses")
    lines = [
        f"{each['at']}  {each['outcome']:8}  {each['person']:16} {each['purpose']:20} {each['record']}  "
        + ",".join(each["fields"])
        for each in said["accesses"]
    ]
    say(said, "\n".join(lines) or "nobody", as_json=server["as_json"])


@vault.command()
@click.argument("user", metavar="USER")
@click.option("--case", "case_id", required=True, help="The case in which the customer asked for it.")
@click.option(
    "--challenge", "challenge_id", default="", help="The challenge that you passed for exactly this."
)
@server_options
def export(user: str, case_id: str, challenge_id: str, **server: Any) -> None:
    """Print everything that is kept of a customer, for them: one record a line, then reports, cases, complaints, claims, consents.

    \b
    Examples:
      shopward vault export u008490 --case c-7 > u008490.ndjson
    """
    asked = {"case_id": case_id, "challenge_id": challenge_id}
    said = talk_to(**server).ask("POST", f"{_PATH}/users/{quote(user, safe='')}/export", asked)
    parts = {"records": said["records"], **said["dossier"]}
    del parts["complete"]
    lines = [
        json.dumps({"of": name} | each, ensure_ascii=False) for name, some in parts.items() for each in some
    ]
    say(said, "\n".join(lines), as_json=server["as_json"])


@vault.command()
@click.argument("user", metavar="USER")
@click.option(
    "--class", "classes", multiple=True, help="Only this class; may be repeated.  [default: everything]"
)
@click.option("--reason", required=True, help="Why: who asked, how.")
@click.option("--yes", is_flag=True, help="Do it. Without it nothing is erased.")
@server_options
def erase(user: str, classes: tuple[str, ...], reason: str, *, yes: bool, **server: Any) -> None:
    """Erase a customer: keys, records, events as they were sent. Prints the certificate.

    \b
    Examples:
      shopward vault erase u008490 --reason "asked by mail, 2026-01-05" --yes
    """
    asked = {"classes": classes, "reason": reason, "dry_run": not yes}
    said = talk_to(**server).ask("POST", f"{_PATH}/users/{quote(user, safe='')}/erase", asked)
    verb = "erased" if yes else "would be erased; repeat it with --yes"
    text = (
        f"{said['records']} records, {said['keys']} keys, {said['events']} events, {said['addresses']} mailings {verb}\n"
        f"classes: {', '.join(said['classes'])}; held: {', '.join(said['held']) or 'none'}\n"
        + "".join(
            f"  {each['store']:14} {each['rows'] or 'none':>6}  holds {each['holds']}\n"
            for each in said["stores"]
        )
        + (
            f"the last backup of the keys lapses {said['backups_lapse_at']}"
            if said["by"] == "keys"
            else f"the shop has one key for everybody: backups of the store hold it readable until {said['backups_lapse_at']}"
        )
    )
    say(said, text, as_json=server["as_json"])


@vault.command()
@click.argument(
    "use",
    type=click.Choice(
        ["root", "kek", "data", "index", "token", "mark", "signing", "webhook", "signals", "status"]
    ),
)
@click.option(
    "--retire", type=int, metavar="VERSION", help="Destroy this version instead, where nothing needs it."
)
@click.option(
    "--give-up", is_flag=True, help="With --retire: also what needs it outside, as the state tells."
)
@click.option("--yes", is_flag=True, help="Do it. Without it the state is shown.")
@server_options
def rotate(use: str, retire: int | None, *, give_up: bool, yes: bool, **server: Any) -> None:
    """Replace a key while everything goes on; show how far it is, and which keys can be destroyed.

    \b
    Examples:
      shopward vault rotate kek --yes
      shopward vault rotate status
      shopward vault rotate kek --retire 1 --yes
      shopward vault rotate signing --yes
    """
    talk = talk_to(**server)
    if not yes or use == "status":
        said = talk.ask("GET", f"{_PATH}/rotations")
    elif retire is not None:
        asked = {"use": use, "version": retire, "give_up": give_up}
        said = talk.ask("POST", f"{_PATH}/rotations/retire", asked)
    else:
        said = talk.ask("POST", f"{_PATH}/rotations", {"use": use})
    lines = [
        f"{each['use']} {each['version']}: {each['state']}, {each['done']} of {each['total']}"
        for each in said["rotations"]
    ]
    lines += [
        f"key {each['use']} {each['version']}  {each['state']:9} {each['rows']} rows"
        + ("  safe to retire" if each["safe_to_retire"] else "")
        + (f"  outside: {each['outside']}" if each["outside"] else "")
        for each in said["keys"]
    ]
    lines += [
        f"root {each['root']} {each['version'] or '-'}: {each['keys']} keys hang from it"
        for each in said["roots"]
    ]
    say(said, "\n".join(lines), as_json=server["as_json"])


@vault.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("field", metavar="FIELD")
@click.argument("transform", type=click.Choice(["exact", "last4", "ngram"]))
@click.option("--switch", type=click.Choice(["on", "off"]), help="Switch n-grams of the field on or off.")
@server_options
def plan(kind: str, field: str, transform: str, switch: str | None, **server: Any) -> None:
    """Tell what an index shows, or would show, to who has the store and no key.

    \b
    Examples:
      shopward vault plan order name ngram
      shopward vault plan order name ngram --switch on
    """
    asked = {"kind": kind, "field": field, "transform": transform, "switch": switch or ""}
    said = talk_to(**server).ask("POST", f"{_PATH}/indexes", asked)
    text = (
        f"{said['name']} is {'on' if said['on'] else 'off'}; looked at {said['sampled']} of {said['records']} records\n"
        f"{said['rows']} rows, {said['values']} values, the most frequent {said['largest']} times\n"
        f"rows without their like: {said['unique_share']:.1%}; entropy of the frequencies {said['entropy_bits']} bits\n"
        f"with a stolen index key: {said['guess_minutes'] or '-'} minutes for the whole domain"
    )
    say(said, text, as_json=server["as_json"])


@vault.command()
@click.argument("kind", type=click.Choice(["person", "subject", "record", "vault"]))
@click.argument("target", default="", metavar="[TARGET]")
@click.option("--reason", default="", help="Why; others read it.")
@click.option("--release", is_flag=True, help="Open it again (admin, and nobody for himself).")
@server_options
def lock(kind: str, target: str, reason: str, *, release: bool, **server: Any) -> None:
    """Shut a person, a customer (by your id), a record, or everything; at once.

    \b
    Examples:
      shopward vault lock person ani --reason "reads at night"
      shopward vault lock person ani --release
    """
    talk = talk_to(**server)
    if release:
        said = talk.ask("POST", f"{_PATH}/locks/release", {"kind": kind, "target": target})
    else:
        said = talk.ask("POST", f"{_PATH}/locks", {"kind": kind, "target": target, "reason": reason})
    say(said, "open" if release else f"shut since {said['since']}", as_json=server["as_json"])


def _read(file: IO[str]) -> list[Any]:
    bad, found = 0, []
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError:
                bad = bad or number
    if bad:
        raise MalformedInput("not a JSON object", path=f"line {bad}", expected="one JSON object a line")
    return found


def _parts(records: list[Any], size: int) -> list[list[Any]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def _line(record: dict[str, Any]) -> str:
    fields = "  ".join(f"{name}={value}" for name, value in record["fields"].items())
    return f"{record['id']}  {record['kind']} v{record['version']}  {fields}"
