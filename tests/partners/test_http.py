"""Partners and traces as a shop uses them: from a terminal and over HTTP, on a real server."""

from __future__ import annotations

import base64
import json

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from serving import Server
from shopward.cli import main
from shopward.http.partner_paths import EXAMPLE
from shopward.partners import open_page

KEY = X25519PrivateKey.generate()
NAMES = ("Surya Atmaja", "Dewi Lestari", "Bagus Prakoso")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server with three orders; nothing of them stands in what it says of itself."""
    with Server(tmp_path_factory.mktemp("partners") / "data", policy=None) as running:
        records = [
            {
                "id": f"o-{number}", "user": f"u{number}", "kind": "order", "region": "ID",
                "fields": {"name": name, "phone": f"08129999{number:04}", "street": f"Jl. Mawar No. {number + 3}"},
            }
            for number, name in enumerate(NAMES)
        ]  # fmt: skip
        assert running.post("/v1/vault/records", {"records": records})[0] == 201
        yield running
        said = "".join(running.out + running.err)
        assert not [value for value in (*NAMES, "08129999") if value in said]


@pytest.fixture
def run(server, monkeypatch):
    """Runs a command against the server; its output, once the exit code is the expected one."""
    monkeypatch.setenv("SHOPWARD_KEY", server.key)

    def command(*words, exit_code=0, text=None):
        done = CliRunner().invoke(main, [*words, "--url", server.url], input=text)
        assert done.exit_code == exit_code, done.output
        return done.output

    return command


def pulled(server, partner_id, share, page=0):
    """Status and bytes of a page, asked for with the token of the share."""
    admin, server.key = server.key, share["token"]
    try:
        return server.get(f"/v1/partners/{partner_id}/shares/{share['id']}/pages/{page}")
    finally:
        server.key = admin


def test_what_a_courier_pulled_is_traced_from_the_terminal(server, run, tmp_path) -> None:
    """Shared by one command, pulled with the token, decided, seen by the customer; then a leaked file leads to it."""
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    scope = {"delivery": ["name", "phone", "address"]}
    assert server.post("/v1/partners", EXAMPLE | {"public_key": public, "scope": scope})[0] == 201
    options = ("--purpose", "delivery", "--field", "name", "--field", "phone", "--field", "address")
    share = json.loads(run("vault", "share", "fast-courier", "o-0", "o-1", *options, "--json"))
    status, sealed = pulled(server, "fast-courier", share)
    assert status == 200
    rows = open_page(KEY, "fast-courier", share["id"], 0, sealed)
    assert [row["name"] for row in rows] == list(NAMES[:2])
    assert "partner:fast-courier" in run("vault", "seen", "u0")
    file = tmp_path / "leaked.csv"
    file.write_text("Nama Penerima,No HP\n" + "".join(f"{row['name']},{row['phone']}\n" for row in rows))
    said = json.loads(run("vault", "trace", str(file), "--json"))
    assert (said["matched"], said["candidates"][0]["recipient"]) == (2, "partner:fast-courier")
    assert "none of the logged" in run("vault", "trace", str(file))
    file.write_text("phone\n089900001111\n")
    assert "no row of the file is of this shop" in run("vault", "trace", str(file), exit_code=1)
    assert "belong together" in run("vault", "trace", str(file), "--seen", str(file), exit_code=2)


def test_a_partner_is_looked_after_from_the_terminal(server, run, tmp_path) -> None:
    """Registered from a file, listed by its audit, suspended by a failed one, let go on, its share closed, ended with --yes alone."""
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    file = tmp_path / "slow.json"
    file.write_text(json.dumps(EXAMPLE | {"id": "slow-courier", "public_key": public}))
    assert run("partner", "register", str(file)).startswith("slow-courier  active")
    assert "slow-courier" in run("partner", "list", "--due", "0")
    assert "delivery: name, phone, address" in run("partner", "show", "slow-courier")
    assert "suspended" in run("partner", "audit", "slow-courier", "--on", "2026-02-01", "--failed")
    assert "active" in run("partner", "step", "slow-courier", "resume", "--reason", "mended")
    options = ("--purpose", "delivery", "--field", "name", "--json")
    share = json.loads(run("vault", "share", "slow-courier", "o-2", *options))
    assert share["id"] in run("partner", "shares", "slow-courier")
    assert "closed" in run("partner", "shares", "slow-courier", "--close", share["id"])
    assert pulled(server, "slow-courier", share)[0] == 403
    assert "repeat it with --yes" in run("partner", "step", "slow-courier", "end", "--reason", "over")
    assert "ended" in run("partner", "step", "slow-courier", "end", "--reason", "over", "--yes")
    file.write_text("no json")
    assert (
        "not a JSON object"
        in CliRunner().invoke(main, ["partner", "register", str(file), "--url", server.url]).stderr
    )
