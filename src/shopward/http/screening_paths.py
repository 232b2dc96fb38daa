"""What the OpenAPI document says of screening.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.report_cases import Assigning, Noted, Settling
from shopward.flows.reports import Reported, ReportTaken
from shopward.flows.screen import LinkAsked, MessageAsked, ProfileView, SenderAsked
from shopward.http.calls import ID_MAX
from shopward.http.openapi import ID, answer, content, get, on_id, parameter, post
from shopward.http.orders import LIST_MAX
from shopward.http.reports import CasePage, CaseView, NoteView, ReportCases, ReportView
from shopward.screening import Screened
from shopward.screening.profile import ProfileSpec
from shopward.screening.reports import CASE_STATES

SCREENING_SHAPES: Final = (
    LinkAsked, MessageAsked, SenderAsked, Screened, ProfileView, ProfileSpec, Reported, ReportTaken, Settling, Assigning, Noted,
    CaseView, CasePage, ReportCases, ReportView, NoteView,
)  # fmt: skip
PROFILE_EXAMPLE: Final = {
    "name": "Toko Nusantara", "aliases": ["TokoNusa"], "official_domains": ["tokonusa.co.id"],
    "official_senders": [{"channel": "sms", "sender": "TOKONUSA"}],
}  # fmt: skip


def screening_paths() -> dict[str, Any]:
    """All of them."""
    put = post(
        "publish_profile", "Publish the shop's profile",
        "In force for every worker within a second; refused where it would judge the shop's own wrongly.",
        {"application/json": content("ProfileSpec", PROFILE_EXAMPLE)},
        {"200": answer("In force", "application/json", "ProfileView", None)}, "403",
    )  # fmt: skip
    return {
        "/v1/screen/links": {"post": screen_call(
            "screen_link", "Whose is this link", "As it was pasted; nothing is opened.", "LinkAsked",
            {"url": "https://tokonusa.co.id.example.net/login"},
        )},
        "/v1/screen/messages": {"post": screen_call(
            "screen_message", "Is this message from the shop", "What it asks for, whom it claims to be, where it leads.",
            "MessageAsked", {"text": "Kirim kode OTP Anda ke 0812-3456-7890", "channel": "whatsapp"},
        )},
        "/v1/screen/senders": {"post": screen_call(
            "screen_sender", "Whose is this number, address or account", "As it was shown.", "SenderAsked",
            {"sender": "+62 811-1000-200", "channel": "whatsapp"},
        )},
        "/v1/screen/profile": {
            "get": get("screening_profile", "The profile in force", "With its warnings.", "ProfileView", [], "404"),
            "put": put,
        },
    } | _report_paths()  # fmt: skip


def _report_paths() -> dict[str, Any]:
    """The button, and the queue that people settle."""
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX})
    mark = {"type": "string", "minLength": 1, "maxLength": ID_MAX}
    words = {"type": "string", "maxLength": 128}
    state = parameter("state", "query", {"type": "string", "enum": list(CASE_STATES)})
    return {
        "/v1/reports": {
            "post": post(
                "report", "Report a message, link, sender, loss or doubt",
                "Opens a case, or joins the open one of the same thing or the same customer.",
                {"application/json": content("Reported", {"kind": "link", "url": "https://tokonusa.shop/", "channel": "sms"})},
                {"201": answer("Taken, with the verdict", "application/json", "ReportTaken", None)},
            ),
            "get": get(
                "report_cases", "Cases of reports", "Newest first.", "ReportCases",
                [state, parameter("user", "query", words), parameter("assignee", "query", words),
                 parameter("before", "query", mark), limit], "403", "422",
            ),
        },
        "/v1/reports/{id}": {
            "get": get(
                "report_case", "A case and its reports", "Oldest first.", "CasePage", [ID, parameter("after", "query", mark), limit],
                "403", "404", "422",
            ),
            "post": on_id(post(
                "settle_report", "Say what a case is", "Confirmed puts its link on the list, dismissed takes it off.",
                {"application/json": content("Settling", {"state": "confirmed", "scope": "domain"})},
                {"200": answer("The case", "application/json", "CaseView", None)}, "403", "404",
            )),
        },
        "/v1/reports/{id}/assign": {
            "post": on_id(post(
                "assign_report", "Look after a case", "Who asks, where nobody is named.",
                {"application/json": content("Assigning", {"person": "siti"})},
                {"200": answer("The case", "application/json", "CaseView", None)}, "403", "404",
            ), required=False),
        },
        "/v1/reports/{id}/notes": {
            "post": on_id(post(
                "note_report", "Write into a case", "Personal values are masked.",
                {"application/json": content("Noted", {"text": "She was called by somebody who said he was from the bank."})},
                {"201": answer("The note", "application/json", "NoteView", None)}, "403", "404",
            )),
        },
    }  # fmt: skip


def screen_call(name: str, summary: str, text: str, takes: str, example: dict[str, Any]) -> dict[str, Any]:
    """A call that judges one object, or lines of them."""
    return post(
        name, summary, text,
        {"application/json": content(takes, example), "application/x-ndjson": {"schema": {"type": "string"}}},
        {"200": answer("The verdict, or one a line", "application/json", "Screened", None)
         | {"content": {
             "application/json": content("Screened", None), "application/x-ndjson": {"schema": {"type": "string"}},
         }}},
        "404",
    )  # fmt: skip
