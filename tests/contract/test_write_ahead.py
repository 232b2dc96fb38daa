"""The write-ahead file of SQLite stays short while a log is written, and no append waits for its copying."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from contract.conftest import Place
from contract.logs import entries, opened

MEBIBYTE = 1024 * 1024


@pytest.fixture
def place(tmp_path):
    """A fresh SQLite store."""
    return Place("sqlite", f"sqlite:///{tmp_path / 'log.db'}", tmp_path)


def write_ahead(place):
    """Its write-ahead file."""
    return place.db.with_name(place.db.name + "-wal")


def written(log, groups, *, first=1, size=64):
    """Append groups of some 100 kB; the next position."""
    for start in range(first, first + groups * size, size):
        log.append(entries(start, start + size - 1, size=1_500))
    return first + groups * size


def copiers():
    """The threads that copy."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("shopward-wal")]


def test_the_file_stays_short_and_nothing_is_missing(place):
    """Forty megabytes of entries go through a file of a few, and a reader of the database alone has them all."""
    with opened(place) as log:
        after = written(log, 400)
        assert write_ahead(place).stat().st_size < 14 * MEBIBYTE  # SQLite by itself: 15.7
        assert place.db.stat().st_size > 20 * MEBIBYTE
    assert not write_ahead(place).exists()
    with opened(place, claim=False) as log:
        assert log.last_seq() == after - 1
        assert len(log.read(after_seq=0, limit=after)) == after - 1


def test_a_reader_that_stays_holds_up_no_append(place):
    """Who reads for long keeps the file from beginning anew; appends go on, and what was read stays as it was."""
    with opened(place) as log:
        after = written(log, 10)
        reader = sqlite3.connect(place.db, isolation_level=None)
        reader.execute("BEGIN")
        (seen,) = reader.execute("SELECT last_seq FROM log_head").fetchone()
        after = written(log, 150, first=after)
        assert reader.execute("SELECT last_seq FROM log_head").fetchone() == (seen,)
        reader.close()
        after = written(log, 150, first=after)
        assert log.last_seq() == after - 1


def test_a_closed_log_leaves_no_thread(place):
    """The thread that copies ends with the claim."""
    with opened(place) as log:
        written(log, 150)
        assert copiers()
    assert not copiers()
