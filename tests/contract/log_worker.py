"""A process that owns a log and does what it is told over stdin; for tests that kill it.

Commands, one a line: ``claim``, ``append N``, ``flood N`` (groups of N without end), ``limit BYTES`` (largest file,
-1 for none), ``pid`` (of its database session). Each answer is one line; errors are ``error CODE FOUND``.
"""

import resource
import sys

from shopward.adapters.sql import SqlEventLog
from shopward.errors import ShopwardError
from shopward.ports import LogEntry


def entry(seq, *, size=20):
    """An entry whose every field follows from its position."""
    return LogEntry(
        seq=seq,
        kind="event",
        event_id=f"e{seq}",
        at_ms=1_000 + seq,
        recorded_ms=2_000 + seq,
        digest=seq.to_bytes(16, "big"),
        user_token=f"u{seq % 3}",
        facts=b'{"n":%d,"fill":"%s"}' % (seq, b"x" * size),
        personal=b'{"mail":"a@example.com"}',
        decision=b'{"verdict":"allow"}' if seq % 2 else b"",
    )


def say(*words):
    """Answer at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def group(log, count, **options):
    """The next entries of a log."""
    last = log.last_seq()
    return [entry(last + i, **options) for i in range(1, count + 1)]


def obey(log, words):
    """Do one command."""
    match words:
        case ["claim"]:
            log.claim()
        case ["append", count]:
            log.append(group(log, int(count)))
        case ["fill"]:
            while True:
                log.append(group(log, 1, size=20_000))
        case ["flood", count]:
            entries = group(log, int(count))
            while True:
                log.append(entries)
                say("ok", entries[-1].seq)
                entries = [entry(e.seq + int(count)) for e in entries]
        case ["limit", count]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(count), -1))
        case ["pid"]:
            say("ok", log._owner._writer.info.backend_pid)
            return
    say("ok", log.last_seq())


def main():
    """Open the log, say so, obey."""
    try:
        log = SqlEventLog.open(sys.argv[1])
    except ShopwardError as error:
        say("error", error.code, error.found)
        return
    say("ok", "open")
    for line in sys.stdin:
        try:
            obey(log, line.split())
        except ShopwardError as error:
            say("error", error.code, str(error.found).replace(" ", "_"))
    log.close()


if __name__ == "__main__":
    main()
