"""A training as it is recorded, and who is due; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from shopward.errors import Misconfigured
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Why = Literal["never", "lapsed", "soon"]
SOON_MS: Final = 30 * DAY_MS
COURSE: Final = "[a-z0-9][a-z0-9_.-]{0,47}"
_DEMAND: Final = re.compile(rf"([a-z_]{{1,32}})=({COURSE})")


class Training(NamedTuple):
    """One line.

    Attributes:
        person: who learnt; a person of an API key, or a name that the shop uses like one.
        done_ms: the day on which it was done.
        ends_ms: the first moment at which it holds no more.
        evidence: the number of what shows it: a certificate, a list of who was there.
        by: who recorded it; another person.
        at_ms: when it was recorded.
    """

    id: str
    person: str
    course: str
    done_ms: int
    ends_ms: int
    evidence: str
    by: str
    at_ms: int


class Due(NamedTuple):
    """Somebody who has to be trained; ``ends_ms`` is 0 where he never was."""

    person: str
    course: str
    why: Why
    ends_ms: int


def courses_of(text: str) -> dict[str, str]:
    """What purposes demand, from ``purpose=course, purpose=course``; raises ``Misconfigured``."""
    demands: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        read = _DEMAND.fullmatch(part)
        if read is None or read[1] in demands:
            raise Misconfigured(
                "trainings cannot be read", path="trained_purposes", expected="purpose=course, each purpose once",
                found="another text",
            )  # fmt: skip
        demands[read[1]] = read[2]
    return demands


def holds(training: Training | None, now_ms: int) -> bool:
    """Whether a newest line says that the person is trained."""
    return training is not None and training.done_ms <= now_ms < training.ends_ms


def due(
    newest: Mapping[tuple[str, str], Training], persons: Iterable[str], courses: Collection[str], now_ms: int
) -> list[Due]:
    """Who has to be trained: in what they did once, and in what is demanded, by person and course.

    Args:
        newest: the line that counts, by person and course.
        persons: who works here.
        courses: what is demanded of them.
        now_ms: when.
    """
    wanted = {(person, course) for person in persons for course in courses} | set(newest)
    found: list[Due] = []
    for person, course in sorted(wanted):
        last = newest.get((person, course))
        if last is None:
            found.append(Due(person, course, "never", 0))
        elif not holds(last, now_ms):
            found.append(Due(person, course, "lapsed", last.ends_ms))
        elif last.ends_ms - now_ms <= SOON_MS:
            found.append(Due(person, course, "soon", last.ends_ms))
    return found
