"""An endpoint that a setting names: over TLS or on this machine, and otherwise as ``calling`` promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.adapters.calling import Caller
from shopward.errors import Misconfigured
from shopward.values import stays_private, url_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.adapters.calling import Heard

TIMEOUT_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 * 1024


class Endpoint:
    """Where calls go.

    Args:
        url: of it.
        setting: names it, for the error.
        is_asked: whether it has paths below it, hence no query, and says more than its status; another one is only told.
        timeout_s: for a call.

    Raises:
        Misconfigured: it is none, or what is said would go out in clear.
    """

    def __init__(self, url: str, *, setting: str, is_asked: bool, timeout_s: float = TIMEOUT_S) -> None:
        parts = url_parts(url)
        is_safe = stays_private(parts.scheme, parts.hostname) and not parts.username
        if not is_safe or (is_asked and parts.query):
            raise Misconfigured(
                "this endpoint cannot be called", path=setting, found="another one",
                expected=f"an https URL{' without a query' if is_asked else ''}, or http on this machine",
            )  # fmt: skip
        self._url = parts._replace(fragment="").geturl()
        self._caller = Caller(timeout_s=timeout_s, body_bytes_max=ANSWER_BYTES_MAX if is_asked else 0)

    def ask(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Heard:
        """One call, of JSON."""
        url = self._url.rstrip("/") + path if path else self._url
        return self._caller.ask(
            method, url, headers={"content-type": "application/json", **headers}, body=body
        )
