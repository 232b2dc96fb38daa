"""The context of a request: whom to believe about an address, and what a user agent says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.agents import described
from shopward.client import TrustedProxies, from_asgi, from_wsgi
from shopward.events import decode_event

PROXIES = TrustedProxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        ("", "198.51.100.1", ""),
        ("unix:", "198.51.100.1", ""),
    ],
)
def test_an_address_is_believed_as_far_as_the_proxies_are(peer, forwarded, client):
    """A customer's own header moves nobody; a trusted proxy's last word counts."""
    assert PROXIES.client_of(peer, forwarded) == client


@given(st.text(max_size=3_000))
def test_no_header_of_an_untrusted_peer_is_believed(forwarded):
    """Whatever stands in the header, a direct connection is its own address."""
    assert PROXIES.client_of("203.0.113.7", forwarded) == "203.0.113.7"


@given(st.text(max_size=200), st.text(max_size=1_500), st.text(max_size=300))
def test_whatever_a_request_holds_the_context_is_one_of_the_catalogue(forwarded, agent, language):
    """Header text of a stranger becomes a context that the server takes, or is left out."""
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": forwarded,
        "HTTP_USER_AGENT": agent.replace("\0", ""),
        "HTTP_ACCEPT_LANGUAGE": language,
    }
    made = from_wsgi(environ, PROXIES, device_id="d" * 300)
    event = {
        "id": "e-1",
        "type": "login",
        "status": "failed",
        "time": "2026-01-05T00:07:12Z",
        "context": {name: value for name, value in made.items() if value.isprintable()},
    }
    import msgspec  # noqa: PLC0415

    decode_event(msgspec.json.encode(event))


def test_asgi_and_wsgi_say_the_same():
    """Two ways into one process tell of one customer alike."""
    agent = "Mozilla/5.0 (Linux; Android 13; SM-A145F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
    scope = {
        "client": ("10.0.0.1", 4711),
        "headers": [
            (b"User-Agent", agent.encode()),
            (b"x-forwarded-for", b"1.1.1.1"),
            (b"x-forwarded-for", b"198.51.100.1"),
            (b"accept-language", b"id-ID,id;q=0.9"),
        ],
    }
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_USER_AGENT": agent,
        "HTTP_X_FORWARDED_FOR": "1.1.1.1,198.51.100.1",
        "HTTP_ACCEPT_LANGUAGE": "id-ID,id;q=0.9",
    }
    made = from_asgi(scope, PROXIES, device_id="d1")
    assert made == from_wsgi(environ, PROXIES, device_id="d1")
    assert made == {
        "ip": "198.51.100.1", "user_agent": agent, "language": "id-id", "device_id": "d1", "os": "Android 13",
        "browser": "Chrome 126", "device_type": "mobile",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
         ("iOS 17", "Safari 17", "mobile")),
        ("Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 CriOS/120.0 Mobile/15E148 Safari/604.1",
         ("iOS 16", "Chrome 120", "tablet")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
         ("Windows 10", "Edge 126", "desktop")),
        ("Mozilla/5.0 (Linux; Android 12; HarmonyOS) AppleWebKit/537.36 Chrome/99.0 Mobile Safari/537.36 MicroMessenger/8.0",
         ("Android 12", "WeChat 8", "mobile")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
         ("macOS 10", "Firefox 127", "desktop")),
        ("curl/8.5.0", ("", "", "")),
    ],
)  # fmt: skip
def test_a_user_agent_is_read_as_coarsely_as_rules_need(agent, said):
    """Families and first numbers; what is not known stays empty."""
    assert tuple(described(agent).values()) == said
