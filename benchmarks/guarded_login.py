"""What a guarded login costs a Django shop: the same shop with and without Shopward, sign-ins in turn, over real HTTP.

    python benchmarks/guarded_login.py [--logins 200]

Needs the dependency group ``shops``. Prints JSON lines; the yardstick is the unguarded shop of the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from e2e.people import browser_of, email, password  # type: ignore[import-not-found] # the tests are no package
from e2e.shops import Shop, copied, seeded  # type: ignore[import-not-found] # the same
from serving import Server  # type: ignore[import-not-found] # the same


def seconds_of_a_login(shop: Shop, customer: int) -> float:
    """From sending the form to its answer; the page before it and the logout after it are not counted."""
    with browser_of(shop, customer) as browser:
        browser.get("/accounts/login/")
        began = perf_counter()
        opened = browser.log_in(email(customer), password(customer))
        took = perf_counter() - began
    if not opened:
        raise SystemExit("a login of the benchmark was not let in")
    return took


def cpu_ms(pid: int) -> float:
    """Processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--logins", type=int, default=200)
    logins: int = asked.parse_args().logins
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        seeds = seeded(root / "seeds", logins, 1)
        with (
            Server(root / "data", policy=None) as server,
            Shop(copied(seeds, root / "plain")) as plain,
            Shop(copied(seeds, root / "guarded"), server) as guarded,
        ):
            for shop in (plain, guarded):
                seconds_of_a_login(shop, 0)
            began = [cpu_ms(each) for each in (plain.pid, guarded.pid, server.process.pid)]
            pairs = [
                (seconds_of_a_login(plain, each), seconds_of_a_login(guarded, each))
                for each in range(1, logins)
            ]
            used = [
                (cpu_ms(each) - before) / len(pairs)
                for each, before in zip((plain.pid, guarded.pid, server.process.pid), began, strict=True)
            ]
    without, with_it = ([pair[which] * 1000 for pair in pairs] for which in (0, 1))
    extra = [after - before for before, after in zip(without, with_it, strict=True)]
    p95 = [quantiles(each, n=20)[-1] for each in (without, with_it)]
    print(
        json.dumps(
            {
                "logins": len(pairs), "unguarded_ms_p50": round(median(without), 2), "unguarded_ms_p95": round(p95[0], 2),
                "guarded_ms_p50": round(median(with_it), 2), "guarded_ms_p95": round(p95[1], 2),
                "overhead_ms_p50": round(median(extra), 2), "overhead_ms_p95": round(p95[1] - p95[0], 2),
                "ratio_p50": round(median(with_it) / median(without), 3),
                "cpu_ms_a_visit": {"unguarded": round(used[0], 2), "guarded": round(used[1], 2), "shopward": round(used[2], 2)},
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
