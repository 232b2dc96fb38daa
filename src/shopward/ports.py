"""Everything of the outside that can be replaced, on one page.

A port names what is needed and how it may fail; ``adapters`` hold the engines; ``service`` alone picks them.
One suite in ``tests/contract`` runs against every adapter of a port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


class LogEntry(Struct, frozen=True, gc=False):
    """One line of the ordered log: an event and, in the same row, the decision that answered it.

    Attributes:
        seq: position in the order of recording, from 1, without gaps.
        kind: ``event``; ``order`` for a change of the orders in force and ``policy`` for another policy that decides from
            here on, whose ``facts`` are that change.
        event_id: the shop's id of the event; unique in the log.
        at_ms: the effective time, the largest event time seen so far.
        recorded_ms: the server's clock at intake.
        digest: 16 bytes over the event as sent, to tell a retry from another event under the same id.
        user_token: the keyed token of the user, empty where the event has none; for timelines.
        facts: JSON that features and rules see: keyed tokens, amounts, closed words; nothing that names a person.
        personal: the event as it was sent, which names persons: sealed by who records; erasure makes it unreadable.
        decision: JSON of the recorded answer without texts; empty where none was wanted.
    """

    seq: int
    kind: str
    event_id: str
    at_ms: int
    recorded_ms: int
    digest: bytes
    user_token: str
    facts: bytes
    personal: bytes
    decision: bytes


class Span(Struct, frozen=True):
    """Entries that follow each other, as far as a state is rebuilt from them: for whoever takes back many at once.

    Attributes:
        first_seq: position of the first.
        last_seq: position of the last.
        is_events: whether all of them are events.
        facts: their facts, as one JSON array.
        decisions: their decisions, likewise.
    """

    first_seq: int
    last_seq: int
    is_events: bool
    facts: str
    decisions: str


class EventLog(Protocol):
    """The append-only truth. One owner appends; any number may read.

    Every method may raise ``StoreUnavailable``: then nothing of that call is recorded.
    """

    def claim(self) -> None:
        """Become the only decision server of this store, or raise ``StoreLocked``."""
        ...

    def last_seq(self) -> int:
        """The last recorded position; 0 for an empty log."""
        ...

    def held(self, connection: Any) -> int:
        """The last position, which nothing moves before the transaction of this connection ends; for the owner alone.

        Raises:
            StoreLocked: this process has no claim, or another one took it over.
        """
        ...

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Record a group in one transaction, durable on return; all of it or none.

        ``entries`` continue ``last_seq`` without a gap. An owner that lost its claim gets ``StoreLocked``:
        the check and the write are one transaction, so a stale server can never append.
        """
        ...

    def find(self, event_ids: Sequence[str]) -> dict[str, LogEntry]:
        """The recorded entries among ``event_ids``, by event id."""
        ...

    def read(self, *, after_seq: int, limit: int) -> Sequence[LogEntry]:
        """Up to ``limit`` entries after a position, in order."""
        ...

    def spans(self, *, after_seq: int, limit: int) -> Sequence[Span]:
        """Some whole spans that begin behind a position, in order, of about ``limit`` entries; none where it lies within one."""
        ...

    def timeline(self, user_token: str, *, before_seq: int | None, limit: int) -> Sequence[LogEntry]:
        """A user's entries, newest first."""
        ...

    def close(self) -> None:
        """Give up the claim and every connection."""
        ...


class Snapshot(Struct, frozen=True):
    """A saved state: everything that the log up to ``seq`` has taught the features.

    ``schema`` is a digest of the feature declarations; a snapshot of another schema is of no use.
    """

    seq: int
    schema: str
    state: bytes


class SnapshotStore(Protocol):
    """Where snapshots are kept. Losing one loses time, never data: the log rebuilds it."""

    def save(self, snapshot: Snapshot) -> None:
        """Replace the kept snapshot atomically: a crash leaves the old one or the new one."""
        ...

    def load(self) -> Snapshot | None:
        """The newest snapshot, ``None`` where there is none; raise ``SnapshotInvalid`` where it is corrupt."""
        ...


class Records(Protocol):
    """The tables of the record plane, in the store of the log. Both calls may raise ``StoreUnavailable``.

    ``connection`` is a SQLAlchemy connection; it is ``Any`` here because flows hand it on and never use it.
    """

    def write(self, work: Callable[[Any], T]) -> T:
        """Run ``work(connection)`` in one transaction and commit it, durable on return; on any error nothing of it is kept.

        ``work`` may be run again where the database asks for that, and must have no effect but on its connection.
        Each of its statements sees what was committed before that statement (READ COMMITTED or one writer at a time).
        """
        ...

    def read(self, work: Callable[[Any], T]) -> T:
        """Run ``work(connection)`` without writing."""
        ...


class KeyRoot(Protocol):
    """Who keeps the key above all others of the vault. It is asked once for each key of the tenant, never for a value."""

    @property
    def name(self) -> str:
        """Which root this is, as it is kept beside what it wrapped; holds no secret, at most 64 characters."""
        ...

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key wrapped, and bound to a place; raises ``KeysUnavailable``."""
        ...

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken``, or ``KeysUnavailable`` where nobody answers."""
        ...

    def version(self, wrapped: bytes) -> str:
        """Which version of the root's key wrapped this; empty where the root has one, or keeps the versions to itself."""
        ...


class Messenger(Protocol):
    """Carries one message to one URL of somebody else's; what they answer is never read further than its status."""

    async def carry(self, url: str, headers: dict[str, str], body: bytes) -> str:
        """What came of it, within a bounded time: ``http_`` and the status, or a word for why there is none.

        It raises nothing: a receiver that is slow, hostile or gone is an outcome, and no fault.
        """
        ...


class Said(NamedTuple):
    """What a server of somebody else's answered; 0 and nothing where it did not."""

    status: int
    body: bytes


class Outward(Protocol):
    """Asks a server of another company's; ends within a bounded time and raises nothing."""

    def ask(
        self, method: str, url: str, *, named_by: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Said:  # fmt: skip
        """Its answer. ``named_by`` is the address that an administrator gave, which may stand anywhere; another one only in public."""
        ...


PayoutAnswer = Literal["paid", "pending", "failed", "unknown", "no_answer"]
"""What the shop says of a payment: ``unknown`` that it never heard of the key, ``no_answer`` that nothing is known."""


class PayoutAsked(Protocol):
    """What a payer is told of a payout."""

    @property
    def id(self) -> str:
        """Its key: the same key is the same payment."""
        ...

    @property
    def claim(self) -> str:
        """What it is for."""
        ...

    @property
    def amount_minor(self) -> int:
        """How much, in minor units."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217."""
        ...

    @property
    def instrument(self) -> str:
        """``balance``, ``gift_card`` or ``original``."""
        ...


class Payer(Protocol):
    """The shop's way to pay a customer; both calls end within a bounded time and raise nothing."""

    def pay(self, payout: PayoutAsked, *, user_id: str) -> PayoutAnswer:
        """Pay under the payout's key; where no answer came, ``no_answer``: it may or may not have been paid."""
        ...

    def status(self, key: str) -> PayoutAnswer:
        """What the shop knows of a key."""
        ...


class Parcel(Struct, frozen=True):
    """One message to one address.

    Attributes:
        to: an e-mail address, a phone number in E.164, or the shop's own id of a user.
        subject: a line; ``text`` is plain; ``language`` is ``id``, ``zh`` or ``en``.
        message: the id of the message, the same over all tries.
        template: what an approved template is called, where the channel sends no other texts.
    """

    to: str
    subject: str
    text: str
    language: str
    message: str
    template: str = ""


class Handed(Struct, frozen=True):
    """What a channel said: it has it, it will not have it, or nothing that can be relied on.

    Attributes:
        receipt: by which it will speak of the message later; ``why`` a word for the record. Neither holds an address.
    """

    said: Literal["taken", "refused", "later"]
    receipt: str = ""
    why: str = ""


class Postman(Protocol):
    """Hands one message in; ends within a bounded time and raises nothing."""

    def hand_in(self, parcel: Parcel) -> Handed:
        """What the channel said of it."""
        ...


class Correspondent(Protocol):
    """Hands one answer of a conversation in; ends within a bounded time and raises nothing."""

    def answer(self, parcel: Parcel) -> Handed:
        """What the channel said of it: the text as it is, or a template where one is named."""
        ...


class SimSwaps(Protocol):
    """Knows whether the SIM behind a number was changed; ends within a bounded time and raises nothing.

    Attributes:
        is_there: whether anybody is asked at all.
        asked: questions so far that were not answered from memory.
        swapped: of these, how many changes.
        unheard: of these, how many without an answer.
    """

    is_there: bool
    asked: int
    swapped: int
    unheard: int

    def was_swapped(self, phone: str, *, within_h: int) -> bool | None:
        """Whether it was within so many hours; ``None`` where nobody says."""
        ...


class Fence(Protocol):
    """What keeps a capture and the beginning of an order apart; every lock is held until the transaction ends.

    A transaction takes it first, and reads the orders in force in a statement after that: what committed before the
    fence was had is then seen, and what holds the fence has not begun to be in force yet.
    """

    def shared(self, connection: Any) -> None:
        """For a capture: waits for a change of orders that is under way, and never for another capture."""
        ...

    def exclusive(self, connection: Any) -> None:
        """For a change of orders: waits for every capture under way, and lets none begin."""
        ...

    def one_user(self, connection: Any, user_token: str) -> None:
        """For a capture under a limit: waits for the other captures of this user."""
        ...
