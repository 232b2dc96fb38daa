"""How fast the people of an incident are found in the log, frozen, and their obligations computed; and how much memory it takes.

    .venv/bin/python benchmarks/scope.py [--events 2000000] [--victims 200000] [--database URL]

One line of JSON a step. Each victim has one event with the thief's device, spread over the log; all others are honest, of 50,000 other
people, or with ``--same`` of the first 50,000 victims: their sessions are followed, so that nearly every event is the incident's. The log is
written through its own API, in groups. ``ratio`` is to reading the same log and doing nothing with it; ``at_10m_s`` is what the same
CPU time an event gives for 10,000,000 events, where fewer were built. Goals: 1,000,000 victims of 10,000,000 events within 60 s, in
bounded memory; what is owed for them within 1 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from typing import TYPE_CHECKING, Any

from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.flows.scope import Asked
from shopward.ports import LogEntry
from shopward.service import Shopward
from shopward.values import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGAN_MS = 1_767_225_600_000
GROUP = 5_000
SITI = Caller("siti-laptop", "siti", ("analyst",))
FULL = 10_000_000
FACTS = (
    '{"id":"e-%d","type":"login","status":"succeeded","at_ms":%d,"time_ms":%d,"user":"%s","actor":"%s","ip":"%s","net":"%s","asn":20001,'
    '"country":"ID","located":true,"lat_deg":-6,"lon_deg":107,"os":"Android 13","browser":"Chrome","device":"%s","device_type":"mobile",'
    '"language":"id","session":"%s"}'
)
DECISION = b'{"id":"d-%d","event_id":"e-%d","decision":"allow","score":1.5,"policy":"default@1"}'


def timed(step: str, done: int, work: Callable[[], Any], **more: Any) -> tuple[Any, float]:
    """Run it; print; its result and CPU seconds."""
    began, cpu = time.perf_counter(), time.process_time()
    made = work()
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = {
        "step": step,
        "done": done,
        "s": round(wall, 2),
        "cpu_s": round(spent, 2),
        "us_each": round(spent / done * 1e6, 2),
    }
    line |= {name: each(spent) for name, each in more.items()} | {"peak_mb": peak // 1024}
    print(json.dumps(line), flush=True)
    return made, spent


def entries(shop: Shopward, events: int, victims: int, *, same: bool) -> Iterator[list[LogEntry]]:
    """A log of honest logins; every so many is the thief's."""
    honest = "u" if same else "h"
    token, thief = shop.maker.blind, shop.maker.blind("device", "thief")
    every = max(1, events // victims)
    for first in range(1, events + 1, GROUP):
        group = []
        for seq in range(first, min(first + GROUP, events + 1)):
            user = token("user", f"u{seq // every}" if seq % every == 0 else f"{honest}{seq % 50_000}")
            device = thief if seq % every == 0 else user
            at_ms = BEGAN_MS + seq
            facts = FACTS % (seq, at_ms, at_ms, user, user, user, user, device, user)
            personal = b'{"id":"e-%d","user":{"id":"u%d"}}' % (seq, seq)
            group.append(
                LogEntry(
                    seq, "event", f"e-{seq}", at_ms, at_ms, b"0" * 16, user, facts.encode(), personal, DECISION % (seq, seq)
                )
            )  # fmt: skip
        yield group


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--victims", type=int, default=200_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--same", action="store_true")
    asked = parser.parse_args()
    clock = ManualClock(BEGAN_MS + asked.events + 1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Shopward.open(Settings(data=folder, database=asked.database), clock=clock, rebuild=False) as shop,
    ):

        def build() -> None:
            for group in entries(shop, asked.events, asked.victims, same=asked.same):
                shop.log.append(group)

        timed("built", asked.events, build)

        def read() -> None:
            at = 0
            while page := shop.log.read(after_seq=at, limit=GROUP):
                at = page[-1].seq

        _none, yardstick = timed("log_read_alone", asked.events, read)
        incident = shop.incidents.open(
            SITI,
            title="Stuffing",
            kind="credential_stuffing",
            severity="high",
            campaign="",
            began_ms=0,
            ended_ms=0,
        ).id
        query = shop.scopes.query(
            [Asked("device", "thief")], since_ms=BEGAN_MS, until_ms=clock.now_ms(), elsewhere="ID"
        )
        at_10m = FULL / asked.events
        found, _spent = timed(
            "people_found", asked.events, lambda: shop.scopes.find(incident, query, by="siti", reason="count"),
            ratio=lambda spent: round(spent / yardstick, 2), at_10m_s=lambda spent: round(spent * at_10m, 1),
        )  # fmt: skip
        people = found.scope.counts["grade"]["exposed"]
        timed("frozen", people, lambda: shop.scopes.freeze(SITI, incident, found))
        timed("obligations", people, lambda: shop.incidents.get(incident))
        shop.close(snapshot=False)


if __name__ == "__main__":
    main()
