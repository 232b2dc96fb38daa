"""The syntax of regular expressions, read into a tree.

The promise: every construct is either read exactly as RE2 means it or refused by name; nesting and counted repeats
are bounded. Nothing is built or matched here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shopward.risk.cel.issues import EvalError

MAX_REPEAT = 1_000
MAX_GROUPS = 40
_DIGIT, _SPACE = ((48, 57),), ((9, 10), (12, 13), (32, 32))
_WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
_CLASSES = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_POSIX = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "digit": _DIGIT,
    "lower": ((97, 122),),
    "upper": ((65, 90),),
    "space": ((9, 13), (32, 32)),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
    "word": _WORD,
}
_CONTROLS = dict(zip("afnrtv", "\a\f\n\r\t\v", strict=True))
_ANYTHING = ((0, 0x10FFFF),)
_NOT_NEWLINE = ((0, 9), (11, 0x10FFFF))
_Ranges = tuple[tuple[int, int], ...]


class Assertion(Enum):
    """What must hold between two characters for an empty move."""

    ALWAYS = "always"
    START = "^"
    END = "$"
    WORD = "\\b"
    NOT_WORD = "\\B"


@dataclass(frozen=True, slots=True)
class Charset:
    """One character of a set."""

    ranges: _Ranges
    negated: bool
    fold: bool

    def holds(self, character: str) -> bool:
        """Whether the character belongs to the set."""
        forms = {character, character.lower(), character.upper()} if self.fold else {character}
        codes = [ord(form) for form in forms if len(form) == 1]
        return any(low <= code <= high for code in codes for low, high in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several branches."""

    branches: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part at least and at most so many times; without a ``most`` as often as one likes."""

    body: Tree
    least: int
    most: int | None


Tree = Assertion | Charset | Sequence | Choice | Repeat


def read(pattern: str) -> Tree:
    """The tree of a pattern.

    Raises:
        EvalError: the pattern is not in the subset.
    """
    return _Reader(pattern).whole()


def refuse(what: str) -> EvalError:
    """The error for a construct that is not in the subset."""
    return EvalError(f"the pattern uses {what}")


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._groups = 0
        self._fold = False
        self._dot_all = False

    def whole(self) -> Tree:
        tree = self._alternatives()
        if self._at < len(self._pattern):
            raise refuse("a ')' without its '('")
        return tree

    def _alternatives(self) -> Tree:
        fold, dot_all = self._fold, self._dot_all
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        self._fold, self._dot_all = fold, dot_all
        return Choice(tuple(branches))

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, atom: Tree) -> Tree:
        bounds = self._quantifier()
        if bounds is None:
            return atom
        if self._peek() == "?":  # lazy: the same texts are found
            self._at += 1
        if self._peek() in {"*", "+", "?"}:
            raise refuse("a repeat of a repeat (possessive quantifiers are not in RE2)")
        return Repeat(atom, *bounds)

    def _quantifier(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek())
        if simple is not None:
            self._at += 1
            return simple
        if self._peek() != "{":
            return None
        closing = self._pattern.find("}", self._at)
        low, comma, high = (
            self._pattern[self._at + 1 : closing].partition(",") if closing > 0 else ("", "", "")
        )
        if not (low.isascii() and low.isdigit() and (not high or (high.isascii() and high.isdigit()))):
            return None  # RE2 too reads such a brace as itself
        self._at = closing + 1
        bounds = [int(digits) if len(digits) < 5 else MAX_REPEAT + 1 for digits in (low, high or low)]
        least, most = bounds[0], None if comma and not high else bounds[1]
        if least > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or most < least)):
            raise refuse(f"a repeat beyond {MAX_REPEAT} or with its bounds reversed")
        return least, most

    def _atom(self) -> Tree:  # noqa: PLR0911 - one return per kind of atom
        character = self._take()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._charset()
            case ".":
                return self._set(_ANYTHING if self._dot_all else _NOT_NEWLINE, fold=False)
            case "^":
                return Assertion.START
            case "$":
                return Assertion.END
            case "*" | "+" | "?":
                raise refuse("a repeat of nothing")
            case "\\":
                return self._escape()
            case _:
                return self._set(((ord(character), ord(character)),))

    def _group(self) -> Tree:
        self._groups += 1
        if self._groups > MAX_GROUPS:
            raise refuse(f"more than {MAX_GROUPS} groups")
        if self._peek() == "?" and self._extension():
            return Sequence(())
        tree = self._alternatives()
        if self._peek() != ")":
            raise refuse("a '(' without its ')'")
        self._at += 1
        return tree

    def _extension(self) -> bool:
        """Read what follows ``(?``; true if it only sets flags for the rest of the enclosing group."""
        rest = self._pattern[self._at + 1 :]
        if rest.startswith(("=", "!", "<=", "<!")):
            raise refuse("look-around")
        if rest.startswith(("P=", "P>", ">", "(", "#")):
            raise refuse("a backreference, an atomic group or a condition")
        for named in ("P<", "<"):
            name = rest[len(named) :].partition(">")[0]
            if rest.startswith(named) and name.isidentifier():
                self._at += 2 + len(named) + len(name)
                return False
        flags = rest[: len(rest) - len(rest.lstrip("imsU-"))]
        closing = rest[len(flags) : len(flags) + 1]
        if closing not in {":", ")"} or set(flags) - {"i", "s"}:
            raise refuse("an extension or flag other than (?i) and (?s)")
        self._at += 2 + len(flags)
        if closing == ":" and flags:
            raise refuse("flags for one group; write (?i) at the start")
        self._fold |= "i" in flags
        self._dot_all |= "s" in flags
        return closing == ")"

    def _escape(self) -> Tree:
        letter = self._take()
        boundary = {"A": Assertion.START, "z": Assertion.END, "b": Assertion.WORD, "B": Assertion.NOT_WORD}
        if letter in boundary:
            return boundary[letter]
        if letter.lower() in _CLASSES:
            return self._set(_CLASSES[letter.lower()], negated=letter.isupper(), fold=False)
        if letter and letter in "123456789k":
            raise refuse("a backreference")
        code = self._escaped_code(letter)
        return self._set(((code, code),))

    def _escaped_code(self, letter: str) -> int:
        if letter in _CONTROLS:
            return ord(_CONTROLS[letter])
        if letter == "x":
            return self._hexadecimal()
        if not letter or (letter.isascii() and (letter.isalnum() or letter == "_")):
            raise refuse("an escape that is not in this subset")
        return ord(letter)

    def _hexadecimal(self) -> int:
        rest = self._pattern[self._at :]
        digits = rest[1:].partition("}")[0] if rest.startswith("{") else rest[:2]
        self._at += len(digits) + 2 * rest.startswith("{")
        try:
            code = int(digits, 16) if len(digits) <= 6 else -1
        except ValueError:
            code = -1
        if not 0 <= code <= 0x10FFFF:
            raise refuse("a hexadecimal escape that is not a character")
        return code

    def _charset(self) -> Tree:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            if not self._peek():
                raise refuse("a '[' without its ']'")
            ranges += self._range()
        self._at += 1
        return self._set(tuple(ranges), negated=negated)

    def _range(self) -> _Ranges:
        low = self._member()
        if not isinstance(low, int):
            return low
        if self._peek() != "-" or self._pattern[self._at + 1 : self._at + 2] in {"]", ""}:
            return ((low, low),)
        self._at += 1
        high = self._member()
        if not isinstance(high, int) or high < low:
            raise refuse("a range of characters with its bounds reversed")
        return ((low, high),)

    def _member(self) -> int | _Ranges:
        character = self._take()
        if character == "[" and self._peek() == ":":
            name, closing, _ = self._pattern[self._at + 1 :].partition(":]")
            if not closing or name not in _POSIX:
                raise refuse("a class of this name")
            self._at += len(name) + 3
            return _POSIX[name]
        if character != "\\":
            return ord(character)
        letter = self._take()
        if letter and letter.lower() in _CLASSES:
            ranges = _CLASSES[letter.lower()]
            return ranges if letter.islower() else _complement(ranges)
        return self._escaped_code(letter)

    def _set(self, ranges: _Ranges, *, negated: bool = False, fold: bool | None = None) -> Tree:
        return Charset(ranges, negated, self._fold if fold is None else fold)

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character


def _complement(ranges: _Ranges) -> _Ranges:
    result: list[tuple[int, int]] = []
    at = 0
    for low, high in sorted(ranges):
        if at < low:
            result.append((at, low - 1))
        at = high + 1
    return (*result, (at, 0x10FFFF))
