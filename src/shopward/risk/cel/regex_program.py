"""The tree of a pattern as the program of a nondeterministic automaton.

The promise: at most ``MAX_STATES`` nodes, counted repeats unrolled; a pattern that needs more is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shopward.risk.cel.regex_syntax import Assertion, Charset, Choice, Repeat, Sequence, Tree, read, refuse

MAX_STATES = 2_000


@dataclass(slots=True)
class Empty:
    """A move without a character to any of the targets."""

    targets: list[int]
    assertion: Assertion = Assertion.ALWAYS


@dataclass(frozen=True, slots=True)
class Step:
    """A move over one character."""

    charset: Charset
    target: int


@dataclass(slots=True)
class Program:
    """Nodes with their numbers as addresses; the first one is the end of the pattern."""

    nodes: list[Empty | Step] = field(default_factory=lambda: [Empty([])])
    start: int = 0
    accept: int = 0

    def add(self, node: Empty | Step) -> int:
        """The address of a new node."""
        if len(self.nodes) >= MAX_STATES:
            raise refuse(f"more than {MAX_STATES} states after repeats are unrolled")
        self.nodes.append(node)
        return len(self.nodes) - 1


def translate(pattern: str) -> Program:
    """The program of a pattern.

    Raises:
        EvalError: the pattern is not in the subset, or too large.
    """
    program = Program()
    program.start = _build(program, read(pattern), program.accept)
    return program


def _build(program: Program, tree: Tree, after: int) -> int:
    """Build backwards: a part is given the address to go on at, and returns its own."""
    match tree:
        case Charset():
            return program.add(Step(tree, after))
        case Assertion():
            return program.add(Empty([after], tree))
        case Sequence(parts=parts):
            for part in reversed(parts):
                after = _build(program, part, after)
            return after
        case Choice(branches=branches):
            return program.add(Empty([_build(program, branch, after) for branch in branches]))
        case Repeat():
            return _repeat(program, tree, after)


def _repeat(program: Program, tree: Repeat, after: int) -> int:
    entry = after
    if tree.most is None:
        loop = Empty([after])
        entry = program.add(loop)
        loop.targets.append(_build(program, tree.body, entry))
    else:
        for _ in range(tree.most - tree.least):
            entry = program.add(Empty([after, _build(program, tree.body, entry)]))
    for _ in range(tree.least):
        entry = _build(program, tree.body, entry)
    return entry
