"""What is shown of a line to staff: its state, why, and what to do now.

Promise: the sentence "what to do now" is there in every state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from shopward.lines.wording import said
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.lines.line import Line
    from shopward.lines.signals import Signal


class SignalView(Struct, omit_defaults=True):
    """Something that the platform told; ``ticket`` where announced work explains it."""

    at: str
    kind: str
    severity: str
    detail: str = ""
    ticket: str = ""


class TicketView(Struct):
    """Work that was announced."""

    id: str
    work: str
    starts: str
    ends: str
    reason: str
    by: str


class LineView(Struct, omit_defaults=True):
    """A line.

    Attributes:
        do: what to do now, in the language asked for.
        signals: the newest first.
    """

    id: str
    state: str
    text: str
    do: str
    since: str
    two_step: str
    two_step_text: str
    is_declared: bool
    signals: list[SignalView]
    tickets: list[TicketView]
    number: str = ""
    phone_id: str = ""
    account: str = ""
    title: str = ""
    incident: str = ""


def view(line: Line, *, language: str, signals: Sequence[Signal] | None = None) -> LineView:
    """What is shown of it, in ``id``, ``zh`` or ``en``; with the signals given, or those that it remembers."""
    told = line.recent if signals is None else signals
    return LineView(
        id=line.id, state=line.state, text=said("states", line.state, language), do=said("do", line.state, language),
        since=to_rfc3339(line.since_ms), two_step=line.two_step, two_step_text=said("two_step", line.two_step, language),
        is_declared=bool(line.declared_by), number=line.number, phone_id=line.phone_id, account=line.account,
        title=line.title, incident=line.incident,
        signals=[
            SignalView(to_rfc3339(each.at_ms), each.kind, each.severity, each.detail, each.ticket) for each in told
        ],
        tickets=[
            TicketView(each.id, each.work, to_rfc3339(each.from_ms), to_rfc3339(each.until_ms), each.reason, each.by)
            for each in line.tickets
        ],
    )  # fmt: skip
