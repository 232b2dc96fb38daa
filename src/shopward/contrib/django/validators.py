"""A validator for ``AUTH_PASSWORD_VALIDATORS``: passwords that thieves hold, or guess, are not taken.

Promise: it asks the server and keeps nothing; the password goes there in a body, over TLS or on this machine. A server that is
not heard refuses nobody (fails open): the SDK's log says so, once a minute.

    AUTH_PASSWORD_VALIDATORS += [{"NAME": "shopward.contrib.django.validators.PasswordScreening"}]
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import get_language

from shopward.client.settings import LANGUAGES
from shopward.contrib.django.options import shopward
from shopward.contrib.django.texts import texts
from shopward.contrib.django.visit import current

_ATTRIBUTES: Final = ("username", "email", "first_name", "last_name")


class PasswordScreening:
    """See the module.

    Args:
        sole_factor: whether the password is all that a login asks for; ``None`` says nothing about it.
    """

    def __init__(self, *, sole_factor: bool | None = None) -> None:
        self.sole_factor = sole_factor

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` with the server's reasons, in the customer's language."""
        context: dict[str, str | bool] = {
            name: str(value)[:200]
            for name in _ATTRIBUTES
            if (value := getattr(user, name, "")) and isinstance(value, str)
        }
        if self.sole_factor is not None:
            context["sole_factor"] = self.sole_factor
        said = shopward().client.screen_password(password, context, language=_language())
        if not said.may_be_chosen:
            raise ValidationError([ValidationError(each.text, code=each.code) for each in said.reasons])

    def password_changed(self, password: str, user: Any = None) -> None:
        """Django's call once a new password is saved: what the events of this visit say of it."""
        visit = current.get()
        if visit is not None and user is not None:
            visit.credentials[user.pk] = shopward().credential(password)

    def get_help_text(self) -> str:
        """What to do, under the field."""
        return texts(_language())["password_help"]


def _language() -> str:
    spoken = (get_language() or "").partition("-")[0].lower()
    return spoken if spoken in LANGUAGES else "en"
