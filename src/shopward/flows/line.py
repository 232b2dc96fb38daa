"""Watching the shop's own lines: what the platform tells is taken in, what staff announce explains it, and a line that was taken speaks
for the shop no longer.

Promise:
- a signal told twice is one; what is told of a line that nobody declared is kept under a line of its own, so that nothing is lost;
- the line, its signal, its incident, what the shop is owed to hear and the line of the audit log are one transaction;
- an unexplained signal that is high or critical has an incident (``messaging_account_hijacked``), one for each time that a line leaves
  its order, also where many signals come;
- a signal is forgotten after 90 days, and with the last one a line in order that nobody declared;
- while a line is condemned nothing goes out by it: fails closed, and notices and codes take the next way.

The story of a signal:
  (1) under the fence: which lines it is about, by number, else by account
  (2) was it told before; does announced work explain it
  (3) the line's new state; worse than before: its incident, the shop is told
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Conflict, NotFound
from shopward.flows.arrows import SYSTEM
from shopward.incidents.incident import Signal as IncidentSignal
from shopward.lines.line import (
    Line,
    Ticket,
    announced,
    concerned,
    condemned,
    explained,
    heard,
    is_forgotten,
    restored,
)
from shopward.lines.signals import digits
from shopward.outbox import Topic
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.signal import SignalDesk
    from shopward.lines.signals import Signal, Work
    from shopward.lines.store import LineStore
    from shopward.ports import Fence, Records
    from shopward.values import Clock, IdSource

LINES_MAX: Final = 100
KEPT_MS: Final = 90 * DAY_MS
"""The line itself keeps its newest signals, and an incident what it is about."""
SIGNALS_SHOWN: Final = 200
TITLE: Final = "The shop's own messaging line may be in other hands"
_GRAVE: Final = frozenset({"high", "critical"})
Name = Annotated[str, Meta(max_length=128)]


class LineAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line that is the shop's.

    Attributes:
        number: with its country code.
        phone_id: the platform's id of the number.
        account: the platform's id of the business account; signals that name no number are about all lines of it.
    """

    number: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")]
    phone_id: Annotated[str, Meta(max_length=64)] = ""
    account: Annotated[str, Meta(max_length=64)] = ""
    title: Name = ""


class LineDesk:
    """Tells the story; may be called from any thread.

    Args:
        records: transactions.
        fence: lets one change at a time be made.
        store: lines.
        signals: makes incidents.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names lines and tickets.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: LineStore,
        signals: SignalDesk,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._signals = signals
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._ids = ids

    def declare(self, caller: Caller, asked: LineAsked) -> Line:
        """A line of the shop's; one of this number that is there already takes what is said now.

        Raises:
            Conflict: there are too many.
        """
        now_ms, number = self._clock.now_ms(), digits(asked.number)

        def work(connection: Any) -> Line:
            self._fence.exclusive(connection)
            lines = self._store.all(connection)
            known = next((each for each in lines if each.number == number), None)
            if known is None and len(lines) >= LINES_MAX:
                raise Conflict(
                    "there are too many lines", code="too_many_lines", path="number", expected=f"at most {LINES_MAX}",
                    found="more",
                )  # fmt: skip
            before = known or Line(id=self._ids.new("ln", now_ms), number=number, since_ms=now_ms)
            after = msgspec.structs.replace(
                before,
                phone_id=asked.phone_id,
                account=asked.account,
                title=asked.title,
                declared_by=caller.person,
            )
            (self._store.add if known is None else self._store.put)(connection, after)
            self._line(connection, caller.key, after, "declared", now_ms)
            return after

        return self._records.write(work)

    def listed(self) -> list[Line]:
        """All of them."""
        return self._records.read(self._store.all)

    def get(self, line_id: str) -> tuple[Line, list[Signal]]:
        """One of them and what was told of it, the newest first; raises ``NotFound``."""
        return self._records.read(
            lambda each: (self._got(each, line_id), self._store.signals(each, line_id, limit=SIGNALS_SHOWN))
        )

    def announce(
        self, caller: Caller, line_id: str, work: Work, *, from_ms: int | None, until_ms: int, reason: str
    ) -> Line:
        """Say beforehand what is going to be done; from now where no beginning is said."""
        now_ms = self._clock.now_ms()
        ticket = Ticket(
            self._ids.new("lt", now_ms), work, now_ms if from_ms is None else from_ms, until_ms, reason, caller.person, now_ms,
        )  # fmt: skip
        step = partial(announced, ticket=ticket)
        return self._step(caller, line_id, lambda line, _now: step(line), "announced", work=work)

    def condemn(self, caller: Caller, line_id: str, reason: str) -> Line:
        """A person says that the line speaks for the shop no longer."""
        return self._step(
            caller,
            line_id,
            lambda line, now_ms: condemned(line, by=caller.person, now_ms=now_ms),
            "condemned",
            reason=reason,
        )

    def restore(self, caller: Caller, line_id: str, reason: str, *, pin_is_new: bool) -> Line:
        """Another person takes it back into use."""
        return self._step(
            caller,
            line_id,
            lambda line, now_ms: restored(line, by=caller.person, pin_is_new=pin_is_new, now_ms=now_ms),
            "restored",
            reason=reason,
        )

    def hear(self, signals: Sequence[Signal]) -> int:
        """Take signals in; how many were new."""
        return sum(self._records.write(partial(self._hear, each)) for each in signals)

    def forget(self) -> int:
        """Drop signals of before 90 days, and lines in order that nobody declared and that had none since; how many signals."""
        before_ms = self._clock.now_ms() - KEPT_MS

        def work(connection: Any) -> int:
            self._fence.exclusive(connection)
            gone = self._store.forget(connection, before_ms=before_ms)
            for each in self._store.all(connection):
                if is_forgotten(each, before_ms=before_ms):
                    self._store.remove(connection, each.id)
            return gone

        return self._records.write(work)

    def _hear(self, signal: Signal, connection: Any) -> bool:
        now_ms = self._clock.now_ms()
        self._fence.exclusive(connection)
        lines = concerned(self._store.all(connection), signal)  # (1)
        if not lines:
            lines = [self._undeclared(signal, now_ms)]
            self._store.add(connection, lines[0])
        new = [self._told(connection, each, explained(each, signal), now_ms) for each in lines]
        return any(new)

    def _told(self, connection: Any, line: Line, signal: Signal, now_ms: int) -> bool:
        if not self._store.keep(connection, line.id, signal):  # (2)
            return False
        after = heard(line, signal, now_ms=now_ms)  # (3)
        if signal.severity in _GRAVE and not after.incident:
            of = IncidentSignal("line", f"{line.id}:{signal.key}", min(signal.at_ms, now_ms), now_ms)
            incident = self._signals.propose_in(
                connection, of, title=TITLE, kind="messaging_account_hijacked",
                severity="critical" if signal.severity == "critical" else "high", now_ms=now_ms,
            )  # fmt: skip
            after = msgspec.structs.replace(after, incident=incident)
        self._store.put(connection, after)
        if after.state != line.state:
            self._tell(connection, SYSTEM, after, signal.kind, now_ms)
        return True

    def _undeclared(self, signal: Signal, now_ms: int) -> Line:
        return Line(
            id=self._ids.new("ln", now_ms), since_ms=now_ms, number=signal.number, phone_id=signal.phone_id,
            account=signal.account,
        )  # fmt: skip

    def _step(
        self, caller: Caller, line_id: str, step: Callable[[Line, int], Line], word: str, **details: str
    ) -> Line:
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Line:
            self._fence.exclusive(connection)
            before = self._got(connection, line_id)
            after = step(before, now_ms)
            self._store.put(connection, after)
            if after.state != before.state:
                self._tell(connection, caller.key, after, word, now_ms, **details)
            else:
                self._line(connection, caller.key, after, word, now_ms, **details)
            return after

        return self._records.write(work)

    def _tell(self, connection: Any, actor: str, line: Line, word: str, now_ms: int, **details: str) -> None:
        """What the shop is owed to hear, and the line of the audit log, which is last."""
        payload = {"state": line.state, "why": word, "two_step": line.two_step}
        if line.incident:
            payload["incident"] = line.incident
        self._outbox.owe(connection, at_ms=now_ms, topic=Topic.LINE_CHANGED, subject=line.id, payload=payload)
        self._line(connection, actor, line, word, now_ms, **details)

    def _line(self, connection: Any, actor: str, line: Line, word: str, now_ms: int, **details: str) -> None:
        self._trail.append(
            connection, at_ms=now_ms, actor=actor, deed="line:step", subject=line.id,
            details={"step": word, "state": line.state, **details},
        )  # fmt: skip

    def _got(self, connection: Any, line_id: str) -> Line:
        line = self._store.get(connection, line_id)
        if line is None:
            raise NotFound("no such line", path="id", expected="the id of a line", found="another id")
        return line
