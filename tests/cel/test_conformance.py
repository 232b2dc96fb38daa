"""The official conformance suite of CEL: every case passes, or is excluded below for a reason given in words."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from shopward.risk import cel

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("SHOPWARD_SHARED", ROOT.parent / "shared"))
SUITE = SHARED / "data" / "vectors" / "cel"
# A fall below this number means that something which passed is excluded or lost.
PASSING_AT_LEAST = 1_360

EXCLUDED_FILES = {
    "block_ext": "cel.block is an optimiser's internal form, nobody writes it",
    "encoders_ext": "base64 has no use in a condition on typed features",
    "enums": "protobuf enumerations; closed vocabularies are our own enum()",
    "network_ext": "addresses arrive as features that are computed before rules run",
    "optionals": "optional values; an unset field reads as its default and has() tells",
    "proto2": "protobuf messages; rules see records",
    "proto2_ext": "protobuf extensions; rules see records",
    "proto3": "protobuf messages; rules see records",
    "string_ext": "the string extension library formats text; conditions only test it",
    "wrappers": "protobuf wrapper messages; rules see records",
}
EXCLUDED_FEATURES = {
    r"TestAllTypes|TestRequired|NestedMessage|GlobalEnum|NestedEnum": "uses a protobuf message or enumeration",
    r"google\.protobuf\.(?:\w*Value|Any|Struct|FieldMask|Empty)\b": "uses a protobuf well-known message",
    r"'container', b'google\.protobuf'": "uses a protobuf well-known message",
    r"google\.protobuf\.(?:Timestamp|Duration)\s*\{": "builds a protobuf message",
    r"\boptional\.": "uses optional values",
    r"'overloads'": "declares functions of its own; the set of functions is fixed here",
}

_TOKEN = re.compile(
    r"#[^\n]*|\s+|[,;]|(?P<mark>[{}<>:\[\]])"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|(?P<word>[-+\w./]+)"
)
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass
class Message:
    """A message of the text format: field names with all their values, in order."""

    fields: list

    def all(self, name):
        """Every value of a field."""
        return [value for key, value in self.fields if key == name]

    def one(self, name, default=None):
        """The first value of a field."""
        return next(iter(self.all(name)), default)

    def text(self, name):
        """The first value of a field as text."""
        return self.one(name, b"").decode()


def read_textproto(source):
    """A message from protobuf's text format; strings are bytes, all other scalars are words."""
    tokens, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match, source[at : at + 40]
        if match.lastgroup:
            tokens.append((match.lastgroup, match[0]))
        at = match.end()
    return _message(iter([*tokens, ("mark", "}")]))


def _message(tokens):
    fields = []
    kind, text = next(tokens)
    while (kind, text) not in {("mark", "}"), ("mark", ">")}:
        name = text
        if text == "[":
            name = next(tokens)[1]
            assert next(tokens)[1] == "]"
        kind, text = next(tokens)
        if text == ":" and kind == "mark":
            kind, text = next(tokens)
        if (kind, text) == ("mark", "["):
            kind, text = next(tokens)
            while text != "]":
                fields.append((name, _message(tokens) if kind == "mark" else text))
                kind, text = next(tokens)
            kind, text = next(tokens)
        elif kind == "mark":
            fields.append((name, _message(tokens)))
            kind, text = next(tokens)
        elif kind == "word":
            fields.append((name, text))
            kind, text = next(tokens)
        else:
            value = b""
            while kind == "string":
                value += _unescape(text[1:-1])
                kind, text = next(tokens)
            fields.append((name, value))
    return Message(fields)


def _unescape(text):
    parts, at = b"", 0
    for match in _ESCAPE.finditer(text):
        octal, byte, short, long, simple = match.groups()
        parts += text[at : match.start()].encode()
        if octal or byte:
            parts += bytes([int(octal, 8) if octal else int(byte, 16)])
        else:
            code = short or long
            parts += (chr(int(code, 16)) if code else _SIMPLE.get(simple, simple)).encode()
        at = match.end()
    return parts + text[at:].encode()


def value_of(message):  # noqa: PLR0911 - one return per kind of value
    """A value of the suite as the value that we use."""
    kind, value = message.fields[0]
    match kind:
        case "null_value":
            return None
        case "bool_value":
            return value == "true"
        case "int64_value":
            return int(value)
        case "uint64_value":
            return cel.UInt(value)
        case "double_value":
            return float(value)
        case "string_value":
            return value.decode()
        case "bytes_value":
            return value
        case "type_value":
            return cel.TypeValue(value.decode())
        case "list_value":
            return [value_of(item) for item in value.all("values")]
        case "map_value":
            return {value_of(e.one("key")): value_of(e.one("value")) for e in value.all("entries")}
        case "object_value":
            name, body = value.fields[0]
            ns = int(body.one("seconds", "0")) * 10**9 + int(body.one("nanos", "0"))
            return {"Timestamp": cel.Timestamp, "Duration": cel.Duration}[name.rpartition(".")[2]](ns)
    raise AssertionError(kind)


def type_of(message):  # noqa: PLR0911 - one return per kind of type
    """A type of the suite as our type."""
    kind, value = message.fields[0]
    match kind:
        case "primitive":
            names = {"INT64": cel.INT, "UINT64": cel.UINT}
            return names.get(value) or getattr(cel, value)
        case "null":
            return cel.NULL
        case "list_type":
            return cel.list_of(type_of(value.one("elem_type")))
        case "map_type":
            return cel.map_of(type_of(value.one("key_type")), type_of(value.one("value_type")))
        case "well_known":
            return getattr(cel, value)
        case "message_type":
            return getattr(cel, value.decode().rpartition(".")[2].upper())
        case "dyn":
            return cel.DYN
    raise AssertionError(kind)


def same(left, right):
    """Whether two results are the same value of the same type; unlike ==, NaN is NaN and 1 is not 1.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, float):
        return repr(left) == repr(right)
    return left == right


def run(case):
    """Run one case as a conformance server would; the assertion says what differs."""
    variables, bindings = {}, {}
    for declared in case.all("type_env"):
        variables[declared.text("name")] = type_of(declared.one("ident").one("type"))
    for binding in case.all("bindings"):
        bindings[binding.text("key")] = value_of(binding.one("value").one("value"))
    env = cel.Environment(variables, rules=False, container=case.text("container"))
    checked = env.check(case.text("expr"), unchecked=case.one("disable_check") == "true")
    typed = case.one("typed_result")
    if typed is not None:
        assert str(checked.type) == str(type_of(typed.one("deduced_type")))
    if case.one("check_only") == "true":
        return
    if case.one("eval_error") is not None:
        with pytest.raises(cel.EvalError):
            checked.program()(bindings)
        return
    expected = case.one("value") or (typed and typed.one("result"))
    wanted = value_of(expected) if expected is not None else True
    found = checked.program()(bindings)
    assert same(found, wanted), f"{found!r} is not {wanted!r}"


def exclusion(path, case):
    """Why a case is not part of the subset, or None."""
    if path.stem in EXCLUDED_FILES:
        return EXCLUDED_FILES[path.stem]
    text = repr(case)
    return next((reason for pattern, reason in EXCLUDED_FEATURES.items() if re.search(pattern, text)), None)


def test_every_case_of_the_subset_passes(record_property):
    """All official cases pass but those that the two tables above exclude, and the tables do not grow unseen."""
    if not SUITE.is_dir():
        assert os.environ.get("CI") != "true", f"the conformance suite is not at {SUITE}"
        pytest.skip(f"the conformance suite is not at {SUITE}")
    passed, excluded, failed = 0, 0, []
    for path in sorted(SUITE.glob("*.textproto")):
        for section in read_textproto(path.read_text()).all("section"):
            for case in section.all("test"):
                if exclusion(path, case):
                    excluded += 1
                    continue
                try:
                    run(case)
                    passed += 1
                except (AssertionError, cel.CelInvalid, cel.EvalError, pytest.fail.Exception) as error:
                    failed.append(f"{path.stem}/{section.text('name')}/{case.text('name')}: {error}")
    record_property("cel_conformance", f"{passed} passed, {excluded} excluded")
    print(f"\nCEL conformance: {passed} passed, {excluded} excluded, {len(failed)} failed")  # noqa: T201
    assert not failed, "\n".join(failed)
    assert passed >= PASSING_AT_LEAST
