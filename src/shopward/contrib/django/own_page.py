"""The way to a customer's own page, at ``/shopward/account``: who is signed in is led there, by a link that works once.

Promise: a visitor is led to the login, and nobody but the customer of the session gets a link. Where Shopward is not heard there is
no page (fails closed) and the shop says so in its own words. Each time costs one call, when somebody presses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect
from django.urls import get_script_prefix as home
from django.utils.timezone import get_current_timezone_name

from shopward.client import Decision
from shopward.contrib.django import pages

if TYPE_CHECKING:
    from django.http import HttpResponse

    from shopward.client import Client
    from shopward.contrib.django.visit import Visit

PATH: Final = "/shopward/account"


def answer(client: Client, visit: Visit) -> HttpResponse:
    """On to the page, to the login, or why not now."""
    user = getattr(visit.request, "user", None)
    if user is None or not user.is_authenticated:
        return pages.private(redirect_to_login(home() + PATH.lstrip("/")))
    zone = get_current_timezone_name()
    named = zone if "/" in zone else ""  # an offset has no name that the server knows
    page = client.own_page(str(user.pk), language=visit.language, timezone=named)
    if page.fault is not None:
        return pages.stopped(visit, Decision("", "deny", fault=page.fault))
    return pages.private(HttpResponseRedirect(page.url))
