"""Ready guards for shop software: Django's own account views, django-oscar, allauth. One module each, told by installed app.

A preset's module has ``guards()``: view names to ``GuardedView``. It imports the software it is for inside its readers
alone, when a request is there, so that a preset costs nothing where its software is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.contrib.django.presets import accounts, allauth, oscar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.contrib.django.guards import GuardedView

_BY_APP = {"oscar": oscar.guards, "oscar_accounts": oscar.gift_card_guards, "allauth.account": allauth.guards}


def presets_of(installed_apps: Iterable[str]) -> dict[str, tuple[GuardedView, ...]]:
    """The guards of what is installed."""
    found = dict(accounts.guards())
    for app in installed_apps:
        name = app.partition(".apps.")[0]
        if name in _BY_APP:
            found |= _BY_APP[name]()
    return found
