"""What the OpenAPI document says of the ledger.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.books import Opening, Recovery, Reversal, WriteOff
from shopward.http.ledger import ABOUT, SEQ_MAX, TEXT_MAX, Balances, Transfers, TransferView
from shopward.http.openapi import ID, answer, get, parameter, post
from shopward.http.reads import LIMIT_MAX

LEDGER_SHAPES: Final = (TransferView, Transfers, Balances, Opening, Recovery, WriteOff, Reversal)
_EXAMPLE: Final = {
    "word": "recovery", "key": "insurer-2026-01", "way": "bank", "amount_minor": 5000000, "currency": "IDR",
    "partner": "wallet-partner", "incident": "inc-7",
}  # fmt: skip


def ledger_paths() -> dict[str, Any]:
    """All of them."""
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX})
    before = parameter("before", "query", {"type": "integer", "minimum": 1, "maximum": SEQ_MAX})
    words = {"type": "string", "minLength": 1, "maxLength": TEXT_MAX}
    asked = [parameter(name, "query", words) for name in ABOUT]
    shapes = [
        {"$ref": f"#/components/schemas/{each.__name__}"} for each in (Opening, Recovery, WriteOff, Reversal)
    ]
    made = answer("The transfer", "application/json", "TransferView", None)
    return {
        "/v1/ledger/balances": {"get": get(
            "ledger_balances", "Balances", "Where accounts stand, by name.", "Balances",
            [parameter("after", "query", words), limit], "403", "422",
        )},
        "/v1/ledger/transfers": {"get": get(
            "ledger_transfers", "Transfers", "By an account or by what they are about; exactly one is named. Newest first.",
            "Transfers", [*asked, before, limit], "403", "422",
        )},
        "/v1/ledger/transfers/{id}": {"get": get(
            "ledger_transfer", "One transfer", "With how it was ended.", "TransferView", [ID], "403", "404",
        )},
        "/v1/ledger/postings": {"post": post(
            "ledger_post", "Post by hand", "An opening balance, a recovery, a write-off or a reversal.",
            {"application/json": {"schema": {"oneOf": shapes}, "example": _EXAMPLE}}, {"200": made, "201": made}, "404",
        )},
    }  # fmt: skip
