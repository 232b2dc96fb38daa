"""What every ``ports.EventLog`` promises, on SQLite and on PostgreSQL: what is recorded is found; what is refused leaves nothing."""

from __future__ import annotations

import threading

import msgspec
import pytest
from msgspec.structs import replace

from contract.log_worker import entry
from contract.logs import entries, opened
from shopward.adapters.sql import SqlEventLog, tail
from shopward.errors import Conflict, InvalidField, Misconfigured, StoreError, StoreLocked


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


def test_spans_hold_what_is_read(log):
    """Whole pages, in order: facts and decisions as they were recorded, and whether all of it is events."""
    group = entries(1, 150)
    log.append(group)
    log.append([replace(entry(151), kind="order"), *entries(152, 153)])
    spans = log.spans(after_seq=0, limit=1_000)
    assert [(span.first_seq, span.last_seq, span.is_events) for span in spans] == [
        (1, 64, True), (65, 128, True), (129, 150, True), (151, 153, False),
    ]  # fmt: skip
    held = [each for span in spans[:3] for each in msgspec.json.decode(span.facts)]
    assert held == [msgspec.json.decode(each.facts) for each in group]
    told = [each for span in spans[:3] for each in msgspec.json.decode(span.decisions)]
    assert told == [msgspec.json.decode(each.decision or b"null") for each in group]
    assert log.spans(after_seq=64, limit=64) == spans[1:2]
    assert log.spans(after_seq=10, limit=100) == []
    assert log.spans(after_seq=153, limit=100) == []


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


@pytest.mark.parametrize("each", [1, 2])
def test_a_long_timeline_is_read_to_its_end(log, each):
    """Over more pages than are held at once, one or two of a user's on each: all of them, newest first, from any position."""
    for page in range(120):
        mine = [
            replace(entry(page * 3 + number), user_token=f"u{int(number > each)}") for number in (1, 2, 3)
        ]
        log.append(mine)
    theirs = [seq for page in reversed(range(120)) for seq in range(page * 3 + each, page * 3, -1)]
    for limit in (1, 49, 50, 51, 101, 119, 1_000):
        assert [e.seq for e in log.timeline("u0", before_seq=None, limit=limit)] == theirs[:limit]
    at = theirs[60]
    assert [e.seq for e in log.timeline("u0", before_seq=at, limit=55)] == theirs[61:116]


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


def test_generations_grow_with_the_log(place, monkeypatch):
    """The index is written in longer generations as the log grows, up to a bound; what is in each is found, also after a start."""
    assert tail.generation_after(0) == tail.generation_after(200_000) == tail.GENERATION
    assert (
        tail.GENERATION < tail.generation_after(600_000) < tail.generation_after(10**9) == tail.GENERATION_MAX
    )
    for name, number in {"GENERATION": 4, "GENERATIONS": 2, "GENERATION_MAX": 64}.items():
        monkeypatch.setattr(tail, name, number)
    with opened(place) as log:
        for first in range(1, 700, 7):
            log.append(entries(first, first + 6))
        assert log._tail.indexed_seq > 500
    with opened(place) as log:
        log.append(entries(701, 701))
        ids = [f"e{seq}" for seq in range(1, 702)]
        assert log.find(ids).keys() == set(ids)
        assert [e.seq for e in log.timeline("u2", before_seq=None, limit=999)] == list(range(701, 0, -3))


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
