"""The door: an environment of declared names, and the checked expressions that it gives out.

The promise: ``check`` returns an expression that is well typed, of bounded cost and not obviously pointless, or raises
``CelInvalid`` with everything that is wrong. It is a pure function of the declarations and the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shopward.risk.cel import ir, regex
from shopward.risk.cel.checker import Checker
from shopward.risk.cel.codegen import Generator
from shopward.risk.cel.cost import Meter
from shopward.risk.cel.fold import Folder
from shopward.risk.cel.issues import CelInvalid, SyntaxFault, locate
from shopward.risk.cel.lint import lint
from shopward.risk.cel.parser import parse
from shopward.risk.cel.program import program
from shopward.risk.cel.scope import Scope
from shopward.risk.cel.terms import Comparison, comparison, conjuncts
from shopward.risk.cel.types import Type, is_dynamic, settle, unify
from shopward.risk.cel.values import from_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.risk.cel.fold import Finding
    from shopward.risk.cel.program import Activation

DEFAULT_MAX_COST = 10_000


@dataclass(frozen=True)
class Checked:
    """An expression that was checked, or a part of one."""

    environment: Environment
    expression: str
    node: ir.Node

    @property
    def source(self) -> str:
        """The text of this expression, or of this part."""
        return self.expression[self.node.start : self.node.end]

    @property
    def type(self) -> Type:
        """The type of the value."""
        return settle(self.node.type)

    @cached_property
    def references(self) -> frozenset[ir.Names]:
        """Every path that is read or tested with ``has``."""
        return ir.references(self.node)

    @cached_property
    def cost(self) -> int:
        """An upper bound of the steps of one evaluation."""
        return Meter().measure(self.node)[0]

    @cached_property
    def terms(self) -> tuple[Checked, ...]:
        """The conditions that are joined with ``&&`` at the top, in the order of the source."""
        return tuple(Checked(self.environment, self.expression, part) for part in conjuncts(self.node))

    @cached_property
    def comparison(self) -> Comparison | None:
        """What this states about one path, if it is ``path operator literal``."""
        return comparison(self.node)

    def to_python(self, read: Callable[[ir.Names], str], present: Callable[[ir.Names], str]) -> str:
        """The source of a Python expression with the same value.

        Args:
            read: gives the Python text for a path's value. It must be an atom (a name, an attribute, a call) that
                gives the type's default for an unset field.
            present: gives the Python text for whether a field is set; an atom too.

        Returns:
            Source that uses the readers' texts and the names of ``RUNTIME_NAMESPACE`` only.
        """
        return Generator(read, present).code(self.node).text

    def program(self) -> Callable[[Activation], object]:
        """A function from a nested activation to the value."""
        return program(self.node)

    def under(self, constants: Mapping[ir.Names, object]) -> Checked | bool:
        """This expression when some paths have known values: decided, or what remains to be asked.

        Args:
            constants: path to value; values that are lists or maps are not made use of.

        Raises:
            EvalError: a value is not of its path's type.
        """
        kinds = {part.names: part.type for part in ir.walk(self.node) if isinstance(part, ir.Path)}
        known = {
            names: from_python(value, settle(kinds[names])) if names in kinds else value
            for names, value in constants.items()
            if not isinstance(value, list | tuple | dict)
        }
        folded = Folder(known).fold(self.node)
        if isinstance(folded, ir.Const) and type(folded.value) is bool:
            return folded.value
        return Checked(self.environment, self.expression, folded)


class Environment:
    """Declared variables, and how strict to be about the expressions over them.

    Args:
        variables: name to type; a name may be dotted.
        max_cost: the largest cost that is allowed.
        rules: also refuse what has no bounded cost, constant and impossible conditions and patterns that are not
            literals. Without it everything that CEL allows is allowed.
        container: the namespace that names are looked up in first.
    """

    def __init__(
        self,
        variables: Mapping[str, Type],
        *,
        max_cost: int = DEFAULT_MAX_COST,
        rules: bool = True,
        container: str = "",
    ) -> None:
        self.variables = dict(variables)
        self.max_cost = max_cost
        self.rules = rules
        self._scope = Scope(self.variables, container)

    def check(self, source: str, *, expect: Type | None = None, unchecked: bool = False) -> Checked:
        """Parse and check one expression.

        Args:
            source: the expression.
            expect: the type that its value must have.
            unchecked: let type errors through as errors of the evaluation, as CEL's parse-only mode does.

        Raises:
            CelInvalid: with everything that is wrong.
        """
        try:
            tree = parse(source)
        except SyntaxFault as fault:
            raise CelInvalid([locate(source, fault.offset, fault.message, fault.hint)]) from None
        checker = Checker(self._scope, unchecked=unchecked)
        node = checker.value(tree)
        if expect is not None and not checker.faults and not unify(node.type, expect, []):
            checker.fault(tree, f"the expression must be a {expect}, not {settle(node.type)}")
        findings = checker.faults
        if self.rules and not findings:
            if expect is not None and is_dynamic(node.type) and not is_dynamic(expect):
                checker.fault(tree, f"only the evaluation could tell whether this is a {expect}")
            else:
                node, findings = self._judge(node)
        if findings:
            unique = dict.fromkeys(findings)
            raise CelInvalid([locate(source, *finding) for finding in unique])
        return Checked(self, source, node)

    def _judge(self, node: ir.Node) -> tuple[ir.Node, list[Finding]]:
        """What only rules are asked: bounded, not constant, not impossible."""
        meter = Meter()
        cost, _ = meter.measure(node)
        findings = meter.findings + _patterns(node)
        if cost > self.max_cost:
            hint = "shorten lists or take nested exists apart"
            findings.append(
                (node.start, f"the expression may cost {cost} steps, more than {self.max_cost}", hint)
            )
        if findings:
            return node, findings
        folder = Folder()
        # The bare literal true is how one writes a rule that always applies.
        folded = folder.fold(node) if isinstance(node, ir.Const) else folder.condition(node)
        findings = folder.findings or lint(folded)
        return folded, findings


def _patterns(node: ir.Node) -> list[Finding]:
    findings: list[Finding] = []
    for part in ir.walk(node):
        if isinstance(part, ir.Apply) and part.function == "matches":
            pattern = part.arguments[-1]
            if not isinstance(pattern, ir.Const):
                findings.append((pattern.at, "the pattern of matches() must be a literal", None))
            elif (problem := regex.problem(str(pattern.value))) is not None:
                findings.append((pattern.at, problem, "patterns are those of RE2"))
    return findings
