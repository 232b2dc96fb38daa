"""Texts that a ``last`` value keeps: a number for each, and back.

Promise: a number means its text as long as a row holds it. What nothing holds is forgotten once as many texts have come
again as were in use, so that texts of strangers fill no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

_FLOOR: Final = 20_000


class Texts:
    """The list of texts; number 0 is none.

    Attributes:
        all: each text at its number.
    """

    def __init__(self) -> None:
        self.all: list[str] = [""]
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._limit = _FLOOR

    @property
    def is_full(self) -> bool:
        """Whether it is time to forget."""
        return len(self._numbers) >= self._limit

    def number(self, text: str) -> int:
        """The number of a text, a new one where it has none."""
        number = self._numbers.get(text)
        if number is None:
            if self._free:
                number = self._free.pop()
                self.all[number] = text
            else:
                number = len(self.all)
                self.all.append(text)
            self._numbers[text] = number
        return number

    def keep(self, used: Words) -> None:
        """Forget the texts whose word in ``used`` is zero."""
        for text, number in list(self._numbers.items()):
            if not used[number]:
                del self._numbers[text]
                self.all[number] = ""
                self._free.append(number)
        self._limit = max(_FLOOR, 2 * len(self._numbers))

    def take(self, texts: list[str]) -> None:
        """Take over a saved list; gaps in it read as the empty text and are forgotten at the next occasion."""
        self.all[:] = texts
        self._numbers = {text: number for number, text in enumerate(texts) if number and text}
        self._free = []
        self._limit = max(_FLOOR, 2 * len(self._numbers))
