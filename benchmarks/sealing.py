"""What sealing events as they were sent costs: decided in clear and sealed, in turns; then settling a day, and reading.

    python benchmarks/sealing.py [--rounds 6] [--groups 8] [--lines 500] [--policy reference|default] [--dir DIR]

``decide``: the whole of ``DecisionDesk.decide`` (bytes in, records out, committed to SQLite), without HTTP. ``clear`` keeps events
as they came, as before ADR 0018; ``sealed`` has the vault's own keeper; both get the same events. Under ``reference`` a tenth of the
users is new in each event; ``strangers`` are logins of accounts that nobody has, each another one. JSON lines: CPU microseconds
an event, median and best, beside the yardstick of the same run, the standard library's ``json.loads`` of the same lines; what
sealing adds; what settling costs for each customer of a day, in steps as the server takes them; what a timeline of 50 costs to open.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import time
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from in_turns import Taken, each, say, timed
from reference_load import reference_events

from shopward.adapters.process import tune_collector
from shopward.config import Settings
from shopward.flows.keeping import InClear
from shopward.service import Shopward
from shopward.values import DAY_MS, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.flows.decide import DecisionDesk

WAYS: Final = ("clear", "sealed")
START_MS: Final = 2**41
SHOWN: Final = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--policy", choices=["reference", "default"], default="reference")
    parser.add_argument("--dir", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
        clock = ManualClock(START_MS)
        shops = {way: _shop(Path(folder) / way, asked.policy, clock) for way in WAYS}
        shops["clear"].desk = _in_clear(shops["clear"].desk)
        tune_collector()
        for part, stream in (("decide", reference_events()), ("strangers", _strangers())):
            taken: Taken = {}
            for _round in range(asked.rounds):
                groups = [list(islice(stream, asked.lines)) for _ in range(asked.groups)]
                lines = [raw for group in groups for raw in group]
                timed("json_loads", taken, len(lines), partial(each, json.loads, lines))
                for way, shop in shops.items():
                    timed(way, taken, len(lines), partial(each, shop.desk.decide, groups))
            _say(part, taken)
        _after(shops["sealed"], clock)
        for shop in shops.values():
            shop.close(snapshot=False)


def _shop(folder: Path, policy: str, clock: ManualClock) -> Shopward:
    """An open one, warm."""
    named = str(Path(__file__).parent / "reference_policy") if policy == "reference" else ""
    shop = Shopward.open(Settings(data=str(folder), policy=named), clock=clock)
    shop.desk.decide(list(islice(reference_events(seed=1), 2_000)))
    return shop


def _in_clear(desk: DecisionDesk) -> DecisionDesk:
    """The same desk without a vault."""
    desk._keeper = InClear()  # noqa: SLF001 -- no setting does this
    return desk


def _strangers() -> Iterator[bytes]:
    """Logins of accounts that nobody has."""
    for number in count():
        yield json.dumps({
            "id": f"s-{number}", "type": "login", "status": "failed", "time": "2026-01-05T00:00:00Z",
            "user": {"id": f"guess-{secrets.token_hex(6)}@example.org", "known": False},
            "context": {"ip": f"198.51.{number // 256 % 256}.{number % 256}", "user_agent": "Mozilla/5.0 (X11; Linux)", "device_id": f"d{number}"},
        }).encode()  # fmt: skip


def _after(shop: Shopward, clock: ManualClock) -> None:
    """What comes of the day, and what a reader waits for, before and after it is settled."""
    entries = shop.log.read(after_seq=0, limit=100_000)
    customers = len({entry.user_token for entry in entries})
    taken: Taken = {}
    page = entries[-SHOWN:]
    read = partial(each, shop.vault.history.told, [page] * 20)
    timed("open_today", taken, 20 * SHOWN, read)
    clock.advance(DAY_MS)
    shop.desk.decide(list(islice(reference_events(seed=2), 1)))
    began, steps = time.process_time(), 0
    while shop.vault.keeper.step():
        steps += 1
    spent = time.process_time() - began
    timed("open_settled", taken, 20 * SHOWN, read)
    print(
        json.dumps({
            "part": "settle", "events": len(entries), "customers": customers, "steps": steps,
            "us_a_customer": round(spent / customers * 1e6, 1), "us_an_event": round(spent / len(entries) * 1e6, 1),
            "ms_a_step": round(spent / steps * 1e3, 1),
        })
    )  # fmt: skip
    for part, (took,) in taken.items():
        print(json.dumps({"part": part, "us_an_event": round(took, 1)}))


def _say(part: str, taken: Taken) -> None:
    best = say(part, taken)
    added = best[WAYS[1]] - best[WAYS[0]]
    print(
        json.dumps({"part": part, "added_us": round(added, 2), "added": round(added / best[WAYS[0]], 3)}),
        flush=True,
    )


if __name__ == "__main__":
    main()
