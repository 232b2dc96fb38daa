"""Whatever is done to a stored log, ``verify`` says where; on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, text, update

from audit.conftest import KEY, say
from audit.tampering import after, flips
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, SigningKey, export_checkpoint, import_checkpoint, verify
from shopward.audit.chain import GENESIS
from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head, metadata

ENTRY, SEQ = audit_entry, audit_entry.c.seq
PUBLIC = KEY.public_key


def rows(connection):
    """All entries."""
    return [dict(row) for row in connection.execute(select(ENTRY).order_by(SEQ)).mappings()]


def put(connection, entries, *, head=True):
    """Replace all entries, renumbered from 1, and move the head to their end as somebody careful would."""
    connection.execute(delete(ENTRY))
    entries = [entry | {"seq": seq} for seq, entry in enumerate(entries, 1)]
    connection.execute(insert(ENTRY), entries)
    if head:
        connection.execute(update(audit_head).values(last_seq=len(entries), hash=entries[-1]["hash"]))


def cut(connection, last):
    """Remove every trace of what came after an entry."""
    connection.execute(delete(ENTRY).where(last < SEQ))
    connection.execute(delete(audit_checkpoint).where(audit_checkpoint.c.seq > last))
    kept = connection.scalar(select(ENTRY.c.hash).where(last == SEQ)) or GENESIS
    connection.execute(update(audit_head).values(last_seq=last, hash=kept))


def test_an_untouched_log_is_intact(engine, story):
    """All entries and checkpoints are counted, and the log reaches the kept checkpoint."""
    report = after(engine, lambda _connection: None, PUBLIC, checkpoint=story)
    assert report.intact
    assert (report.entries, report.checkpoints, report.signed_to_seq, report.held_against_seq) == (
        20,
        4,
        20,
        20,
    )
    assert report.last_hash == story.hash.hex()


@pytest.mark.parametrize("table", [ENTRY, audit_head, audit_checkpoint], ids=lambda table: table.name)
def test_every_flipped_byte_is_found(engine, story, table):
    """One flipped bit in any byte of any column of any row of the three tables, and the place is named."""
    found = 0
    with engine.connect() as connection:
        for flip in flips(connection, table):
            assert flip is not None
            row, column, at = flip
            fault = verify(connection, public_key=PUBLIC).fault
            assert fault is not None, (row, column, at)
            if table is ENTRY and column != "seq":
                assert fault.seq == row["seq"]
                assert fault.kind in ({"missing", "cut"} if column == "tenant" else {"altered"})
            if table is audit_checkpoint and column != "seq":
                assert (fault.seq, fault.kind) == (row["seq"], "checkpoint")
            found += 1
        assert verify(connection, public_key=PUBLIC).intact
    assert found > {"audit_entry": 1_500, "audit_head": 43, "audit_checkpoint": 500}[table.name]


def test_a_removed_entry_is_found(engine, story):
    """The gap is named, wherever it is, and also where the rest is renumbered and the head mended."""
    for seq in range(1, 21):
        fault = after(engine, lambda c, seq=seq: c.execute(delete(ENTRY).where(seq == SEQ)), PUBLIC).fault
        assert (fault.seq, fault.kind) in {(seq, "missing"), (seq, "cut")}

        def close_up(connection, seq=seq):
            put(connection, [entry for entry in rows(connection) if entry["seq"] != seq])

        fault = after(engine, close_up, PUBLIC).fault
        assert fault.seq in {seq, seq + 1}
        assert fault.kind in {"altered", "cut"}


def test_entries_in_another_order_are_found(engine, story):
    """Two neighbours that changed places, with their numbers mended."""
    for seq in range(1, 20):

        def swap(connection, seq=seq):
            entries = rows(connection)
            entries[seq - 1], entries[seq] = entries[seq], entries[seq - 1]
            put(connection, entries)

        fault = after(engine, swap, PUBLIC).fault
        assert (fault.seq, fault.kind) == (seq, "altered")


def test_an_entry_told_twice_is_found(engine, story):
    """A copy behind its original, with everything after it moved on."""
    for seq in range(1, 21):

        def double(connection, seq=seq):
            entries = rows(connection)
            put(connection, [*entries[:seq], *entries[seq - 1 :]])

        fault = after(engine, double, PUBLIC).fault
        assert (fault.seq, fault.kind) == (seq + 1, "altered")


@pytest.mark.parametrize("seq", [-(2**63), -1, 0, 21, 22, 2**63 - 1])
def test_a_stray_entry_is_found(engine, story, seq):
    """Entries before the first and after the head are no hiding place."""

    def add(connection):
        connection.execute(insert(ENTRY), rows(connection)[4] | {"seq": seq})

    fault = after(engine, add, PUBLIC).fault
    assert fault.kind in {"extra", "missing", "altered"}
    assert fault.seq in {seq, 21}


def test_a_double_without_a_primary_key_is_found(engine, story):
    """Who drops the key of the table can store a position twice; a page's end does not hide it."""

    def double(connection):
        connection.execute(text("CREATE TABLE copied AS SELECT * FROM audit_entry"))
        connection.execute(text("DROP TABLE audit_entry"))
        connection.execute(text("ALTER TABLE copied RENAME TO audit_entry"))
        connection.execute(text("INSERT INTO audit_entry SELECT * FROM audit_entry WHERE seq = 20"))

    fault = after(engine, double, PUBLIC).fault
    assert (fault.seq, fault.kind) == (20, "extra")


def test_a_checkpoint_that_is_gone_or_alone_is_found(engine, story):
    """An entry without its signature, and a signature without its entry."""
    for seq in (6, 12, 18, 20):
        gone = delete(audit_checkpoint).where(audit_checkpoint.c.seq == seq)
        fault = after(engine, lambda c, gone=gone: c.execute(gone), PUBLIC).fault
        assert (fault.seq, fault.kind) == (seq, "checkpoint")

    def alone(connection, seq):
        copied = connection.execute(select(audit_checkpoint).limit(1)).mappings().one()
        connection.execute(insert(audit_checkpoint), dict(copied) | {"seq": seq})

    for seq in (-3, 0, 5, 7, 21):
        assert after(engine, lambda c, seq=seq: alone(c, seq), PUBLIC).fault.kind in {"checkpoint", "cut"}


def test_a_head_that_is_gone_is_found(engine, story):
    """The head row belongs to the log."""
    fault = after(engine, lambda c: c.execute(delete(audit_head)), PUBLIC).fault
    assert (fault.seq, fault.kind) == (20, "head")


def test_a_cut_off_tail_is_found_with_a_checkpoint_kept_elsewhere(engine, story):
    """A careful cut shows in nothing but the kept file; that limit is told, and the file closes it."""
    for last in (0, 1, 5, 6, 19):

        def shorten(connection, last=last):
            cut(connection, last)

        assert after(engine, shorten, PUBLIC).intact
        fault = after(engine, shorten, PUBLIC, checkpoint=story).fault
        assert (fault.seq, fault.kind) == (last + 1, "cut")


def test_a_careless_cut_is_found_without_it(engine, story):
    """Head or checkpoints that were left behind tell of it."""

    def leave_head(connection):
        connection.execute(delete(ENTRY).where(SEQ > 7))
        connection.execute(delete(audit_checkpoint).where(audit_checkpoint.c.seq > 7))

    def leave_checkpoints(connection):
        left = connection.execute(select(audit_checkpoint)).mappings().all()
        cut(connection, 7)
        connection.execute(delete(audit_checkpoint))
        connection.execute(insert(audit_checkpoint), [dict(row) for row in left])

    assert after(engine, leave_head, PUBLIC).fault.seq == 8
    assert after(engine, leave_checkpoints, PUBLIC).fault.kind == "cut"


@pytest.mark.parametrize(
    "forger", [None, SigningKey(bytes(32)), KEY], ids=["no key", "own key", "stolen key"]
)
def test_a_rewritten_log_is_found_with_a_checkpoint_kept_elsewhere(engine, story, forger):
    """Another story of the same length, linked as it should be, even under the stolen key."""

    def rewrite(connection):
        cut(connection, 0)
        trail = AuditTrail(signer=forger, every=6)
        while (head := connection.scalar(select(func.max(SEQ))) or 0) < 22:
            say(trail, connection, head, subject="o:x")

    without = after(engine, rewrite, PUBLIC)
    assert without.intact == (forger is None or forger is KEY)
    fault = after(engine, rewrite, PUBLIC, checkpoint=story).fault
    assert fault.kind == ("checkpoint" if forger and forger is not KEY else "rewritten")


def test_a_rewritten_end_is_found_up_to_the_kept_checkpoint(engine, story):
    """What follows the last checkpoint can be told anew by who writes the tables; what the file saw cannot."""
    with engine.begin() as connection:
        for number in range(3):
            say(AuditTrail(), connection, number)

    def retell(connection, last):
        cut(connection, last)
        for number in range(5):
            say(AuditTrail(), connection, number, subject="o:x")

    assert after(engine, lambda c: retell(c, 20), PUBLIC, checkpoint=story).intact
    assert after(engine, lambda c: retell(c, 18), PUBLIC).intact
    fault = after(engine, lambda c: retell(c, 18), PUBLIC, checkpoint=story).fault
    assert (fault.seq, fault.kind) == (20, "rewritten")


def test_a_kept_checkpoint_of_another_key_or_tenant_is_refused(engine, story):
    """A file that somebody else signed, that was changed, or that tells of another log proves nothing."""
    for changed in ({"key": bytes(32)}, {"hash": bytes(32)}, {"seq": 19}, {"at_ms": 1}, {"tenant": "other"}):
        kept = import_checkpoint(export_checkpoint(replace(story, **changed)))
        fault = after(engine, lambda _connection: None, PUBLIC, checkpoint=kept).fault
        assert fault.kind == "checkpoint"
    assert after(engine, lambda _c: None, SigningKey(bytes(32)).public_key).fault.seq == 6


def test_a_value_of_another_kind_is_found(sqlite_place):
    """SQLite keeps any kind in any column; equal bytes of another kind are not what was written."""
    engine = open_engine(sqlite_place.url)
    metadata.create_all(engine)
    trail = AuditTrail(signer=KEY, every=2)
    with engine.begin() as connection:
        say(trail, connection, 0)
    changes = [
        "UPDATE audit_entry SET details = CAST(details AS BLOB) WHERE seq = 1",
        "UPDATE audit_entry SET details = CAST(x'ff00fe' AS TEXT) WHERE seq = 1",
        "UPDATE audit_entry SET at_ms = 'soon' WHERE seq = 1",
        "UPDATE audit_entry SET at_ms = 1000.5 WHERE seq = 1",
        "UPDATE audit_entry SET seq = 'one' WHERE seq = 1",
        "UPDATE audit_entry SET hash = 'x' WHERE seq = 1",
        "UPDATE audit_checkpoint SET seq = 'two'",
        "UPDATE audit_checkpoint SET signature = CAST(signature AS TEXT)",
        "UPDATE audit_head SET last_seq = 'two'",
    ]
    assert after(engine, lambda _connection: None, PUBLIC).intact
    for change in changes:
        assert not after(engine, lambda c, change=change: c.execute(text(change)), PUBLIC).intact, change
    engine.dispose()
