"""What every ``ports.SnapshotStore`` promises, and what the file refuses."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shopward.adapters.snapshots import FORMAT_VERSION, MAGIC, FileSnapshots, NoSnapshots
from shopward.errors import SnapshotInvalid, StoreUnavailable
from shopward.ports import Snapshot

OLD = Snapshot(seq=41, schema="0123abcd", state=b"old state")
NEW = Snapshot(seq=42, schema="0123abcd", state=bytes(range(256)))


@pytest.fixture
def path(tmp_path):
    """Where the snapshot is kept; the directory is not there yet."""
    return tmp_path / "state" / "snapshot"


@pytest.fixture
def store(path):
    """An empty store."""
    return FileSnapshots(path)


def test_none_kept_is_none(store):
    """Before the first save there is nothing, and that is no error."""
    assert store.load() is None


@pytest.mark.parametrize(
    "snapshot", [OLD, NEW, Snapshot(seq=0, schema="", state=b""), Snapshot(1, "ä🦊", b"\0" * 99_999)]
)
def test_what_is_saved_is_loaded_equal(store, path, snapshot):
    """A snapshot comes back as it was, also in another process."""
    store.save(OLD)
    store.save(snapshot)
    assert store.load() == snapshot
    assert FileSnapshots(str(path)).load() == snapshot


def test_the_null_twin_keeps_nothing():
    """``NoSnapshots`` takes everything and has nothing."""
    store = NoSnapshots()
    store.save(NEW)
    assert store.load() is None


def test_files_are_private_and_nothing_else_stays(store, path):
    """One file with mode 0600 in a directory with 0700."""
    store.save(OLD)
    store.save(NEW)
    assert [(p.name, p.stat().st_mode & 0o777) for p in path.parent.iterdir()] == [("snapshot", 0o600)]
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_any_flipped_byte_is_refused(store, path):
    """No single changed byte, in any of several ways, is taken for a snapshot."""
    store.save(NEW)
    good = path.read_bytes()
    for position in range(len(good)):
        for change in (0x01, 0x80, 0xFF):
            bad = bytearray(good)
            bad[position] ^= change
            path.write_bytes(bad)
            with pytest.raises(SnapshotInvalid):
                store.load()
    path.write_bytes(good)
    assert store.load() == NEW


def test_any_other_length_is_refused(store, path):
    """Cut off anywhere, empty, or with something behind it, it is refused."""
    store.save(NEW)
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(SnapshotInvalid):
            store.load()
    path.write_bytes(good + b"\0")
    with pytest.raises(SnapshotInvalid):
        store.load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut off"),
        (MAGIC, "cut off"),
        (b"PK\x03\x04 something else entirely, and long enough to have a header of ours" * 2, "no snapshot"),
        (MAGIC + (FORMAT_VERSION + 1).to_bytes(4, "big") + b"\0" * 80, "another version"),
        (MAGIC + FORMAT_VERSION.to_bytes(4, "big") + b"\xff" * 80, "wrong length"),
    ],
)
def test_a_refusal_says_what_was_found(store, path, content, message):
    """Each kind of wrong file has its own words, and a way out."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SnapshotInvalid) as caught:
        store.load()
    assert message in caught.value.message
    assert caught.value.expected
    assert caught.value.found
    assert "rebuilt from the log" in caught.value.hint


def test_a_save_that_fails_leaves_the_old_one(store, path):
    """Where the file may not grow, the old snapshot stays and no half of the new one does."""
    store.save(OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreUnavailable) as caught:
            store.save(Snapshot(seq=43, schema="0123abcd", state=b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.__context__ is None
    assert store.load() == OLD
    assert [p.name for p in path.parent.iterdir()] == ["snapshot"]


def test_a_place_that_is_no_file_is_unavailable(tmp_path):
    """A directory in the way is neither "no snapshot" nor a corrupt one."""
    (tmp_path / "snapshot").mkdir()
    store = FileSnapshots(tmp_path / "snapshot")
    for attempt in (store.load, lambda: store.save(OLD)):
        with pytest.raises(StoreUnavailable):
            attempt()


def test_a_link_in_the_way_is_not_followed(store, path, tmp_path):
    """Nobody who can make a link in the directory makes us overwrite another file."""
    path.parent.mkdir()
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    path.with_name("snapshot.new").symlink_to(other)
    with pytest.raises(StoreUnavailable):
        store.save(OLD)
    assert other.read_bytes() == b"precious"
    store.save(NEW)
    assert store.load() == NEW


def test_kill_9_while_saving_leaves_a_whole_one(store, path):
    """After SIGKILL at any moment, what loads is one of the snapshots that were being saved, not older than known."""
    program = (
        "import sys; from shopward.adapters.snapshots import FileSnapshots; from shopward.ports import Snapshot\n"
        "store = FileSnapshots(sys.argv[1]); seq = int(sys.argv[2])\n"
        "while True:\n"
        "    seq += 1; store.save(Snapshot(seq, 's', seq.to_bytes(8, 'big') * 40_000)); print(seq, flush=True)\n"
    )
    seq = 0
    for delay in range(10):
        process = subprocess.Popen([sys.executable, "-c", program, path, str(seq)], stdout=subprocess.PIPE)
        saved = [process.stdout.readline()]
        time.sleep(0.003 * delay)
        process.send_signal(signal.SIGKILL)
        saved += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        kept = store.load()
        assert kept.seq >= int([line for line in saved if line.endswith(b"\n")][-1])
        assert kept.state == kept.seq.to_bytes(8, "big") * 40_000
        seq = kept.seq


def test_a_save_is_on_the_disk_in_the_right_order(store, path, monkeypatch):
    """The file reaches the disk before it gets its name, and the name before ``save`` returns."""
    done = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: (done.append(f"fsync {Path(f'/proc/self/fd/{fd}').readlink().name}"), fsync(fd)),
    )
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (done.append(f"rename {to.name}"), replace(self, to))[1]
    )
    store.save(NEW)
    assert done == ["fsync snapshot.new", "rename snapshot", f"fsync {path.parent.name}"]
