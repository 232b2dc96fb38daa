"""What a password may be: the rules, with real corpora behind them."""

from __future__ import annotations

import hashlib
import http.server
import threading
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.adapters.ranges import RangeService
from shopward.errors import InvalidField, Misconfigured, ModelInvalid
from shopward.screening.passwords import Corpora, IncidentHashes, Rules, screen_password
from shopward.screening.passwords.ranges import count_in, lines_in, range_body
from shopward.screening.wording import texts

RULES = Rules(words=("Toko Nusantara", "tokonusa.co.id"))
NOBODY = Corpora()


def codes(password, **more):
    """The codes of a verdict."""
    verdict = screen_password(password, **({"rules": RULES, "corpora": NOBODY} | more))
    return verdict.verdict, [each.code for each in verdict.reasons]


class Known:
    """A corpus of these passwords; or one that is away."""

    def __init__(self, *passwords):
        self.digests = {hashlib.sha1(each.encode(), usedforsecurity=False).digest() for each in passwords}

    def count(self, digest):
        return 42 if digest in self.digests else 0


@pytest.mark.parametrize(
    "password",
    [
        "sayangku123",
        "bismillah99",
        "woaini1314",
        "5201314abc",
        "password123",
        "qwertyuiop",
        "gantengbanget",
        "P@ssw0rd!",
    ],
)
def test_what_many_people_take_is_refused_in_three_languages(password):
    """Without any corpus, words of Indonesian, Chinese and English customers are known."""
    verdict, said = codes(password)
    assert (verdict, "password_guessable" in said) == ("reject", True)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "kucing biru makan awan",
        "長いパスフレーズはうれしいですね",
        "x" * 3 + "Kq7 vanå zylo",
    ],
)
def test_long_unrelated_words_of_any_script_are_welcome(password):
    """No mixture of kinds is asked for, and spaces count."""
    assert codes(password)[0] == "accept"


def test_the_only_factor_has_to_be_longer():
    """Fifteen characters alone, eight beside another factor, and a word about it where nobody said."""
    assert codes("vq3-Zlkp-9xw", context={"sole_factor": True}) == ("reject", ["password_too_short"])
    assert codes("vq3-Zlkp-9xw", context={"sole_factor": False}) == ("accept", [])
    assert codes("vq3-Zlkp-9xw") == ("accept", ["password_short_alone"])
    assert "password_too_short" in codes("vq3-Zlk")[1]
    assert codes("z" + "aq1-" * 64)[1] == ["password_too_long"]


@pytest.mark.parametrize(
    "password", ["bambang.hartono1", "B4mb4ngH4rt0n0", "onotrah99", "tokonusantara!", "T0konusa1"]
)
def test_names_of_the_person_and_of_the_shop_are_refused(password):
    """Backwards, with digits for letters, with a little around them."""
    context = {"email": "bambang.hartono@mail.example", "name": "BambangHartono Hartono"}
    rules = Rules(words=("TokoNusantara", "TokoNusa"))
    assert "password_personal_word" in codes(password, rules=rules, context=context)[1]


def test_the_context_may_hold_lists_and_figures():
    """Words of the person come as they are at hand; figures and nothings are passed over."""
    context = {"names": ["Bambang", "Hartono"], "age": 41, "phone": None, "sole_factor": False}
    assert "password_personal_word" in codes("hartono-99", context=context)[1]


def test_a_stolen_password_is_refused_with_how_often_it_was_seen():
    """In the form in which it was stolen, or in its compatible form."""
    corpora = Corpora([Known("kucing biru makan awan")])
    for form in ("kucing biru makan awan", "ｋucing biru makan awan"):
        verdict = screen_password(form, rules=RULES, corpora=corpora, language="id")
        assert (verdict.verdict, verdict.breach_count) == ("reject", 42)
        assert "42 kali" in verdict.reasons[0].text
    assert screen_password("kucing ungu makan awan", rules=RULES, corpora=corpora).breach_count == 0


def test_a_corpus_that_is_away_refuses_nobody_and_is_counted(unused_tcp_port):
    """The answer says so; the service rests and is asked again later."""
    now = [0.0]
    service = RangeService(f"http://127.0.0.1:{unused_tcp_port}", steady_s=lambda: now[0], timeout_s=0.2)
    corpora = Corpora([service])
    verdict = screen_password("kucing biru makan awan", rules=RULES, corpora=corpora)
    assert (verdict.verdict, verdict.breach_count) == ("accept", None)
    assert [each.code for each in verdict.reasons] == ["corpus_unreachable"]
    assert (corpora.asked, corpora.unreachable) == (1, 1)


@pytest.fixture
def unused_tcp_port():
    """A port where nobody listens."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    port = server.server_address[1]
    server.server_close()
    return port


class Ranges(http.server.BaseHTTPRequestHandler):
    """A range service, as strangers run it."""

    answers: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self):
        type(self).asked.append((self.path, self.headers.get("add-padding", "")))
        body = self.answers.get(self.path)
        self.send_response(200 if body is not None else 503)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_args):
        pass


@pytest.fixture
def ranges():
    """It, running."""
    handler = type("Handler", (Ranges,), {"answers": {}, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_count_that_is_no_figure_is_no_record():
    """Padding, words and more digits than Python reads: left out, and the lines around them stand."""
    suffixes = ["A" * 35, "B" * 35, "C" * 35, "D" * 35]
    counts = ["7", "0", "many", "9" * 5_000]
    body = "\r\n".join(map(":".join, zip(suffixes, counts, strict=True))).encode()
    assert list(lines_in(body)) == [("A" * 35, 7)]
    assert [count_in(body, suffix) for suffix in suffixes] == [7, 0, 0, 0]


def test_five_digits_leave_and_no_more(ranges):
    """The range is asked for with padding, once, and compared at home; padding lines count as nothing."""
    handler, url = ranges
    digits = hashlib.sha1(b"rahasia", usedforsecurity=False).hexdigest().upper()
    handler.answers[f"/range/{digits[:5]}"] = range_body([("0" * 35, 0), (digits[5:], 1_234)])
    service = RangeService(url, steady_s=lambda: 0.0)
    assert service.count(bytes.fromhex(digits)) == 1_234
    assert service.count(bytes.fromhex(digits[:5] + "0" * 35)) == 0
    assert service.count(bytes.fromhex(digits)) == 1_234
    assert handler.asked == [(f"/range/{digits[:5]}", "true")]


@pytest.mark.parametrize("body", [None, b"<html>moved</html>", b"A" * 2_000_000])
def test_an_answer_that_is_none_counts_as_no_answer_and_is_asked_again_after_a_rest(ranges, body):
    """An error, a page of somebody else and a flood are the same: unreachable, not "not stolen"."""
    handler, url = ranges
    digest = hashlib.sha1(b"rahasia", usedforsecurity=False).digest()
    path = f"/range/{digest.hex().upper()[:5]}"
    if body is not None:
        handler.answers[path] = body
    now = [0.0]
    corpora = Corpora([RangeService(url, steady_s=lambda: now[0])])
    assert corpora.seen("rahasia").unreachable
    assert corpora.seen("rahasia").unreachable
    assert len(handler.asked) == 1
    handler.answers[path] = range_body([(digest.hex().upper()[5:], 7)])
    now[0] = 31.0
    assert corpora.seen("rahasia").times == 7


@pytest.mark.parametrize(
    "url",
    [
        "http://api.pwnedpasswords.com", "ftp://127.0.0.1", "api.pwnedpasswords.com", "", "https://[x", "https://a.example:99999",
    ],
)  # fmt: skip
def test_digits_go_over_tls_or_stay_on_this_machine(url):
    """Any other service is refused at the start."""
    with pytest.raises(Misconfigured):
        RangeService(url, steady_s=lambda: 0.0)


def test_passwords_of_incidents_are_refused_and_cannot_be_read_back(tmp_path):
    """The file holds keyed digests; another key makes nothing of them; damage is told at the start."""
    incidents = IncidentHashes(tmp_path, b"k" * 32)
    assert incidents.remember(["kucing biru makan awan", "", "kucing biru makan awan"]) == 1
    again = IncidentHashes(tmp_path, b"k" * 32)
    assert codes("kucing biru makan awan", incidents=again) == ("reject", ["password_of_incident"])
    assert codes("kucing ungu makan awan", incidents=again) == ("accept", [])
    assert not IncidentHashes(tmp_path, b"x" * 32).holds("kucing biru makan awan")
    file = tmp_path / "incident-passwords.bin"
    assert b"kucing" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ModelInvalid):
        IncidentHashes(tmp_path, b"k" * 32)


@given(
    st.text(min_size=1, max_size=120),
    st.dictionaries(st.text(max_size=8), st.text(max_size=30) | st.booleans(), max_size=5),
)
def test_every_text_gets_a_verdict_that_does_not_repeat_it(password, context):
    """Whatever is typed; what is refused says why."""
    try:
        verdict = screen_password(password, rules=RULES, corpora=NOBODY, context=context, language="zh")
    except InvalidField:
        assert any("\ud800" <= each <= "\udfff" for each in password)
        return
    assert (verdict.verdict == "reject") == any(
        each.code not in ("corpus_unreachable", "password_short_alone") for each in verdict.reasons
    )
    if len(password) > 20:
        assert password not in repr(verdict)


def test_disguised_letters_do_not_make_the_estimate_explode():
    """Many kinds of digits for letters, a thousand characters: bounded, since only 48 are estimated and the search is left out."""
    verdict = screen_password("4@8({[<369!1|!7|0$5+7%2" * 100, rules=RULES, corpora=NOBODY)
    assert verdict.strength == 4


def test_every_reason_speaks_three_languages():
    """The texts of all codes are there, and none stands for two."""
    spoken = [texts(language) for language in ("id", "zh", "en")]
    named = [code for code in spoken[0] if code.startswith("password_")]
    assert len(named) >= 7
    for code in named:
        assert len({each[code] for each in spoken}) == 3
