"""The steps of an incident: each gives the record with one thing more, and a line that says who did it and why.

Promise: pure. A clock that was set is moved only with a reason, and both times stay in the record; a scope is replaced only by the
next version; an incident is closed only when nothing is owed, every task and step of its playbook is done, every vendor has answered or
is not asked again, and cause and lessons are written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.incidents.incident import (
    DEPTHS,
    Ask,
    ClockSet,
    Evidence,
    Exempt,
    Incident,
    Line,
    Scope,
    Sent,
    Task,
    Vendor,
)
from shopward.incidents.obligations import is_owed, obligations
from shopward.incidents.playbooks import running
from shopward.incidents.playbooks.run import Answer, Run, Tick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.incidents.incident import Facts, State
    from shopward.incidents.law import Clock, Content, Rule
    from shopward.incidents.playbooks import Playbook

LINES_MAX = 2_000
Left = Literal["notices", "tasks", "playbook", "vendors", "lessons"]
LEFT: Final[dict[Left, str]] = {
    "notices": "notices are owed",
    "tasks": "tasks are open",
    "playbook": "steps of the playbook are open",
    "vendors": "a vendor is to be asked again",
    "lessons": "cause and lessons are missing",
}


def clock_set(incident: Incident, clock: Clock, *, at_ms: int, reason: str, by: str, now_ms: int) -> Incident:
    """A clock begins, or is moved, which takes a reason."""
    _open(incident)
    if at_ms > now_ms:
        raise InvalidField(
            "a clock begins in the past", path="at", expected="a past moment", found="a future one"
        )
    before = incident.clock(clock)
    if before and not reason:
        raise InvalidField(
            "a clock is moved with a reason", path="reason", expected="why it is moved", found="nothing"
        )
    text = f"{clock}: {'moved' if before else 'set'}" + (f": {reason}" if reason else "")
    clocks = (*incident.clocks, ClockSet(clock, at_ms, by, now_ms, reason))
    return _lined(incident, at_ms, text, by, now_ms, clocks=clocks)


def noted(incident: Incident, text: str, *, at_ms: int, by: str, now_ms: int) -> Incident:
    """A line of the timeline."""
    _open(incident)
    return _lined(incident, at_ms, text, by, now_ms)


def facts_said(incident: Incident, facts: Facts, *, by: str, now_ms: int) -> Incident:
    """What is known by now; the whole of it."""
    _open(incident)
    return _lined(incident, now_ms, "facts", by, now_ms, facts=facts)


def content_said(
    incident: Incident, content: Content, language: str, text: str, *, by: str, now_ms: int
) -> Incident:
    """What notices say about one thing, in one language."""
    _open(incident)
    said = {**incident.contents, content: {**incident.contents.get(content, {}), language: text}}
    return _lined(incident, now_ms, f"{content} ({language})", by, now_ms, contents=said)


def scoped(incident: Incident, sets: Mapping[str, str], *, reason: str, by: str, now_ms: int) -> Incident:
    """The next version of who was touched: a sealed set for each depth."""
    _open(incident)
    if not sets or not sets.keys() <= set(DEPTHS):
        raise InvalidField(
            "not a scope", path="sets", expected="a sealed set for one or more of " + ", ".join(DEPTHS),
            found="another depth, or none",
        )  # fmt: skip
    return _widened(incident, Scope(len(incident.scopes) + 1, now_ms, by, reason, dict(sets)))


def refuse_version(incident: Incident, version: int) -> None:
    """Raise where a version is not the next one: somebody else scoped the incident meanwhile."""
    if version != len(incident.scopes) + 1:
        raise Conflict(
            "somebody scoped this incident meanwhile", code="scope_version", path="version",
            expected=f"version {len(incident.scopes) + 1}", found=f"version {version}", hint="look at it, and ask again",
        )  # fmt: skip


def scope_found(incident: Incident, scope: Scope) -> Incident:
    """The next version, as the log has it; people, jurisdictions and data of the facts are never less than it says."""
    _open(incident)
    after, facts = _widened(incident, scope), incident.facts
    places = {
        name: users for name, users in scope.counts.get("jurisdiction", {}).items() if name != "unknown"
    }
    data = tuple(dict.fromkeys((*facts.data, *scope.counts.get("data", {}))))
    filled = msgspec.structs.replace(
        facts, data=data, records=max(facts.records, scope.counts.get("grade", {}).get("exposed", 0)),
        subjects={name: max(facts.subjects.get(name, 0), places.get(name, 0)) for name in {**facts.subjects, **places}},
    )  # fmt: skip
    if filled == facts:
        return after
    return _lined(
        after, scope.at_ms, f"facts, from scope {scope.version}", scope.by, scope.at_ms, facts=filled
    )


def _widened(incident: Incident, scope: Scope) -> Incident:
    line = f"scope {scope.version}: {scope.reason}"
    return _lined(incident, scope.at_ms, line, scope.by, scope.at_ms, scopes=(*incident.scopes, scope))


def task_added(incident: Incident, task: Task, *, by: str, now_ms: int) -> Incident:
    """Something to do."""
    _open(incident)
    return _lined(incident, now_ms, f"task: {task.text}", by, now_ms, tasks=(*incident.tasks, task))


def task_done(incident: Incident, task_id: str, *, by: str, now_ms: int) -> Incident:
    """It is done; a second time changes nothing."""
    _open(incident)
    task = next((each for each in incident.tasks if each.id == task_id), None)
    if task is None:
        raise NotFound("no such task", path="task", expected="a task of this incident", found="another id")
    if task.done_ms:
        return incident
    done = msgspec.structs.replace(task, done_ms=now_ms, done_by=by)
    tasks = tuple(done if each.id == task_id else each for each in incident.tasks)
    return _lined(incident, now_ms, f"done: {task.text}", by, now_ms, tasks=tasks)


def begun(incident: Incident, playbook: Playbook, *, by: str, now_ms: int) -> Incident:
    """The incident follows a playbook from here on, as the playbook is now; it follows no second one."""
    _open(incident)
    if incident.run is not None:
        raise Conflict(
            "the incident follows a playbook already", code="playbook_running", path="playbook",
            expected="an incident without one", found=f"{incident.run.playbook.id}@{incident.run.playbook.version}",
        )  # fmt: skip
    text = f"playbook {playbook.id}@{playbook.version}"
    return _lined(incident, now_ms, text, by, now_ms, run=Run(playbook, now_ms, by))


def ticked(
    incident: Incident, step: str, *, skipped: bool, note: str, evidence: str, by: str, now_ms: int
) -> Incident:
    """A step of the playbook is done, or left out, which takes a ``note``."""
    _open(incident)
    run = running.ticked(incident, Tick(step, now_ms, by, skipped, note, evidence))
    text = f"playbook: {step} {'left out' if skipped else 'done'}" + (f": {note}" if note else "")
    return _lined(incident, now_ms, text, by, now_ms, run=run)


def decided(incident: Incident, question: str, *, yes: bool, reason: str, by: str, now_ms: int) -> Incident:
    """A question of the playbook is answered."""
    _open(incident)
    run = running.answered(incident, Answer(question, yes, now_ms, by, reason))
    text = f"playbook: {question} {'yes' if yes else 'no'}" + (f": {reason}" if reason else "")
    return _lined(incident, now_ms, text, by, now_ms, run=run)


def evidence_kept(incident: Incident, evidence: Evidence, *, by: str, now_ms: int) -> Incident:
    """Where a piece of evidence is, and its hash."""
    _open(incident)
    kept = (*incident.evidence, evidence)
    return _lined(incident, now_ms, f"evidence: {evidence.name}", by, now_ms, evidence=kept)


def vendor_asked(incident: Incident, name: str, text: str, *, next_ms: int, by: str, now_ms: int) -> Incident:
    """Somebody outside was asked; again, where he was asked before."""
    _open(incident)
    known = {each.name: each for each in incident.vendors}
    vendor = known.get(name, Vendor(name, ()))
    asked = msgspec.structs.replace(vendor, asks=(*vendor.asks, Ask(now_ms, text, by, next_ms=next_ms)))
    vendors = tuple({**known, name: asked}.values())
    return _lined(incident, now_ms, f"{name} was asked: {text}", by, now_ms, vendors=vendors)


def vendor_answered(incident: Incident, name: str, answer: str, *, by: str, now_ms: int) -> Incident:
    """What came back on the last question."""
    _open(incident)
    vendor = next((each for each in incident.vendors if each.name == name), None)
    if vendor is None or vendor.asks[-1].answered_ms:
        raise NotFound(
            "nobody waits for this answer", path="vendor", expected="a vendor who was asked", found="another"
        )
    last = msgspec.structs.replace(vendor.asks[-1], answered_ms=now_ms, answer=answer, next_ms=0)
    answered = msgspec.structs.replace(vendor, asks=(*vendor.asks[:-1], last))
    vendors = tuple(answered if each.name == name else each for each in incident.vendors)
    return _lined(incident, now_ms, f"{name} answered: {answer}", by, now_ms, vendors=vendors)


def notice_sent(
    incident: Incident,
    rules: Mapping[str, Rule],
    rule_id: str,
    *,
    receipt: str,
    late_reason: str,
    by: str,
    now_ms: int,
) -> Incident:
    """A notice went out: complete, unless its rule takes it in parts; late only with a reason."""
    _open(incident)
    owed = next((each for each in obligations(incident, rules, at_ms=now_ms) if each.rule == rule_id), None)
    if owed is None or owed.status in ("not_applicable", "exempt"):
        raise NotFound(
            "nothing is owed under this rule",
            path="rule",
            expected="a duty of this incident",
            found="another",
        )
    if owed.waits_for:
        raise Conflict(
            "another notice has to be out first", code="notice_too_early", path="rule", expected=f"{owed.waits_for} sent",
            found="not sent",
        )  # fmt: skip
    if not owed.is_complete and not rules[rule_id].phased:
        raise Conflict(
            "the notice is not complete", code="notice_incomplete", path="contents",
            expected="texts for " + ", ".join(owed.missing), found="none",
        )  # fmt: skip
    if owed.status == "overdue" and not late_reason:
        raise InvalidField("it is late", path="late_reason", expected="why it is late", found="nothing")
    sent = Sent(rule_id, owed.phases + 1, now_ms, by, receipt, late_reason)
    return _lined(
        incident, now_ms, f"notice {rule_id}, phase {sent.phase}", by, now_ms, sent=(*incident.sent, sent)
    )


def notice_void(incident: Incident, rule_id: str, *, reason: str, by: str, now_ms: int) -> Incident:
    """The last notice of a rule did not arrive: its duty is open again."""
    _open(incident)
    place = max(
        (at for at, each in enumerate(incident.sent) if each.rule == rule_id and not each.void), default=None
    )
    if place is None:
        raise NotFound(
            "no such notice", path="rule", expected="a rule whose notice was sent", found="another"
        )
    voided = msgspec.structs.replace(incident.sent[place], void=reason)
    sent = (*incident.sent[:place], voided, *incident.sent[place + 1 :])
    return _lined(incident, now_ms, f"notice {rule_id} did not arrive: {reason}", by, now_ms, sent=sent)


def exempted(incident: Incident, rule_id: str, *, reason: str, by: str, now_ms: int) -> Incident:
    """A rule does not apply, on somebody's word."""
    _open(incident)
    exempt = (*incident.exempt, Exempt(rule_id, reason, by, now_ms))
    return _lined(incident, now_ms, f"{rule_id} does not apply: {reason}", by, now_ms, exempt=exempt)


def moved(incident: Incident, state: State, rules: Mapping[str, Rule], *, by: str, now_ms: int) -> Incident:
    """Contained, closed, or open again."""
    if state == incident.state:
        return incident
    if (
        state == "proposed"
        or (state == "dismissed" and incident.state != "proposed")
        or (incident.state == "proposed" and state not in ("open", "dismissed"))
    ):
        raise Conflict(
            "from this state the incident does not go there", code="incident_state", path="state",
            expected="open or dismissed, for a proposed one" if incident.state == "proposed" else "open, contained or closed",
            found=incident.state,
        )  # fmt: skip
    if state == "closed" and (left := [LEFT[each] for each in left_of(incident, rules, now_ms)]):
        raise Conflict(
            "the incident cannot be closed yet", code="incident_owes", path="state", expected="nothing left to do",
            found="; ".join(left),
        )  # fmt: skip
    return _lined(
        incident, now_ms, state, by, now_ms, state=state, closed_ms=now_ms if state == "closed" else 0
    )


def learned(incident: Incident, *, root_cause: str, lessons: str, by: str, now_ms: int) -> Incident:
    """Why it could happen, and what is changed."""
    _open(incident)
    return _lined(
        incident, now_ms, "root cause and lessons", by, now_ms, root_cause=root_cause, lessons=lessons
    )


def left_of(incident: Incident, rules: Mapping[str, Rule], now_ms: int) -> list[Left]:
    """What keeps it from being closed."""
    left: dict[Left, bool] = {
        "notices": is_owed(obligations(incident, rules, at_ms=now_ms)),
        "tasks": any(not task.done_ms for task in incident.tasks),
        "playbook": not running.is_finished(incident),
        "vendors": any(vendor.asks[-1].next_ms for vendor in incident.vendors),
        "lessons": not (incident.root_cause and incident.lessons),
    }
    return [word for word, is_left in left.items() if is_left]


def _open(incident: Incident) -> None:
    if incident.state in ("closed", "dismissed"):
        raise Conflict(
            "the incident is closed", code="incident_closed", path="state", expected="an open incident",
            found="a closed one", hint="open it again first",
        )  # fmt: skip


def _lined(incident: Incident, at_ms: int, text: str, by: str, now_ms: int, **changed: object) -> Incident:
    if len(incident.timeline) >= LINES_MAX:
        raise Conflict(
            "the timeline is full", code="incident_full", path="timeline", expected=f"at most {LINES_MAX} lines",
            found="as many",
        )  # fmt: skip
    timeline = (*incident.timeline, Line(at_ms, text, by, now_ms))
    return msgspec.structs.replace(incident, timeline=timeline, **changed)
