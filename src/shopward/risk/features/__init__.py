"""Features: declared counters and sightings over the ordered log.

Promise: what a policy declares is kept exactly, in memory, as a pure function of the log and of the recorded
decisions; ``series`` states the semantics of panes. It knows no rule, makes no decision and does no I/O.
"""

from shopward.risk.features.choice import FeatureKernel, KernelChoice, open_kernel
from shopward.risk.features.declare import FeatureSpec, check_features
from shopward.risk.features.kernel import Kernel
from shopward.risk.features.layout import Asked, FilterCompiler, Layout
from shopward.risk.features.readings import Outcome, Readings, plain_outcome

__all__ = [
    "Asked",
    "FeatureKernel",
    "FeatureSpec",
    "FilterCompiler",
    "Kernel",
    "KernelChoice",
    "Layout",
    "Outcome",
    "Readings",
    "check_features",
    "open_kernel",
    "plain_outcome",
]
