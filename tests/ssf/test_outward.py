"""Asking another company's server: where a call may go, and what is not followed, not waited for and not read."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shopward.adapters import outward
from shopward.adapters.outward import NOTHING, HttpOutward
from shopward.errors import InvalidField
from shopward.ssf.metadata import check_address, read_metadata, well_known


@pytest.fixture
def inside():
    """A server of the shop's own network, which is this machine here; it counts its calls."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            """As the path says."""
            calls.append(self.path)
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("location", "/secret")
            body = b"x" * (outward.ANSWER_BYTES_MAX + 1 if self.path == "/endless" else 2)
            self.send_header("content-length", str(20 if self.path == "/drips" else len(body)))
            self.end_headers()
            if self.path == "/drips":
                with suppress(OSError):
                    for each in body * 10:
                        time.sleep(0.1)
                        self.wfile.write(bytes([each]))
                return
            self.wfile.write(body)

        def log_message(self, *_args):
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls = calls
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_only_who_an_administrator_named_stands_inside(inside):
    """What somebody else names leads to no address of this machine or network, by whichever name; nothing is even connected to."""
    ask, port = HttpOutward().ask, inside.server_port
    own = f"http://127.0.0.1:{port}/x"
    assert ask("GET", own, named_by=f"http://127.0.0.1:{port}/idp") == (200, b"xx")
    for url in (
        own,
        f"http://localhost:{port}/x",
        f"https://localhost:{port}/x",
        "https://169.254.169.254/x",
        "https://10.0.0.1/x",
    ):
        assert ask("GET", url, named_by="https://idp.example.com/") == NOTHING
    assert inside.calls == ["/x"]


def test_nothing_is_followed_and_little_is_read(inside):
    """A redirect is an answer; a body without end is none; an address that is none is nothing."""
    ask, at = HttpOutward().ask, f"http://127.0.0.1:{inside.server_port}"
    assert ask("GET", at + "/moved", named_by=at).status == 302
    assert ask("GET", at + "/endless", named_by=at) == NOTHING
    assert inside.calls == ["/moved", "/endless"]
    for url in (
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "",
        "http://127.0.0.1:1/",
        at + "/\u00e9",
    ):
        assert ask("GET", url, named_by=url) == NOTHING
    assert ask("GET", at, named_by=at, headers={"authorization": "x\n"}) == NOTHING


def test_a_byte_now_and_then_does_not_hold_a_call_up(inside):
    """The bound is for the whole of it."""
    at = f"http://127.0.0.1:{inside.server_port}"
    assert HttpOutward(timeout_s=0.5).ask("GET", at + "/drips", named_by=at) == NOTHING


def test_the_well_known_path_is_inserted():
    """Between host and path, never behind it; a document of another issuer is none."""
    assert well_known("https://idp.example.com") == "https://idp.example.com/.well-known/ssf-configuration"
    assert (
        well_known("https://idp.example.com/t/1/")
        == "https://idp.example.com/.well-known/ssf-configuration/t/1"
    )
    for raw in (b"", b"[]", b'{"issuer":"https://idp.example.com/x"}', b'{"issuer":7}', b"\xff"):
        with pytest.raises(InvalidField):
            read_metadata(raw, "https://idp.example.com")
    with pytest.raises(InvalidField):
        read_metadata(
            b'{"issuer":"https://idp.example.com","jwks_uri":"http://127.0.0.1/"}', "https://idp.example.com"
        )


def test_an_address_is_https_or_both_are_here():
    """In clear on this machine alone, and only where the other one is here, too."""
    check_address("https://idp.example.com/x", path="x")
    check_address("http://127.0.0.1:8/x", path="x")
    check_address("http://localhost/x", path="x", near="http://127.0.0.1:8/")
    wrong = (
        "http://idp.example.com/",
        "https://u@idp.example.com/",
        "https://idp.example.com/#x",
        "//x",
        "https://[::1",
        "https://x:99999/",
        "https://" + "x" * 2_050,
    )
    for url in wrong:
        with pytest.raises(InvalidField):
            check_address(url, path="x")
    with pytest.raises(InvalidField):
        check_address("https://127.0.0.1/x", path="x", near="https://idp.example.com/")
