"""One call to one endpoint over HTTP: bounded in time and bytes, over TLS or on this machine, following no redirect."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shopward.errors import Misconfigured
from shopward.values import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 * 1024


class Endpoint:
    """Where calls go.

    Args:
        url: of it.
        setting: names it, for the error.

    Raises:
        Misconfigured: it is none, or what is said would go out in clear.
    """

    def __init__(self, url: str, *, setting: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not host or not is_safe or parts.username or parts.query:
            raise Misconfigured(
                "the endpoint of a channel cannot be used", path=setting, found="another one",
                expected="an https URL without a query, or http on this machine",
            )  # fmt: skip
        self._is_tls = parts.scheme == "https"
        self._host, self._port, self._path = host, parts.port, parts.path.rstrip("/")

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and the beginning of the answer; 0 and nothing where there was none."""
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
            if self._is_tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        )
        try:
            connection.request(
                "POST", (self._path + path) or "/", body, {"content-type": "application/json", **headers}
            )
            response = connection.getresponse()
            return response.status, response.read(ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()
