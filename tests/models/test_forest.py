"""The forest: the same numbers as the library that grew it, whoever walks it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.errors import ModelInvalid
from shopward.forest import Forest, forest_of, walker

np = pytest.importorskip("numpy")
lightgbm = pytest.importorskip("lightgbm")

COLUMNS = 6


@pytest.fixture(scope="module")
def grown():
    """A booster on random rows, its forest and its walker; half the columns hold few different values, as counts do."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(4_000, COLUMNS)) * 1e3
    rows[:, ::2] = np.round(rows[:, ::2] / 500)
    is_fraud = rows[:, 0] + rows[:, 1] / 300 + random.normal(size=4_000) > 2
    settings_ = {"objective": "binary", "num_leaves": 31, "use_missing": False, "verbose": -1, "seed": 1}
    booster = lightgbm.train(settings_, lightgbm.Dataset(rows, is_fraud.astype(float)), 60)
    forest = forest_of(booster.dump_model())
    return booster, forest, walker(forest)


@settings(max_examples=200, deadline=None)
@given(row=st.lists(st.floats(-1e6, 1e6), min_size=COLUMNS, max_size=COLUMNS))
def test_a_walk_gives_what_lightgbm_gives(grown, row):
    """Compiled walk, plain walk and LightGBM agree on random rows."""
    booster, forest, compiled = grown
    theirs = float(booster.predict(np.array([row]), raw_score=True)[0])
    assert forest.margin(row) == pytest.approx(theirs, abs=1e-9)
    assert compiled(row) == pytest.approx(theirs, abs=1e-9)


def test_a_walk_gives_what_lightgbm_gives_on_the_thresholds_themselves(grown):
    """A number that equals a threshold takes the same branch here and there."""
    booster, forest, margin = grown
    for node, asks in enumerate(forest.column[:200]):
        if (
            asks >= 0 and abs(forest.threshold[node]) > 1e-30
        ):  # nearer to 0, LightGBM rounds a row's number to 0
            row = [0.0] * COLUMNS
            row[asks] = forest.threshold[node]
            theirs = float(booster.predict(np.array([row]), raw_score=True)[0])
            assert margin(row) == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(row=st.lists(st.floats(-1e6, 1e6), min_size=COLUMNS, max_size=COLUMNS))
def test_contributions_add_up_to_the_margin(grown, row):
    """What is expected of any row and what the columns moved is the margin."""
    _booster, forest, _walker = grown
    expected = sum(forest.value[root] for root in forest.roots)
    moved = forest.contributions(row, COLUMNS)
    assert expected + sum(moved) == pytest.approx(forest.margin(row), abs=1e-9)


@pytest.mark.parametrize(
    "broken",
    [
        Forest([0], [0], [1.0], [0], [0], [0.0]),  # goes round
        Forest(
            [0], [9, -1, -1], [1.0, 0.0, 0.0], [1, 1, 2], [2, 1, 2], [0.0, 1.0, 2.0]
        ),  # asks what is not there
        Forest([0], [0, -1, -1], [1.0, 0.0, 0.0], [1, 1, 2], [7, 1, 2], [0.0, 1.0, 2.0]),  # leads nowhere
        Forest([3], [-1], [0.0], [0], [0], [0.0]),  # begins nowhere
        Forest([0], [-1], [], [0], [0], [0.0]),  # columns of different length
    ],
)
def test_trees_that_would_not_end_are_refused(broken):
    """A forest whose walk could go round, out of it or nowhere is refused before any walk."""
    with pytest.raises(ModelInvalid):
        broken.check(COLUMNS)
