"""What the OpenAPI document says of conversations.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.conversations.conversation import STATES
from shopward.conversations.view import ConversationView, MessageView
from shopward.http.conversations import (
    Conversations,
    ConversationWhole,
    OpenAsked,
    OpenedMessages,
    ReplyAsked,
)
from shopward.http.openapi import ID, answer, bare, content, get, on_id, parameter, post
from shopward.http.reads import LIMIT_MAX

CONVERSATION_SHAPES: Final = (
    ConversationView,
    MessageView,
    Conversations,
    ConversationWhole,
    OpenAsked,
    OpenedMessages,
    ReplyAsked,
)


def conversation_paths() -> dict[str, Any]:
    """All of them."""
    asked = [
        parameter("state", "query", {"type": "string", "enum": list(STATES)}),
        parameter("before", "query", {"type": "string", "maxLength": 128}),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}),
    ]
    one = "/v1/conversations/{id}"
    replied = post(
        "reply_conversation", "Answer a customer", "In words of one's own within a day, else by a template.",
        {"application/json": content("ReplyAsked", {"text": "Paket Anda tiba besok."})},
        {"201": answer("What was sent", "application/json", "MessageView", None)}, "404",
    )  # fmt: skip
    opened = post(
        "open_conversation", "Read the newest messages", "With a challenge that was passed for it, where one was asked for.",
        {"application/json": content("OpenAsked", {})},
        {"200": answer("The newest messages", "application/json", "OpenedMessages", None)}, "403", "404",
    )  # fmt: skip
    return {
        "/v1/conversations": {
            "get": get("conversations", "Conversations", "Newest first.", "Conversations", asked, "403", "422"),
        },
        one: {"get": get("conversation", "One conversation", "Who spoke and who read.", "ConversationWhole", [ID], "403", "404")},
        one + "/take": {"post": bare("take_conversation", "Look after it", "ConversationView")},
        one + "/open": {"post": on_id(opened, required=False)},
        one + "/reply": {"post": on_id(replied)},
        one + "/close": {"post": bare("close_conversation", "It is over", "ConversationView")},
    }  # fmt: skip
