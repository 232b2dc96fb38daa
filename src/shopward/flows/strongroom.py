"""The strongroom: what the stories of the vault share, and how a customer is called in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from shopward.flows.arrows import Outbox, Trail
    from shopward.ports import Fence, LogEntry, Records
    from shopward.ssf.receiver_store import ReceiverStore
    from shopward.values import Clock, IdSource
    from shopward.vault.accesses import AccessBook
    from shopward.vault.canaries import CanaryBook
    from shopward.vault.census import Census
    from shopward.vault.erasures import ErasureBook
    from shopward.vault.journal import Journal
    from shopward.vault.keys import TenantKeys
    from shopward.vault.periods import Periods
    from shopward.vault.records import SealedRecords
    from shopward.vault.rotations import Rotations
    from shopward.vault.texts import SealedTexts


class PersonalColumn(Protocol):
    """The events as they were sent, in the log; all of it in the caller's transaction."""

    def erase(
        self,
        connection: Any,
        user_token: str,
        until_ms: int,
        *,
        living_from: int,
        destroyed: Collection[int],
    ) -> int:
        """Empty a user's events up to a time that lie in clear or in living periods; how many, with those of periods just destroyed."""
        ...

    def seal(
        self, connection: Any, after_seq: int, until_seq: int, sealed: Callable[[LogEntry], bytes]
    ) -> None:
        """Keep events that are not erased in another way, in a stretch of the log."""
        ...

    def users(self, connection: Any, after_seq: int, until_seq: int) -> set[str]:
        """The tokens of the users who have events that are not erased in a stretch of the log."""
        ...


class Strongroom(NamedTuple):
    """The parts of the vault over one store.

    Attributes:
        records: transactions.
        fence: lets two writers of one customer come one after the other.
        keys: of the tenant.
        sealed: the records.
        texts: what people write about customers beside them.
        accesses: who saw what, quotas, locks, requests.
        canaries: for whom canaries were planted.
        census: how many customers there are.
        erasures: what is gone, and holds.
        rotations: of keys.
        journal: of erasures, apart from the store.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names what is made.
        blind: gives the token of a value in a domain.
        periods: keys of what the log keeps of persons.
        column: where it keeps that.
        told: as whom partners that hear from us know customers.
    """

    records: Records
    fence: Fence
    keys: TenantKeys
    sealed: SealedRecords
    texts: SealedTexts
    accesses: AccessBook
    canaries: CanaryBook
    census: Census
    erasures: ErasureBook
    rotations: Rotations
    journal: Journal
    trail: Trail
    outbox: Outbox
    clock: Clock
    ids: IdSource
    blind: Callable[[str, str], str]
    periods: Periods
    column: PersonalColumn
    told: ReceiverStore

    def subject(self, user_id: str) -> str:
        """The token of a customer: the one that decisions and the log know them by."""
        return self.blind("user", user_id)

    def fenced(self, connection: Any, subjects: Sequence[str]) -> None:
        """Come after every other writer of these customers; in one order, so that no two wait for each other."""
        for subject in sorted(set(subjects)):
            self.fence.one_user(connection, f"vault:{subject}")

    def line(
        self, connection: Any, actor: str, deed: str, subject: str, details: Mapping[str, Any], at_ms: int
    ) -> None:
        """A line of the audit log; last in its transaction."""
        self.trail.append(connection, at_ms=at_ms, actor=actor, deed=deed, subject=subject, details=details)
