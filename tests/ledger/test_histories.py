"""Random histories with crashes, against books that are kept in a dictionary: they agree, and sum to zero, after each step."""

import itertools
import tempfile
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.conftest import Books
from shopward.ledger import Account, Entry, Kind, Stage, Transfer
from shopward.ledger.accounts import OWED, OWNED, parse_account
from shopward.ledger.transfers import id_of

HISTORIES = 40
"""More by ``benchmarks/histories.py``."""
ACCOUNTS = [Account(kind, owner) for kind in Kind for owner in ("a", "b")]
amounts = st.integers(1, 1_000)
accounts = st.sampled_from(ACCOUNTS)
STORE = tempfile.TemporaryDirectory()
NUMBERS = itertools.count()
keys = st.integers(0, 60).map("k-{}".format)


class Crash(Exception):
    """The process ends before its commit."""


@st.composite
def movements(draw):
    """A sound transfer of two to four lines, in one or two currencies."""
    lines = []
    for currency in draw(st.lists(st.sampled_from(["IDR", "CNY"]), min_size=1, max_size=2, unique=True)):
        debit, credit, amount = draw(accounts), draw(accounts), draw(amounts)
        lines += [Entry(debit, currency, amount), Entry(credit, currency, -amount)]
    stage = draw(st.sampled_from([Stage.POSTED, Stage.POSTED, Stage.PENDING]))
    return Transfer(draw(keys), "test", tuple(lines), stage)


class Histories(RuleBasedStateMachine):
    """The books, and what a dictionary says about them."""

    @initialize()
    def open(self):
        """Empty books: a tenant of their own in one store."""
        self.books = Books(f"sqlite:///{STORE.name}/books.db", f"h-{next(NUMBERS)}")
        self.asked, self.made, self.ended = {}, {}, {}
        self.posted, self.pending = Counter(), Counter()

    @rule(transfer=movements())
    def move(self, transfer):
        """A movement, new or again."""
        self.take(transfer)

    @rule(
        key=keys, which=st.integers(0, 1_000), stage=st.sampled_from([Stage.POST, Stage.VOID, Stage.REVERSAL])
    )
    def end(self, key, which, stage):
        """Something that is there, or nothing, is ended."""
        names = [*self.made, "t-none"]
        self.take(Transfer(key, "test", stage=stage, ends=names[which % len(names)]))

    @rule(transfers=st.lists(movements(), min_size=1, max_size=5))
    def crash(self, transfers):
        """A whole call is lost before its commit."""

        def work(connection):
            self.books.book.post(connection, transfers, at_ms=self.books.now_ms)
            raise Crash

        try:
            self.books.records.write(work)
        except Crash:
            return
        raise AssertionError("it was to crash")

    @rule(transfers=st.lists(movements(), min_size=2, max_size=8))
    def group(self, transfers):
        """Several in one call are as one after the other."""
        codes = self.books.codes(*transfers)
        assert codes == [self.expected(each) for each in transfers]

    @invariant()
    def agree(self):
        """Every account stands where the dictionary says, and everything sums to zero."""
        if not hasattr(self, "books"):
            return
        found = self.books.records.read(
            lambda each: self.books.reading.all_balances(each, after=("", ""), limit=999)
        )
        for name, currency, *standing in found:
            place = (parse_account(name, path=""), currency)
            assert standing == [self.posted[place], self.pending[*place, 1], self.pending[*place, -1]]
        assert {each[:2] for each in found} >= {(str(account), currency) for account, currency in self.posted}
        report = self.books.verify()
        assert report.is_sound, report.faults
        assert report.transfers == len(self.made)

    def take(self, transfer):
        """One call, and what was to be expected."""
        assert self.books.codes(transfer) == [self.expected(transfer)]

    def expected(self, transfer):
        """What the dictionary says of a transfer; it takes it if it is good."""
        if transfer.key in self.asked:
            return "again" if self.asked[transfer.key] == transfer else "conflict"
        code, lines = self.lines(transfer)
        if code != "ok":
            return code
        posted, pending = Counter(self.posted), Counter(self.pending)
        for account, currency, amount in lines:
            side = (account, currency, 1 if amount > 0 else -1)
            match transfer.stage:
                case Stage.PENDING:
                    pending[side] += amount
                case Stage.VOID:
                    pending[side] -= amount
                case Stage.POST:
                    pending[side] -= amount
                    posted[account, currency] += amount
                case _:
                    posted[account, currency] += amount
        places = {each[:2] for each in lines}
        if any(over(place, posted, pending) > over(place, self.posted, self.pending) for place in places):
            return "not_covered"
        self.posted, self.pending = posted, pending
        self.asked[transfer.key] = transfer
        name = self.name(transfer.key)
        self.made[name] = (transfer.stage, lines)
        if transfer.ends:
            self.ended[transfer.ends] = name
        return "ok"

    def lines(self, transfer):
        """What it moves."""
        if not transfer.ends:
            return "ok", transfer.entries
        if transfer.ends not in self.made:
            return "not_found", ()
        if transfer.ends in self.ended:
            return "already_ended", ()
        stage, lines = self.made[transfer.ends]
        fits = {Stage.POSTED, Stage.POST} if transfer.stage is Stage.REVERSAL else {Stage.PENDING}
        if stage not in fits:
            return "wrong_stage", ()
        if transfer.stage is Stage.REVERSAL:
            lines = tuple(each._replace(amount_minor=-each.amount_minor) for each in lines)
        return "ok", lines

    def name(self, key):
        """The id under which the books have it."""
        return id_of(self.books.tenant, key)

    def teardown(self):
        """Close them."""
        if hasattr(self, "books"):
            self.books.close()


def over(place, posted, pending):
    """By how much an account is overdrawn."""
    account, currency = place
    if account.kind in OWED:
        return max(posted[place] + pending[account, currency, 1], 0)
    if account.kind in OWNED:
        return max(-posted[place] - pending[account, currency, -1], 0)
    return 0


Histories.TestCase.settings = settings(
    max_examples=HISTORIES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase
