"""A store that fails: commits without an answer, lost sessions, full disks, damaged and foreign files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from contract.logs import Worker, entries, opened
from shopward.adapters.sql import SqlEventLog
from shopward.errors import StoreLocked, StoreUnavailable


class Flaky:
    """A connection that breaks at COMMIT, before or after the database heard it."""

    def __init__(self, connection, error, *, heard):
        self.connection = connection
        self.error = error
        self.heard = heard

    def execute(self, text, values=()):
        """Break at COMMIT."""
        if text == "COMMIT":
            if self.heard:
                self.connection.execute(text)
            self.connection.close()
            raise self.error
        return self.connection.execute(text, values)

    def __getattr__(self, name):
        return getattr(self.connection, name)


def break_at_commit(place, log, *, heard):
    """Let the next COMMIT break."""
    if place.engine == "sqlite":
        import sqlite3  # noqa: PLC0415

        error = sqlite3.OperationalError("disk I/O error: a secret row")
    else:
        import psycopg  # noqa: PLC0415

        error = psycopg.OperationalError("server closed the connection: a secret row")
    log._owner._writer = Flaky(log._owner._writer, error, heard=heard)


def test_a_commit_without_an_answer_that_was_recorded_is_a_success(place, log):
    """The outcome is looked up, so that a recorded group is not called lost."""
    log.append(entries(1, 1))
    break_at_commit(place, log, heard=True)
    log.append(entries(2, 3))
    log.append(entries(4, 4))
    assert log.read(after_seq=0, limit=9) == entries(1, 4)


def test_a_commit_that_was_not_heard_is_not_recorded(place, log):
    """``StoreUnavailable`` means that nothing of the group is there, and the same group may be sent again."""
    log.append(entries(1, 1))
    break_at_commit(place, log, heard=False)
    with pytest.raises(StoreUnavailable) as caught:
        log.append(entries(2, 3))
    assert caught.value.code == "store_unavailable"
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
    assert log.last_seq() == 1
    log.append(entries(2, 3))
    assert log.read(after_seq=0, limit=9) == entries(1, 3)


@pytest.mark.parametrize("heard", [True, False])
def test_an_unknown_outcome_is_said_and_settled_before_the_next_append(place, log, heard, monkeypatch):
    """Where the outcome cannot be looked up, the owner goes on only if nothing had been recorded."""
    log.append(entries(1, 1))
    break_at_commit(place, log, heard=heard)
    error = log._owner._writer.error
    with monkeypatch.context() as patch:
        patch.setattr(type(log._owner._driver), "writer", lambda _self: (_ for _ in ()).throw(error))
        for code in ("store_outcome_unknown", "store_unavailable"):
            with pytest.raises(StoreUnavailable) as caught:
                log.append(entries(2, 3))
            assert caught.value.code == code
    if heard:
        with pytest.raises(StoreLocked):
            log.append(entries(2, 3))
        assert log.last_seq() == 3
    else:
        log.append(entries(2, 3))
        assert log.read(after_seq=0, limit=9) == entries(1, 3)


def test_lost_sessions_are_replaced(pg_place):
    """When PostgreSQL ends every session, the next append and the next read go on."""
    with opened(pg_place) as log:
        log.append(entries(1, 2))
        log.read(after_seq=0, limit=1)
        pg_place.admin(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE application_name = 'shopward' AND pid = ANY(%s)",
            [log._owner._writer.info.backend_pid, log._readers._local.reader._connection.info.backend_pid],
        )
        assert len(log.read(after_seq=0, limit=9)) == 2
        log.append(entries(3, 3))
        assert log.last_seq() == 3
        with opened(pg_place, claim=False) as second, pytest.raises(StoreLocked):
            second.claim()


def test_an_owner_that_lost_its_session_to_another_is_stopped(pg_place):
    """A new session is the owner's only while the epoch is."""
    with opened(pg_place) as old:
        old.append(entries(1, 1))
        pg_place.break_lock(old._owner._writer.info.backend_pid)
        with opened(pg_place) as new:
            new.append(entries(2, 2))
        with pytest.raises(StoreLocked):
            old.append(entries(2, 2))
        assert old.last_seq() == 2


def test_an_unreachable_database_is_unavailable_and_names_no_password():
    """Nobody listens: the error says when to try again, and not how we would have logged in."""
    with pytest.raises(StoreUnavailable) as caught:
        SqlEventLog.open("postgres://shop:geheim@127.0.0.1:1/shop")
    assert "geheim" not in repr(vars(caught.value))
    assert "cannot be reached" in caught.value.message
    assert caught.value.__context__ is None
    assert caught.value.retry_after_s


def test_a_full_disk_is_unavailable_and_the_log_goes_on_afterwards(sqlite_place):
    """A file that may not grow refuses the group whole; with room again the same group is recorded."""
    with opened(sqlite_place) as log:
        log.append(entries(1, 5))
        log._owner._writer.execute("PRAGMA max_page_count = 1")  # no more than it has
        group = entries(6, 205, size=2_000)
        with pytest.raises(StoreUnavailable) as caught:
            log.append(group)
        assert caught.value.found == "SQLITE_FULL"
        assert "full" in caught.value.message
        assert log.read(after_seq=0, limit=999) == entries(1, 5)
        assert (
            log._owner._writer is None
        )  # SQLite ended the transaction itself: the next connection has no limit
        log.append(group)
        assert log.last_seq() == 205


def test_a_file_size_limit_is_unavailable_and_the_log_goes_on_afterwards(sqlite_place):
    """The kernel refuses to write: what was answered stays, and with the limit gone the log goes on."""
    worker = Worker(sqlite_place)
    worker.answer()
    worker.ask("claim")
    worker.ask("append 3")
    worker.ask("limit 400000")
    assert worker.ask("fill")[:2] == ["error", "store_unavailable"]
    assert worker.ask("append 1")[1] in {"store_unavailable"} | {str(n) for n in range(100)}
    worker.ask("limit -1")
    words = worker.ask("append 2")
    assert words[0] == "ok"
    worker.kill()
    with opened(sqlite_place) as log:
        read = log.read(after_seq=0, limit=9_999)
        assert [e.seq for e in read] == list(range(1, int(words[1]) + 1))


def test_a_file_that_is_no_database_is_refused(sqlite_place):
    """Garbage where the database should be is called corrupt, and is not overwritten."""
    sqlite_place.directory.mkdir()
    sqlite_place.db.write_bytes(b"garbage " * 1000)
    with pytest.raises(StoreUnavailable) as caught:
        SqlEventLog.open(sqlite_place.url)
    assert caught.value.found == "SQLITE_NOTADB"
    assert sqlite_place.db.read_bytes() == b"garbage " * 1000


def test_damaged_pages_are_called_corrupt(sqlite_place):
    """Reading a damaged file is an error and never a shorter log."""
    with opened(sqlite_place) as log:
        log.append(entries(1, 300, size=500))
    with sqlite_place.db.open("r+b") as file:
        file.seek(-4096 * 20, os.SEEK_END)  # where the newest pages of the log are
        file.write(b"\xa5" * 4096 * 20)
    with opened(sqlite_place, claim=False) as log, pytest.raises(StoreUnavailable) as caught:
        log.read(after_seq=0, limit=999)
    assert caught.value.found.startswith("SQLITE_CORRUPT")
    assert "restore" in caught.value.hint


def test_a_directory_that_may_not_be_read_is_unavailable(sqlite_place):
    """A store whose directory belongs to somebody else is refused in words."""
    with opened(sqlite_place) as log:
        log.append(entries(1, 1))
    sqlite_place.directory.chmod(0)
    program = (
        "import os, sys; from shopward.adapters.sql import SqlEventLog\n"
        "from shopward.errors import StoreUnavailable\n"
        "os.getuid() or os.setuid(65534)\n"
        "try: SqlEventLog.open(sys.argv[1])\n"
        "except StoreUnavailable as error: print(error)\n"
    )
    try:
        said = subprocess.run(
            [sys.executable, "-c", program, sqlite_place.url], capture_output=True, text=True, check=True
        ).stdout
    finally:
        sqlite_place.directory.chmod(0o700)
    assert "cannot be opened" in said
    assert "directory" in said


def test_files_are_private(sqlite_place):
    """Nobody but the owner reads a log, whatever the umask is or an earlier copy had."""
    before = os.umask(0)
    try:
        with opened(sqlite_place) as log:
            log.append(entries(1, 1))
            modes = {path.name: path.stat().st_mode & 0o777 for path in sqlite_place.directory.iterdir()}
        sqlite_place.db.chmod(0o644)
        with opened(sqlite_place):
            assert sqlite_place.db.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert sqlite_place.directory.stat().st_mode & 0o777 == 0o700


def test_sqlite_is_set_up_to_be_durable(sqlite_place):
    """The settings that the promise rests on are in force on the connection that appends."""
    with opened(sqlite_place) as log:
        asked = [
            log._owner._writer.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert asked == ["wal", 2, 1, 5000]


def test_every_lookup_uses_its_index(sqlite_place):
    """SQLite without statistics still looks up, and does not read the whole log."""
    with opened(sqlite_place) as log:
        sql = log._sql
        plans = {
            name: str(log._owner._writer.execute(f"EXPLAIN QUERY PLAN {statement.text}", values).fetchall())
            for name, statement, values in (
                ("event_id=?", sql.find, sql.find.values(t="main", keys="[]")),
                ("first_seq=?", sql.pages, sql.pages.values(t="main", keys="[]")),
                (
                    "user_token=? AND first_seq<?",
                    sql.timeline,
                    sql.timeline.values(t="main", u="u", s=1, n=1),
                ),
                ("first_seq>? AND first_seq<?", sql.read, sql.read.values(t="main", s=1, until=2)),
                ("tenant=?", sql.newest, sql.newest.values(t="main")),
            )
        }
    assert all(wanted in plan for wanted, plan in plans.items()), plans
