"""An evidence pack over HTTP and the command line, checked with the public key alone."""

import io
import json
import zipfile

import pytest
from click.testing import CliRunner

from serving import Server
from shopward.cli import main
from shopward.cli.talk import Server as Talk
from shopward.values import DAY_MS, SystemClock, to_rfc3339

PERSONAL = ("budi.santoso@example.com", "+6281234567890", "3174012509900001")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real one."""
    with Server(tmp_path_factory.mktemp("pack") / "data") as running:
        yield running


def run(server, *words):
    """What a command says; ``audit pack`` gets no server and no folder."""
    environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url} if words[0] != "audit" else {}
    return CliRunner().invoke(main, list(words), env=environment)


def ask(server, method, path, body=None):
    """A call as a person makes it."""
    return Talk(server.url, server.key, "en").ask(method, path, body)


@pytest.fixture(scope="module")
def incident(server):
    """One with a scope of two users, an order, and personal values in its texts."""
    made = json.loads(
        run(
            server, "incident", "open", f"Orders of {PERSONAL[0]} read", "--kind", "partner_leak", "--json"
        ).output
    )["incident"]["id"]
    sealed = ask(server, "POST", "/v1/victim-sets", {"name": "leak"})["id"]
    Talk(server.url, server.key, "en").ask(
        "PUT", f"/v1/victim-sets/{sealed}/pages/0", b'{"id":"user-secret-1"}\n{"id":"user-secret-2"}\n'
    )
    ask(server, "POST", f"/v1/victim-sets/{sealed}/seal", {})
    step = lambda **body: ask(server, "POST", f"/v1/incidents/{made}/steps", body)  # noqa: E731
    step(step="facts", facts={"subjects": {"ID": 2}, "data": ["address"]})
    step(step="scope", sets={"read": sealed}, reason=f"told by {PERSONAL[1]}")
    step(step="content", content="measures", language="id", text=f"Akses ditutup; hubungi {PERSONAL[1]}.")
    step(step="note", text=f"Called {PERSONAL[1]}, NIK {PERSONAL[2]}")
    ask(
        server, "POST", "/v1/orders",
        {
            "kind": "freeze", "scope": ["stored_value"], "reason": "credential_stuffing", "incident": made,
            "target": {"user": "user-secret-1"}, "ends_at": to_rfc3339(SystemClock().now_ms() + DAY_MS),
        },
    )  # fmt: skip
    back = {
        "word": "recovery",
        "key": "k-1",
        "way": "bank",
        "amount_minor": 5,
        "currency": "IDR",
        "incident": made,
    }
    ask(server, "POST", "/v1/ledger/postings", back)
    return made


@pytest.fixture(scope="module")
def packed(server, incident, tmp_path_factory):
    """The pack as the command wrote it, and the public key from elsewhere."""
    file = tmp_path_factory.mktemp("out") / "pack.zip"
    said = run(server, "incident", "pack", incident, "--out", str(file), "--language", "id")
    assert said.exit_code == 0, said.output
    return file, ask(server, "GET", "/v1/audit/checkpoint")["key"]


def files_of(file):
    """Its files by name."""
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        return {each: archive.read(each) for each in archive.namelist()}


def test_an_auditor_checks_it_without_a_server(server, incident, packed):
    """Exit code 0 and what it is; it speaks the language that was asked for."""
    file, key = packed
    said = run(server, "audit", "pack", str(file), "--key", key)
    assert (said.exit_code, f"about {incident}" in said.output) == (0, True), said.output
    assert json.loads(run(server, "audit", "pack", str(file), "--key", key, "--json").output)["ok"] is True
    assert "Paket bukti" in files_of(file)["index.html"].decode()


def test_one_byte_is_enough(server, packed, tmp_path):
    """Exit code 1 and which part; another key is 1, no key at all is wrong use."""
    file, key = packed
    raw = bytearray(file.read_bytes())
    raw[raw.index(b"Akses ditutup")] ^= 1
    other = tmp_path / "other.zip"
    other.write_bytes(raw)
    said = run(server, "audit", "pack", str(other), "--key", key)
    assert (said.exit_code, said.output.startswith("BROKEN: ")) == (1, True)
    assert run(server, "audit", "pack", str(file), "--key", "00" * 32).exit_code == 1
    assert run(server, "audit", "pack", str(file), "--key", "none").exit_code == 2


def test_it_holds_what_an_auditor_asks_and_nobodys_data(incident, packed):
    """Duties with their inputs, sets as digests, the order, the log; no value that somebody wrote down and no customer."""
    files = files_of(packed[0])
    duties = json.loads(files["duties.json"])["duties"]
    assert ("ID-agency", True) in {(each["rule"], bool(each["inputs"])) for each in duties}
    (scope,) = json.loads(files["scopes.json"])["scopes"]
    assert (scope["sets"]["read"]["users"], len(scope["sets"]["read"]["digest"])) == (2, 32)
    (order,) = json.loads(files["orders.json"])["orders"]
    assert (order["incident"], order["target"]["tokens"]) == (incident, 1)
    deeds = [json.loads(each)["deed"] for each in files["audit/entries.jsonl"].splitlines()]
    assert (deeds[0], deeds[-2:]) == ("incident:step", ["incident:pack", "audit:checkpoint"])
    everything = b"".join(files.values()).decode()
    assert [each for each in (*PERSONAL, "user-secret") if each in everything] == []
    assert json.loads(files["index.json"])["masked"] >= 4


def test_the_ledger_s_transfers_are_in_it_without_owners(incident, packed):
    """What came back stands there with kinds of accounts alone; nothing was claimed, and that file is empty."""
    files = files_of(packed[0])
    (made,) = json.loads(files["transfers.json"])["transfers"]
    assert (made["word"], made["refs"]) == ("recover", {"incident": incident})
    assert [each["account"] for each in made["entries"]] == ["outside", "recovered"]
    assert json.loads(files["claims.json"]) == {"claims": []}


def test_no_incident_is_no_pack(server, tmp_path):
    """Nothing is written."""
    said = run(server, "incident", "pack", "inc-none", "--out", str(tmp_path / "none.zip"))
    assert (said.exit_code != 0, (tmp_path / "none.zip").exists()) == (True, False)
