"""From a checked tree to the source of one Python expression.

The promise: where the types are static and nothing can fail, the result is the plain Python that one would write
by hand. Where an operand of ``&&``, ``||``, ``all`` or ``exists`` can fail, one decisive operand still decides,
in any order, as CEL demands. The source uses the readers' texts and the names of ``dispatch.NAMESPACE`` only; every
literal is written by ``repr`` of a scalar, so no text of a rule is ever pasted into code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shopward.risk.cel import ir, regex
from shopward.risk.cel.functions import AND, ATOM, COMPARE, LOOSE, OR, SUM, UNARY, VARIADIC
from shopward.risk.cel.types import BOOL, NUMERIC, is_static_scalar, resolve
from shopward.risk.cel.values import Duration, Timestamp, TypeValue, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[ir.Names], str]

# A longer literal list is looked up as a set, which Python keeps as a constant.
_SET_FROM = 4
# Plain Python equality and membership are right for these; a double is not, for NaN is in [NaN] to Python.
_HASHABLE = frozenset({"bool", "int", "string", "bytes"})


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression, how tightly it binds, and whether evaluating it may raise."""

    text: str
    level: int = ATOM
    fails: bool = False

    def within(self, level: int) -> str:
        """The text, in parentheses if its place binds more tightly."""
        return self.text if self.level >= level else f"({self.text})"


class Generator:
    """Writes one expression; ``read`` and ``present`` give the Python atoms for a field's value and presence."""

    def __init__(self, read: Reader, present: Reader) -> None:
        self._read = read
        self._present = present

    def code(self, node: ir.Node) -> Code:  # noqa: PLR0911 - one return per kind of node
        """The code of a node."""
        match node:
            case ir.Const(value=value):
                return _literal(value)
            case ir.Path(names=names):
                return Code(self._read(names))
            case ir.Has(names=names):
                return Code(self._present(names))
            case ir.Local(name=name):
                return Code(name)
            case ir.Junction():
                return self._junction(node)
            case ir.Apply():
                return self._apply(node)
            case ir.Conditional():
                return self._conditional(node)
            case ir.Fail(message=message):
                return Code(f"cel_fail({message!r})", fails=True)
            case _:
                return self._container(node)

    def _container(self, node: ir.Node) -> Code:
        match node:
            case ir.Select(operand=operand, field=field, test_only=test_only):
                helper = "cel_has" if test_only else "cel_select"
                return Code(f"{helper}({self.code(operand).text}, {field!r})", fails=True)
            case ir.ListOf(items=items):
                codes = [self.code(item) for item in items]
                return Code(f"[{_joined(codes)}]", fails=_any_fails(codes))
            case ir.MapOf(items=items):
                return Code(f"cel_map({_joined([self.code(item) for item in items])})", fails=True)
            case ir.Loop():
                return self._loop(node)
            case ir.Bind(variable=variable, value=value, body=body):
                value_code, body_code = self.code(value), self.code(body)
                text = f"(lambda {variable}: {body_code.text})({value_code.text})"
                return Code(text, fails=_any_fails([value_code, body_code]))
            case _:
                raise AssertionError(node)

    def truth(self, node: ir.Node) -> Code:
        """The code of a node that must be a bool; a dynamic one is asked at evaluation."""
        code = self.code(node)
        if resolve(node.type) == BOOL:
            return code
        return Code(f"cel_bool({code.text})", fails=True)

    def _junction(self, node: ir.Junction) -> Code:
        operands = [self.truth(item) for item in node.items]
        # The operands commute, so those that cannot fail go first: often they decide alone.
        plain = [operand for operand in operands if not operand.fails]
        failing = [operand for operand in operands if operand.fails]
        if len(failing) > 1:
            helper = "cel_all_of" if node.operator == "&&" else "cel_any_of"
            thunks = ", ".join(f"lambda: {operand.text}" for operand in failing)
            failing = [Code(f"{helper}({thunks})", fails=True)]
        word, level = ("and", AND) if node.operator == "&&" else ("or", OR)
        parts = plain + failing
        text = f" {word} ".join(part.within(level + 1) for part in parts)
        return Code(text, level if len(parts) > 1 else parts[0].level, bool(failing))

    def _conditional(self, node: ir.Conditional) -> Code:
        condition = self.truth(node.condition)
        then, otherwise = self.code(node.then), self.code(node.otherwise)
        text = f"{then.within(OR)} if {condition.within(OR)} else {otherwise.within(OR)}"
        return Code(text, LOOSE, _any_fails([condition, then, otherwise]))

    def _apply(self, node: ir.Apply) -> Code:
        codes = [self.code(argument) for argument in node.arguments]
        if node.function in {"_==_", "_!=_"} and all(is_static_scalar(a.type) for a in node.arguments):
            mark = node.function.strip("_")
            if resolve(node.arguments[0].type).name == resolve(node.arguments[1].type).name:
                text = f"{codes[0].within(SUM)} {mark} {codes[1].within(SUM)}"
                return Code(text, COMPARE, _any_fails(codes))
        if node.function == "@in" and (membership := self._membership(node, codes)) is not None:
            return membership
        if node.function in VARIADIC:
            kinds = [resolve(a.type).name for a in node.arguments]
            fails = not all(kind in NUMERIC for kind in kinds) or _any_fails(codes)
            helper = VARIADIC[node.function]
            if len(kinds) > 1 and set(kinds) in (
                {"double"},
                {"int"},
            ):  # Python's own say the same of one type
                helper = {"cel_greatest": "cel_max", "cel_least": "cel_min"}[helper]
            return Code(f"{helper}({_joined(codes)})", fails=fails)
        if node.overload is None:
            return Code(f"cel_call({node.function!r}, {node.method}, {_joined(codes)})", fails=True)
        overload = node.overload
        fails = (overload.fails and not _is_safe(node)) or _any_fails(codes)
        text = overload.template.format(*(code.within(overload.tight) for code in codes))
        return Code(text, overload.level, fails)

    def _membership(self, node: ir.Apply, codes: list[Code]) -> Code | None:
        """``value in list`` as Python's own ``in`` where that means the same."""
        value, container = node.arguments
        kind = resolve(container.type)
        if kind.name != "list" or resolve(value.type).name not in _HASHABLE:
            return None
        if resolve(kind.params[0]).name != resolve(value.type).name:
            return None
        text = codes[1].within(SUM)
        if isinstance(container, ir.ListOf):
            if not container.items:
                return Code("False", fails=codes[0].fails)
            constant = all(isinstance(item, ir.Const) for item in container.items)
            inner = text[1:-1]
            is_set = constant and len(container.items) >= _SET_FROM
            text = f"{{{inner}}}" if is_set else f"({inner},)" if len(container.items) == 1 else f"({inner})"
        return Code(f"{codes[0].within(SUM)} in {text}", COMPARE, _any_fails(codes))

    def _loop(self, node: ir.Loop) -> Code:
        source = self.code(node.source)
        condition = self.truth(node.condition) if node.condition else None
        body = self.code(node.body) if node.body else None
        fails = (
            source.fails or (condition is not None and condition.fails) or (body is not None and body.fails)
        )
        rows, unpack = self._rows(node, source)
        fails = fails or resolve(node.source.type).name not in {"list", "map"}
        if node.macro in {"all", "exists"}:
            assert condition is not None  # noqa: S101 - the checker gave it one
            if condition.fails:
                helper = "cel_every" if node.macro == "all" else "cel_some"
                tuples = rows if len(node.variables) == 2 else f"cel_rows({rows})"
                return Code(
                    f"{helper}(lambda {', '.join(node.variables)}: {condition.text}, {tuples})", fails=True
                )
            helper = "all" if node.macro == "all" else "any"
            return Code(f"{helper}([{condition.text} for {unpack} in {rows}])", fails=fails)
        test = f" if {condition.within(OR)}" if condition else ""
        if body is None:
            return Code(f"sum([1 for {unpack} in {rows}{test}]) == 1", COMPARE, fails)
        if node.macro == "transformMap":
            key = node.variables[0]
            flat = f"[item for {unpack} in {rows}{test} for item in ({key}, {body.text})]"
            return Code(f"cel_map(*{flat})", fails=True)
        return Code(f"[{body.text} for {unpack} in {rows}{test}]", fails=fails)

    def _rows(self, node: ir.Loop, source: Code) -> tuple[str, str]:
        """What to iterate over, and the variables to unpack each row into."""
        if len(node.variables) == 2:
            return f"cel_pairs({source.text})", ", ".join(node.variables)
        if resolve(node.source.type).name == "list":
            return source.within(OR), node.variables[0]
        return f"cel_items({source.text})", node.variables[0]


def _is_safe(node: ir.Apply) -> bool:
    """Whether a function that may fail cannot with this literal: a divisor, or a pattern that was compiled."""
    last = node.arguments[-1]
    if not isinstance(last, ir.Const):
        return False
    if node.function in {"_/_", "_%_"}:
        return isinstance(last.value, int) and last.value not in {0, -1}
    return node.function == "matches" and isinstance(last.value, str) and regex.problem(last.value) is None


def _joined(codes: list[Code]) -> str:
    return ", ".join(code.within(LOOSE) for code in codes)


def _any_fails(codes: list[Code]) -> bool:
    return any(code.fails for code in codes)


def _literal(value: object) -> Code:
    match value:
        case UInt():
            return Code(f"UInt({int(value)})")
        case float() if not math.isfinite(value):
            return Code("nan" if math.isnan(value) else "inf" if value > 0 else "-inf", UNARY)
        case Timestamp(ns=ns):
            return Code(f"cel_timestamp({ns})")
        case Duration(ns=ns):
            return Code(f"cel_duration({ns})")
        case TypeValue(name=name):
            return Code(f"cel_type_value({name!r})")
        case bool() | None | int() | float() | str() | bytes():
            return Code(repr(value), UNARY if repr(value).startswith("-") else ATOM)
        case _:
            raise AssertionError(type(value))
