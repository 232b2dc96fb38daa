"""What the OpenAPI document says of the vault.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, bare, call, get, on_id, parameter
from shopward.http.vault_shapes import (
    Accesses,
    CanariesAsked,
    CanariesPlanted,
    Certificates,
    EraseAsked,
    ExportAsked,
    Exported,
    HoldAsked,
    HoldReleased,
    Holds,
    LeakTraced,
    LockAsked,
    LockReleased,
    Locks,
    LockView,
    PlanAsked,
    PlanView,
    Records,
    RecordsAsked,
    RecordView,
    RectifyAsked,
    Requests,
    RequestView,
    RetireAsked,
    RevealAsked,
    RotateAsked,
    Rotations,
    SearchAsked,
    TokenAsked,
    TokenView,
    TraceAsked,
)

VAULT_SHAPES: Final = (
    RecordsAsked, RecordView, Records, RectifyAsked, RevealAsked, RequestView, Requests, SearchAsked, Accesses, ExportAsked, Exported,
    EraseAsked, HoldAsked, HoldReleased, Holds, Certificates, LockAsked, LockReleased, LockView, Locks, TokenAsked,
    TokenView, RotateAsked, RetireAsked, Rotations, PlanAsked, PlanView,
    TraceAsked, LeakTraced, CanariesAsked, CanariesPlanted,
)  # fmt: skip
_LIMIT: Final = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100})
_REVEAL: Final = {"records": ["o-1"], "fields": ["name", "phone"], "purpose": "delivery", "order_id": "1001"}


def vault_paths() -> dict[str, Any]:
    """All of them."""
    return _records() | _users() | _office()


def _records() -> dict[str, Any]:
    record = {
        "user": "u008490",
        "kind": "order",
        "id": "o-1",
        "fields": {"order_id": "1001", "name": "Budi", "phone": "0812 3456 7890"},
    }
    reveal = call(
        "reveal",
        "See values",
        "For a purpose; decided, audited, then shown.",
        "RevealAsked",
        _REVEAL,
        "Records",
        "404",
        "429",
    )
    reveal["responses"]["202"] = answer(
        "A second person has to agree", "application/json", "RequestView", None
    )
    style = parameter("style", "query", {"type": "string", "enum": ["screen", "waybill"]})
    return {
        "/v1/vault/records": {"post": call(
            "put_records", "Keep records", "Sealed under a key of each customer; the same id is the next version.",
            "RecordsAsked", {"records": [record]}, "Records", status="201",
        )},
        "/v1/vault/records/{id}": {
            "get": get("record", "A record, masked", "For a page of staff, or a waybill.", "RecordView", [ID, style], "403", "404", "422"),
            "post": on_id(call(
                "rectify", "Correct a record", "What is named; the rest stays.", "RectifyAsked",
                {"fields": {"city": "Bandung"}}, "RecordView", "404",
            )),
        },
        "/v1/vault/reveal": {"post": reveal},
        "/v1/vault/requests": {"get": get("reveal_requests", "Reveals that wait", "Oldest first.", "Requests", [], "403")},
        "/v1/vault/requests/{id}/approve": {"post": bare("approve_reveal", "Agree to a reveal", "RequestView")},
        "/v1/vault/search": {"post": call(
            "search_records", "Find records", "By a value; shown masked.", "SearchAsked",
            {"kind": "order", "field": "phone", "value": "0812 3456 7890"}, "Records",
        )},
        "/v1/vault/tokens": {"post": call(
            "pseudonym", "A pseudonym for a partner", "The same again for the same customer, partner, purpose and epoch.",
            "TokenAsked", {"user": "u008490", "partner": "courier", "purpose": "delivery"}, "TokenView", "404",
        )},
    }  # fmt: skip


def _users() -> dict[str, Any]:
    text = {"type": "string", "maxLength": 128}
    return {
        "/v1/vault/users/{id}/records": {"get": get(
            "user_records", "A customer's records, masked", "In the order of their ids.", "Records",
            [ID, parameter("kind", "query", text), parameter("after", "query", text), _LIMIT], "403", "404", "422",
        )},
        "/v1/vault/users/{id}/accesses": {"get": get(
            "user_accesses", "Who looked", "For the customer, too; newest first.", "Accesses",
            [ID, parameter("before", "query", text), _LIMIT], "403", "404", "422",
        )},
        "/v1/vault/users/{id}/export": {"post": on_id(call(
            "export_user", "Everything of a customer", "For them, on a case.", "ExportAsked", {"case_id": "c-7"}, "Exported", "404",
        ))},
        "/v1/vault/users/{id}/erase": {"post": on_id(call(
            "erase_user", "Erase a customer", "A dry run unless dry_run is false; gives a certificate.", "EraseAsked",
            {"reason": "asked by mail", "dry_run": True}, "Certificate", "404",
        ))},
        "/v1/vault/users/{id}/erasures": {"get": get(
            "user_erasures", "Certificates", "Of a customer's erasures.", "Certificates", [ID], "403", "404",
        )},
        "/v1/vault/users/{id}/hold": {"post": on_id(call(
            "hold_user", "Place a legal hold", "What is held is not erased.", "HoldAsked", {"reason": "suit 7"}, "Holds", "404",
            status="201",
        ))},
        "/v1/vault/users/{id}/release": {"post": on_id(call(
            "release_user", "End legal holds", "By another person; an erasure that waited is carried out.", "HoldReleased", {},
            "Holds", "404",
        ))},
    }  # fmt: skip


def _office() -> dict[str, Any]:
    lock = {"kind": "person", "target": "ani", "reason": "suspicion"}
    return {
        "/v1/vault/locks": {
            "get": get("vault_locks", "What is shut", "Everything.", "Locks", [], "403"),
            "post": call("lock_vault", "Shut", "At once, for every server.", "LockAsked", lock, "LockView", status="201"),
        },
        "/v1/vault/locks/release": {"post": call(
            "unlock_vault", "Open again", "By an admin, and nobody for himself.", "LockReleased",
            {"kind": "person", "target": "ani"}, "Locks", "404",
        )},
        "/v1/vault/rotations": {
            "get": get("vault_rotations", "Rotations and keys", "With what is safe to destroy.", "Rotations", [], "403"),
            "post": call(
                "rotate_key", "Replace a key", "The steps are done beside.", "RotateAsked", {"use": "kek"}, "Rotations", status="202"
            ),
        },
        "/v1/vault/canaries": {"post": call(
            "plant_canaries", "Plant canaries", "Records of nobody that tell who read or leaked them.", "CanariesAsked",
            {"count": 5, "region": "ID", "phones": "+62851000", "domain": "shop.example", "partner": "fast-courier"},
            "CanariesPlanted", "404", status="201",
        )},
        "/v1/vault/trace": {"post": call(
            "trace_leak", "Who leaked", "Leaked rows against what was shown to whom; proof, lead, possible or ruled out.",
            "TraceAsked", {"rows": [{"phone": "+62 812-3456-7890", "name": "budi"}]}, "LeakTraced", "404",
        )},
        "/v1/vault/rotations/retire": {"post": call(
            "retire_key", "Destroy a key", "Refused while a row needs it.", "RetireAsked", {"use": "kek", "version": 1},
            "Rotations", "404",
        )},
        "/v1/vault/indexes": {"post": call(
            "plan_index", "What an index shows", "To who has the store and no key; switches n-grams on or off.", "PlanAsked",
            {"kind": "order", "field": "name"}, "PlanView",
        )},
    }  # fmt: skip
