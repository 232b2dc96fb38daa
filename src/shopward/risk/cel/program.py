"""From a checked tree to a Python function over a nested activation.

The promise: the same code generator as for rules, so what the conformance suite tests is what runs in production.
A path that is absent from the activation reads as the default of its type, as an unset proto3 scalar does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shopward.risk.cel import ir
from shopward.risk.cel.codegen import Generator
from shopward.risk.cel.dispatch import NAMESPACE
from shopward.risk.cel.issues import EvalError
from shopward.risk.cel.types import Type, settle
from shopward.risk.cel.values import default_of, from_python, to_native

if TYPE_CHECKING:
    from collections.abc import Callable

Activation = Mapping[str, object]
_ABSENT = object()


def evaluate(node: ir.Node) -> object:
    """The value of a node that reads no path.

    Raises:
        EvalError: the evaluation fails.
    """
    return _compile(node, {}, {})()


def program(node: ir.Node) -> Callable[[Activation], object]:
    """A function from an activation to the value of the expression."""
    paths = {part.names: settle(part.type) for part in ir.walk(node) if isinstance(part, ir.Path)}
    tests = sorted({part.names for part in ir.walk(node) if isinstance(part, ir.Has)})
    values = {names: f"value_{position}" for position, names in enumerate(paths)}
    flags = {names: f"flag_{position}" for position, names in enumerate(tests)}
    function = _compile(node, values, flags)

    def run(activation: Activation) -> object:
        try:
            found = [_read(activation, names, kind) for names, kind in paths.items()]
            present = [_find(activation, names) is not _ABSENT for names in tests]
            return to_native(function(*found, *present))
        except RecursionError:
            raise EvalError("a value is nested too deeply") from None

    return run


def _compile(
    node: ir.Node, values: Mapping[ir.Names, str], flags: Mapping[ir.Names, str]
) -> Callable[..., object]:
    code = Generator(values.__getitem__, flags.__getitem__).code(node)
    source = f"lambda {', '.join((*values.values(), *flags.values()))}: {code.text}"
    function: Callable[..., object] = eval(source, NAMESPACE)  # noqa: S307 - our own generated code
    return function


def _read(activation: Activation, names: ir.Names, kind: Type) -> object:
    value = _find(activation, names)
    return default_of(kind) if value is _ABSENT else from_python(value, kind)


def _find(activation: Activation, names: ir.Names) -> Any:
    current: object = activation
    for name in names:
        current = current.get(name, _ABSENT) if isinstance(current, Mapping) else _ABSENT
    return current
