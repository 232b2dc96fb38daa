"""The doctor: what is unsafe or misconfigured here, and how to mend it.

Promise: ``look`` reads and changes nothing, beside a running server too; ``judge`` is pure. What could not be looked at is
said, and is never taken for safe. It sees this installation alone, not the network around it; known vulnerabilities of
dependencies come from a list that the operator fetched, since it asks nobody.
"""

from shopward.service.doctor.judge import CHECKS, Check, judge, worst
from shopward.service.doctor.look import look

__all__ = ["CHECKS", "Check", "judge", "look", "worst"]
