"""The shapes of CACAO 2.0 that we read, as strict as OASIS's JSON schemas.

Promise: ``shaped`` gives the document in structs, or raises ``InvalidField`` with the place, exactly where the schemas refuse it, for
the parts that are read here: the head, variables, external references, extension definitions, the steps ``start``, ``end``,
``action``, ``if-condition`` and ``parallel``, commands ``manual`` and ``http-api``, agents ``group``, ``individual``, ``organization``
and ``http-api``. ``tests/incidents/test_cacao.py`` holds the two against each other on valid and on damaged documents.

Where we are laxer: other commands and agents need a type (and a name) alone, since nothing of them is ever run; signatures,
markings and authentication are passed over. Where the schemas contradict themselves (``command-data.json`` forbids what
``manual.json`` requires) the more specific one counts.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from shopward.errors import InputTooLarge, InvalidField, MalformedInput

BYTES_MAX: Final = 1024 * 1024
_UUID: Final = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
_AT: Final = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?")
_VARIABLE: Final = re.compile("__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__")
Identifier = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9-]+[a-z0-9]--{_UUID}\Z")]
Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(\.[0-9]+)?Z\Z"
    ),
]
Maybe = str | UnsetType
Percent = Annotated[int, Meta(ge=0, le=100)] | UnsetType
Times = Timestamp | UnsetType
Ids = Annotated[tuple[Identifier, ...], Meta(min_length=1)] | UnsetType
Some = Annotated[tuple[str, ...], Meta(min_length=1)] | UnsetType
T = TypeVar("T")


class Reference(Struct, forbid_unknown_fields=True):
    """``external-reference``."""

    name: str
    description: Maybe = UNSET
    source: Maybe = UNSET
    url: Maybe = UNSET
    external_id: Maybe = UNSET
    reference_id: Maybe = UNSET


References = Annotated[tuple[Reference, ...], Meta(min_length=1)] | UnsetType


class Variable(Struct):
    """``variable``; the schema lets it hold more."""

    type: str
    description: Maybe = UNSET
    value: str | UnsetType | None = UNSET
    constant: bool | UnsetType = UNSET
    external: bool | UnsetType = UNSET


class Base(Struct, forbid_unknown_fields=True):
    """``workflow-step``: what all steps have."""

    type: str
    name: Maybe = UNSET
    description: Maybe = UNSET
    external_references: References = UNSET
    delay: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    timeout: int | UnsetType = UNSET
    step_variables: dict[str, Variable] | UnsetType = UNSET
    owner: Identifier | UnsetType = UNSET
    step_extensions: dict[str, dict[str, Any]] | UnsetType = UNSET


class Start(Base, forbid_unknown_fields=True):
    """``start``."""

    on_completion: Identifier | UnsetType = UNSET


class End(Base, forbid_unknown_fields=True):
    """``end``: nothing comes after it."""


class After(Base, forbid_unknown_fields=True):
    """What comes after a step."""

    on_completion: Identifier | UnsetType = UNSET
    on_success: Identifier | UnsetType = UNSET
    on_failure: Identifier | UnsetType = UNSET


class Action(After, forbid_unknown_fields=True, kw_only=True):
    """``action``."""

    commands: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1)]
    agent: Identifier
    targets: Ids = UNSET
    in_args: Some = UNSET
    out_args: Some = UNSET


class If(After, forbid_unknown_fields=True, kw_only=True):
    """``if-condition``."""

    condition: str
    on_true: Identifier
    on_false: Identifier | UnsetType = UNSET


class Parallel(After, forbid_unknown_fields=True, kw_only=True):
    """``parallel``."""

    next_steps: Annotated[tuple[Identifier, ...], Meta(min_length=2)]


class Command(Struct, forbid_unknown_fields=True):
    """``command-data``."""

    type: str
    description: Maybe = UNSET
    version: Maybe = UNSET
    playbook_activity: Maybe = UNSET
    external_references: tuple[Reference, ...] | UnsetType = UNSET


class Manual(Command, forbid_unknown_fields=True):
    """``manual``."""

    command: Maybe = UNSET
    command_b64: Maybe = UNSET


class HttpApi(Command, forbid_unknown_fields=True, kw_only=True):
    """``http-api``."""

    command: str
    headers: dict[str, tuple[str, ...]] | UnsetType = UNSET
    content: Maybe = UNSET
    content_b64: Maybe = UNSET


class Contact(Struct, forbid_unknown_fields=True):
    """``contact``."""

    email: dict[str, str] | UnsetType = UNSET
    phone: dict[str, str] | UnsetType = UNSET
    contact_details: Maybe = UNSET


class Agent(Struct, forbid_unknown_fields=True):
    """``agent-target``."""

    type: str
    name: str
    description: Maybe = UNSET
    location: dict[str, Any] | UnsetType = UNSET
    agent_target_extensions: dict[str, dict[str, Any]] | UnsetType = UNSET


class Person(Agent, forbid_unknown_fields=True):
    """``group``, ``individual``, ``organization``."""

    contact: Contact | UnsetType = UNSET


class HttpAgent(Agent, forbid_unknown_fields=True, kw_only=True):
    """``http-api`` as an agent."""

    address: dict[Literal["url", "ipv4", "ipv6", "l2mac", "vlan", "dname"], tuple[str | int, ...]]
    port: Maybe = UNSET
    authentication_info: Identifier | UnsetType = UNSET
    category: Some = UNSET


class Other(Struct):
    """An agent of which the name is all that is read."""

    type: str
    name: str


class Summary(Struct, forbid_unknown_fields=True):
    """``playbook-processing-summary``."""

    manual_playbook: bool | UnsetType = UNSET
    external_playbooks: bool | UnsetType = UNSET
    parallel_processing: bool | UnsetType = UNSET
    if_logic: bool | UnsetType = UNSET
    while_logic: bool | UnsetType = UNSET
    switch_logic: bool | UnsetType = UNSET
    temporal_logic: bool | UnsetType = UNSET
    data_markings: bool | UnsetType = UNSET
    digital_signatures: bool | UnsetType = UNSET
    countersigned_signatures: bool | UnsetType = UNSET
    extensions: bool | UnsetType = UNSET


class Extension(Struct, forbid_unknown_fields=True):
    """``extension-definition``."""

    type: Literal["extension-definition"]
    name: str
    created_by: Identifier
    schema: str
    version: str
    description: Maybe = UNSET
    external_references: tuple[Reference, ...] | UnsetType = UNSET


class Document(Struct, forbid_unknown_fields=True):
    """``playbook``: the head, with its parts still to be looked at by ``shaped``."""

    type: Literal["playbook"]
    spec_version: Literal["cacao-2.0"]
    id: Identifier
    name: str
    created_by: Identifier
    created: Timestamp
    modified: Timestamp
    workflow_start: Identifier
    workflow: dict[str, Raw]
    description: Maybe = UNSET
    playbook_types: tuple[str, ...] | UnsetType = UNSET
    playbook_activities: Some = UNSET
    playbook_processing_summary: Summary | UnsetType = UNSET
    revoked: bool | UnsetType = UNSET
    valid_from: Times = UNSET
    valid_until: Times = UNSET
    derived_from: Ids = UNSET
    related_to: Ids = UNSET
    priority: Percent = UNSET
    severity: Percent = UNSET
    impact: Percent = UNSET
    industry_sectors: Some = UNSET
    labels: Some = UNSET
    external_references: References = UNSET
    markings: Ids = UNSET
    playbook_variables: dict[str, Variable] | UnsetType = UNSET
    workflow_exception: Identifier | UnsetType = UNSET
    playbook_extensions: dict[str, dict[str, Any]] | UnsetType = UNSET
    authentication_info_definitions: dict[str, dict[str, Any]] | UnsetType = UNSET
    agent_definitions: dict[str, Raw] | UnsetType = UNSET
    target_definitions: dict[str, Raw] | UnsetType = UNSET
    extension_definitions: dict[str, Extension] | UnsetType = UNSET
    data_marking_definitions: dict[str, dict[str, Any]] | UnsetType = UNSET
    signatures: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1)] | UnsetType = UNSET


Step = Start | End | Action | If | Parallel
STEPS: Final[dict[str, type[Step]]] = {
    "start": Start, "end": End, "action": Action, "if-condition": If, "parallel": Parallel,
}  # fmt: skip
UNSUPPORTED: Final = ("while-condition", "switch-condition", "playbook-action")
_AGENTS: Final[dict[str, type[Agent]]] = {
    "group": Person,
    "individual": Person,
    "organization": Person,
    "http-api": HttpAgent,
}
_OTHER_AGENTS: Final = ("linux", "location", "net-address", "sector", "security-category", "ssh")
_COMMANDS: Final[dict[str, type[Command]]] = {"manual": Manual, "http-api": HttpApi}
_KEYED: Final = {
    "playbook_extensions": ("extension-definition",), "extension_definitions": ("extension-definition",),
    "authentication_info_definitions": ("http-basic", "oauth2", "user-auth"),
    "data_marking_definitions": ("marking-tlp", "marking-iep", "marking-statement"),
    "agent_definitions": (*_AGENTS, *_OTHER_AGENTS), "target_definitions": (*_AGENTS, *_OTHER_AGENTS),
}  # fmt: skip
"""Dictionaries by identifier: which types of object their keys may name; all but two of them are not empty."""
_MAY_BE_EMPTY: Final = ("extension_definitions", "data_marking_definitions")


class Shaped(Struct, frozen=True):
    """A document whose parts have the shapes of the schemas."""

    head: Document
    steps: dict[str, Step]
    agents: dict[str, Agent | Other]


def shaped(raw: bytes) -> Shaped:
    """The document in structs.

    Raises:
        MalformedInput: no JSON.
        InputTooLarge: more than ``BYTES_MAX``.
        InvalidField: not of CACAO's shape, with the place (``playbook_invalid``), or a kind of step that we do not follow
            (``playbook_unsupported``).
    """
    if len(raw) > BYTES_MAX:
        raise InputTooLarge("the playbook is too long", expected=f"at most {BYTES_MAX:,} bytes", found="more")
    try:
        head = msgspec.json.decode(raw, type=Document)
    except msgspec.ValidationError as refusal:
        failed = _of(refusal, "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedInput(
            "this is no playbook", expected="one JSON object in UTF-8", found="another text"
        ) from None
    else:
        return _parts(head)
    raise failed


def _parts(head: Document) -> Shaped:
    for name, types in _KEYED.items():
        keyed = getattr(head, name)
        if keyed is not UNSET:
            if not keyed and name not in _MAY_BE_EMPTY:
                raise refused(name, "one or more", "none")
            for key in keyed:
                _typed(key, types, name)
    _variables(head.playbook_variables, "playbook_variables")
    agents = {} if head.agent_definitions is UNSET else head.agent_definitions
    targets = {} if head.target_definitions is UNSET else head.target_definitions
    steps = {key: _step(key, body) for key, body in head.workflow.items()}
    for key, body in targets.items():
        _agent(key, body, "target_definitions")
    return Shaped(head, steps, {key: _agent(key, body, "agent_definitions") for key, body in agents.items()})


def _step(key: str, body: Raw) -> Step:
    path = f"workflow.{key}"
    kind = _typed(key, (*STEPS, *UNSUPPORTED), "workflow")
    if kind in UNSUPPORTED:
        raise InvalidField(
            "this kind of step is not followed here", code="playbook_unsupported", path=path[:128],
            expected="steps of the types " + ", ".join(STEPS), found=kind,
        )  # fmt: skip
    step = _converted(body, STEPS[kind], path)
    if step.type != kind:
        raise refused(f"{path}.type", kind, "another type")
    _variables(step.step_variables, f"{path}.step_variables")
    if step.step_extensions is not UNSET:
        if not step.step_extensions:
            raise refused(f"{path}.step_extensions", "one or more", "none")
        for each in step.step_extensions:
            _typed(each, ("extension-definition",), f"{path}.step_extensions")
    if isinstance(step, Action):
        for number, command in enumerate(step.commands):
            shape = _COMMANDS.get(str(command.get("type", "")), None)
            place = f"{path}.commands[{number}]"
            if shape is not None:
                _plain(command, shape, place)
            elif not isinstance(command.get("type"), str):
                raise refused(f"{place}.type", "a type of command", "none")
    return step


def _agent(key: str, body: Raw, where: str) -> Agent | Other:
    kind = _typed(key, (*_AGENTS, *_OTHER_AGENTS), where)
    shape: type[Agent | Other] = _AGENTS.get(kind, Other)
    agent: Agent | Other = _converted(body, shape, f"{where}.{key}")
    if agent.type != kind:
        raise refused(f"{where}.{key}.type", kind, "another type")
    return agent


def _typed(key: str, types: tuple[str, ...], where: str) -> str:
    """The type of object that a key names."""
    kind, dashes, uuid = key.partition("--")
    if kind not in types or not dashes or not re.fullmatch(_UUID, uuid):
        raise refused(where, "keys as TYPE--UUID with a type of " + ", ".join(types), "another key")
    return kind


def _variables(variables: dict[str, Variable] | UnsetType, path: str) -> None:
    if variables is not UNSET and any(not _VARIABLE.fullmatch(name) for name in variables):
        raise refused(path, "names as __name__", "another name")


def _converted(body: Raw, shape: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as refusal:
        failed = _of(refusal, path)
    raise failed


def _plain(value: Any, shape: type[Struct], path: str) -> None:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as refusal:
        failed = _of(refusal, path)
    else:
        return
    raise failed


def _of(refusal: msgspec.ValidationError, path: str) -> InvalidField:
    """Msgspec's refusal with the place, and no value of the document but names of fields."""
    found = _AT.fullmatch(str(refusal))
    what, below = (str(refusal), "") if found is None else (found["what"], found["path"] or "")
    return refused(
        ".".join(each for each in (path, below) if each) or "(the document)", what[:160], "something else"
    )


def refused(path: str, expected: str, found: str) -> InvalidField:
    """A document that is no playbook, at a place."""
    return InvalidField(
        "this is no CACAO 2.0 playbook",
        code="playbook_invalid",
        path=path[:128],
        expected=expected,
        found=found,
    )
