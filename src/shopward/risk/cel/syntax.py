"""The shape of an expression as written, before names and types are known.

The promise: immutable nodes, each with the half-open span of source it came from; ``at`` is the offset to point
at when the node is wrong (an operator, a function's name, a field).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any part of an expression; ``depth`` is the height of its tree."""

    start: int
    end: int
    at: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant."""

    value: object


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An identifier; an absolute one was written with a leading dot."""

    name: str
    absolute: bool


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``operand.field``."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function, a method (with a target), or an operator under its standard name such as ``_+_``."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Junction(Node):
    """A whole chain of ``&&`` or of ``||``."""

    operator: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    """``{key: value}``."""

    entries: tuple[tuple[Node, Node], ...]
