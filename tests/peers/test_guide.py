"""docs/http-guide.md does what it says: its commands are run, in order, against a real server with the policy that ships."""

import doctest
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from serving import Server
from shopward.client.fallback import DEFAULTS

PAGE = (Path(__file__).parents[2] / "docs" / "http-guide.md").read_text(encoding="utf-8")
STEP = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = "== the next step =="


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_of_the_guide_answers_as_written(tmp_path):
    """One shell runs all blocks of the page; what each prints is what stands below it."""
    steps = STEP.findall(PAGE)
    assert len(steps) == PAGE.count("```sh\n") > 10
    script = f'\necho "{MARK}"\n'.join(commands for commands, _expected in steps)
    with Server(tmp_path / "data", policy=None) as server:
        environment = os.environ | {"URL": server.url, "KEY": server.key, "WAIT_S": "60"}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail"], input=script, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for (commands, expected), printed in zip(steps, ran.stdout.split(MARK + "\n"), strict=True):
        assert checker.check_output(expected, printed, flags), f"{commands}\nprinted\n{printed}"


def test_the_guide_falls_back_as_the_sdk_does():
    """Each type that the SDK challenges while the server is not heard stands in the guide's own table."""
    patterns = re.findall(r"^ +([\w*|]+)\) echo challenge", PAGE, re.MULTILINE)
    words = [re.compile(word.replace("*", ".*")) for word in "|".join(patterns).split("|")]
    challenged = {name for name, verdict in DEFAULTS.items() if verdict == "challenge"}
    assert {name for name in challenged if not any(word.fullmatch(name) for word in words)} == set()
