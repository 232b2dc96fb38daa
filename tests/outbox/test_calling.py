"""The one place where other servers are called, against a server that answers in every way that HTTP allows and some more."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from shopward.adapters.calling import HEAD_BYTES_MAX, Caller
from shopward.adapters.endpoint import Endpoint
from shopward.adapters.payouts import HttpPayer
from shopward.errors import Misconfigured
from shopward.values import SystemClock

OK = b"HTTP/1.1 200 OK\r\n"
SAID = {
    "/length": [OK + b"content-length: 2\r\n\r\nhi"],
    "/behind": [OK + b"content-length: 2\r\n\r\nhiHTTP/1.1 500 X\r\n\r\n"],
    "/end": [OK + b"\r\n", b"hi"],
    "/chunks": [
        OK + b"transfer-encoding: chunked\r\n\r\n1\r\nh\r\n",
        b"1\r\ni\r\n0\r\n\r\n",
    ],
    "/early": [b"HTTP/1.1 103 X\r\ncontent-length: 5\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi"],
    "/none": [b"HTTP/1.1 304 X\r\ncontent-length: 9\r\n\r\n"],
    "/cut": [OK + b"content-length: 3\r\n\r\nhi"],
    "/many": [OK + b"\r\n123456789"],
    "/upgrade": [b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
    "/head": [OK + b"x: " + b"y" * HEAD_BYTES_MAX],
    "/nothing": [],
    "/pay/whole": [OK + b'\r\n{"state":"paid"}'],
    "/pay/cut": [OK + b'content-length: 99\r\n\r\n{"state":"paid"}'],
    "/pay/gone": [b"HTTP/1.1 404 X\r\ncontent-length: 99\r\n\r\nno"],
}


@pytest.fixture(scope="module")
def url():
    """A server that says what the path stands for and closes; ``/slow`` says a byte now and then."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            with sock:
                path = sock.recv(65_536).split(b" ")[1].decode()
                slow = [OK + b"content-length: 99\r\n\r\n", *[b"x"] * 98] if path == "/slow" else []
                try:
                    for part in SAID.get(path, slow):
                        sock.sendall(part)
                        time.sleep(0.05 if slow else 0.005)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def both_ways(url, *, body_bytes_max=8):
    """What is heard in a thread and on an event loop, which is the same."""
    caller = Caller(timeout_s=5.0, body_bytes_max=body_bytes_max)
    here = caller.ask("GET", url, headers={})
    assert asyncio.run(caller.ask_beside("GET", url, headers={})) == here
    return here


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("/length", (200, b"hi", "")),
        ("/behind", (200, b"hi", "")),
        ("/end", (200, b"hi", "")),
        ("/chunks", (200, b"hi", "")),
        ("/early", (200, b"hi", "")),
        ("/none", (304, b"", "")),
        ("/cut", (200, b"hi", "cut")),
        ("/many", (200, b"12345678", "too_long")),
        ("/upgrade", (0, b"", "not_http")),
        ("/head", (0, b"", "not_http")),
        ("/nothing", (0, b"", "no_connection")),
    ],
)
def test_an_answer_is_whole_or_says_what_it_lacks(url, path, heard):
    """By its length, its chunks or the end of the connection; what came is kept, and bounded."""
    assert both_ways(url + path) == heard


def test_a_call_ends_in_time_with_what_came(url):
    """A byte now and then is in time for each wait, and late for the whole."""
    status, body, lacks = Caller(timeout_s=1.0, body_bytes_max=99).ask("GET", url + "/slow", headers={})
    assert (status, lacks) == (200, "timeout")
    assert len(body) < 98


def test_where_the_status_is_all_no_body_is_waited_for(url):
    """The head is enough."""
    assert both_ways(url + "/slow", body_bytes_max=0) == (200, b"", "")


def test_what_cannot_be_said_in_http_is_not_said(url):
    """No header, path or method brings a line of its own."""
    caller = Caller(timeout_s=1.0, body_bytes_max=8)
    nothing = (0, b"", "no_address")
    assert caller.ask("GET", url + "/length", headers={"x": "1\r\ny: 2"}) == nothing
    assert caller.ask("GET", url + "/a b", headers={}) == nothing
    assert caller.ask("GET\r\n", url + "/length", headers={}) == nothing
    assert caller.ask("GET", url + "/length", headers={}, admits=lambda _address: False) == nothing


@pytest.mark.parametrize(("key", "answer"), [("whole", "paid"), ("cut", "no_answer"), ("gone", "unknown")])
def test_a_part_of_an_answer_pays_nobody(url, key, answer):
    """A payout is paid where the shop said so to the end; that it never heard of a key its status says."""
    assert HttpPayer(url + "/pay", key=b"k" * 32, clock=SystemClock()).status(key) == answer


@pytest.mark.parametrize(
    "where",
    ["https://shop.example:0/", "https://shop.example:99999/", "https://[shop/", "http://shop.example/"],
)
def test_an_endpoint_that_cannot_be_called_is_refused_at_the_start(where):
    """And not at the first customer who needs it."""
    with pytest.raises(Misconfigured):
        Endpoint(where, setting="payout_url", is_asked=True)
