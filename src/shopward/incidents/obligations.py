"""What is owed for an incident: each rule of the jurisdictions that it touches, with the inputs that decided it.

Promise: pure, the same facts give the same answer. What nobody said counts against us: an unknown harm or risk is the highest, so
that a duty is on the list until somebody says why it is not. Every answer shows which input decided it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from shopward.calendars import Within, due_ms
from shopward.incidents.law import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shopward.incidents.incident import Facts, Incident
    from shopward.incidents.law import Rule, Threshold

Status = Literal["not_applicable", "exempt", "waiting", "open", "overdue", "sent", "sent_late"]
_NEVER_MS: Final = 2**62
_HARM: Final = ("none", "possible", "significant")
_RISK: Final = ("unlikely", "likely", "high")


class Obligation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One duty and where it stands.

    Attributes:
        inputs: what was looked at to say whether it applies, as text.
        clock: what started it, and ``started_ms`` when; empty while nothing did.
        due_ms: the last millisecond that is in time; for ``at_once`` that of the start.
        missing: what the notice still has to say, in one of the rule's languages.
        is_complete: nothing is missing.
        sent_ms: when the first notice that stands went out.
        followup_due_ms: when what comes after it is owed.
    """

    rule: str
    version: int
    jurisdiction: str
    recipient: str
    name: str
    law: str
    basis: str
    status: Status
    inputs: tuple[str, ...]
    clock: str = ""
    started_ms: int = 0
    due_ms: int = 0
    missing: tuple[Content, ...] = ()
    is_complete: bool = False
    sent_ms: int = 0
    phases: int = 0
    followup_due_ms: int = 0
    followup: str = ""
    waits_for: str = ""


def obligations(incident: Incident, rules: Mapping[str, Rule], *, at_ms: int) -> list[Obligation]:
    """Every duty of the jurisdictions in ``facts.subjects``, the soonest due first; those that do not apply last."""
    mine = [rule for rule in rules.values() if rule.jurisdiction in incident.facts.subjects]
    found = [_obligation(incident, rule, at_ms) for rule in mine]
    return sorted(
        found,
        key=lambda each: (each.status in ("not_applicable", "exempt"), each.due_ms or _NEVER_MS, each.rule),
    )


def is_owed(owed: Iterable[Obligation]) -> bool:
    """Whether anything is still to be sent."""
    return any(each.status in ("waiting", "open", "overdue") for each in owed)


def _obligation(incident: Incident, rule: Rule, at_ms: int) -> Obligation:
    applies, inputs = _applies(rule.threshold, incident.facts, rule.jurisdiction)
    exempt = next((each for each in incident.exempt if each.rule == rule.id), None)
    started_ms, clock = _started(incident, rule)
    due = _due(rule, started_ms)
    sent = [each for each in incident.sent if each.rule == rule.id and not each.void]
    first_ms = sent[0].at_ms if sent else 0
    missing = tuple(
        each for each in rule.contents if not _is_said(incident, rule, each, due, first_ms or at_ms)
    )
    waits_for = rule.not_before if rule.not_before and not _sent_ms(incident, rule.not_before) else ""
    if exempt is not None:
        status: Status = "exempt"
        inputs = (*inputs, f"exempt: {exempt.reason}")
    elif not applies:
        status = "not_applicable"
    elif sent:
        status = "sent_late" if due and first_ms > due and rule.deadline.kind != "at_once" else "sent"
    elif waits_for or not (started_ms or rule.deadline.kind == "none"):
        status = "waiting"
    else:
        status = (
            "overdue" if due and at_ms > due and rule.deadline.kind not in ("at_once", "none") else "open"
        )
    follow = rule.followup
    return Obligation(
        rule=rule.id, version=rule.version, jurisdiction=rule.jurisdiction, recipient=rule.recipient, name=rule.name,
        law=rule.law, basis=rule.basis, status=status, inputs=inputs, clock=clock, started_ms=started_ms, due_ms=due,
        missing=missing, is_complete=not missing, sent_ms=first_ms, phases=len(sent),
        followup_due_ms=0 if follow is None or not first_ms
        else due_ms(first_ms, Within(follow.amount, follow.kind), rule.place),
        followup="" if follow is None else follow.what, waits_for=waits_for,
    )  # fmt: skip


def _applies(threshold: Threshold, facts: Facts, jurisdiction: str) -> tuple[bool, tuple[str, ...]]:
    """Whether it applies, and what was looked at."""
    inputs: list[str] = []
    if threshold.unless_avoided:
        inputs.append(f"harm avoided: {_said(facts.avoided)}")
    if threshold.unless_encrypted:
        inputs.append(f"data unreadable: {_said(facts.encrypted)}")
    spared = (threshold.unless_avoided and facts.avoided is True) or (
        threshold.unless_encrypted and facts.encrypted is True
    )
    tests: list[bool] = []
    if threshold.subjects is not None:
        count = facts.subjects.get(jurisdiction, 0)
        inputs.append(f"people in {jurisdiction}: {count}, from {threshold.subjects}")
        tests.append(count >= threshold.subjects)
    if threshold.harm is not None:
        inputs.append(f"harm: {facts.harm}, from {threshold.harm}")
        tests.append(facts.harm == "unknown" or _HARM.index(facts.harm) >= _HARM.index(threshold.harm))
    if threshold.risk is not None:
        inputs.append(f"risk: {facts.risk}, from {threshold.risk}")
        tests.append(facts.risk == "unknown" or _RISK.index(facts.risk) >= _RISK.index(threshold.risk))
    if threshold.data:
        touched = [each for each in threshold.data if each in facts.data]
        inputs.append(f"data: {', '.join(touched) or 'none of ' + ', '.join(threshold.data)}")
        tests.append(bool(touched) or not facts.data)
    if not inputs:
        inputs.append("always")
    return not spared and (any(tests) or not tests), tuple(inputs)


def _started(incident: Incident, rule: Rule) -> tuple[int, str]:
    """When it started and by what: the earliest of its clocks, or the first notice of another rule."""
    if rule.after:
        sent = _sent_ms(incident, rule.after)
        return (sent, f"{rule.after} sent") if sent else (0, "")
    set_ = [(at, name) for name in rule.clocks if (at := incident.clock(name))]
    return min(set_) if set_ else (0, "")


def _due(rule: Rule, started_ms: int) -> int:
    if not started_ms or rule.deadline.kind == "none":
        return 0
    if rule.deadline.kind == "at_once":
        return started_ms
    return due_ms(started_ms, Within(rule.deadline.amount, rule.deadline.kind), rule.place)


def _sent_ms(incident: Incident, rule_id: str) -> int:
    return next((each.at_ms for each in incident.sent if each.rule == rule_id and not each.void), 0)


def _is_said(incident: Incident, rule: Rule, content: Content, due: int, at_ms: int) -> bool:
    """Whether a notice in one of the rule's languages can say it; reasons for being late only where it is late."""
    if content == "late_reasons" and (not due or at_ms <= due):
        return True
    said = incident.contents.get(content, {})
    return any(said.get(language) for language in rule.languages)


def _said(word: bool | None) -> str:  # noqa: FBT001 -- three words
    return "not said" if word is None else "yes" if word else "no"
