"""``shopward policy publish``, ``rollback`` and ``list`` against a real server, as an analyst types them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from publishing import decided, policies, small_files
from shopward.cli import main


@pytest.fixture
def shopward(server):
    """A function that runs a command with the server's key in the environment."""
    environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}
    return lambda *words: CliRunner().invoke(main, list(map(str, words)), env=environment)


@pytest.fixture
def folder(tmp_path):
    """A function that writes the small policy to a folder."""

    def write(*changes, version=2):
        for name, text in small_files(*changes, version=version).items():
            path = tmp_path / f"policy-{version}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / f"policy-{version}"

    return write


def test_a_policy_is_tried_published_and_rolled_back(server, shopward, folder, tmp_path):
    """Dry run first, then in force, then back, and the log run again gives the decisions of all three."""
    decided(server, 1, status="failed", user={"id": "u"})
    dry = shopward("policy", "publish", folder())
    assert dry.exit_code == 0, dry.output
    assert "small@2: 2 rules, 3 features, 4 tests pass" in dry.stdout
    assert "added rule many_failures" in dry.stdout
    assert "nothing is published" in dry.stderr
    assert policies(server)["publications"] == []
    done = shopward("policy", "publish", folder(), "--note", "small shop", "--yes")
    assert done.stdout == "small@2 as publication 2 is in force\n"
    for number in range(2, 6):
        decided(server, number, status="failed", user={"id": "u"})
    assert "nothing is rolled back" in shopward("policy", "rollback").stderr
    done = shopward("policy", "rollback", "--note", "too strict", "--yes")
    assert "as publication 3 is in force" in done.stdout
    decided(server, 6, status="failed", user={"id": "u"})
    listed = shopward("policy", "list").stdout
    assert listed.startswith("in force: default@")
    assert "too strict" in listed
    again = shopward("policy", "backtest", "--data", tmp_path / "data", "--json")
    report = json.loads(again.stdout)
    assert (report["events"], report["differs"]) == (6, 0)
    assert report["decisions"]["challenge"] >= 2


def test_what_is_wrong_is_told_with_its_place(server, shopward, folder):
    """The problem of the server on standard error, exit code 1."""
    done = shopward("policy", "publish", folder(("f.user_failures_1h >= 4", "f.nothing >= 4")), "--yes")
    assert done.exit_code == 1
    for word in ("file: rules/one.toml", "line: 5", "column: 11"):
        assert word in done.stderr


def test_check_tells_the_place_without_a_server(folder):
    """The same from the files alone."""
    wrong = folder(('type == "payment" &&', 'typ == "payment" &&'))
    done = CliRunner().invoke(main, ["policy", "check", "--policy", str(wrong), "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["file"], told["line"]) == ("features.toml", 14)
