"""Forms of an incident's page as steps: flat fields of a browser become the fields that a call would have sent.

Promise: pure. What a form says is decoded by the same shapes as a call's, so that nothing can be said here that the API would refuse.
A moment without a zone is UTC, as the page says; fields that are left empty were not said. A form that writes over something says by a mark
over what, so that nobody writes over what somebody else has written since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import Conflict, InvalidField
from shopward.http.calls import decoded
from shopward.http.filters import mark
from shopward.http.incident_steps import (
    AnswerStep,
    AskStep,
    ClockStep,
    ContentStep,
    DecideStep,
    DoneStep,
    EvidenceStep,
    ExemptStep,
    FactsStep,
    LearnedStep,
    NoteStep,
    PlaybookStep,
    SentStep,
    SkipStep,
    StateStep,
    TaskStep,
    TickStep,
    VoidStep,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.http.incident_steps import Step
    from shopward.incidents import Incident

PRESSED: Final[Mapping[str, type[Step]]] = {
    "note": NoteStep, "done": DoneStep, "tick": TickStep, "sent": SentStep, "state": StateStep, "clock": ClockStep,
    "facts": FactsStep, "content": ContentStep, "task": TaskStep, "playbook": PlaybookStep, "skip": SkipStep,
    "decide": DecideStep, "evidence": EvidenceStep, "ask": AskStep, "answer": AnswerStep, "void": VoidStep,
    "exempt": ExemptStep, "learned": LearnedStep,
}  # fmt: skip
MOMENTS: Final = ("at", "due", "again")
SAID: Final[Mapping[str, bool]] = {"yes": True, "no": False}
_LOCAL: Final = len("2026-01-05T10:00")
"""How a browser writes a moment to the minute."""
_NUMBER_MAX: Final = 15


class Pressed(NamedTuple):
    """A step, of a notice which part of it is said to be sent, and the mark of what the form wrote over; empty where it has none."""

    step: Step
    phase: int
    over: str


def pressed(form: Mapping[str, str]) -> Pressed:
    """What a form asks for; raises ``InvalidField`` where it is no step, or not one that its shape takes."""
    word = form.get("do", "")
    if word not in PRESSED:
        raise InvalidField(
            "no such deed", path="do", expected="one of " + ", ".join(PRESSED), found="another word"
        )
    fields: dict[str, Any] = {
        name: value for name, value in form.items() if name not in ("do", "phase", "over")
    }
    fields |= {name: _moment(fields[name]) for name in MOMENTS if name in fields}
    if word in _FIELDS:
        fields = _FIELDS[word](fields)
    step = decoded(msgspec.json.encode({**fields, "step": word}), PRESSED[word])
    phase = _number(form.get("phase", "1"))
    return Pressed(step, phase if isinstance(phase, int) else 1, form.get("over", ""))


def is_written(incident: Incident, asked: Pressed) -> bool:
    """Whether what it writes stands there already, as by a double click; raises ``Conflict`` where the page had shown something else."""
    stands, written = _over(incident, asked.step)
    if asked.over and stands != written and mark(stands) != asked.over:
        raise Conflict("somebody else wrote there since", path="over", expected="what the page showed", found="another text")  # fmt: skip
    return written is not None and stands == written


def _over(incident: Incident, step: Step) -> tuple[Any, Any]:
    """What a step writes over, and what it writes; nothing of one that only adds."""
    match step:
        case FactsStep():
            return incident.facts, step.facts
        case ContentStep():
            return incident.contents.get(step.content, {}).get(step.language, ""), step.text
        case LearnedStep():
            return [incident.root_cause, incident.lessons], [step.root_cause, step.lessons]
        case _:
            return None, None


def _facts(fields: dict[str, Any]) -> dict[str, Any]:
    """``subjects_ID``, ``data_contact`` and the rest; what is not there was not said."""
    subjects = {
        name.removeprefix("subjects_"): _number(value)
        for name, value in fields.items()
        if name.startswith("subjects_")
    }
    rest: dict[str, Any] = {
        name: value for name, value in fields.items() if not name.startswith(("subjects_", "data_"))
    }
    if "records" in rest:
        rest["records"] = _number(rest["records"])
    for name in ("avoided", "encrypted"):
        if name in rest:
            rest[name] = SAID.get(rest[name], rest[name])
    data = [name.removeprefix("data_") for name in fields if name.startswith("data_")]
    return {"facts": {**rest, "subjects": subjects, "data": data}}


def _decide(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "yes": SAID.get(fields.get("yes", ""), "")}


_FIELDS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "facts": _facts,
    "decide": _decide,
}


def _moment(text: str) -> str:
    return f"{text}:00Z" if len(text) == _LOCAL else text


def _number(text: str) -> int | str:
    """A number; what is none stays as it is, for its shape to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX else text
