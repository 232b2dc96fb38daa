"""Words: what people write about a customer lies sealed, whatever context keeps the rest of it.

Promise:
- what somebody writes into a complaint, a case or a report is kept in the vault and nowhere else (``vault.texts``), under the key
  of the customer whom it is about; who reads it is for the caller to say;
- of what was erased nothing reads: an empty text;
- what an earlier version kept in clear is sealed in steps, from the first start on, and where its customer was erased since
  then it is dropped. Until its turn it is read as it lies. A step that was cut off left everything as it was.

Fails closed: what cannot be sealed is not kept, and the step that it belongs to does not happen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.vault.kinds import SUPPORT
from shopward.vault.rows import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.flows.strongroom import Strongroom

WORDS: Final = "words"
"""The domain in which hashes of words have their tokens."""
STEP: Final = 200
"""Texts that are sealed in one transaction."""


class InClear(NamedTuple):
    """Where an earlier version kept texts in clear.

    Attributes:
        kind: of the texts.
        found: some of them behind an id, in order: id, token of the customer, text, and when it was written; nobody else changes
            them until the commit. None where there are no more.
        emptied: empties those of these ids, and drops what else could tell them.
    """

    kind: str
    found: Callable[[Any, str, int], Sequence[tuple[str, str, str, int]]]
    emptied: Callable[[Any, Sequence[str]], None]


class Words:
    """May be called from any thread.

    Args:
        room: the vault.
        sources: what may lie in clear.
        overwritten: has a connection overwrite what it frees.
    """

    def __init__(
        self, room: Strongroom, sources: Sequence[InClear], overwritten: Callable[[Any], None]
    ) -> None:
        self._room = room
        self._sources = sources
        self._overwritten = overwritten
        self._at = (0, "")  # which source, and behind which id

    def keep(
        self, connection: Any, kind: str, text_id: str, text: str, *, subject: str, user: str = ""
    ) -> None:
        """A text, in the caller's transaction; ``subject`` is empty where it is about nobody who was named."""
        if subject or not self._room.texts.has_key(connection, subject):  # nobody erases the shop's own
            self._room.fenced(connection, [subject])
        now_ms = self._room.clock.now_ms()
        self._room.texts.put(connection, [Text(kind, text_id, subject, text, user)], now_ms)

    def of(self, connection: Any, kind: str, ids: Sequence[str]) -> dict[str, str]:
        """Texts by their ids; of what was erased, and of what still lies in clear, none."""
        return self._room.texts.read(connection, kind, ids)

    def drop(self, connection: Any, kind: str, ids: Sequence[str]) -> None:
        """Forget texts, with what they were of."""
        self._room.texts.drop(connection, kind, ids)

    def keyed(self, digest: str) -> str:
        """A hash or name, so that it can be kept: who has the store alone cannot try others against it."""
        return self._room.blind(WORDS, digest)

    def step(self) -> bool:
        """Seal some of what lies in clear; false where nothing does any more."""
        source, after = self._at
        if source == len(self._sources):
            return False
        last = self._room.records.write(partial(self._sealed, self._sources[source], after))
        self._at = (source, last) if last else (source + 1, "")
        return True

    def settle(self) -> None:
        """All of it, before something is done that must reach every text."""
        while self.step():
            pass

    def _sealed(self, source: InClear, after: str, connection: Any) -> str:
        """Some of a source: how far it came; nothing where that was all."""
        rows = source.found(connection, after, STEP)
        if not rows:
            return ""
        self._overwritten(connection)
        self._room.fenced(connection, [subject for _id, subject, _text, _at_ms in rows])
        erased = partial(self._room.erasures.since, connection, retention=SUPPORT)
        ever = erased(min(at_ms for *_rest, at_ms in rows))
        texts = [
            Text(source.kind, text_id, subject, text)
            for text_id, subject, text, at_ms in rows
            if text and not (subject in ever and subject in erased(at_ms))
        ]
        self._room.texts.put(connection, texts, self._room.clock.now_ms())
        source.emptied(connection, [text_id for text_id, *_rest in rows])
        return rows[-1][0]
