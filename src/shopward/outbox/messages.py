"""Owing: a message is written where the deed is done, in its transaction.

Promise:
- the message and the deed are one transaction: ``owe`` neither begins nor commits, and a rollback takes both;
- a message is thin and bounded: an object of a few ids, words, numbers and lists of these; anything else is refused
  before it is written;
- it costs the deed one INSERT, whatever the number of those who are told.

Not here: whether a text names a person. Callers hand over ids, tokens and words only; no code can tell. A user's own id
is never among them: the shop asks the API about the subject, with its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import insert

from shopward.errors import InvalidField
from shopward.outbox.tables import SUBJECT_MAX, outbox_message
from shopward.outbox.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.values import IdSource

FIELDS_MAX: Final = 16
TEXT_MAX: Final = SUBJECT_MAX
LIST_MAX: Final = 32
_INT64_MAX: Final = 2**63 - 1

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Outbox:
    """The outbox of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        ids: names messages.
    """

    def __init__(self, tenant: str, ids: IdSource) -> None:
        self._tenant = tenant
        self._ids = ids

    def owe(
        self,
        connection: Connection,
        *,
        at_ms: int,
        topic: str,
        subject: str,
        payload: Mapping[str, str | int | bool | Sequence[str]],
    ) -> str:
        """Write down, in the caller's transaction, what the shop is to be told; the message's id.

        Args:
            connection: in a transaction, which the caller commits or rolls back.
            at_ms: when it happened, by the server's clock.
            topic: a word of ``Topic``.
            subject: the id of what it happened to.
            payload: a few ids, words and numbers.

        Raises:
            InvalidField: what no message may hold; nothing is written.
        """
        return self.owe_many(connection, at_ms=at_ms, topic=topic, told={subject: payload})[0]

    def owe_many(
        self,
        connection: Connection,
        *,
        at_ms: int,
        topic: str,
        told: Mapping[str, Mapping[str, str | int | bool | Sequence[str]]],
    ) -> list[str]:
        """The same of many things to which the same happened, by their ids; the messages' ids."""
        rows = [
            {
                "tenant": self._tenant, "id": self._ids.new("m", at_ms), "at_ms": at_ms, "topic": _topic(topic),
                "subject": _text(subject, "subject"), "payload": _encode(_plain(payload)).decode(), "state": "owed",
            }
            for subject, payload in told.items()
        ]  # fmt: skip
        if rows:
            connection.execute(insert(outbox_message), rows)
        return [str(each["id"]) for each in rows]


def _topic(word: str) -> str:
    try:
        return Topic(word).value
    except ValueError:
        pass
    raise InvalidField(
        "the outbox does not know this topic", code="unknown_word", path="topic",
        expected="a word of shopward.outbox.Topic", found=f"{len(word)} characters",
    )  # fmt: skip


def _plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    if len(payload) > FIELDS_MAX:
        raise _refused("payload", f"at most {FIELDS_MAX} fields", f"{len(payload)} fields")
    return {_text(name, "payload"): _value(value) for name, value in payload.items()}


def _value(value: Any) -> bool | int | str | list[str]:
    match value:
        case bool():
            return value
        case int() if abs(value) <= _INT64_MAX:
            return value
        case str():
            return _text(value, "payload")
        case list() | tuple() if len(value) <= LIST_MAX:
            return [_text(each, "payload") for each in value]
        case _:
            raise _refused("payload", "ids, words, whole numbers and short lists", type(value).__name__)


def _text(text: Any, path: str) -> str:
    """What both databases keep unchanged."""
    if not isinstance(text, str):
        raise _refused(path, "text", type(text).__name__)
    if not 0 < len(text) <= TEXT_MAX or "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise _refused(path, f"1 to {TEXT_MAX} characters of Unicode without NUL", f"{len(text)} characters")
    return str(text)


def _refused(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField("no message may hold this", path=path, expected=expected, found=found)
