"""What the log knows of a user, and how the server says how it is."""

import re

from serving import event, failed_login


def test_a_users_view_counts_and_says_why(world):
    """Counts by type and decision, first and last, devices, the newest decisions, and the reasons of the last stop."""

    async def story(client, _world):
        for number in range(1, 6):
            sent = failed_login(number) | {"context": {"device_id": f"d{number % 2}"}}
            await client.post("/v1/decisions", json=sent)
        await client.post("/v1/decisions", json=event(8, type="logout"))
        view = (await client.get("/v1/users/u1", headers={"Accept-Language": "id"})).json()
        assert view["events"] == {
            "total": 6,
            "by_type": {"login": 5, "logout": 1},
            "by_decision": {"allow": 4, "challenge": 2},
            "complete": True,
        }
        assert (view["first_seen"], view["last_seen"]) == (
            "2026-01-05T00:00:01.000Z",
            "2026-01-05T00:00:08.000Z",
        )
        assert (view["devices"], view["orders"]) == (2, [])
        assert view["why"][0]["text"] == "Terlalu banyak percobaan masuk."
        assert [each["event_id"] for each in view["decisions"]] == ["e-8", "e-5", "e-4", "e-3", "e-2", "e-1"]
        unknown = await client.get("/v1/users/nobody")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")

    world.run(story)


def test_a_timeline_pages_through_events_as_they_were_sent(world):
    """Newest first, page by page, each event once."""

    async def story(client, _world):
        sent = [failed_login(number) | {"properties": {"n": number}} for number in range(1, 8)]
        for each in sent:
            await client.post("/v1/decisions", json=each)
        got, before = [], ""
        while True:
            part = (await client.get(f"/v1/users/u1/timeline?limit=3{before}")).json()
            got += part["entries"]
            if part["next"] is None:
                break
            before = f"&before={part['next']}"
        assert [entry["event"]["properties"]["n"] for entry in got] == [7, 6, 5, 4, 3, 2, 1]
        assert got[0]["decision"]["decision"] == "challenge"
        for query in ("limit=0", "limit=501", "limit=x", "before=-1", "before=9999999999999999999999"):
            refused = await client.get(f"/v1/users/u1/timeline?{query}")
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_field")
        assert (await client.get("/v1/users/nobody/timeline")).status_code == 404

    world.run(story)


def test_metrics_are_prometheus_text(world):
    """Every line is a comment or a sample; decisions and problems are counted."""

    async def story(client, _world):
        for number in range(1, 5):
            await client.post("/v1/decisions", json=failed_login(number))
        await client.post("/v1/decisions", json={})
        answer = await client.get("/metrics", headers={"Authorization": ""})
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        sample = re.compile(r'[a-z_]+(\{[a-z]+="[\w.+]+"(,[a-z]+="\w+")*\})? [\d.e+]+')
        for line in answer.text.splitlines():
            assert line.startswith("# ") or sample.fullmatch(line), line
        assert 'shopward_decisions_total{type="login",decision="challenge"} 1' in answer.text
        assert 'shopward_problems_total{code="invalid_field"} 1' in answer.text
        assert "shopward_decision_seconds_count 4" in answer.text
        assert "shopward_log_seq 4" in answer.text

    world.run(story)


def test_a_server_is_ready_only_when_its_state_is_rebuilt(world, monkeypatch):
    """Until then decisions are refused with Retry-After, and /healthz answers."""

    async def story(client, world):
        gate = world.application.gate
        monkeypatch.setattr(gate, "_stale", True)
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
        monkeypatch.undo()
        assert (await client.get("/readyz")).json() == {"status": "ready", "seq": 0}

    world.run(story)
