"""Whether a password is stolen, without saying which: five digits of its digest go over, the rest is compared here.

Promise: the server learns 20 of 160 bits, and nothing of a password is kept, logged or told in a fault. Whoever is not heard
says nothing (fails open): ``count`` is ``None`` then, which is no sign of safety. Pure.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shopward.client.faults import Fault
from shopward.client.wire import PASSWORDS, Reply, Request, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX_DIGITS: Final = 5
_SUFFIX_DIGITS: Final = 35
_COUNT_DIGITS_MAX: Final = 18
_NO_CORPUS: Final = frozenset({"not_found", "corpus_unreachable"})


@dataclass(frozen=True)
class Stolen:
    """What corpora know of a password.

    Attributes:
        count: how often it was seen among stolen ones; ``None`` where nobody answered.
        fault: why nobody answered.
    """

    count: int | None
    fault: Fault | None = None

    @property
    def is_known(self) -> bool:
        """Whether thieves have it, as far as anybody said: what an event's ``credential.breached`` tells."""
        return bool(self.count)


def digests_of(password: str) -> list[str]:
    """SHA-1 as hexadecimal digits, and of the compatible form (NFKC) where that is another one."""
    forms = dict.fromkeys((password, unicodedata.normalize("NFKC", password)))
    return [
        hashlib.sha1(form.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
        for form in forms
    ]


def asking(digest: str, url: str) -> Request:
    """The range of a digest; its size is hidden where others could see it."""
    headers = (("Add-Padding", "true"),) if urlsplit(url).scheme == "https" else ()
    return Request(f"{PASSWORDS}/range/{digest[:_PREFIX_DIGITS]}", b"", "GET", headers=headers)


def read(digest: str, reply: Reply | Fault) -> Stolen:
    """What an answer says of a digest."""
    if isinstance(reply, Fault):
        return Stolen(None, reply)
    if reply.status != HTTPStatus.OK:
        fault = fault_of(reply)
        return Stolen(
            None, Fault("not_screened", "", fault.problem) if fault.problem in _NO_CORPUS else fault
        )
    counts: dict[bytes, int] = {}
    for line in reply.body.splitlines():
        suffix, _, count = line.partition(b":")
        if len(suffix) != _SUFFIX_DIGITS or len(count) > _COUNT_DIGITS_MAX or not count.strip().isdigit():
            return Stolen(None, Fault("bad_answer", f"status {reply.status}"))
        counts[suffix.upper()] = int(count)
    return Stolen(counts.get(digest[_PREFIX_DIGITS:].encode(), 0))


def joined(found: Iterable[Stolen]) -> Stolen:
    """Of both forms of a password: what was said of either, and the first fault where nothing was."""
    said = list(found)
    counts = [each.count for each in said if each.count is not None]
    return Stolen(max(counts) if counts else None, next((each.fault for each in said if each.fault), None))
