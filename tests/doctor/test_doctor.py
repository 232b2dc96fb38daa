"""The doctor at a real data folder and store, while its server runs: what it finds, what it leaves as it was."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from serving import event
from shopward.access import open_keys
from shopward.cli import main
from shopward.config import Settings
from shopward.service import Shopward


def doctor(*flags, **environment):
    """Exit code and the checks by name."""
    ended = CliRunner().invoke(main, ["doctor", "--json", *map(str, flags)], env=environment)
    return ended.exit_code, {each["check"]: each for each in json.loads(ended.output)["checks"]}


def digests(folder):
    """Of every file."""
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.iterdir()
        if each.is_file()
    }


@pytest.fixture
def running(tmp_path, database):
    """An open Shopward that owns its store, with an event and a key."""
    settings = Settings(data=str(tmp_path / "data"), database=database)
    with Shopward.open(settings) as shop:
        open_keys(settings.folder, shop.clock)
        shop.decide(event(1))
        settings.folder.chmod(0o700)
        yield shop


def flags_of(shop):
    """Where it is."""
    return ("--data", shop.settings.data, "--database", shop.settings.database)


def test_a_running_shop_is_looked_at_and_left_as_it_is(running):
    """Nothing unsafe, nothing changed, nothing locked: it decides on."""
    before = digests(running.settings.folder)
    code, checks = doctor(*flags_of(running))
    assert (code, checks["database"]["level"], checks["keys"]["level"]) == (0, "ok", "ok"), checks
    assert "holds 1 events" in checks["database"]["says"]
    assert checks["webhooks"]["says"] == "nobody is told when an attack begins"
    assert checks["api_keys"]["level"] == "warn"
    assert checks["staff"]["says"].endswith("cannot meet a challenge: first")
    assert digests(running.settings.folder) == before
    running.decide(event(2))


def test_a_key_that_others_can_read_is_unsafe_until_it_is_mended(running):
    """The doctor says the command and leaves it to a person."""
    key = running.settings.folder / "token.key"
    key.chmod(0o644)
    code, checks = doctor(*flags_of(running))
    assert (code, checks["folder"]["level"]) == (1, "unsafe")
    assert checks["folder"]["mend"] == "chmod 600 token.key"
    assert key.stat().st_mode & 0o777 == 0o644
    key.chmod(0o600)
    assert doctor(*flags_of(running))[0] == 0


def test_a_lost_key_is_unsafe(running):
    """Beside what was made under it; before a restart finds out."""
    (running.settings.folder / "token.key").unlink()
    code, checks = doctor(*flags_of(running))
    assert (code, checks["keys"]["says"]) == (1, "token.key is missing beside what was made under it")


def test_a_server_open_to_the_world_is_unsafe(tmp_path):
    """Clear text beyond this machine; nothing has to be there yet."""
    code, checks = doctor("--data", tmp_path / "none", "--host", "0.0.0.0")  # noqa: S104 -- what it is about
    assert (code, checks["exposure"]["level"], checks["settings"]["level"]) == (1, "unsafe", "unsafe")
    assert not (tmp_path / "none").exists()


def test_a_database_that_does_not_answer_is_unsafe_and_its_password_stays_here(tmp_path):
    """Nothing could be decided; the URL is repeated nowhere."""
    url = "postgresql://shop:s3cret@127.0.0.1:9/none"
    ended = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path), "--database", url])
    assert ended.exit_code == 1
    assert "UNSAFE   database" in ended.output
    assert "s3cret" not in ended.output


def test_a_policy_that_does_not_compile_is_unsafe(tmp_path):
    """Said before a restart refuses it."""
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "policy.toml").write_text("name = 3")
    code, checks = doctor("--data", tmp_path / "none", "--policy", policy)
    assert (code, checks["policy"]["level"]) == (1, "unsafe")
