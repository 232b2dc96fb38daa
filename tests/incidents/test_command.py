"""Incidents from the command line against a real server."""

import json

import pytest
from click.testing import CliRunner

from serving import Server
from shopward.cli import main


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real one."""
    with Server(tmp_path_factory.mktemp("incident") / "data") as running:
        yield running


def run(server, *words):
    """What the command says."""
    environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}
    return CliRunner().invoke(main, ["incident", *words], env=environment)


def test_an_incident_is_worked_from_the_command_line(server, tmp_path):
    """Opened, facts said, a text read from a file, shown with its duties, drafted."""
    made = json.loads(run(server, "open", "Orders read", "--kind", "partner_leak", "--json").output)[
        "incident"
    ]["id"]
    shown = run(server, "step", made, "facts", 'facts={"subjects":{"ID":12}}')
    assert ("OPEN            ID-agency" in shown.output, "Not legal advice" in shown.output) == (True, True)
    text = tmp_path / "measures.txt"
    text.write_text("Akses kurir ditutup.\n", encoding="utf-8")
    assert (
        run(server, "step", made, "content", "content=measures", "language=id", f"text=@{text}").exit_code
        == 0
    )
    draft = run(server, "draft", made, "ID-agency", "--in", "id").output
    assert ("Akses kurir ditutup." in draft, "MISSING: data" in draft) == (True, True)
    assert "Orders read" in run(server, "list", "--state", "open").output


@pytest.mark.parametrize("words", [("nothing",), ("text=@/no/such/file",), ("facts={",)])
def test_wrong_fields_are_wrong_use(server, words):
    """Exit code 2 and what is wrong, before anything is asked."""
    said = run(server, "step", "inc-1", "note", *words)
    assert (said.exit_code, "Traceback" in said.output) == (2, False)
