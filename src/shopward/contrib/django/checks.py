"""``manage.py check``: wiring that would leave doors open, and with ``--deploy`` whether the server hears us.

Promise: each finding says what to write where. Nothing is asked of a server unless ``--deploy`` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver

from shopward.contrib.django.backends import PATH
from shopward.contrib.django.options import NAME, shopward
from shopward.contrib.django.presets import presets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD: Final = "shopward.contrib.django.middleware.Guard"
_SESSIONS: Final = "django.contrib.sessions.middleware.SessionMiddleware"
_USERS: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"


def check_wiring(**_: Any) -> list[checks.CheckMessage]:
    """Settings alone."""
    found: list[checks.CheckMessage] = []
    try:
        guards = shopward().guards
    except ImproperlyConfigured as problem:
        found.append(checks.Error(str(problem), hint="See docs/django.md.", id="shopward.E001"))
        guards = {}
    backends = list(settings.AUTHENTICATION_BACKENDS)
    if PATH not in backends:
        found.append(
            _wrong("AUTHENTICATION_BACKENDS lacks it: no login is decided.", f"Put '{PATH}' first.", "E002")
        )
    elif backends[0] != PATH:
        found.append(
            _wrong(
                "Another backend goes before it and lets people in undecided.", f"Put '{PATH}' first.", "E003"
            )
        )
    elif len(backends) == 1:
        found.append(
            _wrong(
                "It is the only backend: nobody checks passwords.", "Keep the shop's own behind it.", "E004"
            )
        )
    order = list(settings.MIDDLEWARE)
    if GUARD not in order:
        found.append(
            _wrong(
                "MIDDLEWARE lacks the guard: nothing is guarded.", f"Put '{GUARD}' behind {_USERS}.", "E005"
            )
        )
    elif _USERS not in order or order.index(GUARD) < order.index(_USERS) or _SESSIONS not in order:
        found.append(
            _wrong("The guard runs before it is known who asks.", f"Put '{GUARD}' behind {_USERS}.", "E006")
        )
    found += _unknown_views(guards)
    try:
        get_template("shopward/challenge.html")
    except TemplateDoesNotExist:
        found.append(
            checks.Error(
                "Templates of apps are not loaded: who is challenged would see an error.",
                hint="Set APP_DIRS, or add django.template.loaders.app_directories.Loader.",
                id="shopward.E008",
            )
        )
    return found


def check_server(**_: Any) -> list[checks.CheckMessage]:
    """Ask the server for a challenge that it cannot have: who answers so knows the key and the call."""
    try:
        fault = shopward().client.challenge("d-check").fault
    except ImproperlyConfigured:
        return []  # told already
    if fault is None or fault.code == "not_proved":
        return []
    return [
        checks.Warning(
            str(fault), hint="Until it is heard, SHOPWARD['on_unreachable'] decides.", id="shopward.W009"
        )
    ]


def _unknown_views(guards: Any) -> Iterator[checks.CheckMessage]:
    """A guard of the shop's own for a view that no URL has guards nothing."""
    presets = presets_of(settings.INSTALLED_APPS)
    own = set(guards) - set(presets)
    if own:
        known = set(_view_names(get_resolver(), ""))
        for name in sorted(own - known):
            yield _wrong(
                f"{NAME}['guards'] names {name!r}, and no URL has that name.",
                "Name a view as reverse() does.",
                "E007",
            )


def _view_names(resolver: Any, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _view_names(pattern, inner)
        elif pattern.name:
            yield prefix + pattern.name


def _wrong(what: str, hint: str, number: str) -> checks.CheckMessage:
    return checks.Error(f"shopward: {what}", hint=hint, id=f"shopward.{number}")
