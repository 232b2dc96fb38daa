"""What the OpenAPI document says of the calls of peers.

Promise: words and fields of the bodies are those of the tables, more is described where they come from; answers are the
structs that are sent.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import answer, request_id
from shopward.http.peers.calls import FORM, SENSOR
from shopward.http.peers.castle import FILTER, LOG, RISK, CastleError, CastleVerdict
from shopward.http.peers.tables import table_of
from shopward.http.peers.tirreno import Blacklisted

PEER_SHAPES: Final = (CastleVerdict, CastleError, Blacklisted)
PEER_SCHEMES: Final = {
    "castle": {"type": "http", "scheme": "basic", "description": "Castle's way: an empty user name, the key as password."},
    "tirreno": {"type": "apiKey", "in": "header", "name": "Api-Key", "description": "tirreno's way: the key in a header."},
}  # fmt: skip
_LOGIN: Final = {
    "type": "$login", "status": "$succeeded", "request_token": "once-1", "user": {"id": "u008490"},
    "context": {"ip": "203.0.113.7", "headers": {"User-Agent": "Mozilla/5.0"}},
}  # fmt: skip
_castle = table_of("castle")
_CASTLE_BODY: Final = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"enum": list(_castle.types)}, "status": {"enum": list(_castle.statuses)}}
    | {row.source: {"type": "object"} for row in _castle.rows if row.how == "object"}
    | {row.source.partition(".")[0]: {"type": "object"} for row in _castle.rows if "." in row.source},
}
_tirreno = table_of("tirreno")
_TIRRENO_BODY: Final = {
    "type": "object",
    "properties": {row.source: {"type": "string"} for row in _tirreno.rows}
    | {"eventType": {"enum": list(_tirreno.types)}, "eventTime": {"type": "string"}},
}
_REFUSALS: Final = ("400", "401", "403", "408", "409", "413", "415", "422", "500", "503")


def peer_paths() -> dict[str, Any]:
    """All of them."""
    verdict = {"201": answer("The verdict", "application/json", "CastleVerdict", None)}
    empty = {"204": {"description": "Recorded", "headers": request_id()}}
    blacklisted = {"200": answer("A word about the address", "application/json", "Blacklisted", None)}
    return {
        RISK: {"post": _castle_call("castle_risk", "Castle's Risk: a signed-in customer", verdict)},
        FILTER: {"post": _castle_call("castle_filter", "Castle's Filter: a visitor", verdict)},
        LOG: {"post": _castle_call("castle_log", "Castle's Log: recorded, no verdict", empty)},
        SENSOR: {"post": _call(
            "tirreno_sensor", "tirreno's sensor", "tirreno", FORM, _TIRRENO_BODY, empty | blacklisted, "text/plain",
            {"schema": {"type": "string"}},
        )},
    }  # fmt: skip


def _castle_call(name: str, summary: str, answers: dict[str, Any]) -> dict[str, Any]:
    shape = {"$ref": "#/components/schemas/CastleError"}
    call = _call(
        name, summary, "castle", "application/json", _CASTLE_BODY, answers, "application/json", {"schema": shape}
    )  # fmt: skip
    call["requestBody"]["content"]["application/json"]["example"] = _LOGIN
    return call


def _call(
    name: str,
    summary: str,
    scheme: str,
    reads: str,
    shape: dict[str, Any],
    answers: dict[str, Any],
    refuses: str,
    refusal: dict[str, Any],
) -> dict[str, Any]:
    refused = {
        "description": "A refusal, as the peer words it",
        "headers": request_id(),
        "content": {refuses: refusal},
    }
    fault = {"description": "A fault of ours", "headers": request_id(), "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}, refuses: refusal,
    }}  # fmt: skip
    return {
        "operationId": name,
        "summary": summary,
        "description": "For shops that come over from there; see docs/migrating.md for every field.",
        "security": [{scheme: []}],
        "requestBody": {"required": True, "content": {reads: {"schema": shape}}},
        "responses": answers
        | {status: fault if status in ("500", "503") else refused for status in _REFUSALS},
    }
