"""``shopward demo``: the main job on one machine, with nothing but Python.

Promise: starts the real server on loopback on a fresh data folder, sends a bundled simulated week through the HTTP API,
shows decisions as they come, answers the first alarm (``demo_response``) and sums up what happened. Nothing is shown that the server did not
answer and the mailbox did not take. The folder is removed at the end, unless ``--serve`` keeps the server up.
"""

from __future__ import annotations

import csv
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from importlib import resources
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click

from shopward.cli.demo_response import Responder
from shopward.errors import StoreUnavailable
from shopward.testing.mailbox import open_mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_LINES = 250
SHOWN_EACH_REASON = 2
_MARKS = {"deny": "red", "challenge": "yellow", "review": "cyan", "allow": "green"}


class Server(NamedTuple):
    """A running server: where it listens, its key, its process."""

    url: str
    key: str
    process: subprocess.Popen[str]


@click.command()
@click.option("--serve", is_flag=True, help="Keep the server up afterwards and print the page's address.")
@click.option(
    "--language", type=click.Choice(["en", "id", "zh"]), default="en", help="Language of the reasons."
)
def demo(*, serve: bool, language: str) -> None:
    """Replay a simulated shop's week with three attacks in it through the HTTP API, and show what was decided.

    \b
    Examples:
      shopward demo
      shopward demo --serve
      shopward demo --language id
    """
    events, attacks = _sample()
    with (
        tempfile.TemporaryDirectory(prefix="shopward-demo-") as folder,
        open_mailbox() as mailbox,
        _running(folder, mailbox.url) as server,
    ):
        click.echo(f"server on {server.url}, a fresh log on SQLite, the default policy")
        click.echo(
            f"sending {len(events):,} events of a simulated week: stuffing, a linked-identity drain, a staff export\n"
        )
        started = perf_counter()
        responder = Responder(server.url, server.key, mailbox)
        decisions = _send(server, events, attacks, language, responder)
        _summary(decisions, attacks, perf_counter() - started)
        found = _campaigns(server)
        answered = responder.answered
        first = next((each for each in found if answered and each["id"] == answered.campaign), {})
        responder.summary(first.get("first_at", ""), first.get("opened_at", ""))
        if serve:
            click.echo(f"\nlook at it: {server.url}/    API key: {server.key}    (Ctrl-C ends it)")
            server.process.wait()


def _sample() -> tuple[list[bytes], dict[str, tuple[str, str]]]:
    """The bundled week's lines, and for each attack event its label and campaign."""
    folder = resources.files("shopward.cli") / "sample"
    with (folder / "events.ndjson.gz").open("rb") as packed, gzip.open(packed) as lines:
        events = [line for line in lines if line.strip()]
    with (folder / "labels.csv").open(encoding="utf-8") as rows:
        attacks = {row["event_id"]: (row["label"], row["campaign"]) for row in csv.DictReader(rows)}
    return events, attacks


@contextmanager
def _running(folder: str, smtp_url: str) -> Iterator[Server]:
    """A real server process on a free port, ended with the block."""
    command = [sys.executable, "-m", "shopward", "serve", "--data", folder, "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWARD_")} | {
        "SHOPWARD_SMTP_URL": smtp_url, "SHOPWARD_MAIL_FROM": "aman@shop.example", "SHOPWARD_SHOP_DOMAIN": "shop.example",
        "SHOPWARD_SHOP_JURISDICTION": "ID",
    }  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 -- ourselves
    try:
        key, url = _started(process)
        _wait_until_ready(url)
        yield Server(url, key, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _started(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The key and address that the server prints."""
    key = url = ""
    for line in process.stdout or ():
        if line.startswith("API key: "):
            key = line.removeprefix("API key: ").strip()
        if "listening on " in line:
            url = line.split("listening on ", 1)[1].split()[0].rstrip("/")
            return key, url
    raise StoreUnavailable(
        "the server did not start", expected="a line 'listening on ...'", found="an end of its output"
    )


def _wait_until_ready(url: str) -> None:
    """The server listens before its state is rebuilt, and says so at ``/readyz``."""
    address = urlsplit(url)
    status = 0
    for _ in range(300):
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=10)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
        connection.close()
        if status == http.client.OK:
            return
        sleep(0.1)
    raise StoreUnavailable(
        "the server did not become ready", expected="200 from /readyz within 30 s", found=f"{status}"
    )


def _send(
    server: Server,
    events: list[bytes],
    attacks: dict[str, tuple[str, str]],
    language: str,
    responder: Responder,
) -> list[dict[str, Any]]:
    """All events in batches, in order; new kinds of trouble are shown as they come, and the first campaign is answered."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
    headers = {
        "Authorization": f"Bearer {server.key}",
        "Content-Type": "application/x-ndjson",
        "Accept-Language": language,
    }
    shown: Counter[str] = Counter()
    decisions: list[dict[str, Any]] = []
    handed_s: dict[str, float] = {}
    for start in range(0, len(events), BATCH_LINES):
        batch = events[start : start + BATCH_LINES]
        now_s = perf_counter()
        connection.request("POST", "/v1/decisions/batch", b"".join(batch), headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise StoreUnavailable(
                "the server refused a batch", found=f"{response.status}: {body[:300].decode()}"
            )
        for event, line in zip(batch, body.splitlines(), strict=True):
            decision = json.loads(line)
            decisions.append(decision)
            handed_s[decision["event_id"]] = now_s
            _show(json.loads(event), decision, attacks, shown)
        responder.look(handed_s)
    connection.close()
    return decisions


def _show(
    event: dict[str, Any], decision: dict[str, Any], attacks: dict[str, Any], shown: Counter[str]
) -> None:
    """A line for the first few decisions of each main reason."""
    if decision["decision"] not in ("deny", "challenge"):
        return
    code = decision["reasons"][0]["code"]
    shown[code] += 1
    if shown[code] > SHOWN_EACH_REASON:
        return
    kind = click.style(f"{decision['decision']:9}", fg=_MARKS[decision["decision"]])
    who = "attack" if decision["event_id"] in attacks else "honest"
    when, what = event["time"][5:16].replace("T", " "), f"{event['type']} {event['status']}"
    click.echo(f"{when}  {kind} {decision['score']:5.1f}  {what:26} {who}  {decision['reasons'][0]['text']}")


def _summary(decisions: list[dict[str, Any]], attacks: dict[str, tuple[str, str]], seconds: float) -> None:
    """What happened, in numbers that the answers give."""
    kinds = Counter(decision["decision"] for decision in decisions)
    honest = [decision for decision in decisions if decision["event_id"] not in attacks]
    stopped = sum(decision["decision"] in ("challenge", "deny") for decision in honest)
    click.echo(
        f"\n{len(decisions):,} events decided in {seconds:.1f} s: {len(decisions) / seconds:,.0f} a second, each durable before its answer"
    )
    click.echo(
        "decisions: "
        + ", ".join(f"{kind} {kinds[kind]:,}" for kind in ("allow", "review", "challenge", "deny"))
    )
    click.echo(
        f"honest events challenged or denied: {stopped} of {len(honest):,} ({stopped / len(honest):.2%})"
    )
    for campaign in dict.fromkeys(campaign for _label, campaign in attacks.values()):
        _campaign(campaign, decisions, attacks)


def _campaigns(server: Server) -> list[dict[str, Any]]:
    """What the server found to belong together, as it answers it."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
    connection.request("GET", "/v1/campaigns", headers={"Authorization": f"Bearer {server.key}"})
    campaigns: list[dict[str, Any]] = json.loads(connection.getresponse().read())["campaigns"]
    for found in reversed(campaigns):
        click.echo(
            f"campaign found: {found['kind']:15} {found['accounts']:4} accounts, confidence {found['confidence']},"
            f" {found['tried']} tries, {found['entered']} went through, {found['stopped']} stopped, since {found['first_at']}"
        )
    connection.close()
    return campaigns


def _campaign(campaign: str, decisions: list[dict[str, Any]], attacks: dict[str, tuple[str, str]]) -> None:
    """How far an attack came before it was first stopped, and how much of it was."""
    events = [
        decision for decision in decisions if attacks.get(decision["event_id"], ("", ""))[1] == campaign
    ]
    stopped = [
        position for position, decision in enumerate(events) if decision["decision"] in ("challenge", "deny")
    ]
    first = f"first stopped at its event {stopped[0] + 1}" if stopped else "never stopped"
    click.echo(f"attack {campaign:22} {len(events):4} events, {first}, {len(stopped)} stopped in all")
