"""A playbook that an incident follows: what is open, waits, is done, was left out; by when; and what the next person may do.

Promise: pure. A step is open when all before it in its sequence is done; a branch is open until a person answers it, or a fact
of the incident does, and the person's word stands over the fact's; what hangs on the other answer is ``not_taken``. The playbook
is kept inside the run, so that a newer version changes nothing here. A step that was done before a fact turned its question is
``not_taken`` and still says by whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, NotFound
from shopward.incidents.playbooks.playbook import Act, Branch, Due, Step, Together, walked
from shopward.incidents.playbooks.run import Answer, Tick
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from shopward.incidents.incident import Incident
    from shopward.incidents.playbooks.playbook import FactName
    from shopward.incidents.playbooks.run import Run

State = Literal["waiting", "open", "done", "skipped", "not_taken"]
_HIGH: Final = frozenset({"high", "unknown"})


class Standing(Struct, frozen=True):
    """Where a step stands.

    Attributes:
        due_ms: 0 where it has no time, or its clock has not begun.
        answer: of a branch: what was answered, ``None`` for nothing yet; ``by_fact`` where the incident itself did.
    """

    step: Act | Branch
    state: State
    due_ms: int = 0
    tick: Tick | None = None
    answer: bool | None = None
    by_fact: bool = False
    said: Answer | None = None


def standings(incident: Incident) -> list[Standing]:
    """Every act and branch in the order of reading; empty where no playbook runs."""
    walk = _Walk(incident)
    if incident.run is not None:
        walk.sequence(incident.run.playbook.steps, "open")
    return walk.found


def is_finished(incident: Incident) -> bool:
    """Whether nothing of the playbook is left to do."""
    return all(each.state not in ("open", "waiting") for each in standings(incident))


def fact(incident: Incident, name: FactName) -> bool | None:
    """What the incident says by itself; ``None`` where it does not say."""
    known, depths = incident.facts, incident.scopes[-1].sets.keys() if incident.scopes else frozenset[str]()
    known_data = bool(known.data)
    said: dict[FactName, bool | None] = {
        "data_read": True if "read" in depths or known_data else None,
        "money_spent": True if "spent" in depths else None,
        "credentials": "credentials" in known.data if known_data else None,
        "payment_data": "payment" in known.data if known_data else None,
        "encrypted": known.encrypted,
        "avoided": known.avoided,
        "high_risk": known.risk in _HIGH,  # what nobody said is the highest, as for the law
    }
    return said[name]


def ticked(incident: Incident, tick: Tick) -> Run:
    """The run with a step done or left out.

    Raises:
        NotFound: no such step, or no such evidence.
        Conflict: its turn has not come, or it is done.
    """
    run, found = _at(incident, tick.step)
    if not isinstance(found.step, Act) or found.state != "open":
        raise Conflict(
            "the step is not open", code="step_not_open", path="task", expected="an act whose turn it is",
            found=found.state if isinstance(found.step, Act) else "a question",
        )  # fmt: skip
    if tick.evidence and all(each.id != tick.evidence for each in incident.evidence):
        raise NotFound(
            "no such evidence", path="evidence", expected="evidence of this incident", found="another id"
        )
    return msgspec.structs.replace(run, ticks=(*run.ticks, tick))


def answered(incident: Incident, answer: Answer) -> Run:
    """The run with a question answered by a person, or answered anew while nothing behind it is done.

    Raises:
        NotFound: no such step.
        Conflict: it is no question, its turn has not come, or something behind it is done.
    """
    run, found = _at(incident, answer.step)
    begun = {each.step for each in run.ticks}
    behind = walked((*found.step.then, *found.step.otherwise)) if isinstance(found.step, Branch) else ()
    if (
        not isinstance(found.step, Branch)
        or found.state not in ("open", "done")
        or any(each.id in begun for each in behind)
    ):
        raise Conflict(
            "the question is not open", code="step_not_open", path="question",
            expected="a question whose turn it is, with nothing behind it done", found=found.state,
        )  # fmt: skip
    kept = tuple(each for each in run.answers if each.step != answer.step)
    return msgspec.structs.replace(run, answers=(*kept, answer))


def _at(incident: Incident, step: str) -> tuple[Run, Standing]:
    found = next((each for each in standings(incident) if each.step.id == step), None)
    if incident.run is None or found is None:
        raise NotFound("no such step", path="task", expected="a step of the playbook", found="another id")
    return incident.run, found


class _Walk:
    """Reads the steps in order; ``sequence`` says whether all of it is over."""

    def __init__(self, incident: Incident) -> None:
        run = incident.run
        self.found: list[Standing] = []
        self._incident = incident
        self._begun_ms = 0 if run is None else run.begun_ms
        self._ticks = {} if run is None else {each.step: each for each in run.ticks}
        self._answers = {} if run is None else {each.step: each for each in run.answers}

    def sequence(self, steps: tuple[Step, ...], state: State) -> bool:
        """``state`` is that of the first step: ``open``, ``waiting`` or ``not_taken``."""
        for step in steps:
            over = self._step(step, state)
            state = "waiting" if state == "open" and not over else state
        return state == "open"

    def _step(self, step: Step, state: State) -> bool:
        if isinstance(step, Together):
            return all([self.sequence(part, state) for part in step.parts])  # noqa: C419 -- every part is read
        if isinstance(step, Branch):
            return self._branch(step, state)
        tick = self._ticks.get(step.id)
        is_over = tick is not None and state != "not_taken"
        if tick is not None and is_over:  # what is done stays so, also where it would wait by now
            state = "skipped" if tick.skipped else "done"
        self.found.append(Standing(step, state, self._due_ms(step.due), tick))
        return is_over

    def _branch(self, step: Branch, state: State) -> bool:
        said = self._answers.get(step.id)
        by_fact = said is None and bool(step.fact)
        answer = said.yes if said is not None else fact(self._incident, step.fact) if step.fact else None
        if state != "open" or answer is None:
            self.found.append(Standing(step, state))
            below: State = "not_taken" if state == "not_taken" else "waiting"
            self.sequence(step.then, below)
            self.sequence(step.otherwise, below)
            return False
        self.found.append(Standing(step, "done", answer=answer, by_fact=by_fact, said=said))
        took = self.sequence(step.then, "open" if answer else "not_taken")
        other = self.sequence(step.otherwise, "not_taken" if answer else "open")
        return took if answer else other

    def _due_ms(self, due: Due | None) -> int:
        if due is None:
            return 0
        began = self._begun_ms if due.clock == "opened" else self._incident.clock(due.clock)
        return began + due.minutes * MINUTE_MS if began else 0
