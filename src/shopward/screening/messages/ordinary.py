"""Whether a bundle of messages may judge in place of the one that ships: it is tried on messages that nobody should be warned of.

Promise: a bundle that would warn of too many of them, in any one of the three languages, is refused with the number
(``ModelInvalid``). It was trained on messages that do not stand for ordinary ones, or its labels were the wrong way round. How many
frauds a bundle finds is not tried: one that finds fewer is weak and does no harm.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from shopward.keyring.parts import invalid_part
from shopward.screening.messages.check import text_odds
from shopward.screening.messages.learned import MADE_BY, load_model
from shopward.screening.verdict import SUSPICIOUS

if TYPE_CHECKING:
    from shopward.screening.messages.learned import MessageModel

ORDINARY_FLAGGED_MAX: Final = 0.1
"""Share of the messages of a language."""
_LINE: Final = math.log(SUSPICIOUS / (100.0 - SUSPICIOUS))
"""Log odds from which on a message is suspicious by wording and rules alone."""


def own_model(raw: bytes, *, fast: bool = False) -> MessageModel:
    """``load_model`` for a bundle that is to judge in place of the one that ships; raises ``ModelInvalid``.

    Args:
        raw: the file.
        fast: in machine code where the extra ``fast`` is installed.
    """
    model = load_model(raw, fast=fast)
    for language, texts in ordinary_messages().items():
        flagged = sum(text_odds(text, model) >= _LINE for text in texts)
        if flagged > ORDINARY_FLAGGED_MAX * len(texts):
            raise invalid_part(
                "", f"at most {ORDINARY_FLAGGED_MAX:.0%} of ordinary messages flagged in each language",
                f"{flagged} of {len(texts)} in {language!r}", MADE_BY,
            )  # fmt: skip
    return model


@cache
def ordinary_messages() -> dict[str, list[str]]:
    """Messages that nobody should be warned of, by language."""
    text = (resources.files(__package__) / "ordinary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
