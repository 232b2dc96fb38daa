"""Passwords over HTTP, on a real server with a real store."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time

import pytest

from serving import Server
from shopward.adapters.ranges import RangeService
from shopward.screening.passwords import Rules, screen_password
from shopward.screening.passwords.building import write_store
from shopward.screening.passwords.corpora import Corpora, CorpusUnreachable

PATH = "/v1/screen/passwords"
STOLEN = "kucing biru makan awan"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that knows one stolen password."""
    folder = tmp_path_factory.mktemp("passwords")
    write_store(
        folder / "pwned.bin",
        [(hashlib.sha1(STOLEN.encode(), usedforsecurity=False).digest(), 99)],
        expected=1,
    )
    with Server(
        folder / "data", environment={"SHOPWARD_PASSWORD_STORE": str(folder / "pwned.bin")}
    ) as running:
        yield running


def test_a_shop_asks_whether_a_password_may_be_chosen(server):
    """Stolen: rejected in the shop's language with the count; another one is accepted; the id comes back."""
    asked = {"password": STOLEN, "id": "7"}
    status, text = server.post(PATH, asked, **{"Accept-Language": "zh"})
    said = json.loads(text)
    assert (status, said["verdict"], said["breach_count"], said["id"]) == (200, "reject", 99, "7")
    assert "泄露" in said["reasons"][0]["text"]
    status, text = server.post(PATH, {"password": "kucing ungu makan awan"})
    assert json.loads(text)["verdict"] == "accept"


@pytest.mark.parametrize(
    "body",
    [
        {"password": ""},
        {"password": "x" * 5_000},
        {"passwort": "x"},
        {"password": 7},
        [],
        {"password": "x", "context": {"a": {}}},
    ],
)
def test_a_bad_question_is_refused_without_repeating_it(server, body):
    """Empty, too long, misspelt, of a wrong type: a problem with its path."""
    status, text = server.post(PATH, json.dumps(body).encode())
    assert 400 <= status < 500
    assert b"xxxx" not in text


def test_other_systems_ask_the_same_store_by_the_range_protocol(server):
    """Our own client of the protocol, pointed here, hears what the store says; padding hides how much that is."""
    digits = hashlib.sha1(STOLEN.encode(), usedforsecurity=False).hexdigest().upper()
    path = f"{PATH}/range/{digits[:5]}"
    assert server.get(path) == (200, f"{digits[5:]}:99".encode())
    service = RangeService(server.url + PATH, steady_s=time.monotonic, key=server.key)
    assert screen_password(STOLEN, rules=Rules(), corpora=Corpora([service])).breach_count == 99
    assert server.get(f"{PATH}/range/xyz")[0] == 422


def test_a_range_comes_from_the_store_and_from_the_service_behind_it(server):
    """A server that knows only another one hears it; where that one is away, it says so and is counted."""
    digits = hashlib.sha1(STOLEN.encode(), usedforsecurity=False).hexdigest().upper()
    heard = Corpora((RangeService(server.url + PATH, steady_s=time.monotonic, key=server.key),))
    assert heard.range(digits[:5]) == [(digits[5:], 99)]
    away = Corpora((RangeService("http://127.0.0.1:1", steady_s=time.monotonic),))
    with pytest.raises(CorpusUnreachable):
        away.range(digits[:5])
    assert (away.asked, away.unreachable) == (1, 1)


def test_passwords_of_an_incident_are_refused_from_then_on(server, tmp_path):
    """Told by a command from a file; the audit line says how many and never which; nobody else may tell them."""
    tried = tmp_path / "tried.txt"
    tried.write_text("jendela hijau melompat pagi\n\n", encoding="utf-8")
    command = [sys.executable, "-m", "shopward", "passwords", "remember", str(tried), "--url", server.url]
    told = subprocess.run(
        command, env={**os.environ, "SHOPWARD_KEY": server.key}, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("1 new")
    text = server.post(PATH, {"password": "jendela hijau melompat pagi"})[1]
    assert [each["code"] for each in json.loads(text)["reasons"]] == ["password_of_incident"]
    assert not any("jendela" in line for line in (*server.out, *server.err))
