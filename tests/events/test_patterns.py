"""Patterns of fields: a text that ends in a line feed is another text."""

import ast
import json
from pathlib import Path

import msgspec
import pytest

import shopward
from shopward.access.keys import KeyName
from shopward.events.catalogue import Currency
from shopward.http.reference import document
from shopward.processing.activity import Name

SOURCES = Path(shopward.__file__).parent


def patterns():
    """Every pattern that a field of ours is declared with, where it is written out, with its place."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Meta":
                for each in node.keywords:
                    if each.arg == "pattern" and not isinstance(each.value, ast.Name):
                        last = each.value.values[-1] if isinstance(each.value, ast.JoinedStr) else each.value
                        yield last.value, f"{path}:{node.lineno}"


def test_every_pattern_ends_at_the_end():
    r"""Python's ``$`` also stands before a last line feed; ``\Z`` does not."""
    found = list(patterns())
    assert len(found) > 40
    assert not [(text, place) for text, place in found if not text.endswith(r"\Z")]


@pytest.mark.parametrize(("shape", "text"), [(Currency, "IDR"), (KeyName, "ani"), (Name, "orders")])
def test_a_line_feed_at_the_end_is_refused(shape, text):
    """As the same text without it is taken."""
    assert msgspec.json.decode(json.dumps(text), type=shape) == text
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(text + "\n"), type=shape)


def test_the_document_speaks_the_patterns_of_json_schema():
    r"""ECMA 262 knows no ``\Z``, and its ``$`` is the end."""
    said = json.dumps(document())
    assert "\\\\Z" not in said
    assert '"^[A-Z]{3}$"' in said
