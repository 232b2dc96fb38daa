"""Which kernel keeps the features: the compiled one where its extra is installed, the reference everywhere.

Promise: both read the same, so the choice changes speed and memory alone. ``auto`` falls back quietly, because both are
right; ``compiled`` refuses where it cannot be had, because somebody counts on its speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from shopward.errors import Misconfigured
from shopward.risk.features.kernel import Kernel

if TYPE_CHECKING:
    from shopward.events.facts import Facts
    from shopward.risk.features.layout import Layout
    from shopward.risk.features.readings import Campaigns, Outcome

KernelChoice = Literal["auto", "compiled", "reference"]


class FeatureKernel(Protocol):
    """What the engine needs of a kernel.

    Attributes:
        campaigns: what features of campaigns are read from.
    """

    campaigns: Campaigns

    @property
    def name(self) -> str:
        """What it is called: compiled or reference."""
        ...

    def observe(self, facts: Facts) -> Any:
        """Apply an event before the decision; its readings."""
        ...

    def settle(self, facts: Facts, readings: Any, outcome: Outcome) -> None:
        """Write back what the decision teaches."""
        ...

    def keys(self) -> int:
        """How many keys are held, over all families."""
        ...

    def dump(self) -> bytes:
        """The whole state."""
        ...

    def load(self, data: bytes) -> None:
        """Take over a dumped state of the same layout and kernel; raises ``SnapshotInvalid``."""
        ...


def open_kernel(layout: Layout, choice: KernelChoice = "auto") -> FeatureKernel:
    """An empty kernel for a layout; compiles what is not compiled yet.

    Raises:
        Misconfigured: the compiled kernel is asked for and cannot be had.
    """
    if choice == "reference":
        return Kernel(layout)
    try:
        from shopward.risk.features.compiled.kernel import CompiledKernel  # noqa: PLC0415 -- an extra
    except ImportError:
        if choice == "auto":
            return Kernel(layout)
    else:
        return CompiledKernel(layout)
    raise Misconfigured(
        "the compiled kernel is not installed",
        path="kernel",
        expected="numba, from the extra [fast], on a little-endian machine",
        hint="pip install 'shopward[fast]', or set kernel to auto",
    )
