"""Messages of a simulated world: frauds as customers report them, and what honest senders write, in three languages.

Promise: the same seed gives the same messages; all of it is ours (``messages.toml``), so that what is trained on it may be shipped.
Not here: how often each is sent, and what real people write; figures measured on these messages say little.
"""

from __future__ import annotations

import random
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOT: Final = re.compile(r"\{(\w+)\}")
LANGUAGES: Final = ("id", "en", "zh")


class SimulatedMessage(NamedTuple):
    """A message: its text, language, whether it is fraud, and its template, which near-duplicates share."""

    text: str
    language: str
    is_fraud: bool
    template: str


def simulated_messages(*, seed: int, each: int) -> Iterator[SimulatedMessage]:
    """So many fillings of every template, frauds and honest ones of three languages."""
    said: dict[str, Any] = tomllib.loads(
        (resources.files("shopward.testing") / "messages.toml").read_text(encoding="utf-8")
    )
    source = random.Random(seed)
    fill: dict[str, list[str]] = said["fill"]
    for kind in ("fraud", "honest"):
        for language in LANGUAGES:
            for number, template in enumerate(said[kind][language]):
                for _ in range(each):
                    text = _SLOT.sub(lambda slot: source.choice(fill[slot[1]]), template)
                    yield SimulatedMessage(text, language, kind == "fraud", f"{kind}-{language}-{number}")
