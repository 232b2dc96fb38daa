"""The bytes behind the hashes: as docs/audit.md writes them, never the same for two rows, in the tables of the migration."""

from __future__ import annotations

import hashlib
import importlib
import re
import struct
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from audit.conftest import KEY
from audit.tampering import as_stored
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, Deed, verify
from shopward.audit.chain import checkpoint_bytes, entry_bytes, hash_of
from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head, metadata

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
SCALAR = st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT
LINE = st.fixed_dictionaries(
    {
        "at_ms": INT64,
        "actor": TEXT,
        "deed": st.sampled_from(sorted(set(Deed) - {Deed.AUDIT_CHECKPOINT})),
        "subject": TEXT,
        "details": st.dictionaries(
            TEXT,
            st.recursive(
                SCALAR,
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
                max_leaves=4,
            ),
            max_size=3,
        ),
    }
)
FIELDS = st.fixed_dictionaries(
    {name: st.binary(max_size=6) for name in ("tenant", "actor", "deed", "subject", "details")}
    | {"seq": INT64, "at_ms": INT64}
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A store whose changes are all rolled back."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('audit')}/log.db")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def naive_hash(previous, row):
    """The hash of a row by the words of the page."""
    numbers = {name: struct.pack(">q", row[name]) for name in ("seq", "at_ms")}
    fields = [b"shopward audit entry 1", previous]
    names = ("tenant", "seq", "at_ms", "actor", "deed", "subject", "details")
    fields += [numbers[name] if name in numbers else row[name].encode("utf-8") for name in names]
    digest = hashlib.sha256()
    for field in fields:
        digest.update(struct.pack(">I", len(field)))
        digest.update(field)
    return digest.digest()


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.data())
def test_any_log_is_intact_until_any_byte_of_it_flips(scratch, lines, data):
    """Every stored hash is that of the page's words; one flipped bit anywhere is found."""
    with scratch.connect() as connection, connection.begin() as transaction:
        trail = AuditTrail(signer=KEY, every=3)
        for line in lines:
            trail.append(connection, **line)
        rows = connection.execute(select(audit_entry).order_by("seq")).mappings().all()
        previous = bytes(32)
        for row in rows:
            previous = naive_hash(previous, row)
            assert row["hash"] == previous
        assert verify(connection, public_key=KEY.public_key).entries == len(rows)

        row = data.draw(st.sampled_from(rows))
        column = audit_entry.c[
            data.draw(st.sampled_from(["at_ms", "actor", "deed", "subject", "details", "hash"]))
        ]
        value = row[column.name]
        raw = value.to_bytes(8, "big", signed=True) if isinstance(value, int) else value
        raw = bytearray(raw.encode() if isinstance(raw, str) else raw)
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        changed = {column: as_stored(bytes(raw), column, "sqlite")}
        connection.execute(update(audit_entry).where(audit_entry.c.seq == row["seq"]).values(changed))
        assert verify(connection, public_key=KEY.public_key).fault.seq == row["seq"]
        transaction.rollback()


@given(FIELDS, FIELDS, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_two_rows_never_give_the_same_bytes(one, other, previous, before):
    """Bytes are equal exactly where every field is: nothing can be moved from one field into the next."""
    assert (entry_bytes(previous, **one) == entry_bytes(before, **other)) == (
        (previous, one) == (before, other)
    )


def test_a_shifted_boundary_gives_other_bytes():
    """What ends one field does not begin the next, and an entry never passes for a checkpoint."""
    same = {"tenant": b"main", "seq": 1, "at_ms": 2, "deed": b"", "details": b"{}"}
    assert entry_bytes(bytes(32), actor=b"ab", subject=b"c", **same) != entry_bytes(
        bytes(32), actor=b"a", subject=b"bc", **same
    )
    signed = checkpoint_bytes(tenant=b"main", seq=1, at_ms=2, entry_hash=bytes(32), key=bytes(32))
    assert signed.startswith(b"\0\0\0\x1bshopward audit checkpoint 1\0\0\0\x04main")


def test_the_example_of_the_page_has_the_hash_of_the_page():
    """Who writes a verifier of their own can begin with it."""
    example = entry_bytes(
        bytes(32),
        tenant=b"main",
        seq=1,
        at_ms=1_767_225_600_000,
        actor=b"key:ops",
        deed=b"order:create",
        subject=b"ord-1",
        details=b'{"scope":"spend_balance"}',
    )
    page = re.sub(r"\s", "", PAGE.read_text(encoding="utf-8"))
    assert example.hex() in page
    assert hash_of(example).hex() in page


def test_every_deed_is_explained():
    """Each word of the vocabulary has its row on the page, and no row tells of a word that is gone."""
    rows = re.findall(r"^\| `([a-z_]+:[a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(Deed)


def test_the_migration_makes_these_tables(place):
    """The revision 0002_audit and the tables of the code are the same, on both databases."""
    revision = importlib.import_module("shopward.adapters.sql.migrations.versions.r0002_audit")
    engine = open_engine(place.url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            revision.upgrade()
        assert compare_metadata(context, metadata) == []
        assert {table.name for table in (audit_entry, audit_head, audit_checkpoint)} == set(metadata.tables)
    engine.dispose()
