"""How many accounts of a real shop a thief opens: without Shopward, with the default policy, with the example's policy.

    python benchmarks/shop_attacks.py [--honest 60]

Lists of 50 accounts, from one address, from 40 and, with every password right, from 25; then honest visits. Needs the
dependency group ``shops``. Prints JSON lines; the yardstick is the unguarded shop of the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from e2e.people import (  # type: ignore[import-not-found] # the tests are no package
    CUSTOMERS,
    STUFFED,
    Thief,
    email,
    histories_of,
    password,
    shops_honestly,
    stolen_list,
)
from e2e.shops import EXAMPLE, Shop, copied, seeded  # type: ignore[import-not-found] # the same
from serving import Server  # type: ignore[import-not-found] # the same

FORTY = [f"45.{n}.20.{n}" for n in range(60, 100)]
TWENTY_FIVE = [f"77.{n}.4.4" for n in range(25)]


def opened(shop: Shop) -> dict[str, int]:
    """Accounts opened by each list."""
    all_right = [(email(each), password(each)) for each in STUFFED]
    return {
        "every_password_right": Thief(shop, TWENTY_FIVE).opened(all_right),
        "one_address": Thief(shop, ["45.9.148.3"]).opened(stolen_list(3, junk=70)[0]),
        "forty_addresses": Thief(shop, FORTY).opened(stolen_list(4, junk=70)[0]),
    }


def visited(shop: Shop, visits: int) -> dict[str, int]:
    """What honest visits came to."""
    came = [shops_honestly(shop, customer * 200 // visits) for customer in range(visits)]
    return {word: sum(each[word] for each in came) for word in ("finished", "challenged", "denied")}


def main() -> None:
    """Measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--honest", type=int, default=60)
    visits: int = asked.parse_args().honest
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        seeds = seeded(root / "seeds", CUSTOMERS, 1)
        own = root / "policy"
        subprocess.run([sys.executable, EXAMPLE / "policy" / "compose.py", own], check=True)
        for name, policy in (("none", None), ("default", None), ("example", own)):
            with ExitStack() as open_ones:
                server = None
                if name != "none":
                    server = open_ones.enter_context(Server(root / f"data-{name}", policy=policy))
                    server.post("/v1/events", histories_of(CUSTOMERS), content_type="application/x-ndjson")
                shop = open_ones.enter_context(Shop(copied(seeds, root / f"shop-{name}"), server))
                figures = {"policy": name, "opened": opened(shop), "honest": visits, **visited(shop, visits)}
                print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
