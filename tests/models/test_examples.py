"""What was known at a time: nothing is learnt early."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopward.risk.models import Examples

np = pytest.importorskip("numpy")

DELAY = 10
LABELS = st.lists(
    st.tuples(
        st.integers(0, 9), st.one_of(st.none(), st.integers(0, 60)), st.sampled_from([True, False, None])
    ),
    max_size=15,
)


def naive(times, labels, at, since):
    """The rule in words: the last word known before ``at`` counts, else age."""
    known = {}
    for row, time in enumerate(times):
        words = [
            (time if when is None else when, number, is_fraud)
            for number, (named, when, is_fraud) in enumerate(labels)
            if named == row and (time if when is None else when) < at
        ]
        if time >= at or time < since:
            continue
        if words:
            word = max(words, key=lambda each: each[:2])[2]
            known |= {} if word is None else {row: word}
        elif time < at - DELAY:
            known[row] = False
    return known


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of ours
@given(
    times=st.lists(st.integers(0, 50), min_size=1, max_size=10),
    labels=LABELS,
    at=st.integers(0, 70),
    since=st.integers(0, 20),
)
def test_what_is_known_is_what_the_rule_says(times, labels, at, since):
    """Labels count from their own time, the last word wins, silence counts after the delay, the future never."""
    times, examples = sorted(times), Examples(1)
    for row, time in enumerate(times):
        examples.add(f"e{row}", time, "payment", (float(row),))
    for row, when, is_fraud in labels:
        examples.label(f"e{row}", known_ms=when, is_fraud=is_fraud)
    known = examples.known_at(at, delay_ms=DELAY, since_ms=since)
    expected = naive(times, [each for each in labels if each[0] < len(times)], at, since)
    assert {int(row): bool(fraud) for row, fraud in zip(*known, strict=True)} == expected
