"""Letters: what a message says to a person, in Indonesian, Chinese or English; pure.

Promise: every topic of ``MAILED`` has its words in all three languages; a letter says what the message says and no more, so
it names no user. A value that a letter lacks is left out, and never a reason to send nothing.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.outbox.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

MAIL_LANGUAGES: Final = ("id", "zh", "en")

_WORDS: Final = tomllib.loads((Path(__file__).parent / "letters.toml").read_text(encoding="utf-8"))
_PAGES: Final = {
    "incident": "/incidents/{}",
    "claim": "/claims",
    "complaint": "/complaints",
    "case": "/cases",
}
"""Where a date is kept."""
_PATHS: Final = {
    Topic.FINDING_OPENED: "/findings",
    Topic.COMPLAINT_OVERDUE: "/complaints",
}
MAILED: Final = tuple(Topic(word) for word in _WORDS["subject"])
"""What may be told by mail: what a person has to know soon."""


class Letter(NamedTuple):
    """What stands in a mail."""

    subject: str
    text: str


def letter_of(
    body: bytes, language: str, *, shop: str, page_url: str, title_of: Callable[[str, str], str]
) -> Letter:
    """What a message says.

    Args:
        body: of the message, as a webhook would get it.
        language: one of ``MAIL_LANGUAGES``.
        shop: whose shop it is, first in the subject.
        page_url: where the pages of this server are, for a link; empty for none.
        title_of: what a kind of campaign is called in a language.
    """
    told = msgspec.json.decode(body)
    topic, data = Topic(told["type"]), told["data"]
    head = _WORDS["subject"][topic.value][language].format(
        title=_title(topic, str(data.get("kind", "")), language, title_of)
    )
    lines = [head, ""]
    lines += [
        words[language].format(_in_words(data[name], language))
        for name, words in _WORDS["line"].items()
        if name in data
    ]
    lines.append(_WORDS["at"][language].format(told["timestamp"]))
    path = _path(topic, data)
    if page_url and path:
        lines += ["", _WORDS["look"][language].format(page_url.rstrip("/") + path)]
    return Letter(
        f"[{shop}] {head}", "\n".join([*lines, "", str(data["id"]), _WORDS["signed"][language], ""])
    )


def _title(topic: Topic, kind: str, language: str, title_of: Callable[[str, str], str]) -> str:
    if topic.startswith("deadline."):
        return str(_WORDS["kind"].get(kind, {}).get(language, kind))
    return title_of(kind, language) if topic.startswith("campaign.") else ""


def _in_words(value: Any, language: str) -> Any:
    """A value as it stands in a line; of dates (``duty:ID-agency``) what each is of, and its name."""
    if not isinstance(value, list):
        return value
    said = []
    for each in value:
        kind, _colon, name = each.partition(":")
        said.append(_WORDS["of"][kind][language].format(name) if kind in _WORDS["of"] else each)
    return "; ".join(said)


def _path(topic: Topic, data: dict[str, Any]) -> str:
    if topic.startswith("campaign."):
        return f"/campaigns/{data['id']}"
    if topic is Topic.REPORT_OVERDUE:
        return f"/cases/{data['id']}"
    if topic.startswith("deadline.") and data.get("kind") in _PAGES:
        return _PAGES[data["kind"]].format(data["id"])
    return _PATHS.get(topic, "")
