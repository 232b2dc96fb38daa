"""How a store is opened, made and upgraded, on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
from functools import partial

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec.structs import asdict, replace
from sqlalchemy import column, inspect, table, text

from contract.log_worker import entry
from shopward.adapters.sql import SqlEventLog, bring_up_to_date, migrate, open_engine
from shopward.adapters.sql.schema import VERSION_TABLE, metadata
from shopward.audit.tables import metadata as audit_metadata
from shopward.claims.tables import metadata as claims_metadata
from shopward.complaints.tables import metadata as complaints_metadata
from shopward.conversations.tables import metadata as conversations_metadata
from shopward.errors import Misconfigured, ShopwardError, StoreError, StoreUnavailable
from shopward.findings.tables import metadata as findings_metadata
from shopward.incidents.tables import metadata as incidents_metadata
from shopward.ledger.tables import metadata as ledger_metadata
from shopward.lines.tables import metadata as lines_metadata
from shopward.notices.tables import metadata as notices_metadata
from shopward.outbox.tables import metadata as outbox_metadata
from shopward.partners.tables import metadata as partners_metadata
from shopward.processing.tables import metadata as processing_metadata
from shopward.protection.tables import metadata as protection_metadata
from shopward.publication.tables import metadata as publication_metadata
from shopward.recovery.tables import metadata as recovery_metadata
from shopward.screening.profile.tables import metadata as profile_metadata
from shopward.screening.reports.tables import metadata as reports_metadata
from shopward.ssf.tables import metadata as ssf_metadata
from shopward.stepup.tables import metadata as stepup_metadata
from shopward.training.tables import metadata as training_metadata
from shopward.vault.tables import metadata as vault_metadata

ALL = [
    metadata, audit_metadata, outbox_metadata, protection_metadata, publication_metadata, recovery_metadata,
    stepup_metadata, findings_metadata, ledger_metadata, profile_metadata, claims_metadata, complaints_metadata, processing_metadata, incidents_metadata,
    reports_metadata, vault_metadata, notices_metadata, partners_metadata, ssf_metadata, lines_metadata, conversations_metadata, training_metadata,
]  # fmt: skip
VERSION = table(VERSION_TABLE, column("version_num"))


@pytest.fixture
def engine(place):
    """An engine of a store that has no tables yet."""
    it = open_engine(place.url)
    yield it
    it.dispose()


def test_migrations_make_what_the_code_expects(engine):
    """The tables after all migrations are those of ``schema`` and of every context that keeps its own."""
    bring_up_to_date(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, ALL) == []


def test_every_migration_is_known_to_the_code():
    """The list of revisions that tells "older" from "newer" is the files."""
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    files = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(files)) == migrate.REVISIONS


def test_opening_again_changes_nothing(engine):
    """A store that is up to date is left alone."""
    for _ in range(2):
        bring_up_to_date(engine)
    tables = {name for each in ALL for name in each.tables}
    assert set(inspect(engine).get_table_names()) == {*tables, VERSION_TABLE}


def test_a_newer_store_is_refused_and_not_touched(engine, place):
    """Who goes back to an older version is told what to do, and loses nothing."""
    bring_up_to_date(engine)
    with engine.begin() as connection:
        connection.execute(VERSION.update().values(version_num="9999"))
    with pytest.raises(StoreError) as caught:
        SqlEventLog.open(place.url)
    assert "newer" in caught.value.message
    assert "backup" in caught.value.hint
    assert "9999" in caught.value.found
    with engine.begin() as connection:
        assert connection.scalar(VERSION.select()) == "9999"


def test_an_upgrade_that_fails_leaves_nothing(engine, monkeypatch):
    """A migration is whole or not at all, and is made at the next start."""

    def fail(*_args, **_kwargs):
        raise sqlite3.OperationalError("no")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)
        with pytest.raises(StoreUnavailable):
            bring_up_to_date(engine)
    assert inspect(engine).get_table_names() == []
    bring_up_to_date(engine)
    assert "log_page" in inspect(engine).get_table_names()


def test_a_log_of_rows_becomes_a_log_of_pages(engine, place, monkeypatch):
    """A store of an older version keeps every entry, finds it by id and by user, and goes on from there."""
    old = [
        replace(
            entry(seq), event_id=f"é'{seq}" if seq % 5 else f"o-{seq}", kind="event" if seq % 5 else "order"
        )
        for seq in range(1, 201)
    ]
    with monkeypatch.context() as patch:
        patch.setattr("alembic.command.upgrade", partial(_only_to, "0006_links", command.upgrade))
        bring_up_to_date(engine)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO log VALUES ('main', :seq, :kind, :event_id, :at_ms, :recorded_ms, :digest, "
                 ":user_token, :facts, :personal, :decision)"),
            [asdict(each) | {"facts": each.facts.decode(), "decision": each.decision.decode()} for each in old],
        )  # fmt: skip
        connection.execute(text("INSERT INTO log_head VALUES ('main', 3, 200)"))
    log = SqlEventLog.open(place.url)
    try:
        log.claim()
        assert log.read(after_seq=0, limit=999) == old
        assert log.find([each.event_id for each in old]) == {each.event_id: each for each in old}
        theirs = [each.seq for each in reversed(old) if each.seq < 150 and each.seq % 3 == 1]
        assert [each.seq for each in log.timeline("u1", before_seq=150, limit=9)] == theirs[:9]
        log.append([entry(201)])
        assert log.last_seq() == 201
    finally:
        log.close()
    assert "log" not in inspect(engine).get_table_names()


def _only_to(revision, upgrade, config, _head):
    upgrade(config, revision)


def test_many_processes_may_open_a_new_store_at_once(place):
    """Each of them finds a finished store; none fails because of another."""
    program = (
        "import sys; from shopward.adapters.sql import SqlEventLog; SqlEventLog.open(sys.argv[1]).last_seq()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, place.url], stderr=subprocess.PIPE) for _ in range(4)
    ]
    said = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], said


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "mysql://root:geheim@localhost/shop",
        "postgresql://shop:geheim@host:port/shop",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "sqlite:////tmp/x.db?nolock=1",
    ],
)
def test_a_url_that_cannot_keep_the_promise_is_misconfigured(url):
    """What is no URL, no engine of ours, or no durable file is refused, without repeating the URL."""
    with pytest.raises(Misconfigured) as caught:
        open_engine(url)
    assert "geheim" not in repr(vars(caught.value))
    assert caught.value.__context__ is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg_3(scheme):
    """The URL of a hosting provider works as it is."""
    engine = open_engine(f"{scheme}://u@localhost/d")
    assert (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")


def test_a_missing_extra_is_named(monkeypatch):
    """Without psycopg, PostgreSQL is refused with the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Misconfigured) as caught:
        open_engine("postgresql://u@localhost/d")
    assert caught.value.hint == "pip install 'shopward[postgres]'"


def test_sqlite_needs_no_psycopg():
    """A shop on SQLite does not load the driver of another database."""
    program = (
        "import sys, tempfile; from shopward.adapters.sql import SqlEventLog\n"
        "with tempfile.TemporaryDirectory() as d: SqlEventLog.open(f'sqlite:///{d}/x/log.db').close()\n"
        "assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_file_in_the_way_of_the_directory_is_unavailable(tmp_path):
    """A store below something that is no directory cannot be made."""
    (tmp_path / "file").touch()
    with pytest.raises(ShopwardError) as caught:
        open_engine(f"sqlite:///{tmp_path}/file/log.db")
    assert caught.value.code == "store_unavailable"
    assert caught.value.__context__ is None
