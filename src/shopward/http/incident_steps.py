"""The steps that may be asked of an incident: a word, its fields, and what it does to the record.

Promise: closed; each is one step of ``incidents.steps``, which decides whether it may be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.events.catalogue import Moment
from shopward.incidents import steps
from shopward.incidents.incident import Evidence, Facts, State, Task
from shopward.incidents.law import Clock, Content, shipped_rules
from shopward.incidents.words import Role, Short, Text
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.incidents import Incident
    from shopward.incidents.playbooks import Playbook

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Taker(NamedTuple):
    """Who takes a step, when, what names new things (``new(prefix, at_ms)``), and the playbook that it names."""

    by: str
    now_ms: int
    new: Callable[[str, int], str]
    playbook: Playbook | None = None


class Step(Struct, tag_field="step", forbid_unknown_fields=True, omit_defaults=True):
    """A step; each kind is one of the classes below."""

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it; raises why it may not be taken."""
        raise NotImplementedError


class ClockStep(Step, tag="clock"):
    """Begin a clock, or move it, which takes a ``reason``; now where ``at`` is left out."""

    clock: Clock
    at: Moment | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=400)] = ""

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.clock_set(
            incident,
            self.clock,
            at_ms=ms_of(self.at) or who.now_ms,
            reason=self.reason,
            by=who.by,
            now_ms=who.now_ms,
        )


class NoteStep(Step, tag="note"):
    """A line of the timeline."""

    text: Text
    at: Moment | UnsetType = UNSET

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.noted(
            incident, self.text, at_ms=ms_of(self.at) or who.now_ms, by=who.by, now_ms=who.now_ms
        )


class FactsStep(Step, tag="facts"):
    """All that is known by now."""

    facts: Facts

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.facts_said(incident, self.facts, by=who.by, now_ms=who.now_ms)


class ContentStep(Step, tag="content"):
    """What notices say about one thing, in ``id``, ``zh`` or ``en``."""

    content: Content
    language: Annotated[str, Meta(pattern=r"^(id|zh|en)\Z")]
    text: Text

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.content_said(
            incident, self.content, self.language, self.text, by=who.by, now_ms=who.now_ms
        )


class ScopeStep(Step, tag="scope"):
    """Who was touched from now on: a sealed victim set by depth (``reached``, ``tried``, ``entered``, ``read``, ``spent``)."""

    sets: dict[Name, Name]
    reason: Short

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.scoped(incident, self.sets, reason=self.reason, by=who.by, now_ms=who.now_ms)


class TaskStep(Step, tag="task"):
    """Something to do."""

    text: Short
    role: Role
    due: Moment | UnsetType = UNSET

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        task = Task(who.new("task", who.now_ms), self.text, self.role, ms_of(self.due))
        return steps.task_added(incident, task, by=who.by, now_ms=who.now_ms)


class DoneStep(Step, tag="done"):
    """A task is done."""

    task: Name

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.task_done(incident, self.task, by=who.by, now_ms=who.now_ms)


class PlaybookStep(Step, tag="playbook"):
    """Follow a playbook from here on, in the version that it has now."""

    playbook: Name

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return (
            incident
            if who.playbook is None
            else steps.begun(incident, who.playbook, by=who.by, now_ms=who.now_ms)
        )


class TickStep(Step, tag="tick"):
    """A step of the playbook is done; ``evidence`` is the id of a piece of the incident's."""

    task: Name
    note: Annotated[str, Meta(max_length=400)] = ""
    evidence: Annotated[str, Meta(max_length=64)] = ""

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.ticked(
            incident,
            self.task,
            skipped=False,
            note=self.note,
            evidence=self.evidence,
            by=who.by,
            now_ms=who.now_ms,
        )


class SkipStep(Step, tag="skip"):
    """A step of the playbook is left out, and why."""

    task: Name
    reason: Short

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.ticked(
            incident, self.task, skipped=True, note=self.reason, evidence="", by=who.by, now_ms=who.now_ms
        )


class DecideStep(Step, tag="decide"):
    """A question of the playbook is answered by a person, whatever the facts say."""

    question: Name
    yes: bool
    reason: Annotated[str, Meta(max_length=400)] = ""

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.decided(
            incident, self.question, yes=self.yes, reason=self.reason, by=who.by, now_ms=who.now_ms
        )


class EvidenceStep(Step, tag="evidence"):
    """Where a piece of evidence is and its SHA-256; the evidence itself stays where it is."""

    name: Short
    sha256: Sha

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        kept = Evidence(who.new("ev", who.now_ms), self.name, self.sha256, who.by, who.now_ms)
        return steps.evidence_kept(incident, kept, by=who.by, now_ms=who.now_ms)


class AskStep(Step, tag="ask"):
    """A vendor was asked; ``again`` is when to ask once more."""

    vendor: Short
    text: Text
    again: Moment | UnsetType = UNSET

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.vendor_asked(
            incident, self.vendor, self.text, next_ms=ms_of(self.again), by=who.by, now_ms=who.now_ms
        )


class AnswerStep(Step, tag="answer"):
    """What the vendor answered."""

    vendor: Short
    text: Text

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.vendor_answered(incident, self.vendor, self.text, by=who.by, now_ms=who.now_ms)


class SentStep(Step, tag="sent"):
    """A rule's notice went out; ``late_reason`` where it is late."""

    rule: Name
    receipt: Annotated[str, Meta(max_length=200)] = ""
    late_reason: Annotated[str, Meta(max_length=400)] = ""

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.notice_sent(
            incident, shipped_rules(), self.rule, receipt=self.receipt, late_reason=self.late_reason, by=who.by,
            now_ms=who.now_ms,
        )  # fmt: skip


class VoidStep(Step, tag="void"):
    """A rule's last notice did not arrive."""

    rule: Name
    reason: Short

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.notice_void(incident, self.rule, reason=self.reason, by=who.by, now_ms=who.now_ms)


class ExemptStep(Step, tag="exempt"):
    """A rule does not apply, and why."""

    rule: Name
    reason: Short

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.exempted(incident, self.rule, reason=self.reason, by=who.by, now_ms=who.now_ms)


class StateStep(Step, tag="state"):
    """Contained, closed, or open again."""

    state: State

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.moved(incident, self.state, shipped_rules(), by=who.by, now_ms=who.now_ms)


class LearnedStep(Step, tag="learned"):
    """Why it could happen and what is changed."""

    root_cause: Text
    lessons: Text

    def take(self, incident: Incident, who: Taker) -> Incident:
        """The record after it."""
        return steps.learned(
            incident, root_cause=self.root_cause, lessons=self.lessons, by=who.by, now_ms=who.now_ms
        )


IncidentStep = (
    ClockStep | NoteStep | FactsStep | ContentStep | ScopeStep | TaskStep | DoneStep | EvidenceStep | AskStep | AnswerStep
    | SentStep | VoidStep | ExemptStep | StateStep | LearnedStep | PlaybookStep | TickStep | SkipStep | DecideStep
)  # fmt: skip


def ms_of(moment: Moment | UnsetType) -> int:
    """A moment in milliseconds; 0 for none."""
    return 0 if moment is UNSET else to_ms(moment)
