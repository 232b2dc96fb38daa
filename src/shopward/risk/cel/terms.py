"""The parts of a condition that can be shown as evidence: its top-level terms and their thresholds.

The promise: a ``Comparison`` states exactly what its term states, with the path on the left.
"""

from __future__ import annotations

from dataclasses import dataclass

from shopward.risk.cel import ir
from shopward.risk.cel.types import BOOL, resolve

_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = {f"_{mark}_": mark for mark in _FLIPPED}


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator literal``; the literal of ``in`` is a tuple, a bare bool path is compared with ``==``."""

    path: ir.Names
    operator: str
    literal: object


def conjuncts(node: ir.Node) -> tuple[ir.Node, ...]:
    """The conditions that a condition joins with ``&&``."""
    if isinstance(node, ir.Junction) and node.operator == "&&":
        return tuple(part for item in node.items for part in conjuncts(item))
    return (node,)


def comparison(node: ir.Node) -> Comparison | None:
    """The comparison of one path with a literal that a node is, if it is one."""
    match node:
        case ir.Path(names=names) if resolve(node.type) == BOOL:
            return Comparison(names, "==", literal=True)
        case ir.Apply(function="!_", arguments=(ir.Path(names=names) as path,)) if resolve(path.type) == BOOL:
            return Comparison(names, "==", literal=False)
        case ir.Apply(function="@in", arguments=(ir.Path(names=names), ir.ListOf(items=items))):
            values = tuple(item.value for item in items if isinstance(item, ir.Const))
            return Comparison(names, "in", values) if len(values) == len(items) else None
        case ir.Apply(function=function, arguments=(ir.Path(names=names), ir.Const(value=value))) if (
            function in _OPERATORS
        ):
            return Comparison(names, _OPERATORS[function], value)
        case ir.Apply(function=function, arguments=(ir.Const(value=value), ir.Path(names=names))) if (
            function in _OPERATORS
        ):
            return Comparison(names, _FLIPPED[_OPERATORS[function]], value)
        case _:
            return None
