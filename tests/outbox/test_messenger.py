"""The carrier against a real receiver process, honest, slow and hostile."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from receiver import Receiver
from shopward.adapters.webhooks import HttpMessenger

TIMEOUT_S = 1.0


@pytest.fixture(scope="module")
def receiver():
    """One process for all."""
    with Receiver() as running:
        yield running


def carried(url):
    """What came of one message, and how long it took."""

    async def carry():
        messenger = HttpMessenger(timeout_s=TIMEOUT_S)
        return await messenger.carry(url, {"webhook-id": "m-1"}, b'{"type":"webhook.test"}')

    started = time.monotonic()
    return asyncio.run(carry()), time.monotonic() - started


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/ok", "http_204"),
        ("/early", "http_204"),
        ("/status/200", "http_200"),
        ("/status/410", "http_410"),
        ("/status/503", "http_503"),
        ("/redirect", "http_307"),
        ("/garbage", "not_http"),
        ("/endless", "not_http"),
        ("/close", "no_connection"),
        ("/hang", "timeout"),
        ("/drip", "timeout"),
    ],
)
def test_every_answer_is_an_outcome_within_the_time(receiver, path, code):
    """Whatever the receiver does: one request, one word, no redirect followed, and no more time than it was given."""
    before = len(receiver.got)
    found, took_s = carried(receiver.url + path)
    assert found == code
    assert took_s < TIMEOUT_S + 2
    heard = receiver.heard(lambda got: len(got) > before)
    assert [told["path"] for told in heard[before:]] == [path]


def test_the_request_is_plain(receiver):
    """JSON with its length, our name, the headers that sign; the query is kept, and nothing else is sent."""
    before = len(receiver.got)
    carried(receiver.url + "/ok?shop=1&b=%20")
    told = receiver.heard(lambda got: len(got) > before)[-1]
    assert (told["path"], told["body"]) == ("/ok?shop=1&b=%20", '{"type":"webhook.test"}')
    assert told["headers"]["user-agent"].startswith("Shopward/")
    assert told["headers"]["host"] == f"127.0.0.1:{receiver.port}"
    assert set(told["headers"]) == {
        "host", "user-agent", "content-type", "content-length", "connection", "webhook-id",
    }  # fmt: skip


def test_what_cannot_be_reached_is_an_outcome_too(receiver):
    """Nobody listens there, no such name, no TLS where TLS is meant."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = bound.getsockname()[1]
        assert carried(f"http://127.0.0.1:{nobody}/")[0] == "no_connection"
    assert carried("https://shop.invalid/hook")[0] in ("no_address", "timeout")
    assert carried(f"https://127.0.0.1:{receiver.port}/ok")[0] == "tls"
