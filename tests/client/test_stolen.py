"""Whether a password is stolen, asked without telling which."""

from __future__ import annotations

import asyncio
import hashlib
import logging

import pytest

from client.test_calls import answered
from serving import Server
from serving import event as login
from shopward.client import AsyncClient, Client
from shopward.client.breaker import FAILURES
from shopward.client.stolen import asking
from shopward.screening.passwords.building import write_store

STOLEN = "kucing biru makan awan"
WIDE = "".join(chr(ord(each) + 0xFEE0) for each in STOLEN[:6]) + STOLEN[6:]


def sha1(text):
    """As corpora keep it."""
    return hashlib.sha1(text.encode(), usedforsecurity=False)


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """A real server that knows one stolen password."""
    folder = tmp_path_factory.mktemp("stolen")
    write_store(folder / "pwned.bin", [(sha1(STOLEN).digest(), 99)], expected=1)
    with Server(folder / "data", environment={"SHOPWARD_PASSWORD_STORE": str(folder / "pwned.bin")}) as it:
        yield it


def test_a_stolen_password_is_known_and_another_is_not(knowing):
    """Both clients, as typed and in its compatible form."""

    async def story():
        async with AsyncClient(knowing.url, knowing.key, timeout_s=10) as client:
            return await client.stolen_password(STOLEN)

    with Client(knowing.url, knowing.key, timeout_s=10) as client:
        found, wide, other = (client.stolen_password(each) for each in (STOLEN, WIDE, STOLEN + "."))
    assert (found.count, found.is_known) == (99, True)
    assert wide.is_known
    assert (other.count, other.is_known, other.fault) == (0, False, None)
    assert asyncio.run(story()) == found


def test_only_five_digits_leave(listen):
    """Neither the password nor more of its digest is on the wire; over TLS the answer's size tells nothing either."""
    listener = listen(answered(200, b"", "text/plain"))
    with Client(listener.url, "sw_key", timeout_s=5) as client:
        assert client.stolen_password(STOLEN).count == 0
    digits = sha1(STOLEN).hexdigest().upper()
    heard = listener.seen[0].decode().upper()
    assert digits[:5] in heard
    assert digits[:6] not in heard
    assert "KUCING" not in heard
    assert asking(digits, "https://shop.example").headers == (("Add-Padding", "true"),)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"code": "not_found"}, "not_screened"),
        (503, {"code": "corpus_unreachable"}, "not_screened"),
        (401, {"code": "unauthorized"}, "unauthorized"),
        (502, b"bad gateway", "unavailable"),
        (200, {"decision": "allow"}, "bad_answer"),
        (200, b"<html>\n", "bad_answer"),
        (200, b"\xff" * 35 + b":x", "bad_answer"),
        (200, b"A" * 35 + b":" + b"9" * 5_000, "bad_answer"),
    ],
)
def test_whoever_is_no_list_says_nothing(listen, status, body, code):
    """Fails open: no count, no sign, a fault that names what to look at."""
    with Client(listen(answered(status, body)).url, "sw_key", timeout_s=5) as client:
        found = client.stolen_password(STOLEN)
    assert (found.count, found.is_known, found.fault.code) == (None, False, code)


def test_a_list_that_is_away_costs_little_and_silences_no_decision(listen, caplog):
    """After some tries it is left alone for a moment; the log says it once; the breaker of decisions stays shut."""
    silent = listen(closes=False)
    with (
        caplog.at_level(logging.WARNING),
        Client(silent.url, "sw_key", timeout_s=0.1, steady_s=lambda: 0.0) as client,
    ):
        found = [client.stolen_password(STOLEN).fault.code for _ in range(FAILURES + 3)]
        assert client.decide(login(1)).fault.code == "timeout", "decisions are still asked for"
    assert found == ["timeout"] * FAILURES + ["not_screened"] * 3
    assert len(silent.seen) == FAILURES + 1
    assert sum("not_screened" in line for line in caplog.messages) == 1
    assert STOLEN not in caplog.text


def test_a_server_without_a_list_is_named_to_the_operator(server):
    """A server of default settings knows no stolen passwords, and says so."""
    with Client(server.url, server.key, timeout_s=10) as client:
        assert client.stolen_password(STOLEN).fault.problem == "not_found"


def test_a_password_that_is_no_text_of_ours_is_looked_up_too(nobody):
    """A lone surrogate, an empty one, a very long one: an answer and no exception."""
    with Client(nobody, "sw_key", timeout_s=1) as client:
        for odd in ("\ud800", "", "x" * 100_000):
            assert client.stolen_password(odd).count is None
