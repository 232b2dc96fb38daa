"""What the OpenAPI document says of partners.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, bare, content, get, on_id, parameter, post, request_id
from shopward.http.partners import (
    MISSING,
    SEALED,
    PartnerAsked,
    PartnerAudited,
    PartnerStep,
    PartnersView,
    PartnerView,
    ShareAsked,
    SharesView,
    ShareView,
)
from shopward.http.reads import LIMIT_MAX

PARTNER_SHAPES: Final = (
    PartnerAsked, PartnerStep, PartnerAudited, ShareAsked, PartnerView, PartnersView, ShareView, SharesView,
)  # fmt: skip
EXAMPLE: Final = {
    "id": "fast-courier", "name": "Fast Courier", "kind": "courier",
    "agreement": {"reference": "C-2026-17", "signed_on": "2026-01-02", "ends_on": "2030-01-01"},
    "scope": {"delivery": ["name", "phone", "address"]}, "duties": ["delete after delivery"],
    "audit": {"every_days": 180, "last_on": "2026-01-02"}, "contact": {"role": "security desk", "email": "sec@courier.example"},
    "public_key": "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
}  # fmt: skip


def partner_paths() -> dict[str, Any]:
    """All of them."""
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX})
    words = {"type": "string", "maxLength": 64}
    share = parameter("share", "path", {"type": "string", "minLength": 1, "maxLength": 128})
    page = parameter("page", "path", {"type": "integer", "minimum": 0, "maximum": 9_999})
    shown = answer("The partner", "application/json", "PartnerView", None)
    shared = answer("The share", "application/json", "ShareView", None)
    step = post("step_partner", "Suspend, resume or end", "A suspension holds at once, in the middle of a download too.", {"application/json": content("PartnerStep", {"step": "suspend", "reason": "rows found for sale"})}, {"200": shown}, "404")  # fmt: skip
    audit = post("audit_partner", "An audit was held", "One that was not passed suspends the partner.", {"application/json": content("PartnerAudited", {"on": "2026-06-30", "passed": True})}, {"200": shown}, "404")  # fmt: skip
    make = post("share", "Share records of the vault, or rows", "Marked for the partner, sealed to its key, until a moment. The token is answered once.", {"application/json": content("ShareAsked", {"purpose": "delivery", "fields": ["name", "address"], "records": ["o-1"], "days": 7})}, {"201": shared}, "404")  # fmt: skip
    close = bare("close_share", "End a share early", "ShareView")
    close["parameters"].append(share)
    pulled = get("pull_share", "One sealed page", "With the share's token as the bearer.", "ShareView", [ID, share, page], "403", "404")  # fmt: skip
    pulled["responses"]["200"] = {
        "description": "HPKE (RFC 9180): the encapsulated key, then the ciphertext",
        "headers": request_id() | {MISSING.title(): {
            "description": "How many aliases the page lacks; absent where it lacks none",
            "schema": {"type": "integer", "minimum": 1},
        }},
        "content": {SEALED: {"schema": {"type": "string", "format": "binary"}}},
    }  # fmt: skip
    return {
        "/v1/partners": {
            "get": get("partners", "Partners", "By id.", "PartnersView", [parameter("after", "query", words), limit], "403", "422"),
            "post": post("register_partner", "Register a partner", "With agreement, scope, duties, audits, contact and key.", {"application/json": content("PartnerAsked", EXAMPLE)}, {"201": shown}, "409"),
        },
        "/v1/partners/{id}": {"get": get("partner", "One partner", "And when its next audit is due.", "PartnerView", [ID], "403", "404")},
        "/v1/partners/{id}/steps": {"post": on_id(step)},
        "/v1/partners/{id}/audits": {"post": on_id(audit)},
        "/v1/partners/{id}/shares": {
            "get": get("shares", "Shares", "Newest first.", "SharesView", [ID, parameter("before", "query", words), limit], "403", "404", "422"),
            "post": on_id(make),
        },
        "/v1/partners/{id}/shares/{share}/close": {"post": close},
        "/v1/partners/{id}/shares/{share}/pages/{page}": {"get": pulled},
    }  # fmt: skip
