"""How fast people are put on a mailing, told, and what the law asks is computed, on SQLite.

    .venv/bin/python benchmarks/notices.py [--people 200000] [--send 500] [--database URL]

One line of JSON a step; ``ratio`` is to sealing the addresses alone, in the same run. Sending goes to a mail server in another
process of this machine, one connection and two commits a message. Goals: a million queued within 5 minutes, obligations of an
incident within a second.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.incidents import Facts, Incident, obligations, shipped_rules
from shopward.keyring import Sealer
from shopward.notices.mailing import Letter, Way
from shopward.service import Shopward
from shopward.testing.mailbox import open_mailbox
from shopward.values import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

NOW_MS = 1_767_225_600_000
SITI, BUDI = (Caller(f"{name}-laptop", name, ("analyst",)) for name in ("siti", "budi"))
PAGE = 10_000
LETTERS: dict[Any, Letter] = {"id": Letter("Tentang akun Anda", "Kami mengunci saldo Anda kemarin malam.")}


def timed(step: str, done: int, work: Callable[[], object], yardstick: float | None = None) -> float:
    """Run it; print and return how many a second."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    line: dict[str, Any] = {
        "step": step, "done": done, "s": round(wall, 3), "per_s": round(done / wall), "per_cpu_s": round(done / max(spent, 1e-9)),
    }  # fmt: skip
    if yardstick is not None:
        line["ratio"] = round(done / wall / yardstick, 3)
    print(json.dumps(line), flush=True)
    return done / wall


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--send", type=int, default=500)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    rules = shipped_rules()
    incident = Incident(
        id="inc-1", title="Leak", kind="data_leak", severity="high", state="open", created_ms=NOW_MS, created_by="siti",
        facts=Facts(subjects=dict.fromkeys(("ID", "CN", "EU", "SG", "MY", "PH", "VN", "TH"), 1_000_000)),
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        open_mailbox() as mailbox,
    ):
        settings = Settings(
            data=folder, database=asked.database, smtp_url=mailbox.url,
            mail_from="aman@shop.example", shop_domain="shop.example",
        )  # fmt: skip
        with Shopward.open(settings, clock=ManualClock(NOW_MS)) as shop:
            timed("obligations", 1, lambda: obligations(incident, rules, at_ms=NOW_MS))
            people = [(f"u{number:08d}", f"u{number:08d}@mail.example") for number in range(asked.people)]
            sealer = Sealer(secrets.token_bytes(32), what="a yardstick", hint="-")
            yardstick = timed(
                "sealing_alone", len(people),
                lambda: [sealer.seal(each[1].encode(), context=("ml", each[0]), entropy=secrets.token_bytes) for each in people],
            )  # fmt: skip
            made = shop.notices.make(SITI, incident="inc-1", rule="", letters=LETTERS)

            def fill() -> None:
                for start in range(0, len(people), PAGE):
                    shop.notices.fill(
                        SITI,
                        made.id,
                        [(user, [Way("email", to)], "id") for user, to in people[start : start + PAGE]],
                    )

            timed("queued", len(people), fill, yardstick)
            shop.notices.start(BUDI, made.id)

            def send() -> None:
                sent = 0
                while sent < asked.send:
                    sent += shop.notices.step()

            timed("sent", asked.send, send, yardstick)
            size = sum(file.stat().st_size for file in Path(folder).iterdir() if file.is_file())
            print(json.dumps({"bytes_a_person": round(size / len(people))}))


if __name__ == "__main__":
    main()
