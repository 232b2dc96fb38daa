"""What the OpenAPI document says of lines.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.line import LineAsked
from shopward.http.lines import CondemnAsked, Lines, RestoreAsked, TicketAsked
from shopward.http.openapi import ID, answer, content, get, on_id, post
from shopward.lines.view import LineView

LINE_SHAPES: Final = (LineView, Lines, LineAsked, TicketAsked, CondemnAsked, RestoreAsked)


def line_paths() -> dict[str, Any]:
    """All of them."""
    declared = post(
        "declare_line", "Say that a line is the shop's", "One of this number takes what is said now.",
        {"application/json": content("LineAsked", {
            "number": "+622150001234", "phone_id": "106540352242922", "account": "102290129340398", "title": "Layanan",
        })},
        {"201": answer("The line", "application/json", "LineView", None)},
    )  # fmt: skip
    one = "/v1/lines/{id}"
    return {
        "/v1/lines": {
            "get": get("lines", "Lines", "The shop's own numbers, and what to do now.", "Lines", [], "403"),
            "post": declared,
        },
        one: {"get": get("line", "One line", "With what was told of it.", "LineView", [ID], "403", "404")},
        one + "/tickets": {"post": _step("announce", "Announce work on it", "TicketAsked", {
            "work": "pin", "ends": "2026-01-05T12:00:00Z", "reason": "New PIN each quarter",
        }, "201")},
        one + "/condemn": {"post": _step("condemn", "It speaks for the shop no longer", "CondemnAsked", {
            "reason": "Customers were asked for codes in our name",
        })},
        one + "/restore": {"post": _step("restore", "Take it back into use", "RestoreAsked", {
            "reason": "Devices unlinked, new PIN", "pin_is_new": True,
        })},
    }  # fmt: skip


def _step(
    verb: str, summary: str, shape: str, example: dict[str, Any], status: str = "200"
) -> dict[str, Any]:
    body = {"application/json": content(shape, example)}
    answers = {status: answer("The line", "application/json", "LineView", None)}
    return on_id(post(f"{verb}_line", summary, summary + ".", body, answers, "404"))
