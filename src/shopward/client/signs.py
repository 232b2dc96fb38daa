"""What a request's headers say against its user agent: signs of a script that calls itself a browser.

Promise: pure, bounded, and quiet in doubt: a browser that is not named here, an old one, a view inside another app, a request
in clear text (where browsers leave these headers out) have no signs. A sign is a word for ``properties.client_signs`` of an
event, never a refusal. It does not see a program that sends what a browser sends.

``no_language``: no ``Accept-Language``; ``no_fetch_metadata``: none of ``Sec-Fetch-*``, which this browser sends over TLS
since years; ``headless_brand``: the browser calls itself headless. A page of the shop may add ``webdriver``
(``navigator.webdriver``) by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.agents import described

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENT_MAX: Final = 1_024
_SINCE: Final = {"Chrome": 80, "Edge": 80, "Firefox": 90, "Safari": 17}
"""From which version on, rounded up, a browser sends fetch metadata."""
_IOS_SINCE: Final = 17
"""On iOS every browser is Safari's engine of that system."""


def signs_of_wsgi(environ: Mapping[str, Any], *, is_secure: bool) -> list[str]:
    """Of a WSGI request; also of Django's ``request.META``. ``is_secure``: whether the customer came over TLS."""
    return _signs(
        str(environ.get("HTTP_USER_AGENT", "")),
        has_language=bool(environ.get("HTTP_ACCEPT_LANGUAGE")),
        has_metadata=not is_secure or any(name.startswith("HTTP_SEC_FETCH_") for name in environ),
        brands=str(environ.get("HTTP_SEC_CH_UA", "")),
    )


def signs_of_asgi(scope: Mapping[str, Any], *, is_secure: bool) -> list[str]:
    """Of an ASGI request."""
    headers = {bytes(name).lower(): bytes(value) for name, value in scope.get("headers", ())}
    return _signs(
        headers.get(b"user-agent", b"").decode("latin-1"),
        has_language=bool(headers.get(b"accept-language")),
        has_metadata=not is_secure or any(name.startswith(b"sec-fetch-") for name in headers),
        brands=headers.get(b"sec-ch-ua", b"").decode("latin-1"),
    )


def _signs(agent: str, *, has_language: bool, has_metadata: bool, brands: str) -> list[str]:
    said = described(agent[:_AGENT_MAX])
    name, _, version = said["browser"].rpartition(" ")
    is_named = name in _SINCE and version.isdigit() and int(version) >= _SINCE[name]
    system, _, release = said["os"].rpartition(" ")
    if system == "iOS" and not (release.isdigit() and int(release) >= _IOS_SINCE):
        is_named = False
    signs = {
        "no_language": is_named and not has_language,
        "no_fetch_metadata": is_named and not has_metadata,
        "headless_brand": "headless" in brands[:_AGENT_MAX].lower(),
    }
    return [word for word, is_so in signs.items() if is_so]
