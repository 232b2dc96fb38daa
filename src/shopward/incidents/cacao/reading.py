"""A CACAO 2.0 document as a playbook that people can follow.

Promise: the story of reading:
  (1) the document has the shapes of the specification (``shapes``)
  (2) from ``workflow_start`` each step is reached once, and every branch and part ends in an ``end``; steps that nothing leads
      to are refused, since somebody may rely on them
  (3) a step that is exactly as we would write it is ours; any other becomes a manual task, or a question, for people, with
      its commands as text
  (4) the whole is ``checked``

``on_success`` counts as what comes next, since a person ticks what is done. ``on_failure`` and ``workflow_exception`` are refused
(``playbook_unsupported``): nothing here fails by itself. Delays and timeouts are told in the task's text.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from shopward.errors import InvalidField
from shopward.incidents.cacao.shapes import Action, End, If, Parallel, Shaped, Start, refused, shaped
from shopward.incidents.cacao.writing import EXTENSION, act, branch, cacao_id, group_id, together
from shopward.incidents.playbooks.playbook import STEPS_MAX, Act, Branch, Playbook, Together, checked
from shopward.incidents.words import ROLES

if TYPE_CHECKING:
    from shopward.incidents.cacao.shapes import Step as Shape
    from shopward.incidents.playbooks.playbook import Step
    from shopward.incidents.words import Role

WORDS_MAX: Final = 1_000
DEPTH_MAX: Final = 16
T = TypeVar("T", Act, Branch, Together)


def read(raw: bytes) -> Playbook:
    """The playbook of a document.

    Raises:
        BadInput: it is none, or one that cannot be followed, with the place.
    """
    found = shaped(raw)  # 1
    head = found.head
    if head.workflow_exception is not UNSET:
        raise _unsupported("workflow_exception")
    plain = _head(found)
    eye = _Eye(found, plain)
    start = found.steps.get(head.workflow_start)
    if not isinstance(start, Start) or start.on_completion is UNSET:
        raise refused("workflow_start", "a start step that leads on", "another step")
    eye.seen.add(head.workflow_start)
    steps = eye.sequence(start.on_completion, 0)  # 2, 3
    if left := sorted(found.steps.keys() - eye.seen):
        raise refused(f"workflow.{left[0]}", "a step that something leads to", "one that nothing leads to")
    return checked(msgspec.structs.replace(plain, steps=steps))  # 4


def _head(found: Shaped) -> Playbook:
    """The playbook without its steps, from its extension where it has ours."""
    head = found.head
    told = {} if head.playbook_extensions is UNSET else head.playbook_extensions.get(EXTENSION, {})
    dates: dict[str, Any] = {
        "created": head.created,
        "changed": head.modified,
        "created_by": head.created_by,
        "steps": (),
    }
    description = "" if head.description is UNSET else head.description
    try:
        ours = msgspec.convert({**told, **dates, "cacao_id": head.id}, Playbook)
    except msgspec.ValidationError:
        ours = None
    if ours is None:
        ours = Playbook(id=_key(head.name), version=1, name={}, cacao_id=head.id, **dates)
    if (
        ours.name.get("en") != head.name
    ):  # what people see was changed: other languages say something else by now
        ours = msgspec.structs.replace(ours, name=_words(head.name) or {"en": "Playbook"})
    if ours.text.get("en", "") != description:
        ours = msgspec.structs.replace(ours, text=_words(description))
    alone = msgspec.structs.replace(ours, cacao_id="")
    return alone if cacao_id(alone) == head.id else ours


class _Eye:
    """Follows the steps; ``seen`` are those that were reached."""

    def __init__(self, found: Shaped, playbook: Playbook) -> None:
        self.seen: set[str] = set()
        self._found = found
        self._playbook = playbook
        self._keys: set[str] = set()

    def sequence(self, name: str, depth: int) -> tuple[Step, ...]:
        """The steps from here to an ``end``."""
        steps: list[Step] = []
        while True:
            path = f"workflow.{name}"
            shape = self._found.steps.get(name)
            if shape is None:
                raise refused(path, "a step of the workflow", "none")
            if name in self.seen or len(self.seen) > 4 * STEPS_MAX or depth > DEPTH_MAX:
                raise refused(
                    path,
                    "a workflow that reaches each step once, within its bounds",
                    "one that comes back or goes too deep",
                )
            self.seen.add(name)
            if isinstance(shape, End):
                return tuple(steps)
            if isinstance(shape, Start):
                raise refused(path, "one start", "another one")
            if shape.on_failure is not UNSET:
                raise _unsupported(f"{path}.on_failure")
            step = self._step(name, shape, depth)
            steps.append(step)
            after = shape.on_completion if shape.on_completion is not UNSET else shape.on_success
            if after is UNSET:
                raise refused(path, "what comes after it", "nothing")
            name = after

    def _step(self, name: str, shape: Action | If | Parallel, depth: int) -> Step:
        match shape:
            case Action():
                return self._act(name, shape)
            case If():
                then = self.sequence(shape.on_true, depth + 1)
                otherwise = () if shape.on_false is UNSET else self.sequence(shape.on_false, depth + 1)
                return self._branch(name, shape, then, otherwise)
            case Parallel():
                parts = tuple(self.sequence(each, depth + 1) for each in shape.next_steps)
                ours = self._ours(shape, Together, {"parts": ((), ())})  # theirs come after
                if ours is not None and together(self._playbook, ours) == (name, _bare(shape)):
                    return msgspec.structs.replace(ours, id=self._taken(ours.id), parts=parts)
                return Together(id=self._free("together"), parts=parts)

    def _act(self, name: str, shape: Action) -> Act:
        ours = self._ours(shape, Act, {})
        if ours is not None and act(self._playbook, ours) == (name, _bare(shape)):
            return msgspec.structs.replace(ours, id=self._taken(ours.id))
        title = "" if shape.name is UNSET else shape.name
        commands = [_told(each) for each in shape.commands]
        text = "\n".join(each for each in (_described(shape), *commands) if each)
        agent = self._found.agents.get(shape.agent)
        if agent is None and shape.agent not in {group_id(role) for role in ROLES}:
            raise refused(f"workflow.{name}.agent", "an agent of the document", "none")
        doer = "" if agent is None else agent.name
        role: Role = next((each for each in ROLES if each == doer), "analyst")
        if doer and doer not in ROLES:
            text = f"{text}\n({doer})"
        title = title.strip() or text.strip().splitlines()[0] if (title + text).strip() else "Step"
        return Act(
            id=self._free(_key(title)),
            name=_words(title),
            role=role,
            text=_words(text) if text.strip() != title else {},
        )

    def _branch(self, name: str, shape: If, then: tuple[Step, ...], otherwise: tuple[Step, ...]) -> Branch:
        ours = self._ours(shape, Branch, {"then": ()})
        if ours is not None and branch(self._playbook, ours) == (name, _bare(shape)):
            return msgspec.structs.replace(ours, id=self._taken(ours.id), then=then, otherwise=otherwise)
        asked = ": ".join(
            each for each in ("" if shape.name is UNSET else shape.name, shape.condition) if each.strip()
        )
        question = _words("\n".join(each for each in (asked, _described(shape)) if each)) or {"en": "?"}
        return Branch(id=self._free(_key(asked)), name=question, then=then, otherwise=otherwise)

    def _ours(self, shape: Shape, kind: type[T], more: dict[str, Any]) -> T | None:
        told = {} if shape.step_extensions is UNSET else shape.step_extensions.get(EXTENSION, {})
        try:
            return msgspec.convert({**told, **more}, kind)
        except (msgspec.ValidationError, KeyError):
            return None

    def _taken(self, key: str) -> str:
        """An id of ours; twice in a document it cannot be."""
        if key in self._keys:
            raise refused("workflow", "each step of ours once", "one twice")
        self._keys.add(key)
        return key

    def _free(self, key: str) -> str:
        found, number = key, 2
        while found in self._keys:
            found, number = f"{key[:58]}-{number}", number + 1
        self._keys.add(found)
        return found


def _bare(shape: Action | If | Parallel) -> dict[str, Any]:
    """A step as it is written, without where it leads."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(shape))
    for name in ("on_completion", "on_success", "on_true", "on_false", "next_steps"):
        told.pop(name, None)
    return told


def _described(shape: Action | If) -> str:
    told = ["" if shape.description is UNSET else shape.description]
    if shape.delay is not UNSET:
        told.append(f"Wait {shape.delay} ms before it.")
    if shape.timeout is not UNSET:
        told.append(f"Within {shape.timeout} ms.")
    return "\n".join(each for each in told if each)


def _told(command: dict[str, Any]) -> str:
    """A command as a text for people."""
    given = str(command.get("command") or "")
    if not given and isinstance(coded := command.get("command_b64"), str):
        try:
            given = base64.b64decode(coded, validate=True).decode(errors="replace")
        except (binascii.Error, ValueError):
            given = "(cannot be read)"
    what = "" if command["type"] == "manual" else f"{command['type']}: "
    lines = (
        str(command.get("description") or ""),
        what + given if given else "",
        str(command.get("content") or ""),
    )
    return "\n".join(each for each in lines if each)


def _words(text: str) -> dict[Any, str]:
    plain = "".join(each if each.isprintable() or each == "\n" else " " for each in text).strip()
    return {"en": plain[:WORDS_MAX]} if plain else {}


def _key(text: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48].rstrip("-")
    return found if found[:1].isalpha() else f"step-{found}".rstrip("-")


def _unsupported(path: str) -> InvalidField:
    return InvalidField(
        "this part of a playbook is not followed here", code="playbook_unsupported", path=path[:128],
        expected="a workflow without it", found="one with it",
    )  # fmt: skip
