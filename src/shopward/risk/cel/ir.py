"""An expression with every name, type and overload decided: what is folded, measured, explained and compiled.

The promise: immutable nodes; ``type`` is settled enough to tell static from dynamic, and each node keeps the span
of source it came from so that evidence can quote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.risk.cel import syntax
    from shopward.risk.cel.functions import Overload
    from shopward.risk.cel.types import Type

Names = tuple[str, ...]


class Span(TypedDict):
    """Where a node comes from: half-open offsets, and the offset to point at."""

    start: int
    end: int
    at: int


def span(node: syntax.Node | Node) -> Span:
    """The span of one node, to be handed on to another."""
    return {"start": node.start, "end": node.end, "at": node.at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any checked part of an expression."""

    type: Type
    start: int
    end: int
    at: int

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return ()


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A scalar that is known."""

    value: object


@dataclass(frozen=True, slots=True)
class Path(Node):
    """A variable, or a field of one."""

    names: Names


@dataclass(frozen=True, slots=True)
class Has(Node):
    """Whether a field of a record is set."""

    names: Names


@dataclass(frozen=True, slots=True)
class Local(Node):
    """The variable of a macro, under the name it has in the generated code."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """A key of a map written as a field; with ``test_only`` only whether there is one."""

    operand: Node
    field: str
    test_only: bool = False

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A function on its arguments; without an overload the evaluation chooses one."""

    function: str
    overload: Overload | None
    arguments: tuple[Node, ...]
    method: bool = False

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.arguments


@dataclass(frozen=True, slots=True)
class Junction(Node):
    """A chain of ``&&`` or ``||``."""

    operator: str
    items: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.items


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """``condition ? then : otherwise``."""

    condition: Node
    then: Node
    otherwise: Node

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.condition, self.then, self.otherwise)


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """A list literal."""

    items: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.items


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    """A map literal: keys and values alternate."""

    items: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.items


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """A macro that walks a list or the keys of a map; ``body`` of a filter is the item itself."""

    macro: str
    variables: tuple[str, ...]
    source: Node
    condition: Node | None
    body: Node | None

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return tuple(node for node in (self.source, self.condition, self.body) if node is not None)


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """``cel.bind(name, value, body)``."""

    variable: str
    value: Node
    body: Node

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.value, self.body)


@dataclass(frozen=True, slots=True)
class Fail(Node):
    """Something that was wrong statically and is let through as an evaluation error."""

    message: str


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, top down and in the order of the source."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children()))


def references(node: Node) -> frozenset[Names]:
    """Every path that the node reads or tests."""
    return frozenset(part.names for part in walk(node) if isinstance(part, Path | Has))
