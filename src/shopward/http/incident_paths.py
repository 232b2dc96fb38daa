"""What the OpenAPI document says of incidents.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from shopward.http.incident_steps import IncidentStep
from shopward.http.incidents import STATES, IncidentAsked, Incidents, IncidentView
from shopward.http.openapi import ID, answer, content, get, on_id, parameter, post
from shopward.http.reads import LIMIT_MAX
from shopward.incidents.drafts import Draft

INCIDENT_SHAPES: Final = (IncidentAsked, IncidentView, Incidents, Draft, *get_args(IncidentStep))


def incident_paths() -> dict[str, Any]:
    """All of them."""
    shapes = [{"$ref": f"#/components/schemas/{each.__name__}"} for each in get_args(IncidentStep)]
    shown = answer("The incident", "application/json", "IncidentView", None)
    step = post(
        "step_incident", "Take a step", "One word of a closed list with its fields.",
        {"application/json": {"schema": {"oneOf": shapes}, "example": {"step": "clock", "clock": "aware"}}}, {"200": shown},
        "404",
    )  # fmt: skip
    rule = parameter("rule", "path", {"type": "string", "minLength": 1, "maxLength": 64})
    return {
        "/v1/incidents": {
            "get": get(
                "incidents", "Incidents", "Newest first.", "Incidents",
                [
                    parameter("state", "query", {"enum": list(STATES)}),
                    parameter("before", "query", {"type": "string", "maxLength": 128}),
                    parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}),
                ],
                "403", "422",
            ),
            "post": post(
                "open_incident", "Open an incident", "Its clock may_have_happened begins.",
                {"application/json": content("IncidentAsked", {"title": "Codes talked out", "kind": "account_takeover"})},
                {"201": shown}, "404",
            ),
        },
        "/v1/incidents/{id}": {"get": get(
            "incident", "One incident", "With what the law asks, which is not legal advice.", "IncidentView", [ID], "403", "404",
        )},
        "/v1/incidents/{id}/steps": {"post": on_id(step)},
        "/v1/incidents/{id}/pack": {"get": _pack()},
        "/v1/incidents/{id}/notices/{rule}": {"get": get(
            "draft_notice", "Draft of a notice", "In one of the rule's languages; as HTML or PDF where that is accepted.", "Draft",
            [ID, rule, parameter("language", "query", {"enum": ["id", "zh", "en"]})], "403", "404", "422", "501",
        )},
    }  # fmt: skip


def _pack() -> dict[str, Any]:
    """An archive; its shape is that of docs/incidents.md."""
    asked = get(
        "pack_incident", "Evidence pack", "A signed zip for an auditor; the audit log has a line of it.", "IncidentView",
        [ID], "403", "404", "409",
    )  # fmt: skip
    zipped = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
    asked["responses"]["200"]["content"] = zipped
    return asked
