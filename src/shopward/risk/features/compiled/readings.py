"""What an event reads from the compiled kernel, with the same promise as ``features.readings``.

What the machine read along stands there from the start, made by one generated function a plan; texts, tokens and distances,
and what the plan does not read along, are made when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.events.facts import Facts
    from shopward.risk.features.compiled.kernel import CompiledKernel
    from shopward.risk.features.compiled.program import Plan

_LOW: Final = (1 << 64) - 1


class CompiledReadings(dict[int, Any]):
    """Feature values of one event by index; ``cells`` are what the machine read."""

    __slots__ = ("at_ms", "cells", "facts", "kernel", "plan", "seq")

    def __init__(self, kernel: CompiledKernel, facts: Facts, plan: Plan, cells: list[int]) -> None:
        plan.read(self, cells)
        self.kernel = kernel
        self.facts = facts
        self.plan = plan
        self.cells = cells
        self.at_ms = facts.at_ms
        self.seq = kernel.seq

    def __missing__(self, index: int) -> Any:
        value = self[index] = self.kernel.readers[index](self)
        return value


def reading_function(expressions: Mapping[int, str]) -> Callable[[dict[int, Any], list[int]], None]:
    """``read(F, c)``: writes the features that are ready, by index, into ``F``; the expressions are over the cells ``c``.

    Item by item: a dictionary made of pairs, or of another one, takes nearly twice as long.
    """
    lines = [f" F[{index}] = {expression}" for index, expression in expressions.items()]
    namespace: dict[str, Any] = {"wide": _wide}
    exec("\n".join(["def read(F, c):", *lines, " return"]), namespace)  # noqa: S102 -- numbers of our own
    return namespace["read"]  # type: ignore[no-any-return]


def sum_expression(cell: int) -> str:
    """A sum of two words; nearly all fit the lower one."""
    low, high = f"c[{cell}]", f"c[{cell + 1}]"
    return f"{low} if {high} == {low} >> 63 else wide({low}, {high})"


def _wide(low: int, high: int) -> int:
    return high << 64 | low & _LOW
