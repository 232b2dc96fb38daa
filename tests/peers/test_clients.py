"""The peers' own client libraries, as PyPI has them, pointed at a real server."""

import json

import pytest
import tirreno_tracker
from castle.client import Client
from castle.configuration import configuration
from castle.errors import InvalidParametersError, UnauthorizedError

from serving import Server

LOGIN = {
    "type": "$login",
    "status": "$succeeded",
    "user": {"id": "u-castle", "email": "rina@toko.example"},
    "context": {"ip": "203.0.113.7", "headers": {"User-Agent": "Mozilla/5.0", "X-Scrubbed": True}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for both."""
    with Server(tmp_path_factory.mktemp("clients") / "data") as running:
        yield running


@pytest.fixture
def castle(server):
    """Castle's client, told of another address and another secret and of nothing else."""
    configuration.base_url, configuration.api_secret = server.url + "/v1", server.key
    configuration.request_timeout = 30_000
    return Client()


def types_of(server, user):
    """What the log holds of a user, oldest first."""
    _status, raw = server.get(f"/v1/users/{user}/timeline")
    told = [each["event"] for each in json.loads(raw)["entries"]]
    return [(event["type"], event["status"]) for event in reversed(told)]


def test_castle_for_python_hears_verdicts_and_no_failover(castle, server):
    """Risk and Filter give an action of ours, Log gives nothing, and all three are in the log."""
    for number, call in enumerate((castle.risk, castle.filter)):
        verdict = call(LOGIN | {"request_token": f"rt-{number}", "matching_user_id": "u-castle"})
        assert (verdict["policy"]["action"], verdict["failover"]) == ("allow", False)
    assert not castle.log(LOGIN | {"status": "$failed", "request_token": "rt-9"})
    assert types_of(server, "u-castle") == [
        ("login", "succeeded"),
        ("login", "succeeded"),
        ("login", "failed"),
    ]


def test_castle_for_python_raises_its_own_errors(castle):
    """A word that it does not have and a wrong secret are the exceptions that a shop catches today."""
    with pytest.raises(InvalidParametersError):
        castle.risk(LOGIN | {"type": "$nothing", "request_token": "rt-1"})
    configuration.api_secret = "sw_wrong"  # noqa: S105 -- it is none
    with pytest.raises(UnauthorizedError):
        castle.risk(LOGIN | {"request_token": "rt-2"})


def test_the_tracker_of_tirreno_is_taken(server):
    """A login and a failed one, as its page shows them."""
    tracker = tirreno_tracker.Tracker(server.url, server.key, connection_timeout=120)
    for name in ("set_event_type_account_login", "set_event_type_account_login_fail"):
        event = tracker.create_event()
        event.set_user_name("u-tirreno").set_ip_address("203.0.113.7").set_url("/login").set_http_method(
            "POST"
        )
        event.set_user_agent("Mozilla/5.0").set_browser_language("fr-FR").set_http_referer(
            "https://shop.example/"
        )
        getattr(event, name)()
        tracker.track(event)
    assert types_of(server, "u-tirreno") == [("login", "succeeded"), ("login", "failed")]
