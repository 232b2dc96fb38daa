"""What the OpenAPI document says of who an incident touched.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, content, get, on_id, parameter, post
from shopward.http.orders import LIST_MAX
from shopward.http.scopes import (
    IndicatorAsked,
    People,
    ScopeAsked,
    ScopeView,
    SignalAsked,
    SourceAsked,
    WidenAsked,
)
from shopward.incidents.scope import DATA

SCOPE_SHAPES: Final = (ScopeAsked, IndicatorAsked, ScopeView, People, SignalAsked, SourceAsked, WidenAsked)
_ASKED: Final = {
    "indicators": [{"kind": "ip", "value": "203.0.113.7"}], "since": "2026-01-05T00:00:00Z", "reason": "first count",
    "elsewhere": "ID", "dry_run": True,
}  # fmt: skip


def scope_paths() -> dict[str, Any]:
    """All of them."""
    shown = answer("Who was touched", "application/json", "ScopeView", None)
    asked = post(
        "scope_incident", "Find who was touched", "From indicators, in one pass over the log; a dry run keeps nothing.",
        {"application/json": content("ScopeAsked", _ASKED)}, {"200": shown, "201": shown}, "404",
    )  # fmt: skip
    signal = post(
        "incident_of_signal", "The incident of a signal", "Made with clocks, people, facts and timeline where it has none yet.",
        {"application/json": content("SignalAsked", {"campaign": "c-019b8f2c5a10"})},
        {"201": answer("The incident", "application/json", "IncidentView", None)}, "404",
    )  # fmt: skip
    widen = post(
        "widen_incident", "Widen the scope", "The newest query once more, until now; the next version.",
        {"application/json": content("WidenAsked", {"reason": "the campaign has grown"})}, {"201": shown}, "404",
    )  # fmt: skip
    version = parameter("version", "path", {"type": "integer", "minimum": 0})
    words = {
        "grade": ["reached", "tried", "entered", "read", "spent", "exposed"], "language": ["id", "zh", "en"],
        "route": ["email", "phone", "none"], "data": list(DATA),
    }  # fmt: skip
    which = [
        parameter("version", "query", {"type": "integer", "minimum": 1, "maximum": 99_999}),
        *(parameter(name, "query", {"enum": each}) for name, each in words.items()),
        parameter("jurisdiction", "query", {"type": "string", "pattern": "^([A-Z]{2}|unknown)$"}),
        parameter("after", "query", {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX}),
    ]
    return {
        "/v1/incidents/signals": {"post": signal},
        "/v1/incidents/{id}/scope": {"post": on_id(asked)},
        "/v1/incidents/{id}/widen": {"post": on_id(widen)},
        "/v1/incidents/{id}/scopes/{version}": {"get": get(
            "incident_scope", "One version of who was touched", "With the requests that list them.", "ScopeView",
            [ID, version], "403", "404",
        )},
        "/v1/incidents/{id}/victims": {"get": get(
            "incident_people", "The people of a number", "Audited: who reads this sees who was touched.", "People",
            [ID, *which], "403", "404", "422",
        )},
    }  # fmt: skip
