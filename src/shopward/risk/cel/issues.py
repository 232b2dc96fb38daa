"""What can be wrong with an expression, in words that a rule author can act on.

The promise: every refusal of a source text is one ``CelInvalid`` with at least one ``Issue``, each at a line and a
column that count from 1 in code points. An ``EvalError`` is the failure of one evaluation. Its message names
types and operations, never a value, so that it may be logged. This module decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shopward.errors import PolicyInvalid, ShopwardError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, where it is, and what to do about it."""

    line: int
    column: int
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.line}:{self.column}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class CelInvalid(PolicyInvalid):
    """The expression cannot be compiled; ``issues`` lists why, in the order of the source."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = sorted(issues, key=lambda issue: (issue.line, issue.column))
        first = self.issues[0]
        super().__init__("; ".join(str(issue) for issue in self.issues), hint=first.hint)

    def __str__(self) -> str:
        return self.message


class EvalError(ShopwardError):
    """One evaluation failed: overflow, division by zero, no such key, no such overload."""

    code = "evaluation_failed"


class SyntaxFault(Exception):
    """The lexer or the parser cannot go on at ``offset``."""

    def __init__(self, offset: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


def locate(source: str, offset: int, message: str, hint: str | None = None) -> Issue:
    """An issue at an offset of the source, as line and column."""
    before = source[:offset]
    line = before.count("\n") + 1
    return Issue(line, offset - (before.rfind("\n") + 1) + 1, message, hint)
