"""The report button: cases that gather reports, people who settle them, the list that follows."""

from __future__ import annotations

import json
import sqlite3
import time
import tomllib

import pytest

from screening.shop import TOML
from serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server with the shop's profile."""
    with Server(tmp_path_factory.mktemp("reports"), policy=None) as running:
        assert running.post("/v1/screen/profile", tomllib.loads(TOML), method="PUT")[0] == 200
        running.folder = running.command[running.command.index("--data") + 1]
        yield running


def said(answer):
    """Status and decoded body."""
    return answer[0], json.loads(answer[1])


def reported(server, **fields):
    """What the button answers."""
    status, body = said(server.post("/v1/reports", {"kind": "link", **fields}))
    assert status == 201, body
    return body


def verdict_on(server, url):
    """Level and codes, after the list had its second."""
    time.sleep(1.0)
    _, body = said(server.post("/v1/screen/links", {"url": url}))
    return body["verdict"], [reason["code"] for reason in body["reasons"]]


def test_reports_of_one_site_gather_in_one_case_until_it_is_settled(server):
    """Two customers, two paths, one registered domain: one case; a confirmed one lists it, a dismissed one takes it off."""
    first = reported(server, url="https://a.hadiah-gratis.example/1", user="u1")
    second = reported(server, url="b.hadiah-gratis.example/2?code=1234", user="u2")
    assert (first["case_id"], second["reports"]) == (second["case_id"], 2)
    assert "listed" not in {reason["code"] for reason in first["verdict"]["reasons"]}
    path = f"/v1/reports/{first['case_id']}"
    status, page = said(server.get(path))
    assert (status, page["case"]["state"], len(page["reports"])) == (200, "open", 2)
    status, case = said(server.post(path, {"state": "confirmed", "scope": "domain"}))
    assert (status, case["state"]) == (200, "confirmed")
    level, codes = verdict_on(server, "https://c.hadiah-gratis.example/")
    assert level == "dangerous"
    assert "listed" in codes
    assert reported(server, url="https://hadiah-gratis.example/")["case_id"] != first["case_id"]
    assert server.post(path, {"state": "dismissed"})[0] == 200
    assert "listed" not in verdict_on(server, "https://c.hadiah-gratis.example/")[1]


def test_a_page_of_a_shared_site_is_listed_and_its_neighbours_are_not(server):
    """A confirmed report of a short link says nothing of the shortener."""
    case_id = reported(server, url="https://s.id/jahat")["case_id"]
    assert said(server.post(f"/v1/reports/{case_id}", {"state": "confirmed", "scope": "host"}))[0] == 200
    assert "listed" in verdict_on(server, "https://s.id/jahat")[1]
    assert "listed" not in verdict_on(server, "https://s.id/baik")[1]
    bare = reported(server, url="https://s.id/")["case_id"]
    status, problem = said(server.post(f"/v1/reports/{bare}", {"state": "confirmed", "scope": "host"}))
    assert (status, problem["code"]) == (409, "shared_host")


def test_of_a_message_and_its_reader_nothing_is_kept_in_clear(server):
    """No text, no code, no account number, no customer's id stands in the store."""
    body = reported(
        server, kind="message", text="Kode OTP Anda 918273, kirim ke rekening 5550001112", user="pelanggan-rahasia",
        sender="T0KONUSA",
    )  # fmt: skip
    assert body["verdict"]["verdict"] == "dangerous"
    with sqlite3.connect(f"{server.folder}/shopward.db") as store:
        rows = str(
            list(store.execute("SELECT * FROM screening_report"))
            + list(store.execute("SELECT * FROM screening_case"))
        )
    assert "918273" not in rows
    assert "5550001112" not in rows
    assert "pelanggan-rahasia" not in rows


def test_copies_of_one_message_gather_in_one_case(server):
    """Another link and other numbers, letters disguised: one campaign. Its link can be listed; another text is another case."""
    text = "Pelanggan Yth, akun Anda akan diblokir dalam 24 jam. Verifikasi di http://{} atau hub {}"
    first = reported(server, kind="message", text=text.format("satu-verif.example/a", "0812-3456-7890"))
    second = reported(
        server,
        kind="message",
        text=text.format("dua-verif.example/b", "0857-9999-1111").replace("akan", "ak\u200ban"),
    )
    third = reported(server, kind="message", text="Cek foto kirimannya kak di satu-verif.example/zz sekarang")
    other = reported(
        server, kind="message", text="Selamat, nomor Anda menang undian akhir tahun, hub 0811-2222-3333"
    )
    assert first["case_id"] == second["case_id"] == third["case_id"] != other["case_id"]
    assert third["reports"] == 3
    assert server.post(f"/v1/reports/{first['case_id']}", {"state": "confirmed", "scope": "host"})[0] == 200
    assert "listed" in verdict_on(server, "https://satu-verif.example/neu")[1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "link"}, 422),
        ({"kind": "message", "url": "x.example"}, 422),
        ({"kind": "gossip"}, 422),
        ({"kind": "doubt", "unknown": 1}, 422),
        ({"kind": "doubt"}, 201),
        ({"kind": "loss", "user": "u1"}, 201),
    ],
)
def test_a_report_says_what_it_is_about(server, body, status):
    """What lacks it is refused; a doubt and a loss may be about nothing that can be judged."""
    answered, problem = said(server.post("/v1/reports", body))
    assert answered == status, problem


def test_looking_at_cases_and_settling_them_takes_a_role(server):
    """Any key may report; a service's key may not settle."""
    key = said(server.post("/v1/keys", {"name": "shop", "person": "shop", "roles": ["service"]}))[1]["key"]
    asked = Server(server.folder, policy=None, key=key)
    asked.url = server.url
    assert asked.post("/v1/reports", {"kind": "doubt"})[0] == 201
    assert asked.get("/v1/reports")[0] == 403
    assert server.get("/v1/reports?state=open&limit=1")[0] == 200
    assert server.get("/v1/reports/rc-none")[0] == 404
