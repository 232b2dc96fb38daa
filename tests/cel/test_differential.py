"""Random well-typed expressions mean the same here, in Google's C++ implementation and in the one in Rust.

A disagreement is a failure. The implementation in C++ is the reference and gets no exceptions; what the one in Rust
is known to do differently is listed in ``excuse`` with the reason, and only that is let through.
"""

import math
import re

from cel_expr_python import cel as google
from hypothesis import given, settings
from hypothesis import strategies as st

import cel as rust
from shopward.risk import cel

VARIABLES = {
    "status": cel.STRING,
    "country": cel.STRING,
    "amount": cel.INT,
    "users": cel.INT,
    "ratio": cel.DOUBLE,
    "score": cel.DOUBLE,
    "known": cel.BOOL,
    "fresh": cel.BOOL,
    "tags": cel.list_of(cel.STRING, 4),
    "sums": cel.list_of(cel.INT, 4),
}
OURS = cel.Environment(VARIABLES, rules=False)
RULES = cel.Environment(
    {**VARIABLES, "tags": cel.list_of(cel.STRING, 4), "sums": cel.list_of(cel.INT, 4)}, max_cost=10**9
)
_T = google.Type
GOOGLE = google.NewEnv(
    variables={
        name: {
            "string": _T.STRING,
            "int": _T.INT,
            "double": _T.DOUBLE,
            "bool": _T.BOOL,
            "list(string)": _T.List(_T.STRING),
            "list(int)": _T.List(_T.INT),
        }[str(kind)]
        for name, kind in VARIABLES.items()
    }
)
ERROR = "error"
MACROS = ("exists", "all", "exists_one")

words = st.sampled_from(["", "a", "b", "login", "failed", "é", "a\nb", "VN", "\U0001f431"])
ints = st.sampled_from([0, 1, -1, 2, 3, 5, 10, -7, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
doubles = st.sampled_from([0.0, 1.0, -1.0, 0.5, 0.8, 2.5, -7.25, 1e10, 1e300, -1e300])
patterns = st.sampled_from(
    ["^a", "b$", "l.gin", "(a|b)+", "[a-z]{2,}", r"\\d+", "", "^$", r"\\bfailed\\b", "(a*)*b"]
)
marks = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
activations = st.fixed_dictionaries(
    {
        "status": words,
        "country": words,
        "amount": ints,
        "users": ints,
        "ratio": doubles | st.sampled_from([math.inf, -math.inf, math.nan]),
        "score": doubles,
        "known": st.booleans(),
        "fresh": st.booleans(),
        "tags": st.lists(words, max_size=4),
        "sums": st.lists(ints, max_size=4),
    }
)


CONSTANTS = {
    "string": words.map(lambda word: '"' + word.replace("\n", "\\n") + '"'),
    "int": ints.map(str),
    "double": doubles.map(repr),
    "bool": st.sampled_from(["true", "false"]),
    "list(string)": st.sampled_from(['["a"]', '["login", "VN"]', '["", "a", "b", "é"]']),
    "list(int)": st.sampled_from(["[0]", "[1, 2, 3]", "[5, -7, 2147483648, 10]"]),
}
# What each type can be made of. ~(x) is x where whole numbers and doubles are compared: in C++ that takes a dyn.
# And: a word in braces is a part of that type, {M} a mark, {P} a pattern. The parts of
# a macro see its variable: N is a fresh name.
SHAPES = {
    "bool": [
        *(f"({{{kind}}} {{M}} {{{kind}}})" for kind in ("int", "double", "string", "bool")),
        "(~({int}) < {double})",
        "({double} >= ~({int}))",
        "({bool} && {bool})",
        "({bool} || {bool})",
        "({bool} && {bool} && {bool})",
        "({bool} || {bool} || {bool})",
        "!{bool}",
        "({string} in {list(string)})",
        "({int} in {list(int)})",
        "({list(int)} == {list(int)})",
        *(f"{{string}}.{method}({{string}})" for method in ("startsWith", "endsWith", "contains")),
        '{string}.matches("{P}")',
        *(f"{{list({kind})}}.{macro}(N:{kind}, {{bool}})" for macro in MACROS for kind in ("int", "string")),
    ],
    "int": [
        *(f"({{int}} {mark} {{int}})" for mark in "+-*/%"),
        "-({int})",
        "size({string})",
        "{list(int)}.size()",
        "{list(int)}[{int}]",
        "int({double})",
    ],
    "double": [*(f"({{double}} {mark} {{double}})" for mark in "+-*/"), "double({int})"],
    "string": ["({string} + {string})", "string({int})"],
    "list(string)": ["{list(string)}.filter(N:string, {bool})"],
    "list(int)": [
        "({list(int)} + {list(int)})",
        "{list(int)}.filter(N:int, {bool})",
        "{list(int)}.map(N:int, {int})",
    ],
}
_PART = re.compile(r"\{([^{}]+)\}|N:(\w+)")


@st.composite
def expressions(draw, kind, depth):
    """The source of a well-typed expression."""

    def build(kind, depth, names):
        known = [
            name
            for name, declared in [*((n, str(k)) for n, k in VARIABLES.items()), *names]
            if declared == kind
        ]
        choice = draw(st.integers(0, 9)) if depth else 0
        if choice < 3:
            # The newest name first: inside a macro its variable is the interesting one.
            return draw(CONSTANTS[kind]) if choice == 1 or not known else draw(st.sampled_from(known[::-1]))
        if choice == 3:
            shape = f"({{bool}} ? {{{kind}}} : {{{kind}}})"
        else:
            shape = draw(st.sampled_from(SHAPES[kind]))
        names = list(names)

        def fill(match):
            part, item = match.groups()
            if item:
                names.append((f"v{len(names)}", item))
                return names[-1][0]
            return draw({"M": marks, "P": patterns}[part]) if part in "MP" else build(part, depth - 1, names)

        return _PART.sub(fill, shape)

    return build(kind, depth, [])


def ours(source, activation):
    """Our value, or ERROR."""
    try:
        return OURS.check(source.replace("~", "")).program()(activation)
    except cel.EvalError:
        return ERROR


def googles(source, activation):
    """The value of the implementation in C++, or ERROR."""
    try:
        found = GOOGLE.compile(source.replace("~", "dyn")).eval(data=activation)
        return ERROR if found.type() == _T.ERROR else found.plain_value()
    except Exception:  # noqa: BLE001 - an oracle may raise what it likes
        return ERROR


def rusts(source, activation):
    """The value of the implementation in Rust, or ERROR."""
    try:
        return rust.evaluate(source.replace("~", ""), activation)
    except Exception:  # noqa: BLE001 - an oracle may raise what it likes
        return ERROR


def same(left, right):
    """Whether two results agree in type and value; NaN agrees with NaN."""
    return repr(left) == repr(right)


kinds = st.sampled_from(["bool", "bool", "bool", "int", "double", "string", "list(int)"])


def excuse(source, activation, our_value, their_value):
    """Why the implementation in Rust is known to differ, or None."""
    texts = [source, activation["status"], activation["country"], *activation["tags"]]
    if "size" in source and not all(text.isascii() for text in texts):
        return "size() of a string counts bytes; the specification says code points"
    if r"\b" in source and not all(text.isascii() for text in texts):
        return "a word boundary knows all letters of Unicode; RE2's knows those of ASCII"
    if "-(" in source and our_value == ERROR:
        return "-(x) of the smallest int wraps around; the specification says overflow"
    may_be_nan = (
        not math.isfinite(activation["ratio"]) or "/" in source or "1e+300" in f"{source}{activation}"
    )
    if their_value == ERROR and may_be_nan and re.search(" [<>]=? ", source):
        return "an ordering with NaN is an error; IEEE 754 and the specification say false"
    return None


@settings(max_examples=500, deadline=None)
@given(source=kinds.flatmap(lambda kind: expressions(kind, 3)), activation=activations)
def test_three_implementations_agree(source, activation):
    """Every expression has the same value, or is an error, in all three implementations."""
    our_value = ours(source, activation)
    assert same(our_value, googles(source, activation))
    their_value = rusts(source, activation)
    assert same(our_value, their_value) or excuse(source, activation, our_value, their_value)


@settings(max_examples=250, deadline=None)
@given(
    source=expressions("bool", 3), activation=activations, known=st.sets(st.sampled_from(sorted(VARIABLES)))
)
def test_what_remains_under_constants_means_the_same(source, activation, known):
    """Putting constants in for some paths changes no value and no error, for events that agree with them."""
    checked = OURS.check(source.replace("~", ""))
    remaining = checked.under(
        {(name,): activation[name] for name in known if not isinstance(activation[name], list)}
    )
    whole = ours(source, activation)
    if isinstance(remaining, bool):
        assert whole is remaining
        return
    try:
        found = remaining.program()(activation)
    except cel.EvalError:
        found = ERROR
    assert same(found, whole)


@settings(max_examples=250, deadline=None)
@given(source=expressions("bool", 3), activation=activations)
def test_folding_a_rule_keeps_its_value(source, activation):
    """What rules compute beforehand changes neither the value nor the error of an accepted expression."""
    source = source.replace("~", "")
    whole = ours(source, activation)
    try:
        checked = RULES.check(source)
    except cel.CelInvalid:
        return
    try:
        found = checked.program()(activation)
    except cel.EvalError:
        found = ERROR
    assert same(found, whole)
