"""Rows of step-up: reading them, and the few conditional writes on which "once" rests.

Promise: every method works on the caller's connection and inside the caller's transaction. ``lock`` holds a challenge
until the commit. ``use_counter``, ``use_recovery_code`` and ``close`` change a row only if it still is what it was, and
say whether they did; of two at once, one did. Callers take rows in one order (challenge, tally, factor or code), so
that two never wait for each other.

Not here: whether anything is allowed (``challenges``, ``limits``), and opening or committing (``ports.Records``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from shopward.bulk import put_new
from shopward.stepup import tables
from shopward.stepup.challenges import Challenge, Subject, moved
from shopward.stepup.factors import as_factor
from shopward.stepup.limits import Tally
from shopward.stepup.recovery_codes import KeptCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Row, Table

    from shopward.stepup.challenges import State

ACTIVE: Final = "active"
PENDING: Final = "pending"
SUSPECT: Final = "suspect"
REVOKED: Final = "revoked"


class KeptFactor(Struct, frozen=True):
    """An enrolled factor as it is kept; see ``tables.factors``."""

    factor_id: str
    kind: str
    state: str
    secret: bytes
    credential_id: bytes
    counter: int
    created_ms: int
    changed_ms: int


class Store:
    """The tables of one tenant.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str = "main") -> None:
        self.tenant = tenant

    # --- challenges ------------------------------------------------------------------------------------------------

    def add(self, connection: Connection, challenge: Challenge) -> bool:
        """Keep a new challenge; false where its decision has one already."""
        return put_new(connection, tables.challenges, _challenge_row(self.tenant, challenge))

    def of_decision(self, connection: Connection, decision_id: str) -> Challenge | None:
        """The challenge of a decision."""
        return self._challenge(connection, tables.challenges.c.decision_id == decision_id)

    def of_id(self, connection: Connection, challenge_id: str) -> Challenge | None:
        """The challenge of an id, which may be any text."""
        if (
            not challenge_id.isascii() or not challenge_id.isprintable()
        ):  # what no id of ours is, and no store has to compare
            return None
        return self._challenge(connection, tables.challenges.c.challenge_id == challenge_id)

    def lock(self, connection: Connection, challenge_id: str) -> Challenge | None:
        """A challenge that nobody else changes until the commit."""
        return self._challenge(connection, tables.challenges.c.challenge_id == challenge_id, lock=True)

    def touch(self, connection: Connection, challenge: Challenge, **changed: Any) -> None:
        """Change the challenge that is locked; its state has ``close``."""
        table = tables.challenges
        connection.execute(
            update(table).where(self._is(table), table.c.challenge_id == challenge.id).values(**changed)
        )

    def close(self, connection: Connection, challenge: Challenge, to: State, **changed: Any) -> bool:
        """Follow an arrow; false where somebody else has moved the challenge since."""
        table = tables.challenges
        done = connection.execute(
            update(table)
            .where(self._is(table), table.c.challenge_id == challenge.id, table.c.state == challenge.state)
            .values(state=moved(challenge.state, to), **changed)
        )
        return done.rowcount == 1

    def forget_challenges(self, connection: Connection, *, before_ms: int) -> int:
        """Delete challenges made before a time; how many. Their decisions are older than any proof of use."""
        table = tables.challenges
        return connection.execute(
            delete(table).where(self._is(table), table.c.created_ms < before_ms)
        ).rowcount

    def nothing_enrolled(self, connection: Connection) -> bool:
        """Whether no factor was ever enrolled; ``keys.open_stepup_key`` asks."""
        table = tables.factors
        return connection.execute(select(table.c.factor_id).where(self._is(table)).limit(1)).first() is None

    # --- factors ---------------------------------------------------------------------------------------------------

    def factors(self, connection: Connection, user: str, *, lock: bool = False) -> tuple[KeptFactor, ...]:
        """A user's factors that are not revoked, oldest first."""
        table = tables.factors
        query = (
            select(*(table.c[name] for name in KeptFactor.__struct_fields__))
            .where(self._is(table), table.c.user_token == user, table.c.state != REVOKED)
            .order_by(table.c.factor_id)
        )
        rows = connection.execute(query.with_for_update() if lock else query)
        return tuple(KeptFactor(**row._mapping) for row in rows)  # noqa: SLF001 -- SQLAlchemy's public name for it

    def add_factor(self, connection: Connection, user: str, factor: KeptFactor) -> bool:
        """Keep a factor; false where its credential is enrolled already, for whomever."""
        row = {name: getattr(factor, name) for name in KeptFactor.__struct_fields__}
        digest = hashlib.sha256(factor.credential_id).digest() if factor.credential_id else None
        return put_new(
            connection,
            tables.factors,
            {"tenant": self.tenant, "user_token": user, "credential_digest": digest, **row},
        )

    def set_factor_state(
        self, connection: Connection, user: str, factor_id: str, *, state: str, at_ms: int
    ) -> bool:
        """Move a factor that is not revoked; revoking wipes its secret."""
        table = tables.factors
        changed: dict[str, Any] = {"state": state, "changed_ms": at_ms}
        if state == REVOKED:
            changed["secret"] = b""
        done = connection.execute(
            update(table)
            .where(
                self._is(table),
                table.c.user_token == user,
                table.c.factor_id == factor_id,
                table.c.state != REVOKED,
            )
            .values(changed)
        )
        return done.rowcount == 1

    def use_counter(self, connection: Connection, user: str, factor: KeptFactor, *, counter: int) -> bool:
        """Raise the counter of an active factor from what was read; false where it is no longer that.

        A passkey without a counter stays at zero: nothing of it is used up, its challenge is.
        """
        table = tables.factors
        done = connection.execute(
            update(table)
            .where(
                self._is(table),
                table.c.user_token == user,
                table.c.factor_id == factor.factor_id,
                table.c.state == factor.state,
                table.c.counter == factor.counter,
            )
            .values(counter=counter)
        )
        return done.rowcount == 1

    # --- recovery codes --------------------------------------------------------------------------------------------

    def codes(self, connection: Connection, user: str) -> tuple[KeptCode, ...]:
        """A user's recovery codes."""
        table = tables.recovery_codes
        rows = connection.execute(
            select(table.c.slot, table.c.hash, table.c.used_ms)
            .where(self._is(table), table.c.user_token == user)
            .order_by(table.c.slot)
        )
        return tuple(KeptCode(slot, kept, used_ms) for slot, kept, used_ms in rows)

    def replace_codes(self, connection: Connection, user: str, codes: Iterable[KeptCode]) -> None:
        """Forget the old set and keep a new one."""
        table = tables.recovery_codes
        connection.execute(delete(table).where(self._is(table), table.c.user_token == user))
        rows = [
            {"tenant": self.tenant, "user_token": user, "slot": each.slot, "hash": each.hash, "used_ms": None}
            for each in codes
        ]
        if rows:
            connection.execute(insert(table), rows)

    def use_recovery_code(self, connection: Connection, user: str, code: KeptCode, *, at_ms: int) -> bool:
        """Mark a code as used; false where it was used or replaced since it was read."""
        table = tables.recovery_codes
        done = connection.execute(
            update(table)
            .where(
                self._is(table),
                table.c.user_token == user,
                table.c.slot == code.slot,
                table.c.hash == code.hash,
                table.c.used_ms.is_(None),
            )
            .values(used_ms=at_ms)
        )
        return done.rowcount == 1

    # --- tallies ---------------------------------------------------------------------------------------------------

    def tally(self, connection: Connection, user: str, kind: str) -> Tally:
        """The tally of a user and kind, which nobody else changes until the commit."""
        table = tables.tallies
        put_new(
            connection,
            table,
            {
                "tenant": self.tenant,
                "user_token": user,
                "kind": kind,
                "since_ms": 0,
                "count": 0,
                "in_a_row": 0,
            },
        )
        row = connection.execute(
            select(table.c.since_ms, table.c.count, table.c.in_a_row)
            .where(self._is(table), table.c.user_token == user, table.c.kind == kind)
            .with_for_update()
        ).one()
        return Tally(*row)

    def set_tally(self, connection: Connection, user: str, kind: str, tally: Tally) -> None:
        """Keep the tally that is locked."""
        table = tables.tallies
        connection.execute(
            update(table)
            .where(self._is(table), table.c.user_token == user, table.c.kind == kind)
            .values(since_ms=tally.since_ms, count=tally.count, in_a_row=tally.in_a_row)
        )

    def _is(self, table: Table) -> ColumnElement[bool]:
        return table.c.tenant == self.tenant

    def _challenge(
        self, connection: Connection, which: ColumnElement[bool], *, lock: bool = False
    ) -> Challenge | None:
        table = tables.challenges
        query = select(table).where(self._is(table), which)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _challenge_of(row)


_SAME: Final = tuple(
    name for name in Challenge.__struct_fields__ if name not in {"id", "subject", "offered", "excluded"}
)


def _challenge_row(tenant: str, challenge: Challenge) -> dict[str, Any]:
    subject = challenge.subject
    return {
        "tenant": tenant,
        "challenge_id": challenge.id,
        "user_token": subject.user,
        "device_token": subject.device,
        "operation": subject.operation,
        "decision_id": subject.decision_id,
        "offered": ",".join(challenge.offered),
        "excluded": ",".join(challenge.excluded),
        **{name: getattr(challenge, name) for name in _SAME},
    }


def _challenge_of(row: Row[Any]) -> Challenge:
    kept = row._mapping  # noqa: SLF001 -- SQLAlchemy's public name for it
    return Challenge(
        id=kept["challenge_id"],
        subject=Subject(kept["user_token"], kept["device_token"], kept["operation"], kept["decision_id"]),
        offered=tuple(
            factor for word in kept["offered"].split(",") if (factor := as_factor(word)) is not None
        ),
        excluded=tuple(kept["excluded"].split(",")) if kept["excluded"] else (),
        **{name: kept[name] for name in _SAME},
    )
