"""``ports.SimSwaps`` over CAMARA's SIM Swap API (operation ``check``, versions 1 and 2), at an operator or an aggregator.

Promise: the number goes to that one server, over TLS or on this machine, and into no log, error or file; what is asked is only
whether its SIM was changed within so many hours, never when. Each call takes ``TIMEOUT_S`` at most. Whoever does not answer, or answers with anything but ``{"swapped": true|false}``, says nothing (``None``), is counted
and left alone for ``REST_S``; that the operator does not know or take a number is an answer about that number alone. Answers are kept for some
minutes, under a digest keyed by this process. Not here: three-legged tokens, ``retrieve-date``, subscriptions.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections import OrderedDict
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote_plus, urlencode

import msgspec

from shopward.adapters.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.adapters.calling import Heard

TIMEOUT_S: Final = 2.0
"""For each of the calls, of which there are two where a token is missing, and four at most."""
REST_S: Final = 30.0
KEPT: Final = 4_096
KEPT_S: Final = 600.0
TOKEN_S: Final = 300
"""How long a token is taken to be good where its server does not say."""
TOKEN_S_MAX: Final = 3_600
_ABOUT_THE_NUMBER: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""``INVALID_ARGUMENT``, ``IDENTIFIER_NOT_FOUND``, ``SERVICE_NOT_APPLICABLE``: no number of that plan, another operator's, a landline.
Whoever may type a number must not be able to silence the operator about others."""


class _Checked(msgspec.Struct):
    swapped: bool


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int = TOKEN_S


_Shape = TypeVar("_Shape", _Checked, _Token)


class NoSimSwaps:
    """Nobody to ask."""

    is_there: bool = False
    asked: int = 0
    swapped: int = 0
    unheard: int = 0

    def was_swapped(self, phone: str, *, within_h: int) -> bool | None:  # noqa: ARG002 -- the port's
        """Nobody says anything."""
        return None


class CamaraSimSwaps:
    """Asks an operator.

    Args:
        url: what stands before ``/check``: ``https://api.operator.example/sim-swap/v2``.
        token_url: of its OAuth server, which gives tokens for client credentials.
        client: id and secret.
        scope: what the token is asked for.
        steady_s: a clock that never jumps, in seconds.

    Raises:
        Misconfigured: a URL is not https, nor http on this machine.
    """

    is_there = True

    def __init__(
        self, url: str, *, token_url: str, client: tuple[str, str], scope: str, steady_s: Callable[[], float]
    ) -> None:
        self._api = Endpoint(url, setting="sim_swap_url", is_asked=True, timeout_s=TIMEOUT_S)
        self._tokens = Endpoint(token_url, setting="sim_swap_token_url", is_asked=True, timeout_s=TIMEOUT_S)
        named = ":".join(quote_plus(part) for part in client)
        self._credentials = "Basic " + base64.b64encode(named.encode()).decode()
        self._scope = scope
        self._steady_s = steady_s
        self._lock, self._fetching = threading.Lock(), threading.Lock()
        self._token, self._token_until_s, self._rests_until_s = "", 0.0, float("-inf")
        self._kept: OrderedDict[bytes, tuple[float, bool]] = OrderedDict()
        self._key = secrets.token_bytes(32)
        self.asked, self.swapped, self.unheard = 0, 0, 0

    def was_swapped(self, phone: str, *, within_h: int) -> bool | None:
        """What the operator says, or said a moment ago."""
        name = hashlib.blake2b(f"{within_h}:{phone}".encode(), key=self._key, digest_size=16).digest()
        with self._lock:
            now_s = self._steady_s()
            kept = self._kept.get(name)
            if kept is not None and now_s - kept[0] < KEPT_S:
                return kept[1]
            self.asked += 1
            if now_s < self._rests_until_s:
                self.unheard += 1
                return None
        heard = self._checked(phone, within_h)
        read = _read(heard, _Checked)
        said = None if read is None else read.swapped
        with self._lock:
            if said is None:  # fails open
                self.unheard += 1
                if heard is None or heard.status not in _ABOUT_THE_NUMBER:
                    self._rests_until_s = self._steady_s() + REST_S
                return None
            self.swapped += said
            self._kept[name] = (now_s, said)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return said

    def _checked(self, phone: str, within_h: int) -> Heard | None:
        """The operator's answer; a token that it does not take any more is replaced once."""
        body = msgspec.json.encode({"phoneNumber": phone, "maxAge": within_h})
        heard = None
        for _ in range(2):
            token = self._bearer()
            if not token:
                return None
            headers = {
                "authorization": f"Bearer {token}",
                "accept": "application/json",
                "x-correlator": secrets.token_hex(16),
            }
            heard = self._api.ask("POST", "/check", headers=headers, body=body)
            if heard.status != HTTPStatus.UNAUTHORIZED:
                break
            with self._lock:
                if self._token == token:  # nobody else has another by now
                    self._token = ""
        return heard

    def _bearer(self) -> str:
        """A token that is good, or nothing; one caller fetches it for all, since a server may take back the one before."""
        with self._fetching:
            with self._lock:
                if self._token and self._steady_s() < self._token_until_s:
                    return self._token
                if self._steady_s() < self._rests_until_s:  # who waited is not to ask in vain one by one
                    return ""
            return self._fetched()

    def _fetched(self) -> str:
        headers = {"authorization": self._credentials, "content-type": "application/x-www-form-urlencoded"}
        body = urlencode({"grant_type": "client_credentials", "scope": self._scope}).encode()
        heard = self._tokens.ask("POST", "", headers=headers | {"accept": "application/json"}, body=body)
        given = _read(heard, _Token)
        if given is None or not given.access_token.isascii() or not given.access_token.isprintable():
            with self._lock:
                self._rests_until_s = self._steady_s() + REST_S
            return ""
        with self._lock:
            self._token = given.access_token
            self._token_until_s = self._steady_s() + 0.9 * max(0, min(given.expires_in, TOKEN_S_MAX))
            return self._token


def _read(heard: Heard | None, shape: type[_Shape]) -> _Shape | None:
    """An answer that is whole and of that shape; ``None`` for every other."""
    if heard is None or heard.lacks or heard.status != HTTPStatus.OK:
        return None
    try:
        return msgspec.json.decode(heard.body, type=shape)
    except (msgspec.MsgspecError, RecursionError):
        return None
