"""The setting ``SHOPWARD``, read once, and the one client of the process.

Promise: what cannot work is ``ImproperlyConfigured`` when the shop starts (the middleware asks for it then) and an error of
``manage.py check``; never later, in a customer's request. A name that does not exist is refused: a misspelt option would
silently do nothing.

    SHOPWARD = {
        "url": "https://shopward.internal",      # required
        "key": os.environ["SHOPWARD_KEY"],       # required; of the role 'service'
        "timeout_s": 0.3,
        "on_unreachable": {"withdrawal": "deny"},
        "proxies": ["10.0.0.0/8"],               # whose X-Forwarded-For is believed
        "screens_logins": True,                  # whether a password that was right is looked up among stolen ones
        "pages": True,                           # whether forms carry {% shopward_page %}
        "guards": {"wallet:send": "wallet_transfer"},  # view name to event type, or to a GuardedView; None takes one off
    }
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from shopward.client import Client, TrustedProxies
from shopward.contrib.django.guards import GuardedView
from shopward.contrib.django.presets import presets_of
from shopward.contrib.django.tokens import token

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "SHOPWARD"
_REQUIRED: Final = ("url", "key")
_KNOWN: Final = (*_REQUIRED, "timeout_s", "on_unreachable", "proxies", "screens_logins", "pages", "guards")


@dataclass(frozen=True)
class Shopward:
    """What the package works with.

    Attributes:
        client: the SDK's, shared by all threads.
        proxies: whose forwarding header is believed.
        guards: guarded views by view name (``customer:change-password``).
        screens_logins: whether passwords are looked up among stolen ones, without leaving the shop.
        has_pages: whether the shop's forms carry a page's token, so that one without is worth telling.
    """

    client: Client
    proxies: TrustedProxies
    guards: Mapping[str, tuple[GuardedView, ...]]
    screens_logins: bool = True
    has_pages: bool = False

    def credential(self, password: str) -> dict[str, Any]:
        """``credential`` of an event about a password that is right or new; nobody heard of it is no sign (fails open)."""
        stolen = self.screens_logins and self.client.stolen_password(password).is_known
        return {"password_hmac": token("password", password), **({"breached": True} if stolen else {})}


@lru_cache(maxsize=1)
def shopward() -> Shopward:
    """The process's own; raises ``ImproperlyConfigured`` where the setting cannot work."""
    said = getattr(settings, NAME, None)
    if not isinstance(said, dict):
        raise ImproperlyConfigured(f"{NAME}: expected a dictionary with 'url' and 'key', found none")
    if missing := [name for name in _REQUIRED if not said.get(name)]:
        raise ImproperlyConfigured(f"{NAME}[{missing[0]!r}]: expected a text, found nothing")
    if unknown := sorted(set(said) - set(_KNOWN)):
        raise ImproperlyConfigured(f"{NAME}[{unknown[0]!r}]: expected one of {', '.join(_KNOWN)}")
    try:
        guards = _guards(said.get("guards", {}))
        proxies = TrustedProxies(said.get("proxies", ()))
        further = {name: said[name] for name in ("timeout_s", "on_unreachable") if name in said}
        client = Client(said["url"], said["key"], **further)
        return Shopward(
            client, proxies, guards, bool(said.get("screens_logins", True)), bool(said.get("pages", False))
        )
    except (TypeError, ValueError) as problem:
        message = f"{NAME}: {problem}"  # the SDK's messages name the setting and never the key
    raise ImproperlyConfigured(message)


def _guards(own: Mapping[str, Any]) -> dict[str, tuple[GuardedView, ...]]:
    """Those of the shop software that is installed, and the shop's own over them."""
    guards = presets_of(settings.INSTALLED_APPS)
    for name, given in own.items():
        if given is None:
            guards.pop(name, None)
        elif isinstance(given, str):
            guards[name] = (GuardedView(given),)
        elif isinstance(given, GuardedView):
            guards[name] = (given,)
        else:
            raise ValueError(f"guards[{name!r}]: expected an event type, a GuardedView or None")
    return guards


def _forget(*, setting: str, **_: Any) -> None:
    if setting in (NAME, "INSTALLED_APPS") and shopward.cache_info().currsize:
        shopward().client.close()
        shopward.cache_clear()


setting_changed.connect(_forget)  # sent by Django's test tools alone
