"""Drafts of notices: what a rule wants said, from the incident's texts, in one of its languages.

Promise: pure; a draft names what is still missing and what may not be in it. What customers are sent first holds no link, since a
thief's message would have one: a text with one is named in ``problems`` and the draft is not ready.

A draft is a text for people to read before it is sent; it is not legal advice.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.errors import InvalidField
from shopward.incidents.law import NOTICE
from shopward.incidents.obligations import obligations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.incidents.incident import Incident
    from shopward.incidents.law import Rule

STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    ".missing{border:2px solid #b00020;color:#b00020;padding:0 1rem}footer{color:#555;font-size:.85rem}"
    "@media print{.missing{display:none}}"
)
"""Of ``as_html``, whole, so that whoever serves it can let a browser take just this."""
_LINK: Final = re.compile(
    r"(?i)\b(?:https?://|www\.)|\b[a-z0-9-]+\.(?:com|net|org|id|cn|co|shop|store|link|top|xyz)(?:/|\b)"
)
_Texts = dict[str, dict[str, dict[str, str]]]


class Paragraph(Struct, frozen=True):
    """A part of a notice."""

    content: str
    heading: str
    text: str


class Draft(Struct, frozen=True, kw_only=True):
    """A notice as it would go out now.

    Attributes:
        missing: what the rule wants and nobody wrote yet.
        problems: what may not be in it.
        is_ready: it may go out.
        note: that it is not legal advice.
    """

    rule: str
    law: str
    recipient: str
    name: str
    language: str
    title: str
    phase: int
    paragraphs: tuple[Paragraph, ...]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    is_ready: bool
    note: str = NOTICE


def draft(incident: Incident, rules: Mapping[str, Rule], rule_id: str, language: str, *, at_ms: int) -> Draft:
    """The draft of a rule's next notice; raises ``InvalidField`` for a rule or a language that it has not."""
    rule = rules.get(rule_id)
    if rule is None or language not in rule.languages:
        raise InvalidField(
            "no such notice", path="rule" if rule is None else "language", found="another word",
            expected="a rule of this incident" if rule is None else "one of " + ", ".join(rule.languages),
        )  # fmt: skip
    owed = next((each for each in obligations(incident, rules, at_ms=at_ms) if each.rule == rule_id), None)
    phase = 1 if owed is None else owed.phases + 1
    late_at_ms = 0 if owed is None else owed.due_ms
    wanted = [each for each in rule.contents if each != "late_reasons" or (late_at_ms and at_ms > late_at_ms)]
    said = {each: incident.contents.get(each, {}).get(language, "") for each in wanted}
    headings = texts()["headings"]
    paragraphs = [Paragraph(each, headings[each][language], text) for each, text in said.items() if text]
    missing = tuple(each for each, text in said.items() if not text)
    problems = tuple(
        f"{each.content}: a link"
        for each in paragraphs
        if rule.recipient == "subject" and _LINK.search(each.text)
    )
    always = texts()["said"]
    if rule.recipient == "subject":
        paragraphs.append(Paragraph("no_links", "", always["no_links"][language]))
    if rule.phased:
        paragraphs.append(Paragraph("phase", "", always["phase"][language].format(phase=phase)))
    return Draft(
        rule=rule.id, law=rule.law, recipient=rule.recipient, name=rule.name, language=language,
        title=always[f"title_{rule.recipient}"][language], phase=phase, paragraphs=tuple(paragraphs), missing=missing,
        problems=problems, is_ready=not problems and (rule.phased or not missing),
    )  # fmt: skip


def as_html(made: Draft) -> str:
    """A document to print or to attach; nothing in it is loaded from anywhere."""
    body = "".join(
        (f"<h2>{escape(each.heading)}</h2>" if each.heading else "") + f"<p>{escape(each.text)}</p>"
        for each in made.paragraphs
    )
    missing = "".join(f"<li>{escape(each)}</li>" for each in (*made.missing, *made.problems))
    red = f'<section class="missing"><ul>{missing}</ul></section>' if missing else ""
    return (
        f'<!doctype html><html lang="{escape(made.language)}"><head><meta charset="utf-8"><title>{escape(made.title)}</title>'
        f"<style>{STYLE}</style></head>"
        f"<body><h1>{escape(made.title)}</h1>{red}{body}"
        f"<footer><p>{escape(made.law)}</p><p>{escape(made.note)}</p></footer></body></html>"
    )


@cache
def texts() -> _Texts:
    """Headings and sentences: kind, word, language."""
    return msgspec.toml.decode(files("shopward.incidents").joinpath("texts.toml").read_bytes(), type=_Texts)
