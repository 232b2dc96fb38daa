"""A playbook as a value, and those that ship.

Promise: ``checked`` gives back a playbook whose step ids are unique, whose deeds and facts are known, and which is bounded in
size and depth, or raises ``InvalidField`` with the place. Texts are by language; English is always there.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from shopward.errors import InvalidField
from shopward.incidents.law import Clock
from shopward.incidents.playbooks.deeds import DEEDS
from shopward.incidents.words import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STEPS_MAX: Final = 200
DEPTH_MAX: Final = 8
DAYS_MAX: Final = 3_650
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}\Z")]
Words = dict[Literal["en", "id", "zh"], Annotated[str, Meta(min_length=1, max_length=1_000)]]
FactName = Literal[
    "data_read", "money_spent", "credentials", "payment_data", "encrypted", "avoided", "high_risk"
]
"""What an incident itself can answer; see ``running.fact``."""


class Due(Struct, frozen=True, forbid_unknown_fields=True):
    """So many minutes after a clock of the incident began; ``opened`` is when the playbook was begun."""

    clock: Clock | Literal["opened"]
    minutes: Annotated[int, Meta(ge=1, le=DAYS_MAX * 1_440)]


class Act(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="step",
    tag="act",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Something to do.

    Attributes:
        deed: a deed of ours, by its name in ``deeds.toml``; empty for what is done by hand.
    """

    id: Key
    name: Words
    role: Role
    text: Words = {}
    due: Due | None = None
    deed: Annotated[str, Meta(max_length=64)] = ""


class Branch(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="step",
    tag="branch",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """A question that decides what is done; a person answers it, or a ``fact`` of the incident does."""

    id: Key
    name: Words
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()
    fact: FactName | Literal[""] = ""


class Together(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="step",
    tag="together",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Parts that are done side by side; what follows waits for all of them."""

    id: Key
    parts: Annotated[tuple[tuple[Step, ...], ...], Meta(min_length=2, max_length=16)]


Step: TypeAlias = Act | Branch | Together


class Playbook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who does what by when.

    Attributes:
        id: by which people call it; ``version`` grows with each change.
        kinds: the incidents that it is for; none where somebody else wrote it and did not say.
        created: the day of the first version, ``changed`` of this one (``YYYY-MM-DDTHH:MM:SS.sssZ``).
        created_by: an identity of CACAO, as ``identity--`` and a UUID.
        cacao_id: its id of CACAO where it came from elsewhere.
    """

    id: Key
    version: Annotated[int, Meta(ge=1)]
    name: Words
    created: Annotated[str, Meta(max_length=40)]
    changed: Annotated[str, Meta(max_length=40)]
    created_by: Annotated[str, Meta(max_length=120)]
    steps: tuple[Step, ...]
    text: Words = {}
    kinds: tuple[Kind, ...] = ()
    cacao_id: Annotated[str, Meta(max_length=120)] = ""


class _Shipped(Struct, forbid_unknown_fields=True):
    """A file: ``created`` and ``changed`` are days."""

    version: int
    created: str
    changed: str
    kinds: tuple[Kind, ...]
    name: Words
    text: Words
    steps: tuple[Step, ...]


OURS: Final = "identity--5d5e5f0f-57a1-5c3f-8a29-0f6a1f0c5a11"
"""Who wrote what ships."""


def walked(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, in the order of reading."""
    for step in steps:
        yield step
        if isinstance(step, Branch):
            yield from walked(step.then)
            yield from walked(step.otherwise)
        elif isinstance(step, Together):
            for part in step.parts:
                yield from walked(part)


def checked(playbook: Playbook) -> Playbook:
    """The playbook, if it can be followed.

    Raises:
        InvalidField: with the step.
    """
    found = list(walked(playbook.steps))
    if not any(isinstance(each, Act) for each in found) or len(found) > STEPS_MAX:
        raise _refused("steps", f"1 to {STEPS_MAX} steps with something to do", f"{len(found)} steps")
    if _depth(playbook.steps) > DEPTH_MAX:
        raise _refused("steps", f"at most {DEPTH_MAX} levels", "more")
    seen: set[str] = set()
    for step in found:
        path = f"steps.{step.id}"
        if step.id in seen:
            raise _refused(path, "each id once", "an id twice")
        seen.add(step.id)
        if isinstance(step, Act) and step.deed and step.deed not in DEEDS:
            raise _refused(f"{path}.deed", "one of " + ", ".join(DEEDS), "another deed")
        if isinstance(step, Branch) and not step.then:
            raise _refused(f"{path}.then", "something to do", "nothing")
        if not isinstance(step, Together) and "en" not in step.name:
            raise _refused(f"{path}.name", "a name in English", "none")
    return playbook


@cache
def shipped() -> Mapping[str, Playbook]:
    """Those that ship, by id, which is the name of the file."""
    found = {}
    for file in sorted(
        files("shopward.incidents.playbooks").joinpath("shipped").iterdir(), key=lambda each: each.name
    ):
        read = msgspec.toml.decode(file.read_bytes(), type=_Shipped)
        name = file.name.removesuffix(".toml")
        found[name] = checked(
            Playbook(
                id=name, version=read.version, name=read.name, text=read.text, kinds=read.kinds, steps=read.steps,
                created=f"{read.created}T00:00:00.000Z", changed=f"{read.changed}T00:00:00.000Z", created_by=OURS,
            )
        )  # fmt: skip
    return found


def said(words: Words, language: str) -> str:
    """A text in a language, else in English, else in any."""
    return words.get(language) or words.get("en") or next(iter(words.values()), "")  # type: ignore[call-overload] # any word may be asked


def _depth(steps: tuple[Step, ...]) -> int:
    below = [0]
    for step in steps:
        if isinstance(step, Branch):
            below += [_depth(step.then), _depth(step.otherwise)]
        elif isinstance(step, Together):
            below += [_depth(part) for part in step.parts]
    return 1 + max(below)


def _refused(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField(
        "this is no playbook", code="playbook_invalid", path=path, expected=expected, found=found
    )
