"""What the OpenAPI document says of processing.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.dossier import ConsentView
from shopward.flows.processing import ConsentSaid
from shopward.http.openapi import ID, answer, content, get, on_id, parameter, portable, post
from shopward.http.processing import FORMATS, Activities, ActivityView, Consents
from shopward.processing.activity import NAME, Activity
from shopward.processing.record import ProcessingRecord

PROCESSING_SHAPES: Final = (
    Activities, Activity, ActivityView, ProcessingRecord, ConsentSaid, ConsentView, Consents,
)  # fmt: skip
_EXAMPLE: Final = {
    "title": {"id": "Kabar tentang penawaran", "zh": "优惠信息", "en": "News of offers"}, "basis": "consent",
    "law": "GDPR art. 6(1)a", "data": ["contact"], "subjects": ["customers"], "keep": "Until it is withdrawn",
}  # fmt: skip


def processing_paths() -> dict[str, Any]:
    """All of them."""
    name = parameter("name", "path", portable({"type": "string", "pattern": NAME}))
    declare = post(
        "declare_activity", "Declare an activity", "A new version; the same again is the one that is there.",
        {"application/json": content("Activity", _EXAMPLE)},
        {"200": answer("In force", "application/json", "ActivityView", None)},
    )  # fmt: skip
    declare["parameters"] = [
        name,
        *(each for each in declare["parameters"] if each["name"] != "Idempotency-Key"),
    ]
    record = get(
        "processing_record", "The record of processing activities", "As JSON, CSV or a page.", "ProcessingRecord",
        [parameter("format", "query", {"type": "string", "enum": list(FORMATS)})], "403", "422",
    )  # fmt: skip
    record["responses"]["200"]["content"] |= {
        media: {"schema": {"type": "string"}} for media in ("text/csv", "text/html")
    }
    said = post(
        "say_consent", "A customer gives or withdraws consent", "A new line; said again, the one that is there.",
        {"application/json": content(
            "ConsentSaid", {"purpose": "offers", "state": "given", "text_version": "2026-11", "how": "app"}
        )},
        {"201": answer("The line that counts", "application/json", "ConsentView", None)}, "404",
    )  # fmt: skip
    return {
        "/v1/processing/activities": {
            "get": get("activities", "What is done with personal data", "In force, by name.", "Activities", [], "403"),
        },
        "/v1/processing/activities/{name}": {"put": declare},
        "/v1/processing/record": {"get": record},
        "/v1/users/{id}/consents": {
            "get": get("consents", "A customer's consents", "Every line.", "Consents", [ID], "403", "422"),
            "post": on_id(said),
        },
    }  # fmt: skip
