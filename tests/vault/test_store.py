"""What lies in the store: noise to who reads it, and nothing that can be moved, put back or taken away unseen."""

from __future__ import annotations

import importlib
import os
import sqlite3
import zlib

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text, update

from shopward.adapters.sql import open_engine
from shopward.errors import Conflict, InputTooLarge, InvalidField, SealBroken, ShopwardError, StoreError
from shopward.vault import Write
from shopward.vault.drawers import Drawers
from shopward.vault.envelope import field_suffix, padded, record_suffix
from shopward.vault.records import names_check
from shopward.vault.tables import metadata, vault_record, vault_subject
from vault.conftest import ANI, ORDER, SHOP, order


def write(shop, statement):
    shop.records.write(lambda connection: connection.execute(statement))


def sealed_of(shop, record):
    return shop.records.read(
        lambda connection: connection.scalar(select(vault_record.c.sealed).where(vault_record.c.id == record))
    )


def test_the_migration_makes_these_tables(database):
    """The revisions and the tables of the code are the same, on both databases."""
    versions = "shopward.adapters.sql.migrations.versions"
    engine = open_engine(database)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for revision in (
                "r0020_vault",
                "r0026_traces",
                "r0029_canaries",
                "r0034_periods",
                "r0042_texts",
                "r0044_index_order",
            ):
                importlib.import_module(f"{versions}.{revision}").upgrade()
        connection.exec_driver_sql("DROP TABLE partner_share_record")  # of r0026 too, and the partners'
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_no_value_lies_in_the_files_of_the_store(lite, tmp_path):
    """Not in the database, its log or the data folder: no name, number, address, mail, user id."""
    lite.vault.custody.put(SHOP, [order(user="customer-4711")])
    lite.vault.custody.rectify(SHOP, "o-1", {"city": "Bandung"})
    values = [*ORDER.values(), "Bandung", "customer-4711", "+6281234567890", "Santoso"]
    for file in (tmp_path / "data").iterdir():
        raw = file.read_bytes()
        assert [each for each in values if each.encode() in raw and each not in ("1001", "Jakarta")] == [], (
            file.name
        )


def test_a_ciphertext_in_another_place_does_not_open(shop):
    """Moved to another customer, record, or from an older version of the same record."""
    shop.vault.custody.put(SHOP, [order(), order(2, "u2"), order(3)])
    old = sealed_of(shop, "o-1")
    for other in ("o-2", "o-3"):
        write(shop, update(vault_record).where(vault_record.c.id == other).values(sealed=old))
        with pytest.raises(SealBroken):
            shop.vault.custody.look(other, "screen")
    shop.vault.custody.rectify(SHOP, "o-1", {"city": "Bandung"})
    write(shop, update(vault_record).where(vault_record.c.id == "o-1").values(sealed=old))
    with pytest.raises(SealBroken):
        shop.vault.custody.look("o-1", "screen")


def test_a_record_that_is_put_back_is_seen(shop):
    """The whole row of an older version; and a row that was taken away and brought in again under another customer."""
    shop.vault.custody.put(SHOP, [order()])
    old = sealed_of(shop, "o-1")
    shop.vault.custody.rectify(SHOP, "o-1", {"city": "Bandung"})
    write(shop, update(vault_record).where(vault_record.c.id == "o-1").values(sealed=old, version=1))
    with pytest.raises(StoreError) as refused:
        shop.vault.custody.look("o-1", "screen")
    assert refused.value.code == "record_rolled_back"


def put_apart(shop, record, values):
    """Keep a record as it was kept before it was one envelope: a value an envelope, names in the ledger's check."""
    room = shop.vault.room

    def work(connection):
        ring = room.keys.ring(connection)
        (row,) = room.sealed.rows(connection, [record])
        drawers = Drawers("main", os.urandom)
        found = drawers.of(connection, ring, {(row.subject, row.retention): None})
        drawer = found[row.subject, row.retention]
        prefix = drawer.place + record_suffix(row.kind, row.id)
        fields = {
            name: drawer.cipher.seal(padded(value.encode()), prefix + field_suffix(name, row.version))
            for name, value in values.items()
        }
        drawer.ledger.records[record] = (row.version, names_check(values))
        packed = msgspec.msgpack.encode(fields)
        connection.execute(update(vault_record).where(vault_record.c.id == record).values(sealed=packed))
        drawers.write(connection, found)

    shop.records.write(work)


def test_a_record_whose_fields_lie_apart_is_read_and_becomes_one_envelope(shop):
    """All of it and one field of it; the next version is of the new form, and so is what was not changed."""
    shop.vault.custody.put(SHOP, [order()])
    put_apart(shop, "o-1", ORDER)
    assert msgspec.msgpack.decode(bytes(sealed_of(shop, "o-1"))).keys() == ORDER.keys()
    opened = shop.records.read(
        lambda connection: shop.vault.room.sealed.open(
            connection, shop.vault.room.sealed.rows(connection, ["o-1"]), ["phone"]
        )
    )
    assert opened[0].values == {"phone": ORDER["phone"]}
    shop.vault.custody.rectify(SHOP, "o-1", {"city": "Bandung"})
    assert bytes(sealed_of(shop, "o-1")).startswith(b"\x01\x01")
    whole = shop.records.read(
        lambda connection: shop.vault.room.sealed.open(
            connection, shop.vault.room.sealed.rows(connection, ["o-1"])
        )
    )
    assert whole[0].values == ORDER | {"city": "Bandung"}


def test_a_field_that_is_taken_away_is_seen(lite):
    """Each value opens, but the record is not the one that was kept."""
    lite.vault.custody.put(SHOP, [order()])
    put_apart(lite, "o-1", ORDER)
    fields = msgspec.msgpack.decode(sealed_of(lite, "o-1"))
    del fields["street"]
    write(
        lite,
        update(vault_record).where(vault_record.c.id == "o-1").values(sealed=msgspec.msgpack.encode(fields)),
    )
    with pytest.raises(StoreError):
        lite.vault.custody.look("o-1", "screen")


def test_one_form_of_a_record_does_not_pass_for_the_other(lite):
    """What was sealed apart for a version is not taken where the ledger names one envelope, nor the other way round."""
    lite.vault.custody.put(SHOP, [order()])
    whole = sealed_of(lite, "o-1")
    put_apart(lite, "o-1", ORDER)
    apart = sealed_of(lite, "o-1")
    write(lite, update(vault_record).where(vault_record.c.id == "o-1").values(sealed=whole))
    with pytest.raises(StoreError) as refused:
        lite.vault.custody.look("o-1", "screen")
    assert refused.value.code == "record_rolled_back"
    lite.vault.custody.put(SHOP, [order(2)])
    write(lite, update(vault_record).where(vault_record.c.id == "o-2").values(sealed=apart))
    with pytest.raises(StoreError) as refused:
        lite.vault.custody.look("o-2", "screen")
    assert refused.value.code == "record_rolled_back"


def test_a_record_that_is_one_envelope_is_not_emptied_in_the_old_form(lite):
    """No fields at all, the envelope as that of a field without a name, and a made-up name with the check of one envelope."""
    lite.vault.custody.put(SHOP, [order()])
    whole = bytes(sealed_of(lite, "o-1"))
    made_up = "achdptmb"
    assert zlib.crc32(made_up.encode()) == 0
    for fields in ({}, {"": whole}, {made_up: b""}):
        packed = msgspec.msgpack.encode(fields)
        write(lite, update(vault_record).where(vault_record.c.id == "o-1").values(sealed=packed))
        with pytest.raises(StoreError) as refused:
            lite.vault.custody.look("o-1", "screen")
        assert refused.value.code == "record_rolled_back"


def test_records_with_short_and_long_values_look_alike(lite):
    """Neither which fields a record has nor how long they are shows in its bytes, up to what is usual."""
    puts = ({"name": "Li"}, {"name": "Siti Nurhaliza binti Tarudin", "phone": "0812"}, dict(ORDER))
    lite.vault.custody.put(SHOP, [Write(f"r-{at}", "u", "", "order", each) for at, each in enumerate(puts)])
    sealed = [bytes(sealed_of(lite, f"r-{at}")) for at in range(len(puts))]
    assert {len(each) for each in sealed} == {6 + 12 + 256 + 16}
    assert not any(name.encode() in each for each in sealed for name in ORDER)


def test_keys_of_two_customers_cannot_be_exchanged(shop):
    """A wrapped key is bound to its customer; so is the ledger."""
    shop.vault.custody.put(SHOP, [order(), order(2, "u2")])
    one, other = shop.vault.room.subject("u1"), shop.vault.room.subject("u2")
    wrapped, ledger = shop.records.read(
        lambda connection: connection.execute(
            select(vault_subject.c.wrapped, vault_subject.c.ledger).where(vault_subject.c.subject == one)
        ).one()
    )
    write(
        shop,
        update(vault_subject).where(vault_subject.c.subject == other).values(wrapped=wrapped, ledger=ledger),
    )
    with pytest.raises(SealBroken):
        shop.vault.custody.look("o-2", "screen")


def test_every_flipped_byte_of_a_record_is_seen(lite):
    """Whatever byte of the row changes: an error with a code, and nothing of the value."""
    lite.vault.custody.put(SHOP, [Write("r", "u", "", "contact", {"name": "Zulkarnain"})])
    raw = sealed_of(lite, "r")
    for at in range(len(raw)):
        spoilt = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        write(lite, update(vault_record).where(vault_record.c.id == "r").values(sealed=spoilt))
        with pytest.raises(ShopwardError) as refused:
            lite.vault.custody.look("r", "screen")
        assert refused.value.code in {"seal_broken", "record_rolled_back"}
        assert "Zulkarnain" not in str(refused.value)


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (Write("x", "u1", "", "shoe", {"name": "a"}), InvalidField), (Write("x", "u1", "", "order", {}), InvalidField),
        (Write("x", "u1", "", "order", {"shoe": "a"}), InvalidField),
        (Write("x", "u1", "", "order", {"name": "a" * 1_025}), InputTooLarge),
        (Write("o-1", "u2", "", "order", {"name": "a"}), Conflict), (Write("o-1", "u1", "", "contact", {"name": "a"}), Conflict),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_and_costs_the_others_nothing(lite, write, error):
    """All of a call or none; what was there stays as it was."""
    lite.vault.custody.put(SHOP, [order()])
    with pytest.raises(error):
        lite.vault.custody.put(SHOP, [order(9), write])
    assert [each.id for each in lite.vault.custody.of_user("u1", kind=None, after="", limit=9)] == ["o-1"]


def test_a_pseudonym_tells_two_partners_nothing(lite):
    """The same for the same partner, purpose and epoch, and unrelated to every other."""
    token = lite.vault.custody.token
    same = {"partner": "jne", "purpose": "delivery", "epoch": 0}
    made = token("u1", **same)
    assert made == token("u1", **same)
    assert len(made) == 26
    others = [same | {"partner": "sf"}, same | {"purpose": "claims"}, same | {"epoch": 1}]
    assert len({made, token("u2", **same), *(token("u1", **each) for each in others)}) == 5


def test_a_conversation_is_kept_like_anything_else(shop):
    """Text of any language comes back whole, to who may see it, and is hidden else."""
    said = "您好\uff0c我的包裹在哪里\uff1f\nPaketnya belum sampai, Kak. 🙏"
    shop.vault.custody.put(
        SHOP, [Write("c", "u1", "", "conversation", {"channel": "whatsapp", "case_id": "k-1", "text": said})]
    )
    assert shop.vault.custody.look("c", "screen").fields == {
        "channel": "whatsapp",
        "case_id": "k-1",
        "text": "***",
    }
    hits = shop.vault.reveals.search(
        ANI, kind="conversation", field="case_id", transform="exact", value="K-1", limit=5
    )
    assert hits.found[0].values["text"] == said


def test_sqlite_overwrites_a_key_that_it_frees(lite, tmp_path):
    """After an erasure and a checkpoint neither wrapped key nor record is anywhere in the file."""
    lite.vault.custody.put(SHOP, [order()])
    subject = lite.vault.room.subject("u1")
    wrapped = lite.records.read(
        lambda connection: connection.scalar(
            select(vault_subject.c.wrapped).where(vault_subject.c.subject == subject)
        )
    )
    sealed = sealed_of(lite, "o-1")
    lite.vault.erasing.erase(ANI, "u1", classes=(), reason="asked", dry_run=False)
    with sqlite3.connect(tmp_path / "data" / "shopward.db") as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    raw = (tmp_path / "data" / "shopward.db").read_bytes() + (
        tmp_path / "data" / "shopward.db-wal"
    ).read_bytes()
    assert wrapped[18:] not in raw
    assert sealed[40:80] not in raw
    assert (
        lite.records.read(lambda connection: connection.scalar(text("SELECT count(*) FROM vault_index"))) == 0
    )
