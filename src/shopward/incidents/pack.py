"""What an evidence pack says of an incident, as files.

Promise: pure, the same incident gives the same bytes. Free text that people wrote (titles, timeline, reasons, answers, texts of
notices) goes through the scrubber first, and all that follows is made of what is left; victims are numbers and digests, an
indicator is its kind alone.

What it does not do: the scrubber is rules and no anonymiser; who works on the incident stands in it by name; a receipt, a
vendor, a playbook's own texts and a file's name stand as they were written.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.incidents.drafts import draft, texts
from shopward.incidents.incident import Incident
from shopward.incidents.law import NOTICE
from shopward.incidents.obligations import obligations
from shopward.scrubber import scrub
from shopward.values import to_rfc3339, with_times

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from shopward.incidents.incident import Scope
    from shopward.incidents.law import Rule

AUDIT_FILES: Final = ("audit/checkpoint.json", "audit/entries.jsonl")
"""Who seals the pack adds these."""
_WRITTEN: Final = frozenset({
    "title", "text", "reason", "answer", "note", "root_cause", "lessons", "late_reason", "void",
})  # fmt: skip
"""Fields of an incident that hold what somebody typed; texts of notices (``contents``) are too."""


def scrubbed(incident: Incident) -> tuple[Incident, int]:
    """The incident with the personal values in its free text masked, and how many there were."""
    masked = 0

    def text(given: str) -> str:
        nonlocal masked
        made = scrub(given)
        masked += len(made.spans)
        return made.text

    def walk(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: text(each) if name in _WRITTEN and isinstance(each, str) else each if name == "playbook" else walk(each)
            for name, each in value.items()
        }  # fmt: skip

    plain = walk(msgspec.to_builtins(incident))
    contents = plain.get("contents", {})
    plain["contents"] = {
        each: {language: text(said) for language, said in by_language.items()}
        for each, by_language in contents.items()
    }
    return msgspec.convert(plain, Incident), masked


def incident_files(incident: Incident, rules: Mapping[str, Rule], *, at_ms: int) -> dict[str, bytes]:
    """The files that follow from a scrubbed incident alone: the record, the duties, the drafts of notices."""
    record = msgspec.to_builtins(incident)
    record.pop("scopes", None)
    for signal in record.get("signals", ()):
        if signal["kind"] == "source":
            signal["subject"] = signal["subject"].partition(":")[0]
    owed = obligations(incident, rules, at_ms=at_ms)
    drafts = [
        draft(incident, rules, each.rule, language, at_ms=at_ms)
        for each in owed
        if each.status not in ("not_applicable", "exempt")
        for language in rules[each.rule].languages
    ]
    return {
        "incident.json": as_file(record),
        "duties.json": as_file({"note": NOTICE, "duties": owed}),
        "drafts.json": as_file({"drafts": drafts}),
    }


def scope_shown(scope: Scope, sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A version of who was touched: numbers and digests; ``sets`` by depth."""
    query = scope.query
    shown: dict[str, Any] = {
        "version": scope.version, "at_ms": scope.at_ms, "by": scope.by, "reason": scope.reason, "sets": sets,
        "counts": scope.counts, "overlaps": scope.overlaps,
    }  # fmt: skip
    if query is not None:
        shown["query"] = {
            "since_ms": query.since_ms, "until_ms": query.until_ms, "follow": query.follow, "elsewhere": query.elsewhere,
            "seq": query.seq, "indicators": dict(Counter(each.kind for each in query.indicators)),
        }  # fmt: skip
    return shown


def index_files(
    incident: Incident,
    names: Collection[str],
    *,
    spoken: str,
    at_ms: int,
    masked: int,
    left_off: Sequence[str],
) -> dict[str, bytes]:
    """``index.html`` in a language, and ``index.json``: what is in the pack, and what is not.

    Args:
        incident: scrubbed.
        names: of the files.
        spoken: ``id``, ``zh`` or ``en``.
        at_ms: when it was made.
        masked: how many values were masked.
        left_off: files that do not hold all there is.
    """
    listed = sorted({*names, *AUDIT_FILES})
    words = {name: said[spoken] for name, said in texts()["pack"].items()}
    rows = "".join(
        f'<tr><td><a href="{escape(name)}">{escape(name)}</a></td><td>{escape(words[name])}</td></tr>'
        for name in listed
    )
    lines = "".join(
        f"<tr><td>{to_rfc3339(each.at_ms)}</td><td>{escape(each.text)}</td></tr>"
        for each in incident.timeline
    )
    red = (
        f"<p><strong>{escape(words['left_off'].format(what=', '.join(left_off)))}</strong></p>"
        if left_off
        else ""
    )
    page = (
        f'<!doctype html><html lang="{spoken}"><head><meta charset="utf-8"><title>{escape(words["title"])} {escape(incident.id)}'
        "</title><style>body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}td{padding:.2rem 1rem .2rem 0;"
        "vertical-align:top}footer{color:#555;font-size:.85rem}</style></head>"
        f"<body><h1>{escape(words['title'])}: {escape(incident.title)}</h1>"
        f"<p>{escape(incident.id)}, {escape(incident.kind)}, {escape(incident.severity)}, {escape(incident.state)}</p>"
        f"<p>{escape(words['made'].format(at=to_rfc3339(at_ms)))}</p>{red}"
        f"<p>{escape(words['check'])}</p><pre>shopward audit pack FILE --key PUBLIC</pre>"
        f"<table>{rows}</table><table>{lines}</table><p>{escape(words['masked'].format(count=masked))}</p>"
        f"<footer><p>{escape(NOTICE)}</p></footer></body></html>\n"
    )
    index = {
        "incident": incident.id, "title": incident.title, "kind": incident.kind, "severity": incident.severity,
        "state": incident.state, "made_ms": at_ms, "masked": masked, "left_off": list(left_off), "files": listed,
    }  # fmt: skip
    return {"index.html": page.encode(), "index.json": as_file(index)}


def as_file(value: Any) -> bytes:
    """JSON with its times as text: ``at_ms`` is ``at``, another ``x_ms`` is ``x_at``; a time of 0 is left out."""
    plain = with_times(msgspec.to_builtins(value))
    return msgspec.json.format(msgspec.json.encode(plain, order="deterministic"), indent=2) + b"\n"
