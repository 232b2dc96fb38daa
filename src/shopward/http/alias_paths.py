"""What the OpenAPI document says of virtual contact data.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.aliases import (
    ALIAS_CHARS_MAX,
    AliasesView,
    AliasView,
    NumbersAsked,
    PoolView,
    ResolveAsked,
    ResolvedView,
)
from shopward.http.openapi import answer, content, get, parameter, post
from shopward.http.reads import LIMIT_MAX

ALIAS_SHAPES: Final = (NumbersAsked, PoolView, AliasView, AliasesView, ResolveAsked, ResolvedView)


def alias_paths() -> dict[str, Any]:
    """All of them."""
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX})
    after = parameter("after", "query", {"type": "string", "maxLength": ALIAS_CHARS_MAX})
    counted = answer("The pool", "application/json", "PoolView", None)
    reached = answer("Whom to reach", "application/json", "ResolvedView", None)
    numbers = {"application/json": content("NumbersAsked", {"numbers": ["+6285100000001"]})}
    asked = {"application/json": content("ResolveAsked", {"alias": "+6285100000001", "purpose": "delivery", "order_id": "1001"})}  # fmt: skip
    return {
        "/v1/partners/aliases/pool": {
            "get": get("aliases", "Aliases", "Numbers and addresses, by alias.", "AliasesView", [after, limit], "403", "422"),
            "post": post("import_numbers", "Import numbers", "Of the shop's relay; those that are there stay.", numbers, {"201": counted}),
        },
        "/v1/partners/aliases/resolve": {
            "post": post("resolve_alias", "Whom an alias stands for", "A reveal of that field.", asked, {"200": reached}, "403", "404"),
        },
    }  # fmt: skip
