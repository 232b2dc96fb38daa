"""What an incident comes from: a signal with its first event and its alarm, and what follows from it without anybody typing.

Promise: pure. A clock is set to what the signal tells: ``may_have_happened`` to its first event, ``reasonable_belief`` to its alarm.
Severity is read from how far it went. An incident that grows is not widened here: growth is a line, a task and a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shopward.incidents import steps
from shopward.incidents.incident import Incident, Line, Signal, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.incidents.incident import Severity
    from shopward.incidents.words import Kind

KINDS: Final[dict[str, Kind]] = {
    "stuffing": "credential_stuffing", "phished_codes": "account_takeover", "linked_drain": "linked_identity_breach",
    "insider_reads": "insider", "code_pumping": "other",
}  # fmt: skip
"""Kinds of campaigns of the policy that ships, as kinds of incidents; any other is ``account_takeover``."""
CRITICAL_EXPOSED: Final = 1_000
HIGH_EXPOSED: Final = 10


class Opening(NamedTuple):
    """What is known of a new incident.

    Attributes:
        is_proposed: a person has to accept it first; clocks run all the same.
        by: the person, or ``shopward``.
    """

    id: str
    title: str
    kind: Kind
    severity: Severity
    is_proposed: bool
    by: str


def opened(opening: Opening, signal: Signal, *, now_ms: int) -> Incident:
    """A new incident with its clocks and the first lines of its timeline."""
    began_ms, alarm_ms = min(signal.began_ms, now_ms), min(signal.alarm_ms, now_ms)
    lines = (
        Line(began_ms, f"first event of {signal.kind} {signal.subject}", opening.by, now_ms),
        Line(
            alarm_ms, f"alarm: {signal.kind} {signal.subject}, {signal.accounts} accounts", opening.by, now_ms
        ),
        Line(now_ms, "proposed" if opening.is_proposed else "opened", opening.by, now_ms),
    )
    made = Incident(
        id=opening.id, title=opening.title, kind=opening.kind, severity=opening.severity, created_ms=now_ms,
        created_by=opening.by, state="proposed" if opening.is_proposed else "open", began_ms=began_ms,
        campaign=signal.subject if signal.kind == "campaign" else "", timeline=lines, signals=(signal,),
    )  # fmt: skip
    for clock, at_ms in (("may_have_happened", began_ms), ("reasonable_belief", alarm_ms)):
        made = steps.clock_set(made, clock, at_ms=at_ms, reason="", by=opening.by, now_ms=now_ms)  # type: ignore[arg-type]
    return made


def severity_of(counts: Mapping[str, int]) -> Severity:
    """From how many were reached by grade: money gone, or a thousand exposed, is critical; nobody entered is low."""
    exposed = counts.get("exposed", 0)
    if exposed >= CRITICAL_EXPOSED or counts.get("spent", 0) >= HIGH_EXPOSED:
        return "critical"
    if exposed >= HIGH_EXPOSED or counts.get("spent", 0):
        return "high"
    return "medium" if exposed else "low"


def grown(incident: Incident, signal: Signal, accounts: int, task: Task, *, now_ms: int) -> Incident:
    """A signal has so many accounts by now: a line, a task, and a proposal; nothing is widened."""
    if incident.state in ("closed", "dismissed"):
        return incident
    text = f"{signal.kind} {signal.subject} has grown from {signal.accounts} to {accounts} accounts: widen the scope"
    told = steps.noted(incident, text, at_ms=now_ms, by="shopward", now_ms=now_ms)
    if not any(each.text == task.text and not each.done_ms for each in told.tasks):
        told = steps.task_added(told, task, by="shopward", now_ms=now_ms)
    return _with(told, msgspec.structs.replace(signal, grown=accounts))


def widened(
    incident: Incident, signal: Signal, accounts: int, task_text: str, *, by: str, now_ms: int
) -> Incident:
    """Its scope takes in what a signal has by now: the proposal is met, and its task done."""
    after = _with(incident, msgspec.structs.replace(signal, accounts=accounts, grown=0))
    for task in after.tasks:
        if task.text == task_text:
            after = steps.task_done(after, task.id, by=by, now_ms=now_ms)
    return after


def _with(incident: Incident, signal: Signal) -> Incident:
    others = tuple(
        each for each in incident.signals if (each.kind, each.subject) != (signal.kind, signal.subject)
    )
    return msgspec.structs.replace(incident, signals=(*others, signal))
