"""Conversations in SQL.

Promise: every method works inside the caller's transaction; who changes one holds the fence. A message is kept once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, insert, select, tuple_, update

from shopward.bulk import among
from shopward.conversations.conversation import RECORD, Conversation, Message
from shopward.conversations.tables import conversation_message, conversation_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_T, _M = conversation_record.c, conversation_message.c
_conversation: Final = msgspec.json.Decoder(Conversation).decode
_message: Final = msgspec.json.Decoder(Message).decode


class ConversationStore:
    """The conversations of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, conversation: Conversation) -> None:
        """A new one."""
        row = {
            "tenant": self._tenant, "id": conversation.id, "phone": conversation.phone, "phone_id": conversation.phone_id,
        }  # fmt: skip
        connection.execute(insert(conversation_record), row | _changing(conversation))

    def put(self, connection: Connection, conversation: Conversation) -> None:
        """One that is there, changed."""
        mine = (_T.tenant == self._tenant) & (_T.id == conversation.id)
        connection.execute(update(conversation_record).where(mine).values(**_changing(conversation)))

    def get(self, connection: Connection, conversation_id: str) -> Conversation | None:
        """One of them."""
        body = connection.scalar(select(_T.body).where(_T.tenant == self._tenant, _T.id == conversation_id))
        return None if body is None else _conversation(body)

    def open_with(self, connection: Connection, phone: str, phone_id: str) -> Conversation | None:
        """The open one of a number on a line."""
        body = connection.scalar(
            select(_T.body).where(
                _T.tenant == self._tenant, _T.phone == phone, _T.phone_id == phone_id, _T.state == "open"
            )
        )
        return None if body is None else _conversation(body)

    def listed(self, connection: Connection, *, state: str, before: str, limit: int) -> list[Conversation]:
        """Newest first; an empty word asks for all."""
        query = select(_T.body).where(_T.tenant == self._tenant).order_by(_T.id.desc()).limit(limit)
        if state:
            query = query.where(_T.state == state)
        if before:
            query = query.where(_T.id < before)
        return [_conversation(body) for body in connection.scalars(query)]

    def is_kept(self, connection: Connection, key: str) -> bool:
        """Whether a message was told before."""
        query = select(_M.key).where(_M.tenant == self._tenant, _M.key == key)
        return connection.scalar(query) is not None

    def keep(self, connection: Connection, conversation_id: str, message: Message) -> None:
        """A message that was not told before."""
        row = {
            "tenant": self._tenant, "key": message.key, "conversation": conversation_id, "at_ms": message.at_ms,
            "body": msgspec.json.encode(message).decode(),
        }  # fmt: skip
        connection.execute(insert(conversation_message), row)

    def of_record(self, connection: Connection, record: str) -> Conversation | None:
        """The conversation whose message a record of the vault holds."""
        if not record.startswith(RECORD):
            return None
        key = record.removeprefix(RECORD)
        query = select(_M.conversation).where(_M.tenant == self._tenant, _M.key == key)
        found = connection.scalar(query)
        return None if found is None else self.get(connection, found)

    def settle(self, connection: Connection, message: Message) -> None:
        """What became of a message that was kept."""
        mine = (_M.tenant == self._tenant) & (_M.key == message.key)
        connection.execute(
            update(conversation_message).where(mine).values(body=msgspec.json.encode(message).decode())
        )

    def messages(self, connection: Connection, conversation_id: str, *, limit: int) -> list[Message]:
        """The newest of a conversation, the oldest of them first: in the order in which they were sent, however they were told."""
        query = select(_M.body).where(_M.tenant == self._tenant, _M.conversation == conversation_id)
        found = connection.scalars(query.order_by(_M.at_ms.desc(), _M.key.desc()).limit(limit))
        return [_message(body) for body in found][::-1]

    def old(
        self, connection: Connection, *, before_ms: int, after: tuple[int, str], limit: int
    ) -> list[tuple[str, Message]]:
        """Messages of before a time and behind another message, the oldest first, each with its conversation."""
        query = select(_M.conversation, _M.body).where(
            _M.tenant == self._tenant, _M.at_ms < before_ms, tuple_(_M.at_ms, _M.key) > after
        )
        rows = connection.execute(query.order_by(_M.at_ms, _M.key).limit(limit))
        return [(row.conversation, _message(row.body)) for row in rows]

    def drop(self, connection: Connection, keys: Sequence[str]) -> None:
        """Messages by their keys."""
        gone = delete(conversation_message).where(_M.tenant == self._tenant, among(connection, _M.key, keys))
        connection.execute(gone)

    def end(self, connection: Connection, conversation_id: str) -> None:
        """A conversation that has no message any more."""
        gone = delete(conversation_record).where(_T.tenant == self._tenant, _T.id == conversation_id)
        connection.execute(gone)


def _changing(conversation: Conversation) -> dict[str, Any]:
    return {"state": conversation.state, "body": msgspec.json.encode(conversation).decode()}
