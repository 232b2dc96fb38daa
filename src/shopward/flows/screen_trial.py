"""A learned part on trial: what it would have said, counted beside the one in force.

Promise: it never changes a verdict; counts come from the closed vocabulary of levels, so that they may be labels of metrics, and
begin at 0 with the process. Of what was asked nothing is kept. While there is one, every question is judged twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from shopward.screening import Verdict
    from shopward.screening.links.learned.model import LinkScorer
    from shopward.screening.messages import MessageModel

What = Literal["link", "message"]


class Learned(NamedTuple):
    """The learned parts that judge together.

    Attributes:
        links: ``None`` where nothing ships.
        messages: for the wording.
        refused: how many files of the settings are not used as they stand.
    """

    links: LinkScorer | None
    messages: MessageModel
    refused: int = 0


class OnTrial(NamedTuple):
    """Learned parts on trial, ``None`` where none is, and how many of their files are refused."""

    links: LinkScorer | None = None
    messages: MessageModel | None = None
    refused: int = 0

    def beside(self, learned: Learned, what: What) -> Learned | None:
        """What judges such a question on trial: those on trial, and those in force for the others; ``None`` where all are in force."""
        if self.links is None and (what == "link" or self.messages is None):
            return None
        return Learned(self.links or learned.links, self.messages or learned.messages)


class TrialCounts:
    """May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, what: What, in_force: Verdict, on_trial: Verdict) -> None:
        """One question that both have judged."""
        with self._lock:
            self._counts[what, in_force.level, on_trial.level] += 1

    def all(self) -> dict[tuple[str, str, str], int]:
        """Questions by what was asked about, the level in force and the level on trial."""
        with self._lock:
            return dict(self._counts)
