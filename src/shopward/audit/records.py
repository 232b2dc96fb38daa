"""What one line of the audit log holds, and which values it takes.

Promise: what is accepted is kept unchanged by both databases: texts are valid Unicode without NUL and of a bounded
length, numbers fit 64 bits, details are one JSON object with sorted keys, bounded in depth and size. Anything else is
``InvalidField`` before anything is written, and no message repeats a value.

Not here: whether a text names a person. Callers hand over tokens and words only; no code can tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from shopward.audit.deeds import Deed
from shopward.audit.tables import ACTOR_MAX, SUBJECT_MAX
from shopward.errors import InvalidField

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

DETAILS_BYTES_MAX: Final = 16_384
DETAILS_DEPTH_MAX: Final = 8
INT64_MAX: Final = 2**63 - 1


class AuditEntry(Struct, frozen=True, kw_only=True):
    """A line as it is kept; ``details`` is its JSON text, ``hash`` links it to the line before."""

    tenant: str
    seq: int
    at_ms: int
    actor: str
    deed: str
    subject: str
    details: str
    hash: bytes


class Line(Struct, frozen=True, kw_only=True):
    """A line as it is told: who did what to what, and when."""

    at_ms: int
    actor: str
    deed: str
    subject: str
    details: Mapping[str, Any]


class CheckedLine(Struct, frozen=True, kw_only=True):
    """A line that both databases keep unchanged; ``details`` is canonical JSON."""

    at_ms: int
    actor: str
    deed: str
    subject: str
    details: str


def checked_line(line: Line) -> CheckedLine:
    """The line, if the log can keep it; a checkpoint's deed it does not take from anybody but itself."""
    deed = checked_deed(line.deed)
    if deed == Deed.AUDIT_CHECKPOINT:
        raise _refused("deed", "a deed other than the log's own", "the deed that stands for a signature")
    return CheckedLine(
        at_ms=checked_time(line.at_ms),
        actor=checked_actor(line.actor),
        deed=deed,
        subject=_checked_text(line.subject, "subject", SUBJECT_MAX),
        details=canonical_details(line.details),
    )


def checked_deed(deed: str) -> str:
    """The word, if it is one of ``Deed``."""
    try:
        return Deed(deed).value
    except ValueError:
        pass
    raise InvalidField(
        "the audit log does not know this deed",
        code="unknown_word",
        path="deed",
        expected="a word of shopward.audit.Deed",
        found=f"{len(deed)} characters",
    )


def checked_actor(actor: str) -> str:
    """Who did it, if the log can keep it."""
    return _checked_text(actor, "actor", ACTOR_MAX)


def checked_time(at_ms: Any) -> int:
    """The time, if the log can keep it. It may lie before the last line's: a clock may jump, the order stays."""
    if isinstance(at_ms, bool) or not isinstance(at_ms, int) or not -INT64_MAX <= at_ms <= INT64_MAX:
        raise _refused("at_ms", "whole milliseconds in 64 bits", type(at_ms).__name__)
    return at_ms


def canonical_details(details: Mapping[str, JSON]) -> str:
    """The details as JSON text: keys sorted, no spaces, UTF-8."""
    if not isinstance(details, Mapping):
        raise _refused("details", "an object", type(details).__name__)
    text = msgspec.json.encode(_plain(details, "details", 1), order="sorted")
    if len(text) > DETAILS_BYTES_MAX:
        raise _refused("details", f"at most {DETAILS_BYTES_MAX:,} bytes of JSON", f"{len(text):,} bytes")
    return text.decode()


def _plain(value: Any, path: str, depth: int) -> Any:
    """The value in dicts, lists and scalars alone; a key may be the caller's, so no path goes below the first."""
    if depth > DETAILS_DEPTH_MAX:
        raise _refused(path, f"at most {DETAILS_DEPTH_MAX} levels", "more")
    match value:
        case None | bool():
            return value
        case str():
            return str(_checked_unicode(value, path))
        case int() if abs(value) <= INT64_MAX:
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case Mapping() if all(isinstance(key, str) for key in value):
            return {
                str(_checked_unicode(k, path)): _plain(each, path, depth + 1) for k, each in value.items()
            }
        case list() | tuple():
            return [_plain(each, path, depth + 1) for each in value]
        case _:
            raise _refused(path, "JSON with finite numbers of 64 bits and text as keys", type(value).__name__)


def _checked_text(text: str, path: str, longest: int) -> str:
    if not isinstance(text, str):
        raise _refused(path, "text", type(text).__name__)
    if not 0 < len(text) <= longest or "\0" in text:
        raise _refused(path, f"1 to {longest} characters without NUL", f"{len(text)} characters")
    return str(_checked_unicode(text, path))


def _checked_unicode(text: str, path: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _refused(path, "valid Unicode", "half of a surrogate pair")
    return text


def _refused(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField("the audit log cannot keep this value", path=path, expected=expected, found=found)
