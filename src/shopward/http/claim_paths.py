"""What the OpenAPI document says of claims and payouts.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.claims.view import ClaimView
from shopward.http.claims import (
    STATES,
    ApproveAsked,
    ClaimAsked,
    Claims,
    ClaimsAsked,
    ClockAsked,
    ConfirmClaimAsked,
    DeclineAsked,
    EvidenceAsked,
    Filed,
    PayoutSaid,
    ReopenAsked,
    SubmitAsked,
)
from shopward.http.openapi import ID, answer, bare, content, get, on_id, parameter, post
from shopward.http.reads import LIMIT_MAX

CLAIM_SHAPES: Final = (
    ClaimView, Claims, ClaimAsked, SubmitAsked, ApproveAsked, DeclineAsked, ConfirmClaimAsked, EvidenceAsked, ClockAsked,
    ReopenAsked, PayoutSaid, ClaimsAsked, Filed,
)  # fmt: skip


def claim_paths() -> dict[str, Any]:
    """All of them."""
    words = {"type": "string", "maxLength": 128}
    asked = [
        parameter("state", "query", {"type": "string", "enum": list(STATES)}),
        parameter("user", "query", words),
        parameter("incident", "query", words),
        parameter("before", "query", words),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}),
    ]
    draft = post(
        "draft_claim", "A form that fills itself", "With every movement of value of the account.",
        {"application/json": content("ClaimAsked", {"user": "u008490", "since": "2026-01-04T00:00:00Z"})},
        {"201": answer("The form", "application/json", "ClaimView", None)}, "404",
    )  # fmt: skip
    return {
        "/v1/claims": {
            "get": get("claims", "Claims", "Newest first.", "Claims", asked, "403", "422"),
            "post": draft,
        },
        "/v1/claims/batch": {"post": post(
            "file_claims", "Claims of an incident's victims", "Each is filed or refused by itself.",
            {"application/json": content("ClaimsAsked", {
                "incident": "vs-019b8f2c5a10", "since": "2026-01-04T00:00:00Z", "until": "2026-01-05T00:00:00Z",
                "losses": [{"user": "u008490", "events": ["e-81"]}],
            })},
            {"200": answer("One for each loss", "application/json", "Filed", None)}, "404",
        )},
        "/v1/claims/{id}": {"get": get("claim", "One claim", "With its payouts.", "ClaimView", [ID], "404")},
        "/v1/claims/{id}/submit": _step("submit", "Send the form in", "SubmitAsked", {"events": ["e-81"]}),
        "/v1/claims/{id}/approve": _step("approve", "Approve", "ApproveAsked", {}, required=False),
        "/v1/claims/{id}/decline": _step(
            "decline", "Propose to refuse", "DeclineAsked", {"amounts": {"e-81": 0}, "reason": "authorised_by_owner"}
        ),
        "/v1/claims/{id}/confirm": _step("confirm", "Confirm a refusal", "ConfirmClaimAsked", {}, required=False),
        "/v1/claims/{id}/reject": {"post": bare("reject_decline", "Reject a refusal", "ClaimView")},
        "/v1/claims/{id}/evidence": _step(
            "evidence", "Add evidence", "EvidenceAsked",
            {"event": "e-81", "kind": "customer_admission", "reference": "call 4711"},
        ),
        "/v1/claims/{id}/clock": _step("clock", "Stop or start the clock", "ClockAsked", {"stop": "waiting_for_customer"}),
        "/v1/claims/{id}/appeal": {"post": bare("appeal_claim", "Appeal", "ClaimView")},
        "/v1/claims/{id}/reopen": _step("reopen", "Open again", "ReopenAsked", {"reason": "the thief was caught"}),
        "/v1/claims/{id}/withdraw": {"post": bare("withdraw_claim", "Take back", "ClaimView")},
        "/v1/claims/{id}/payouts": _step("repay", "Pay by another way", "ConfirmClaimAsked", {"instrument": "gift_card"}),
        "/v1/payouts/{id}": _step("settle_payout", "Say what became of a payout", "PayoutSaid",
                                  {"state": "paid", "reference": "bank slip 17"}, verb=""),
    }  # fmt: skip


def _step(
    name: str,
    summary: str,
    shape: str,
    example: dict[str, Any],
    *,
    required: bool = True,
    verb: str = "_claim",
) -> dict[str, Any]:
    call = post(
        name + verb, summary, summary + ".", {"application/json": content(shape, example)},
        {"200": answer("The claim", "application/json", "ClaimView", None)}, "404",
    )  # fmt: skip
    return {"post": on_id(call, required=required)}
