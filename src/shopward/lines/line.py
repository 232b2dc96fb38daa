"""A line as a value, and what changes it.

Promise: pure. A signal that no ticket explains makes a line worse, never better; a person takes it back into use, another one than who
condemned it, and a condemned one only with a two-step PIN that was set anew. A ticket begins in the future of when it was announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, InvalidField, Refused
from shopward.lines.signals import EXPLAINS, Severity, Signal, Work
from shopward.values import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["in_order", "watched", "suspected", "condemned"]
STATES: Final[tuple[State, ...]] = ("in_order", "watched", "suspected", "condemned")
"""From best to worst."""
TwoStep = Literal["unknown", "set", "reset_requested", "off", "set_by_others"]
LASTS_MAX_MS: Final = 7 * DAY_MS
TICKETS_MAX: Final = 20
RECENT_MAX: Final = 20
LATE_MS: Final = 5 * MINUTE_MS
"""How much before its ticket a signal may be: the platform's clock and ours are two."""
_MAKES: Final[dict[Severity, State]] = {
    "info": "in_order", "medium": "watched", "high": "suspected", "critical": "condemned",
}  # fmt: skip


class Ticket(Struct, frozen=True):
    """Work that staff announced: which, when, why, who, and when it was announced."""

    id: str
    work: Work
    from_ms: int
    until_ms: int
    reason: str
    by: str
    made_ms: int


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line.

    Attributes:
        number: in digits; it is the shop's own.
        phone_id: the platform's id of the number.
        account: the platform's id of the business account.
        declared_by: who said that it is the shop's; empty where only the platform told of it.
        since_ms: since when it is in its state.
        two_step: what is known of its two-step PIN.
        condemned_by: the person who condemned it; empty where a signal did.
        incident: of what it is in its state for.
        recent: the newest signals, the newest first.
    """

    id: str
    number: str = ""
    phone_id: str = ""
    account: str = ""
    title: str = ""
    declared_by: str = ""
    state: State = "in_order"
    since_ms: int
    two_step: TwoStep = "unknown"
    condemned_by: str = ""
    incident: str = ""
    tickets: tuple[Ticket, ...] = ()
    recent: tuple[Signal, ...] = ()


def concerned(lines: Sequence[Line], signal: Signal) -> list[Line]:
    """The lines that a signal is about: its number's, or all of its account where it names no number; else those of which nothing is known."""
    if signal.number or signal.phone_id:
        return [
            each
            for each in lines
            if (signal.number and each.number == signal.number)
            or (signal.phone_id and each.phone_id == signal.phone_id)
        ]
    if signal.account:
        return [each for each in lines if each.account == signal.account]
    return [each for each in lines if not (each.number or each.phone_id or each.account)]


def explained(line: Line, signal: Signal) -> Signal:
    """The signal with the ticket that explains it, if one does."""
    for each in line.tickets:
        if signal.kind in EXPLAINS[each.work] and each.from_ms - LATE_MS <= signal.at_ms <= each.until_ms:
            return msgspec.structs.replace(signal, ticket=each.id)
    return signal


def heard(line: Line, signal: Signal, *, now_ms: int) -> Line:
    """A line that a signal was told of."""
    after = msgspec.structs.replace(
        line, recent=(signal, *line.recent)[:RECENT_MAX], two_step=_two_step(line.two_step, signal)
    )
    state = _MAKES[signal.severity]
    if STATES.index(state) <= STATES.index(line.state):
        return after
    return msgspec.structs.replace(after, state=state, since_ms=now_ms, condemned_by="")


def is_forgotten(line: Line, *, before_ms: int) -> bool:
    """Whether nobody declared it, it is in order, and nothing was told of it since a time. One that is worse stays: it may bar all others."""
    is_quiet = line.since_ms < before_ms and all(each.at_ms < before_ms for each in line.recent)
    return not line.declared_by and line.state == "in_order" and not line.incident and is_quiet


def announced(line: Line, ticket: Ticket) -> Line:
    """A line with work announced; tickets that are over are left out.

    Raises:
        InvalidField: it begins in the past, or lasts too long.
        Conflict: there are too many.
    """
    if not ticket.made_ms <= ticket.from_ms < ticket.until_ms <= ticket.from_ms + LASTS_MAX_MS:
        raise InvalidField(
            "work is announced before it begins, for a week at most", path="from",
            expected="a moment to come, and an end within 7 days of it", found="another time",
        )  # fmt: skip
    open_ = [each for each in line.tickets if each.until_ms > ticket.made_ms]
    if len(open_) >= TICKETS_MAX:
        raise Conflict(
            "too much work is announced for this line", code="line_tickets", path="id",
            expected=f"at most {TICKETS_MAX} tickets", found="more",
        )  # fmt: skip
    return msgspec.structs.replace(line, tickets=(*open_, ticket))


def condemned(line: Line, *, by: str, now_ms: int) -> Line:
    """A line that speaks for the shop no longer; raises ``Conflict`` where it is condemned already."""
    if line.state == "condemned":
        raise _state(line, "another one than condemned")
    return msgspec.structs.replace(line, state="condemned", since_ms=now_ms, condemned_by=by)


def restored(line: Line, *, by: str, pin_is_new: bool, now_ms: int) -> Line:
    """A line in use again, its alarm over.

    Raises:
        Conflict: it is in order, or condemned and nobody set its PIN anew.
        Refused: who condemned it asks.
    """
    if line.state == "in_order":
        raise _state(line, "watched, suspected or condemned")
    if line.condemned_by == by:
        raise Refused(
            "another person is needed", code="second_person_needed", found="the same",
            expected="somebody else than who condemned the line",
        )  # fmt: skip
    if line.state == "condemned" and line.two_step != "set" and not pin_is_new:
        raise Conflict(
            "whoever took the line may still know its PIN", code="line_pin", path="pin_is_new",
            expected="a two-step PIN that was set anew", found="none that is known",
            hint="announce the work (pin), set a new PIN, then restore",
        )  # fmt: skip
    two_step: TwoStep = "set" if pin_is_new else line.two_step
    return msgspec.structs.replace(
        line, state="in_order", since_ms=now_ms, condemned_by="", incident="", two_step=two_step
    )


def _two_step(before: TwoStep, signal: Signal) -> TwoStep:
    if signal.kind == "pin_changed":
        return "set" if signal.ticket else "set_by_others"
    if signal.kind == "pin_reset_requested":
        return "reset_requested"
    if signal.kind == "pin_removed":
        return "off"
    return "unknown" if signal.kind in ("offboarded", "re_registered") else before


def _state(line: Line, expected: str) -> Conflict:
    return Conflict(
        "the line is in a state from which this cannot be done", code="line_state", path="id", expected=expected,
        found=line.state,
    )  # fmt: skip
