"""What each layer of a decision over HTTP costs: the same load on servers that do more and more of the work.

    python benchmarks/rungs.py [--load single|batch] [--policy reference|default] [--rounds 3] [--seconds 2] [--dir DIR]

Each rung is a process of its own on one core, loaded from the other as ``http_decisions`` does it; the rungs take turns, and of
each the cheapest round counts. JSON lines: the server's CPU microseconds a decision, each as it is measured, then the best and worst
of each rung and what it adds to the one before:

- ``uvicorn``: the body is read and answered with as many bytes (``single`` alone);
- ``request``: our own reading, checking and answering, with a decision that is made up on the spot;
- ``gate``: the same behind the gate: a group, two hand-overs to the writer thread and back;
- ``decided``: the desk decides, in clear, and records nothing;
- ``sealed``: events are sealed as they were sent;
- ``recorded``: they are recorded, durably, before the answer;
- ``all``: the page, the metrics, shadow rules, the follower and the recorder hear of it; this is the server as it is.

What a rung makes slower by what it leaves in the caches of the core is counted where it comes to light, in another rung.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import uvicorn
import uvloop
from http_decisions import answer, cpu_s, load, pin, request, shop_events, wrk_load
from reference_load import reference_events

from shopward.access import open_keys
from shopward.adapters.process import tune_collector
from shopward.config import Settings
from shopward.flows.decide import Group
from shopward.flows.engine import DecisionRecord
from shopward.flows.keeping import InClear
from shopward.http.app import Application
from shopward.http.guard import guarded
from shopward.service import Shopward

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.events import Event
    from shopward.flows.decide import Answer, DecisionDesk

RUNGS: Final = ("uvicorn", "request", "gate", "decided", "sealed", "recorded", "all")
BARE: Final = RUNGS[:3]
"""They record nothing and know no ids, so that the same events may come again."""
CONNECTIONS: Final = 128
LINES: Final = 2_000
SWITCH_S: Final = 0.0005


class Load(NamedTuple):
    """What is asked for."""

    kind: str
    policy: str
    seconds: int
    folder: str

    @property
    def folder_of_policy(self) -> str:
        """The reference policy's; none for the one that ships."""
        return str(Path(__file__).parent / "reference_policy") if self.policy == "reference" else ""


class NoDesk:
    """Says yes to everybody, as the gate expects it of a desk."""

    seq = 0
    refused_snapshot = ""

    def rebuild(self, _progress: object) -> None:
        """Nothing."""

    def look_up(self, events: Sequence[Event]) -> Sequence[Event]:
        """As they are."""
        return events

    def prepare(self, events: Sequence[Event]) -> Group:
        """Answers, and something to record."""
        return Group([None] * len(events), [_yes(event) for event in events], [])  # type: ignore[list-item]

    def commit(self, group: Group) -> list[Answer]:
        """Nothing."""
        return group.answers


def serve(rung: str, port: int, asked: Load) -> None:
    """Be the server of a rung."""
    if rung == "uvicorn":
        uvicorn.run(answer, port=port, lifespan="off", access_log=False, log_level="warning")
        return
    settings = Settings(data=asked.folder, policy=asked.folder_of_policy)
    with Shopward.open(settings, rebuild=False) as shopward:
        keys, key = open_keys(settings.folder, shopward.clock)
        application = Application(shopward, keys)
        _cut(application, shopward.desk, RUNGS.index(rung))
        print(key, flush=True)
        sys.setswitchinterval(SWITCH_S)
        tune_collector()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(application, settings, port))


async def _serve(application: Application, settings: Settings, port: int) -> None:
    application.gate.start()
    http = guarded(settings, application.express, application.refusing)
    quiet: dict[str, Any] = {"access_log": False, "log_config": None, "lifespan": "off", "ws": "none"}
    await uvicorn.Server(
        uvicorn.Config(application, http=http, port=port, server_header=False, **quiet)
    ).serve()


def _cut(application: Application, desk: DecisionDesk, height: int) -> None:
    """Leave out what is above a rung."""
    gate: Any = application.gate
    if height < RUNGS.index("all"):
        gate._on_group = lambda _group: None  # noqa: SLF001 -- no setting does this
    if height < RUNGS.index("recorded"):
        desk.commit = _unrecorded(desk)  # type: ignore[method-assign,assignment]
        gate._snapshot_if_due = _no_snapshot  # noqa: SLF001 -- as above: nothing of the state is in the log
    if height < RUNGS.index("sealed"):
        desk._keeper = InClear()  # noqa: SLF001 -- as above
    if height < RUNGS.index("decided"):
        gate._desk = NoDesk()  # noqa: SLF001 -- as above
    if height < RUNGS.index("gate"):
        gate.submit = _at_once


async def _no_snapshot() -> None:
    """Nothing."""


def _unrecorded(desk: DecisionDesk) -> Callable[[Group], list[Answer]]:
    def commit(group: Group) -> list[Answer]:
        if group.entries:
            desk.seq = group.entries[-1].seq
        return group.answers

    return commit


def _at_once(events: Sequence[Event]) -> asyncio.Future[list[Answer]]:
    heard: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
    heard.set_result([_yes(event) for event in events])
    return heard


def _yes(event: Event) -> DecisionRecord:
    return DecisionRecord("d-" + event.id, event.id, "allow", 10.0, policy="reference@1")


def climbed(rung: str, asked: Load) -> float:
    """CPU microseconds a decision of a rung's server under the load."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(dir=asked.folder or None) as name:
        here = [rung, str(port), asked.kind, asked.policy, f"{asked.seconds}", str(Path(name) / "data")]
        with subprocess.Popen(
            [sys.executable, __file__, "--be", *here], stdout=subprocess.PIPE, text=True
        ) as server:
            key = "" if rung == "uvicorn" or server.stdout is None else server.stdout.readline().strip()
            _reached(port)
            pin(server.pid, 0)
            pin(0, 1)
            try:
                return _loaded(server.pid, port, key, asked, again=rung in BARE)
            finally:
                server.kill()  # nothing of it is kept


def _loaded(server: int, port: int, key: str, asked: Load, *, again: bool) -> float:
    """The same requests for every rung; the first of them, which warm it up, are not counted."""
    source = reference_events() if asked.policy == "reference" else shop_events()
    wrk = shutil.which("wrk")
    if asked.kind == "single" and wrk is None:
        raise SystemExit("single decisions are loaded by wrk, which is not installed")
    per_s = 24_000 if asked.kind == "single" else 60_000
    bodies = list(islice(source, int(per_s * (asked.seconds + 1))))
    if asked.kind == "batch":
        bodies = [b"\n".join(bodies[at : at + LINES]) for at in range(0, len(bodies), LINES)]
    path, content_type, lines = (
        ("/v1/decisions", "application/json", 1) if asked.kind == "single"
        else ("/v1/decisions/batch", "application/x-ndjson", LINES)
    )  # fmt: skip
    requests = [request(path, content_type, key, body) for body in bodies]
    warm = len(requests) // 4
    began = answered = 0.0
    for part, seconds in ((requests[:warm], 1), (requests[warm:], asked.seconds)):
        began = cpu_s(server)
        said = (
            wrk_load(wrk, part, port=port, connections=CONNECTIONS, seconds=seconds, again=again)
            if asked.kind == "single" and wrk is not None
            else asyncio.run(load(port, part, 2, seconds))
        )
        answered = said["answered"] * lines
    return (cpu_s(server) - began) / answered * 1e6


def _reached(port: int) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            time.sleep(0.5)  # the gate opens
            return
    raise SystemExit("the server does not listen")


def main() -> None:
    """Climb, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--load", choices=("single", "batch"), default="single")
    parser.add_argument("--policy", choices=("reference", "default"), default="reference")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--dir", default="")
    parser.add_argument("--be", nargs=6, help="be the server of a rung")
    asked = parser.parse_args()
    if asked.be:
        rung, port, kind, policy, seconds, folder = asked.be
        serve(rung, int(port), Load(kind, policy, int(seconds), folder))
        return
    wanted = Load(asked.load, asked.policy, asked.seconds, asked.dir)
    rungs = RUNGS if wanted.kind == "single" else RUNGS[1:]
    taken: dict[str, list[float]] = {rung: [] for rung in rungs}
    for _round in range(asked.rounds):
        for rung in rungs:
            taken[rung].append(climbed(rung, wanted))
            print(
                json.dumps({"load": wanted.kind, "rung": rung, "us": round(taken[rung][-1], 1)}), flush=True
            )
    below = 0.0
    for rung, rounds in taken.items():
        best = min(rounds)
        figures = {
            "us_best": round(best, 1),
            "us_worst": round(max(rounds), 1),
            "adds": round(best - below, 1),
        }
        print(json.dumps({"load": wanted.kind, "rung": rung} | figures), flush=True)
        below = best


if __name__ == "__main__":
    main()
