"""The Django app. It connects receivers and checks and opens nothing: a shop's start does not wait for a server."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ShopwardConfig(AppConfig):
    """``"shopward.contrib.django"`` in ``INSTALLED_APPS``."""

    name = "shopward.contrib.django"
    label = "shopward"
    verbose_name = "Shopward"

    def ready(self) -> None:
        """Connect what needs the models."""
        from shopward.contrib.django import receivers  # noqa: PLC0415 -- models exist from here on
        from shopward.contrib.django.checks import check_server, check_wiring  # noqa: PLC0415 -- the same

        receivers.connect()
        checks.register(check_wiring, checks.Tags.security)
        checks.register(check_server, checks.Tags.security, deploy=True)
