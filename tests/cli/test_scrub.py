"""``shopward scrub`` as a script uses it."""

from __future__ import annotations

import json

from click.testing import CliRunner

from shopward.cli import main


def test_each_line_comes_back_masked_with_its_id_and_spans() -> None:
    """Ids of any kind return, offsets are of the text as given, and a bad line is answered on its place."""
    lines = [
        {"id": "a", "text": "hp saya 0812-9876-5432"},
        {"id": 7, "text": "没有"},
        {"text": "卡号4111111111111111", "extra": 1},
    ]
    given = "\n".join([json.dumps(line) for line in lines] + ["not json 081298765432"])
    said = CliRunner().invoke(main, ["scrub", "-"], input=given)
    first, second, third, fourth = [json.loads(line) for line in said.stdout.splitlines()]
    assert first == {
        "id": "a",
        "text": "hp saya [phone]",
        "spans": [{"start": 8, "end": 22, "type": "phone"}],
    }
    assert second == {"id": 7, "text": "没有", "spans": []}
    assert third["code"] == "invalid_field"
    assert fourth["code"] == "malformed_input"
    assert "081298765432" not in said.stdout.splitlines()[3]
    assert said.exit_code == 1


def test_one_text_is_masked_without_a_pipe() -> None:
    """A text as the argument is answered once."""
    said = CliRunner().invoke(main, ["scrub", "email budi@example.com"])
    assert json.loads(said.stdout)["text"] == "email [email]"
    assert said.exit_code == 0
