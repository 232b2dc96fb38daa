"""What a customer sees where something is stopped: a page with a reason and a number, or JSON for a program.

Promise: never cached, never indexed, no value of the request in it; the reason is the server's own sentence in the
customer's language. A shop puts its own look over ``shopward/stopped.html`` and ``shopward/challenge.html``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_script_prefix

from shopward.contrib.django.asking import wants_json
from shopward.contrib.django.texts import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.client import Decision
    from shopward.contrib.django.visit import Visit


def stopped(visit: Visit, decision: Decision) -> HttpResponse:
    """403 with the reason; 503 where it is only that Shopward is not heard."""
    words = texts(visit.language)
    unheard = decision.is_fallback
    reason = "" if unheard else next((each.text for each in decision.reasons if each.text != each.code), "")
    text = words["busy_text"] if unheard else words["stopped_text"]
    status = 503 if unheard else 403
    if wants_json(visit.request):
        body = {"title": words["stopped_title"], "detail": reason or text, "status": status, "code": "stopped",
                "decision_id": decision.id}  # fmt: skip
        return private(JsonResponse(body, status=status, content_type="application/problem+json"))
    shown = {"title": words["stopped_title"], "text": text, "reason": reason, "reference": decision.id}
    return page(visit, "stopped", shown, status)


def page(visit: Visit, name: str, shown: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """One of our pages."""
    known = {"words": texts(visit.language), "language": visit.language, "home": get_script_prefix()}
    return private(render(visit.request, f"shopward/{name}.html", {**known, **shown}, status=status))


def private(response: HttpResponse) -> HttpResponse:
    """Kept by nobody."""
    response["Cache-Control"] = "no-store"
    return response
