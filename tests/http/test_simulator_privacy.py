"""The simulated shop on a real server: what its customers are known by reaches no log, error, metric or webhook."""

from __future__ import annotations

import json

from named import personal_values
from receiver import Receiver
from serving import Server
from shopward.testing.shop import Shop


def spoiled(events):
    """The same people in events that are refused."""
    made = []
    for number, event in enumerate([each for each in events if "user" in each][:60]):
        wrong = dict(event, id=f"bad-{number}")
        if number % 3 == 0:
            wrong["type"] = wrong.get("context", {}).get("ip", "x")
        elif number % 3 == 1:
            wrong["context"] = dict(wrong.get("context", {}), ip=wrong["user"]["id"], surprise=1)
        else:
            wrong["user"] = {**wrong["user"], "tokens": {"email": ["list", wrong["user"]["id"]]}}
        made.append(wrong)
    return made


def test_no_personal_value_of_the_simulator_leaves_by_a_side_door(tmp_path) -> None:
    """Five simulated days, refused copies of them, and frozen accounts whose shop is told by webhook."""
    events = Shop(11, customers=120).ordinary_days(5)
    values = personal_values(events)
    assert len(values) > 100
    users = sorted({event["user"]["id"] for event in events if "user" in event})[:3]
    with Receiver() as receiver, Server(tmp_path / "data", policy=None) as server:
        assert server.post("/v1/webhooks", {"url": receiver.url + "/ok"})[0] == 201
        lines = "\n".join(json.dumps(event) for event in events).encode()
        assert server.post("/v1/decisions/batch", lines, "application/x-ndjson")[0] == 200
        refused = "\n".join(json.dumps(event) for event in spoiled(events)).encode()
        said = [server.post("/v1/decisions/batch", refused + b'\n{"broken', "application/x-ndjson")[1]]
        said += [server.decide(event)[1] for event in spoiled(events)[:6]]
        assert all(
            server.post(f"/v1/users/{user}/freeze", {"reason": "takeover"})[0] == 201 for user in users
        )
        heard = receiver.heard(lambda got: len(got) >= 3)
        said += [server.get(path)[1] for path in ("/metrics", "/readyz", "/v1/webhooks")]
    told = b"\n".join(said).decode() + "".join(server.out + server.err) + json.dumps(heard)
    assert {value for value in values if value in told} == set()
