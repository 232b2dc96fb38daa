"""How fast the audit log appends and is verified, beside SHA-256 of the same bytes in the same run.

Prints one JSON object a line. ``deeds`` is how many entries share one transaction: 1 is a deed with its line and a
durable commit, more of them are one ``append_many``. ``sha256_of_same_bytes_per_s`` hashes the same entries and does nothing else; the share is what
the hash link can cost at most. ``disk_fdatasync_us_p50`` is what one durable 4 KiB write takes on the same directory.

    python benchmarks/audit_append.py [--dir .] [--seconds 3] [--postgres postgresql://postgres@127.0.0.1/scratch]

The PostgreSQL database is used as a scratch database: a schema of its own, removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from log_append import fdatasync_us

from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, Line, SigningKey, verify
from shopward.audit.chain import GENESIS, entry_bytes, hash_of
from shopward.audit.records import canonical_details
from shopward.audit.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEY = SigningKey(bytes(range(32)))
DETAILS: dict[str, Any] = {
    "order": "ord-" + "0" * 32,
    "kind": "freeze",
    "scope": ["spend_balance", "withdraw"],
    "share_bp": 12,
}


def line(number: int) -> dict[str, Any]:
    """A deed of common size."""
    return {
        "at_ms": 1_767_225_600_000 + number,
        "actor": "key:ops-night",
        "deed": "order:release",
        "subject": f"user:{number:032x}",
        "details": DETAILS,
    }


def hashes_per_s(seconds: float) -> int:
    """How many such entries a second are encoded and hashed, without any database."""
    details, previous, number = canonical_details(DETAILS).encode(), GENESIS, 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            one = line(number)
            content = entry_bytes(
                previous,
                tenant=b"main",
                seq=number,
                at_ms=one["at_ms"],
                actor=one["actor"].encode(),
                deed=one["deed"].encode(),
                subject=one["subject"].encode(),
                details=details,
            )
            previous = hash_of(content)
            number += 1
    return round(number / (time.perf_counter() - start))


def appends(engine: Engine, trail: AuditTrail, deeds: int, seconds: float) -> dict[str, Any]:
    """Append in transactions of so many deeds for so long."""
    taken, number = [], 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        with engine.begin() as connection:
            trail.append_many(connection, [Line(**line(number + each)) for each in range(deeds)])
        number += deeds
        taken.append(time.perf_counter() - start)
    taken.sort()
    return {
        "deeds": deeds,
        "entries_per_s": round(number / sum(taken)),
        "transaction_us_p50": round(statistics.median(taken) * 1e6),
        "transaction_us_p99": round(taken[int(len(taken) * 0.99)] * 1e6),
    }


def run(name: str, url: str, seconds: float, directory: Path) -> None:
    """Appending in both sizes, then reading it all."""
    engine = open_engine(url)
    metadata.create_all(engine)
    trail = AuditTrail(signer=KEY)
    for deeds in (1, 100, 1_000):
        disk = statistics.median(fdatasync_us(directory, count=100))
        result = {"engine": name} | appends(engine, trail, deeds, seconds)
        yardstick = hashes_per_s(min(seconds, 1.0))
        result |= {
            "sha256_of_same_bytes_per_s": yardstick,
            "share_of_hashing": round(result["entries_per_s"] / yardstick, 4),
            "disk_fdatasync_us_p50": round(disk),
        }
        print(json.dumps(result), flush=True)
    with engine.connect() as connection:
        start = time.perf_counter()
        report = verify(connection, public_key=KEY.public_key)
        took = time.perf_counter() - start
        tracemalloc.start()
        verify(connection, public_key=KEY.public_key)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    print(
        json.dumps(
            {
                "engine": name,
                "intact": report.intact,
                "verified_entries": report.entries,
                "verified_per_s": round(report.entries / took),
                "verify_peak_kib": peak // 1024,
            }
        ),
        flush=True,
    )
    engine.dispose()


def main() -> None:
    """Read the arguments and run both engines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--postgres", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        directory = Path(name).absolute()
        run("sqlite", f"sqlite:///{directory}/log.db", arguments.seconds, directory)
        if arguments.postgres:
            in_postgres(arguments.postgres, arguments.seconds, directory)


def in_postgres(url: str, seconds: float, directory: Path) -> None:
    """The same in a schema of its own."""
    schema = f"bench_audit_{os.getpid()}"
    scratch = open_engine(url)
    with scratch.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    separator = "&" if "?" in url else "?"
    try:
        run("postgresql", f"{url}{separator}options=-csearch_path%3D{schema}", seconds, directory)
    finally:
        with scratch.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        scratch.dispose()


if __name__ == "__main__":
    main()
