"""``shopward audit``: 0 intact, 1 broken, 2 wrong use; it reads without writing and without stopping anybody."""

from __future__ import annotations

import json
import sqlite3

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, text, update

from audit.conftest import KEY, say
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, import_checkpoint
from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head
from shopward.cli.audit import audit


@pytest.fixture
def run(place, tmp_path, story):
    """A function that runs a command on the stored story with its key."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "audit.key").write_bytes(bytes(range(32)))

    def go(*words, url=place.url, folder=data):
        return CliRunner().invoke(audit, [*map(str, words), "--data", str(folder), "--database", url])

    return go


@pytest.fixture
def kept(run, tmp_path):
    """A checkpoint that was kept elsewhere; it is entry 21."""
    file = tmp_path / "elsewhere" / "kept.json"
    result = run("checkpoint", "--out", file)
    assert result.exit_code == 0, result.output
    assert import_checkpoint(file.read_bytes()).seq == 21
    return file


def test_an_intact_log(run, kept):
    """Both formats say so."""
    result = run("verify", "--checkpoint", kept)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("intact: 21 entries, 5 checkpoints, signed up to entry 21; reaches")
    told = json.loads(run("verify", "--json").stdout)
    assert (told["ok"], told["entries"], told["fault"], told["held_against_seq"]) == (True, 21, None, None)


def test_a_broken_log(run, engine):
    """The entry is named, with what was expected and found, and the exit code is 1."""
    with engine.begin() as connection:
        connection.execute(update(audit_entry).where(audit_entry.c.seq == 9).values(actor="k:2"))
    result = run("verify")
    assert result.exit_code == 1
    assert result.stdout.startswith("BROKEN at entry 9: altered\n  expected: hash ")
    told = json.loads(run("verify", "--json").stdout)
    assert (told["ok"], told["fault"]["seq"], told["fault"]["kind"]) == (False, 9, "altered")


def test_a_cut_off_tail(run, kept, engine):
    """Found with the file and, as the page says, only with the file."""
    with engine.begin() as connection:
        connection.execute(delete(audit_entry).where(audit_entry.c.seq > 6))
        connection.execute(delete(audit_checkpoint).where(audit_checkpoint.c.seq > 6))
        (last,) = AuditTrail().read(connection, after_seq=5, limit=1)
        connection.execute(update(audit_head).values(last_seq=6, hash=last.hash))
    assert run("verify").exit_code == 0
    result = run("verify", "--checkpoint", kept)
    assert result.exit_code == 1
    assert "BROKEN at entry 7: cut" in result.stdout


def test_an_auditor_without_the_data_folder(run, kept, tmp_path):
    """The key of the kept file is enough; without either nothing is said."""
    assert run("verify", "--checkpoint", kept, folder=tmp_path / "none").exit_code == 0
    result = run("verify", folder=tmp_path / "none")
    assert result.exit_code == 2
    assert "--checkpoint" in result.stderr
    assert not (tmp_path / "none").exists()


def test_another_key_in_the_data_folder(run, kept, tmp_path):
    """A log and a file that this key did not sign are not intact; and no checkpoint is made without the key."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "audit.key").write_bytes(bytes(32))
    assert run("verify", folder=tmp_path / "other").exit_code == 1
    assert run("verify", "--checkpoint", kept, folder=tmp_path / "other").exit_code == 1
    assert run("checkpoint", "--out", tmp_path / "x.json", folder=tmp_path / "lost").exit_code == 2
    assert not (tmp_path / "x.json").exists()


def test_wrong_use(run, tmp_path):
    """Exit code 2 and a reason; nothing is made on the way, and no password is repeated."""
    (tmp_path / "no.json").write_text("{}")
    missing = tmp_path / "missing.db"
    assert run("verify", "--checkpoint", tmp_path / "no.json").exit_code == 2
    assert run("verify", "--checkpoint", tmp_path / "nowhere.json").exit_code == 2
    assert run("verify", "--nonsense").exit_code == 2
    assert run("checkpoint").exit_code == 2
    for url in (
        f"sqlite:///{missing}",
        "nonsense",
        "mysql://u:geheim@h/d",
        "postgresql://u:geheim@127.0.0.1:1/d",
    ):
        result = run("verify", url=url)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("shopward: ")
        assert "geheim" not in result.output
    assert not missing.exists()


def test_a_store_without_the_tables(run, tmp_path):
    """An older store is told apart from a broken one."""
    file = tmp_path / "old.db"
    sqlite3.connect(file).close()
    result = run("verify", url=f"sqlite:///{file}")
    assert result.exit_code == 2
    assert "start shopward serve once" in result.stderr


def test_reading_does_not_wait_for_a_writer_nor_stop_one(run, engine):
    """With a deed under way the log is verified as it was before, and the deed commits."""
    with engine.connect() as connection, connection.begin():
        say(AuditTrail(signer=KEY), connection, 99)
        told = json.loads(run("verify", "--json").stdout)
        assert (told["ok"], told["entries"]) == (True, 20)
    assert json.loads(run("verify", "--json").stdout)["entries"] == 21


def test_a_corrupt_database_file_is_broken(sqlite_place, tmp_path, run):
    """Pages that are no pages any more are not "try again"."""
    file = tmp_path / "corrupt.db"
    engine = open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit_head (tenant TEXT PRIMARY KEY)"))
    engine.dispose()
    file.write_bytes(b"\xff" * 65_536)
    assert run("verify", url=f"sqlite:///{file}").exit_code == 1
