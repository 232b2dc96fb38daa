"""What customers read of what is done with personal data, in Indonesian, Chinese and English.

Promise: every basis, kind of data and kind of partner has its words in each language, and every sentence of the activities that ship; a
test holds the file against the closed sets. What a shop declared itself is shown as it stands: its words are its own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

_Texts = dict[str, dict[str, dict[str, str]]]


def word(section: str, name: str, language: str) -> str:
    """The words of one of ``basis``, ``data`` or ``partner``."""
    return texts()[section][name][language]


def said(sentence: str, language: str) -> str:
    """A sentence of an activity in another language than English, where it is one that ships."""
    return texts()["said"].get(sentence, {}).get(language, sentence)


@cache
def texts() -> _Texts:
    """All of them: section, word, language."""
    return msgspec.toml.decode(files("shopward.processing").joinpath("texts.toml").read_bytes(), type=_Texts)
