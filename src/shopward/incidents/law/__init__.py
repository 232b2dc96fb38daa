"""The law as data: who has to be told what, by when, and under which conditions.

Promise: a rule is one table of ``rules.toml`` with its source and the day on which somebody read that source (``verified``, and
whether it was ``read`` or is ``remembered``); one without a source, with an unknown word, or that waits for a rule that
there is not, is refused when the file is loaded. A new rule is a table and a case in ``tests/incidents/test_law.py``.

**Not legal advice.** The rules say where to look and by when to have asked counsel.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct

from shopward.calendars import Place, is_known
from shopward.errors import InvalidField
from shopward.toml import from_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTICE: Final = "Not legal advice: a reading of published rules, to be checked by counsel."
Clock = Literal["may_have_happened", "reasonable_belief", "aware", "confirmed", "harm_assessed"]
"""When it may have happened or was reported as such; was reasonably believed; was known; was confirmed; its harm assessed."""
Content = Literal[
    "nature", "when_and_how", "data", "subjects", "records", "cause", "impact", "measures", "self_help", "contact", "next_steps",
    "late_reasons",
]  # fmt: skip
"""What a notice has to say, in words that several laws share."""
DataClass = Literal[
    "contact",
    "address",
    "order",
    "payment",
    "identity_document",
    "credentials",
    "conversation",
    "health",
    "location",
]
Harm = Literal["unknown", "none", "possible", "significant"]
Risk = Literal["unknown", "unlikely", "likely", "high"]
Words = Annotated[str, Meta(min_length=3, max_length=400)]


class Deadline(Struct, frozen=True, forbid_unknown_fields=True):
    """By when: ``at_once`` has no number; ``none`` is for a duty without a time."""

    kind: Literal["hours", "days", "business_days", "at_once", "none"]
    amount: Annotated[int, Meta(ge=0, le=3_650)] = 0


class Followup(Struct, frozen=True, forbid_unknown_fields=True):
    """What is owed after the first notice, counted from it."""

    kind: Literal["hours", "days", "business_days"]
    amount: Annotated[int, Meta(ge=1, le=3_650)]
    what: Words


class Threshold(Struct, frozen=True, forbid_unknown_fields=True):
    """When it applies: if any of these is so; an empty one always applies.

    Attributes:
        subjects: so many people of the jurisdiction.
        harm: at least this.
        risk: at least this.
        data: one of these classes was touched.
        unless_avoided: not where measures avoid the harm effectively.
        unless_encrypted: not where the data could not be read.
    """

    subjects: Annotated[int, Meta(ge=1)] | None = None
    harm: Literal["possible", "significant"] | None = None
    risk: Literal["likely", "high"] | None = None
    data: tuple[DataClass, ...] = ()
    unless_avoided: bool = False
    unless_encrypted: bool = False


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One duty.

    Attributes:
        id: never reused; ``version`` grows with each change of the table.
        recipient: whom to tell: ``authority``, ``subject`` or ``public``; ``name`` says which.
        clocks: what starts it; the earliest that is set counts.
        after: the rule whose first notice starts it instead.
        not_before: the rule whose first notice has to be out first.
        phased: may be answered in parts.
        languages: in which the notice is written.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Z]{2}-[a-z0-9-]{2,40}\Z")]
    version: Annotated[int, Meta(ge=1)]
    place: Place
    recipient: Literal["authority", "subject", "public"]
    name: Words
    law: Words
    source: Words
    verified: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
    basis: Literal["read", "remembered"]
    deadline: Deadline
    clocks: tuple[Clock, ...] = ()
    after: str = ""
    not_before: str = ""
    threshold: Threshold = Threshold()
    contents: tuple[Content, ...] = ()
    phased: bool = False
    followup: Followup | None = None
    languages: tuple[Literal["id", "zh", "en"], ...] = ("en",)

    @property
    def jurisdiction(self) -> str:
        """The country, or ``EU``."""
        return self.id.partition("-")[0]


_REFUSAL: Final = "these are no rules"


class _File(Struct, forbid_unknown_fields=True):
    rule: list[Rule]


def load_rules(text: str) -> Mapping[str, Rule]:
    """The rules of a TOML file's text, by id.

    Raises:
        InvalidField: with the place in the file.
    """
    return _checked(from_toml(text, _File, refusal=_REFUSAL).rule)


@cache
def shipped_rules() -> Mapping[str, Rule]:
    """Those that ship, by id."""
    return load_rules(files(__name__).joinpath("rules.toml").read_text("utf-8"))


def _checked(found: list[Rule]) -> Mapping[str, Rule]:
    rules = {rule.id: rule for rule in found}
    if len(rules) != len(found):
        raise _refused("rule", "each id once", "an id twice")
    for rule in found:
        path = f"rule {rule.id}"
        if not is_known(rule.place):
            raise _refused(path, "a country and time zone that there are", "another place")
        if any(other and other not in rules for other in (rule.after, rule.not_before)):
            raise _refused(path, "a rule that there is in after and not_before", "another one")
        timed = rule.deadline.kind not in ("at_once", "none")
        if timed and not (rule.deadline.amount and (rule.clocks or rule.after)):
            raise _refused(path, "an amount, and a clock or a rule that starts it", "a deadline without one")
    return rules


def _refused(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField(_REFUSAL, path=path, expected=expected, found=found)
