"""Reading the log for who was touched: one pass, a page at a time, with no more of an event than grades need.

Promise: the log is read in order between two moments and nothing of it is kept but the people; who was found is bounded
(``PEOPLE_MAX``), beyond it the pass is refused rather than cut. It runs beside decisions and waits for none of them.

A session that a wanted event opened is wanted from there on, if asked: what a thief did after the login came from the same session,
whatever its address. An event without a session is followed by its account and device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.errors import InputTooLarge
from shopward.flows.recorded import EVENT
from shopward.incidents.scope import Touched, grades_of
from shopward.protection.members import SET_USERS_MAX, bytes_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from shopward.ports import EventLog, LogEntry

PAGE: Final = 6_400
PEOPLE_MAX: Final = SET_USERS_MAX
"""Everybody of a scope has to fit into the sealed set of a grade."""
_PASSING: Final = frozenset({"allow", "review"})


class _Facts(Struct, gc=False):
    """What of an event's facts is looked at."""

    type: str
    status: str
    actor_type: str = "customer"
    actor: str = ""
    ip: str = ""
    net: str = ""
    device: str = ""
    session: str = ""
    payee: str = ""
    password: str = ""


class _Decided(Struct, gc=False):
    decision: str = "allow"


_facts: Final = msgspec.json.Decoder(list[_Facts]).decode
_decided: Final = msgspec.json.Decoder(_Decided).decode


class Scan:
    """One pass.

    Args:
        wanted: tokens; an event that carries one of them, under whatever name, is the incident's.
        follow: whether sessions are followed.
        people: who is known already, by the 16 bytes of a token: grades are added to theirs.

    Attributes:
        events: how many were looked at.
        hits: how many were the incident's.
    """

    def __init__(self, wanted: Collection[str], *, follow: bool, people: dict[bytes, int]) -> None:
        self._wanted = set(wanted)
        self._follow = follow
        self._pairs: set[tuple[str, str]] = set()
        self.people = people
        self.events = self.hits = 0
        self.seq = 0

    def follow(self, user: str, *, session: str, device: str) -> None:
        """What this session, or this account on this device, does from here on is wanted."""
        if session:
            self._wanted.add(session)
        elif user and device:
            self._pairs.add((user, device))

    def run(self, log: EventLog, *, since_ms: int, until_ms: int) -> None:
        """Read the log between two moments, the later one excluded.

        Raises:
            InputTooLarge: more people than a scope holds.
        """
        self.seq = first_seq(log, since_ms) - 1
        while page := log.read(after_seq=self.seq, limit=PAGE):
            inside = [entry for entry in page if entry.kind == EVENT and since_ms <= entry.at_ms < until_ms]
            self._take(inside)
            self.seq = page[-1].seq
            if page[-1].at_ms >= until_ms:
                return

    def _take(self, entries: list[LogEntry]) -> None:
        self.events += len(entries)
        wanted, pairs = self._wanted, self._pairs
        for entry, facts in zip(
            entries, _facts(b"[" + b",".join([each.facts for each in entries]) + b"]"), strict=True
        ):
            if wanted.isdisjoint(
                (facts.ip, facts.net, facts.device, facts.session, facts.payee, facts.actor, facts.password)
            ) and (not pairs or (entry.user_token, facts.device) not in pairs):
                continue
            if entry.user_token:
                self._touch(entry, facts)

    def _touch(self, entry: LogEntry, facts: _Facts) -> None:
        passed = not entry.decision or _decided(entry.decision).decision in _PASSING
        bits = grades_of(Touched(facts.type, facts.status, facts.actor_type, passed))
        if not bits:
            return
        self.hits += 1
        token = bytes_of(entry.user_token)
        known = self.people.get(token)
        if known is None and len(self.people) >= PEOPLE_MAX:
            raise InputTooLarge(
                "too many people for one scope", path="indicators", expected=f"at most {PEOPLE_MAX} people", found="more",
                hint="narrow the window or the indicators; an order over everybody needs no scope",
            )  # fmt: skip
        self.people[token] = bits | (known or 0)
        if self._follow and facts.actor_type == "customer":
            self.follow(entry.user_token, session=facts.session, device=facts.device)


def first_seq(log: EventLog, since_ms: int) -> int:
    """The first position whose effective time is not before a moment; one after the last where there is none.

    Effective times never fall, so that a few looks are enough.
    """
    low, high = 1, log.last_seq() + 1
    while low < high:
        middle = (low + high) // 2
        found = log.read(after_seq=middle - 1, limit=1)
        if found and found[0].at_ms < since_ms:
            low = middle + 1
        else:
            high = middle
    return low
