"""Whether the books are sound, from the rows alone.

Promise: reads every transfer once, in order, and finds: a gap or a stranger in the order, a changed key, entry, reference or
time (the chain), entries that do not sum to zero, an ending without its transfer or against its lines, a balance that
its entries do not make. In memory it holds the accounts, and the lines of each transfer that may still be ended.

It does not find that the whole of the books was replaced by other sound ones: for that somebody has to keep the chain's last
digest, which ``Report`` gives, elsewhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from shopward.ledger.reading import STREAM_ROWS, Reading
from shopward.ledger.rows import Standing
from shopward.ledger.tables import ledger_balance, ledger_ending, ledger_head
from shopward.ledger.transfers import ENDING, GENESIS, Entry, Stage, Transfer, chained, fingerprint, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from shopward.ledger.rows import Recorded

FAULTS_MAX: Final = 100


class Fault(NamedTuple):
    """What is wrong, and where: a word, the transfer or account, and the place in the order (0 where it has none)."""

    word: str
    subject: str
    seq: int = 0


class Report(NamedTuple):
    """What was read and what is wrong with it; ``chain`` is the head of the chain as recomputed, in hex."""

    transfers: int
    entries: int
    accounts: int
    chain: str
    faults: list[Fault]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(
    connection: Connection, tenant: str, *, progress: Callable[[int], None] = lambda _done: None
) -> Report:
    """Read the books of a tenant from first to last, in the caller's transaction; at most ``FAULTS_MAX`` faults.

    Args:
        connection: one state of the books.
        tenant: whose.
        progress: told now and then how many transfers were read.
    """
    walk = _Walk()
    for transfer in Reading(tenant).stream(connection):
        walk.step(transfer)
        if walk.seq % STREAM_ROWS == 0:
            progress(walk.seq)
    walk.compare_endings(connection, tenant)
    walk.compare_balances(connection, tenant)
    walk.compare_head(connection, tenant)
    return Report(
        walk.seq, walk.entries, len({account for account, _currency in walk.standings}), walk.chain.hex(),
        walk.faults[:FAULTS_MAX],
    )  # fmt: skip


class _Walk:
    def __init__(self) -> None:
        self.seq, self.chain, self.entries = 0, GENESIS, 0
        self.faults: list[Fault] = []
        self.standings: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._lines: dict[str, tuple[Stage, tuple[Entry, ...]]] = {}
        self._endings: dict[str, tuple[str, str]] = {}

    def step(self, made: Recorded) -> None:
        self.seq += 1
        if made.seq != self.seq:
            self._fault("gap", made.id, made.seq)
            self.seq = made.seq
        is_ending = made.stage in ENDING
        asked = Transfer(
            made.key, made.word, () if is_ending else made.entries, made.stage, made.ends, made.refs
        )
        self.chain = chained(self.chain, made.seq, made.at_ms, fingerprint(asked))
        if made.chain != self.chain:
            self._fault("changed", made.id, made.seq)
            self.chain = made.chain  # the next ones are held against what stands here
        self._sum(made)
        lines = self._ended(made) if is_ending else made.entries
        self._move(made.stage, lines)
        self.entries += len(made.entries)
        if made.stage not in {Stage.VOID, Stage.REVERSAL}:
            self._lines[made.id] = (made.stage, made.entries)

    def compare_endings(self, connection: Connection, tenant: str) -> None:
        table = ledger_ending.c
        rows = connection.execute(select(table.id, table.stage, table.by).where(table.tenant == tenant))
        found = {name: (stage, by) for name, stage, by in rows}
        for name in sorted(found.keys() | self._endings.keys()):
            if found.get(name) != self._endings.get(name):
                self._fault("ending", name)

    def compare_balances(self, connection: Connection, tenant: str) -> None:
        rows = connection.execute(select(ledger_balance).where(ledger_balance.c.tenant == tenant))
        kept = {(row.account, row.currency): Standing(*row[3:]) for row in rows}
        for place in sorted(kept.keys() | self.standings.keys()):
            if kept.get(place, Standing()) != tuple(self.standings.get(place, (0, 0, 0))):
                self._fault("balance", place[0])
        totals: Counter[str] = Counter()
        for (_account, currency), at in self.standings.items():
            totals[currency] += at[0]
        self.faults += [Fault("total", currency) for currency, total in sorted(totals.items()) if total]

    def compare_head(self, connection: Connection, tenant: str) -> None:
        table = ledger_head.c
        row = connection.execute(
            select(table.last_seq, table.chain).where(table.tenant == tenant)
        ).one_or_none()
        last, chain = (0, GENESIS) if row is None else (row.last_seq, bytes(row.chain))
        if (last, chain) != (self.seq, self.chain):
            self._fault("head", "", last)

    def _ended(self, made: Recorded) -> tuple[Entry, ...]:
        """The lines that an ending moves, by those of the transfer that it ends."""
        stage, lines = self._lines.pop(made.ends, (None, ()))
        fits = (Stage.PENDING,) if made.stage in {Stage.POST, Stage.VOID} else (Stage.POSTED, Stage.POST)
        if stage not in fits or made.ends in self._endings:
            self._fault("ends", made.id, made.seq)
        self._endings[made.ends] = (made.stage.value, made.id)
        match made.stage:
            case Stage.VOID:
                expected: tuple[Entry, ...] = ()
            case Stage.REVERSAL:
                expected = lines = turned(lines)
            case _:
                expected = lines
        if made.entries != expected:
            self._fault("entries", made.id, made.seq)
        return lines

    def _sum(self, made: Recorded) -> None:
        sums: Counter[str] = Counter()
        for entry in made.entries:
            sums[entry.currency] += entry.amount_minor
        if any(sums.values()):
            self._fault("unbalanced", made.id, made.seq)

    def _move(self, stage: Stage, lines: tuple[Entry, ...]) -> None:
        for entry in lines:
            at = self.standings[str(entry.account), entry.currency]
            side = 1 if entry.amount_minor > 0 else 2
            if stage is Stage.PENDING:
                at[side] += entry.amount_minor
                continue
            if stage in {Stage.POST, Stage.VOID}:
                at[side] -= entry.amount_minor
            if stage is not Stage.VOID:
                at[0] += entry.amount_minor

    def _fault(self, word: str, subject: str, seq: int = 0) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(word, subject, seq))
