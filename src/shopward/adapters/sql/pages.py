"""Pages: up to 64 entries of the log in one row, and back.

Promise: what is packed comes back equal, whatever its bytes. ``facts``, ``decisions`` and ``heads`` are JSON arrays that
plain SQL can read (``json_each``, ``jsonb_array_elements``); ``personal`` has the entries' bytes one behind another and stays
apart, since it names persons: it is ciphertext. An entry is cut out by the lengths in its head, so nothing is parsed to be copied.

A row for each entry cost 42 us under ids that do not sort by time, most of it in two indexes; a page costs one row, and
``tail`` feeds the indexes later, in order (docs/adr/0010-pages.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from shopward.adapters.sql.schema import DIGEST_BYTES, EVENT_ID_MAX, KIND_MAX, USER_TOKEN_MAX
from shopward.errors import InvalidField
from shopward.ports import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE_ENTRIES_MAX: Final = 64
"""One entry is read by reading its page: so many, of 1.3 kB, take 0.1 ms."""
PAGE_BYTES_MAX: Final = 256 * 1024
"""A page is full with the entry that reaches this."""
INT64_MAX: Final = 2**63 - 1
_KINDS: Final = frozenset({"event", "order", "policy"})
"""Kinds that are known to be short and plain; others are looked at."""
_EMPTY: Final = b"null"
"""Stands for no bytes at all in an array, with the length 0 in the head."""
_JOINT: Final = b",\n"


class Head(Struct, omit_defaults=True, gc=False):
    """What is looked up of an entry, and how many bytes of each column are its own."""

    event_id: str
    at_ms: int
    recorded_ms: int
    digest: str
    facts: int
    personal: int
    decision: int
    kind: str = "event"
    user: str = ""


class Page(NamedTuple):
    """A row of ``log_page``, without its tenant: ``texts`` are heads, facts, personal and decisions."""

    first_seq: int
    last_seq: int
    heads: list[Head]
    texts: tuple[str, str, bytes, str]


_encode_heads: Final = msgspec.json.Encoder().encode
_decode_heads: Final = msgspec.json.Decoder(list[Head]).decode


def packed(entries: Sequence[LogEntry]) -> Iterator[Page]:
    """The pages of a group, in order.

    Raises:
        InvalidField: a value that one of the engines could not keep or would keep changed.
    """
    taken: list[LogEntry] = []
    held = 0
    for entry in entries:
        taken.append(entry)
        held += len(entry.facts) + len(entry.personal) + len(entry.decision)
        if len(taken) == PAGE_ENTRIES_MAX or held >= PAGE_BYTES_MAX:
            yield page_of(taken)
            taken, held = [], 0
    if taken:
        yield page_of(taken)


def unpacked(first_seq: int, row: Sequence[Any]) -> list[LogEntry]:
    """The entries of a row: its heads, facts, personal and decisions."""
    heads, facts, personal, decisions = row[0], row[1].encode(), row[2], row[3].encode()
    entries = []
    facts_at = decision_at = 1  # after the bracket
    personal_at = 0
    for seq, head in enumerate(_decode_heads(heads), start=first_seq):
        entries.append(
            LogEntry(
                seq,
                head.kind,
                head.event_id,
                head.at_ms,
                head.recorded_ms,
                bytes.fromhex(head.digest),
                head.user,
                facts[facts_at : facts_at + head.facts],
                personal[personal_at : personal_at + head.personal],
                decisions[decision_at : decision_at + head.decision],
            )
        )
        facts_at += (head.facts or len(_EMPTY)) + len(_JOINT)
        personal_at += head.personal + 1
        decision_at += (head.decision or len(_EMPTY)) + len(_JOINT)
    return entries


def heads_of(heads: str) -> list[Head]:
    """The heads of a row alone."""
    return _decode_heads(heads)


def are_events(heads: str) -> bool:
    """Whether all entries of a row are events: their kind goes without saying (and no quote stands bare in a JSON string)."""
    return '"kind":' not in heads


def is_storable(text: str, longest: int) -> bool:
    """Whether both engines can keep a text: no NUL, no half of a surrogate pair, not too long."""
    if len(text) > longest or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def page_of(entries: Sequence[LogEntry]) -> Page:
    """These entries, which fit, as one page."""
    heads = _heads(entries)
    texts = (
        _encode_heads(heads).decode(),
        _array([entry.facts for entry in entries], "facts"),
        b"\n".join([entry.personal for entry in entries]),
        _array([entry.decision for entry in entries], "decision"),
    )
    return Page(entries[0].seq, entries[-1].seq, heads, texts)


def _heads(entries: Sequence[LogEntry]) -> list[Head]:
    """The heads of some entries, which are looked at together: nearly all of them are plain."""
    ids, users = [entry.event_id for entry in entries], [entry.user_token for entry in entries]
    times = [entry.at_ms for entry in entries] + [entry.recorded_ms for entry in entries]
    text = "".join(ids + users)
    are_plain = (
        max(map(len, ids)) <= EVENT_ID_MAX
        and max(map(len, users)) <= USER_TOKEN_MAX
        and text.isascii()
        and "\0" not in text
        and {entry.kind for entry in entries} <= _KINDS
        and min(times) >= 0
        and max(times) <= INT64_MAX
        and {len(entry.digest) for entry in entries} == {DIGEST_BYTES}
    )
    if not are_plain:
        for entry in entries:
            _check(entry)
    return [
        Head(
            entry.event_id,
            entry.at_ms,
            entry.recorded_ms,
            entry.digest.hex(),
            len(entry.facts),
            len(entry.personal),
            len(entry.decision),
            entry.kind,
            entry.user_token,
        )
        for entry in entries
    ]


def _check(entry: LogEntry) -> None:
    _check_text(entry.event_id, "event_id", EVENT_ID_MAX)
    _check_text(entry.user_token, "user_token", USER_TOKEN_MAX)
    _check_text(entry.kind, "kind", KIND_MAX)
    _check_int64(entry.at_ms, "at_ms")
    _check_int64(entry.recorded_ms, "recorded_ms")
    if len(entry.digest) != DIGEST_BYTES:
        raise InvalidField(
            "the log cannot keep this digest",
            path="digest",
            expected="16 bytes",
            found=f"{len(entry.digest)} bytes",
        )


def _check_text(text: str, name: str, longest: int) -> None:
    if not is_storable(text, longest):
        raise InvalidField(
            "the log cannot keep this text",
            path=name,
            expected=f"at most {longest} characters, valid Unicode without NUL",
            found=f"{len(text)} characters",
        )


def _check_int64(number: int, name: str) -> None:
    if not -INT64_MAX <= number <= INT64_MAX:
        raise InvalidField(
            "the log cannot keep this number",
            path=name,
            expected="64 bits",
            found=f"{number.bit_length()} bits",
        )


def _array(parts: list[bytes], name: str) -> str:
    """Parts that are JSON, as one JSON array."""
    try:
        text = b"[%b]" % _JOINT.join([part or _EMPTY for part in parts])
        array = text.decode()
    except UnicodeDecodeError:
        array = "\0"
    if "\0" in array:
        raise InvalidField("the log cannot keep these bytes", path=name, expected="JSON in UTF-8 without NUL")
    return array
