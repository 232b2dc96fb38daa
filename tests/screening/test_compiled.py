"""The learned parts in machine code: they say of every link and message what plain Python says."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.forest import Forest
from shopward.screening.links.address import read_address
from shopward.screening.links.learned.bundle import shipped_scorer
from shopward.screening.links.learned.model import LinkScorer, Reader
from shopward.screening.messages import shipped_model
from shopward.screening.messages.strings import Strings
from sources import taken_from

compiled = pytest.importorskip("shopward.screening.links.learned.compiled")
hashing = pytest.importorskip("shopward.screening.hashing")
machine_code = pytest.importorskip("shopward.machine_code")
onepass = pytest.importorskip("shopward.screening.messages.onepass")
PLAIN, FAST = shipped_scorer(), shipped_scorer(fast=True)
LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
HOSTS = st.lists(
    st.one_of(LABEL, st.sampled_from(["www", "login", "secure", "xn--a", "xn--80ak6aa92e", "m"])), max_size=9
).flatmap(
    lambda labels: st.sampled_from(["com", "co.jp", "top", "pages.dev", "example"]).map(
        lambda ending: ".".join([*labels, "a", ending])
    )
)  # fmt: skip
PATHS = st.one_of(
    st.just(""),
    st.text("abcXYZ019/.-_%=&?~:+", max_size=260),
    st.builds("/{}/{}.{}?{}={}".format, LABEL, LABEL, st.sampled_from(["php", "html", "a", "aspx7", "toolong"]), LABEL, LABEL),
    st.text(max_size=40),
)  # fmt: skip


def same(link, plain=PLAIN, fast=FAST):
    """Whether both say the same of a link, and what."""
    address = read_address(link)
    assert fast.score(address) == plain.score(address)
    assert [*fast.findings(address)] == [*plain.findings(address)]
    return plain.score(address)


def test_the_fast_scorer_is_compiled():
    """With the extra installed there is no falling back unseen."""
    assert isinstance(FAST._reader, compiled.CompiledReader)
    assert not isinstance(PLAIN._reader, compiled.CompiledReader)


def test_kept_code_is_not_that_of_other_constants():
    """Whatever the compiled files take from others is part of what their code is kept under."""
    files = [each for each in hashing.SOURCES if "@compiled" in each.read_text("utf-8")]
    assert len(files) == 3
    assert {each for file in files for each in taken_from(file)} <= {
        *hashing.SOURCES,
        Path(machine_code.__file__),
    }


@settings(max_examples=500, deadline=None)
@given(host=HOSTS, path=PATHS)
def test_any_link_scores_the_same(host, path):
    """Score and every reason's weight are equal, not nearly equal."""
    same(f"https://{host}/{path}")


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_that_is_a_link_scores_the_same(text):
    """Addresses of every kind, in every script."""
    same(text)


@pytest.mark.parametrize(
    "link",
    [
        "http://1.2.3.4/login.php", "http://[2001:db8::1]/", "https://пример.рф/вход", "https://a.b.c.d.e.f.g.h.i.example.com/",
        "https://" + "a" * 63 + "." + "b" * 63 + ".co.uk/" + "q" * 4_000 + "?" + "x=1&" * 900, "https://com/", "https://xn--/",
        "https://x.pages.dev/.php", "https://x.example/a.b.c.htm?next=https://login.example/verify", "https://sub=.example/",
        "https://secure-login-verify-account-update-bank-pay-card-info-mail.example/",
    ],
)  # fmt: skip
def test_odd_links_score_the_same(link):
    """Addresses as numbers, other scripts, more words and labels than count, files that are none."""
    same(link)


def test_trees_that_ask_nothing_keep_every_key():
    """A training on few links may grow leaves alone; the words still stand under their own keys."""
    leaf = Forest([0], [-1], [0.0], [0], [0], [0.5])
    half = msgspec.structs.replace(PLAIN.model.host, forest=leaf)
    model = msgspec.structs.replace(PLAIN.model, host=half)
    reader = compiled.CompiledReader(model)
    known = FAST._reader._host[0]
    assert reader._host[0] == known
    assert (reader._host[5 : 5 + known] == FAST._reader._host[5 : 5 + known]).all()
    same("http://paypal-login.secure-verify7.tk/", LinkScorer(Reader(model), ""), LinkScorer(reader, ""))


def test_a_bundle_with_two_words_of_one_key_is_read_in_plain_python(monkeypatch):
    """What machine code cannot tell apart it does not score."""
    monkeypatch.setattr(compiled, "word_key", lambda *_: 1 << 63)
    reader = compiled.CompiledReader(PLAIN.model)
    assert reader._host is None
    assert reader._path is None
    fast = LinkScorer(reader, "")
    assert (
        same(
            "http://paypal-login.secure-verify7.tk/webscr/login.php",
            LinkScorer(Reader(PLAIN.model), ""),
            fast,
        )
        > 0
    )


MESSAGES = shipped_model(), shipped_model(fast=True)


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    "selamat",
                    "menang",
                    "hadiah",
                    "http",
                    "click",
                    "prize",
                    "urgent",
                    "验证码",
                    "中奖",
                    "0812",
                    "\ud800",
                    "rp",
                ]
            ),
            max_size=40,
        ).map(" ".join),
    )
)
def test_any_text_is_worded_the_same(text):
    """In both readings, halves of characters included."""
    plain, fast = MESSAGES
    assert isinstance(fast._wording, onepass.CompiledStrings)
    assert fast.score(text, text[::-1]) == plain.score(text, text[::-1])


@settings(max_examples=200, deadline=None)
@given(
    cues=st.dictionaries(
        st.text("ab验", min_size=1, max_size=6), st.tuples(st.floats(-9, 9), st.floats(0, 9)), max_size=30
    ),
    text=st.text("ab验c", max_size=60),
)
def test_any_strings_weigh_the_same(cues, text):
    """Strings within strings, strings that begin others, none at all."""
    assert onepass.CompiledStrings(cues).score(text) == Strings(cues).score(text)
    assert onepass.CompiledStrings(cues).heaviest(text) == Strings(cues).heaviest(text)


def test_strings_with_one_key_are_looked_for_in_plain_python(monkeypatch):
    """As with links."""
    monkeypatch.setattr(onepass, "word_key", lambda *_: 1 << 63)
    cues = {"ab": (1.0, 2.0), "c": (-3.0, 1.0)}
    strings = onepass.CompiledStrings(cues)
    assert strings._words is None
    assert strings.score("abc") == Strings(cues).score("abc")


def test_what_earlier_versions_left_is_removed_but_for_the_newest_two(tmp_path, monkeypatch):
    """Nobody else's folder is touched, and none that was used within a day: its process may still write there."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    now_s = tmp_path.stat().st_mtime
    for number in range(4):
        old = tmp_path / f"forest-{number:016x}"
        old.mkdir()
        os.utime(old, (now_s, now_s - 86_400 * (4 - number) - 60))
    for other in ("forest-mine", "kernel-0000000000000000", "forest-00000000000000ff"):
        (tmp_path / other).mkdir()
        os.utime(tmp_path / other, (now_s, now_s - 86_400 * 9 * (other != "forest-00000000000000ff")))
    used = machine_code.code_folder("forest", [Path(__file__)])
    assert {each.name for each in tmp_path.iterdir()} == {
        used.name, "forest-00000000000000ff", "forest-mine", "kernel-0000000000000000"
    }  # fmt: skip
