"""From source text to tokens.

The promise: linear in the length of the source; every character belongs to exactly one token, a blank or a
comment, or the source is refused at its offset. Literals are decoded here. Nothing about grammar is known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shopward.risk.cel.issues import SyntaxFault
from shopward.risk.cel.values import INT_MAX, UINT_MAX, UInt

MAX_SOURCE_LENGTH = 10_000
KEYWORDS = {"true": True, "false": False, "null": None}
RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)

_SKIP = re.compile(r"(?:[\t\n\f\r ]+|//[^\n]*)+")
_QUOTE = re.compile(r"([rRbB]{0,2})(\"\"\"|'''|\"|')")
_NUMBER = re.compile(
    r"(?P<hex>0[xX][0-9a-fA-F]+)(?P<hexu>[uU]?)"
    r"|(?P<double>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)"
    r"|(?P<int>[0-9]+)(?P<intu>[uU]?)"
)
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_QUOTED_NAME = re.compile(r"`([a-zA-Z0-9_./ -]+)`")
_PUNCTUATION = re.compile(r"&&|\|\||[=!<>]=|[-<>+*/%!?:,.()\[\]{}]")
_ESCAPES = {
    **dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)),
    **{mark: mark for mark in "\\?\"'`"},
}
_ESCAPE = re.compile(
    r"\\(?:[xX](?P<hex>[0-9a-fA-F]{2})|u(?P<u4>[0-9a-fA-F]{4})|U(?P<u8>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-3][0-7]{2})|(?P<simple>[abfnrtv\\?\"'`]))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``kind`` is ``literal``, ``name``, ``quoted``, ``end`` or the punctuation itself."""

    kind: str
    start: int
    end: int
    text: str = ""
    value: object = None


def tokenize(source: str) -> list[Token]:
    """All tokens of a source, closed by one of kind ``end``."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise SyntaxFault(
            0, f"the expression is longer than {MAX_SOURCE_LENGTH} characters", "split the rule"
        )
    tokens: list[Token] = []
    at = 0
    while True:
        if blank := _SKIP.match(source, at):
            at = blank.end()
        if at >= len(source):
            tokens.append(Token("end", len(source), len(source)))
            return tokens
        token = _next(source, at)
        tokens.append(token)
        at = token.end


def _next(source: str, at: int) -> Token:
    # Quotes first: r"..." and b"..." begin like a name. Numbers before punctuation: .5 begins like a dot.
    if quote := _QUOTE.match(source, at):
        if len(set(quote[1].lower())) == len(quote[1]):
            return _string(source, quote)
    elif number := _NUMBER.match(source, at):
        return _number(number)
    if name := _NAME.match(source, at):
        text = name[0]
        if text in KEYWORDS:
            return Token("literal", at, name.end(), text, KEYWORDS[text])
        return Token("in" if text == "in" else "name", at, name.end(), text)
    if quoted := _QUOTED_NAME.match(source, at):
        return Token("quoted", at, quoted.end(), quoted[1])
    if mark := _PUNCTUATION.match(source, at):
        return Token(mark[0], at, mark.end(), mark[0])
    hint = {"=": "compare with ==", "&": "'and' is written &&", "|": "'or' is written ||"}.get(source[at])
    raise SyntaxFault(at, "this character does not belong to an expression", hint)


def _number(match: re.Match[str]) -> Token:
    start, end, text = match.start(), match.end(), match[0]
    if match["double"]:
        value = float(text)
        if value == float("inf"):
            raise SyntaxFault(start, "the number is too large for a double")
        return Token("literal", start, end, text, value)
    unsigned = match["hexu"] or match["intu"]
    digits = match["hex"] or match["int"]
    # 20 decimal digits hold every 64-bit value; int() of thousands of digits would take quadratic time.
    whole = int(digits, 16 if match["hex"] else 10) if len(digits.lstrip("0xX")) <= 20 else UINT_MAX + 1
    # One more than the largest int is let through: it is right after a minus, and only the parser knows.
    if whole > (UINT_MAX if unsigned else INT_MAX + 1):
        raise SyntaxFault(start, "the number is out of the 64-bit range")
    return Token("literal", start, end, text, UInt(whole) if unsigned else whole)


def _string(source: str, quote: re.Match[str]) -> Token:
    prefix, mark = quote[1].lower(), quote[2]
    start = at = quote.end()
    while not source.startswith(mark, at):
        if at >= len(source) or (len(mark) == 1 and source[at] in "\r\n"):
            raise SyntaxFault(quote.start(), "the string is not closed", f"end it with {mark}")
        at += 2 if source[at] == "\\" and "r" not in prefix else 1
    body, end = source[start:at], at + len(mark)
    is_bytes = "b" in prefix
    if "r" not in prefix:
        value = _unescape(body, start, is_bytes=is_bytes)
    else:
        value = body.encode(errors="surrogatepass") if is_bytes else body
    return Token("literal", quote.start(), end, source[quote.start() : end], value)


def _unescape(body: str, offset: int, *, is_bytes: bool) -> str | bytes:
    parts: list[str] = []
    raw = bytearray()
    at = 0
    while (slash := body.find("\\", at)) >= 0:
        escape = _ESCAPE.match(body, slash)
        if escape is None or (is_bytes and (escape["u4"] or escape["u8"])):
            raise SyntaxFault(offset + slash, "there is no such escape", "write a backslash as \\\\")
        code = _code_point(escape)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise SyntaxFault(offset + slash, "this escape is not a Unicode character")
        parts += (body[at:slash], chr(code))
        if is_bytes:
            raw += body[at:slash].encode(errors="surrogatepass") + bytes([code])
        at = escape.end()
    if is_bytes:
        return bytes(raw) + body[at:].encode(errors="surrogatepass")
    return "".join(parts) + body[at:]


def _code_point(escape: re.Match[str]) -> int:
    if escape["simple"]:
        return ord(_ESCAPES[escape["simple"]])
    if escape["octal"]:
        return int(escape["octal"], 8)
    return int(escape["hex"] or escape["u4"] or escape["u8"], 16)
