"""What is kept of a playbook that an incident follows: the playbook itself, steps that are done or left out, and questions answered.

Promise: records without behaviour, so that the incident can hold them; ``running`` reads them.
"""

from __future__ import annotations

from msgspec import Struct

from shopward.incidents.playbooks.playbook import Playbook


class Tick(Struct, frozen=True, omit_defaults=True):
    """A step was done, or left out with a reason (``note``); ``evidence`` is the id of a piece of the incident's."""

    step: str
    at_ms: int
    by: str
    skipped: bool = False
    note: str = ""
    evidence: str = ""


class Answer(Struct, frozen=True, omit_defaults=True):
    """A question was answered, and why so."""

    step: str
    yes: bool
    at_ms: int
    by: str
    reason: str = ""


class Run(Struct, frozen=True, omit_defaults=True):
    """The playbook, when it was begun and by whom, and what was done since."""

    playbook: Playbook
    begun_ms: int
    by: str
    ticks: tuple[Tick, ...] = ()
    answers: tuple[Answer, ...] = ()
