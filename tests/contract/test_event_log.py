"""What every ``ports.EventLog`` promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from msgspec.structs import replace

from contract.log_worker import entry
from shopward.adapters.sql import SqlEventLog, tail
from shopward.errors import Conflict, InvalidField, Misconfigured, StoreError, StoreLocked, StoreUnavailable

WORKER = Path(__file__).with_name("log_worker.py")


def entries(first, last, **options):
    """Entries of consecutive positions."""
    return [entry(seq, **options) for seq in range(first, last + 1)]


@contextlib.contextmanager
def opened(place, *, claim=True, tenant="main"):
    """A log of a place, closed at the end."""
    log = SqlEventLog.open(place.url, tenant=tenant)
    try:
        if claim:
            log.claim()
        yield log
    finally:
        log.close()


@pytest.fixture
def log(place):
    """A claimed, empty log."""
    with opened(place) as it:
        yield it


class Worker:
    """Another process with the same log."""

    def __init__(self, place):
        self.process = subprocess.Popen(
            [sys.executable, WORKER, place.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answer(self):
        """Its next line, in words."""
        return self.process.stdout.readline().split()

    def send(self, command):
        """Tell it something."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, command):
        """Tell it something and hear the answer."""
        self.send(command)
        return self.answer()

    def kill(self):
        """SIGKILL, and whatever it still had said."""
        self.process.send_signal(signal.SIGKILL)
        rest = self.process.stdout.read()
        self.close()
        return rest

    def close(self):
        """End it."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


@pytest.fixture
def start(place):
    """Start workers on the place; none is left at the end."""
    workers = []

    def go():
        worker = Worker(place)
        workers.append(worker)
        return worker

    yield go
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.kill()
            worker.close()


def claimed_within(log, seconds):
    """Claim as soon as the database has noticed that the last owner is dead."""
    until = time.monotonic() + seconds
    while True:
        try:
            return log.claim()
        except StoreLocked:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


# What is recorded is found.


def test_a_new_log_is_empty(log):
    """A fresh store has position 0 and finds nothing."""
    assert log.last_seq() == 0
    assert log.find(["e1"]) == {}
    assert log.find([]) == {}
    assert log.read(after_seq=0, limit=10) == []
    assert log.timeline("u1", before_seq=None, limit=10) == []


@pytest.mark.parametrize("count", [1, 7, 8, 500])
def test_what_is_appended_is_read_back_equal(log, count):
    """Every field of every entry comes back, whichever way the group was inserted."""
    group = entries(1, count)
    log.append(group)
    assert log.last_seq() == count
    assert log.read(after_seq=0, limit=1000) == group
    assert log.find([e.event_id for e in group] + ["unknown"]) == {e.event_id: e for e in group}


def test_texts_survive_as_they_are(log):
    """Umlauts, emoji, quotes and backslashes are neither changed nor mixed up."""
    group = [
        replace(
            entry(1),
            event_id="ä'\"\\%s{}:x🦊",
            facts='{"t":"ü\\u0000\\n🦊"}'.encode(),
            personal=bytes(range(256)),
        )
    ]
    log.append(group)
    assert log.read(after_seq=0, limit=2) == group
    assert log.find([group[0].event_id]) == {group[0].event_id: group[0]}


def test_read_goes_on_where_it_stopped(log):
    """Pages of a read join up without gap or overlap."""
    log.append(entries(1, 25))
    pages = [log.read(after_seq=after, limit=10) for after in (0, 10, 20, 25)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [e for page in pages for e in page] == entries(1, 25)
    assert log.read(after_seq=-5, limit=1) == entries(1, 1)
    assert log.read(after_seq=2**70, limit=2**70) == []
    assert log.read(after_seq=0, limit=-1) == []


def test_a_timeline_is_newest_first_and_of_one_user(log):
    """A timeline pages backwards through one user's entries and nobody else's."""
    log.append(entries(1, 30))
    assert [e.seq for e in log.timeline("u1", before_seq=None, limit=3)] == [28, 25, 22]
    assert [e.seq for e in log.timeline("u1", before_seq=22, limit=3)] == [19, 16, 13]
    assert log.timeline("u9", before_seq=None, limit=3) == []


def test_no_user_has_no_timeline(log):
    """Entries without a user are not the timeline of an empty token."""
    log.append([replace(entry(1), user_token="")])
    assert log.timeline("", before_seq=None, limit=3) == []
    assert log.timeline("u\0", before_seq=None, limit=3) == []


def test_an_empty_group_is_nothing(log):
    """Appending nothing records nothing and is no error."""
    log.append([])
    assert log.last_seq() == 0


def test_a_log_outlives_its_process(place):
    """What was recorded is there after closing and opening again, and goes on from there."""
    with opened(place) as log:
        log.append(entries(1, 5))
    with opened(place) as log:
        assert log.read(after_seq=0, limit=10) == entries(1, 5)
        log.append(entries(6, 7))
        assert log.last_seq() == 7


def test_what_left_the_memory_is_found_in_the_index(log, monkeypatch):
    """Ids and users are found whichever of memory, a half written generation and the index tables knows them."""
    monkeypatch.setattr(tail, "GENERATION", 100)
    for first in range(1, 1_000, 30):
        log.append(entries(first, first + 29))
        assert log.find(["e1", f"e{first}", f"e{first + 29}"]).keys() == {"e1", f"e{first}", f"e{first + 29}"}
        assert [e.seq for e in log.timeline("u1", before_seq=None, limit=2_000)] == [
            seq for seq in range(first + 29, 0, -1) if seq % 3 == 1
        ]
    assert log._tail.indexed_seq > 500
    with pytest.raises(Conflict):
        log.append([replace(entry(1021), event_id="e2")])


def test_tenants_do_not_see_each_other(place):
    """Two tenants in one store have their own positions, ids and owners."""
    with opened(place, tenant="a") as a, opened(place, tenant="b") as b:
        a.append(entries(1, 3))
        b.append(entries(1, 1))
        assert (a.last_seq(), b.last_seq()) == (3, 1)
        assert b.find(["e2"]) == {}
        assert len(b.timeline("u1", before_seq=None, limit=9)) == 1


def test_readers_see_whole_groups_while_an_owner_appends(log):
    """Readers in other threads never see part of a group, and never a gap."""
    seen, wrong, done = [], [], threading.Event()

    def look():
        while not done.is_set():
            page = log.read(after_seq=0, limit=1000)
            seen.append(len(page))
            if len(page) % 5 or [e.seq for e in page] != list(range(1, len(page) + 1)):
                wrong.append(len(page))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for first in range(1, 200, 5):
        log.append(entries(first, first + 4))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert seen


# What is refused leaves nothing behind.


@pytest.mark.parametrize("positions", [[2], [0], [1, 3], [1, 1], [2, 1], [1, 2, 4]])
def test_a_gap_is_refused(log, positions):
    """A group that does not continue the log without a gap is not recorded."""
    group = [replace(entry(seq), event_id=f"x{i}") for i, seq in enumerate(positions)]
    with pytest.raises(StoreError) as caught:
        log.append(group)
    assert caught.value.path == "seq"
    assert log.last_seq() == 0
    assert log.read(after_seq=0, limit=9) == []


@pytest.mark.parametrize("count", [2, 40])
def test_a_recorded_id_is_a_conflict_and_nothing_is_recorded(log, count):
    """One known id refuses the whole group; the log goes on afterwards."""
    log.append(entries(1, 3))
    group = entries(4, 3 + count)
    group[-1] = replace(group[-1], event_id="e2")
    with pytest.raises(Conflict) as caught:
        log.append(group)
    assert "e2" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert log.last_seq() == 3
    assert log.read(after_seq=0, limit=99) == entries(1, 3)
    log.append(entries(4, 5))
    assert log.last_seq() == 5


@pytest.mark.parametrize("count", [2, 40])
def test_an_id_twice_in_one_group_is_a_conflict(log, count):
    """A group cannot hold the same id twice."""
    group = entries(1, count)
    group[-1] = replace(group[-1], event_id="e1")
    with pytest.raises(Conflict):
        log.append(group)
    assert log.last_seq() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": "a\0b"},
        {"event_id": "x" * 129},
        {"event_id": "\ud800"},
        {"user_token": "x" * 65},
        {"kind": "x" * 17},
        {"digest": b"short"},
        {"facts": b"\xff"},
        {"facts": b'{"a":"\0"}'},
        {"decision": b"\xff"},
        {"at_ms": 2**63},
        {"recorded_ms": -(2**64)},
    ],
)
def test_what_one_engine_could_not_keep_is_refused_on_both(log, change):
    """A value that SQLite would take and PostgreSQL would not, or the reverse, is refused by name."""
    with pytest.raises(InvalidField) as caught:
        log.append([entry(1), replace(entry(2), **change)])
    assert caught.value.path == next(iter(change))
    assert log.last_seq() == 0
    log.append(entries(1, 2))


def test_an_id_that_cannot_be_recorded_is_not_found(log):
    """Looking for an impossible id finds nothing and breaks nothing."""
    log.append(entries(1, 1))
    assert list(log.find(["a\0", "\ud800", "x" * 500, "e1", "e1"])) == ["e1"]


def test_appending_without_a_claim_is_refused(place):
    """Who did not claim does not append."""
    with opened(place, claim=False) as log, pytest.raises(StoreLocked):
        log.append(entries(1, 1))
    with opened(place, claim=False) as log:
        assert log.last_seq() == 0


def test_after_close_nothing_is_appended(place):
    """Closing gives up the claim."""
    with opened(place) as log:
        log.close()
        with pytest.raises(StoreLocked):
            log.append(entries(1, 1))


@pytest.mark.parametrize("tenant", ["", "a/b", "x" * 65, "..", "a b"])
def test_a_tenant_that_is_no_file_name_is_refused(sqlite_place, tenant):
    """The tenant stands in the name of a lock file."""
    with pytest.raises(Misconfigured):
        SqlEventLog.open(sqlite_place.url, tenant=tenant)


# One owner.


def test_a_second_owner_in_the_same_process_is_refused(place, log):
    """Two logs of one process are two owners as well; the refusal says whom to look for."""
    with opened(place, claim=False) as second, pytest.raises(StoreLocked) as caught:
        second.claim()
    assert caught.value.hint
    if place.engine == "sqlite":
        assert caught.value.found == f"process {os.getpid()}"
    log.claim()  # again, by its owner, is no change
    log.append(entries(1, 1))


def test_a_second_owner_in_another_process_is_refused(log, start):
    """Another process opens and reads but does not append."""
    log.append(entries(1, 2))
    worker = start()
    assert worker.answer() == ["ok", "open"]
    assert worker.ask("claim")[:2] == ["error", "store_locked"]
    assert worker.ask("append 1")[:2] == ["error", "store_locked"]
    assert log.last_seq() == 2


def test_a_claim_ends_with_its_process(place, start):
    """SIGKILL frees the claim, and the next owner goes on where the log ends."""
    worker = start()
    worker.answer()
    assert worker.ask("claim") == ["ok", "0"]
    assert worker.ask("append 3") == ["ok", "3"]
    with opened(place, claim=False) as log:
        with pytest.raises(StoreLocked):
            log.claim()
        worker.kill()
        claimed_within(log, 5)
        log.append(entries(4, 4))
        assert log.read(after_seq=0, limit=9) == entries(1, 4)


def test_a_stale_owner_cannot_append(place, start):
    """An owner that lost its lock without noticing is stopped by the epoch, for good."""
    worker = start()
    worker.answer()
    worker.ask("claim")
    assert worker.ask("append 2") == ["ok", "2"]
    place.break_lock(int(worker.ask("pid")[1]) if place.engine == "postgresql" else None)
    with opened(place) as log:
        assert worker.ask("append 1")[:2] == ["error", "store_locked"]
        log.append(entries(3, 3))
        assert worker.ask("append 1")[:2] == ["error", "store_locked"]
        assert log.last_seq() == 3
    assert worker.ask("append 1")[:2] == ["error", "store_locked"]


def test_a_stale_owner_cannot_append_at_the_same_position(place):
    """The epoch alone stops a stale owner, even where positions still agree."""
    with opened(place) as old:
        old.append(entries(1, 2))
        place.break_lock(old._owner._writer.info.backend_pid if place.engine == "postgresql" else None)
        with opened(place) as new:
            assert new.last_seq() == 2
            with pytest.raises(StoreLocked):
                old.append(entries(3, 3))
            assert new.last_seq() == 2


def test_a_log_whose_end_was_cut_off_is_not_continued(place):
    """Rows that are missing at the end are an error at claim, not a silent gap."""
    with opened(place) as log:
        log.append(entries(1, 3))
        log._owner._writer.execute("DELETE FROM log_page WHERE last_seq = 3")
    with opened(place, claim=False) as log:
        with pytest.raises(StoreError) as caught:
            log.claim()
        assert caught.value.expected == "position 3"


def test_kill_9_in_mid_append_loses_nothing_that_was_answered(place, start):
    """After SIGKILL at any moment, every append that returned is there, and groups are whole."""
    chance = random.Random(20260105)
    for _ in range(15 if place.engine == "sqlite" else 6):
        worker = start()
        worker.answer()
        while worker.ask("claim")[0] != "ok":
            time.sleep(0.02)
        worker.send("flood 7")
        answered = [worker.answer()]
        time.sleep(chance.uniform(0, 0.05))
        rest = worker.kill()
        answered += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = max(int(words[1]) for words in answered)
        with opened(place, claim=False) as log:
            claimed_within(log, 5)
            last = log.last_seq()
            assert last >= acknowledged
            assert last % 7 == 0
            assert log.read(after_seq=0, limit=100_000) == entries(1, last)


# A store that fails.


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


# A model.


class LogMachine(RuleBasedStateMachine):
    """The log beside a plain list."""

    place: object = None
    ids = st.text(st.sampled_from("abä🦊'"), min_size=1, max_size=3)

    @initialize()
    def begin(self):
        """An empty store and an empty list."""
        self.here = self.place.fresh()
        self.model = []
        self.log = SqlEventLog.open(self.here.url)
        self.log.claim()
        self.beside = SqlEventLog.open(self.here.url)

    @rule(
        chosen=st.lists(ids, max_size=10), user=st.sampled_from(["", "u1", "u2"]), body=st.binary(max_size=20)
    )
    def append(self, chosen, user, body):
        """A group is recorded whole, or refused whole for an id that is known."""
        last = len(self.model)
        group = [
            replace(entry(last + i), event_id=event_id, user_token=user, personal=body)
            for i, event_id in enumerate(chosen, start=1)
        ]
        known = {e.event_id for e in self.model}
        if len(set(chosen)) < len(chosen) or known & set(chosen):
            with pytest.raises(Conflict):
                self.log.append(group)
        else:
            self.log.append(group)
            self.model += group

    @rule(ahead=st.integers(-3, 3).filter(lambda n: n != 1))
    def append_with_gap(self, ahead):
        """A group from another position is refused."""
        with pytest.raises(StoreError):
            self.log.append([replace(entry(1), seq=len(self.model) + ahead, event_id="gap")])

    @rule(chosen=st.lists(ids, max_size=10))
    def find(self, chosen):
        """The same is found, by the owner and by a reader beside it."""
        for log in (self.log, self.beside):
            assert log.find(chosen) == {e.event_id: e for e in self.model if e.event_id in chosen}

    @rule(after=st.integers(0, 30), limit=st.integers(0, 30))
    def read(self, after, limit):
        """The same is read."""
        assert self.log.read(after_seq=after, limit=limit) == self.model[after : after + limit]
        assert self.log.last_seq() == len(self.model)

    @rule(user=st.sampled_from(["u1", "u2"]), before=st.none() | st.integers(0, 30), limit=st.integers(0, 9))
    def timeline(self, user, before, limit):
        """A timeline is the list, filtered and turned round."""
        theirs = [
            e for e in reversed(self.model) if e.user_token == user and (before is None or e.seq < before)
        ]
        for log in (self.log, self.beside):
            assert log.timeline(user, before_seq=before, limit=limit) == theirs[:limit]

    @rule()
    def restart(self):
        """Nothing is forgotten."""
        self.log.close()
        self.log = SqlEventLog.open(self.here.url)
        self.log.claim()

    def teardown(self):
        """Leave nothing open."""
        if hasattr(self, "log"):
            self.log.close()
            self.beside.close()


@pytest.mark.parametrize("generation", [3, tail.GENERATION])
def test_the_log_behaves_like_a_list(place, generation, monkeypatch):
    """Any sequence of calls gives what a plain list would give, whether the index tables lag behind or not."""
    monkeypatch.setattr(tail, "GENERATION", generation)
    machine = type("Machine", (LogMachine,), {"place": place})
    few = settings(
        max_examples=40 if place.engine == "sqlite" else 6,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
