"""Where stolen passwords are known: the corpora of a server, asked one after the other.

Promise: a corpus that cannot answer never keeps anybody from choosing a password (fails open): it is counted, and the
answer says that it was not asked. A corpus hears a digest and never the password.
"""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class CorpusUnreachable(Exception):
    """A corpus cannot answer now; what is to be done about it is the asker's matter."""


class Corpus(Protocol):
    """What knows how often a password was seen among stolen ones."""

    def count(self, digest: bytes) -> int:
        """How often, by the SHA-1 of the password in UTF-8; 0 where it is not known.

        Raises:
            CorpusUnreachable: there is no answer now.
        """
        ...

    def range(self, prefix: str) -> Iterable[tuple[str, int]]:
        """Suffix and count of every digest that begins with these five digits.

        Raises:
            CorpusUnreachable: there is no answer now.
        """
        ...


class Seen(NamedTuple):
    """What corpora say of a password.

    Attributes:
        times: how often it was seen; ``None`` where no corpus answered.
        unreachable: whether one that should have answered did not.
    """

    times: int | None
    unreachable: bool = False


class Corpora:
    """The corpora in the order in which they are asked; the first that knows a password ends it.

    Args:
        corpora: the nearest first.
    """

    def __init__(self, corpora: Sequence[Corpus] = ()) -> None:
        self._corpora = tuple(corpora)
        self._counting = threading.Lock()
        self.asked = 0
        self.unreachable = 0

    def __bool__(self) -> bool:
        """Whether there is any corpus to ask."""
        return bool(self._corpora)

    def range(self, prefix: str) -> list[tuple[str, int]]:
        """What the corpora know under a prefix, in order; one that cannot answer is counted and left out (fails open).

        Raises:
            CorpusUnreachable: none of them answered.
        """
        counts: dict[str, int] = {}
        silent = 0
        for corpus in self._corpora:
            try:
                for suffix, count in corpus.range(prefix):
                    counts[suffix] = max(count, counts.get(suffix, 0))
            except CorpusUnreachable:
                silent += 1
        with self._counting:
            self.asked += bool(self._corpora)
            self.unreachable += silent > 0
        if silent == len(self._corpora):
            raise CorpusUnreachable
        return sorted(counts.items())

    def seen(self, password: str) -> Seen:
        """How often it was seen, as typed or in its compatible form (NFKC)."""
        count: int | None = None
        failed = False
        for corpus in self._corpora:
            try:
                count = max(count or 0, *(corpus.count(digest) for digest in digests_of(password)))
            except CorpusUnreachable:  # fails open
                failed = True
            if count:
                break
        with self._counting:
            self.asked += bool(self._corpora)
            self.unreachable += failed
        return Seen(count, failed and not count)


def digests_of(password: str) -> list[bytes]:
    """SHA-1 of a password in UTF-8, and of its NFKC form where that is another one; the corpora are kept by SHA-1."""
    forms = dict.fromkeys((password, unicodedata.normalize("NFKC", password)))
    return [hashlib.sha1(form.encode(), usedforsecurity=False).digest() for form in forms]
