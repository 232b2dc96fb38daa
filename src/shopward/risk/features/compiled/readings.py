"""What an event reads from the compiled kernel, with the same promise as ``features.readings``.

Plain numbers stand there from the start; what needs Python, and what the plan does not read along, is made when it is first
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from shopward.events.facts import Facts
    from shopward.risk.features.compiled.kernel import CompiledKernel
    from shopward.risk.features.compiled.program import Plan

_LOW: Final = (1 << 64) - 1


class CompiledReadings(dict[int, Any]):
    """Feature values of one event by index; ``cells`` are what the machine read."""

    __slots__ = ("at_ms", "cells", "facts", "kernel", "plan", "seq")

    def __init__(self, kernel: CompiledKernel, facts: Facts, plan: Plan, cells: list[int]) -> None:
        super().__init__(zip(plan.plain, cells))  # noqa: B905 -- sums and raw cells follow the plain ones
        for index, cell in plan.sums:
            low, high = cells[cell], cells[cell + 1]
            self[index] = low if high == low >> 63 else high << 64 | low & _LOW
        self.kernel = kernel
        self.facts = facts
        self.plan = plan
        self.cells = cells
        self.at_ms = facts.at_ms
        self.seq = kernel.seq

    def __missing__(self, index: int) -> Any:
        value = self[index] = self.kernel.readers[index](self)
        return value
