"""Conversations over HTTP: listed, taken, opened under a decision, answered, closed.

Promise: analysts alone. What was said leaves by ``open`` alone, after the gate decided and audit and access are on the disk. A text
stands in no path and no query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.conversations.conversation import STATES
from shopward.conversations.view import ConversationView, MessageView, shown, view
from shopward.errors import InvalidField
from shopward.http.calls import decoded, json_answer, needed_id
from shopward.http.decided import judged_on
from shopward.http.orders import before_of, limit_of
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.conversations import Conversation
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward

TEXT_CHARS_MAX: Final = 4_096
"""Of the platform."""


class ReplyAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An answer; with ``template`` as the one parameter of an approved template, in ``language``."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
    template: Annotated[str, Meta(max_length=128)] = ""
    language: Literal["id", "zh", "en"] = "id"


class ReadView(Struct):
    """Somebody read; not ``is_explained`` where somebody else looked after it then, or nobody."""

    person: str
    at: str
    purpose: str
    is_explained: bool


class ConversationWhole(Struct):
    """A conversation, its messages without what they say, and who read them, the newest first."""

    conversation: ConversationView
    messages: list[MessageView]
    reads: list[ReadView]


class Conversations(Struct):
    """A page of conversations, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    conversations: list[ConversationView]
    next: str | None


class OpenAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """The challenge that the caller has passed for this conversation, where one was asked for."""

    challenge_id: Annotated[str, Meta(max_length=64)] = ""


class OpenedMessages(Struct):
    """The newest messages with what they say, the oldest first."""

    messages: list[MessageView]


class ConversationCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides on each opening.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.conversations
        self._reveals = shopward.vault.reveals
        self._clock = shopward.clock
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        one = "/v1/conversations/{id}"
        return [
            Route("/v1/conversations", self.listed, methods=["GET"]),
            Route(one, self.one, methods=["GET"]),
            Route(one + "/take", self.take, methods=["POST"]),
            Route(one + "/open", self.open, methods=["POST"]),
            Route(one + "/reply", self.reply, methods=["POST"]),
            Route(one + "/close", self.close, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /v1/conversations?state=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            raise InvalidField(
                "not one of the words", code="unknown_word", path="state", expected="one of " + ", ".join(STATES),
                found="another word",
            )  # fmt: skip
        limit, before = limit_of(request), before_of(request) or ""
        found = await run_in_threadpool(
            lambda: self._desk.listed(state=state, before=before, limit=limit + 1)
        )
        page = [self._view(each) for each in found[:limit]]
        return json_answer(Conversations(page, page[-1].id if len(found) > limit else None))

    async def one(self, request: Request) -> Response:
        """``GET /v1/conversations/{id}``."""
        self._calls.caller(request, "analyst")
        found, messages, reads = await run_in_threadpool(self._desk.get, needed_id(request, "conversation"))
        told = [
            ReadView(each.person, to_rfc3339(each.at_ms), each.purpose, each.is_explained) for each in reads
        ]
        return json_answer(ConversationWhole(self._view(found), [shown(each) for each in messages], told))

    async def take(self, request: Request) -> Response:
        """``POST /v1/conversations/{id}/take``; no body."""
        caller = self._calls.caller(request, "analyst")
        return json_answer(
            self._view(await run_in_threadpool(self._desk.take, caller, needed_id(request, "conversation")))
        )

    async def open(self, request: Request) -> Response:
        """``POST /v1/conversations/{id}/open``: what the newest messages say; 403 with a challenge to answer, and the body hands in the passed one."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, OpenAsked())
        name = needed_id(request, "conversation")
        messages, pending = await run_in_threadpool(
            lambda: self._desk.prepare(caller, name, challenge_id=asked.challenge_id)
        )
        decisions, excluded = await judged_on(self._gate, pending.events)
        found = await run_in_threadpool(
            lambda: self._reveals.finish(caller, pending, decisions, excluded=excluded)
        )
        texts = {each.row.id: each.values.get("text", "") for each in found}
        return json_answer(OpenedMessages([shown(each, texts.get(each.record, "")) for each in messages]))

    async def reply(self, request: Request) -> Response:
        """``POST /v1/conversations/{id}/reply``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), ReplyAsked)
        name = needed_id(request, "conversation")
        sent = await run_in_threadpool(
            lambda: self._desk.reply(
                caller, name, text=asked.text, template=asked.template, language=asked.language
            )
        )
        return json_answer(shown(sent), 201)

    async def close(self, request: Request) -> Response:
        """``POST /v1/conversations/{id}/close``; no body."""
        caller = self._calls.caller(request, "analyst")
        return json_answer(
            self._view(await run_in_threadpool(self._desk.close, caller, needed_id(request, "conversation")))
        )

    def _view(self, conversation: Conversation) -> ConversationView:
        return view(conversation, now_ms=self._clock.now_ms())
