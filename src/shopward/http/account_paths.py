"""What the OpenAPI document says of step-up and recovery: challenges, factors, the way back, the undo; and of visits.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.enrol import Started
from shopward.flows.prove import ChallengeView
from shopward.flows.undo import UndoOffer
from shopward.flows.visit import VisitAsked
from shopward.http.challenges import CodeAsked, CodeSent, PasskeyOptions, ProofAsked, WhoAsked
from shopward.http.factors import ConfirmAsked, EnrolAsked, Factors, RemoveAsked, Removed
from shopward.http.openapi import ID, answer, content, get, on_id, parameter, post, tried
from shopward.http.orders import LIST_MAX
from shopward.http.recoveries import FreezeAsked, NewPassword, Recoveries, ReviewAsked, UndoAsked, UndoUsed
from shopward.http.visits import VisitMade
from shopward.recovery.view import RecoveryView

ACCOUNT_SHAPES: Final = (
    ChallengeView, WhoAsked, CodeAsked, CodeSent, PasskeyOptions, ProofAsked, Factors, EnrolAsked, Started, ConfirmAsked,
    RemoveAsked, Removed, FreezeAsked, NewPassword, ReviewAsked, RecoveryView, Recoveries, UndoAsked, UndoUsed, UndoOffer,
    VisitAsked, VisitMade,
)  # fmt: skip
WHO_EXAMPLE: Final = {"user": {"id": "u008490"}, "context": {"device_id": "d94f969e79c79"}}


def account_paths() -> dict[str, Any]:
    """All of them."""
    return _step_up_paths() | _recovery_paths() | _visit_paths()


def _step_up_paths() -> dict[str, Any]:
    """Challenges, and the factors that answer them."""
    device = {"context": WHO_EXAMPLE["context"]}
    factor = parameter("factor", "path", {"type": "string", "minLength": 1, "maxLength": 64})
    confirm = on_id(post(
        "confirm_factor", "Confirm a new factor", "It counts from now on.",
        {"application/json": content("ConfirmAsked", {"answer": "123456", **device})},
        {"200": answer("All factors", "application/json", "Factors", None)}, "403", "404",
    ))  # fmt: skip
    remove = on_id(post(
        "remove_factor", "Remove a factor", "By its owner on a decision, or by staff with a case.",
        {"application/json": content("RemoveAsked", {"decision_id": "d-e-81", **device})},
        {"200": answer("Removed", "application/json", "Removed", None)}, "403", "404",
    ))  # fmt: skip
    for call in (confirm, remove):
        call["parameters"].insert(1, factor)
    return {
        "/v1/challenges/{id}": {"get": get(
            "challenge", "What a decision asks for", "The id is the decision's; nothing is written.", "ChallengeView",
            [ID], "403", "404",
        )},
        "/v1/challenges/{id}/codes": {"post": tried(
            "send_code", "Send a code", "To an address that the shop trusts; it is not kept.", "CodeAsked",
            WHO_EXAMPLE | {"channel": "email", "to": "budi@mail.example"}, "CodeSent",
        )},
        "/v1/challenges/{id}/passkey": {"post": tried(
            "challenge_passkey", "Options for a passkey", "JSON for navigator.credentials.get().", "WhoAsked", WHO_EXAMPLE,
            "PasskeyOptions",
        )},
        "/v1/challenges/{id}/verify": {"post": tried(
            "verify", "Answer a challenge", "Passed once, committed and in the log before the answer.", "ProofAsked",
            WHO_EXAMPLE | {"factor": "totp", "answer": "123456"}, "ChallengeView",
        )},
        "/v1/challenges/{id}/cancel": {"post": tried(
            "cancel_challenge", "That was not me", "From any device of the user; the log hears of it.", "WhoAsked",
            WHO_EXAMPLE, "ChallengeView",
        )},
        "/v1/users/{id}/factors": {
            "get": get("factors", "A user's factors", "Nothing secret of them.", "Factors", [ID], "422"),
            "post": on_id(post(
                "start_factor", "Add a factor", "What is secret is shown in this answer alone.",
                {"application/json": content("EnrolAsked", {"kind": "totp", "decision_id": "d-e-81", "name": "budi", **device})},
                {"201": answer("Begun", "application/json", "Started", None)}, "403", "404",
            )),
        },
        "/v1/users/{id}/factors/{factor}/confirm": {"post": confirm},
        "/v1/users/{id}/factors/{factor}/remove": {"post": remove},
    }  # fmt: skip


def _visit_paths() -> dict[str, Any]:
    """A customer's own page."""
    made = post(
        "ask_visit", "A link to a customer's own page", "Opens once, within five minutes; for the shop's server alone.",
        {"application/json": content("VisitAsked", {"language": "id", "timezone": "Asia/Jakarta"})},
        {"201": answer("The link", "application/json", "VisitMade", None)}, "404", "429",
    )  # fmt: skip
    return {"/v1/users/{id}/visits": {"post": on_id(made, required=False)}}


def _recovery_paths() -> dict[str, Any]:
    """Freezing oneself, the steps back, and the undo."""
    review = WHO_EXAMPLE | {"keep": ["e-70"], "undo": ["e-71"]}
    password = WHO_EXAMPLE | {"password_hmac": "..."}
    words = {"type": "string", "maxLength": 128}
    asked = [
        parameter("user", "query", words),
        parameter("before", "query", words),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX}),
    ]
    return {
        "/v1/users/{id}/freeze": {"post": tried(
            "freeze_user", "Freeze an account at its owner's wish", "In force when the answer leaves; opens the way back.",
            "FreezeAsked", {"reason": "lost_device"}, "RecoveryView", status="201",
        )},
        "/v1/recoveries": {"get": get(
            "recoveries", "Open recoveries", "Newest first; of one customer with `user`.", "Recoveries",
            asked, "403", "422",
        )},
        "/v1/recoveries/{id}": {"get": get(
            "recovery", "Where a recovery is", "What is stopped, what works, what is next, what changed.", "RecoveryView",
            [ID], "404",
        )},
        "/v1/recoveries/{id}/identity": {"post": tried(
            "recovery_identity", "Spend the proof", "The passed challenge of this recovery.", "WhoAsked", WHO_EXAMPLE,
            "RecoveryView",
        )},
        "/v1/recoveries/{id}/password": {"post": tried(
            "recovery_password", "Tell of the new password", "As a login tells it.", "NewPassword", password,
            "RecoveryView",
        )},
        "/v1/recoveries/{id}/sessions": {"post": tried(
            "recovery_sessions", "End all sessions", "Those that began before now.", "WhoAsked", WHO_EXAMPLE, "RecoveryView",
        )},
        "/v1/recoveries/{id}/review": {"post": tried(
            "recovery_review", "Keep or undo each change", "All that are listed.", "ReviewAsked", review, "RecoveryView",
        )},
        "/v1/recoveries/{id}/release": {"post": tried(
            "recovery_release", "Release", "From exactly the orders whose condition is met.", "WhoAsked", WHO_EXAMPLE,
            "RecoveryView",
        )},
        "/v1/undos": {"post": post(
            "offer_undo", "A token for the old contact", "Takes a security change back, once, for three days.",
            {"application/json": content("UndoAsked", {"event_id": "e-81"})},
            {"201": answer("The token", "application/json", "UndoOffer", None)}, "403", "404",
        )},
        "/v1/undos/use": {"post": post(
            "use_undo", "Take a change back", "Freezes the account and opens the way back.",
            {"application/json": content("UndoUsed", {"token": "..."})},
            {"200": answer("The recovery", "application/json", "RecoveryView", None)}, "403",
        )},
    }  # fmt: skip
