"""Money in two steps: authorise (a decision, valid for ten seconds), then capture, which the fence guards.

Promise: no capture of a covered operation commits after an order did, by the database's own order, in one process or in
many. What was decided before the order is worth nothing after it. An authorisation is captured at most once; asking
again hears the same.

The story of a capture:
  (1) the fence, shared: a change of orders that is under way is waited for
  (2) the authorisation, locked; is it still worth something?
  (3) the orders in force, read now; which of them cover it?
  (4) captured or stopped, with the orders that stopped it; commit

What stays outside: a shop that moves the money without capturing, or before it, is told nothing. The shop calls capture,
and moves the money only after it heard ``captured``.

Times are the server's clock; the fence does not depend on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.events.catalogue import MONEY_TYPES
from shopward.events.facts import Facts
from shopward.flows.engine import DecisionRecord  # noqa: TC001 -- msgspec-free, but named in public signatures
from shopward.protection.money import VALID_MS, Authorization
from shopward.protection.operations import mask_of

if TYPE_CHECKING:
    from shopward.events import Event, FactsMaker
    from shopward.flows.oversee import Overseer
    from shopward.ports import Fence, Records
    from shopward.protection.authorizations import Authorizations
    from shopward.values import Clock

ALLOWING = frozenset({"allow", "review"})


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

        return self._records.write(lambda connection: self._book.add(connection, made))

    def capture(self, authorization_id: str) -> Settled:
        """Carry it out, or stop it.

        Raises:
            NotFound: there is no such authorisation.
            Conflict: it is voided or stopped, its time is over, or an order covers it now.
        """
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Authorization:
            self._fence.shared(connection)  # (1)
            held = self._locked(connection, authorization_id)  # (2)
            if held.state != "authorized" or held.expires_ms < now_ms:
                return held
            facts = _facts(held)
            ruling = self._book.ruling(  # (3)
                connection,
                held,
                self._overseer.index(connection),
                facts,
                at_ms=now_ms,
                one_user=lambda: self._fence.one_user(connection, held.user),
            )
            settled = msgspec.structs.replace(
                held, state="stopped" if ruling.strength else "captured", settled_ms=now_ms, orders=ruling.ids
            )
            self._book.put(connection, settled)  # (4)
            return settled

        settled = self._records.write(work)
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
            held = self._locked(connection, authorization_id)
            if held.state != "authorized":
                return held
            voided = msgspec.structs.replace(held, state="voided", settled_ms=now_ms)
            self._book.put(connection, voided)
            return voided

        settled = self._records.write(work)
        if settled.state == "captured":
            raise Conflict(
                "it is captured", code="authorization_settled", path="id", expected="an authorisation that is open",
                found="captured",
            )  # fmt: skip
        return Settled(settled.id, settled.state, settled.orders)

    def _locked(self, connection: Any, authorization_id: str) -> Authorization:
        held = self._book.locked(connection, authorization_id)
        if held is None:
            raise NotFound(
                "no such authorisation", path="id", expected="the id of an authorisation", found="another id"
            )
        return held


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
