"""The learned parts of screening that the settings name, in force and on trial.

Promise: what judges is a whole bundle, the one that ships where the shop's own is refused (``adapters.learned``, open). Links
and messages are scored in machine code where the setting ``kernel`` lets them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shopward.adapters.learned import BundleFile
from shopward.flows.screen_trial import Learned, OnTrial
from shopward.screening.links.learned.bundle import own_scorer, shipped_scorer
from shopward.screening.messages import MessageModel, own_model, shipped_model

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.screening.links.learned.model import LinkScorer


class LearnedFiles:
    """Bundles of files beside those that ship; called from one thread at a time.

    Args:
        settings: which files, and whether machine code may score.
    """

    def __init__(self, settings: Settings) -> None:
        fast = settings.kernel != "reference"

        def scorer(raw: bytes) -> LinkScorer | None:
            return own_scorer(raw, fast=fast)

        def model(raw: bytes) -> MessageModel:
            return own_model(raw, fast=fast)

        self._links = BundleFile(_path(settings.link_bundle), scorer, shipped_scorer(fast=fast))
        self._messages = BundleFile(_path(settings.message_bundle), model, shipped_model(fast=fast))
        self._links_on_trial = BundleFile(_path(settings.link_bundle_shadow), scorer, None)
        self._messages_on_trial = BundleFile[MessageModel | None](
            _path(settings.message_bundle_shadow), model, None
        )

    def in_force(self) -> Learned:
        """What judges."""
        return Learned(self._links(), self._messages(), self._links.refused + self._messages.refused)

    def on_trial(self) -> OnTrial:
        """What is counted beside it."""
        links, messages = self._links_on_trial, self._messages_on_trial
        return OnTrial(links(), messages(), links.refused + messages.refused)


def _path(setting: str) -> Path | None:
    return Path(setting).expanduser() if setting else None
