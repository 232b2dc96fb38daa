"""django-allauth's account views. Its logins go through Django's backends and signals and need nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.contrib.django.guards import GuardedView, is_post
from shopward.contrib.django.presets.accounts import changed_email, who_is_typed

if TYPE_CHECKING:
    from django.http import HttpRequest


def guards() -> dict[str, tuple[GuardedView, ...]]:
    """View names of ``allauth.account.urls``."""
    return {
        "account_change_password": (GuardedView("password_change"),),
        "account_set_password": (GuardedView("password_change"),),
        "account_email": (GuardedView("email_change", applies=_adds_an_address, parts=changed_email),),
        "account_reset_password": (GuardedView("password_reset_request", user=who_is_typed("email")),),
        "account_reset_password_from_key": (GuardedView("password_reset"),),
    }


def _adds_an_address(request: HttpRequest) -> bool:
    return is_post(request) and "action_remove" not in request.POST and "action_send" not in request.POST
