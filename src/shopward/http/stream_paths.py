"""What the OpenAPI document says of what a receiver of Shared Signals calls.

Promise: shapes are those that the calls themselves use; these calls take the token of a receiver in the place of an API key.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import answer, content, parameter, problems, request_id
from shopward.ssf.metadata import WELL_KNOWN
from shopward.ssf.receivers import (
    PollAsked,
    StatusAsked,
    StatusView,
    StreamAsked,
    StreamView,
    SubjectStep,
    VerifyAsked,
)

STREAM_SHAPES: Final = (PollAsked, StatusAsked, StatusView, StreamAsked, StreamView, SubjectStep, VerifyAsked)
RECEIVER_SCHEMES: Final = {
    "receiver": {"type": "http", "scheme": "bearer", "description": "The token that the shop gave a receiver of Shared Signals."}
}  # fmt: skip
_OBJECT: Final = {"application/json": {"schema": {"type": "object"}}}
_ID: Final = {"type": "string", "maxLength": 64}


def stream_paths() -> dict[str, Any]:
    """All of them."""
    stream = answer("The stream", "application/json", "StreamView", None)
    status = answer("The status", "application/json", "StatusView", None)
    one = parameter("stream_id", "query", _ID)
    gone = {"description": "Done", "headers": request_id()}
    listed = {
        "description": "One stream, or a list of all",
        "headers": request_id(),
        "content": {"application/json": {"schema": {}}},
    }
    polled = {"description": "Tokens", "headers": request_id(), "content": _OBJECT}
    return {
        WELL_KNOWN: {"get": _public("ssf_configuration", "What we say of ourselves as a transmitter")},
        "/ssf/jwks": {"get": _public("ssf_jwks", "Our public keys")},
        "/ssf/streams": {
            "get": _call("read_stream", "A stream", {"200": listed}, parameters=[one]),
            "post": _call("create_stream", "Make a stream", {"201": stream}, "StreamAsked", "409"),
            "patch": _call("update_stream", "Change a stream in part", {"200": stream}, "StreamAsked"),
            "put": _call("replace_stream", "Replace a stream's configuration", {"200": stream}, "StreamAsked"),
            "delete": _call("delete_stream", "Remove a stream", {"204": gone}, parameters=[one]),
        },
        "/ssf/status": {
            "get": _call("stream_status", "How a stream is", {"200": status}, parameters=[one]),
            "post": _call("set_stream_status", "Enable, pause or disable a stream", {"200": status}, "StatusAsked"),
        },
        "/ssf/subjects/add": {"post": _call("add_subject", "Hear of a subject", {"200": gone}, "SubjectStep")},
        "/ssf/subjects/remove": {"post": _call("remove_subject", "Hear of a subject no more", {"204": gone}, "SubjectStep")},
        "/ssf/verify": {"post": _call("verify_stream", "Ask for a verification event", {"204": gone}, "VerifyAsked", "429")},
        "/ssf/poll": {"post": _call("poll_sets", "Poll for tokens (RFC 8936)", {"200": polled}, "PollAsked")},
    }  # fmt: skip


def _public(name: str, summary: str) -> dict[str, Any]:
    return {
        "operationId": name, "summary": summary, "security": [],
        "responses": {"200": {"description": summary, "headers": request_id(), "content": _OBJECT}}
        | problems("404", "500", "503"),
    }  # fmt: skip


def _call(
    name: str, summary: str, answers: dict[str, Any], shape: str = "", *refusals: str, parameters: list[Any] | None = None
) -> dict[str, Any]:  # fmt: skip
    made: dict[str, Any] = {
        "operationId": name, "summary": summary, "security": [{"receiver": []}],
        "responses": answers | problems("400", "401", "403", "404", "408", "413", *refusals, "500", "503"),
    }  # fmt: skip
    if shape:
        made["requestBody"] = {"required": True, "content": {"application/json": content(shape, None)}}
    if parameters:
        made["parameters"] = parameters
    return made
