"""Working on incidents: one step at a time, each with its line in the record and in the audit log.

Promise:
- a step is one transaction: the record, what the shop is owed to hear, the line of the audit log; who took it is told by the key;
- a scope names sealed victim sets alone; how many are in each is read from the set and never typed;
- what the law asks is computed when it is looked at, from the facts as they are then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopward.errors import Conflict, NotFound
from shopward.flows.stepped import Steps
from shopward.incidents import steps
from shopward.incidents.drafts import draft
from shopward.incidents.incident import Incident, Line
from shopward.incidents.law import shipped_rules
from shopward.incidents.obligations import obligations
from shopward.notices.mailing import UNREACHED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.incidents.drafts import Draft
    from shopward.incidents.incident import Severity
    from shopward.incidents.obligations import Obligation
    from shopward.incidents.playbooks import Playbook
    from shopward.incidents.store import IncidentStore
    from shopward.incidents.words import Kind
    from shopward.notices import Mailing
    from shopward.ports import Records
    from shopward.protection.members import VictimSet
    from shopward.values import Clock, IdSource


class IncidentDesk:
    """Tells the story; may be called from any thread.

    Args:
        records: transactions.
        store: the incidents.
        sets: a sealed victim set by its id; raises where there is none.
        told: the mailings about an incident, with how many stand in each state.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names incidents.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: IncidentStore,
        sets: Callable[[Any, str], VictimSet],
        told: Callable[[Any, str], Sequence[tuple[Mailing, dict[str, int]]]],
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._store = store
        self._sets = sets
        self._mailings = told
        self._steps = Steps(trail, outbox)
        self._clock = clock
        self._ids = ids

    def open(
        self,
        caller: Caller,
        *,
        title: str,
        kind: Kind,
        severity: Severity,
        campaign: str,
        began_ms: int,
        ended_ms: int,
        playbook: Playbook | None = None,
    ) -> Incident:
        """A new incident, under a playbook if there is one; its clock ``may_have_happened`` begins, since somebody thought so."""
        now_ms = self._clock.now_ms()
        made = Incident(
            id=self._ids.new("inc", now_ms), title=title, kind=kind, severity=severity, state="open", created_ms=now_ms,
            created_by=caller.person, began_ms=began_ms, ended_ms=ended_ms, campaign=campaign,
            timeline=(Line(now_ms, "opened", caller.person, now_ms),),
        )  # fmt: skip
        made = steps.clock_set(
            made, "may_have_happened", at_ms=now_ms, reason="", by=caller.person, now_ms=now_ms
        )

        if playbook is not None:
            made = steps.begun(made, playbook, by=caller.person, now_ms=now_ms)

        def work(connection: Any) -> Incident:
            self._store.add(connection, made, at_ms=now_ms)
            if campaign:  # so that the server proposes no second one of it
                self._store.put_signal(connection, "campaign", campaign, made.id, accounts=0, only_new=True)
            self._steps.told(connection, caller.key, made, "opened", now_ms)
            return made

        return self._records.write(work)

    def step(
        self,
        caller: Caller,
        incident_id: str,
        name: str,
        take: Callable[[Incident, str, int], Incident],
        *,
        sets: Sequence[str] = (),
    ) -> Incident:
        """One step.

        Args:
            caller: who takes it.
            incident_id: of which incident.
            name: of the step.
            take: ``take(incident, person, now_ms)`` gives the record after it.
            sets: victim sets that it names; each has to be sealed.
        """
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Incident:
            for each in sets:
                self._sets(connection, each)
            before = self._got(connection, incident_id, lock=True)
            after = take(before, caller.person, now_ms)
            if after is before:
                return before
            if after.state == "closed" and (owed := self._unreached(connection, after)):
                raise Conflict(
                    "somebody was not reached", code="incident_owes", path="state", expected="nothing left to do",
                    found="; ".join(f"{rule}: {people} people not reached" for rule, people in sorted(owed.items())),
                    hint="tell them by other means, and say so: the step exempt of the rule, with the reason",
                )  # fmt: skip
            self._store.put(connection, after, at_ms=now_ms)
            self._steps.told(connection, caller.key, after, name, now_ms)
            return after

        return self._records.write(work)

    def mailings(self, incident_id: str) -> Sequence[tuple[Mailing, dict[str, int]]]:
        """The mailings about an incident, with how many stand in each state."""
        return self._records.read(lambda each: self._mailings(each, incident_id))

    def _unreached(self, connection: Any, incident: Incident) -> dict[str, int]:
        """How many people no route is left for, by the rule that their mailing was to meet; not of rules that are exempt."""
        exempt, owed = {each.rule for each in incident.exempt}, dict[str, int]()
        for mailing, counts in self._mailings(connection, incident.id):
            people = sum(counts.get(state, 0) for state in UNREACHED)
            if people and mailing.rule not in exempt:
                owed[mailing.rule or mailing.id] = owed.get(mailing.rule or mailing.id, 0) + people
        return owed

    def get(self, incident_id: str) -> tuple[Incident, list[Obligation], dict[str, int]]:
        """An incident, what is owed, and how many users its newest scope has at each depth."""

        def work(connection: Any) -> tuple[Incident, dict[str, int]]:
            incident = self._got(connection, incident_id)
            sets = incident.scopes[-1].sets if incident.scopes else {}
            return incident, {depth: self._sets(connection, name).users for depth, name in sets.items()}

        incident, counts = self._records.read(work)
        return incident, obligations(incident, shipped_rules(), at_ms=self._clock.now_ms()), counts

    def listed(self, *, state: str, before: str, limit: int) -> list[Incident]:
        """Newest first."""
        return self._records.read(
            lambda each: self._store.listed(each, state=state, before=before, limit=limit)
        )

    def draft(self, incident_id: str, rule_id: str, language: str) -> Draft:
        """What would go out now."""
        incident = self._records.read(lambda connection: self._got(connection, incident_id))
        return draft(incident, shipped_rules(), rule_id, language, at_ms=self._clock.now_ms())

    def _got(self, connection: Any, incident_id: str, *, lock: bool = False) -> Incident:
        incident = self._store.get(connection, incident_id, lock=lock)
        if incident is None:
            raise NotFound(
                "no such incident", path="id", expected="the id of an incident", found="another id"
            )
        return incident
