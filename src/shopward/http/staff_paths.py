"""What the OpenAPI document says of persons of staff: their factors, and the challenges of their reveals.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, bare, content, get, parameter, post, tried
from shopward.http.staff import (
    StaffChallengeAsked,
    StaffConfirmAsked,
    StaffEnrolAsked,
    StaffProofAsked,
    StaffRemoveAsked,
)

STAFF_SHAPES: Final = (
    StaffChallengeAsked, StaffConfirmAsked, StaffEnrolAsked, StaffProofAsked, StaffRemoveAsked,
)  # fmt: skip
"""Factors and challenges have the shapes of customers' (``account_paths``)."""


def staff_paths() -> dict[str, Any]:
    """All of them."""
    factor = parameter("factor", "path", {"type": "string", "minLength": 1, "maxLength": 64})
    confirm = tried(
        "confirm_staff_factor", "Confirm a new factor", "The first one of a person: by an admin who is somebody else.",
        "StaffConfirmAsked", {"answer": "123456"}, "Factors",
    )  # fmt: skip
    remove = tried(
        "remove_staff_factor", "Remove a factor", "By its owner on a proof, or by an admin where it was lost.",
        "StaffRemoveAsked", {"evidence": "hr-7"}, "Removed",
    )  # fmt: skip
    for call in (confirm, remove):
        call["parameters"].insert(1, factor)
    return {
        "/v1/staff/challenges": {"post": post(
            "open_staff_challenge", "Ask for a challenge", "For a change of one's own factors.",
            {"application/json": content("StaffChallengeAsked", {"for": "enrol"})},
            {"201": answer("The challenge", "application/json", "ChallengeView", None)},
        )},
        "/v1/staff/challenges/{id}": {"get": get(
            "staff_challenge", "A challenge of one's own", "Of a reveal, or of a change of factors.", "ChallengeView", [ID], "404",
        )},
        "/v1/staff/challenges/{id}/passkey": {"post": bare(
            "staff_challenge_passkey", "Options for a passkey", "PasskeyOptions",
        )},
        "/v1/staff/challenges/{id}/verify": {"post": tried(
            "verify_staff", "Answer a challenge of one's own", "Passed once; it is spent by the same reveal, once.",
            "StaffProofAsked", {"factor": "totp", "answer": "123456"}, "ChallengeView",
        )},
        "/v1/staff/{id}/factors": {
            "get": get("staff_factors", "A person's factors", "For himself and for admins.", "Factors", [ID], "403", "404"),
            "post": tried(
                "start_staff_factor", "Add a factor of one's own", "What is secret is shown in this answer alone.",
                "StaffEnrolAsked", {"kind": "totp"}, "Started", status="201",
            ),
        },
        "/v1/staff/{id}/factors/{factor}/confirm": {"post": confirm},
        "/v1/staff/{id}/factors/{factor}/remove": {"post": remove},
    }  # fmt: skip
