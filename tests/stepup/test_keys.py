"""The step-up key: sealing is bound to its context, and a lost key is an error and never a new one."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import Misconfigured, StoreError
from shopward.keyring import joined
from shopward.keyring.sealing import NONCE_BYTES
from shopward.stepup import Keys, open_stepup_key

KEYS = Keys(bytes(32))
PARTS = st.lists(st.text(max_size=6), min_size=1, max_size=4).map(tuple)


def zeros(count):
    """A source of nothing."""
    return bytes(count)


@given(st.binary(max_size=64), PARTS, PARTS)
def test_what_is_sealed_opens_in_its_own_context_alone(plain, context, other):
    """Equal contexts open it, all others do not."""
    sealed = KEYS.seal(plain, context=context, entropy=zeros)
    assert KEYS.unseal(sealed, context=context) == plain
    if other != context:
        with pytest.raises(StoreError):
            KEYS.unseal(sealed, context=other)


@given(PARTS, PARTS)
def test_no_two_contexts_read_the_same(one, other):
    """However parts are cut, different lists give different bytes."""
    assert (joined(one) == joined(other)) == (one == other)


def test_every_flipped_byte_is_noticed():
    """Form, nonce, text and tag: no byte can be changed or cut, and another key does not open it."""
    sealed = KEYS.seal(b"secret", context=("a",), entropy=zeros)
    broken = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    broken += [sealed[:at] for at in range(len(sealed))]
    for each in broken:
        with pytest.raises(StoreError) as refusal:
            KEYS.unseal(each, context=("a",))
        assert refusal.value.__context__ is None
    with pytest.raises(StoreError):
        Keys(bytes([1] * 32)).unseal(sealed, context=("a",))


def test_every_seal_takes_a_fresh_nonce():
    """The source of randomness is asked for 96 bits each time, and they lead the sealed value."""
    asked = []

    def entropy(count):
        asked.append(count)
        return bytes([len(asked)]) * count

    one, other = (KEYS.seal(b"x", context=("a",), entropy=entropy) for _seal in range(2))
    assert asked == [NONCE_BYTES, NONCE_BYTES]
    assert one != other


def test_the_key_is_made_once_and_private(tmp_path):
    """The first start makes it, the next reads it, and nobody else may."""
    first = open_stepup_key(tmp_path, nothing_enrolled=True, entropy=lambda count: b"k" * count)
    assert open_stepup_key(tmp_path, nothing_enrolled=False, entropy=zeros) == first
    assert stat.S_IMODE((tmp_path / "stepup.key").stat().st_mode) == 0o600


def test_a_lost_key_is_an_error_where_factors_are_enrolled(tmp_path):
    """No new key is made beside enrolled factors; a key of another length is none."""
    with pytest.raises(Misconfigured, match="missing"):
        open_stepup_key(tmp_path, nothing_enrolled=False, entropy=zeros)
    assert not (tmp_path / "stepup.key").exists()
    (tmp_path / "stepup.key").write_bytes(b"short")
    with pytest.raises(Misconfigured, match="no key"):
        open_stepup_key(tmp_path, nothing_enrolled=True, entropy=zeros)
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(b"short")


def test_the_store_says_whether_anything_was_enrolled(world):
    """What decides over a lost key: the first enrolment turns it, also before it is confirmed."""
    nothing = lambda: world.desk.run(world.desk.store.nothing_enrolled)  # noqa: E731 -- asked twice
    assert nothing()
    world.enrol_totp()
    assert not nothing()
