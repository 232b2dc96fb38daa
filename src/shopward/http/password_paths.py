"""What the OpenAPI document says of passwords, and of the phones that codes go to. Promise: shapes are those that the calls themselves use."""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import answer, content, parameter, post, problems, request_id
from shopward.http.passwords import PasswordAsked, PasswordScreened, PasswordsRemembered, PasswordsTold
from shopward.http.sims import SimAsked, SimLooked

PASSWORD_SHAPES: Final = (
    PasswordAsked, PasswordScreened, PasswordsTold, PasswordsRemembered, SimAsked, SimLooked,
)  # fmt: skip
_ASKED: Final = {"password": "sayangku123", "context": {"email": "budi@mail.example", "sole_factor": True}}
_SCREENED: Final = {
    "verdict": "reject", "reasons": [{"code": "password_guessable", "text": "This password is easily guessed."}],
    "breach_count": None, "strength": 1, "guesses_log10": 4.18,
}  # fmt: skip


def password_paths() -> dict[str, Any]:
    """All of them."""
    return {
        "/v1/screen/passwords": {"post": post(
            "screen_password", "Screen a password", "Whether it may be chosen, and why not. It is not kept.",
            {"application/json": content("PasswordAsked", _ASKED)},
            {"200": answer("The verdict", "application/json", "PasswordScreened", _SCREENED)},
        )},
        "/v1/screen/passwords/range/{prefix}": {"get": {
            "operationId": "password_range", "summary": "Stolen passwords under a prefix",
            "description": "SUFFIX:COUNT lines, as Have I Been Pwned answers them.",
            "parameters": [
                parameter("prefix", "path", {"type": "string", "pattern": "^[0-9A-Fa-f]{5}$"}),
                parameter("Add-Padding", "header", {"type": "string"}),
            ],
            "responses": {"200": {"description": "The lines", "headers": request_id(),
                                  "content": {"text/plain": {"schema": {"type": "string"}}}}}
            | problems("401", "404", "422", "500", "503"),
        }},
        "/v1/sim-swaps": {"post": post(
            "look_up_sim", "Ask about a SIM swap", "Whether the SIM behind a customer's number was changed a short while ago.",
            {"application/json": content("SimAsked", {"user": "u1", "phone": "+6281234567890"})},
            {"200": answer("What the operator says", "application/json", "SimLooked", {"swapped": True})}, "403",
        )},
        "/v1/screen/passwords/incidents": {"post": post(
            "remember_passwords", "Refuse passwords of an incident", "Kept as keyed digests; audited without them.",
            {"application/json": content("PasswordsTold", {"passwords": ["hunter2hunter2"]})},
            {"200": answer("Remembered", "application/json", "PasswordsRemembered", {"new": 1, "known": 1})}, "403",
        )},
    }  # fmt: skip
