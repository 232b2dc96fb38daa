"""Paying out: once and only once, whatever ends the process in between.

The story of a payout:
  (1) it is leased in a transaction that writes down the intent: from here on it counts as sent
  (2) one that was sent before is asked about first, under its key; what the shop knows is taken as it is
  (3) only where the shop knows nothing of the key is it sent, with the key
  (4) what the shop says becomes true in one transaction: the books, the payout, the claim, the line of the audit log; what was
      answered at about the same time together, in one post of the books. One that the books refuse, or what follows from it,
      stays on its way and spoils no other

So a crash after (1) costs a question, a crash after (3) too, and a payment that timed out after it was made is found by (2).
That holds as long as the shop keeps its side: the same key is the same payment. Where it answers neither yes nor no, the
payout stays on its way and is asked about again, later each time; nothing is paid on a guess (fails closed).

Several are carried side by side, each on its own: a shop that takes a second for one does not make the next wait for it.
Rows are locked in one order everywhere, so that no two wait for each other: claims, their payouts, the head of the books.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.claims.payouts import Payout, pause_ms
from shopward.errors import BadInput, Conflict, NotFound, ShopwardError, StoreError
from shopward.flows import debts
from shopward.flows.arrows import SYSTEM
from shopward.ledger import postings
from shopward.outbox import Topic
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.access import Caller
    from shopward.claims import Claim
    from shopward.claims.store import ClaimStore
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.history import History
    from shopward.ledger import Book
    from shopward.ports import Payer, PayoutAnswer, Records
    from shopward.values import Clock

LEASE_MS: Final = 2 * MINUTE_MS
"""Longer than the shop is waited for: nobody else takes it meanwhile."""
AT_ONCE: Final = 8
"""So many are asked of the shop at the same time."""
GATHER_S: Final = 0.2
"""So long after an answer others are waited for, to be written down with it."""
EACH_MAX: Final = 3
"""So many are asked about and sent one after the other within one lease, though the shop takes all the time that it has."""


class Taken(NamedTuple):
    """A payout that this process carries, whether it was sent before, and the token of whom it is for."""

    payout: Payout
    was_sent: bool
    user: str


class PayoutDesk:
    """Tells the story.

    Args:
        records: transactions.
        store: payouts and claims.
        book: the ledger.
        history: tells the shop's own id of a user.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        payer: the shop's way to pay; ``None`` where people pay and say so.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: ClaimStore,
        book: Book,
        history: History,
        trail: Trail,
        outbox: Outbox,
        payer: Payer | None,
        clock: Clock,
    ) -> None:
        self._records = records
        self._store = store
        self._book = book
        self._history = history
        self._trail = trail
        self._outbox = outbox
        self._payer = payer
        self._clock = clock

    def step(self) -> int:
        """Carry what is due, side by side; how many were looked at. Run by the server beside decisions.

        Returns when all of them are written down, so that whoever stops this leaves none behind.
        """
        if self._payer is None:
            return 0
        taken = self._records.write(self._take)
        if taken:
            self._carry(taken, self._payer)
        return len(taken)

    def by_hand(self, caller: Caller, payout_id: str, *, is_paid: bool, reference: str) -> Payout:
        """A person says what became of a payout: for shops that pay by hand, and where the shop's answer was lost."""

        def work(connection: Any) -> Payout:
            known = self._store.payouts(connection, [payout_id])
            claims, payouts = self._locked(connection, list(known.values()))
            payout = payouts.get(payout_id)
            if payout is None:
                raise NotFound(
                    "no such payout", path="payout", expected="the id of a payout", found="another id"
                )
            if payout.state not in ("due", "sent"):
                raise Conflict(
                    "the payout has ended",
                    code="payout_state",
                    path="payout",
                    expected="due or sent",
                    found=payout.state,
                )
            ended = _ended(payout, is_paid=is_paid, said=reference)
            for refused in self._settle(connection, claims, [ended], caller.key):
                raise refused
            return ended

        return self._records.write(work)

    def _take(self, connection: Any) -> list[Taken]:
        """Step (1)."""
        now_ms = self._clock.now_ms()
        due = self._store.due_payouts(connection, at_ms=now_ms, limit=AT_ONCE * EACH_MAX)
        sent = [each._replace(state="sent", tries=each.tries + 1, due_ms=now_ms + LEASE_MS) for each in due]
        self._store.put_payouts(connection, sent)
        claims = self._store.get_many(connection, {each.claim for each in due})
        users = {name: claim.user for name, claim in claims.items()}
        return [
            Taken(now, before.state == "sent", users.get(now.claim, ""))
            for before, now in zip(due, sent, strict=True)
        ]

    def _carry(self, taken: Sequence[Taken], payer: Payer) -> None:
        """Steps (2) and (3) side by side; (4) in one transaction for all that was answered within a moment of each other.

        Raises, when the others are written down, what kept one from being asked for, as an event that does not open, or what
        the books had against one.
        """
        refused: list[ShopwardError] = []
        users = self._users({each.user for each in taken})
        with ThreadPoolExecutor(AT_ONCE, "shopward-payout") as pool:
            asked = [pool.submit(self._asked, each, users, payer) for each in taken]
            waiting = set(asked)
            while waiting:
                first, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                others, waiting = wait(waiting, timeout=GATHER_S)
                heard = [each.result() for each in first | others if each.exception() is None]
                refused += self._written(heard)
        for each in asked:
            each.result()
        for why in refused:
            raise why

    def _users(self, tokens: set[str]) -> dict[str, str]:
        """The shop's ids of all of them together; of nobody where one of their events does not open: then each is on its own."""
        try:
            return self._history.users(sorted(tokens))
        except StoreError:
            return {}

    def _asked(self, taken: Taken, users: Mapping[str, str], payer: Payer) -> tuple[Payout, PayoutAnswer]:
        payout = taken.payout
        answer: PayoutAnswer = payer.status(payout.id) if taken.was_sent else "unknown"  # (2)
        if answer == "unknown":
            user_id = users[taken.user] if taken.user in users else self._history.user(taken.user)
            answer = payer.pay(payout, user_id=user_id)  # (3)
        return payout, answer

    def _written(self, heard: Sequence[tuple[Payout, PayoutAnswer]]) -> list[ShopwardError]:
        """Step (4) for all of them at once; where the claim of one refuses what follows, for each on its own."""
        try:
            return self._records.write(partial(self._hear, heard))
        except (BadInput, NotFound, Conflict) as refusal:
            if len(heard) == 1:
                return [refusal]
        return [why for each in heard for why in self._written([each])]

    def _hear(self, answers: Sequence[tuple[Payout, PayoutAnswer]], connection: Any) -> list[ShopwardError]:
        """Step (4); what the books refused."""
        now_ms = self._clock.now_ms()
        claims, payouts = self._locked(connection, [payout for payout, _answer in answers])
        ended, later = [], []
        for payout, answer in answers:
            kept = payouts.get(payout.id)
            if kept is None or kept.state != "sent":
                continue  # a person said meanwhile what became of it
            if answer in ("paid", "failed"):
                ended.append(_ended(kept, is_paid=answer == "paid", said=answer))
            else:
                later.append(kept._replace(due_ms=now_ms + pause_ms(kept.tries), said=answer))
        self._store.put_payouts(connection, later)
        return self._settle(connection, claims, ended, SYSTEM)

    def _locked(
        self, connection: Any, payouts: Sequence[Payout]
    ) -> tuple[dict[str, Claim], dict[str, Payout]]:
        """The claims of these payouts and the payouts as they are now, locked in this order."""
        claims = self._store.get_many(connection, {each.claim for each in payouts}, lock=True)
        return claims, self._store.payouts(connection, [each.id for each in payouts], lock=True)

    def _settle(
        self, connection: Any, claims: Mapping[str, Claim], ended: Sequence[Payout], actor: str
    ) -> list[ShopwardError]:
        """What the shop or a person says becomes true, but of those that the books refuse: why they do."""
        now_ms = self._clock.now_ms()
        rules = [
            (postings.paid if each.state == "paid" else postings.not_paid)(each.transfer, payout=each.id)
            for each in ended
        ]
        answers = self._book.post(connection, rules, at_ms=now_ms) if rules else []
        booked = [
            each for each, answer in zip(ended, answers, strict=True) if not isinstance(answer, ShopwardError)
        ]
        self._store.put_payouts(connection, booked)
        self._trail.append_each(
            connection, at_ms=now_ms, actor=actor, deed="payout:settle",
            told={each.id: {"state": each.state, "claim": each.claim} for each in booked},
        )  # fmt: skip
        self._outbox.owe_many(
            connection, at_ms=now_ms, topic=Topic.PAYOUT_SETTLED,
            told={
                each.id: {"claim": each.claim, "state": each.state, "amount_minor": each.amount_minor,
                          "currency": each.currency}
                for each in booked
            },
        )  # fmt: skip
        debts.settled(connection, self._store, self._book, claims, booked, now_ms)
        return [answer for answer in answers if isinstance(answer, ShopwardError)]


def _ended(payout: Payout, *, is_paid: bool, said: str) -> Payout:
    return payout._replace(state="paid" if is_paid else "failed", said=said[:64])
