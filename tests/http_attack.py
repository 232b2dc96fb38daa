"""An attack over HTTP in tests: an account entered before the alarm, then wrong passwords on many; until it is recorded."""

from __future__ import annotations

import asyncio
import re

TARGETS = 12


def login(number, day, minute, user, status="failed", device="dx"):
    """A login on a day of January."""
    return {
        "id": f"e-{number}", "type": "login", "status": status, "time": f"2026-01-{day:02}T01:{minute:02}:00Z",
        "user": {"id": user}, "context": {"ip": "203.0.113.7", "device_id": device},
    }  # fmt: skip


def attack():
    """A calm day, one victim, the targets a minute apart."""
    events = [login(1, 5, 0, "calm", "succeeded", "own"), login(2, 9, 0, "victim", "succeeded")]
    return events + [login(10 + n, 9, 1 + n, f"target{n}") for n in range(TARGETS)]


async def attacked(client):
    """Send it, and wait until its campaign and its finding are recorded."""
    for event in attack():
        assert (await client.post("/v1/decisions", json=event)).status_code == 200
    (campaign,) = (await client.get("/v1/campaigns")).json()["campaigns"]
    recorded = {}
    async with asyncio.timeout(120):
        while recorded.get("campaign", {}).get("accounts") != TARGETS + 1:  # a moment after the decision
            await asyncio.sleep(0.01)
            recorded = (await client.get(f"/v1/campaigns/{campaign['id']}")).json()


def figure(text, name):
    """A gauge of the metrics."""
    found = re.search(rf"^shopward_{name} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])
