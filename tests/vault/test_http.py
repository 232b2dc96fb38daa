"""The vault as a shop uses it: over HTTP and from a terminal, on a real server that is killed in between."""

from __future__ import annotations

import json
import socket
import time

import pyotp
import pytest
from click.testing import CliRunner

from serving import Server
from shopward.cli import main
from shopward.client import Client
from shopward.values import SystemClock

FIELDS = {
    "order_id": "1001",
    "name": "Zulkarnain Hidayat",
    "phone": "0812-9876-5432",
    "city": "Jakarta",
    "street": "Jl. Mawar 9",
}
WITHIN_S = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server with an order of a customer, and two persons of staff beside the admin."""
    with Server(tmp_path_factory.mktemp("vault") / "data", policy=None) as running:
        running.people = {
            person: ask(
                running, "/v1/keys", {"name": person, "person": person, "roles": ["analyst"]}, status=201
            )["key"]
            for person in ("ani", "budi")
        }
        ask(running, "/v1/vault/records", {"records": [record()]}, status=201)
        yield running
        said = "".join(running.out + running.err)
        assert not [value for value in FIELDS.values() if value in said and value not in ("1001", "Jakarta")]


@pytest.fixture
def listen_nowhere():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as it:
        port = it.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def record(record_id="o-1", user="u1", **changes):
    return {"id": record_id, "user": user, "kind": "order", "region": "ID", "fields": FIELDS, **changes}


def ask(server, path, body=None, *, status=200, person=None):
    """The JSON of an answer, which has to have this status."""
    admin, server.key = server.key, server.people[person] if person else server.key
    try:
        found, raw = server.get(path) if body is None else server.post(path, body)
    finally:
        server.key = admin
    assert found == status, raw
    return json.loads(raw)


def reveal(server, person, records, *, status=200, **more):
    body = {
        "records": records,
        "fields": ["name", "phone"],
        "purpose": "delivery",
        "order_id": "1001",
        **more,
    }
    return ask(server, "/v1/vault/reveal", body, status=status, person=person)


def test_a_record_goes_in_sealed_and_comes_out_for_a_purpose(server):
    """Masked to everybody, whole to who says why; the customer can see who that was; the timeline has the event."""
    assert ask(server, "/v1/vault/records/o-1")["fields"]["name"] == "Z*** H***"
    assert ask(server, "/v1/vault/records/o-1?style=waybill")["fields"]["street"] == "Jl. Mawar *"
    (shown,) = reveal(server, "ani", ["o-1"])["records"]
    assert shown["fields"] == {"name": FIELDS["name"], "phone": FIELDS["phone"]}
    seen = ask(server, "/v1/vault/users/u1/accesses")["accesses"]
    assert (seen[0]["person"], seen[0]["purpose"], seen[0]["fields"]) == (
        "ani",
        "delivery",
        ["name", "phone"],
    )
    assert '"pii_view"' in json.dumps(ask(server, "/v1/users/u1/timeline"))


def test_what_is_refused_says_why_and_shows_nothing(server):
    """Each with its code and status, and no value of anybody."""
    cases = [
        ({"fields": ["email"]}, 403, "purpose_fields"), ({"order_id": ""}, 422, "invalid_field"),
        ({"purpose": "curiosity"}, 422, "invalid_field"), ({"records": ["o-9"]}, 404, "not_found"),
        ({"records": []}, 422, "invalid_field"), ({"why": "x"}, 422, "unknown_field"),
    ]  # fmt: skip
    for changes, status, code in cases:
        body = {"records": ["o-1"], "fields": ["name"], "purpose": "delivery", "order_id": "1001", **changes}
        said = ask(server, "/v1/vault/reveal", body, status=status, person="ani")
        assert said["code"] == code
        assert "Zulkarnain" not in json.dumps(said)
    assert ask(server, "/v1/vault/records", {"records": [record(kind="shoe")]}, status=422)["path"] == "kind"
    assert (
        ask(server, "/v1/vault/records", {"records": [record(user="u2")]}, status=409)["code"]
        == "record_conflict"
    )


def test_two_persons_for_many_and_a_lock_for_one(server):
    """202, the word of another person, 200; a locked person hears 403 at once."""
    ask(
        server,
        "/v1/vault/records",
        {"records": [record(f"m-{each}", "u3") for each in range(21)]},
        status=201,
    )
    many = [f"m-{each}" for each in range(21)]
    waits = reveal(server, "ani", many, status=202)
    assert [each["id"] for each in ask(server, "/v1/vault/requests", person="budi")["requests"]] == [
        waits["id"]
    ]
    path = f"/v1/vault/requests/{waits['id']}/approve"
    ask(server, path, {}, status=403, person="ani")
    assert ask(server, path, {}, person="budi")["approved_by"] == "budi"
    assert len(reveal(server, "ani", many, request_id=waits["id"])["records"]) == 21
    ask(
        server,
        "/v1/vault/locks",
        {"kind": "person", "target": "ani", "reason": "test"},
        status=201,
        person="budi",
    )
    assert reveal(server, "ani", ["o-1"], status=403)["code"] == "vault_locked"
    ask(server, "/v1/vault/locks/release", {"kind": "person", "target": "ani"}, status=403, person="budi")
    assert ask(server, "/v1/vault/locks/release", {"kind": "person", "target": "ani"})["locks"] == []


def test_a_rotation_is_done_beside_and_its_key_destroyed(server):
    """Begun by a call, done by the server, reported, and the old key gone."""
    for use in ("kek", "index"):
        ask(server, "/v1/vault/rotations", {"use": use}, status=202)
    until = time.monotonic() + WITHIN_S
    while any(each["state"] == "running" for each in ask(server, "/v1/vault/rotations")["rotations"]):
        assert time.monotonic() < until
        time.sleep(0.05)
    for use in ("kek", "index"):
        said = ask(server, "/v1/vault/rotations/retire", {"use": use, "version": 1})
        assert (use, 1) not in {(each["use"], each["version"]) for each in said["keys"]}
    found = ask(
        server,
        "/v1/vault/search",
        {"kind": "order", "field": "phone", "value": "+62 812 9876 5432", "limit": 50},
        person="ani",
    )
    assert "o-1" in [each["id"] for each in found["records"]]


def test_an_erasure_survives_a_killed_server(tmp_path):
    """Killed right after the certificate: the next start knows it, and the log has the customer's events no more."""
    event = {
        "id": "e-1",
        "type": "login",
        "status": "succeeded",
        "time": "2026-01-05T00:00:00Z",
        "user": {"id": "u1"},
    }
    with Server(tmp_path / "data", policy=None) as server:
        server.decide(event | {"context": {"ip": "203.0.113.9"}})
        ask(server, "/v1/vault/records", {"records": [record()]}, status=201)
        body = {"reason": "asked by mail", "dry_run": False}
        done = ask(server, "/v1/vault/users/u1/erase", body)
        key = server.key
        server.kill()
    with Server(tmp_path / "data", policy=None, key=key) as server:
        assert ask(server, "/v1/vault/users/u1/erasures")["erasures"] == [done]
        assert ask(server, "/v1/vault/users/u1/records")["records"] == []
        assert "203.0.113.9" not in server.get("/v1/users/u1/timeline")[1].decode()


def test_the_terminal_does_the_same(server, monkeypatch, tmp_path):
    """put, get, search, reveal, seen, plan, export, erase; erasing is a dry run until --yes."""
    monkeypatch.setenv("SHOPWARD_KEY", server.key)
    file = tmp_path / "records.ndjson"
    file.write_text(json.dumps(record("t-1", "u7", fields=FIELDS | {"phone": "081100002222"})) + "\n")

    def run(*words, text=None):
        done = CliRunner().invoke(main, ["vault", *words, "--url", server.url], input=text)
        assert done.exit_code == 0, done.output
        return done.output

    assert run("put", str(file)) == "kept: 1\n"
    assert "Z*** H***" in run("get", "t-1", "--waybill")
    assert run("search", "order", "phone", "-", text="+6281100002222\n").startswith("t-1")
    options = ("--field", "name", "--purpose", "after_sales", "--case", "c-1")
    assert "name=Zulkarnain Hidayat" in run("reveal", "t-1", *options)
    assert "after_sales" in run("seen", "u7")
    assert "is off" in run("plan", "order", "name", "ngram")
    assert json.loads(run("export", "u7", "--case", "c-2"))["fields"]["street"] == "Jl. Mawar 9"
    assert "would be erased" in run("erase", "u7", "--reason", "test")
    assert "1 records, 1 keys" in run("erase", "u7", "--reason", "test", "--yes")
    for use in ("token", "mark", "signing", "webhook", "signals"):
        assert f"key {use} 2  active" in run("rotate", use, "--yes")
    assert "outside: names by which partners" in run("rotate", "status")
    assert "root file -:" in run("rotate", "token", "--retire", "1", "--give-up", "--yes")
    assert "key signing 1" not in run("rotate", "signing", "--retire", "1", "--yes")


def test_an_app_of_a_person_from_a_terminal(server, monkeypatch):
    """Begun by its owner, confirmed by an admin with the code that it shows, used for a challenge, and listed."""

    def run(key, *words, text=None):
        monkeypatch.setenv("SHOPWARD_KEY", key)
        done = CliRunner().invoke(main, ["staff", *words, "--url", server.url], input=text)
        assert done.exit_code == 0, done.output
        return done.stdout

    ani = server.people["ani"]
    begun = json.loads(run(ani, "enrol", "ani", "--json"))
    app = pyotp.TOTP(begun["secret_base32"])
    assert "totp     active" in run(server.key, "confirm", "ani", begun["id"], text=app.now() + "\n")
    asked = json.loads(run(ani, "challenge", "remove", "--json"))
    later = app.at(SystemClock().now_ms() // 1000 + 30)  # a code counts once: the next one
    proved = run(ani, "prove", asked["id"], text=later + "\n")
    assert "passed for mfa_remove" in proved
    assert "removed" in run(ani, "remove", "ani", begun["id"], "--challenge", asked["id"])
    assert run(ani, "factors", "ani") == "none\n"


def test_trainings_and_exercises_from_a_terminal(server, monkeypatch, tmp_path):
    """Recorded, listed and due; an exercise is a dry run first, and off where its settings are missing."""
    monkeypatch.setenv("SHOPWARD_KEY", server.key)

    def run(*words, code=0):
        done = CliRunner().invoke(main, ["training", *words, "--url", server.url])
        assert done.exit_code == code, done.output
        return done.output

    days = ("--done", "2026-01-05", "--until", "2026-01-31")
    assert "by first" in run("record", "ani", "privacy", *days)
    assert "privacy" in run("list", "--person", "ani")
    assert "lapsed" in run("due")
    file = tmp_path / "staff.csv"
    file.write_text("ani,ani@staff.example,id\n")
    assert "1 mails would be sent" in run("exercise", "parcel", str(file))
    assert "not switched on" in run("exercise", "parcel", str(file), "--yes", code=1)
    assert run("results") == "none\n"
    assert "no mail of an exercise" in run("report", str(file), code=1)


def test_a_rotation_goes_on_after_a_kill(tmp_path):
    """Killed right after it was begun, with keys of many customers left: the next start moves every one of them."""
    with Server(tmp_path / "data", policy=None) as server:
        for start in range(0, 400, 200):
            rows = [record(f"r-{at}", f"u{at}") for at in range(start, start + 200)]
            ask(server, "/v1/vault/records", {"records": rows}, status=201)
        ask(server, "/v1/vault/rotations", {"use": "index"}, status=202)
        key = server.key
        server.kill()
    with Server(tmp_path / "data", policy=None, key=key) as server:
        until = time.monotonic() + WITHIN_S
        while any(each["state"] == "running" for each in ask(server, "/v1/vault/rotations")["rotations"]):
            assert time.monotonic() < until
            time.sleep(0.05)
        said = ask(server, "/v1/vault/rotations/retire", {"use": "index", "version": 1})
        assert [each["use"] for each in said["keys"] if each["version"] == 2] == ["index"]
        assert ask(server, "/v1/vault/records/r-399")["id"] == "r-399"


def test_the_sdk_keeps_finds_and_reveals(server, listen_nowhere):
    """What the vault gives comes back; what it refuses or cannot say gives nothing, with the reason beside it."""
    with Client(server.url, server.key) as client:
        (kept,) = client.keep(
            [record("s-1", "u9", fields={"name": "Ratna Sari", "phone": "081300004444"})]
        ).records
        assert kept.fields == {"name": "R*** S***", "phone": "****4444"}
        assert [each.id for each in client.find("order", "phone", "+6281300004444").records] == ["s-1"]
        (seen,) = client.reveal(["s-1"], ["name"], purpose="delivery", order_id="9").records
        assert seen.fields == {"name": "Ratna Sari"}
        refused = client.reveal(["s-1"], ["email"], purpose="delivery", order_id="9")
        assert (refused.records, refused.fault.code, refused.fault.problem) == (
            (),
            "not_shown",
            "purpose_fields",
        )
        assert client.reveal(["s-9"], ["name"], purpose="delivery", order_id="9").fault.code == "not_shown"
        many = client.reveal([f"k-{each}" for each in range(21)], ["name"], purpose="delivery", order_id="9")
        assert many.fault.problem == "not_found"
        assert client.reveal(["s-1"], ["name"], purpose="legal_request", case_id="c").waits_for.startswith(
            "vr-"
        )
    with Client(listen_nowhere, server.key) as client:
        unheard = client.reveal(["s-1"], ["name"], purpose="delivery", order_id="9")
        assert (unheard.records, unheard.fault.code) == ((), "unreachable")
