"""Calls of roots that are asked over HTTP, and of what they say where nobody answers.

Promise: a call goes over TLS or stays on this machine, follows no redirect, ends within ``TIMEOUT_S`` and is small. What the
other side says in words is never repeated: it may quote what was sent. No answer, an answer that is none and a server that
is overloaded, shut or sealed are ``KeysUnavailable``: nothing is opened or sealed, and it can be asked again. Fails closed;
keys that were unwrapped before stay in memory, so that a server that runs goes on serving.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from shopward.adapters.calling import Caller
from shopward.errors import KeysUnavailable, Misconfigured, SealBroken
from shopward.values import stays_private, url_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 5.0
RETRY_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 64 * 1024
_REFUSED: Final = range(400, 500)
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429


class Answer(NamedTuple):
    """What a server said: its status, and its JSON where that is an object."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status in _OK


class HttpCalls:
    """Asks one server.

    Args:
        url: of the server; a path in it leads every target.
        ca: a file of certificates to trust instead of the system's; empty for these.
        expected: the form of the setting, for the refusal.

    Raises:
        Misconfigured: the URL is none or would carry keys in clear, or the certificates cannot be read.
    """

    def __init__(self, url: str, *, expected: str, ca: str = "") -> None:
        parts, tls, problem = url_parts(url), None, ""
        try:
            tls = ssl.create_default_context(cafile=ca or None) if parts.scheme == "https" else None
        except (ValueError, OSError):  # SSLError is one of the latter
            problem = "certificates that cannot be used"
        if not stays_private(parts.scheme, parts.hostname) or parts.username:
            problem = "an address without TLS, a host or a port, or with a password in it"
        if problem:
            raise misfit("the address of the vault's root cannot be used", expected, problem)
        self.host = parts.hostname or ""
        self._url = parts._replace(path=parts.path.rstrip("/"), query="", fragment="").geturl()
        self._caller = Caller(timeout_s=TIMEOUT_S, body_bytes_max=ANSWER_BYTES_MAX, tls=tls)

    def ask(
        self, method: str, target: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> Answer:
        """One call; raises ``KeysUnavailable`` where there is no answer or the server cannot give one now."""
        sent = None if body is None else msgspec.json.encode(body)
        status, raw, lacks = self._caller.ask(
            method, self._url + target, headers={"content-type": "application/json", **headers}, body=sent
        )
        if lacks or status == _TOO_MANY or not (status in _OK or status in _REFUSED):
            raise unavailable(f"status {status}" if status else "no answer")
        return Answer(status, _object(raw))


def named(
    rest: str, *, needed: frozenset[str], allowed: frozenset[str], expected: str
) -> tuple[str, dict[str, str]]:
    """What stands before and behind the question mark of a setting; raises ``Misconfigured`` where a name is strange."""
    before, _, query = rest.partition("?")
    found = dict(parse_qsl(query, keep_blank_values=True))
    if (
        not before
        or not needed <= set(found)
        or not set(found) <= needed | allowed
        or not all(found.values())
    ):
        raise misfit("not an address of a root", expected, "another text")
    return before, found


def misfit(what: str, expected: str, found: str) -> Misconfigured:
    """The refusal of a setting."""
    return Misconfigured(
        what, path="vault_root", expected=expected, found=found, hint="see docs/vault.md, Keys"
    )


def unavailable(found: str) -> KeysUnavailable:
    """Nobody answers, or not now."""
    return KeysUnavailable(
        "who keeps the vault's root does not answer", expected="an answer within 5 seconds", found=found,
        hint="a server that runs goes on with the keys in its memory; a start waits until it answers",
        retry_after_s=RETRY_S,
    )  # fmt: skip


def not_allowed(hint: str) -> KeysUnavailable:
    """Somebody answers, and does not let us."""
    return KeysUnavailable(
        "who keeps the vault's root does not let this server use its key", expected="the right to wrap and unwrap",
        found="a refusal", hint=hint, retry_after_s=RETRY_S,
    )  # fmt: skip


def not_ours() -> SealBroken:
    """What was to be unwrapped was wrapped by another key or for another place, or is damaged."""
    return SealBroken("a wrapped key cannot be opened", expected="one wrapped by this key for this place")


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
