"""What is told when an incident takes a step, by whichever desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shopward.outbox import Topic

if TYPE_CHECKING:
    from shopward.flows.arrows import Outbox, Trail
    from shopward.incidents.incident import Incident


class Steps(NamedTuple):
    """Tells of steps, in the transaction of the step.

    Attributes:
        trail: the audit log.
        outbox: what the shop is owed to hear.
    """

    trail: Trail
    outbox: Outbox

    def told(self, connection: Any, actor: str, after: Incident, step: str, now_ms: int) -> None:
        """A line of the audit log, and a message to the shop."""
        self.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.INCIDENT_STEPPED, subject=after.id,
            payload={"step": step, "state": after.state, "severity": after.severity},
        )  # fmt: skip
        self.trail.append(
            connection, at_ms=now_ms, actor=actor, deed="incident:step", subject=after.id,
            details={"step": step, "state": after.state},
        )  # fmt: skip
