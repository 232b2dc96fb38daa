"""Publishing to a real server, for tests."""

from __future__ import annotations

import json

from serving import POLICY, event
from shopward.risk.policy import PolicyFiles

TEST = """
[[rule.test]]
given = { "f.user_failures_1h" = 9 }
[[rule.test]]
given = { "f.user_failures_1h" = 0 }
fires = false
"""
TEST_MONEY = """
[[rule.test]]
given = { "f.user_paid_1d" = 9000000 }
[[rule.test]]
given = { "f.user_paid_1d" = 0 }
fires = false
"""


def small_files(*changes, version=2):
    """The files of the test policy, with tests of its own and with texts changed in it."""
    files = dict(PolicyFiles.read(POLICY).files)
    first, second = files["rules/one.toml"].split("\n\n[[rule]]")
    files["rules/one.toml"] = first + "\n" + TEST + "\n[[rule]]" + second + TEST_MONEY
    for before, after in (("version = 1", f"version = {version}"), *changes):
        assert any(before in text for text in files.values()), before
        files = {name: text.replace(before, after) for name, text in files.items()}
    return files


def publish(server, files, status=201, **more):
    """Publish and give what was answered."""
    found, body = server.post("/v1/policies", {"files": files, **more})
    assert found == status, body
    return json.loads(body)


def decided(server, number, **changes):
    """The decision on an event."""
    status, body = server.decide(event(number, **changes))
    assert status == 200, body
    return json.loads(body)


def policies(server):
    """What ``GET /v1/policies`` says."""
    return json.loads(server.get("/v1/policies")[1])
