"""Which names an expression may use, and what they mean.

The promise: names resolve as CEL says: the longest dotted name first, in the innermost container first, a macro's
variable before everything. An unknown name comes with the nearest known one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shopward.risk.cel import syntax
from shopward.risk.cel.types import DENOTATIONS, Record, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TYPE_NAMES = frozenset(kind.name for kind in DENOTATIONS)


@dataclass(frozen=True, slots=True)
class Scope:
    """The declared variables and the container that names are looked up in."""

    variables: Mapping[str, Type]
    container: str = ""

    def candidates(self, name: str, *, absolute: bool) -> Iterator[str]:
        """The full names that a written name may stand for, best first."""
        prefix = "" if absolute else self.container
        while prefix:
            yield f"{prefix}.{name}"
            prefix = prefix.rpartition(".")[0]
        yield name

    def variable(self, name: str, *, absolute: bool) -> str | None:
        """The full name of the variable or type that a written name stands for."""
        for candidate in self.candidates(name, absolute=absolute):
            if candidate in self.variables or candidate in _TYPE_NAMES:
                return candidate
        return None

    def hint(self, name: str) -> str | None:
        """What an unknown name was perhaps meant to be: a variable, or a field written without its record."""
        if near := nearest(name, self.variables):
            return f"did you mean '{near}'?"
        for variable, kind in self.variables.items():
            if isinstance(kind, Record) and kind.field(name):
                return f"did you mean '{variable}.{name}'?"
        return None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return found[0] if found else None


def dotted(node: syntax.Node) -> tuple[list[str], bool] | None:
    """A chain of names, and whether it is absolute; None when the node is anything else."""
    names: list[str] = []
    while isinstance(node, syntax.Member):
        names.append(node.field)
        node = node.operand
    if not isinstance(node, syntax.Name):
        return None
    names.append(node.name)
    return names[::-1], node.absolute
