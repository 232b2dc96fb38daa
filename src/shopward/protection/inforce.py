"""Orders in force: a versioned set in memory, and what it remembers of each; a pure function of the ordered log.

Promise:
- ``apply`` takes the changes that the log holds, in order, each once; the version says up to which;
- ``rule`` gives the ruling on one event and changes nothing; ``settle`` then takes the event in: sums of limits, new
  passwords, new sessions. After a restart the same log gives the same set, bit for bit;
- a user with an exception to an order is not covered by that order and stays covered by every other.

Reset and revoke are epochs: a reset order asks of everybody it covers whether the password was set after it began
(declared, or seen as an event since), a revoke order whether the session began after it did. No user's row is written.

Bounded: the newest ``REMEMBERED_MAX`` passwords and sessions of an order are remembered; somebody who is forgotten is
asked again, never let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from shopward.errors import SnapshotInvalid
from shopward.protection.index import OrderIndex
from shopward.protection.orders import Standing
from shopward.protection.resolve import NO_RULING, Ruling, resolve
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping

    from shopward.events import Facts
    from shopward.protection.attributes import Declared

REMEMBERED_MAX: Final = 1_000_000
_NEW_PASSWORD: Final = frozenset({"password_change", "password_reset"})

ChangeKind = Literal["begin", "end", "exempt"]


class Change(Struct, frozen=True, omit_defaults=True):
    """One step of the set of orders, as the journal and the log keep it.

    Attributes:
        version: of the set after this step, from 1, without gaps.
        id: unguessable; the entry's id in the log.
        kind: an order begins, an order ends, users are excepted from an order.
        at_ms: the server's clock.
        order: the order that begins.
        order_id: the order that it is about.
        users: tokens of those excepted.
    """

    version: int
    id: str
    kind: ChangeKind
    at_ms: int
    order_id: str
    order: Standing | None = None
    users: tuple[str, ...] = ()


class _Spent(Struct, array_like=True):
    at_ms: int
    amount_minor: int
    transaction: str


class _Kept(Struct):
    """Everything that a restart needs."""

    version: int = 0
    orders: dict[str, Standing] = {}
    exempt: dict[str, set[str]] = {}
    spent: dict[str, dict[str, list[_Spent]]] = {}
    renewed: dict[str, dict[str, int]] = {}
    sessions: dict[str, dict[str, int]] = {}


class OrdersInForce:
    """The set.

    Args:
        blind: gives the token of a value in a domain.

    Attributes:
        declared: what is declared of the users of the group; handed in.
        members: of stored victim sets, by id; handed in before anything is decided under an order about one.
    """

    def __init__(self, blind: Callable[[str, str], str]) -> None:
        self._blind = blind
        self._kept = _Kept()
        self.members: dict[str, Container[str]] = {}
        self._index = OrderIndex((), blind)
        self.declared: Mapping[str, Declared] = {}

    @property
    def version(self) -> int:
        """Of the set: how many changes it has taken."""
        return self._kept.version

    @property
    def asks_attributes(self) -> bool:
        """Whether declared attributes are needed to rule."""
        return self._index.asks_attributes

    @property
    def sets_missing(self) -> set[str]:
        """The stored victim sets that orders in force are about and that ``members`` does not hold."""
        return self._index.set_ids - self.members.keys()

    @property
    def orders(self) -> tuple[Standing, ...]:
        """The orders in force, oldest first."""
        return self._index.orders

    def apply(self, change: Change) -> None:
        """Take the next change; one that was taken already changes nothing."""
        kept = self._kept
        if change.version <= kept.version:
            return
        if change.kind == "begin" and change.order is not None:
            kept.orders[change.order_id] = change.order
        elif change.kind == "end":
            for memory in (kept.orders, kept.exempt, kept.spent, kept.renewed, kept.sessions):
                memory.pop(change.order_id, None)
        elif change.order_id in kept.orders:
            kept.exempt.setdefault(change.order_id, set()).update(change.users)
        kept.version = change.version
        if change.kind != "exempt":
            wanted = {order.target.set_id for order in kept.orders.values()}
            for set_id in self.members.keys() - wanted:
                del self.members[set_id]
            self._index = OrderIndex(kept.orders.values(), self._blind, self.members)

    def rule(self, facts: Facts, answered: Collection[str] = ()) -> tuple[Ruling, tuple[str, ...]]:
        """The ruling on an event, and the limits that it uses up where it goes ahead.

        Args:
            facts: of the event, with its effective time.
            answered: ids of step-up orders that a passed challenge has answered.
        """
        declared = self.declared.get(facts.user)
        covering = self._index.matching(facts, declared)
        if not covering:
            return NO_RULING, ()
        applying, used = [], []
        exempt = self._kept.exempt
        for order in covering:
            if exempt and facts.user in exempt.get(order.id, ()):
                continue
            if order.kind == "limit":
                if self._exceeds(order, facts):
                    applying.append(order)
                elif facts.amount_minor:
                    used.append(order.id)
            elif self._applies(order, facts, declared, answered):
                applying.append(order)
        return resolve(applying), tuple(used)

    def settle(self, facts: Facts, decision: str, used: Collection[str]) -> None:
        """Take a decided event in; the same event and decision from the log do the same."""
        kept = self._kept
        if not kept.orders or decision in ("deny", "challenge"):
            return
        for order_id in used:
            if order_id in kept.orders:
                self._spend(kept.orders[order_id], facts)
        if facts.status != "succeeded":
            return
        if facts.type in _NEW_PASSWORD:
            self._remember("reset", kept.renewed, facts.user, facts.at_ms)
        elif facts.type == "login":
            self._remember("revoke", kept.sessions, facts.session, facts.at_ms)

    def dump(self) -> bytes:
        """All of it."""
        return _encoder.encode(self._kept)

    def load(self, state: bytes) -> None:
        """Take over what was dumped; raises ``SnapshotInvalid``."""
        try:
            self._kept = _decoder.decode(state)
        except msgspec.MsgspecError as broken:
            raise SnapshotInvalid(
                "the saved orders cannot be read", expected="MessagePack of orders"
            ) from broken
        for memory in (self._kept.renewed, self._kept.sessions):
            for order_id, known in memory.items():  # oldest first again
                memory[order_id] = dict(sorted(known.items(), key=lambda item: item[1]))
        self._index = OrderIndex(self._kept.orders.values(), self._blind, self.members)

    def _applies(
        self, order: Standing, facts: Facts, declared: Declared | None, answered: Collection[str]
    ) -> bool:
        kind = order.kind
        if kind == "step_up":
            return order.id not in answered
        if kind == "reset":
            set_ms = 0 if declared is None else declared.password_set_at_ms
            return set_ms < order.begun_ms and facts.user not in self._kept.renewed.get(order.id, ())
        if kind == "revoke":  # a sign-in makes a new session; any other event must show one that began since
            return facts.type != "login" and facts.session not in self._kept.sessions.get(order.id, ())
        if kind == "unlink":
            linked = () if declared is None else declared.identity_providers
            return order.provider == facts.identity_provider or order.provider in linked
        return True

    def _exceeds(self, order: Standing, facts: Facts) -> bool:
        """Whether an amount goes over a limit with what was spent in its window; another currency always does."""
        limit = order.limit
        if limit is None or not facts.amount_minor:
            return False
        if facts.currency != limit.currency:
            return True
        spent = self._kept.spent.get(order.id, {}).get(facts.user, ())
        if facts.transaction and any(each.transaction == facts.transaction for each in spent):
            return False  # the same movement, reported again
        since = facts.at_ms - limit.window_s * SECOND_MS
        return (
            sum(each.amount_minor for each in spent if each.at_ms > since) + facts.amount_minor
            > limit.amount_minor
        )

    def _spend(self, order: Standing, facts: Facts) -> None:
        if order.limit is None:
            return
        of_user = self._kept.spent.setdefault(order.id, {}).setdefault(facts.user, [])
        if facts.transaction and any(each.transaction == facts.transaction for each in of_user):
            return
        since = facts.at_ms - order.limit.window_s * SECOND_MS
        of_user[:] = [each for each in of_user if each.at_ms > since]
        of_user.append(_Spent(facts.at_ms, facts.amount_minor, facts.transaction))

    def _remember(self, kind: str, memory: dict[str, dict[str, int]], token: str, at_ms: int) -> None:
        if not token:
            return
        for order in self._kept.orders.values():
            if order.kind == kind:
                known = memory.setdefault(order.id, {})
                known.pop(token, None)
                known[token] = at_ms
                if len(known) > REMEMBERED_MAX:
                    del known[next(iter(known))]


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(_Kept)
