"""The calls of peers on a real server, spoken to as their client libraries do."""

import base64
import json
import urllib.error
import urllib.request

import pytest

from serving import Server

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all of these."""
    with Server(tmp_path_factory.mktemp("peers") / "data") as running:
        yield running


def basic(key):
    """Castle's way to send the key."""
    return {"Authorization": "Basic " + base64.b64encode(f":{key}".encode()).decode()}


def ask(server, path, body, **headers):
    """Status, headers and body."""
    request = urllib.request.Request(server.url + path, data=body, headers=headers, method="POST")  # noqa: S310 -- our own server
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 -- our own server
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


def castle(server, path, body, key=None):
    """Status, headers and the body as JSON, where there is one."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = basic(key or server.key) | {"Content-Type": "application/json"}
    status, named, answered = ask(server, path, raw, **headers)
    return status, named, json.loads(answered) if answered else None


def sensor(server, raw, key=None, path="/sensor/"):
    """Status and body."""
    status, _headers, body = ask(server, path, raw, **{"Api-Key": key or server.key, "Content-Type": FORM})
    return status, body


def test_castle_hears_a_verdict_in_its_own_shape(server, castle_body):
    """201, an action, a risk from 0 to 1, and the device that it named."""
    status, _headers, verdict = castle(server, "/v1/risk", castle_body("risk_login"))
    assert status == 201
    assert verdict["policy"]["action"] == "allow"
    assert 0 <= verdict["risk"] <= 1
    assert verdict["device"] == {"token": "browser-1"}
    assert verdict["shopward"]["event_id"].startswith("castle-")


def test_castle_is_decided_by_the_same_rules(server, castle_body):
    """Four failed logins told to Log make the next one told to Risk a challenge; and a retry hears the same."""
    body = castle_body("risk_login")
    body["user"] = {"id": "u-stuffed"}
    for number in range(4):
        failed = body | {"status": "$failed", "request_token": f"rt-f{number}"}
        status, _headers, answer = castle(server, "/v1/log", failed)
        assert (status, answer) == (204, None)
    last = body | {"status": "$failed", "request_token": "rt-last"}
    status, _headers, verdict = castle(server, "/v1/risk", last)
    assert (status, verdict["policy"]["action"]) == (201, "challenge")
    assert verdict["signals"]
    retry = castle(server, "/v1/risk", last | {"sent_at": "2026-01-05T00:01:00Z"})
    assert (retry[0], retry[2]) == (201, verdict)
    status, raw = server.get("/v1/users/u-stuffed/timeline")
    assert status == 200
    assert len(json.loads(raw)["entries"]) == 5


def test_castle_may_leave_the_time_to_us(server, castle_body):
    """A retry of a call without a time hears what the first one heard, though the clock has gone on."""
    body = {name: value for name, value in castle_body("risk_login").items() if name != "created_at"}
    first, again = (castle(server, "/v1/risk", body | {"request_token": "rt-timeless"}) for _ in range(2))
    assert first[0] == again[0] == 201
    assert first[2] == again[2]


def test_castle_hears_refusals_as_it_words_them(server, castle_body):
    """401 without our key, 400 for what is no JSON, 422 for a word that it does not have; each names its reason."""
    status, headers, problem = castle(server, "/v1/risk", castle_body("risk_login"), key="sw_wrong")
    assert (status, problem["type"]) == (401, "unauthorized")
    assert headers["WWW-Authenticate"].startswith("Basic")
    status, _headers, problem = castle(server, "/v1/filter", b'{"type":')
    assert (status, problem["type"]) == (400, "malformed_input")
    status, _headers, problem = castle(server, "/v1/risk", castle_body("risk_login") | {"type": "$nothing"})
    assert (status, problem["type"]) == (422, "unknown_word")
    assert "$login" in problem["message"]
    assert castle(server, "/v1/risk", b"[]")[0] == 422
    assert castle(server, "/v1/risk", b" " * 70_000)[0] == 413


@pytest.mark.parametrize("sent", ["Bearer {key}", "Basic {key}", "Basic !!!", "Basic", ""])
def test_castle_takes_the_key_as_the_password_alone(server, castle_body, sent):
    """In no other place of the header."""
    headers = {"Authorization": sent.format(key=server.key), "Content-Type": "application/json"}
    assert ask(server, "/v1/risk", json.dumps(castle_body("risk_login")).encode(), **headers)[0] == 401


def test_the_sensor_takes_forms_and_says_nothing(server, form):
    """204, with or without the slash, and the event stands in the user's timeline."""
    assert sensor(server, form("login")) == (204, b"")
    assert sensor(server, form("field_edit"), path="/sensor") == (204, b"")
    _status, raw = server.get("/v1/users/u-7/timeline")
    assert [each["event"]["type"] for each in json.loads(raw)["entries"]][:2] == ["profile_update", "login"]


def test_the_sensor_speaks_of_the_address_when_asked(server, form):
    """The address as it was sent, and whether it is denied."""
    status, body = sensor(server, form("email_change") + b"&blacklisting=1")
    assert (status, json.loads(body)) == (200, {"value": "203.0.113.7", "blacklisted": False})


def test_the_sensor_refuses_in_words(server, form):
    """401 without our key, 415 for JSON, 422 for a type that it does not have."""
    assert sensor(server, form("login"), key="sw_wrong")[0] == 401
    assert (
        ask(server, "/sensor/", b"{}", **{"Api-Key": server.key, "Content-Type": "application/json"})[0]
        == 415
    )
    status, body = sensor(server, b"userName=u&eventType=nothing")
    assert status == 422
    assert b"eventType" in body


def test_no_personal_value_reaches_the_log_of_the_process(server):
    """What the server printed names nobody that these tests spoke of."""
    printed = "".join(server.out + server.err)
    assert not [word for word in ("Rina", "stranger@", "new@mail") if word in printed]
