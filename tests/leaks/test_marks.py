"""Marks: what a copy carries, and how surely it names its owner."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import InvalidField
from shopward.leaks import Bias, Marks
from shopward.leaks.channels import CHANNELS, read, write
from shopward.leaks.matching import normalised

KEY = bytes(range(32))
ROW = {"name": "Budi", "phone": "081298765432", "address": "Jl. Kenanga No. 8, RT 3/RW 12, Bandung 40111"}


@given(st.lists(st.booleans(), min_size=len(CHANNELS), max_size=len(CHANNELS)))
def test_a_copy_is_read_as_it_was_written_and_means_the_same(bits) -> None:
    """Each channel gives its bit back, and the values are equal in their plain form."""
    wanted = dict(zip(CHANNELS, bits, strict=True))
    marked = write(ROW, wanted.__getitem__)
    assert read(marked) == wanted
    assert all(normalised(field, marked[field]) == normalised(field, ROW[field]) for field in ROW)


def test_a_row_without_a_form_carries_nothing() -> None:
    """Nothing is put where a channel does not fit."""
    row = {"name": "李娜", "address": "文三路478号"}
    assert write(row, lambda _name: True) == row
    assert read(row) == {}


@pytest.mark.parametrize("bias", list(Bias))
def test_the_owner_is_named_and_nobody_else(bias) -> None:
    """After a loss of a third and edits of a tenth the chance of innocence is tiny for the leaker alone."""
    rng = random.Random(5)
    marks, recipients = Marks(KEY, bias), [f"r{number}" for number in range(200)]
    places = [f"o{number}" for number in range(400)]
    read_bits = {
        place: marks.bit("r7", place) if rng.random() > 0.1 else rng.random() < 0.5
        for place in places
        if rng.random() > 0.3
    }
    scores = marks.scores(read_bits, recipients)
    assert [name for name, score in scores.items() if score.chance * len(recipients) <= 1e-6] == ["r7"]


def test_the_bound_holds_for_the_innocent() -> None:
    """Of many innocent scores no larger share has a chance below a level than the level says, with slack for luck."""
    marks = Marks(KEY)
    read_bits = {f"o{number}": number % 3 == 0 for number in range(60)}
    chances = [marks.score(read_bits, f"innocent {number}").chance for number in range(3_000)]
    for level in (0.1, 0.01):
        assert sum(chance <= level for chance in chances) / len(chances) <= level * 1.5


def test_without_places_nobody_is_named() -> None:
    """An ironed-out copy says nothing."""
    assert Marks(KEY).score({}, "r1").chance == 1.0


def test_a_short_key_is_refused() -> None:
    """Marks that could be guessed are not made."""
    with pytest.raises(InvalidField):
        Marks(b"short")
