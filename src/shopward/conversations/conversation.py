"""A conversation as a value, and what changes it.

Promise: pure. It is looked after by one person at a time, and who that was when stays known, so that a reading can be held against it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from shopward.conversations.inbound import Change
from shopward.errors import Conflict, Refused
from shopward.values import HOUR_MS

WINDOW_MS: Final = 24 * HOUR_MS
"""So long after the customer's last message a shop may answer in its own words."""
TURNS_MAX: Final = 50
RECORD: Final = "v-"
"""What the record of a message begins with; its key follows."""
State = Literal["open", "closed"]
STATES: Final = ("open", "closed")
Direction = Literal["in", "out"]


class Turn(Struct, frozen=True):
    """Somebody looked after it from then on; nobody, where the name is empty."""

    person: str
    at_ms: int


class Message(Struct, frozen=True, omit_defaults=True):
    """A message, without what it says.

    Attributes:
        record: where that lies in the vault.
        verdict: of the screening, of what a customer sent; empty where nothing could judge.
        by: the agent who sent it.
        receipt: the platform's id of what was sent.
        said: what became of what was sent: ``sending`` while nobody knows, then what the channel said.
    """

    key: str
    at_ms: int
    direction: Direction
    record: str
    verdict: str = ""
    by: str = ""
    receipt: str = ""
    said: str = ""


class Conversation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation.

    Attributes:
        subject: token of the customer.
        is_known: whether the number is a customer's in the vault.
        phone: token of the number.
        phone_id: of the line.
        reach: the record of the vault that holds the number.
        last_in_ms: when the customer wrote last.
        changed: what changed about the customer's device or number, and when, since somebody looked after it.
        turns: who looked after it from when on, the oldest first.
    """

    id: str
    subject: str
    is_known: bool
    phone: str
    phone_id: str
    reach: str
    state: State = "open"
    began_ms: int
    last_ms: int
    last_in_ms: int = 0
    changed: Change = ""
    changed_ms: int = 0
    turns: tuple[Turn, ...] = ()

    @property
    def agent(self) -> str:
        """Who looks after it now."""
        return self.turns[-1].person if self.turns else ""


def taken(conversation: Conversation, person: str, *, now_ms: int) -> Conversation:
    """Looked after by somebody from now on; taken over, where another one did.

    Raises:
        Conflict: it is closed, or has been handed around too often.
    """
    if conversation.state == "closed":
        raise Conflict(
            "the conversation is closed", code="conversation_state", path="id", expected="open", found="closed",
            hint="the next message of the customer begins another one",
        )  # fmt: skip
    if conversation.agent == person:
        return conversation
    if len(conversation.turns) >= TURNS_MAX:
        raise Conflict(
            "the conversation was handed around too often", code="conversation_turns", path="id",
            expected=f"at most {TURNS_MAX} turns", found="more",
        )  # fmt: skip
    return msgspec.structs.replace(conversation, turns=(*conversation.turns, Turn(person, now_ms)))


def closed(conversation: Conversation, person: str, *, now_ms: int) -> Conversation:
    """Over, by who looks after it; the next message of the customer begins another one. What is closed nobody looks after."""
    check_agent(conversation, person)
    return ended(conversation, now_ms=now_ms)


def ended(conversation: Conversation, *, now_ms: int) -> Conversation:
    """Over: nobody looks after it any more."""
    return msgspec.structs.replace(
        conversation, state="closed", turns=(*conversation.turns, Turn("", now_ms))
    )


def check_agent(conversation: Conversation, person: str) -> None:
    """Raise ``Refused`` unless this person looks after it. Fails closed."""
    if conversation.agent != person:
        raise Refused(
            "somebody else looks after this conversation, or nobody", code="conversation_not_yours",
            expected="who took it", found="another person", hint="take it first: who took it when stays known",
        )  # fmt: skip


def check_window(conversation: Conversation, *, now_ms: int) -> None:
    """Raise ``Conflict`` where only a template may be sent."""
    if now_ms - conversation.last_in_ms > WINDOW_MS:
        raise Conflict(
            "the customer wrote more than a day ago", code="conversation_window", path="text",
            expected="a template", found="words of one's own",
        )  # fmt: skip


def is_explained(conversation: Conversation, person: str, at_ms: int) -> bool:
    """Whether a person looked after it at that moment."""
    then = [each for each in conversation.turns if each.at_ms <= at_ms]
    return bool(then) and then[-1].person == person
