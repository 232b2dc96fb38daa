"""What the vault hands over: plain values, so that the stories can speak of them and import no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTCOMES: Final = ("revealed", "exported", "pulled", "refused", "canary")
"""What became of an access; ``pulled`` is a partner's."""
SHOWN: Final = ("revealed", "exported", "pulled")
"""Those after which somebody knew the values."""

SHARED: Final = ("index", "token", "mark")
"""Blind indexes; pseudonymous tokens; marks in what a recipient gets."""
WIDTHS: Final = {"customer": "kek", "shop": "data"}
"""A key of each customer, which ``kek`` wraps; or one for the whole shop, ``data``, which seals every value."""


class Write(NamedTuple):
    """A record to keep.

    Attributes:
        id: of the record, the shop's or ours; a record of this id gets a new version.
        user: the shop's id of the customer.
        subject: the customer's keyed token.
        region: ``ID``, ``CN`` or another country of ISO 3166-1; empty where it is not known.
        expires_ms: when it is forgotten; 0 for when the customer is.
        canary: whether nobody has a reason to read it.
    """

    id: str
    user: str
    subject: str
    kind: str
    values: Mapping[str, str]
    region: str = ""
    expires_ms: int = 0
    canary: bool = False


class Text(NamedTuple):
    """What somebody wrote about a customer, to be kept (``texts``).

    Attributes:
        kind: what it is of, as ``complaint``.
        id: of that; one text for each.
        subject: the customer's keyed token; empty for the shop's own.
        user: the shop's id of the customer, where it is known.
    """

    kind: str
    id: str
    subject: str
    text: str
    user: str = ""


class Stored(NamedTuple):
    """A record as it lies in the store; ``sealed`` is MessagePack of field and envelope."""

    id: str
    subject: str
    kind: str
    retention: str
    region: str
    version: int
    sealed: bytes
    canary: bool
    created_ms: int
    changed_ms: int
    expires_ms: int


class Opened(NamedTuple):
    """A record and those of its values that were opened; ``user`` is the shop's id of the customer."""

    row: Stored
    user: str
    values: Mapping[str, str]


class Shredded(NamedTuple):
    """How much of a customer is gone: keys of their own, records, rows of indexes, and those of corrected values."""

    keys: int
    records: int
    indexes: int
    past: int


class Access(NamedTuple):
    """One record that somebody saw, or asked for.

    Attributes:
        version: of the record as it was then; tells later which address they knew.
        fields: their names, with a comma between.
        outcome: one of ``OUTCOMES``.
    """

    id: str
    at_ms: int
    person: str
    purpose: str
    case_id: str
    order_id: str
    subject: str
    record: str
    version: int
    fields: str
    outcome: str


class Had(NamedTuple):
    """A record has, or had, a value: in its versions ``first`` to ``last``; ``last`` is 0 where it still has it."""

    record: str
    name: str
    term: str
    first: int
    last: int


class Lock(NamedTuple):
    """What is shut: a ``person``, a customer (``subject``, by token), a ``record``, or everything (``vault``)."""

    kind: str
    target: str
    reason: str
    person: str
    since_ms: int


class RevealRequest(NamedTuple):
    """A reveal that waits for, or has, the word of a second person; ``digest`` tells the very thing that was asked."""

    id: str
    person: str
    key: str
    digest: str
    body: str
    state: str
    created_ms: int
    ends_ms: int
    approved_by: str = ""


class Hold(NamedTuple):
    """A legal hold on a customer's records of one class; ``erase_after`` where an erasure waits for its end."""

    subject: str
    retention: str
    reason: str
    person: str
    since_ms: int
    erase_after: bool = False


class Rotation(NamedTuple):
    """A rotation under way or done; ``use`` is ``kek``, ``data`` or ``index``, ``version`` the new key's."""

    use: str
    version: int
    state: str
    done: int
    total: int
    cursor: str
    person: str
    started_ms: int
    changed_ms: int


class KeyState(NamedTuple):
    """A key of the tenant: ``active``, ``retiring`` (opens, seals no more) or ``retired`` (destroyed)."""

    use: str
    version: int
    root: str
    state: str
    created_ms: int
    changed_ms: int


BEFORE: Final = 0
"""The period of what the log recorded in clear, before there were periods."""


class Period(NamedTuple):
    """A stretch of the log whose events hang from one key (``periods``).

    Attributes:
        wrapped_by: the version of the key above; ``wrapped`` is empty when the period has lapsed.
        after_seq: the position behind which it begins.
        settled_seq: how far customers have their own keys of it.
        lapsed_ms: when its key was destroyed; 0 while it lives.
    """

    number: int
    wrapped_by: int
    wrapped: bytes
    after_seq: int
    begun_ms: int
    settled_seq: int
    lapsed_ms: int


def hold_name(subject: str, retention: str) -> str:
    """What the reason of a hold is called, which is kept apart from it."""
    return f"{subject}:{retention}"
