"""What the OpenAPI document says of playbooks.

Promise: shapes are those that the calls themselves use; a CACAO document is its own specification's.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.openapi import ID, answer, get, parameter, post
from shopward.http.playbooks import PlaybookHead, Playbooks, PlaybookView

PLAYBOOK_SHAPES: Final = (PlaybookHead, Playbooks, PlaybookView)


def playbook_paths() -> dict[str, Any]:
    """All of them."""
    document = {"schema": {"type": "object", "description": "A CACAO 2.0 playbook."}}
    return {
        "/v1/playbooks": {
            "get": get("playbooks", "Playbooks", "The newest version of each.", "Playbooks", [], "403"),
            "post": post(
                "bring_playbook", "Bring a playbook", "A CACAO 2.0 document; kept as a new version, never carried out.",
                {"application/json": document},
                {"201": answer("The playbook", "application/json", "PlaybookHead", None)},
            ),
        },
        "/v1/playbooks/{id}": {"get": get(
            "playbook", "One playbook", "As JSON, or as CACAO 2.0.", "PlaybookView",
            [ID, parameter("format", "query", {"enum": ["json", "cacao"]})], "403", "404", "422",
        )},
    }  # fmt: skip
