"""Conditions as the policy compiler uses them: plain Python, terms as evidence, unset fields, partial evaluation."""

import datetime as dt
import doctest
import math

import pytest

from shopward.risk import cel

ENV = cel.Environment(
    {
        "type": cel.enum("type", ["login", "order", "password_change"]),
        "status": cel.STRING,
        "at": cel.TIMESTAMP,
        "user": cel.record("user", {"id": cel.STRING, "known": cel.BOOL}),
        "transaction": cel.record("transaction", {"amount_minor": cel.INT, "currency": cel.STRING}),
        "f": cel.record("f", {"ip_users_10m": cel.INT, "ip_failed_ratio_10m": cel.DOUBLE}),
        "tags": cel.list_of(cel.STRING, max_items=10),
    }
)
RULE = 'type == "login" && status == "failed" && f.ip_users_10m >= 5 && f.ip_failed_ratio_10m > 0.8 && !user.known'


def read(names):
    """A reader as a policy compiler would give one: features are locals, the event has attributes."""
    return names[1] if names[0] == "f" else "e." + "_".join(names)


def present(names):
    """A reader of presence in the same style."""
    return "e.has_" + "_".join(names)


def python(source):
    """The generated Python of a rule."""
    return ENV.check(source, expect=cel.BOOL).to_python(read, present)


GOLDEN = [
    (
        RULE,
        (
            "e.type == 'login' and e.status == 'failed' and ip_users_10m >= 5 and ip_failed_ratio_10m > 0.8"
            " and not e.user_known"
        ),
    ),
    ("f.ip_failed_ratio_10m > 0", "ip_failed_ratio_10m > 0.0"),
    ("f.ip_failed_ratio_10m > f.ip_users_10m", "ip_failed_ratio_10m > float(ip_users_10m)"),
    ('type in ["login", "order"] || has(user.id)', "e.type in ('login', 'order') or e.has_user_id"),
    ('status in ["a", "b", "c", "d"]', "e.status in {'a', 'b', 'c', 'd'}"),
    ('status in ["a"]', "e.status in ('a',)"),
    (
        '(status == "a" || user.known) && type == "order"',
        "(e.status == 'a' or e.user_known) and e.type == 'order'",
    ),
    ('!(status == "a" || user.known)', "not (e.status == 'a' or e.user_known)"),
    ('user.id.startsWith("x") && !status.contains("y")', "e.user_id.startswith('x') and not 'y' in e.status"),
    ("transaction.amount_minor % 100 == 0", "cel_modulo(e.transaction_amount_minor, 100) == 0"),
    ("transaction.amount_minor + 1 > 5", "cel_int(e.transaction_amount_minor + 1) > 5"),
    # What cannot fail goes first, and the rest may then be left out.
    (
        "transaction.amount_minor + 1 > 5 && user.known",
        "e.user_known and cel_int(e.transaction_amount_minor + 1) > 5",
    ),
    (
        "100 / f.ip_users_10m > 5 || 100 / transaction.amount_minor > 5",
        "cel_any_of(lambda: cel_divide(100, ip_users_10m) > 5, lambda: cel_divide(100, e.transaction_amount_minor) > 5)",
    ),
    ('tags.exists(t, t == "vip")', "any([cel_v1 == 'vip' for cel_v1 in e.tags])"),
    (
        'size(tags) == 0 ? user.known : type == "order"',
        "e.user_known if len(e.tags) == 0 else e.type == 'order'",
    ),
    ('user.id == "\\"; import os"', "e.user_id == '\"; import os'"),
    ("f.ip_users_10m >= 2 + 3", "ip_users_10m >= 5"),
    ('at > timestamp("2026-01-01T00:00:00Z")', "e.at > cel_timestamp(1767225600000000000)"),
]


@pytest.mark.parametrize(("source", "expected"), GOLDEN)
def test_typed_rules_become_plain_python(source, expected):
    """The generated code is what one would write by hand, with helpers only where CEL and Python differ."""
    assert python(source) == expected


def test_terms_are_the_evidence():
    """Each top-level term has its text, its references and, where it has one, its threshold."""
    terms = ENV.check(RULE).terms
    assert [term.source for term in terms] == RULE.split(" && ")
    assert [term.comparison for term in terms] == [
        cel.Comparison(("type",), "==", "login"),
        cel.Comparison(("status",), "==", "failed"),
        cel.Comparison(("f", "ip_users_10m"), ">=", 5),
        cel.Comparison(("f", "ip_failed_ratio_10m"), ">", 0.8),
        cel.Comparison(("user", "known"), "==", literal=False),
    ]
    assert [term.references for term in terms][2] == {("f", "ip_users_10m")}
    assert [term.program()({"status": "failed"}) for term in terms] == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("5 <= f.ip_users_10m", cel.Comparison(("f", "ip_users_10m"), ">=", 5)),
        ("'a' == status", cel.Comparison(("status",), "==", "a")),
        ("status in ['a', 'b']", cel.Comparison(("status",), "in", ("a", "b"))),
        ("user.known", cel.Comparison(("user", "known"), "==", literal=True)),
        ("f.ip_users_10m > f.ip_users_10m + 1", None),
        ("has(user.id)", None),
        ("status == 'a' || user.known", None),
    ],
)
def test_comparison(source, expected):
    """Only path operator literal is a comparison, with the path on the left."""
    assert ENV.check(source).comparison == expected


def test_references_and_cost():
    """A rule tells what it reads, and its cost grows with what it does."""
    checked = ENV.check(RULE)
    assert checked.references >= {("type",), ("user", "known"), ("f", "ip_users_10m")}
    assert ENV.check("has(user.id)").references == {("user", "id")}
    assert checked.cost < 20 < ENV.check("tags.exists(t, t.contains('x'))").cost
    assert ENV.check("status").type == cel.STRING


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("status == ''", True),
        ("transaction.amount_minor == 0", True),
        ("f.ip_failed_ratio_10m == 0.0", True),
        ("user.known", False),
        ("type == ''", True),
        ("size(tags) == 0", True),
        ("has(user.id)", False),
        ("at == timestamp(0)", True),
    ],
)
def test_unset_fields_read_as_defaults(source, value):
    """Without any event each field has the default of its type and is not present."""
    assert ENV.check(source).program()({}) is value


def test_records_nest():
    """A record in a record is one longer path; has() asks for a whole record too, but it is never a value."""
    env = cel.Environment(
        {"context": cel.record("context", {"geo": cel.record("geo", {"country": cel.STRING})})}
    )
    checked = env.check("has(context.geo) && context.geo.country == 'VN'", expect=cel.BOOL)
    assert checked.references == {("context", "geo"), ("context", "geo", "country")}
    assert checked.program()({"context": {"geo": {"country": "VN"}}}) is True
    assert checked.program()({}) is False
    with pytest.raises(cel.CelInvalid, match=r"no field 'county' in 'context\.geo'"):
        env.check("context.geo.county == 'VN'")


def test_a_rule_must_be_known_to_be_a_bool():
    """What may or may not turn out to be a bool is not accepted as a condition."""
    env = cel.Environment({"extra": cel.map_of(cel.STRING, cel.DYN)})
    with pytest.raises(cel.CelInvalid, match="only the evaluation could tell"):
        env.check("extra.flag", expect=cel.BOOL)


def test_the_example_of_the_package_runs():
    """The example in the package's docstring is true."""
    assert doctest.testmod(cel).failed == 0
    assert doctest.testmod(cel).attempted > 0


def test_presence_is_not_the_default():
    """A field that is set to its default is present."""
    assert ENV.check("has(user.id) && user.id == ''").program()({"user": {"id": ""}}) is True


def test_under_constants():
    """Constants decide a rule or leave what is still to be asked."""
    checked = ENV.check(RULE)
    assert checked.under({("type",): "order"}) is False
    left = checked.under({("type",): "login", ("status",): "failed"})
    assert (
        left.to_python(read, present)
        == "ip_users_10m >= 5 and ip_failed_ratio_10m > 0.8 and not e.user_known"
    )
    assert left.terms[0].source == "f.ip_users_10m >= 5"
    assert ENV.check("type == 'order' || status == 'x'").under({("type",): "order"}) is True


def test_under_constants_is_sound_for_presence_and_errors():
    """A default says nothing about presence, and an operand that may fail is not computed away."""
    has = ENV.check("has(user.id)")
    assert has.under({("user", "id"): "u1"}) is True
    assert has.under({("user", "id"): ""}) is not False
    failing = ENV.check("10 / transaction.amount_minor > 1 || user.known")
    assert not isinstance(failing.under({("transaction", "amount_minor"): 0}), bool)
    assert failing.under({("user", "known"): True}) is True
    assert not isinstance(ENV.check("'a' in tags").under({("tags",): ["a"]}), bool)
    with pytest.raises(cel.EvalError):
        failing.under({("transaction", "amount_minor"): 0}).program()({})
    with pytest.raises(cel.EvalError):
        ENV.check(RULE).under({("f", "ip_users_10m"): "five"})


@pytest.mark.parametrize(
    ("source", "amount", "outcome"),
    [
        ("transaction.amount_minor + 1 > 0", 2**63 - 1, "integer overflow"),
        ("-transaction.amount_minor > 0", -(2**63), "integer overflow"),
        ("transaction.amount_minor / -1 > 0", -(2**63), "integer overflow"),
        ("1 / transaction.amount_minor > 0", 0, "divide by zero"),
        ("1 % transaction.amount_minor > 0", 0, "modulus by zero"),
        ("transaction.amount_minor / 2 == -3", -7, True),
        ("transaction.amount_minor % 2 == -1", -7, True),
        ("1 / transaction.amount_minor > 0 || true || user.known", 0, True),
        ("1 / transaction.amount_minor > 0 && user.known", 0, False),
        ("[1, 0].exists(x, x / transaction.amount_minor == 0 || x == 0)", 0, True),
    ],
)
def test_arithmetic_is_checked(source, amount, outcome):
    """64 bits overflow, zero divides nothing, rounding goes toward zero; one decisive operand outweighs errors."""
    program = cel.Environment(ENV.variables, rules=False).check(source).program()
    if isinstance(outcome, bool):
        assert program({"transaction": {"amount_minor": amount}}) is outcome
        return
    with pytest.raises(cel.EvalError, match=outcome):
        program({"transaction": {"amount_minor": amount}})


def test_values_from_python():
    """Python's own times and numbers are taken as the declared type; anything else is refused without its value."""
    program = ENV.check("at.getHours('+07:00') == 19 && f.ip_failed_ratio_10m == 1.0").program()
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    assert program({"at": noon, "f": {"ip_failed_ratio_10m": 1}}) is True
    with pytest.raises(cel.EvalError) as caught:
        program({"at": "secret"})
    assert "secret" not in str(caught.value)
    with pytest.raises(cel.EvalError):
        program({"at": noon.replace(tzinfo=None)})


def test_generated_code_reaches_nothing_else():
    """The namespace of generated code has no builtins, and every name in it is a helper or a harmless function."""
    assert cel.RUNTIME_NAMESPACE["__builtins__"] == {}
    names = {name for name in cel.RUNTIME_NAMESPACE if not name.startswith("cel_")}
    assert names == {"__builtins__", "all", "any", "bool", "float", "len", "sum", "UInt", "inf", "nan"}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("string(1.0)", "1"),
        ("string(0.1)", "0.1"),
        ("string(0.0 / 0.0)", "NaN"),
        ("string(duration('-90m'))", "-5400s"),
        ("string(timestamp('2026-01-02T03:04:05.060+01:00'))", "2026-01-02T02:04:05.06Z"),
        ("timestamp('2026-12-31T23:59:59Z').getDayOfYear()", 364),
        ("duration('1h30m') + duration('1.5s') == duration('5401.5s')", True),
        ("double('1e3')", 1000.0),
        ("double('-inf')", -math.inf),
        ("math.greatest(1, 2.5, 2u)", 2.5),
        ("{true: 'a', 1: 'b'}[true]", "a"),
        ("{true: 'a'}", {True: "a"}),
        ("[1, 2].transformMap(i, v, v * 2)", {0: 2, 1: 4}),
        ("type(1u) == uint", True),
        ("2u in [1, 2]", None),
        ("dyn(2u) in [1, 2]", True),
    ],
)
def test_values(source, value):
    """Values that the conformance suite does not show."""
    env = cel.Environment({}, rules=False)
    if value is None:
        with pytest.raises(cel.CelInvalid):
            env.check(source)
        return
    assert env.check(source).program()({}) == value


@pytest.mark.parametrize(
    "source",
    [
        "timestamp('2026-02-30T00:00:00Z')",
        "timestamp('yesterday')",
        "duration('1 day')",
        "int('1_000')",
        "uint('-1')",
        "double('0x10')",
        "bool('yes')",
        "timestamp(0).getHours('Mars/Base')",
        "timestamp('9999-12-31T23:59:59Z').getHours('+14:00')",
        "math.bitShiftLeft(1, -1)",
        "math.least([])",
        "{'a': 1, 'a': 2}",
        "{1.5: 1}",
        "dyn(1).exists(x, true)",
        "dyn(1).x",
        "has(dyn(1).x)",
        "dyn('a') < 1",
        "'a'.matches(dyn('(?=a)'))",
    ],
)
def test_evaluation_errors(source):
    """What fails at evaluation fails with an EvalError and nothing else."""
    program = cel.Environment({}, rules=False).check(source, unchecked=True).program()
    with pytest.raises(cel.EvalError):
        program({})
