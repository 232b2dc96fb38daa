"""What the OpenAPI document says of screening.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.flows.screen import LinkAsked, ProfileView, SenderAsked
from shopward.http.openapi import answer, content, get, post
from shopward.screening import Screened
from shopward.screening.profile import ProfileSpec

SCREENING_SHAPES: Final = (LinkAsked, SenderAsked, Screened, ProfileView, ProfileSpec)
PROFILE_EXAMPLE: Final = {
    "name": "Toko Nusantara", "aliases": ["TokoNusa"], "official_domains": ["tokonusa.co.id"],
    "official_senders": [{"channel": "sms", "sender": "TOKONUSA"}],
}  # fmt: skip


def screening_paths() -> dict[str, Any]:
    """All of them."""
    put = post(
        "publish_profile", "Publish the shop's profile",
        "In force for every worker within a second; refused where it would judge the shop's own wrongly.",
        {"application/json": content("ProfileSpec", PROFILE_EXAMPLE)},
        {"200": answer("In force", "application/json", "ProfileView", None)}, "403",
    )  # fmt: skip
    return {
        "/v1/screen/links": {"post": screen_call(
            "screen_link", "Whose is this link", "As it was pasted; nothing is opened.", "LinkAsked",
            {"url": "https://tokonusa.co.id.example.net/login"},
        )},
        "/v1/screen/senders": {"post": screen_call(
            "screen_sender", "Whose is this number, address or account", "As it was shown.", "SenderAsked",
            {"sender": "+62 811-1000-200", "channel": "whatsapp"},
        )},
        "/v1/screen/profile": {
            "get": get("screening_profile", "The profile in force", "With its warnings.", "ProfileView", [], "404"),
            "put": put,
        },
    }  # fmt: skip


def screen_call(name: str, summary: str, text: str, takes: str, example: dict[str, Any]) -> dict[str, Any]:
    """A call that judges one object, or lines of them."""
    return post(
        name, summary, text,
        {"application/json": content(takes, example), "application/x-ndjson": {"schema": {"type": "string"}}},
        {"200": answer("The verdict, or one a line", "application/json", "Screened", None)
         | {"content": {
             "application/json": content("Screened", None), "application/x-ndjson": {"schema": {"type": "string"}},
         }}},
        "404",
    )  # fmt: skip
