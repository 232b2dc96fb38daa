"""Publishing over HTTP, against a real server: what comes into force, what is refused, what survives."""

from __future__ import annotations

import json
import sqlite3
import time

import pytest

from publishing import decided, policies, publish
from serving import POLICY, Server, event
from shopward.adapters.sql import SqlEventLog

FEWER = ("f.user_failures_1h >= 4", "f.user_failures_1h >= 2")


def test_a_published_policy_decides_the_next_event(server, small):
    """The answer says that it is in force, decisions name it, and the list tells where it came from."""
    before = decided(server, 1)["policy"]
    made = publish(server, small(), note="first try")
    assert (made["state"], made["policy"], made["number"], made["kind"]) == (
        "in_force",
        "small@2",
        2,
        "publish",
    )
    assert decided(server, 2)["policy"] == "small@2"
    listed = policies(server)
    assert listed["in_force"] == {
        "policy": "small@2",
        "digest": made["digest"],
        "number": 2,
        "source": "published",
    }
    assert [(each["number"], each["kind"], each["policy"]) for each in listed["publications"]] == [
        (2, "publish", "small@2"),
        (1, "start", before),
    ]
    assert listed["publications"][0]["note"] == "first try"


def test_state_is_rebuilt_from_the_log_for_other_features(server, small):
    """Failures that came before the policy was published count under it as if it had always been there."""
    for number in range(3):
        decided(server, number, status="failed", user={"id": "u1"})
    publish(server, small())
    answer = decided(server, 3, status="failed", user={"id": "u1"})
    assert answer["reasons"][0]["code"] == "many_failures"
    assert answer["reasons"][0]["evidence"]["user_failures_1h"] == 4


def test_a_policy_comes_back(server, small):
    """Rolling back is a publication of its own; without a number it is the last other policy."""
    publish(server, small())
    publish(server, small(FEWER, version=3))
    assert decided(server, 1)["policy"] == "small@3"
    status, body = server.post("/v1/policies/rollback", {})
    made = json.loads(body)
    assert (status, made["policy"], made["kind"], made["number"]) == (201, "small@2", "rollback", 4)
    assert decided(server, 2)["policy"] == "small@2"
    status, body = server.post("/v1/policies/rollback", {"to": 1})
    assert json.loads(body)["policy"].startswith("default@")
    assert server.post("/v1/policies/rollback", {"to": 99})[0] == 404


def test_the_same_files_again_are_the_same_publication(server, small):
    """A retry changes nothing."""
    first = publish(server, small())
    assert publish(server, small()) == first
    assert len(policies(server)["publications"]) == 2


def test_a_version_stands_for_one_policy(server, small):
    """Other files under a name and version that was published are refused."""
    publish(server, small())
    refused = publish(server, small(FEWER), 409)
    assert refused["code"] == "policy_version_taken"
    assert decided(server, 1)["policy"] == "small@2"


@pytest.mark.parametrize(
    ("before", "after", "at", "told"),
    [
        (
            "f.user_failures_1h >= 4",
            "f.user_failure_1h >= 4",
            ("rules/one.toml", "user_failure_1h >="),
            "did you mean",
        ),
        (
            "f.user_paid_1d > 3000000",
            "f.user_paid_1d > true",
            ("rules/one.toml", "> true"),
            "no such overload",
        ),
        ("weight = 80", "weight = -1", ("rules/one.toml", "-1"), "never lowers"),
        ('type == "payment" &&', 'typ == "payment" &&', ("features.toml", "typ =="), "typ"),
        ('window = "1h"', 'window = "1y"', ("features.toml", '"1y"'), "window"),
        (
            'f.user_paid_1d" = 9000000',
            'f.user_paid_1d" = 5',
            ("rules/one.toml", '[[rule.test]]\ngiven = { "f.user_paid_1d" = 5'),
            "expected to fire",
        ),
    ],
    ids=["undeclared feature", "wrong type", "negative weight", "filter", "window", "its own test"],
)
def test_what_is_wrong_does_not_publish_and_says_where(one_server, small, before, after, at, told):
    """A problem with file, line and column; the policy in force goes on."""
    files = small((before, after))
    refused = publish(one_server, files, 422)
    above = files[at[0]].partition(at[1])[0]
    place = (at[0], above.count("\n") + 1, len(above) - above.rfind("\n"))
    assert refused["code"] == "policy_invalid"
    assert (refused["file"], refused["line"], refused["column"]) == place, refused
    assert told in str(refused)
    assert policies(one_server)["publications"] == []
    assert decided(one_server, 1)["policy"].startswith("default@")


def test_what_is_no_toml_is_told_by_its_line(one_server, small):
    """The parser's own place."""
    refused = publish(one_server, small(("[score]", "[score")), 422)
    assert (refused["file"], refused["line"]) == ("policy.toml", 3)


def test_check_says_what_would_differ_and_publishes_nothing(one_server, small):
    """Rules, features, tests, whether the state would be rebuilt, and each difference."""
    status, body = one_server.post("/v1/policies/check", {"files": small()})
    told = json.loads(body)
    assert status == 200
    assert (told["policy"], told["rules"], told["features"], told["tests"]) == ("small@2", 2, 3, 4)
    assert told["rebuilds"] is True
    assert {
        "part": "rule",
        "name": "many_failures",
        "change": "added",
        "words_only": False,
        "fields": {},
    } in told["differences"]
    assert policies(one_server)["publications"] == []


def test_a_published_policy_survives_a_restart_and_a_kill(tmp_path, small):
    """After ``kill -9`` the server decides by it again, with the state that the log teaches."""
    with Server(tmp_path / "data", policy=None) as server:
        for number in range(3):
            decided(server, number, status="failed", user={"id": "u1"})
        publish(server, small())
        key = server.key
        server.kill()
    with Server(tmp_path / "data", policy=None, key=key) as server:
        answer = decided(server, 3, status="failed", user={"id": "u1"})
        assert answer["policy"] == "small@2"
        assert answer["reasons"][0]["evidence"]["user_failures_1h"] == 4


def test_the_log_says_from_where_on_a_policy_decided(server, tmp_path, small):
    """One entry for each hand-over, before the first event that the new policy decided."""
    decided(server, 1)
    publish(server, small())
    decided(server, 2)
    log = SqlEventLog.open_to_read(f"sqlite:///{tmp_path / 'data' / 'shopward.db'}")
    before, marked, after = log.read(after_seq=0, limit=10)
    log.close()
    assert [entry.kind for entry in (before, marked, after)] == ["event", "policy", "event"]
    assert json.loads(marked.facts)["policy"] == "small@2"
    policies_told = [json.loads(entry.decision)["policy"].partition("@")[0] for entry in (before, after)]
    assert policies_told == ["default", "small"]


def test_a_folder_is_the_operators(tmp_path, small):
    """Nothing is published over ``--policy``; started without it, what was published is in force again."""
    data = tmp_path / "data"
    with Server(data, policy=None) as server:
        publish(server, small())
        key = server.key
    with Server(data, policy=POLICY, key=key) as server:
        assert decided(server, 1)["policy"] == "small@1"
        assert policies(server)["in_force"]["source"] == "folder"
        assert publish(server, small(version=3), 409)["code"] == "policy_from_folder"
        assert server.post("/v1/policies/rollback", {})[0] == 409
    with Server(data, policy=None, key=key) as server:
        assert decided(server, 2)["policy"] == "small@2"
        assert [each["kind"] for each in policies(server)["publications"]] == [
            "start",
            "folder",
            "publish",
            "start",
        ]


def test_publishing_takes_the_role(server, small):
    """A service's key may see what decides, and neither publish nor read rules."""
    made = server.post("/v1/keys", {"name": "till", "person": "till", "roles": ["service"]})
    admin, server.key = server.key, json.loads(made[1])["key"]
    assert publish(server, small(), 403)["code"] == "role_missing"
    assert server.get("/v1/policies")[0] == 200
    assert server.get("/v1/policies/1")[0] == 403
    server.key = admin
    assert server.get("/v1/policies/1")[0] == 404


def test_it_is_audited_with_digest_and_number_and_no_person(server, tmp_path, small):
    """A line for what was in force and one for what came; the actor is the key."""
    publish(server, small())
    with sqlite3.connect(tmp_path / "data" / "shopward.db") as store:
        lines = store.execute("SELECT deed, subject, details FROM audit_entry ORDER BY seq").fetchall()
    told = [(deed, subject) for deed, subject, _details in lines if deed.startswith("policy:")]
    assert told == [("policy:load", "policy:1"), ("policy:publish", "policy:2")]


def test_decisions_go_on_while_a_policy_gets_ready(server, small):
    """With a long log the publication is answered 202, decided events meanwhile by the old policy, then by the new."""
    lines = b"".join(json.dumps(event(number)).encode() + b"\n" for number in range(10_000))
    assert server.post("/v1/decisions/batch", lines, "application/x-ndjson")[0] == 200
    assert server.post("/v1/policies", {"files": small()})[0] in (201, 202)
    number, deciders = 10_000, []
    until = time.monotonic() + 180
    while policies(server)["in_force"]["policy"] != "small@2" and time.monotonic() < until:
        deciders.append(decided(server, number)["policy"])
        number += 1
    deciders.append(decided(server, number)["policy"])
    assert deciders[-1] == "small@2"
    assert deciders == sorted(deciders)  # default@..., then small@2, never back
