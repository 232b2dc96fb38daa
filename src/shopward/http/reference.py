"""The reference: an OpenAPI 3.1 document made from the structs that the calls themselves use, and a page of it.

Promise: shapes, lengths and vocabularies in the document are those of the code, since they are generated from it; the
page is rendered from the document and needs nothing from outside. Both are public: they hold nothing of a shop.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from shopward.events import Event
from shopward.flows.wording import Decision
from shopward.http.hot import BATCH, DECISIONS, EVENTS, Accepted
from shopward.http.problems import CODES, Problem
from shopward.http.reads import LIMIT_MAX, Timeline, UserView

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATES: Final = Path(__file__).parent / "templates"

EVENT_EXAMPLE: Final = {
    "id": "e-81", "type": "payment", "status": "attempted", "time": "2026-01-05T00:07:12.345Z",
    "user": {"id": "u008490"},
    "context": {"ip": "31.107.5.228", "device_id": "d94f969e79c79", "device_type": "mobile"},
    "transaction": {"id": "t-9", "amount_minor": 1250000, "currency": "IDR", "instrument": "balance", "payee_id": "m123"},
}  # fmt: skip
DECISION_EXAMPLE: Final = {
    "id": "d-e-81", "event_id": "e-81", "decision": "challenge", "score": 71.53,
    "reasons": [{"code": "new_device_then_payee", "text": "A new device pays a new payee.",
                 "evidence": {"device_age_s": 120, "device_age_s_threshold": 86400}}],
    "actions": [{"type": "step_up", "factor": "totp", "exclude": ["sms"]}],
    "orders": [], "policy": "default@1", "shadow": [],
}  # fmt: skip
PROBLEM_EXAMPLE: Final = {
    "type": "/docs#problem-unknown_word", "title": "Unknown word", "status": 422, "detail": "not in the vocabulary",
    "code": "unknown_word", "path": "type", "expected": "one of login, logout, ...", "found": "another word",
    "hint": "did you mean payment?",
}  # fmt: skip


class Reference:
    """The two handlers."""

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /openapi.json``."""
        body = msgspec.json.encode(document())
        return Response(body, media_type="application/json", headers={"cache-control": "public, max-age=300"})

    async def docs(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /docs``."""
        return HTMLResponse(_page(), headers={"cache-control": "public, max-age=300"})


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    _shapes, schemas = msgspec.json.schema_components(
        [Event, Decision, Accepted, Problem, UserView, Timeline], ref_template="#/components/schemas/{name}"
    )
    schemas = dict(schemas)
    schemas["Timeline"]["properties"]["next"].setdefault("description", "the before of the part that follows")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shopward",
            "version": version("shopward"),
            "description": "A decision on every account event of a shop, with its reasons. Errors are problems (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key that the first start printed.",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        DECISIONS: {"post": _post(
            "decide", "Decide one event", "One event in, one decision out, durable before the answer.",
            {"application/json": _content("Event", EVENT_EXAMPLE)},
            {"200": _answer("The decision", "application/json", "Decision", DECISION_EXAMPLE)},
        )},
        BATCH: {"post": _post(
            "decide_batch", "Decide many events",
            "One event a line in, one decision a line out, in order. A bad line is answered as a problem on its line.",
            {"application/x-ndjson": {"schema": {"type": "string"}}},
            {"200": {"description": "Decisions and problems, a line each", "headers": _request_id(),
                     "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
        )},
        EVENTS: {"post": _post(
            "record", "Record events", "Recorded, and no decision wanted: one event, or NDJSON.",
            {"application/json": _content("Event", EVENT_EXAMPLE), "application/x-ndjson": {"schema": {"type": "string"}}},
            {"202": _answer("Recorded", "application/json", "Accepted", {"recorded": 1, "problems": []})},
        )},
        "/v1/users/{id}": {"get": _get(
            "user", "What is known of a user", "Counts, newest decisions and why, from the log.",
            "UserView", [_parameter("id", "path", {"type": "string", "minLength": 1, "maxLength": 128})], "404",
        )},
        "/v1/users/{id}/timeline": {"get": _get(
            "timeline", "A user's history", "Events as sent with their decisions, newest first.", "Timeline",
            [_parameter("id", "path", {"type": "string", "minLength": 1, "maxLength": 128}),
             _parameter("before", "query", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}),
             _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": 50})],
            "404", "422",
        )},
        "/healthz": {"get": _open("healthz", "Whether the process answers", "application/json")},
        "/readyz": {"get": _open("readyz", "Whether decisions are answered", "application/json", "503")},
        "/metrics": {"get": _open("metrics", "Numbers for Prometheus", "text/plain")},
    }  # fmt: skip


def _post(
    name: str, summary: str, text: str, content: dict[str, Any], answers: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "description": text,
        "parameters": [
            _parameter("Idempotency-Key", "header", {"type": "string", "pattern": "^[!-~]{1,255}$"}),
            _parameter("Accept-Language", "header", {"type": "string", "examples": ["id", "zh", "en"]}),
            _parameter("X-Request-Id", "header", {"type": "string"}),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": answers | _problems("400", "401", "408", "409", "413", "415", "422", "500", "503"),
    }


def _get(
    name: str, summary: str, text: str, shape: str, parameters: list[Any], *refusals: str
) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "description": text,
        "parameters": [*parameters, _parameter("Accept-Language", "header", {"type": "string"})],
        "responses": {"200": _answer(summary, "application/json", shape, None)}
        | _problems("400", "401", *refusals, "500", "503"),
    }


def _open(name: str, summary: str, media_type: str, *others: str) -> dict[str, Any]:
    content = {
        media_type: {"schema": {"type": "object"} if media_type == "application/json" else {"type": "string"}}
    }
    answers = {status: {"description": "Not now", "content": content} for status in others}
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": summary, "content": content}} | answers,
    }


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _content(shape: str, example: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    return content if example is None else content | {"example": example}


def _answer(text: str, media_type: str, shape: str, example: Any) -> dict[str, Any]:
    return {"description": text, "headers": _request_id(), "content": {media_type: _content(shape, example)}}


def _problems(*statuses: str) -> dict[str, Any]:
    return {
        status: {
            "description": "A problem",
            "headers": _request_id(),
            "content": {"application/problem+json": _content("Problem", PROBLEM_EXAMPLE)},
        }
        for status in statuses
    }


def _request_id() -> dict[str, Any]:
    return {"X-Request-Id": {"schema": {"type": "string"}, "description": "Echoed, or made by the server."}}


@cache
def _page() -> str:
    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("docs.html").render(
        document=document(),
        codes=CODES,
        pretty=lambda value: msgspec.json.format(msgspec.json.encode(value)).decode(),
    )
