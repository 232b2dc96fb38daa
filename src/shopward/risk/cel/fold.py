"""What can be computed before any event: constants put in for paths, and everything that follows from them.

The promise: the folded tree has the value of the original for every activation that agrees with the constants,
errors included. So an operand that may fail is never computed away unless ``&&`` or ``||`` would absorb it. On the
way, conditions that are decided without any event and calls that always fail are noted in ``findings``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shopward.risk.cel import ir
from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.program import evaluate
from shopward.risk.cel.types import BOOL, resolve
from shopward.risk.cel.values import is_default

if TYPE_CHECKING:
    from collections.abc import Mapping

Finding = tuple[int, str, str | None]


class Folder:
    """Folds one tree; ``findings`` lists what it noticed."""

    def __init__(self, constants: Mapping[ir.Names, object] | None = None) -> None:
        self._constants = constants or {}
        self.findings: list[Finding] = []

    def fold(self, node: ir.Node) -> ir.Node:  # noqa: PLR0911 - one return per kind of node
        """The node with everything computed that is known."""
        match node:
            case ir.Path(names=names) if names in self._constants:
                return _const(node, self._constants[names])
            case ir.Has(names=names) if self._is_surely_set(names):
                return _const(node, value=True)
            case ir.Junction():
                return self._junction(node)
            case ir.Conditional():
                return self._conditional(node)
            case ir.Apply():
                arguments = tuple(self.fold(argument) for argument in node.arguments)
                return self._compute(replace(node, arguments=arguments))
            case ir.ListOf(items=items) | ir.MapOf(items=items):
                return replace(node, items=tuple(self.fold(item) for item in items))
            case ir.Select(operand=operand):
                return replace(node, operand=self.fold(operand))
            case ir.Loop():
                return self._loop(node)
            case ir.Bind(value=value, body=body):
                return replace(node, value=self.fold(value), body=self.fold(body))
            case _:
                return node

    def condition(self, node: ir.Node) -> ir.Node:
        """A folded condition, noting when it is already decided."""
        before = len(self.findings)
        folded = self.fold(node)
        if isinstance(folded, ir.Const) and type(folded.value) is bool and len(self.findings) == before:
            always = "true" if folded.value else "false"
            self.findings.append((node.at, f"this condition is always {always}", "remove it"))
        return folded

    def _is_surely_set(self, names: ir.Names) -> bool:
        # A constant that equals the default may as well come from an unset field.
        value = self._constants.get(names)
        return value is not None and not is_default(value)

    def _junction(self, node: ir.Junction) -> ir.Node:
        decisive = node.operator == "||"
        items: list[ir.Node] = []
        decided = False
        for item in map(self.condition, node.items):
            if isinstance(item, ir.Const) and type(item.value) is bool:
                decided |= item.value is decisive
            else:
                items.append(item)
        if decided or not items:
            return _const(node, value=decisive if decided else not decisive)
        if len(items) == 1 and resolve(items[0].type) == BOOL:
            return items[0]
        return replace(node, items=tuple(items))

    def _conditional(self, node: ir.Conditional) -> ir.Node:
        condition = self.condition(node.condition)
        if isinstance(condition, ir.Const) and type(condition.value) is bool:
            return self.fold(node.then if condition.value else node.otherwise)
        then, otherwise = self.fold(node.then), self.fold(node.otherwise)
        return replace(node, condition=condition, then=then, otherwise=otherwise)

    def _loop(self, node: ir.Loop) -> ir.Node:
        condition = self.condition(node.condition) if node.condition else None
        body = self.fold(node.body) if node.body else None
        return self._compute(replace(node, source=self.fold(node.source), condition=condition, body=body))

    def _compute(self, node: ir.Node) -> ir.Node:
        """The value of a node that reads nothing but constants, if it is a scalar."""
        if not _is_closed(node):
            return node
        try:
            value = evaluate(node)
        except EvalError as error:
            if not any(isinstance(part, ir.Fail) for part in ir.walk(node)):
                self.findings.append((node.at, f"this always fails: {error.message}", error.expected))
            return node
        return node if isinstance(value, list | dict) else _const(node, value)


def _is_closed(node: ir.Node) -> bool:
    match node:
        case ir.Const():
            return True
        case ir.Apply() | ir.ListOf() | ir.MapOf():
            # A nested call that is not a constant by now has failed or is a container: leave it be.
            return all(
                isinstance(c, ir.Const | ir.ListOf | ir.MapOf) and _is_closed(c) for c in node.children()
            )
        case ir.Loop(variables=variables):
            inner = [part for part in ir.walk(node) if not isinstance(part, ir.Const)]
            return all(
                isinstance(part, ir.Apply | ir.Loop | ir.Junction | ir.Conditional | ir.ListOf)
                or (isinstance(part, ir.Local) and part.name in variables)
                for part in inner
            )
        case _:
            return False


def _const(node: ir.Node, value: object) -> ir.Const:
    return ir.Const(value, type=resolve(node.type), **ir.span(node))
