"""An envelope opens whole, under its key and for its place, or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import SealBroken
from shopward.vault.envelope import (
    GCM,
    GCM_SIV,
    NONCES,
    XAES,
    Cipher,
    Place,
    customer_prefix,
    key_id_of,
    padded,
    padded_record,
    unpadded,
    whole_suffix,
)

PAGE = Path(__file__).parents[2] / "docs" / "vault-envelope.md"
PLACE = Place("main", "subject", "order", "o-1", "name", 1)
words = st.text(max_size=20)
places = st.builds(Place, words, words, words, words, words, st.integers(0, 2**63))


@pytest.mark.parametrize("suite", [GCM, GCM_SIV, XAES])
def test_every_changed_byte_is_seen(suite):
    """Each bit of head, nonce, ciphertext and tag, each shortening, and something more at the end."""
    cipher = Cipher(suite, 7, bytes(range(32)))
    sealed = cipher.seal(padded("张三".encode()), PLACE.bound())
    spoilt = [
        sealed[:at] + bytes([sealed[at] ^ 1 << bit]) + sealed[at + 1 :]
        for at in range(len(sealed))
        for bit in range(8)
    ]
    for each in [*spoilt, *(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(SealBroken):
            cipher.open(each, PLACE.bound())


@given(places, places)
def test_no_two_places_are_bound_alike(one, other):
    """The bytes of a place tell it from every other, whatever its parts hold."""
    assert (one.bound() == other.bound()) == (one == other)


@given(places, st.binary(max_size=2_000))
def test_what_is_sealed_opens_in_its_place_alone(place, plain):
    """It comes back equal, and not for another version, field or customer."""
    cipher = Cipher(GCM, 1, bytes(32))
    sealed = cipher.seal(padded(plain), place.bound())
    assert unpadded(cipher.open(sealed, place.bound())) == plain
    for other in (
        place._replace(version=place.version + 1),
        place._replace(field=place.field + "x"),
        place._replace(subject=""),
    ):
        if other != place:
            with pytest.raises(SealBroken):
                cipher.open(sealed, other.bound())


def test_another_key_is_never_tried():
    """Neither another key under the same id nor the same key under another id opens it."""
    sealed = Cipher(GCM, 1, bytes(32)).seal(b"x", PLACE.bound())
    assert key_id_of(sealed) == 1
    for other in (Cipher(GCM, 1, b"\1" * 32), Cipher(GCM, 2, bytes(32)), Cipher(GCM_SIV, 1, bytes(32))):
        with pytest.raises(SealBroken):
            other.open(sealed, PLACE.bound())


def test_names_of_all_lengths_look_alike():
    """A name of two characters and one of ten have envelopes of one length."""
    lengths = {
        len(padded(name.encode())) for name in ("张三", "欧阳娜娜", "Budi", "Siti Nurhaliza binti Tarudin")
    }
    assert lengths == {32}
    assert {len(padded(bytes(size))) for size in (512, 513, 1_023, 1_024)} == {1_024, 1_536}


def test_a_forked_process_makes_nonces_of_its_own():
    """Parent and child, forked with a full pool, share none."""
    NONCES.take(12)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(NONCES.take(12) for _each in range(50)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 600)
    os.close(reading), os.close(writing)
    ours = {NONCES.take(12) for _each in range(50)}
    assert len(theirs) == 600
    assert not ours & {theirs[at : at + 12] for at in range(0, 600, 12)}


def test_the_vectors_of_the_page_are_ours():
    """Each envelope of docs/vault-envelope.md opens to the name that stands beside it."""
    vectors = re.findall(r"^\| \S+ \| `(0[0-9a-f]{60,})` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(vectors) == 3
    for vector in map(bytes.fromhex, vectors):
        cipher = Cipher(vector[1], 7, bytes(range(32)))
        assert unpadded(cipher.open(vector, PLACE.bound())).decode() == "张三"


def test_the_vector_of_a_whole_record_is_ours():
    """It opens for its place without a field, to the values that stand beside it."""
    page = PAGE.read_text(encoding="utf-8")
    vector = bytes.fromhex("".join(re.findall(r"^    ([0-9a-f]+)$", page, re.MULTILINE)))
    place = customer_prefix("main", "subject") + whole_suffix("order", "o-1", 1)
    assert place == PLACE._replace(field="").bound()
    plain = unpadded(Cipher(GCM, 7, bytes(range(32))).open(vector, place))
    assert padded_record(plain) == plain + b"\x80" + bytes(255 - len(plain))
    assert msgspec.msgpack.decode(plain) == {"name": "张三", "phone": "13800138000"}
