"""How fast stolen passwords are looked up in the offline store, how large it is and how long it takes to build.

    python benchmarks/passwords.py [--hashes 2000000] [--lookups 200000] [--folder DIR]

Digests are synthetic: uniform bytes in order, as those of SHA-1 are. Half of the looked-up ones are in the store, from all
over it. ``100m`` is ``--hashes 100000000`` (2.2 GB beside the script's folder, some minutes to build). The yardstick of
the same run is SHA-1 and a look-up in a Python set of a million digests.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING

from shopward.screening.passwords import Corpora, HashStore, Rules, screen_password
from shopward.screening.passwords.building import write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 7
PREFIXES = 2**20
YARDSTICK = 1_000_000


def main() -> None:
    """Build, look up, screen; one JSON line each."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    given.add_argument("--hashes", type=int, default=2_000_000)
    given.add_argument("--lookups", type=int, default=200_000)
    given.add_argument("--folder", type=Path)
    args = given.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "pwned.bin"
        started = time.process_time()
        built = write_store(path, _records(args.hashes), expected=args.hashes)
        spent = time.process_time() - started
        _say("build", records=built.records, bytes=built.size, bytes_a_record=round(built.size / built.records, 2),
             records_per_cpu_s=round(built.records / spent))  # fmt: skip
        with HashStore(path) as store:
            _look_up(store, args.lookups)
            _screen(store)


def _records(hashes: int) -> Iterator[tuple[bytes, int]]:
    """Digests in order, made range by range; one number tells the whole set."""
    source = random.Random(SEED)
    for prefix in range(PREFIXES):
        size = (prefix + 1) * hashes // PREFIXES - prefix * hashes // PREFIXES
        tails = sorted({source.getrandbits(140) for _ in range(size)})
        for tail in tails:
            yield (prefix << 140 | tail).to_bytes(20, "big"), 1 + (tail & 63)


def _look_up(store: HashStore, lookups: int) -> None:
    source = random.Random(SEED + 1)
    known = [_some(store, source) for _ in range(lookups // 2)]
    asked = known + [source.randbytes(20) for _ in range(lookups - len(known))]
    source.shuffle(asked)
    held = {source.randbytes(20) for _ in range(YARDSTICK)}
    count = store.count
    found = sum(1 for digest in asked if count(digest))  # from the disk into memory
    if found != len(known):
        raise SystemExit(f"{found} found, {len(known)} are known")
    started = time.process_time()
    for digest in asked:
        count(digest)
    spent = time.process_time() - started
    passwords = [digest.hex() for digest in asked]
    started = time.process_time()
    for password in passwords:
        count(sha1(password.encode(), usedforsecurity=False).digest())
    with_digest = time.process_time() - started
    started = time.process_time()
    for password in passwords:
        sha1(password.encode(), usedforsecurity=False).digest() in held  # noqa: B015 -- it is timed
    yardstick = time.process_time() - started
    _say("look_up", records=len(store), per_cpu_s=round(lookups / spent), with_sha1_per_cpu_s=round(lookups / with_digest),
         yardstick_set_per_cpu_s=round(lookups / yardstick), times_the_yardstick=round(with_digest / yardstick, 2))  # fmt: skip


def _some(store: HashStore, source: random.Random) -> bytes:
    """A digest that the store holds."""
    while True:
        prefix = f"{source.randrange(PREFIXES):05X}"
        known = list(store.range(prefix))
        if known:
            return bytes.fromhex(prefix + source.choice(known)[0])


def _screen(store: HashStore) -> None:
    corpora, rules = Corpora((store,)), Rules(words=("Shopward",))
    given = [
        "kucing-biru-terbang",
        "Bambang1980!",
        "qwerty123456",
        "correct horse battery staple",
        "woaini5201314",
    ]
    context: dict[str, str | bool] = {"email": "bambang@example.org"}
    screen_password(given[0], rules=rules, corpora=corpora, context=context)
    times = []
    for number in range(200):
        started = time.process_time()
        screen_password(given[number % len(given)], rules=rules, corpora=corpora, context=context)
        times.append(time.process_time() - started)
    times.sort()
    _say("screen", calls=len(times), median_ms=round(1e3 * times[100], 3), p99_ms=round(1e3 * times[197], 3))


def _say(what: str, **figures: float) -> None:
    print(json.dumps({"benchmark": "passwords", "what": what, **figures}), flush=True)


if __name__ == "__main__":
    main()
