"""A real browser for tests: Chromium over its debugging pipe, with nothing installed for it."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
WITHIN_S = 120
_READS, _WRITES = 3, 4
"""Where the browser reads commands and writes answers."""


class Browser:
    """One page of one browser; ``with`` starts and ends it."""

    def __enter__(self):
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()

        def hand_over():
            spare = [os.dup(commands), os.dup(answers)]  # neither may be overwritten by the other
            os.dup2(spare[0], _READS)
            os.dup2(spare[1], _WRITES)

        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={self._folder.name}",
        ]
        self._process = subprocess.Popen(
            [CHROMIUM, *flags, "about:blank"],
            preexec_fn=hand_over,  # noqa: PLW1509 -- no threads of ours use locks here
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._number, self._held, self._session, self._events = 0, b"", {}, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        self.ask("Page.enable")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(timeout=WITHIN_S)
        os.close(self._commands)
        os.close(self._answers)
        self._folder.cleanup()

    def ask(self, method, **parameters):
        """What a command of the DevTools protocol answers."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(asked).encode() + b"\0")
        while (said := self._next()).get("id") != self._number:
            self._events.append(said.get("method"))
        assert "error" not in said, said
        return said["result"]

    def js(self, expression):
        """The value of an expression on the page."""
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def open(self, url):
        """Go to an address as if it were typed."""
        self._events.clear()
        self.ask("Page.navigate", url=url)
        self._loaded()

    def load(self, expression):
        """Do something that leads to another page, and wait for it."""
        self._events.clear()
        self.js(expression)
        self._loaded()

    def press(self, selector):
        """Press what leads on."""
        self.load(f"document.querySelector({json.dumps(selector)}).click()")

    def _loaded(self):
        while "Page.loadEventFired" not in self._events:
            self._events.append(self._next().get("method"))

    def _next(self):
        """The next answer or event."""
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._answers], [], [], WITHIN_S)
            assert ready, "the browser says nothing"
            part = os.read(self._answers, 65_536)
            assert part, "the browser is gone"
            self._held += part
        said, _, self._held = self._held.partition(b"\0")
        return json.loads(said)
