"""Expressions over columns: the value and the error of every row, as one evaluation after the other gives them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.risk import cel
from shopward.risk.cel.columns import Columnar, NotColumnar

TYPES = {"i": cel.INT, "j": cel.INT, "x": cel.DOUBLE, "y": cel.DOUBLE, "b": cel.BOOL, "c": cel.BOOL, "s": cel.STRING, "t": cel.STRING}  # fmt: skip
ENVIRONMENT = cel.Environment({"v": cel.record("v", TYPES)}, rules=False)
INTS = st.one_of(
    st.integers(-5, 5),
    st.sampled_from([2**63 - 1, -(2**63), 2**62, -(2**62), 2**53 + 1, 3_037_000_500]),
)
DOUBLES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.5, -2.5, math.inf, -math.inf, math.nan, 9.3e18, -9.3e18, 1e300]),
    st.floats(-100, 100),
)
TEXTS = st.sampled_from(["", "a", "b", "login"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": INTS,
            "j": INTS,
            "x": DOUBLES,
            "y": DOUBLES,
            "b": st.booleans(),
            "c": st.booleans(),
            "s": TEXTS,
            "t": TEXTS,
        }
    ),
    min_size=1,
    max_size=8,
)


class Rows:
    """The columns of some rows."""

    def __init__(self, rows):
        self.rows = rows
        self.codes = {}

    def column(self, names):
        values = [row[names[1]] for row in self.rows]
        kind = str(TYPES[names[1]])
        if kind == "string":
            return np.array([self.code(value) for value in values], np.int32)
        return np.array(values, {"int": np.int64, "double": np.float64, "bool": np.bool_}[kind])

    def code(self, text):
        return self.codes.setdefault(text, len(self.codes))


def literal(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int) else f"{value:.3f}"


def expressions():
    """Typed expressions over the variables, of a few levels."""
    ints = st.sampled_from(["v.i", "v.j"]) | st.integers(-3, 3).map(literal)
    doubles = st.sampled_from(["v.x", "v.y"]) | st.floats(-3, 3).map(literal)
    texts = st.sampled_from(["v.s", "v.t"]) | TEXTS.map(literal)

    def arithmetic(kind, marks):
        return st.recursive(
            kind,
            lambda below: st.one_of(
                st.tuples(below, st.sampled_from(marks), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
                below.map(lambda each: f"(-({each}))"),
                st.tuples(below, below).map(lambda p: f"math.greatest({p[0]}, {p[1]})"),
            ),
            max_leaves=4,
        )

    whole = arithmetic(ints, ["+", "-", "*", "/", "%"])
    real = arithmetic(doubles, ["+", "-", "*", "/"]) | whole.map(lambda each: f"double({each})")
    whole = whole | real.map(lambda each: f"int({each})")
    order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    atoms = st.one_of(
        st.tuples(whole, order, whole).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(real, order, real).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(whole, st.sampled_from(["<", ">="]), real).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(texts, st.sampled_from(["==", "!="]), texts).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(texts, st.lists(TEXTS.map(literal), min_size=1, max_size=3)).map(lambda p: f"{p[0]} in [{', '.join(p[1])}]"),
        st.tuples(whole, st.lists(st.integers(-3, 3).map(literal), min_size=1, max_size=3)).map(lambda p: f"{p[0]} in [{', '.join(p[1])}]"),
        st.sampled_from(["v.b", "v.c", "has(v.i)", "has(v.s)", "has(v.b)", "has(v.x)"]),
    )  # fmt: skip
    return st.recursive(
        atoms,
        lambda below: st.one_of(
            st.tuples(below, st.sampled_from(["&&", "||"]), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            below.map(lambda each: f"!({each})"),
            st.tuples(below, below, below).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        ),
        max_leaves=6,
    )


def one_by_one(checked, row):
    """The value on one row with the generated Python that decides live, or that it fails."""
    source = checked.to_python(lambda names: f"r[{names[1]!r}]", lambda names: f"bool(r[{names[1]!r}])")
    try:
        return eval(source, dict(cel.RUNTIME_NAMESPACE) | {"bool": bool, "r": row})  # noqa: S307 -- made by our own compiler
    except cel.EvalError:
        return "fails"


@settings(max_examples=400, deadline=None)
@given(source=expressions(), rows=ROWS)
def test_every_row_has_its_value_or_its_error(source, rows):
    """Columns agree with the closure that decides live, in value and in failing, on every row."""
    try:
        checked = ENVIRONMENT.check(source)
    except cel.CelInvalid:
        return  # what does not compile is never asked
    values, errors = Columnar(Rows(rows)).evaluate(checked.node)
    values, errors = (np.broadcast_to(each, len(rows)) for each in (values, errors))
    for row, value, failed in zip(rows, values, errors, strict=True):
        expected = one_by_one(checked, row)
        assert (expected == "fails") == bool(failed), (source, row)
        if not failed:
            assert bool(value) == expected, (source, row)


@pytest.mark.parametrize(
    "source",
    ["v.s < v.t", 'v.s.startsWith("a")', "size(v.s) > 2", 'v.s.matches("a+")', '(v.s + "x") == "ax"'],
)
def test_what_columns_do_not_know_they_refuse(source):
    """An order, a part or a length of texts is left to the row itself."""
    with pytest.raises(NotColumnar):
        Columnar(Rows([{"s": "a", "t": "b"}])).evaluate(ENVIRONMENT.check(source).node)
