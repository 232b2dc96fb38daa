"""What the OpenAPI document says of notices to customers.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.notices import BounceAsked, Filled, MailingAsked, MailingView, RecipientAsked
from shopward.http.openapi import ID, answer, bare, content, get, on_id, post

NOTICE_SHAPES: Final = (MailingAsked, MailingView, Filled, RecipientAsked, BounceAsked)
_LETTER: Final = {"subject": "Tentang akun Anda", "text": "Kami mengunci saldo Anda kemarin malam."}


def notice_paths() -> dict[str, Any]:
    """All of them."""
    shown = answer("The mailing", "application/json", "MailingView", None)
    asked = content("MailingAsked", {"incident": "inc-019b8f2c5a10", "letters": {"id": _LETTER}})
    start = bare("start_mailing", "Start a mailing", "MailingView", "202")
    return {
        "/v1/notices": {"post": post("make_mailing", "Make a mailing", "Texts by language, without links.",
                                     {"application/json": asked}, {"201": shown})},
        "/v1/notices/bounces": {"post": post(
            "bounce", "A message came back", "By the id of the message.",
            {"application/json": content("BounceAsked", {"message": "n-...", "reason": "550 no such mailbox"})},
            {"200": shown}, "404",
        )},
        "/v1/notices/{id}": {"get": get("mailing", "One mailing", "With its counts.", "MailingView", [ID], "403", "404")},
        "/v1/notices/{id}/recipients": {"post": on_id(post(
            "fill_mailing", "Put people on a mailing", "A line a person: user, email, language.",
            {"application/x-ndjson": content("RecipientAsked", None)},
            {"200": answer("How many were new", "application/json", "Filled", None)}, "404",
        ))},
        "/v1/notices/{id}/start": {"post": start},
        "/v1/notices/{id}/pause": {"post": bare("pause_mailing", "Pause a mailing", "MailingView")},
    }  # fmt: skip
