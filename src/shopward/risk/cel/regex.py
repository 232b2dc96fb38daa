r"""Regular expressions that cannot be made slow: the common syntax of RE2, run as an automaton.

The promise: a pattern is refused with a reason or becomes an automaton of at most ``MAX_STATES`` nodes, and a
search takes time linear in the text, whatever the pattern and the text are. There are no backreferences, no
look-around, no possessive or atomic groups (RE2 has none either) and, beyond RE2, no ``\p`` classes and no
multi-line mode. Only whether a pattern is found is told, not where.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.regex_program import Step, translate
from shopward.risk.cel.regex_syntax import Assertion

if TYPE_CHECKING:
    from shopward.risk.cel.regex_program import Program

MAX_REMEMBERED = 4_000


class _Row(dict[str, "_Row"]):
    """A state of the automaton; as a dict, where it goes on each character seen so far."""

    __slots__ = ("at_start", "found_at_end", "last_is_word", "positions")

    def __init__(self, positions: frozenset[int], *, last_is_word: bool, at_start: bool) -> None:
        super().__init__()
        self.positions = positions
        self.last_is_word = last_is_word
        self.at_start = at_start
        self.found_at_end: bool | None = None


_FOUND = _Row(frozenset(), last_is_word=False, at_start=False)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Automaton:
    """The automaton of a pattern.

    Raises:
        EvalError: the pattern is not in the subset.
    """
    return Automaton(translate(pattern))


class Automaton:
    """A set of positions in a program, moved along the text one character at a time; moves are remembered."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._forget()

    def _forget(self) -> None:
        self._start = _Row(frozenset({self._program.start}), last_is_word=False, at_start=True)
        self._rows: dict[tuple[frozenset[int], bool], _Row] = {}
        self._remembered = 0

    def search(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text."""
        row = self._start
        for character in text:
            following = row.get(character)
            if following is None:
                following = self._extend(row, character)
            if following is _FOUND:
                return True
            row = following
        if row.found_at_end is None:
            row.found_at_end = self._closure(row, None) is None
        return row.found_at_end

    def _extend(self, row: _Row, character: str) -> _Row:
        """Find and remember where a state goes on a character."""
        if self._remembered >= MAX_REMEMBERED:
            self._forget()
        self._remembered += 1
        row[character] = following = self._step(row, character)
        return following

    def _step(self, row: _Row, character: str) -> _Row:
        closure = self._closure(row, character)
        if closure is None:
            return _FOUND
        moved = {self._program.start}
        for position in closure:
            node = self._program.nodes[position]
            if isinstance(node, Step) and node.charset.holds(character):
                moved.add(node.target)
        positions, last_is_word = frozenset(moved), _is_word(character)
        if (positions, last_is_word) not in self._rows:
            self._rows[positions, last_is_word] = _Row(positions, last_is_word=last_is_word, at_start=False)
        return self._rows[positions, last_is_word]

    def _closure(self, row: _Row, following: str | None) -> set[int] | None:
        """All positions reachable without a character, or None when the end of the pattern is."""
        at_boundary = row.last_is_word is not (following is not None and _is_word(following))
        holds = {
            Assertion.ALWAYS: True,
            Assertion.START: row.at_start,
            Assertion.END: following is None,
            Assertion.WORD: at_boundary,
            Assertion.NOT_WORD: not at_boundary,
        }
        seen: set[int] = set()
        waiting = list(row.positions)
        while waiting:
            position = waiting.pop()
            if position == self._program.accept:
                return None
            if position in seen:
                continue
            seen.add(position)
            node = self._program.nodes[position]
            if not isinstance(node, Step) and holds[node.assertion]:
                waiting.extend(node.targets)
        return seen


def problem(pattern: str) -> str | None:
    """Why a pattern is refused, or None."""
    try:
        compiled(pattern)
    except EvalError as error:
        return error.message
    return None


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
