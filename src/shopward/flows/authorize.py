"""Money in two steps: authorise (a decision, valid for ten seconds), then capture, which the fence guards.

Promise: no capture of a covered operation commits after an order did, by the database's own order, in one process or in
many. What was decided before the order is worth nothing after it. An authorisation is captured at most once; asking
again hears the same.

The story of a capture, told for all that were asked at the same time, in one transaction:
  (1) the fence, shared: a change of orders that is under way is waited for
  (2) the authorisations, locked; are they still worth something?
  (3) the orders in force, read now; which of them cover them?
  (4) captured or stopped, with the orders that stopped it; those under a limit last, one by one; commit

Who shares a transaction shares its end: where the store fails, none of the group is captured and all of it hears so.

What stays outside: a shop that moves the money without capturing, or before it, is told nothing. The shop calls capture,
and moves the money only after it heard ``captured``.

Times are the server's clock; the fence does not depend on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.events.catalogue import MONEY_TYPES
from shopward.events.facts import Facts
from shopward.flows.engine import DecisionRecord  # noqa: TC001 -- msgspec-free, but named in public signatures
from shopward.flows.together import Together
from shopward.protection.money import VALID_MS, Authorization
from shopward.protection.operations import mask_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.events import Event, FactsMaker
    from shopward.flows.oversee import Overseer
    from shopward.ports import Fence, Records
    from shopward.protection.authorizations import Authorizations
    from shopward.protection.orders import Standing
    from shopward.values import Clock

ALLOWING = frozenset({"allow", "review"})
GROUP_MAX: Final = 64
"""In one transaction; larger groups commit hardly more in a second and make the others wait longer."""


class Settled(Struct, frozen=True):
    """What became of an authorisation; ``orders`` stopped it."""

    id: str
    state: str
    orders: tuple[str, ...] = ()


class AuthorizationDesk:
    """Tells the stories; may be called from any thread.

    Args:
        records: transactions.
        fence: keeps captures and changes of orders apart.
        book: the authorisations.
        overseer: the orders in force.
        maker: projects events onto facts.
        clock: the server's clock.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        book: Authorizations,
        overseer: Overseer,
        maker: FactsMaker,
        clock: Clock,
    ) -> None:
        self._records = records
        self._fence = fence
        self._book = book
        self._overseer = overseer
        self._maker = maker
        self._clock = clock
        self._open = Together(self._opened, most=GROUP_MAX)
        self._capture = Together(self._settled, most=GROUP_MAX)

    def check(self, event: Event) -> None:
        """Refuse what cannot be authorised: only a movement of money that is about to be made can."""
        if event.type not in MONEY_TYPES or event.status not in ("attempted", "requested"):
            raise InvalidField(
                "this cannot be authorised", code="not_authorizable", path="type",
                expected="an attempted or requested " + ", ".join(sorted(MONEY_TYPES)), found="another event",
            )  # fmt: skip

    def open(self, event: Event, record: DecisionRecord, recorded_ms: int) -> Authorization | None:
        """The authorisation of a decision that lets the operation go ahead; ``None`` where it does not.

        Args:
            event: checked and decided.
            record: its recorded decision.
            recorded_ms: when that was recorded; an old decision opens nothing new.
        """
        if record.decision not in ALLOWING:
            return None
        facts = self._maker.make(event)
        made = Authorization(
            id="a-" + event.id,
            state="authorized",
            user=facts.user,
            type=facts.type,
            instrument=facts.instrument,
            actor_type=facts.actor_type,
            actor=facts.actor,
            registered_at_ms=facts.registered_at_ms,
            identity_provider=facts.identity_provider,
            currency=facts.currency,
            amount_minor=facts.amount_minor,
            operations=mask_of(facts.type, facts.instrument),
            version=record.in_force,
            expires_ms=recorded_ms + VALID_MS,
        )
        return self._open(made)

    def capture(self, authorization_id: str) -> Settled:
        """Carry it out, or stop it.

        Raises:
            NotFound: there is no such authorisation.
            Conflict: it is voided or stopped, its time is over, or an order covers it now.
        """
        settled = self._capture(authorization_id)
        if settled is None:
            raise _unknown()
        if settled.state == "captured":
            return Settled(settled.id, settled.state)
        raise _not_captured(settled)

    def void(self, authorization_id: str) -> Settled:
        """Give it up; again is the same.

        Raises:
            NotFound: there is no such authorisation.
            Conflict: it is captured.
        """
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Authorization:
            held = self._book.locked(connection, [authorization_id]).get(authorization_id)
            if held is None:
                raise _unknown()
            if held.state != "authorized":
                return held
            voided = msgspec.structs.replace(held, state="voided", settled_ms=now_ms)
            self._book.put(connection, [voided])
            return voided

        settled = self._records.write(work)
        if settled.state == "captured":
            raise Conflict(
                "it is captured", code="authorization_settled", path="id", expected="an authorisation that is open",
                found="captured",
            )  # fmt: skip
        return Settled(settled.id, settled.state, settled.orders)

    def _opened(self, made: Sequence[Authorization]) -> list[Authorization]:
        """What stands under the id of each."""
        standing = self._records.write(lambda connection: self._book.add(connection, made))
        return [standing[each.id] for each in made]

    def _settled(self, ids: Sequence[str]) -> list[Authorization | None]:
        """What became of each; ``None`` where there is no such authorisation."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> dict[str, Authorization]:
            self._fence.shared(connection)  # (1)
            held = self._book.locked(connection, ids)  # (2)
            alive = [
                (each, _facts(each))
                for each in held.values()
                if each.state == "authorized" and each.expires_ms >= now_ms
            ]
            index = self._overseer.index(connection)
            covered = self._book.covering(connection, index, alive)  # (3)
            free, limited = _by_limit(alive, covered)

            def settle(one: Authorization, orders: Sequence[Standing]) -> Authorization:
                ruling = self._book.ruling(connection, one, orders, at_ms=now_ms)
                state = "stopped" if ruling.strength else "captured"
                held[one.id] = msgspec.structs.replace(one, state=state, settled_ms=now_ms, orders=ruling.ids)
                return held[one.id]

            self._book.put(connection, [settle(one, orders) for one, orders in free])  # (4)
            for one, orders in limited:
                self._fence.one_user(connection, one.user)
                self._book.put(connection, [settle(one, orders)])
            return held

        held = self._records.write(work)
        return [held.get(each) for each in ids]


def _by_limit(
    alive: Sequence[tuple[Authorization, Facts]], covered: Sequence[list[Standing]]
) -> tuple[list[tuple[Authorization, list[Standing]]], list[tuple[Authorization, list[Standing]]]]:
    """Those whose orders set no limit, and the others: a limit counts what was captured before, so they go one by one.

    The others are in the order of their users: transactions that take users' turns in one order never wait in a circle.
    """
    pairs = [(one, orders) for (one, _facts), orders in zip(alive, covered, strict=True)]
    limited = [pair for pair in pairs if any(order.kind == "limit" for order in pair[1])]
    free = [pair for pair in pairs if all(order.kind != "limit" for order in pair[1])]
    return free, sorted(limited, key=lambda pair: (pair[0].user, pair[0].id))


def _unknown() -> NotFound:
    return NotFound(
        "no such authorisation", path="id", expected="the id of an authorisation", found="another id"
    )


def _facts(held: Authorization) -> Facts:
    """What orders are held against."""
    return Facts(
        held.id,
        held.type,
        "attempted",
        user=held.user,
        registered_at_ms=held.registered_at_ms,
        actor_type=held.actor_type,
        actor=held.actor,
        amount_minor=held.amount_minor,
        currency=held.currency,
        instrument=held.instrument,
        identity_provider=held.identity_provider,
    )


def _not_captured(held: Authorization) -> Conflict:
    if held.state == "stopped":
        return Conflict(
            "a protection order covers this operation", code="capture_stopped", path="id",
            expected="no order in force that covers it", found="orders " + ", ".join(held.orders),
            hint="do not move the money; GET /v1/orders/{id} says what is stopped and how it ends",
        )  # fmt: skip
    if held.state == "voided":
        return Conflict("it is voided", code="authorization_settled", path="id", found="voided")
    return Conflict(
        "its time is over", code="authorization_expired", path="id",
        expected=f"a capture within {VALID_MS // 1000} s", found="a later one",
        hint="do not move the money; authorise again under a new event id",
    )  # fmt: skip
