"""A real ``shopward serve`` process for tests: started, watched, killed; and the events that they send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

POLICY = Path(__file__).parent / "http" / "policy"
START = datetime(2026, 1, 5, tzinfo=UTC)
READY_WITHIN_S = 180


def event(number, **changes):
    """A harmless event, a second apart from the next one."""
    made = {
        "id": f"e-{number}",
        "type": "login",
        "status": "succeeded",
        "time": (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
        "user": {"id": f"u{number % 7}"},
    }
    return made | changes


def failed_login(number, user="u1"):
    """Four of these within an hour are a challenge under the test policy."""
    return event(number, status="failed", user={"id": user})


class Server:
    """One process on one data folder; ``with`` starts and stops it."""

    def __init__(self, data, *flags, policy=POLICY, environment=None, key="", preexec=None):
        command = [sys.executable, "-m", "shopward", "serve", "--data", str(data), "--port", "0"]
        self.command = [*command, *(["--policy", str(policy)] if policy else []), *map(str, flags)]
        self.environment = {**os.environ, **(environment or {})}
        self.key = key
        self.preexec = preexec
        self.url = ""
        self.process = None
        self.out, self.err = [], []

    def start(self):
        """Start it and wait until it decides."""
        self.launch()
        self._wait_for(lambda: self.url)
        self._wait_for(lambda: self.get("/readyz")[0] == 200)
        return self

    def launch(self):
        """Start it and do not wait: whatever it does first may be what it is killed at."""
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            preexec_fn=self.preexec,  # noqa: PLW1509 -- no threads of ours use locks here
        )
        self._watchers = [
            threading.Thread(target=self._watch, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for watcher in self._watchers:
            watcher.start()

    def _watch(self, stream, lines):
        for line in stream:
            lines.append(line)
            if line.startswith("API key: "):
                self.key = line.split()[-1]
            if line.startswith("listening on "):
                self.url = line.split()[-1]
        stream.close()

    def _wait_for(self, what):
        until = time.monotonic() + READY_WITHIN_S
        while not what():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError("the server did not start: " + "".join(self.out + self.err))
            time.sleep(0.02)

    @property
    def port(self):
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def get(self, path):
        """Status and body."""
        return self._ask(
            urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})  # noqa: S310 -- our own server
        )

    def post(self, path, body, content_type="application/json", method="POST", **headers):
        """Status and body; a dictionary is sent as JSON."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        named = {"Authorization": f"Bearer {self.key}", "Content-Type": content_type} | headers
        request = urllib.request.Request(self.url + path, data=data, headers=named, method=method)  # noqa: S310 -- ours
        return self._ask(request)

    def delete(self, path):
        """Status and body."""
        named = {"Authorization": f"Bearer {self.key}"}
        return self._ask(urllib.request.Request(self.url + path, headers=named, method="DELETE"))  # noqa: S310 -- ours

    def decide(self, body):
        """One decision."""
        return self.post("/v1/decisions", body)

    def _ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 -- our own server
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def kill(self):
        """As a power cut would end it."""
        self.process.send_signal(signal.SIGKILL)
        self._join()

    def stop(self):
        """As an operator would end it; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        self._join()
        return self.process.returncode

    def _join(self):
        self.process.wait(timeout=60)
        for watcher in self._watchers:
            watcher.join(timeout=120)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
