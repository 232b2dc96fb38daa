"""From a syntax tree to a checked one: names resolved, types inferred, overloads chosen.

The promise: a tree without issues evaluates without type errors wherever its types are static. Several issues are
collected in one pass; a part that is wrong has type ``dyn`` so that it causes no further ones. With
``unchecked`` nothing is an issue: what is wrong becomes an error of the evaluation, as CEL's parse-only mode asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.risk.cel import ir, macros, syntax
from shopward.risk.cel.functions import FUNCTIONS, GLOBALS, METHODS, VARIADIC, Overload
from shopward.risk.cel.scope import Scope, dotted, nearest
from shopward.risk.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    NUMERIC,
    STRING,
    TYPE,
    UINT,
    Param,
    Record,
    Type,
    Variable,
    instantiate,
    is_dynamic,
    join,
    list_of,
    map_of,
    resolve,
    roll_back,
    settle,
    unify,
)
from shopward.risk.cel.values import TypeValue, UInt

if TYPE_CHECKING:
    from collections.abc import Sequence

_LITERAL_TYPES: dict[type, Type] = {
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}


class Checker:
    """Checks one expression; ``faults`` collects offset, message and hint."""

    def __init__(self, scope: Scope, *, unchecked: bool = False) -> None:
        self.scope = scope
        self.unchecked = unchecked
        self.faults: list[tuple[int, str, str | None]] = []
        self.locals: dict[str, ir.Local] = {}
        self._count = 0

    def value(self, node: syntax.Node) -> ir.Node:
        """The checked form of a node that must have a value."""
        checked = self.part(node)
        if isinstance(checked.type, Record):
            names = [name for name, _ in checked.type.fields]
            hint = f"name one of its fields, such as '{names[0]}'" if names else None
            return self.fault(node, f"'{checked.type.name}' is a record and not a value", hint)
        return checked

    def condition(self, node: syntax.Node, place: str) -> ir.Node:
        """The checked form of a node that must be a bool."""
        checked = self.value(node)
        if not self._fits(checked.type, BOOL):
            return self.fault(node, f"{place} must be a bool, not {settle(checked.type)}")
        return checked

    def fault(
        self, node: syntax.Node, message: str, hint: str | None = None, at: int | None = None
    ) -> ir.Node:
        """Note what is wrong, and stand in for it."""
        if not self.unchecked:
            self.faults.append((node.at if at is None else at, message, hint))
        return ir.Fail(message, type=DYN, **ir.span(node))

    def fresh(self, kind: Type, node: syntax.Node) -> ir.Local:
        """A new variable for a macro."""
        self._count += 1
        name = f"cel_v{self._count}"
        return ir.Local(name, type=kind, **ir.span(node))

    def part(self, node: syntax.Node) -> ir.Node:
        """The checked form of any node, which may still be a record."""
        match node:
            case syntax.Literal(value=value):
                return ir.Const(value, type=_LITERAL_TYPES[type(value)], **ir.span(node))
            case syntax.Name() | syntax.Member():
                return self._reference(node)
            case syntax.Junction(operator=operator, items=items):
                checked = tuple(self.condition(item, f"each side of {operator}") for item in items)
                return ir.Junction(operator, checked, type=BOOL, **ir.span(node))
            case syntax.ListLiteral(items=items):
                values = tuple(self.value(item) for item in items)
                return ir.ListOf(values, type=list_of(self._common(values)), **ir.span(node))
            case syntax.MapLiteral(entries=entries):
                keys = tuple(self.value(key) for key, _ in entries)
                values = tuple(self.value(value) for _, value in entries)
                both = tuple(part for pair in zip(keys, values, strict=True) for part in pair)
                return ir.MapOf(both, type=map_of(self._common(keys), self._common(values)), **ir.span(node))
            case syntax.Call():
                return self._call(node)
            case _:
                raise AssertionError(node)

    def _reference(self, node: syntax.Name | syntax.Member) -> ir.Node:
        names, absolute = dotted(node) or ([], False)
        is_local = bool(names) and not absolute and names[0] in self.locals
        if names and not is_local and (found := self.scope.variable(".".join(names), absolute=absolute)):
            if found in self.scope.variables:
                return ir.Path((found,), type=self.scope.variables[found], **ir.span(node))
            return ir.Const(TypeValue(found), type=TYPE, **ir.span(node))
        if isinstance(node, syntax.Member):
            return self._field(node, self.part(node.operand))
        if is_local:
            return self.locals[node.name]
        return self.fault(node, f"no variable '{node.name}'", self.scope.hint(node.name))

    def _field(self, node: syntax.Member, operand: ir.Node) -> ir.Node:
        kind = resolve(operand.type)
        if isinstance(operand, ir.Fail):
            return operand
        if isinstance(kind, Record) and isinstance(operand, ir.Path):
            if (field := kind.field(node.field)) is not None:
                return ir.Path((*operand.names, node.field), type=field, **ir.span(node))
            near = nearest(node.field, [name for name, _ in kind.fields])
            hint = f"did you mean '{near}'?" if near else None
            return self.fault(node, f"no field '{node.field}' in '{'.'.join(operand.names)}'", hint)
        if kind.name == "map" and self._fits(kind.params[0], STRING):
            return ir.Select(operand, node.field, type=kind.params[1], **ir.span(node))
        if is_dynamic(kind) or self.unchecked:
            return ir.Select(operand, node.field, type=DYN, **ir.span(node))
        return self.fault(node, f"a {settle(kind)} has no fields")

    def _call(self, node: syntax.Call) -> ir.Node:
        if (expanded := macros.expand(self, node)) is not None:
            return expanded
        function, target = node.function, node.target
        if target is not None and (namespaced := self._namespaced(node)):
            function, target = namespaced, None
        arguments = tuple(self.value(part) for part in (*((target,) if target else ()), *node.arguments))
        if function == "_?_:_":
            return self._conditional(node, arguments)
        if any(isinstance(argument, ir.Fail) for argument in arguments) and not self.unchecked:
            return ir.Fail("", type=DYN, **ir.span(node))
        if function in VARIADIC and target is None:
            return self._variadic(node, function, arguments)
        return self.apply(node, function, arguments, method=target is not None)

    def _namespaced(self, node: syntax.Call) -> str | None:
        chain = dotted(node.target) if node.target else None
        if chain is None or (chain[0][0] in self.locals and not chain[1]):
            return None
        for name in self.scope.candidates(".".join((*chain[0], node.function)), absolute=chain[1]):
            if name in GLOBALS:
                return name
        return None

    def _conditional(self, node: syntax.Call, arguments: tuple[ir.Node, ...]) -> ir.Node:
        condition, then, otherwise = arguments
        if not self._fits(condition.type, BOOL):
            return self.fault(node, f"the condition of ?: must be a bool, not {settle(condition.type)}")
        kind = join(then.type, otherwise.type)
        if kind == DYN and not (is_dynamic(then.type) or is_dynamic(otherwise.type)) and not self.unchecked:
            sides = f"{settle(then.type)} and {settle(otherwise.type)}"
            return self.fault(node, f"both results of ?: must have one type, not {sides}")
        return ir.Conditional(condition, then, otherwise, type=kind, **ir.span(node))

    def _variadic(self, node: syntax.Call, function: str, arguments: tuple[ir.Node, ...]) -> ir.Node:
        kinds = [resolve(argument.type) for argument in arguments]
        if len(kinds) == 1 and kinds[0].name == "list":
            kinds = [resolve(kinds[0].params[0])]
        if not kinds or not all(kind.name in NUMERIC or is_dynamic(kind) for kind in kinds):
            return self._no_overload(node, function, arguments)
        result = kinds[0] if all(kind == kinds[0] for kind in kinds) else DYN
        return ir.Apply(function, None, arguments, type=result, **ir.span(node))

    def apply(
        self, node: syntax.Call, function: str, arguments: tuple[ir.Node, ...], *, method: bool
    ) -> ir.Node:
        """A function on its arguments, by the overloads that their types allow."""
        arguments = _widen_literals(function, arguments)
        matching = [
            overload
            for overload in FUNCTIONS.get(function, ())
            if overload.method is method and self._match(overload, arguments, keep=False)
        ]
        if len(matching) == 1:
            overload = matching[0]
            result = self._match(overload, arguments, keep=True) or DYN
            pairs = zip(overload.params, arguments, strict=True)
            static = all(isinstance(param, Param) or not is_dynamic(arg.type) for param, arg in pairs)
            return ir.Apply(
                function, overload if static else None, arguments, method, type=result, **ir.span(node)
            )
        if matching:
            results = {overload.result for overload in matching}
            shared = results.pop() if len(results) == 1 else DYN
            return ir.Apply(
                function, None, arguments, method, type=DYN if shared.params else shared, **ir.span(node)
            )
        if self.unchecked:
            return ir.Apply(function, None, arguments, method, type=DYN, **ir.span(node))
        return self._no_overload(node, function, arguments)

    def _match(self, overload: Overload, arguments: Sequence[ir.Node], *, keep: bool) -> Type | None:
        if len(overload.params) != len(arguments):
            return None
        trail: list[Variable] = []
        fresh: dict[str, Variable] = {}
        pairs = zip(overload.params, arguments, strict=True)
        fits = all(unify(instantiate(param, fresh), argument.type, trail) for param, argument in pairs)
        result = settle(instantiate(overload.result, fresh)) if fits and not keep else None
        if not fits or not keep:
            roll_back(trail)
            return result
        return resolve(instantiate(overload.result, fresh))

    def _no_overload(self, node: syntax.Call, function: str, arguments: Sequence[ir.Node]) -> ir.Node:
        if function not in FUNCTIONS:
            near = nearest(function, METHODS if node.target else GLOBALS)
            return self.fault(node, f"no function '{function}'", f"did you mean '{near}'?" if near else None)
        kinds = [str(settle(argument.type)) for argument in arguments]
        if function[0] in "_@" and len(kinds) == 2 and function != "_[_]":
            mark = function.strip("_@")
            hint = None
            if set(kinds) == {"int", "double"} and mark in {"==", "!="}:
                hint = "write the number with a decimal point"
            elif mark in {"==", "!="}:
                hint = "compare values of one type"
            return self.fault(node, f"no such overload: {kinds[0]} {mark} {kinds[1]}", hint)
        shown = function.rstrip("_") if function in {"!_", "-_"} else function
        if node.target is not None and function not in FUNCTIONS.keys() & GLOBALS:
            return self.fault(node, f"no such overload: {kinds[0]}.{shown}({', '.join(kinds[1:])})")
        return self.fault(node, f"no such overload: {shown}({', '.join(kinds)})")

    def _common(self, nodes: Sequence[ir.Node]) -> Type:
        kind: Type = Variable()
        for node in nodes:
            kind = join(kind, node.type)
        return kind

    def _fits(self, kind: Type, expected: Type) -> bool:
        return self.unchecked or unify(kind, expected, [])


def _widen_literals(function: str, arguments: tuple[ir.Node, ...]) -> tuple[ir.Node, ...]:
    """Let a whole number be compared with a double as a double, once, here, instead of at each evaluation."""
    if function not in {"_<_", "_<=_", "_>_", "_>=_"} or DOUBLE not in {resolve(a.type) for a in arguments}:
        return arguments
    return tuple(
        ir.Const(float(arg.value), type=DOUBLE, **ir.span(arg))
        if isinstance(arg, ir.Const) and type(arg.value) is int
        else arg
        for arg in arguments
    )
