"""Who was touched, over HTTP: a dry run, a version, and each number opened by the request that it names."""

import pytest

from shopward.values import to_rfc3339


def login(number, at_ms, user, status):
    """A login from the thief's address."""
    return {
        "id": f"e-{number}", "type": "login", "status": status, "time": to_rfc3339(at_ms), "user": {"id": user},
        "context": {"ip": "203.0.113.7", "device_id": "dx"},
    }  # fmt: skip


def test_every_number_opens_its_people(world):
    """Counted first, kept then; the sum over the requests that the answer names is what it says."""

    async def story(client, world):
        now_ms = world.shopward.clock.now_ms()
        for number, (user, status) in enumerate(
            (("anna", "failed"), ("bo", "succeeded"), ("cici", "failed"))
        ):
            event = login(number, now_ms - 60_000 + number, user, status)
            assert (await client.post("/v1/decisions", json=event)).status_code == 200
        await client.put("/v1/users/bo", json={"region": "ID"})
        made = await client.post("/v1/incidents", json={"title": "Stuffing", "kind": "credential_stuffing"})
        path = f"/v1/incidents/{made.json()['incident']['id']}"
        asked = {
            "indicators": [{"kind": "ip", "value": "203.0.113.7"}], "since": to_rfc3339(now_ms - 3_600_000),
            "reason": "first count", "elsewhere": "SG",
        }  # fmt: skip
        dry = await client.post(path + "/scope", json=asked)
        assert (dry.status_code, dry.json()["dry_run"]) == (200, True)
        assert "scopes" not in (await client.get(path)).json()["incident"]
        kept = await client.post(path + "/scope", json=asked | {"dry_run": False})
        assert kept.status_code == 201, kept.text
        assert "203.0.113.7" not in kept.text
        numbers = {(each["of"], each["kind"]): each for each in kept.json()["numbers"]}
        assert numbers["grade", "reached"]["users"] == 3
        assert numbers["jurisdiction", "ID"]["users"] == 1
        for each in numbers.values():
            listed = (await client.get(each["open"])).json()["people"]
            assert len(listed) == each["users"]
        first = (await client.get(numbers["grade", "reached"]["open"] + "&limit=2")).json()
        rest = await client.get(numbers["grade", "reached"]["open"] + f"&limit=2&after={first['next']}")
        seen = [each["user"] for each in first["people"] + rest.json()["people"]]
        assert (sorted(seen), rest.json()["next"]) == (["anna", "bo", "cici"], None)
        shown = (await client.get(path)).json()
        assert shown["incident"]["facts"]["subjects"] == {"ID": 1}
        assert (await client.get(path + "/scopes/1")).json()["numbers"] == kept.json()["numbers"]

    world.run(story)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("version=one", "invalid_field"), ("version=7", "not_found"), ("version=1&grade=owned", "unknown_word"),
        ("version=1&data=shoes", "unknown_word"), ("version=1&after=x", "invalid_field"),
    ],
)  # fmt: skip
def test_a_number_that_there_is_not(world, query, code):
    """Is a problem with its code."""

    async def story(client, _world):
        made = await client.post("/v1/incidents", json={"title": "Stuffing", "kind": "credential_stuffing"})
        path = f"/v1/incidents/{made.json()['incident']['id']}"
        assert (await client.get(f"{path}/victims?{query}")).json()["code"] == code
        nobody = {"indicators": [], "since": "2026-01-05T00:00:00Z", "reason": "r"}
        assert (await client.post(f"{path}/scope", json=nobody)).status_code == 422

    world.run(story)


def test_an_incident_of_a_source(world):
    """In one call over HTTP, the same each time; two signals at once, and one that there is not, are refused."""

    async def story(client, world):
        now_ms = world.shopward.clock.now_ms()
        await client.post("/v1/decisions", json=login(1, now_ms - 1_000, "bo", "succeeded"))
        source = {"kind": "device", "value": "dx", "since": to_rfc3339(now_ms - 60_000)}
        made = await client.post("/v1/incidents/signals", json={"source": source, "elsewhere": "ID"})
        assert made.status_code == 201, made.text
        incident = made.json()["incident"]
        assert (made.json()["victims"]["entered"], incident["facts"]["subjects"]) == (1, {"ID": 1})
        again = await client.post("/v1/incidents/signals", json={"source": source})
        assert again.json()["incident"]["id"] == incident["id"]
        wider = await client.post(f"/v1/incidents/{incident['id']}/widen", json={"reason": "an hour later"})
        assert (wider.status_code, wider.json()["version"]) == (201, 2)
        for body, code in (
            ({}, "invalid_field"), ({"campaign": "c-1", "source": source}, "invalid_field"),
            ({"campaign": "c-none"}, "not_found"), ({"finding": "f-none"}, "not_found"),
        ):  # fmt: skip
            assert (await client.post("/v1/incidents/signals", json=body)).json()["code"] == code

    world.run(story)
