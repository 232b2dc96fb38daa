"""What the OpenAPI document says of complaints.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.complaints.view import ComplaintView
from shopward.flows.complain import Complained
from shopward.http.complaints import STATES, ComplaintRegimes, Complaints, DecideAsked, ExtendAsked
from shopward.http.openapi import ID, answer, bare, content, get, on_id, parameter, post
from shopward.http.reads import LIMIT_MAX

COMPLAINT_SHAPES: Final = (ComplaintView, Complaints, ComplaintRegimes, Complained, DecideAsked, ExtendAsked)


def complaint_paths() -> dict[str, Any]:
    """All of them."""
    words = {"type": "string", "maxLength": 128}
    asked = [
        parameter("state", "query", {"type": "string", "enum": list(STATES)}),
        parameter("user", "query", words),
        parameter("overdue", "query", {"type": "string", "enum": ["true", "false"]}),
        parameter("before", "query", words),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}),
    ]
    filed = post(
        "file_complaint", "A complaint comes in", "Both dates follow from the regime.",
        {"application/json": content("Complained", {
            "user": "u008490", "about": "claim", "subject": "c-019b8f2c5a10", "statement": "This was not me.",
            "regime": "house", "key": "ticket-4711",
        })},
        {"201": answer("The complaint", "application/json", "ComplaintView", None)}, "404",
    )  # fmt: skip
    one = "/v1/complaints/{id}"
    return {
        "/v1/complaints": {
            "get": get("complaints", "Complaints", "Newest first.", "Complaints", asked, "403", "422"),
            "post": filed,
        },
        "/v1/complaints/regimes": {
            "get": get("complaint_regimes", "Regimes", "By when; not legal advice.", "ComplaintRegimes", [], "403"),
        },
        one: {"get": get("complaint", "One complaint", "As it stands.", "ComplaintView", [ID], "403", "404")},
        one + "/acknowledge": {"post": _bare("acknowledge", "Say that the customer was told")},
        one + "/take": {"post": _bare("take", "Look after it")},
        one + "/extend": {"post": _step("extend", "More time, once", "ExtendAsked", {"reason": "difficult"})},
        one + "/decide": {"post": _step("decide", "Decide, on appeal for good", "DecideAsked", {
            "outcome": "upheld", "reason": "our_mistake", "remedies": [{"kind": "claim", "reference": "c-019b8f2c5a10"}],
        })},
        one + "/appeal": {"post": _bare("appeal", "Another person has to decide")},
        one + "/withdraw": {"post": _bare("withdraw", "Take it back")},
    }  # fmt: skip


def _bare(verb: str, summary: str) -> dict[str, Any]:
    return bare(f"{verb}_complaint", summary, "ComplaintView")


def _step(verb: str, summary: str, shape: str, example: dict[str, Any]) -> dict[str, Any]:
    body = {"application/json": content(shape, example)}
    answers = {"200": answer("The complaint", "application/json", "ComplaintView", None)}
    return on_id(post(f"{verb}_complaint", summary, summary + ".", body, answers, "404"))
