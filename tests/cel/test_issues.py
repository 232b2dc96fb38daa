"""What is refused before it runs: where, in which words, with which hint; and what is let through."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.risk import cel

ENV = cel.Environment(
    {
        "type": cel.enum("type", ["login", "order", "password_change"]),
        "status": cel.STRING,
        "user": cel.record("user", {"id": cel.STRING, "known": cel.BOOL}),
        "transaction": cel.record("transaction", {"amount_minor": cel.INT, "currency": cel.STRING}),
        "f": cel.record("f", {"ip_users_10m": cel.INT, "ip_failed_ratio_10m": cel.DOUBLE}),
        "tags": cel.list_of(cel.STRING, max_items=10),
        "history": cel.list_of(cel.STRING),
    },
    max_cost=1_000,
)


def issues_of(source, env=ENV, *, unchecked=False):
    """What is wrong with a source; nothing if it is accepted."""
    try:
        env.check(source, unchecked=unchecked)
    except cel.CelInvalid as invalid:
        return invalid.issues
    return []


REFUSED = [
    # source, line, column, message, hint
    ("usr.id == 'x'", 1, 1, "no variable 'usr'", "did you mean 'user'?"),
    ("amount_minor > 5", 1, 1, "no variable 'amount_minor'", "did you mean 'transaction.amount_minor'?"),
    ("user.idd == 'x'", 1, 6, "no field 'idd' in 'user'", "did you mean 'id'?"),
    ("f.ip_users_1m > 5", 1, 3, "no field 'ip_users_1m' in 'f'", "did you mean 'ip_users_10m'?"),
    (
        "transaction.amount_minor == 'x'",
        1,
        26,
        "no such overload: int == string",
        "compare values of one type",
    ),
    (
        "f.ip_failed_ratio_10m == 1",
        1,
        23,
        "no such overload: double == int",
        "write the number with a decimal point",
    ),
    ("status + 1 == 'a'", 1, 8, "no such overload: string + int", None),
    ("status.startWith('a')", 1, 8, "no function 'startWith'", "did you mean 'startsWith'?"),
    ("sise(status) > 3", 1, 1, "no function 'sise'", "did you mean 'size'?"),
    ("status.contains(3)", 1, 8, "no such overload: string.contains(int)", None),
    ("size(5) > 1", 1, 1, "no such overload: size(int)", None),
    ("!status", 1, 1, "no such overload: !(string)", None),
    ("status && user.known", 1, 1, "each side of && must be a bool, not string", None),
    ("user == user", 1, 1, "'user' is a record and not a value", "name one of its fields, such as 'id'"),
    ("f.ip_users_10m + 1", 1, 16, "the expression must be a bool, not int", None),
    ("has(status)", 1, 1, "has() asks for a field", "write has(record.field)"),
    ("type == 'lgoin'", 1, 9, "'lgoin' is not a value of 'type'", "did you mean 'login'?"),
    ("type in ['login', 'oder']", 1, 19, "'oder' is not a value of 'type'", "did you mean 'order'?"),
    ("f.ip_users_10m > 5 && f.ip_users_10m < 3", 1, 38, "this condition can never be true", None),
    ("f.ip_users_10m > 5 && f.ip_users_10m < 6", 1, 38, "this condition can never be true", None),
    ("status == 'a' && user.known && status == 'b'", 1, 39, "this condition can never be true", None),
    ("user.known && !user.known", 1, 15, "this condition can never be true", None),
    ("type == 'login' && (type == 'order' || user.known)", 1, 26, "this condition can never be true", None),
    ("f.ip_users_10m > 5 || f.ip_users_10m <= 5", 1, 20, "this condition is always true", None),
    ("false && user.known", 1, 1, "this condition is always false", "remove it"),
    ("user.known || 1 < 2", 1, 17, "this condition is always true", "remove it"),
    ("f.ip_users_10m >= 2 + 3 && f.ip_users_10m < 5", 1, 43, "this condition can never be true", None),
    ("1 / 0 > 2 && user.known", 1, 3, "this always fails: divide by zero", None),
    ("history.exists(h, h == 'x')", 1, 9, "this walks a list or map whose length is not bounded", None),
    ("'x' in history", 1, 5, "this walks a list or map whose length is not bounded", None),
    ("tags.exists(a, tags.exists(b, tags.exists(c, a + b == c)))", 1, 1, None, None),
    ("status.matches('(?=a)')", 1, 16, "the pattern uses look-around", "patterns are those of RE2"),
    (r"status.matches(r'(a)\1')", 1, 16, "the pattern uses a backreference", "patterns are those of RE2"),
    ("status.matches(user.id)", 1, 21, "the pattern of matches() must be a literal", None),
    ("status = 'a'", 1, 8, "this character does not belong to an expression", "compare with =="),
    ("user.known and user.known", 1, 12, None, "'and' is written &&"),
    ("status == 'a", 1, 11, "the string is not closed", "end it with '"),
    ("user.known &&\n  (status == 'a'", 2, 17, "the expression ends where ')' should follow", None),
    ("user.known &&\n  usr.known", 2, 3, "no variable 'usr'", "did you mean 'user'?"),
    ("", 1, 1, "the expression ends where a value, a name or '(' should follow", None),
    ("transaction.amount_minor > 9223372036854775808", 1, 28, "the number is out of the 64-bit range", None),
    ("user.for", 1, 6, "no field 'for' in 'user'", None),
    ("for == 1", 1, 1, "'for' is a reserved word", None),
    ("user{id: 'x'}", 1, 5, "messages are not in this subset", None),
]


@pytest.mark.parametrize(("source", "line", "column", "message", "hint"), REFUSED)
def test_refusal_says_where_and_why(source, line, column, message, hint):
    """A wrong condition is refused at its place with the words that help to correct it."""
    with pytest.raises(cel.CelInvalid) as caught:
        ENV.check(source, expect=cel.BOOL)
    issue = caught.value.issues[0]
    assert (issue.line, issue.column) == (line, column), issue
    assert message is None or issue.message == message
    assert hint is None or issue.hint == hint
    assert str(issue) in str(caught.value)


def test_all_issues_are_told_at_once():
    """Independent mistakes in one condition are reported together, in the order of the source."""
    with pytest.raises(cel.CelInvalid) as caught:
        ENV.check("usr.id == 'x' && transaction.amount_minor == 'x' && status == 3", expect=cel.BOOL)
    assert [issue.column for issue in caught.value.issues] == [1, 43, 60]
    assert caught.value.code == "policy_invalid"


@pytest.mark.parametrize(
    "source",
    [
        "true",
        "type == ''",
        "f.ip_users_10m > 5 && f.ip_users_10m < 7",
        "f.ip_failed_ratio_10m > 5.0 && f.ip_failed_ratio_10m < 6.0",
        "f.ip_users_10m > 0.5 && f.ip_users_10m < 1.5",
        "f.ip_failed_ratio_10m > 0.0 || f.ip_failed_ratio_10m <= 0.0",
        "type != 'login' && type != 'order'",
        "tags.exists(t, t in ['a', 'b'])",
        "has(user.id) && user.id == ''",
        "status.matches('^([a-z]+)+$')",
    ],
)
def test_what_can_be_true_is_let_through(source):
    """A condition that some events meet and some do not is accepted, as is the plain ``true``."""
    assert ENV.check(source, expect=cel.BOOL).type == cel.BOOL


comparisons = st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(-3, 3))


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(comparisons, min_size=1, max_size=4), joiner=st.sampled_from(["&&", "||"]))
def test_only_pointless_conditions_are_refused(parts, joiner):
    """A condition on one number is refused only if it is the same for all numbers, and then mostly."""
    source = f" {joiner} ".join(f"f.ip_users_10m {mark} {bound}" for mark, bound in parts)
    plain = cel.Environment(ENV.variables, rules=False).check(source).program()
    answers = {plain({"f": {"ip_users_10m": value}}) for value in range(-6, 7)}
    if issues_of(source):
        assert answers == {joiner == "||"}
    else:
        # What is left out on purpose: several values excluded one by one from a short range.
        assert len(answers) == 2 or sum(mark in {"!=", "=="} for mark, _ in parts) > 1


alphabet = st.sampled_from(
    [
        *"abfux.()[]{},:?!&|<>=+-*/%'\"\\ \n0159eE_`\x00\U0001f431",
        "type",
        "&&",
        "||",
        "user.",
        "in",
        "''",
        "true",
        "has(",
        ".all(x,",
    ]
)


@settings(max_examples=400, deadline=2_000)
@given(source=st.lists(alphabet, max_size=60).map("".join) | st.text(max_size=80))
def test_garbage_is_refused_and_nothing_else(source):
    """Any text is either an expression or refused with an issue, quickly."""
    for unchecked in (False, True):
        issues = issues_of(source, unchecked=unchecked)
        assert all(issue.line >= 1 and issue.column >= 1 and issue.message for issue in issues)


BOMBS = {
    "parentheses": "(" * 5_000,
    "closed parentheses": "(" * 100 + "1" + ")" * 100,
    "lists": "[" * 5_000,
    "indexes": "[[0]]" + "[0]" * 3_000,
    "negations": "!" * 9_000 + "true",
    "minuses": "-" * 9_000 + "1",
    "conditionals": "true ? 1 : " * 900 + "1",
    "sums": "1" + " + 1" * 2_400,
    "disjunction": "false" + " || false" * 1_000,
    "members": "user" + ".a" * 4_900,
    "calls": "size(" * 2_000,
    "digits": "1" * 9_999,
    "long": "a" * 100_000,
    "escapes": "'" + "\\n" * 4_000 + "'",
    "doubling": "[1]" + ".map(a, [a, a])" * 40 + ".exists(a, true)",
    "pattern": f"status.matches('{'(' * 4_000}')",
    "repeats": "status.matches('((((a{1000}){1000}){1000}){1000})')",
    "empty repeats": "status.matches('((((){1000}){1000}){1000})')",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("rules", [True, False])
def test_bombs_are_refused_or_harmless(name, rules):
    """Hostile size and nesting meet a limit that says so; no recursion error, no long wait."""
    env = cel.Environment(ENV.variables, rules=rules)
    issues = issues_of(BOMBS[name], env)
    if not issues and (checked := env.check(BOMBS[name])).cost < cel.DEFAULT_MAX_COST:
        with contextlib.suppress(cel.EvalError):
            checked.program()({})


DEEP = [
    "({})",
    "!({})",
    "dyn({})",
    "({} ? true : false)",
    "[1].exists(x, {})",
    "(1 / 1 == 1 && 1 / 1 == 1 && {})",
]
DEEP += [
    "{{'a': {}}}.a",
    "[{}][0]",
    "cel.bind(v, {}, v)",
    "[[1]].filter(x, {}) == []",
    "dyn([1]).all(i, v, {})",
]


@pytest.mark.parametrize("shape", DEEP)
def test_deepest_nesting_still_compiles(shape):
    """Whatever passes the limit on nesting is also compiled by Python, in every construct."""
    source, accepted = "dyn(user.known)", 0
    env = cel.Environment(ENV.variables, rules=False)
    for _ in range(2 * cel.MAX_DEPTH):
        source = shape.format(source)
        if issues := issues_of(source, env):
            assert "nested deeper" in issues[0].message
            break
        program = env.check(source).program()
        accepted += 1
        if accepted < 12:
            program({"user": {"known": True}})
    assert accepted >= 10


def test_places_count_characters():
    """Lines and columns count code points, also after text beyond the basic plane."""
    with pytest.raises(cel.CelInvalid) as caught:
        ENV.check("status == '\U0001f431' &&\n\tusr.known")
    assert [(issue.line, issue.column) for issue in caught.value.issues] == [(2, 2)]
    assert list(itertools.islice(caught.value.diagnostics(), 1)) == ["hint"]
