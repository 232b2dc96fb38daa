"""``Corpus`` over the network: a range service, such as api.pwnedpasswords.com or another Shopward.

Promise: only the first five digits of a digest leave; answers are asked for with padding; TLS is checked, and plain HTTP
goes to this machine alone; no redirect is followed and no proxy used. One that does not answer within the time, to the last byte, or
answers badly is ``CorpusUnreachable``, and is left alone for a while, so that a slow service costs one password its wait and
not every one. Answers are kept for an hour.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from shopward.adapters.calling import Caller
from shopward.errors import Misconfigured
from shopward.screening.passwords.corpora import CorpusUnreachable
from shopward.screening.passwords.ranges import count_in, lines_in
from shopward.screening.passwords.store import PREFIX_DIGITS
from shopward.values import stays_private, url_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER_BYTES_MAX: Final = 1_048_576
"""A range of Have I Been Pwned has about 40 kB."""
KEPT: Final = 256
KEPT_S: Final = 3_600.0
REST_S: Final = 30.0
"""So long is a service that failed left alone."""


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
        parts = url_parts(url)
        if not stays_private(parts.scheme, parts.hostname):
            raise Misconfigured(
                "the range service cannot be asked safely", path="password_range_url",
                expected="an https URL, or http on this machine", found="another text",
            )  # fmt: skip
        self._url = url.rstrip("/") + "/range/"
        self._headers = {"add-padding": "true", "accept": "text/plain"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._steady_s = steady_s
        self._caller = Caller(timeout_s=timeout_s, body_bytes_max=ANSWER_BYTES_MAX)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._rests_until = float("-inf")

    def count(self, digest: bytes) -> int:
        """How often the password of this digest was seen; raises ``CorpusUnreachable``."""
        digits = digest.hex().upper()
        return count_in(self._answer(digits[:PREFIX_DIGITS]), digits[PREFIX_DIGITS:])

    def range(self, prefix: str) -> Iterator[tuple[str, int]]:
        """What it knows under five digits; raises ``CorpusUnreachable``."""
        return lines_in(self._answer(prefix))

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
        heard = self._caller.ask("GET", self._url + prefix, headers=self._headers)
        if heard.lacks or heard.status != HTTPStatus.OK:
            return None
        body = heard.body
        first = body.split(b"\n", 1)[0]
        is_range = not body or b":" in first
        return body if is_range else None
