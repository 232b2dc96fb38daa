"""What the OpenAPI document says of Shared Signals.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, bare, content, get, parameter, post, problems, request_id
from shopward.http.signals import (
    RECEIVERS,
    ROTATE,
    SUBJECT,
    TRANSMITTERS,
    Receivers,
    SubjectNamed,
    Transmitters,
)
from shopward.http.ssf import SetError
from shopward.ssf.receivers import ReceiverAsked, ReceiverView
from shopward.ssf.sets import SECEVENT
from shopward.ssf.transmitters import TransmitterAsked, TransmitterView

SIGNAL_SHAPES: Final = (
    TransmitterAsked, TransmitterView, Transmitters, SetError, ReceiverAsked, ReceiverView, Receivers, SubjectNamed,
)  # fmt: skip
_USER: Final = parameter("user", "path", {"type": "string", "minLength": 1, "maxLength": 128})
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
            "delete": _gone("remove_transmitter", "Hear a transmitter no more", [ID]),
        },
        TRANSMITTERS + "/{id}/verify": {"post": _verify()},
        RECEIVERS: {
            "get": get("receivers", "Who hears from us", "By partner, with what came of how many tokens.", "Receivers", [], "403"),
            "post": post(
                "register_receiver", "Register a receiver", "A partner whose scope holds the purpose signals; its token is answered once.",
                {"application/json": content("ReceiverAsked", {"partner": "wallet", "audience": "https://wallet.example/"})},
                {"201": answer("The receiver", "application/json", "ReceiverView", None)}, "404",
            ),
        },
        RECEIVERS + "/{id}": {"delete": _gone("remove_receiver", "Tell a receiver nothing more", [ID])},
        SUBJECT: {
            "put": _named(),
            "delete": _gone("unname_subject", "A receiver hears of a customer no more", [ID, _USER], "422"),
        },
        ROTATE: {"post": _gone("rotate_signal_keys", "Another key signs from now on", [])},
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


def _gone(name: str, summary: str, parameters: list[Any], *refusals: str) -> dict[str, Any]:
    """A call that answers with nothing."""
    return {
        "operationId": name, "summary": summary, "parameters": parameters,
        "responses": {"204": {"description": "Done", "headers": request_id()}}
        | problems("401", "403", "404", *refusals, "500", "503"),
    }  # fmt: skip


def _named() -> dict[str, Any]:
    subject = {"subject": {"format": "iss_sub", "iss": "https://shopward.shop.example", "sub": "pair-7"}}
    done = {"204": {"description": "Done", "headers": request_id()}}
    call = post("name_subject", "A receiver may hear of a customer", "As whom it knows them.", {"application/json": content("SubjectNamed", subject)}, done, "404")  # fmt: skip
    call["parameters"] = [ID, _USER, *call["parameters"]]
    return call


def _verify() -> dict[str, Any]:
    call = bare("verify_transmitter", "Have it prove that its tokens reach us", "TransmitterView", "202")
    call["responses"] |= problems("422")
    return call
