"""What the OpenAPI document says of Shared Signals.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, bare, content, get, parameter, post, problems, request_id
from shopward.http.signals import TRANSMITTERS, Transmitters
from shopward.http.ssf import SECEVENT, SetError
from shopward.ssf.transmitters import TransmitterAsked, TransmitterView

SIGNAL_SHAPES: Final = (TransmitterAsked, TransmitterView, Transmitters, SetError)
_ASKED: Final = {"id": "acme", "provider": "acme", "issuer": "https://id.acme.example", "access_token": "..."}


def signal_paths() -> dict[str, Any]:
    """All of them."""
    shown = answer("The transmitter", "application/json", "TransmitterView", None)
    return {
        TRANSMITTERS: {
            "get": get("transmitters", "Who tells us", "By id, with what became of what they told.", "Transmitters", [], "403"),
            "post": post(
                "register_transmitter", "Register a transmitter", "Found out from its own configuration, with a stream where it lets us.",
                {"application/json": content("TransmitterAsked", _ASKED)}, {"201": shown},
            ),
        },
        TRANSMITTERS + "/{id}": {
            "get": get("transmitter", "One transmitter", "With what became of what it told.", "TransmitterView", [ID], "403", "404"),
            "delete": {
                "operationId": "remove_transmitter", "summary": "Hear a transmitter no more",
                "description": "It is asked to end its stream; what it told is forgotten.", "parameters": [ID],
                "responses": {"204": {"description": "Removed", "headers": request_id()}}
                | problems("401", "403", "404", "500", "503"),
            },
        },
        TRANSMITTERS + "/{id}/verify": {"post": _verify()},
        "/ssf/events/{id}": {
            "post": {
                "operationId": "push_set", "summary": "A transmitter pushes a security event token (RFC 8935)", "security": [],
                "description": "Authorization is what its stream was made with.",
                "parameters": [ID, parameter("Authorization", "header", {"type": "string"})],
                "requestBody": {"required": True, "content": {
                    SECEVENT: {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}},
                }},
                "responses": {
                    "202": {"description": "It is kept", "headers": request_id()},
                    "400": {"description": "It is refused", "headers": request_id(), "content": {"application/json": content("SetError", None)}},
                } | problems("404", "408", "500", "503"),
            },
        },
    }  # fmt: skip


def _verify() -> dict[str, Any]:
    call = bare("verify_transmitter", "Have it prove that its tokens reach us", "TransmitterView", "202")
    call["responses"] |= problems("422")
    return call
