"""A playbook as a CACAO 2.0 document.

Promise: pure and deterministic. A sequence is chained by ``on_completion``; a branch or a part ends in an ``end`` of its own, as the
specification asks. Deeds of ours are ``http-api`` commands of one agent, everything else ``manual`` commands of the role's group.
What CACAO has no word for (roles, deadlines, facts, other languages) stands in one extension.

Ids: a playbook's is the UUIDv5 of its name and types in the specification's namespace (section 10.10). Steps have the
form of UUIDv4, which it demands; their bits come from SHA-256 over playbook and step, so that the same playbook gives the same
document, and say nothing else.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final

import msgspec

from shopward.incidents.playbooks.deeds import DEEDS
from shopward.incidents.playbooks.playbook import Act, Branch, Playbook, Step, Together, said, walked
from shopward.incidents.words import ROLES

NAMESPACE: Final = uuid.UUID("aa7caf3a-d55a-4e9a-b34e-056215fba56a")
EXTENSION: Final = "extension-definition--3f6e6c0e-8f6b-4a63-9d0c-2a1f6b7c9e10"
AGENT: Final = "http-api--6a1d2c9e-3b54-4f0a-9a77-51c0d1e2f3a4"
TYPES: Final = ("mitigation", "notification")
_ACTIVITIES: Final = {
    "POST /v1/orders": "restrict-access", "POST /v1/notices": "deliver-content", "POST /v1/partners/<partner>/steps": "restrict-access",
}  # fmt: skip


def written(playbook: Playbook) -> bytes:
    """The document."""
    return (
        msgspec.json.format(msgspec.json.encode(document(playbook), order="deterministic"), indent=2) + b"\n"
    )


def document(playbook: Playbook) -> dict[str, Any]:
    """The document as plain values."""
    pen = _Pen(playbook)
    first = pen.sequence(playbook.steps, "end")
    start = step_id(playbook, "start", "start")
    steps = list(walked(playbook.steps))
    activities = sorted({each for step in steps if isinstance(step, Act) and (each := activity(step))})
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": cacao_id(playbook),
        "name": said(playbook.name, "en"),
        **({"description": playbook.text["en"]} if "en" in playbook.text else {}),
        **({"playbook_types": list(TYPES), "playbook_activities": activities} if activities else {}),
        "playbook_processing_summary": {
            "manual_playbook": all(isinstance(each, Act) and not each.deed for each in steps),
            "parallel_processing": any(isinstance(each, Together) for each in steps),
            "if_logic": any(isinstance(each, Branch) for each in steps),
            "extensions": True,
        },
        "created_by": playbook.created_by,
        "created": playbook.created,
        "modified": playbook.changed,
        "playbook_variables": variables(playbook),
        "workflow_start": start,
        "workflow": {start: {"type": "start", "on_completion": first}, **pen.workflow},
        "playbook_extensions": {EXTENSION: extension(playbook)},
        "agent_definitions": agents(),
        "extension_definitions": {
            EXTENSION: {
                "type": "extension-definition", "name": "Shopward", "version": "1", "created_by": playbook.created_by,
                "description": "Roles, deadlines, facts and other languages of a Shopward playbook.",
                "schema": "docs/playbooks.md of Shopward",
            }
        },
    }  # fmt: skip


def cacao_id(playbook: Playbook) -> str:
    """Its own id where it came from elsewhere, else that of its name and types, in the canonical form of RFC 8785."""
    if playbook.cacao_id:
        return playbook.cacao_id
    name = msgspec.json.encode({"name": said(playbook.name, "en"), "playbook_types": list(TYPES)}).decode()
    return f"playbook--{uuid.uuid5(NAMESPACE, name)}"


def step_id(playbook: Playbook, kind: str, key: str) -> str:
    """The id of a step: the form of UUIDv4 around bits of a hash."""
    digest = hashlib.sha256(f"{cacao_id(playbook)}\n{kind}\n{key}".encode()).digest()
    return f"{kind}--{uuid.UUID(bytes=digest[:16], version=4)}"


def group_id(role: str) -> str:
    """The agent that stands for a role."""
    digest = hashlib.sha256(f"shopward role\n{role}".encode()).digest()
    return f"group--{uuid.UUID(bytes=digest[:16], version=4)}"


def agents() -> dict[str, Any]:
    """Shopward's HTTP API, and a group for each role."""
    groups = {group_id(role): {"type": "group", "name": role} for role in ROLES}
    return {
        AGENT: {"type": "http-api", "name": "Shopward", "address": {"dname": ["__shopward_host__:value"]}, "port": "8700"},
        **groups,
    }  # fmt: skip


def activity(step: Act) -> str:
    """The specification's word for what a deed does; empty for none."""
    deed = DEEDS.get(step.deed)
    return "" if deed is None else _ACTIVITIES.get(f"{deed.method} {deed.path}", "")


def variables(playbook: Playbook) -> dict[str, Any]:
    """What is handed in: the server, the incident, and the answer to each question."""
    asked = {
        variable(step): {"type": "bool", "external": True, "description": said(step.name, "en")}
        for step in walked(playbook.steps)
        if isinstance(step, Branch)
    }
    return {
        "__shopward_host__": {"type": "string", "external": True, "description": "Where Shopward answers."},
        "__incident__": {"type": "string", "external": True, "description": "The id of the incident."},
        "__review__": {
            "type": "string",
            "external": True,
            "description": "When an order is looked at again.",
        },
        **asked,
    }


def variable(step: Branch) -> str:
    """Its name: of the fact, else of the question."""
    return f"__{step.fact}__" if step.fact else f"__answer_{step.id}__"


def extension(value: Playbook | Step) -> dict[str, Any]:
    """What CACAO has no word for."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    left_out = {"steps", "then", "otherwise", "parts", "created", "changed", "created_by", "cacao_id"}
    return {name: each for name, each in told.items() if name not in left_out}


def act(playbook: Playbook, step: Act) -> tuple[str, dict[str, Any]]:
    """An action, without what comes after it."""
    deed = DEEDS.get(step.deed)
    if deed is None:
        command: dict[str, Any] = {"type": "manual", "command": step.text.get("en") or said(step.name, "en")}
    else:
        command = {"type": "http-api", "command": f"{deed.method} {deed.path} HTTP/1.1"}
        if deed.body:
            command["headers"] = {"Content-Type": ["application/json"]}
            command["content"] = msgspec.json.encode(deed.body, order="deterministic").decode()
    if what := activity(step):
        command["playbook_activity"] = what
    made: dict[str, Any] = {
        "type": "action", "name": said(step.name, "en"), "commands": [command],
        "agent": group_id(step.role) if deed is None else AGENT, "step_extensions": {EXTENSION: extension(step)},
    }  # fmt: skip
    if "en" in step.text:
        made["description"] = step.text["en"]
    return step_id(playbook, "action", step.id), made


def branch(playbook: Playbook, step: Branch) -> tuple[str, dict[str, Any]]:
    """A condition, without what it leads to."""
    made = {
        "type": "if-condition", "name": said(step.name, "en"), "condition": f"{variable(step)}:value = 'true'",
        "step_extensions": {EXTENSION: extension(step)},
    }  # fmt: skip
    return step_id(playbook, "if-condition", step.id), made


def together(playbook: Playbook, step: Together) -> tuple[str, dict[str, Any]]:
    """Parts side by side, without what it leads to."""
    made = {"type": "parallel", "step_extensions": {EXTENSION: extension(step)}}
    return step_id(playbook, "parallel", step.id), made


class _Pen:
    """Writes sequences; each ends in an ``end`` of its own."""

    def __init__(self, playbook: Playbook) -> None:
        self.workflow: dict[str, dict[str, Any]] = {}
        self._playbook = playbook

    def sequence(self, steps: tuple[Step, ...], name: str) -> str:
        """The id of the first of them."""
        after = step_id(self._playbook, "end", name)
        self.workflow[after] = {"type": "end"}
        for step in reversed(steps):
            made, body = self._one(step)
            self.workflow[made] = {**body, "on_completion": after}
            after = made
        return after

    def _one(self, step: Step) -> tuple[str, dict[str, Any]]:
        match step:
            case Act():
                return act(self._playbook, step)
            case Branch():
                made, body = branch(self._playbook, step)
                body["on_true"] = self.sequence(step.then, f"{step.id} then")
                if step.otherwise:
                    body["on_false"] = self.sequence(step.otherwise, f"{step.id} otherwise")
                return made, body
            case Together():
                made, body = together(self._playbook, step)
                parts = enumerate(step.parts)
                body["next_steps"] = [self.sequence(part, f"{step.id} {number}") for number, part in parts]
                return made, body
