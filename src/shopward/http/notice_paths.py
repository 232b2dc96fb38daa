"""What the OpenAPI document says of notices to customers.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.notices import BounceAsked, Filled, MailingAsked, MailingView, RecipientAsked
from shopward.http.openapi import ID, answer, bare, content, get, on_id, parameter, post, problems
from shopward.http.whatsapp import Taken

NOTICE_SHAPES: Final = (MailingAsked, MailingView, Filled, RecipientAsked, BounceAsked, Taken)
_LETTER: Final = {"subject": "Tentang akun Anda", "text": "Kami mengunci saldo Anda kemarin malam."}


def notice_paths() -> dict[str, Any]:
    """All of them."""
    shown = answer("The mailing", "application/json", "MailingView", None)
    asked = content("MailingAsked", {"incident": "inc-019b8f2c5a10", "letters": {"id": _LETTER}})
    start = bare("start_mailing", "Start a mailing", "MailingView", "202")
    return {
        "/v1/notices": {"post": post("make_mailing", "Make a mailing", "Texts by language, without links.",
                                     {"application/json": asked}, {"201": shown})},
        "/channels/whatsapp": {
            "get": {
                "operationId": "whatsapp_verify", "summary": "The challenge of WhatsApp's webhook", "security": [],
                "parameters": [
                    parameter(f"hub.{name}", "query", {"type": "string"}) for name in ("mode", "verify_token", "challenge")
                ],
                "responses": {
                    "200": {"description": "The challenge", "content": {"text/plain": {"schema": {"type": "string"}}}}
                } | problems("403", "500", "503"),
            },
            "post": {
                "operationId": "whatsapp_statuses", "summary": "What became of notices by WhatsApp", "security": [],
                "description": "Signed by the app: X-Hub-Signature-256.",
                "parameters": [parameter("X-Hub-Signature-256", "header", {"type": "string"})],
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"200": answer("Taken", "application/json", "Taken", None)}
                | problems("400", "401", "408", "413", "500", "503"),
            },
        },
        "/v1/notices/bounces": {"post": post(
            "bounce", "A message came back", "By the id of the message.",
            {
                "application/json": content("BounceAsked", {"message": "n-...", "reason": "550 no such mailbox"}),
                "message/rfc822": {"schema": {"type": "string", "description": "A delivery status notification (RFC 3464)"}},
            },
            {"200": shown}, "404",
        )},
        "/v1/notices/{id}": {"get": get("mailing", "One mailing", "With its counts.", "MailingView", [ID], "403", "404")},
        "/v1/notices/{id}/recipients": {"post": on_id(post(
            "fill_mailing", "Put people on a mailing", "A line a person: user, language, and email, phone or shop.",
            {"application/x-ndjson": content("RecipientAsked", None)},
            {"200": answer("How many were new", "application/json", "Filled", None)}, "404",
        ))},
        "/v1/notices/{id}/start": {"post": start},
        "/v1/notices/{id}/pause": {"post": bare("pause_mailing", "Pause a mailing", "MailingView")},
    }  # fmt: skip
