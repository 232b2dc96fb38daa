"""Django's own account views (``django.contrib.auth.urls``), and readers that other presets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.utils.http import urlsafe_base64_decode

from shopward.contrib.django.guards import GuardedView
from shopward.contrib.django.tokens import token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest


def guards() -> dict[str, tuple[GuardedView, ...]]:
    """View names of ``django.contrib.auth.urls``."""
    return {
        "password_change": (GuardedView("password_change"),),
        "password_reset": (GuardedView("password_reset_request", user=who_is_typed("email")),),
        "password_reset_confirm": (GuardedView("password_reset", user=who_is_in_the_link),),
    }


def who_is_typed(field: str) -> Any:
    """A reader of the account whose name or address was typed, or of what was typed where there is none."""

    def read(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Any:
        typed = request.POST.get(field, "")
        return account_of(typed) or typed

    return read


def who_is_in_the_link(_request: HttpRequest, kwargs: Mapping[str, Any]) -> Any:
    """The account of a link for a new password (``uidb64``)."""
    try:
        pk = urlsafe_base64_decode(str(kwargs["uidb64"])).decode()
        return get_user_model()._default_manager.get(pk=pk)  # noqa: SLF001 -- Django's documented name
    except (KeyError, ValueError, get_user_model().DoesNotExist):
        return None


def account_of(typed: str) -> Any:
    """The account of a name or address, whatever its capitals; ``None`` where there is none, or more than one."""
    model = get_user_model()
    fields = dict.fromkeys((model.USERNAME_FIELD, model.get_email_field_name()))
    for field in fields:
        try:
            model._meta.get_field(field)  # noqa: SLF001 -- Django's documented name
        except FieldDoesNotExist:
            continue
        found = list(model._default_manager.filter(**{f"{field}__iexact": typed})[:2]) if typed else []  # noqa: SLF001 -- the same
        if len(found) == 1:
            return found[0]
    return None


def changed_email(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The change of an address, as tokens."""
    old = (getattr(request.user, "email", "") or "").strip().lower()
    new = request.POST.get("email", "").strip().lower()
    change = {"field": "email", "old_token": token("email", old), "new_token": token("email", new)}
    return {"changes": [{name: value for name, value in change.items() if value}]}
