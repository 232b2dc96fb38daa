"""The three hot calls, as the contract says."""

import asyncio
import json

from serving import event, failed_login

NDJSON = {"Content-Type": "application/x-ndjson"}
DECISION_KEYS = {"id", "event_id", "decision", "score", "reasons", "actions", "orders", "policy", "shadow"}


def lines(*events):
    """NDJSON."""
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in events)


def test_a_decision_has_all_keys_of_the_contract(world):
    """An allowed event's answer has every key too, in the contract's order."""

    async def story(client, _world):
        answer = await client.post("/v1/decisions", json=event(1))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert list(answer.json()) == [
            "id", "event_id", "decision", "score", "reasons", "actions", "orders", "policy", "shadow",
        ]  # fmt: skip
        assert answer.json() | {"id": ""} == {
            "id": "", "event_id": "e-1", "decision": "allow", "score": 0.0, "reasons": [], "actions": [],
            "orders": [], "policy": "small@1", "shadow": [],
        }  # fmt: skip

    world.run(story)


def test_reasons_come_in_the_language_asked_for(world):
    """Indonesian, Chinese, English; English where another is asked for."""

    async def story(client, _world):
        for number in range(1, 4):
            await client.post("/v1/decisions", json=failed_login(number))
        texts = {}
        for language in ("id", "zh-CN,zh;q=0.9", "en", "fr, in;q=0.5", "fr"):
            answer = (
                await client.post(
                    "/v1/decisions", json=failed_login(4), headers={"Accept-Language": language}
                )
            ).json()
            assert answer["decision"] == "challenge"
            assert answer["reasons"][0]["evidence"]["user_failures_1h"] == 4
            assert answer["actions"][0] == {"type": "step_up", "factor": "passkey", "exclude": ["sms"]}
            texts[language] = answer["reasons"][0]["text"]
        assert list(texts.values()) == [
            "Terlalu banyak percobaan masuk.",
            "登录失败次数过多。",
            "Many failed logins.",
            "Terlalu banyak percobaan masuk.",
            "Many failed logins.",
        ]

    world.run(story)


def test_the_same_event_again_hears_the_same_bytes(world):
    """Idempotent by id, over a restart too, whatever the order of its fields."""

    async def first(client, _world):
        for number in range(1, 5):
            answer = await client.post("/v1/decisions", json=failed_login(number))
        return answer.content

    async def again(client, _world):
        turned = dict(reversed(failed_login(4).items()))
        return (await client.post("/v1/decisions", json=turned)).content

    heard = world.run(first)
    assert world.run(again) == heard


def test_the_same_id_with_other_content_is_a_conflict(world):
    """Within a group, across groups, and in a batch."""

    async def story(client, _world):
        await client.post("/v1/decisions", json=event(1))
        other = event(1, status="failed")
        answer = await client.post("/v1/decisions", json=other)
        assert (answer.status_code, answer.json()["code"]) == (409, "event_id_reused")
        batch = await client.post(
            "/v1/decisions/batch", content=lines(event(2), event(2, status="failed"), other), headers=NDJSON
        )
        codes = [json.loads(line).get("code") for line in batch.content.splitlines()]
        assert codes == [None, "event_id_reused", "event_id_reused"]

    world.run(story)


def test_a_bad_line_spoils_no_other(world):
    """Each line has its answer in its place, over several groups."""

    async def story(client, _world):
        sent = [event(number) for number in range(1, 1301)]
        body = [json.dumps(each).encode() for each in sent]
        for bad in (0, 5, 700, 1299):
            body[bad] = b'{"id": "broken'
        answer = await client.post("/v1/decisions/batch", content=b"\n".join(body) + b"\n", headers=NDJSON)
        assert answer.headers["content-type"] == "application/x-ndjson"
        got = [json.loads(line) for line in answer.content.splitlines()]
        assert len(got) == 1300
        for index, line in enumerate(got):
            if index in (0, 5, 700, 1299):
                assert (line["status"], line["code"], line["line"]) == (400, "malformed_input", index + 1)
            else:
                assert line["event_id"] == sent[index]["id"]
                assert line.keys() == DECISION_KEYS

    world.run(story)


def test_an_empty_batch_is_answered_with_nothing(world):
    """Blank lines are no events."""

    async def story(client, _world):
        answer = await client.post("/v1/decisions/batch", content=b"\n \n\r\n", headers=NDJSON)
        assert (answer.status_code, answer.content) == (200, b"")

    world.run(story)


def test_recorded_events_are_decided_and_not_answered(world):
    """202 with counts; the timeline shows them."""

    async def story(client, _world):
        answer = await client.post("/v1/events", json=event(1))
        assert (answer.status_code, answer.json()) == (202, {"recorded": 1, "problems": []})
        answer = await client.post(
            "/v1/events", content=lines(event(8), b"nonsense", event(15)), headers=NDJSON
        )
        assert (answer.status_code, answer.json()["recorded"]) == (202, 2)
        assert [problem["line"] for problem in answer.json()["problems"]] == [2]
        timeline = (await client.get("/v1/users/u1/timeline")).json()
        assert [entry["event"]["id"] for entry in timeline["entries"]] == ["e-15", "e-8", "e-1"]

    world.run(story)


def test_events_at_the_same_time_share_groups_and_agree_with_the_log(world):
    """Many callers at once: every answer is the recorded one, and there are fewer commits than events."""

    async def story(client, world):
        answers = await asyncio.gather(
            *(
                client.post("/v1/decisions", json=failed_login(number, f"u{number % 3}"))
                for number in range(1, 201)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        assert world.application.metrics.groups < 100
        again = [await client.post("/v1/decisions", json=failed_login(n, f"u{n % 3}")) for n in (1, 77, 200)]
        assert [each.content for each in again] == [answers[n - 1].content for n in (1, 77, 200)]

    world.run(story)


def test_an_idempotency_key_stands_for_one_body(world):
    """Same key, other body: 409; same body: the recorded answer; a refused body frees its key."""

    async def story(client, _world):
        key = {"Idempotency-Key": "k-1"}
        refused = await client.post("/v1/decisions", json=event(1, type="no_such"), headers=key)
        assert refused.status_code == 422
        first = await client.post("/v1/decisions", json=event(1), headers=key)
        again = await client.post("/v1/decisions", json=event(1), headers=key)
        assert (first.status_code, again.content) == (200, first.content)
        other = await client.post("/v1/decisions", json=event(2), headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        elsewhere = await client.post("/v1/events", json=event(3), headers=key)
        assert elsewhere.status_code == 202
        bad = await client.post("/v1/decisions", json=event(4), headers={"Idempotency-Key": "x" * 300})
        assert bad.status_code == 422

    world.run(story)


def test_a_request_id_is_echoed_or_made(world):
    """Harmless ones come back; others are replaced."""

    async def story(client, _world):
        for path in ("/v1/decisions", "/healthz", "/nowhere"):
            call = client.post if path == "/v1/decisions" else client.get
            echoed = await call(path, headers={"X-Request-Id": "shop-42/a"})
            assert echoed.headers["x-request-id"] == "shop-42/a"
            made = await call(path, headers={"X-Request-Id": "has space"})
            assert made.headers["x-request-id"].startswith("r-")

    world.run(story)
