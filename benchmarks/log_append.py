"""How fast the log appends, beside what the disk allows in the same run.

Prints one JSON object a line. Each group is one durable transaction; ``disk`` is the median fdatasync of 4 KiB
written over the start of a file that has its size already, taken before and after the appends, on the same
directory. ``cpu_us_each`` is this process's CPU time for one entry, which is all of it on SQLite. ``find_us`` is one lookup of a group of ids of which none is recorded, as intake does for each group.

    python benchmarks/log_append.py [--dir .] [--seconds 3] [--postgres postgresql://postgres@127.0.0.1/scratch] [--entries 0]

``--entries`` asks instead what an entry costs as the log grows to so many, on SQLite in groups of 500: CPU time and the
bytes that this process had written (Linux), for each hundred thousand.

The PostgreSQL database is used as a scratch database: a tenant of its own name is left behind in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from shopward.adapters.sql import SqlEventLog
from shopward.ports import LogEntry
from shopward.values import digest16

GROUPS = (1, 32, 500)
FACTS = json.dumps(
    {"type": "login", "ip": "k" * 32, "device": "d" * 32, "amount_minor": 12345, "ok": True, "x": "y" * 200}
).encode()
PERSONAL = json.dumps({"email": "someone@example.com", "ip": "203.0.113.7", "agent": "a" * 90}).encode()
DECISION = json.dumps(
    {"verdict": "allow", "score": 12, "reasons": ["new_device", "odd_hour"], "terms": list(range(40))}
).encode()


def entry(seq: int) -> LogEntry:
    """An entry of about 800 bytes with an id that does not sort by time."""
    digest = digest16(seq.to_bytes(8, "big"))
    token = digest16((seq % 5_000).to_bytes(8, "big")).hex()
    return LogEntry(seq, "event", "ev-" + digest.hex(), seq, seq, digest, token, FACTS, PERSONAL, DECISION)


def fdatasync_us(directory: Path, *, count: int) -> list[float]:
    """What one durable 4 KiB write takes."""
    block = os.urandom(4096)
    taken = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())
        for _ in range(count):
            start = time.perf_counter()
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - start) * 1e6)
    return taken


def appends(log: SqlEventLog, group: int, seconds: float) -> dict[str, Any]:
    """Append groups for so long."""
    first = seq = log.last_seq()
    commits, finds, cpu = [], [], 0.0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        entries = [entry(seq + i) for i in range(1, group + 1)]
        start = time.perf_counter()
        log.find([e.event_id for e in entries])
        found, cpu_found = time.perf_counter(), time.process_time()
        log.append(entries)
        cpu += time.process_time() - cpu_found
        commits.append(time.perf_counter() - found)
        finds.append(found - start)
        seq += group
    commits.sort()
    return {
        "group": group,
        "entries_per_s": round((seq - first) / sum(commits)),
        "cpu_us_each": round(cpu / (seq - first) * 1e6, 1),
        "commit_us_p50": round(statistics.median(commits) * 1e6),
        "commit_us_p99": round(commits[int(len(commits) * 0.99)] * 1e6),
        "find_us_p50": round(statistics.median(finds) * 1e6),
        "commits": len(commits),
    }


def grown(log: SqlEventLog, last: int) -> None:
    """What an entry costs as the log grows."""
    log.claim()
    step = 100_000
    for start in range(0, last, step):
        cpu, written = 0.0, written_bytes()
        for seq in range(start, start + step, 500):
            entries = [entry(seq + i) for i in range(1, 501)]
            began = time.process_time()
            log.append(entries)
            cpu += time.process_time() - began
        figures = {
            "entries": start + step,
            "cpu_us_each": round(cpu / step * 1e6, 1),
            "written_bytes_each": (written_bytes() - written) // step,
        }
        print(json.dumps({"engine": "sqlite"} | figures), flush=True)
    log.close()


def written_bytes() -> int:
    """How many bytes this process has written so far; 0 where the system does not say."""
    counters = Path("/proc/self/io")
    return int(counters.read_text(encoding="ascii").split()[3]) if counters.exists() else 0


def run(engine: str, log: SqlEventLog, seconds: float, directory: Path) -> None:
    """All groups on one store, and reading it back."""
    log.claim()
    for group in GROUPS:
        disk = fdatasync_us(directory, count=100)
        result = appends(log, group, seconds)
        disk += fdatasync_us(directory, count=100)
        median = statistics.median(disk)
        result |= {
            "disk_fdatasync_us_p50": round(median),
            "commit_per_fdatasync": round(result["commit_us_p50"] / median, 2),
        }
        print(json.dumps({"engine": engine} | result), flush=True)
    start = time.perf_counter()
    read = len(log.read(after_seq=0, limit=20_000))
    print(json.dumps({"engine": engine, "read_entries_per_s": round(read / (time.perf_counter() - start))}))
    log.close()


def main() -> None:
    """Read the arguments and run both engines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--postgres", default="")
    parser.add_argument("--entries", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        directory = Path(name).absolute()
        if arguments.entries:
            grown(SqlEventLog.open(f"sqlite:///{directory}/log.db"), arguments.entries)
            return
        run("sqlite", SqlEventLog.open(f"sqlite:///{directory}/log.db"), arguments.seconds, directory)
        if arguments.postgres:
            tenant = f"bench-{time.time_ns()}"
            run(
                "postgresql",
                SqlEventLog.open(arguments.postgres, tenant=tenant),
                arguments.seconds,
                directory,
            )


if __name__ == "__main__":
    main()
