"""What a shop says once: where the server is, the key, how long to wait, and what to do when it is not heard.

Promise: a setting that cannot work is a ``ValueError`` when the client is made, at the shop's start, and never later in
a customer's request. The key stands in no ``repr`` and in no message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shopward.client.fallback import Fallback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.client.answers import Verdict

TIMEOUT_S: Final = 0.3
LANGUAGES: Final = ("id", "zh", "en")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Settings:
    """A client's settings.

    Attributes:
        url: of the server; https, or http on loopback.
        key: an API key with the role ``service``.
        timeout_s: for connecting, for sending and for waiting, each.
        on_unreachable: verdicts by event type; see ``fallback``.
        language: of reasons' texts, where a call names none.
    """

    url: str
    key: str = field(repr=False)
    timeout_s: float = TIMEOUT_S
    on_unreachable: Mapping[str, Verdict] = field(default_factory=dict)
    language: str = "en"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("url: expected https://host[:port], found something else")
        if (
            parts.scheme == "http" and parts.hostname not in _LOOPBACK
        ):  # fails closed: the key would travel in clear
            raise ValueError("url: expected https beyond loopback, found http")
        if not self.key.strip() or not self.key.isascii() or not self.key.isprintable():
            raise ValueError("key: expected an API key of the server, found none")
        if not 0 < self.timeout_s <= 60:
            raise ValueError("timeout_s: expected more than 0 and at most 60")
        if self.language not in LANGUAGES:
            raise ValueError(f"language: expected one of {', '.join(LANGUAGES)}")
        Fallback(self.on_unreachable)

    def headers(self) -> dict[str, str]:
        """What stands on every call."""
        return {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Accept-Language": self.language,
            "User-Agent": "shopward-client",
        }
