"""What the stories of claims stand on: filing by a customer and filing for victims share it.

Promise: named in one place, handed over as one; it does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.claims.store import ClaimStore
    from shopward.events import FactsMaker
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.history import History
    from shopward.flows.words import Words
    from shopward.ledger import Book
    from shopward.ports import EventLog, Records
    from shopward.protection.members import Members
    from shopward.values import Clock, IdSource


class Claiming(NamedTuple):
    """What they stand on.

    Attributes:
        records: transactions.
        store: claims.
        book: the ledger.
        log: what the platform knows.
        history: what it was told.
        words: keeps what people write.
        maker: gives an account's token.
        members: of a sealed victim set.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names claims.
    """

    records: Records
    store: ClaimStore
    book: Book
    log: EventLog
    history: History
    words: Words
    maker: FactsMaker
    members: Callable[[str], Members]
    trail: Trail
    outbox: Outbox
    clock: Clock
    ids: IdSource
