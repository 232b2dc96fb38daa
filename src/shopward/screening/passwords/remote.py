"""A range service over the network, such as api.pwnedpasswords.com or another Shopward.

Promise: only the first five digits of a digest leave; answers are asked for with padding; TLS is checked, and plain HTTP
goes to this machine alone; one that does not answer within the time, or answers badly, is ``CorpusUnreachable``, and is
left alone for a while, so that a slow service costs one password its wait and not every one. Answers are kept for an hour.
"""

from __future__ import annotations

import http.client
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shopward.errors import Misconfigured
from shopward.screening.passwords.corpora import CorpusUnreachable
from shopward.screening.passwords.ranges import count_in
from shopward.screening.passwords.store import PREFIX_DIGITS
from shopward.values import stays_private

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_BYTES_MAX: Final = 1_048_576
"""A range of Have I Been Pwned has about 40 kB."""
KEPT: Final = 256
KEPT_S: Final = 3_600.0
REST_S: Final = 30.0
"""So long is a service that failed left alone."""


class _NoRedirects(HTTPRedirectHandler):
    """Five digits go where the operator said, and nowhere else."""

    def redirect_request(self, *_args: object) -> None:
        """None is followed."""


class RangeService:
    """A corpus behind the range protocol.

    Args:
        url: what stands before ``/range/XXXXX``.
        steady_s: a clock that never jumps, in seconds.
        timeout_s: for one answer.
        key: sent as a bearer key where it is set.

    Raises:
        Misconfigured: the URL is not https, nor http on this machine.
    """

    def __init__(
        self, url: str, *, steady_s: Callable[[], float], timeout_s: float = 2.0, key: str = ""
    ) -> None:
        parts = urlsplit(url)
        if not stays_private(parts.scheme, parts.hostname):
            raise Misconfigured(
                "the range service cannot be asked safely", path="password_range_url",
                expected="an https URL, or http on this machine", found="another text",
            )  # fmt: skip
        self._url = url.rstrip("/") + "/range/"
        self._headers = {"add-padding": "true", "user-agent": "shopward", "accept": "text/plain"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._steady_s = steady_s
        self._timeout_s = timeout_s
        self._opener = build_opener(_NoRedirects)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._rests_until = float("-inf")

    def count(self, digest: bytes) -> int:
        """How often the password of this digest was seen; raises ``CorpusUnreachable``."""
        digits = digest.hex().upper()
        return count_in(self._answer(digits[:PREFIX_DIGITS]), digits[PREFIX_DIGITS:])

    def _answer(self, prefix: str) -> bytes:
        now = self._steady_s()
        with self._lock:
            kept = self._kept.get(prefix)
            if kept is not None and now - kept[0] < KEPT_S:
                self._kept.move_to_end(prefix)
                return kept[1]
            if now < self._rests_until:
                raise CorpusUnreachable
        body = self._fetched(prefix)
        with self._lock:
            if body is None:
                self._rests_until = self._steady_s() + REST_S
            else:
                self._kept[prefix] = (now, body)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if body is None:
            raise CorpusUnreachable
        return body

    def _fetched(self, prefix: str) -> bytes | None:
        """The answer; ``None`` for whatever is none. No text of the other side is kept."""
        request = Request(self._url + prefix, headers=self._headers)  # noqa: S310 -- the scheme was checked
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                body: bytes = answer.read(ANSWER_BYTES_MAX + 1)
        except (URLError, http.client.HTTPException, OSError, ValueError):
            return None
        first = body.split(b"\n", 1)[0]
        is_range = not body or b":" in first
        return body if is_range and len(body) <= ANSWER_BYTES_MAX else None
