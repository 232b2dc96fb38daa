"""The record of processing activities, as a value, as CSV and as a page.

Promise: pure; each of the three says the same. HTML is escaped and loads nothing; a CSV cell that a spreadsheet would take for
a formula begins with an apostrophe. Nobody's data is in it: numbers alone (GDPR art. 30, UU PDP art. 31, PIPL art. 55 and 56
ask for such a record).
"""

from __future__ import annotations

import csv
import io
from html import escape
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.processing.activity import NOTICE

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class ActivityRow(Struct):
    """An activity as the record shows it.

    Attributes:
        version: 0 for one that ships.
        consents, withdrawn: customers who have given consent, and who have withdrawn it; 0 where it rests on something else.
    """

    name: str
    version: int
    title: str
    basis: str
    law: str
    data: list[str]
    subjects: list[str]
    recipients: list[str]
    transfers: list[str]
    keep: str
    keep_days: int
    measures: str
    declared_by: str
    declared_at: str
    consents: int
    withdrawn: int


class RetentionRow(Struct):
    """A retention class of the vault: how many records it holds, and how many of them have an end."""

    retention: str
    records: int
    ending: int


class ErasedRow(Struct):
    """What was erased since the audit log began: by the clock, and because somebody asked."""

    by_retention: int
    by_request: int
    requests: int


class ProcessingRecord(Struct):
    """The whole record."""

    notice: str
    controller: str
    made_at: str
    activities: list[ActivityRow]
    retention: list[RetentionRow]
    erased: ErasedRow


def as_csv(record: ProcessingRecord) -> str:
    """One activity a line, with a head."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(ActivityRow.__struct_fields__)
    for row in record.activities:
        writer.writerow([_cell(getattr(row, name)) for name in ActivityRow.__struct_fields__])
    return out.getvalue()


def as_html(record: ProcessingRecord) -> str:
    """A page that can be printed."""
    activities = _table(
        ("Activity", "Basis", "Data", "Whose", "To whom", "Kept", "Consents"),
        [
            (
                f"{row.title} ({row.name}, version {row.version})", f"{row.basis}: {row.law}", ", ".join(row.data),
                ", ".join(row.subjects), ", ".join((*row.recipients, *row.transfers)) or "nobody", row.keep,
                f"{row.consents} given, {row.withdrawn} withdrawn" if row.basis == "consent" else "",
            )
            for row in record.activities
        ],
    )  # fmt: skip
    retention = _table(
        ("Class of the vault", "Records", "Of these with an end"),
        [(row.retention, str(row.records), str(row.ending)) for row in record.retention],
    )
    erased = record.erased
    said = (
        f"Erased by the clock: {erased.by_retention} records. On request: {erased.by_request} records in"
        f" {erased.requests} erasures."
    )
    title = escape(f"Record of processing activities: {record.controller}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{escape(record.made_at)}. {escape(NOTICE)}</p>{activities}"
        f"<h2>Retention</h2>{retention}<p>{said}</p></html>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(each)}</th>" for each in head)
    lines = ("<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><tr>{heads}</tr>{''.join(lines)}</table>"


def _cell(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
