"""Staff passwords: named profiles, whole passwords, rehash, and bounded memory."""

from __future__ import annotations

import random
import threading

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.errors import InputTooLarge, Misconfigured
from shopward.stepup import CHEAP_FOR_TESTS, OWASP_46_MIB, RFC_9106_SECOND, Hasher, StepUpRefused
from shopward.stepup.passwords import Profile, check_length
from stepup.world import cheap_hasher

ENTROPY = random.Random(4).randbytes
HASHER = cheap_hasher(ENTROPY)


def test_the_profiles_are_those_of_their_sources():
    """RFC 9106's second recommendation and OWASP's first option, figure by figure."""
    rfc = RFC_9106_LOW_MEMORY
    assert (RFC_9106_SECOND.time_cost, RFC_9106_SECOND.memory_kib, RFC_9106_SECOND.parallelism) == (
        3,
        65_536,
        4,
    )
    assert (rfc.time_cost, rfc.memory_cost, rfc.parallelism) == (3, 65_536, 4)
    assert (OWASP_46_MIB.time_cost, OWASP_46_MIB.memory_kib, OWASP_46_MIB.parallelism) == (1, 47_104, 1)
    assert all(profile.source for profile in (RFC_9106_SECOND, OWASP_46_MIB, CHEAP_FOR_TESTS))


def test_the_real_profile_makes_and_checks_a_hash():
    """One hash at full price says its costs in itself."""
    hasher = Hasher(entropy=ENTROPY)
    kept = hasher.hash("kuda nil makan semangka")
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert hasher.matches(kept, "kuda nil makan semangka")
    assert HASHER.needs_rehash(kept)


def test_a_cheap_profile_needs_to_be_asked_for():
    """What protects nothing is refused unless the caller says that it is for tests."""
    with pytest.raises(Misconfigured, match="protects nothing"):
        Hasher(CHEAP_FOR_TESTS, entropy=ENTROPY)


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=200)
def test_the_whole_password_counts_as_it_is(one, other):
    """Two passwords match exactly when they are equal, down to the last byte and case."""
    kept = HASHER.hash(one)
    assert HASHER.matches(kept, one)
    assert HASHER.matches(kept, other) == (one == other)


def test_long_passwords_are_taken_whole_up_to_a_bound():
    """64 characters and far more are fine, the last one counts; beyond 1,024 bytes it is refused."""
    long = "海" * 300
    kept = HASHER.hash(long)
    assert not HASHER.matches(kept, long[:-1])
    with pytest.raises(InputTooLarge):
        HASHER.hash("a" * 1025)


def test_a_profile_that_moved_on_is_noticed():
    """A hash of yesterday's costs still matches and asks to be made again; today's does not."""
    new = Hasher(Profile("dearer", 2, 16, 1, "a test"), entropy=ENTROPY, unsafe_for_tests=True)
    kept = HASHER.hash("x")
    assert new.matches(kept, "x")
    assert new.needs_rehash(kept)
    assert not new.needs_rehash(new.hash("x"))
    assert new.needs_rehash("no hash at all")
    assert not new.matches("no hash at all", "x")


def test_an_unknown_user_is_refused_at_the_price_of_a_known_one():
    """There is a hash of nothing under the same costs, and nothing matches it."""
    assert not HASHER.verify_nothing("anything")
    assert HASHER._nothing.split("$")[3] == HASHER.hash("x").split("$")[3]


def test_only_so_many_hashes_at_once():
    """Memory is bounded: the next hash waits for room."""
    hasher = Hasher(CHEAP_FOR_TESTS, entropy=ENTROPY, at_once_max=1, unsafe_for_tests=True)
    hasher._room.acquire()
    thread = threading.Thread(target=hasher.hash, args=("x",))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    hasher._room.release()
    thread.join(5)
    assert not thread.is_alive()


def test_length_is_the_only_rule():
    """15 characters alone, 8 beside a second factor; no class of characters is asked for."""
    check_length("a" * 15, with_second_factor=False)
    check_length("aaaaaaaa", with_second_factor=True)
    for password, with_factor in (("a" * 14, False), ("a" * 7, True)):
        with pytest.raises(StepUpRefused) as refusal:
            check_length(password, with_second_factor=with_factor)
        assert refusal.value.code == "password_too_short"
