"""Visits: a customer comes from the shop to the page about her own account, by a link that works once.

Promise:
- a link has 256 random bits, of which the digest alone is held; it is for one customer, works once, and for five minutes. Looking
  at where it leads uses nothing up: programs that open links to preview them do not take it away;
- what it opens lasts a quarter of an hour and is never longer; all of it is done under the key that asked for the link;
- links and visits are in memory alone: in no table, no file and no backup. A restart ends them, and the customer comes from the
  shop again, which costs a click;
- asking and opening are lines of the audit log, on the disk before the answer leaves. Fails closed;
- bounded: links of a customer and of all, links and pages of a customer in a minute, and how much is pressed in a visit.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from shopward.access import Caller
from shopward.calendars import zones
from shopward.complaints import regime_of
from shopward.complaints.regimes import DEFAULT
from shopward.errors import InvalidField, QuotaReached, StoreError
from shopward.flows.pace import Pace
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.arrows import Trail
    from shopward.ports import Records
    from shopward.values import Clock

LINK_MS: Final = 5 * MINUTE_MS
VISIT_MS: Final = 15 * MINUTE_MS
LINKS_MAX: Final = 5
"""Of one customer that are not opened yet; the oldest goes."""
HELD_MAX: Final = 20_000
"""Links, visits, and customers whose pace is held; the oldest goes. A visit takes about a kilobyte."""
ASKED_MAX: Final = 10
"""Links for one customer in a minute."""
LOOKS_MAX: Final = 30
"""Pages for one customer in a minute, in however many visits: one of a busy account takes a tenth of a second."""
PRESSES_MAX: Final = 20
"""What may be pressed in one visit."""
DONE: Final = frozenset(
    {"reported", "frozen", "claim_begun", "claim_sent", "appealed", "complained", "wished", "withdrawn"}
)
"""What a press may have come to; any other word says why it was not done."""
_SECRET_BYTES: Final = 32


class VisitAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the page is to be shown.

    Attributes:
        language: the browser's where it is empty.
        timezone: of IANA, as in ``Asia/Jakarta``; in it moments are written.
        regime: of complaints: by when what is filed there is answered.
        may_claim: whether money may be claimed there, or by the shop's own pages alone.
    """

    language: Literal["", "id", "zh", "en"] = ""
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"
    regime: Annotated[str, Meta(max_length=32)] = DEFAULT
    may_claim: bool = True


class Told(NamedTuple):
    """What the last press came to, for the page that follows it.

    Attributes:
        word: which sentence is said.
        kind: of a report: ``loss`` or ``doubt``.
        due_ms: by when somebody looks; 0 for nobody.
    """

    word: str
    kind: str = ""
    due_ms: int = 0

    @property
    def is_done(self) -> bool:
        """Whether what was pressed was done."""
        return self.word in DONE


class Visit(Struct, eq=False):
    """Somebody who looks at their own account.

    Attributes:
        user: the shop's id.
        token: by which the log knows them.
        caller: the key that asked for the link; what is pressed is done under it.
        pace: of the customer's pages.
        told: of the last press.
        offered_ms, offered_for: since when, and for what reason, a freeze was offered for what they said was not them.
    """

    user: str
    token: str
    caller: Caller
    language: str
    timezone: str
    regime: str
    may_claim: bool
    until_ms: int
    pace: Pace
    pressed: int = 0
    told: Told | None = None
    offered_ms: int = 0
    offered_for: str = ""

    def may_press(self) -> bool:
        """Whether something more may be pressed."""
        self.pressed += 1
        return self.pressed <= PRESSES_MAX


class Link(NamedTuple):
    """What the shop hands its customer."""

    token: str
    until_ms: int


class _Paces(NamedTuple):
    """Of one customer: links, and pages."""

    links: Pace
    pages: Pace


class VisitDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        trail: the audit log.
        clock: the server's.
        entropy: random bytes.
        token_of: makes a token of the shop's id of a user.
    """

    def __init__(
        self,
        *,
        records: Records,
        trail: Trail,
        clock: Clock,
        entropy: Callable[[int], bytes],
        token_of: Callable[[str], str],
    ) -> None:
        self._records = records
        self._trail = trail
        self._clock = clock
        self._entropy = entropy
        self._token_of = token_of
        self._lock = threading.Lock()
        self._links: dict[bytes, Visit] = {}
        self._visits: dict[bytes, Visit] = {}
        self._paces: dict[str, _Paces] = {}

    def ask(self, caller: Caller, user_id: str, asked: VisitAsked) -> Link:
        """A link for a customer.

        Raises:
            Refused: the key is not a service's: nobody of staff comes as a customer.
            InvalidField: there is no such time zone.
            NotFound: there is no such regime.
            QuotaReached: so many were asked for within a minute.
        """
        caller.require("service")
        if asked.timezone not in zones():
            raise InvalidField(
                "not a time zone", path="timezone", expected="a name of IANA, as in Asia/Jakarta", found="another text"
            )  # fmt: skip
        regime_of(asked.regime)
        now_ms, token = self._clock.now_ms(), self._token_of(user_id)
        pace = self._count(token, now_ms)
        self._line(caller, "visit:ask", token, {"language": asked.language}, now_ms)
        secret, until_ms = self._secret(), now_ms + LINK_MS
        visit = Visit(
            user_id,
            token,
            caller,
            asked.language,
            asked.timezone,
            asked.regime,
            asked.may_claim,
            until_ms,
            pace,
        )
        with self._lock:
            _tidy(self._links, now_ms)
            own = [digest for digest, each in self._links.items() if each.token == token]
            for digest in own[: len(own) - LINKS_MAX + 1]:
                del self._links[digest]
            self._links[_digest(secret)] = visit
        return Link(secret, until_ms)

    def waiting(self, secret: str) -> Visit | None:
        """Whom a link would let in; it stays as good as it was."""
        return _held(self._links, secret, self._clock.now_ms())

    def enter(self, secret: str) -> tuple[str, Visit] | None:
        """Use a link up: the secret of the visit that it opens; ``None`` where it is used, too old, or none.

        Where the audit log cannot be written nothing opens, and the link is as good as it was.
        """
        now_ms = self._clock.now_ms()
        with self._lock:
            visit = _held(self._links, secret, now_ms)
            self._links.pop(_digest(secret), None)
        if visit is None:
            return None
        try:
            self._line(visit.caller, "visit:open", visit.token, {}, now_ms)
        except StoreError:
            with self._lock:
                self._links[_digest(secret)] = visit
            raise
        visit.until_ms, opened = now_ms + VISIT_MS, self._secret()
        with self._lock:
            _tidy(self._visits, now_ms)
            self._visits[_digest(opened)] = visit
        return opened, visit

    def of(self, secret: str) -> Visit | None:
        """Whose visit it is, while it lasts. Fails closed."""
        return _held(self._visits, secret, self._clock.now_ms())

    def wait_s(self, visit: Visit) -> int:
        """0 where one more page of this customer may be shown, which counts; otherwise after how many seconds."""
        with self._lock:
            return visit.pace.wait_s(self._clock.now_ms())

    def leave(self, secret: str) -> None:
        """The visit is over."""
        with self._lock:
            self._visits.pop(_digest(secret), None)

    def now_ms(self) -> int:
        """By which clock visits end."""
        return self._clock.now_ms()

    def _count(self, token: str, now_ms: int) -> Pace:
        """One more link for a customer; the pace of her pages."""
        with self._lock:
            paces = self._paces.pop(token, None) or _Paces(Pace(ASKED_MAX), Pace(LOOKS_MAX))
            self._paces[token] = paces  # behind all others, so that who did not ask for longest goes first
            if len(self._paces) > HELD_MAX:
                del self._paces[next(iter(self._paces))]
            wait_s = paces.links.wait_s(now_ms)
        if wait_s:
            raise QuotaReached(
                "so many links were asked for this customer that no more are made now", code="too_many_visits",
                expected=f"at most {ASKED_MAX} in a minute", found="more", retry_after_s=wait_s,
            )  # fmt: skip
        return paces.pages

    def _line(self, caller: Caller, deed: str, token: str, details: dict[str, Any], at_ms: int) -> None:
        self._records.write(
            lambda connection: self._trail.append(
                connection, at_ms=at_ms, actor=caller.key, deed=deed, subject=token, details=details
            )
        )

    def _secret(self) -> str:
        return urlsafe_b64encode(self._entropy(_SECRET_BYTES)).rstrip(b"=").decode()


def _held(held: dict[bytes, Visit], secret: str, at_ms: int) -> Visit | None:
    """Looked up by digest, so that time tells nothing of the secret."""
    visit = held.get(_digest(secret))
    return visit if visit is not None and visit.until_ms > at_ms else None


def _tidy(held: dict[bytes, Visit], at_ms: int) -> None:
    """Room for one more: what is over goes, oldest first, then the oldest of all."""
    while held:
        oldest = next(iter(held))
        if held[oldest].until_ms > at_ms and len(held) < HELD_MAX:
            return
        del held[oldest]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
