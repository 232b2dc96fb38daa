"""A server that is killed in the middle of an attack records it after its next start, on each kind of store."""

import json
import time

from findings.attack import attack
from protection.conftest import database  # noqa: F401 -- a fixture
from serving import Server
from shopward.values import SystemClock

WITHIN_S = 30


def until(ask, holds):
    """Ask until it holds; the answer."""
    end = time.monotonic() + WITHIN_S
    while not holds(answer := ask()):
        assert time.monotonic() < end, answer
        time.sleep(0.02)
    return answer


def test_a_killed_server_loses_no_campaign(tmp_path, database):  # noqa: F811 -- the fixture
    """Killed at once after the last answer, three times: one campaign, all of its members, one finding."""
    events = attack(SystemClock().now_ms(), 30)
    key = ""
    for part in (events[:8], events[8:20], events[20:]):
        server = Server(tmp_path / "data", "--database", database, policy=None, key=key).start()
        key = server.key
        for event in part:
            assert server.decide(event)[0] == 200
        server.kill()
    with Server(tmp_path / "data", "--database", database, policy=None, key=key) as server:
        (campaign,) = json.loads(server.get("/v1/campaigns")[1])["campaigns"]
        path = f"/v1/campaigns/{campaign['id']}?limit=100"
        answer = until(
            lambda: json.loads(server.get(path)[1]), lambda shown: len(shown.get("members", ())) == 31
        )
        assert answer["campaign"]["accounts"] == 31
        (finding,) = json.loads(server.get("/v1/findings?state=open")[1])["findings"]
        assert finding["user"] == "victim"
