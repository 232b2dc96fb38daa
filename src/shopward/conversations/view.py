"""What is shown of a conversation to staff: who spoke when, how it was judged, who looked after it, who read it.

Promise: nothing that was said, and no number: those are revealed, message by message, to who looks after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from shopward.conversations.conversation import WINDOW_MS
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from shopward.conversations.conversation import Conversation, Message


class MessageView(Struct, omit_defaults=True):
    """A message; ``text`` where it was opened."""

    at: str
    direction: str
    verdict: str = ""
    by: str = ""
    said: str = ""
    text: str = ""


class TurnView(Struct):
    """Who looked after it from then on; nobody, where ``person`` is empty."""

    person: str
    at: str


class ConversationView(Struct, omit_defaults=True):
    """A conversation.

    Attributes:
        customer: token of the customer; of the number, where it is no customer's.
        agent: who looks after it.
        reply_until: until when one may answer in words of one's own; absent where it is over.
        changed: the customer's device (``identity``) or number changed: ask for another proof before anything about the account.
    """

    id: str
    state: str
    customer: str
    is_known: bool
    line: str
    last_at: str
    agent: str = ""
    reply_until: str = ""
    changed: str = ""
    changed_at: str = ""
    turns: list[TurnView] = []


def view(conversation: Conversation, *, now_ms: int) -> ConversationView:
    """What is shown of it."""
    until_ms = conversation.last_in_ms + WINDOW_MS if conversation.last_in_ms else 0
    return ConversationView(
        id=conversation.id, state=conversation.state, customer=conversation.subject, is_known=conversation.is_known,
        line=conversation.phone_id, last_at=to_rfc3339(conversation.last_ms), agent=conversation.agent,
        reply_until=to_rfc3339(until_ms) if until_ms > now_ms else "", changed=conversation.changed,
        changed_at=to_rfc3339(conversation.changed_ms) if conversation.changed else "",
        turns=[TurnView(each.person, to_rfc3339(each.at_ms)) for each in conversation.turns],
    )  # fmt: skip


def shown(message: Message, text: str = "") -> MessageView:
    """What is shown of a message, with its text where it was opened."""
    return MessageView(
        to_rfc3339(message.at_ms), message.direction, message.verdict, message.by, message.said, text
    )
