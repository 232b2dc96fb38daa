"""An incident as a value: facts, clocks, timeline, tasks, evidence, victims by version, vendors, notices.

Promise: plain data that both databases keep as one JSON text; times are milliseconds; no person's name and no customer's value is
in it but what those who work on it write.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from shopward.incidents.law import Clock, Content, DataClass, Harm, Risk
from shopward.incidents.playbooks.run import Run
from shopward.incidents.scope import Group, ScopeQuery
from shopward.incidents.words import Kind, Role

State = Literal["proposed", "open", "contained", "closed", "dismissed"]
"""``proposed`` by the server until a person opens or dismisses it; its clocks run meanwhile."""
SignalKind = Literal["campaign", "finding", "source", "line"]
Severity = Literal["low", "medium", "high", "critical"]


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known, as far as the law asks.

    Attributes:
        subjects: people by jurisdiction (``ID``, ``CN``, ``EU``, ...); only these jurisdictions' rules are asked.
        records: how many records.
        data: classes that were touched.
        avoided: whether measures avoid the harm effectively; ``None`` where nobody said.
        encrypted: whether the data could not be read.
    """

    subjects: dict[Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")], Annotated[int, Meta(ge=0)]] = {}
    records: Annotated[int, Meta(ge=0)] = 0
    data: tuple[DataClass, ...] = ()
    harm: Harm = "unknown"
    risk: Risk = "unknown"
    avoided: bool | None = None
    encrypted: bool | None = None


class ClockSet(Struct, frozen=True):
    """A clock was set or moved: to when, by whom, when, and why."""

    clock: Clock
    at_ms: int
    by: str
    set_ms: int
    reason: str


class Line(Struct, frozen=True):
    """A line of the timeline: when it happened, what, who wrote it and when."""

    at_ms: int
    text: str
    by: str
    written_ms: int


class Task(Struct, frozen=True, omit_defaults=True):
    """Something to do, by a role, until a moment (0 for none)."""

    id: str
    text: str
    role: Role
    due_ms: int = 0
    done_ms: int = 0
    done_by: str = ""


class Evidence(Struct, frozen=True):
    """Where a piece of evidence is and the SHA-256 of it, in hex."""

    id: str
    name: str
    sha256: str
    by: str
    at_ms: int


class Scope(Struct, frozen=True, omit_defaults=True):
    """A version of who was touched: a sealed victim set for each of the five depths that is known.

    Attributes:
        reason: why this version replaces the one before.
        sets: victim set by depth: ``reached``, ``tried``, ``entered``, ``read``, ``spent``.
        query: how they were found in the log; ``None`` where the sets were made by hand.
        groups: what the rows of its victims share.
        counts: how many, by grade of everybody and by all else of those exposed.
        overlaps: how many of its people other open incidents have too, by their ids.
    """

    version: int
    at_ms: int
    by: str
    reason: str
    sets: dict[str, str]
    query: ScopeQuery | None = None
    groups: tuple[Group, ...] = ()
    counts: dict[str, dict[str, int]] = {}
    overlaps: dict[str, int] = {}


class Ask(Struct, frozen=True, omit_defaults=True):
    """A vendor was asked: when, what, what came back, and when to ask again (0 for never)."""

    at_ms: int
    text: str
    by: str
    answered_ms: int = 0
    answer: str = ""
    next_ms: int = 0


class Vendor(Struct, frozen=True):
    """Who has to do something outside: a partner, an identity provider, a registrar."""

    name: str
    asks: tuple[Ask, ...]


class Sent(Struct, frozen=True, omit_defaults=True):
    """A notice of a rule went out: which phase, when, with which receipt, why it was late, who sent it.

    Attributes:
        void: it bounced, or was never received: the obligation is open again.
    """

    rule: str
    phase: int
    at_ms: int
    by: str
    receipt: str = ""
    late_reason: str = ""
    void: str = ""


class Exempt(Struct, frozen=True):
    """A rule does not apply, on somebody's word."""

    rule: str
    reason: str
    by: str
    at_ms: int


class Signal(Struct, frozen=True, omit_defaults=True):
    """What it came from.

    Attributes:
        subject: id of the campaign or finding; of a source its kind and token.
        accounts: how many it had when it was scoped last.
        grown: how many it has now, where that is so many more that the scope ought to be widened; 0 for no proposal.
    """

    kind: SignalKind
    subject: str
    began_ms: int
    alarm_ms: int
    accounts: int = 0
    grown: int = 0


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole record.

    Attributes:
        campaign: the campaign that it came from.
        run: the playbook that it follows, as it was when it began, with what was done.
        contents: what notices say, by content and language.
        root_cause: why it could happen; ``lessons`` what is changed. Both are needed to close it.
    """

    id: str
    title: str
    kind: Kind
    severity: Severity
    state: State
    created_ms: int
    created_by: str
    began_ms: int = 0
    ended_ms: int = 0
    campaign: str = ""
    facts: Facts = Facts()
    clocks: tuple[ClockSet, ...] = ()
    timeline: tuple[Line, ...] = ()
    tasks: tuple[Task, ...] = ()
    run: Run | None = None
    evidence: tuple[Evidence, ...] = ()
    scopes: tuple[Scope, ...] = ()
    signals: tuple[Signal, ...] = ()
    vendors: tuple[Vendor, ...] = ()
    sent: tuple[Sent, ...] = ()
    exempt: tuple[Exempt, ...] = ()
    contents: dict[Content, dict[str, str]] = {}
    root_cause: str = ""
    lessons: str = ""
    closed_ms: int = 0

    def clock(self, name: Clock) -> int:
        """When a clock began, as it was set last; 0 for never."""
        return next((each.at_ms for each in reversed(self.clocks) if each.clock == name), 0)


DEPTHS: Final = ("reached", "tried", "entered", "read", "spent")
encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Incident).decode
