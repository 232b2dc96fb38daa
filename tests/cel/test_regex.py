"""Patterns: found where Python finds them, refused where RE2 has no such thing, and never slow."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.risk.cel import regex

atoms = st.sampled_from(
    [
        "a",
        "b",
        ".",
        "[ab]",
        "[^a]",
        r"\d",
        r"\w",
        r"\W",
        "^",
        "$",
        r"\b",
        r"\B",
        r"\.",
        "[a-c1]",
        r"[\d_]",
        "é",
        "_",
    ]
)
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0}", "{1,}", "*?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
        inner.map("({})".format),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(pattern=patterns, texts=st.lists(st.text("ab1._é-", max_size=8), min_size=1, max_size=6))
def test_a_pattern_is_found_where_python_finds_it(pattern, texts):
    """On the syntax that both share the automaton and Python's backtracking engine agree."""
    # Python's $ also holds before a last newline, and its classes are Unicode's unless told otherwise.
    reference = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    automaton = regex.compiled(pattern)
    for text in texts:
        # Python does not let \B hold in an empty text before 3.14; RE2 does.
        if text or r"\B" not in pattern:
            assert automaton.search(text) is (reference.search(text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(?i)LoG.n", "login", True),
        ("(?i)[a-c]{3}", "ABC", True),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("^a$", "a\n", False),
        (r"\Aa\z", "a", True),
        (r"\x41\x{1f431}", "A\U0001f431", True),
        ("[[:alpha:]]+[[:digit:]]", "ab1", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("a{,2}", "a{,2}", True),
        ("a{1", "a{1", True),
        (r"[^\W]", "-", False),
        (r"^[\w.+-]+@mail\.(com|net)$", "j.doe@mail.net", True),
        ("", "", True),
    ],
)
def test_pattern(pattern, text, found):
    """The constructs that Python has not, or has otherwise, mean what RE2 means."""
    assert regex.compiled(pattern).search(text) is found


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "a backreference"),
        ("(?P<n>a)(?P=n)", "a backreference, an atomic group or a condition"),
        ("(?>a)", "a backreference, an atomic group or a condition"),
        ("a++", "a repeat of a repeat"),
        ("*a", "a repeat of nothing"),
        ("a{2000}", "a repeat beyond 1000"),
        ("a{3,1}", "a repeat beyond 1000 or with its bounds reversed"),
        ("(a", "a '(' without its ')'"),
        ("a)", "a ')' without its '('"),
        ("[a", "a '[' without its ']'"),
        ("[b-a]", "a range of characters with its bounds reversed"),
        ("[[:nope:]]", "a class of this name"),
        (r"\pL", "an escape that is not in this subset"),
        ("\\", "an escape that is not in this subset"),
        (r"\xZZ", "a hexadecimal escape that is not a character"),
        ("(?m)^a", "an extension or flag other than"),
        ("(?i:a)", "flags for one group"),
        ("((a{100}){100})", "more than 2000 states"),
        ("(" * 50 + ")" * 50, "more than 40 groups"),
    ],
)
def test_refused(pattern, reason):
    """What could be slow, or is not in the subset, is refused by name."""
    assert reason in regex.problem(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "a*a*a*a*a*b", "(.*)*(.*)*x", "([a-z]+)+1"]
)
def test_classic_traps_take_linear_time(pattern):
    """Patterns that stop a backtracking engine are searched in a long text without delay."""
    started = time.perf_counter()
    assert regex.compiled(pattern).search("a" * 20_000) is False
    assert time.perf_counter() - started < 2


def test_memory_for_moves_is_bounded():
    """A text of ever new characters does not make the automaton grow without end, nor err."""
    automaton = regex.Automaton(regex.translate("x.{3}y"))
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 3 * regex.MAX_REMEMBERED)))
    assert automaton.search(text) is False
    assert automaton.search(text + "xabcy") is True
    assert automaton._remembered <= regex.MAX_REMEMBERED


@settings(max_examples=300, deadline=None)
@given(pattern=st.text(st.sampled_from("ab()[]{}*+?|^$.\\-,:=!<>P1dwxi"), max_size=30))
def test_any_text_is_a_pattern_or_refused(pattern):
    """No text makes the reader fail otherwise than with a reason."""
    if regex.problem(pattern) is None:
        regex.compiled(pattern).search("abab")
