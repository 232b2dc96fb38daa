"""Claims and payouts in SQL.

Promise: every method works inside the caller's transaction; ``locked`` holds its row until the commit, so that of two who decide
at once, one sees what the other did. ``take_items`` gives an event to one claim. What people write into a claim is not in its row
(``flows.claim_words``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, func, or_, select, update

from shopward.bulk import among, put_rows
from shopward.claims.claim import OPEN, WRITTEN, Claim, deadline_ms, decode, encode, next_ms
from shopward.claims.payouts import Payout
from shopward.claims.tables import claim_item, claim_payout, claim_record
from shopward.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection


_HAS_WRITTEN: Final = or_(*(claim_record.c.body.contains(f'"step":"{each}"') for each in sorted(WRITTEN)))


class ClaimStore:
    """The claims of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """New claims."""
        put_rows(connection, claim_record, [tuple(self._row(each).values()) for each in claims])

    def put_many(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Claims that are locked, changed."""
        rows = [tuple(self._row(each).values()) for each in claims]
        put_rows(connection, claim_record, rows, replacing=("state", "due_ms", "body"))

    def put(self, connection: Connection, claim: Claim) -> None:
        """A claim that is locked, changed."""
        table = claim_record.c
        connection.execute(
            update(claim_record)
            .where(table.tenant == self._tenant, table.id == claim.id)
            .values(self._row(claim))
        )

    def get(self, connection: Connection, claim_id: str, *, lock: bool = False) -> Claim | None:
        """A claim; with ``lock`` one that nobody else changes until the commit."""
        table = claim_record.c
        query = select(table.body).where(table.tenant == self._tenant, table.id == claim_id)
        body = connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else decode(body)

    def get_many(
        self, connection: Connection, claim_ids: Iterable[str], *, lock: bool = False
    ) -> dict[str, Claim]:
        """Claims by their ids; with ``lock`` ones that nobody else changes until the commit, locked in one order for all."""
        table = claim_record.c
        query = select(table.body).where(table.tenant == self._tenant, among(connection, table.id, claim_ids))
        query = query.order_by(table.id)
        found = map(decode, connection.scalars(query.with_for_update() if lock else query))
        return {each.id: each for each in found}

    def listed(
        self, connection: Connection, *, state: str, user: str, incident: str, before: str, limit: int
    ) -> list[Claim]:
        """Claims, newest first; an empty word asks for all."""
        table = claim_record.c
        query = select(table.body).where(table.tenant == self._tenant).order_by(table.id.desc()).limit(limit)
        asked = ((table.state, state), (table.user_token, user), (table.incident, incident))
        query = query.where(*(column == value for column, value in asked if value))
        if before:
            query = query.where(table.id < before)
        return [decode(body) for body in connection.scalars(query)]

    def overdue(self, connection: Connection, *, at_ms: int, limit: int) -> list[str]:
        """Claims about which something has to be done by the clock, the longest due first."""
        table = claim_record.c
        query = (
            select(table.id)
            .where(table.tenant == self._tenant, table.state.in_(OPEN), table.due_ms < at_ms)
            .order_by(table.due_ms)
            .limit(limit)
        )
        return list(connection.scalars(query))

    def near(self, connection: Connection, *, at_ms: int, until_ms: int, limit: int) -> list[tuple[str, int]]:
        """Claims that count as approved in this time unless somebody decides, with when; the soonest first."""
        table = claim_record.c
        query = (
            select(table.body)
            .where(table.tenant == self._tenant, table.state.in_(OPEN), table.due_ms.between(at_ms, until_ms))
            .order_by(table.due_ms)
            .limit(limit)
        )
        found = [(each.id, deadline_ms(each)) for each in map(decode, connection.scalars(query))]
        return [(name, due_ms) for name, due_ms in found if due_ms <= until_ms]

    def standing(self, connection: Connection, *, at_ms: int, limit: int) -> tuple[int, int]:
        """How many wait for somebody to decide, and of the ``limit`` that are due longest how many are past their deadline."""
        table = claim_record.c
        mine = (table.tenant == self._tenant) & table.state.in_(OPEN)
        count = connection.scalar(select(func.count()).select_from(claim_record).where(mine)) or 0
        due = select(table.body).where(mine, table.due_ms < at_ms).order_by(table.due_ms).limit(limit)
        late = sum(deadline_ms(decode(body)) < at_ms for body in connection.scalars(due))
        return count, late

    def take_items(self, connection: Connection, claim: Claim, event_ids: Sequence[str]) -> None:
        """Give these events to this claim; raises ``Conflict`` where another one has one of them."""
        self.give(connection, dict.fromkeys(event_ids, claim.id))

    def give(self, connection: Connection, claims: Mapping[str, str]) -> None:
        """Give each event to its claim; raises ``Conflict`` where another one has one of them."""
        rows = [(self._tenant, event_id, claims[event_id]) for event_id in sorted(claims)]
        if put_rows(connection, claim_item, rows, keeping=True) == len(rows):
            return
        for event_id, owner in self.owners(connection, list(claims)).items():
            if owner != claims[event_id]:
                raise Conflict(
                    "this event is disputed by another claim", code="already_claimed", path=event_id,
                    expected="an event that no claim has", found=f"claim {owner}",
                    hint="appeal that claim, or have it reopened",
                )  # fmt: skip

    def owners(self, connection: Connection, event_ids: Sequence[str]) -> dict[str, str]:
        """By event, the claim that has it."""
        table = claim_item.c
        query = select(table.event_id, table.claim).where(
            table.tenant == self._tenant, among(connection, table.event_id, event_ids)
        )
        return dict(map(tuple, connection.execute(query).all()))

    def free_items(self, connection: Connection, claim: Claim) -> None:
        """A claim that was withdrawn disputes nothing any more."""
        table = claim_item.c
        connection.execute(delete(claim_item).where(table.tenant == self._tenant, table.claim == claim.id))

    def add_payouts(self, connection: Connection, payouts: Sequence[Payout]) -> None:
        """New payouts; one that is there already stays as it is."""
        put_rows(connection, claim_payout, self._payout_rows(payouts), keeping=True)

    def put_payouts(self, connection: Connection, payouts: Sequence[Payout]) -> None:
        """Payouts that are locked, changed."""
        put_rows(
            connection,
            claim_payout,
            self._payout_rows(payouts),
            replacing=("state", "due_ms", "tries", "said"),
        )

    def payouts(
        self, connection: Connection, payout_ids: Iterable[str], *, lock: bool = False
    ) -> dict[str, Payout]:
        """Payouts by their ids; with ``lock`` ones that nobody else changes until the commit, locked in one order for all."""
        query = (
            self._payouts()
            .where(among(connection, claim_payout.c.id, payout_ids))
            .order_by(claim_payout.c.id)
        )
        found = map(_payout, connection.execute(query.with_for_update() if lock else query))
        return {each.id: each for each in found}

    def payouts_of(self, connection: Connection, claim_id: str) -> list[Payout]:
        """The payouts of a claim."""
        return self.payouts_of_each(connection, [claim_id])[claim_id]

    def payouts_of_each(self, connection: Connection, claim_ids: Iterable[str]) -> dict[str, list[Payout]]:
        """The payouts of claims, by claim."""
        found: dict[str, list[Payout]] = {each: [] for each in claim_ids}
        query = (
            self._payouts().where(among(connection, claim_payout.c.claim, found)).order_by(claim_payout.c.id)
        )
        for row in connection.execute(query):
            payout = _payout(row)
            found[payout.claim].append(payout)
        return found

    def due_payouts(self, connection: Connection, *, at_ms: int, limit: int) -> list[Payout]:
        """Payouts to look at now, the longest due first; nobody else takes them before the commit."""
        table = claim_payout.c
        query = (
            self._payouts()
            .where(table.state.in_(("due", "sent")), table.due_ms <= at_ms)
            .order_by(table.due_ms)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_payout(row) for row in connection.execute(query)]

    def counts(self, connection: Connection) -> dict[str, int]:
        """How many claims stand in each state."""
        table = claim_record.c
        query = select(table.state, func.count()).where(table.tenant == self._tenant).group_by(table.state)
        return dict(map(tuple, connection.execute(query)))

    def _payouts(self) -> Any:
        columns = [claim_payout.c[name] for name in Payout._fields]
        return select(*columns).where(claim_payout.c.tenant == self._tenant)

    def _payout_rows(self, payouts: Sequence[Payout]) -> list[tuple[Any, ...]]:
        return [
            (self._tenant, *(each._asdict() | {"is_provisional": int(each.is_provisional)}).values())
            for each in payouts
        ]

    # What an earlier version kept in clear.

    def in_clear(self, connection: Connection, after: str, limit: int) -> list[tuple[str, str, str, int]]:
        """What people wrote that lies in claims: its name, token of the customer, text, and when it was written."""
        table = claim_record.c
        while True:
            query = select(table.body).where(table.tenant == self._tenant, table.id > after, _HAS_WRITTEN)
            page = connection.scalars(query.order_by(table.id).limit(limit).with_for_update())
            claims = [decode(body) for body in page]
            found = [
                (f"{claim.id}:{at}", claim.user, each.reason, each.at_ms)
                for claim in claims
                for at, each in enumerate(claim.history)
                if each.step in WRITTEN and each.reason
            ]
            if found or not claims:
                return found
            after = claims[-1].id

    def emptied(self, connection: Connection, names: Sequence[str]) -> None:
        """Take what people wrote out of claims."""
        meant = {(claim_id, int(at)) for claim_id, at in (name.rsplit(":", 1) for name in names)}
        found = self.get_many(connection, {claim_id for claim_id, _at in meant}, lock=True)
        for claim in found.values():
            history = tuple(
                msgspec.structs.replace(each, reason="") if (claim.id, at) in meant else each
                for at, each in enumerate(claim.history)
            )
            self.put(connection, msgspec.structs.replace(claim, history=history))

    def _row(self, claim: Claim) -> dict[str, Any]:
        """In the order of the table's columns."""
        return {
            "tenant": self._tenant, "id": claim.id, "user_token": claim.user, "incident": claim.incident,
            "state": claim.state, "due_ms": next_ms(claim), "body": encode(claim).decode(),
        }  # fmt: skip


def _payout(row: Any) -> Payout:
    found = Payout(*row)
    return found._replace(is_provisional=bool(found.is_provisional))
