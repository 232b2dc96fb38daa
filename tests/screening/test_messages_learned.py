"""The learned part of message screening: what is shipped, what is refused, what training gives."""

from __future__ import annotations

import json

import msgspec
import pytest
from click.testing import CliRunner

from screening.shop import TOML
from serving import Server
from shopward.cli import main
from shopward.errors import ModelInvalid
from shopward.screening.messages import load_model, shipped_model
from shopward.screening.messages.characters import READINGS
from shopward.screening.messages.disguises import disguised
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.learned import FORMAT, OTHER_GUISE, Bundle, letters_of, pack
from shopward.screening.messages.normalise import normalise
from shopward.testing.messages import simulated_messages


def bundle(**changes):
    """A small bundle."""
    return msgspec.structs.replace(
        Bundle(FORMAT, {}, 0.5, {"asks_secret": 0.1}, {"hadiah": (1.0, 1.0)}, {"£": (2.0, 1.0)}), **changes
    )


def test_the_bundle_that_ships_says_what_it_was_trained_on() -> None:
    """Only on sets that may be; it is small, and holds no message."""
    model = shipped_model()
    assert [each.split(",")[0] for each in model.about["trained_on"]] == [
        "shopward's simulated messages", "SMS Phishing Dataset",
    ]  # fmt: skip
    assert model.about["messages"] > 1_000


@pytest.mark.parametrize(
    "broken",
    [
        b"", b"{}", b"not json", b"[" * 100_000, pack(bundle())[:-20], pack(bundle()).replace(b"1.0", b"9.0"),
        pack(bundle(format="other 1")), pack(bundle(rules={"no_such_rule": 1.0})), pack(bundle(cues={"hadiah": (1e9, 1.0)})),
        pack(bundle(cues={"": (1.0, 1.0)})), pack(bundle(letters={"£": (float("1e9"), 1.0)})), pack(bundle(cues={"x" * 40: (1.0, 1.0)})), b" " * 5_000_000,
    ],
)  # fmt: skip
def test_a_broken_bundle_is_refused(broken: bytes) -> None:
    """Cut, changed, foreign, too large, out of its bounds: nothing of it is used."""
    with pytest.raises(ModelInvalid):
        load_model(broken)
    assert load_model(pack(bundle())).bias == pytest.approx(-3.5)


def test_what_speaks_against_a_message_never_comes_to_speak_for_it() -> None:
    """A bundle moves the weight of a rule, and not past nothing."""
    assert load_model(pack(bundle(rules={"asks_secret": -50.0}))).rules["asks_secret"] == 0.0
    assert load_model(pack(bundle(rules={"warns": 50.0}))).rules["warns"] == 0.0


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Call  NOW for \u00a3100", "Call NOW for \u00a3100"),
        ("\uff26\uff32\uff25\uff25 \u24dfrize, \u5feb\uff0c", "free prize, \u5feb\uff0c"),
        ("ha\u2060di\u200bah", "hadiah"),
        ("h4d1ah untuk anda", "hadiah untuk anda"),
    ],
)
def test_the_second_reading_keeps_letters_as_given_and_undoes_disguises(given: str, read: str) -> None:
    """Case, signs and punctuation stay; letters in other guises are what they stand for."""
    assert letters_of(given, normalise(given)) == read


def test_a_disguise_is_the_same_each_time_and_of_several_kinds() -> None:
    """Training depends on nothing but its messages."""
    texts = [each.text for each in simulated_messages(seed=5, each=1)]
    made = [disguised(text) for text in texts]
    assert made == [disguised(text) for text in texts]
    assert sum(one != other for one, other in zip(made, texts, strict=True)) > len(texts) // 2


def test_a_person_trains_a_bundle_and_screens_with_it(tmp_path) -> None:
    """From lines of text and label; what it was held against is told; the same lines give the same bundle."""
    pytest.importorskip("scipy")
    lines = tmp_path / "messages.ndjson"
    with lines.open("w", encoding="utf-8") as file:
        for each in simulated_messages(seed=3, each=3):
            label = "fraud" if each.is_fraud else "other"
            file.write(json.dumps({"text": each.text, "label": label, "group": each.template}) + "\n")
    command = ["screen", "train-messages", str(lines), "--cues", "1000", "--out"]
    trained = CliRunner().invoke(main, [*command, str(tmp_path / "a.bundle")])
    assert trained.exit_code == 0, trained.output
    assert json.loads(trained.stdout)["held_out"]["average_precision"] > 0.8
    CliRunner().invoke(main, [*command, str(tmp_path / "b.bundle")])
    assert (tmp_path / "a.bundle").read_bytes() == (tmp_path / "b.bundle").read_bytes()
    asked = json.dumps({"id": "7", "text": "Kirim kode OTP Anda ke saya", "channel": "sms", "lang": "id"})
    screened = CliRunner().invoke(
        main,
        ["screen", "message", "-", "--bundle", str(tmp_path / "a.bundle"), "--language", "id"],
        input=asked,
    )
    said = json.loads(screened.stdout)
    assert (said["id"], said["verdict"], screened.exit_code) == ("7", "dangerous", 0)
    assert said["reasons"][0]["text"].startswith("Meminta kode")


def test_training_on_one_kind_is_refused(tmp_path) -> None:
    """Nothing can be told apart."""
    (tmp_path / "m.ndjson").write_text('{"text":"a","label":"fraud"}\n', encoding="utf-8")
    said = CliRunner().invoke(
        main, ["screen", "train-messages", str(tmp_path / "m.ndjson"), "--out", str(tmp_path / "x")]
    )
    assert said.exit_code == 1


def test_what_is_taken_for_plain_is_no_letter_in_another_guise() -> None:
    """The quick look passes over no character that stands for another one, in all of Unicode's first plane and a part of the others."""
    for point in (*range(0xD800), *range(0xE000, 0x20000)):
        if OTHER_GUISE.search(chr(point)) is None:
            assert letters_of(f"a{chr(point)}b", normalise("")) == " ".join(f"a{chr(point)}b".split())
            read = READINGS[point]
            assert point < 0x80 or not (read.isascii() and (read.isalnum() or not read)), hex(point)


def test_placeholders_in_any_brackets_stand_for_numbers() -> None:
    """As reported messages are masked: what was there before stays one thing of its kind."""
    for masked in ("<phone>", "{phone}", "[HP]", "<电话>", "CELLPHONE"):
        things, _ = things_in(normalise(f"call {masked} now").text, f"call {masked} now")
        assert [(each.kind, each.start) for each in things] == [("phone", 5)], masked


def test_a_shop_screens_messages_over_http(tmp_path) -> None:
    """One, or lines with one bad one; the reader's language; nothing of the text in the server's output."""
    (tmp_path / "shop.toml").write_text(TOML, encoding="utf-8")
    with Server(tmp_path / "data", "--profile", tmp_path / "shop.toml") as server:
        text = "TokoNusa: akun diblokir, kirim kode OTP ke https://tokonusa-id.example.net/"
        status, body = server.post(
            "/v1/screen/messages", {"text": text, "id": "1"}, **{"Accept-Language": "zh"}
        )
        said = json.loads(body)
        assert (status, said["verdict"], said["brand"], said["id"]) == (
            200,
            "dangerous",
            "Toko Nusantara",
            "1",
        )
        assert any("验证码" in each["text"] for each in said["reasons"])
        start, end = next(each["span"] for each in said["reasons"] if each["code"] == "asks_secret")
        assert text[start:end] == "kirim kode OTP"
        lines = b'{"text":"halo"}\n{"txt":"x"}\n{"text":"' + b"a" * 10_000 + b'"}\n'
        status, body = server.post("/v1/screen/messages", lines, "application/x-ndjson")
        first, second, third = map(json.loads, body.splitlines())
        assert (status, first["verdict"], second["status"], third["verdict"]) == (
            200,
            "unknown",
            422,
            "unknown",
        )
        assert not any("kirim kode" in line for line in (*server.out, *server.err))
