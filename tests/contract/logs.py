"""What the suites of ``ports.EventLog`` share: logs opened and closed, and another process with the same log."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from contract.log_worker import entry
from shopward.adapters.sql import SqlEventLog
from shopward.errors import StoreLocked

WORKER = Path(__file__).with_name("log_worker.py")


def entries(first, last, **options):
    """Entries of consecutive positions."""
    return [entry(seq, **options) for seq in range(first, last + 1)]


@contextlib.contextmanager
def opened(place, *, claim=True, tenant="main"):
    """A log of a place, closed at the end."""
    log = SqlEventLog.open(place.url, tenant=tenant)
    try:
        if claim:
            log.claim()
        yield log
    finally:
        log.close()


class Worker:
    """Another process with the same log."""

    def __init__(self, place):
        self.process = subprocess.Popen(
            [sys.executable, WORKER, place.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answer(self):
        """Its next line, in words."""
        return self.process.stdout.readline().split()

    def send(self, command):
        """Tell it something."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, command):
        """Tell it something and hear the answer."""
        self.send(command)
        return self.answer()

    def kill(self):
        """SIGKILL, and whatever it still had said."""
        self.process.send_signal(signal.SIGKILL)
        rest = self.process.stdout.read()
        self.close()
        return rest

    def close(self):
        """End it."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


def claimed_within(log, seconds):
    """Claim as soon as the database has noticed that the last owner is dead."""
    until = time.monotonic() + seconds
    while True:
        try:
            return log.claim()
        except StoreLocked:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
