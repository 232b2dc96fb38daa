"""The macros: ``has``, the comprehensions with one and two variables, and ``cel.bind``.

The promise: a macro is recognised by its name, its number of arguments and by names where variables belong;
anything else is left to be an ordinary call. A macro's variable is visible in its own conditions only.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shopward.risk.cel import ir, syntax
from shopward.risk.cel.scope import dotted
from shopward.risk.cel.types import BOOL, DYN, INT, Type, is_dynamic, list_of, map_of, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shopward.risk.cel.checker import Checker

# Name: (number of variables, numbers of further arguments).
_LOOPS: dict[str, tuple[tuple[int, int], ...]] = {
    "all": ((1, 1), (2, 1)),
    "exists": ((1, 1), (2, 1)),
    "exists_one": ((1, 1), (2, 1)),
    "existsOne": ((1, 1), (2, 1)),
    "filter": ((1, 1),),
    "map": ((1, 1), (1, 2)),
    "transformList": ((2, 1), (2, 2)),
    "transformMap": ((2, 1), (2, 2)),
}
_MAPPING = frozenset({"map", "transformList", "transformMap"})


def expand(checker: Checker, node: syntax.Call) -> ir.Node | None:
    """The checked form of a macro, or None when the call is none."""
    if node.function == "has" and node.target is None and len(node.arguments) == 1:
        return _has(checker, node)
    if node.target is None:
        return None
    if node.function == "bind" and len(node.arguments) == 3 and dotted(node.target) == (["cel"], False):
        return _bind(checker, node)
    for variables, others in _LOOPS.get(node.function, ()):
        if len(node.arguments) == variables + others:
            return _loop(checker, node, node.arguments[:variables], node.arguments[variables:])
    return None


def _has(checker: Checker, node: syntax.Call) -> ir.Node:
    argument = node.arguments[0]
    if not isinstance(argument, syntax.Member):
        return checker.fault(node, "has() asks for a field", "write has(record.field)")
    checked = checker.part(argument)
    match checked:
        case ir.Path(names=names) if len(names) > 1:
            return ir.Has(names, type=BOOL, **ir.span(node))
        case ir.Select(operand=operand, field=field):
            return ir.Select(operand, field, test_only=True, type=BOOL, **ir.span(node))
        case ir.Fail():
            return checked
        case _:
            return checker.fault(node, "has() asks for a field", "write has(record.field)")


def _bind(checker: Checker, node: syntax.Call) -> ir.Node:
    name, value, body = node.arguments
    if not isinstance(name, syntax.Name):
        return checker.fault(name, "the first argument of cel.bind must be a name")
    checked = checker.value(value)
    local = checker.fresh(checked.type, name)
    with _visible(checker, [name.name], [local]):
        inner = checker.value(body)
    return ir.Bind(local.name, checked, inner, type=inner.type, **ir.span(node))


def _loop(
    checker: Checker, node: syntax.Call, names: Sequence[syntax.Node], rest: Sequence[syntax.Node]
) -> ir.Node:
    assert node.target is not None  # noqa: S101 - expand looked
    written = [name.name for name in names if isinstance(name, syntax.Name) and not name.absolute]
    if len(written) != len(names) or len(set(written)) != len(written):
        return checker.fault(names[0], f"{node.function}() needs a new name for each item")
    source = checker.value(node.target)
    kinds = _item_types(resolve(source.type), len(written))
    if kinds is None:
        if not checker.unchecked:
            return checker.fault(node, f"a {source.type} cannot be walked", "use a list or a map")
        kinds = [DYN] * len(written)
    local = [checker.fresh(kind, name) for kind, name in zip(kinds, names, strict=True)]
    mapping = node.function in _MAPPING
    with _visible(checker, written, local):
        first = len(rest) == 2 or not mapping
        condition = checker.condition(rest[0], f"the condition of {node.function}()") if first else None
        body = checker.value(rest[-1]) if mapping else None
    if node.function == "filter":
        body = local[0]
    variables = tuple(variable.name for variable in local)
    kind = _result(node.function, kinds, body)
    return ir.Loop(
        node.function.replace("existsOne", "exists_one"),
        variables,
        source,
        condition,
        body,
        type=kind,
        **ir.span(node),
    )


def _item_types(kind: Type, count: int) -> list[Type] | None:
    if is_dynamic(kind):
        return [DYN] * count
    if kind.name == "list":
        return [INT, kind.params[0]][-count:]
    if kind.name == "map":
        return [kind.params[0], kind.params[1]][:count]
    return None


def _result(macro: str, kinds: list[Type], body: ir.Node | None) -> Type:
    if body is None:
        return BOOL
    if macro == "transformMap":
        return map_of(kinds[0], body.type)
    return list_of(body.type)


@contextmanager
def _visible(checker: Checker, names: Sequence[str], local: Sequence[ir.Local]) -> Iterator[None]:
    before = checker.locals
    checker.locals = {**before, **dict(zip(names, local, strict=True))}
    yield
    checker.locals = before
