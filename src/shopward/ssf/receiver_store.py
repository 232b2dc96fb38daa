"""Receivers, the customers that they may hear of, and what they are still to be told, in SQL.

Promise: every method works inside the caller's transaction; with ``lock`` a row is held until the commit. A subject is opened to be
sent, and found by its digest alone; what is still to be told names a customer by token, and is a token of the outside only when
it leaves. What a receiver took is counted for a while and holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update

from shopward.bulk import among, put_rows
from shopward.ssf.receivers import Receiver
from shopward.ssf.tables import ssf_outgoing, ssf_receiver, ssf_subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

WAITING: Final = "waiting"
TAKEN: Final = "taken"
REFUSED: Final = "refused"
_receiver = msgspec.json.Decoder(Receiver).decode


class Told(Struct, frozen=True, omit_defaults=True):
    """Something that is to be told.

    Attributes:
        user: the customer's token; empty where it is about the stream.
        payload: of the event; closed words and numbers.
        cause: what events of one cause share.
    """

    event: str
    payload: dict[str, Any]
    made_s: int
    user: str = ""
    cause: str = ""


_told = msgspec.json.Decoder(Told).decode


class ReceiverStore:
    """The receivers of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, kept: Receiver) -> None:
        """A new one, whose partner has none."""
        row = {"tenant": self._tenant, "partner": kept.id, "push_due_ms": 0, "secret": b"", **_columns(kept)}
        connection.execute(insert(ssf_receiver), row)

    def put(self, connection: Connection, kept: Receiver, *, push_due_ms: int | None = None) -> None:
        """One that is locked, changed; ``push_due_ms`` where that changes, too."""
        due = {} if push_due_ms is None else {"push_due_ms": push_due_ms}
        connection.execute(update(ssf_receiver).where(*self._is(kept.id)).values(**_columns(kept), **due))

    def get(self, connection: Connection, partner: str, *, lock: bool = False) -> Receiver | None:
        """One of them."""
        asked = select(ssf_receiver.c.body).where(*self._is(partner))
        body = connection.scalar(asked.with_for_update() if lock else asked)
        return None if body is None else _receiver(body)

    def by_token(self, connection: Connection, digest: str) -> Receiver | None:
        """Whose token has this digest."""
        table = ssf_receiver.c
        body = connection.scalar(
            select(table.body).where(table.tenant == self._tenant, table.token == digest)
        )
        return None if body is None else _receiver(body)

    def all(self, connection: Connection) -> list[Receiver]:
        """All of them, by partner."""
        table = ssf_receiver.c
        rows = connection.scalars(
            select(table.body).where(table.tenant == self._tenant).order_by(table.partner)
        )
        return [_receiver(body) for body in rows]

    def remove(self, connection: Connection, partner: str) -> None:
        """One, with its subjects and what it was to be told."""
        for table in (ssf_receiver, ssf_subject, ssf_outgoing):
            connection.execute(
                delete(table).where(table.c.tenant == self._tenant, table.c.partner == partner)
            )

    # What a push has to show.

    def keep_secret(self, connection: Connection, partner: str, sealed: bytes) -> None:
        """The header that a receiver wants with a push, sealed; empty where none."""
        connection.execute(update(ssf_receiver).where(*self._is(partner)).values(secret=sealed))

    def secret(self, connection: Connection, partner: str) -> bytes:
        """It, sealed."""
        return bytes(connection.scalar(select(ssf_receiver.c.secret).where(*self._is(partner))) or b"")

    # Customers.

    def name(
        self, connection: Connection, partner: str, user: str, *, digest: str, named: str, sealed: bytes
    ) -> None:
        """A customer is known to a receiver under a subject; another one of before is replaced."""
        row = (self._tenant, partner, user, digest, named, sealed, True)
        put_rows(connection, ssf_subject, [row], replacing=("digest", "format", "subject", "wanted"))

    def unname(self, connection: Connection, partner: str, user: str) -> bool:
        """A receiver hears of a customer no more; false where it did not."""
        table = ssf_subject.c
        gone = delete(ssf_subject).where(
            table.tenant == self._tenant, table.partner == partner, table.user_token == user
        )
        return bool(connection.execute(gone).rowcount)

    def unname_everywhere(self, connection: Connection, user: str) -> int:
        """Nobody hears of a customer any more; how many did."""
        table = ssf_subject.c
        mine = (table.tenant == self._tenant) & (table.user_token == user)
        return connection.execute(delete(ssf_subject).where(mine)).rowcount

    def want(self, connection: Connection, partner: str, digest: str, *, wanted: bool) -> None:
        """A receiver wants to hear of a subject, or not; one that was not named to it changes nothing."""
        table = ssf_subject.c
        connection.execute(
            update(ssf_subject)
            .where(table.tenant == self._tenant, table.partner == partner, table.digest == digest)
            .values(wanted=wanted)
        )

    def hearing_of(self, connection: Connection, users: Sequence[str]) -> Iterator[tuple[str, str, Receiver]]:
        """Of these customers those that are named to somebody who wants to hear: customer, format of the subject, receiver."""
        receivers = {each.id: each for each in self.all(connection)}
        if not receivers:
            return
        table = ssf_subject.c
        rows = connection.execute(
            select(table.user_token, table.format, table.partner).where(
                table.tenant == self._tenant, among(connection, table.user_token, users), table.wanted
            )
        )  # fmt: skip
        for user, format_, partner in rows.all():
            if partner in receivers:  # one that registered between the two
                yield user, format_, receivers[partner]

    def subject(self, connection: Connection, partner: str, user: str) -> bytes | None:
        """As whom a receiver knows a customer, sealed; none where it may hear no more."""
        table = ssf_subject.c
        found = connection.scalar(
            select(table.subject).where(
                table.tenant == self._tenant, table.partner == partner, table.user_token == user, table.wanted
            )
        )
        return None if found is None else bytes(found)

    # What is to be told.

    def tell(self, connection: Connection, partner: str, jti: str, told: Told) -> None:
        """Something is to be told."""
        row = {
            "tenant": self._tenant, "partner": partner, "jti": jti, "made_ms": told.made_s * 1_000, "state": WAITING,
            "body": msgspec.json.encode(told).decode(),
        }  # fmt: skip
        connection.execute(insert(ssf_outgoing), row)

    def waiting(self, connection: Connection, partner: str, *, limit: int) -> list[tuple[str, Told]]:
        """What is still to be told, in its order."""
        table = ssf_outgoing.c
        rows = connection.execute(
            select(table.jti, table.body).where(*self._of(partner), table.state == WAITING).order_by(table.jti).limit(limit)
        )  # fmt: skip
        return [(row.jti, _told(row.body)) for row in rows]

    def count_waiting(self, connection: Connection, partner: str, *, limit: int) -> int:
        """How much that is, counted up to a limit."""
        few = (
            select(ssf_outgoing.c.jti)
            .where(*self._of(partner), ssf_outgoing.c.state == WAITING)
            .limit(limit)
            .subquery()
        )
        return int(connection.scalar(select(func.count()).select_from(few)) or 0)

    def settle(self, connection: Connection, partner: str, jtis: Sequence[str], *, state: str) -> int:
        """What came of some that waited, and how many these were; nothing of what they said is kept."""
        if not jtis:
            return 0
        table = ssf_outgoing.c
        done = connection.execute(
            update(ssf_outgoing)
            .where(*self._of(partner), table.jti.in_(jtis), table.state == WAITING)
            .values(state=state, body="{}")
        )
        return done.rowcount

    def counted(self, connection: Connection, partner: str) -> tuple[int, dict[str, int]]:
        """How many customers are named to a receiver, and what came of how many tokens to it."""
        subject, table = ssf_subject.c, ssf_outgoing.c
        named = connection.scalar(
            select(func.count()).where(subject.tenant == self._tenant, subject.partner == partner)
        )
        rows = connection.execute(
            select(table.state, func.count()).where(*self._of(partner)).group_by(table.state)
        )
        return int(named or 0), {str(state): int(count) for state, count in rows}

    def drop_waiting(self, connection: Connection, partner: str) -> None:
        """Nothing of what waits is told any more."""
        connection.execute(delete(ssf_outgoing).where(*self._of(partner), ssf_outgoing.c.state == WAITING))

    def forget(self, connection: Connection, *, before_ms: int) -> int:
        """Drop what is older than that, whether or not it was taken; how many."""
        table = ssf_outgoing.c
        gone = delete(ssf_outgoing).where(table.tenant == self._tenant, table.made_ms < before_ms)
        return int(connection.execute(gone).rowcount)

    def lease_push(self, connection: Connection, *, now_ms: int, until_ms: int) -> str | None:
        """A receiver with something to be pushed, this process's alone until then."""
        table, told = ssf_receiver.c, ssf_outgoing.c
        has = (
            select(told.jti)
            .where(told.tenant == table.tenant, told.partner == table.partner, told.state == WAITING)
            .exists()
        )
        asked = select(table.partner).where(
            table.tenant == self._tenant, table.push_due_ms > 0, table.push_due_ms <= now_ms, has
        )
        found = connection.scalar(
            asked.order_by(table.push_due_ms).limit(1).with_for_update(skip_locked=True)
        )
        if found is not None:
            connection.execute(update(ssf_receiver).where(*self._is(found)).values(push_due_ms=until_ms))
        return found

    def _is(self, partner: str) -> tuple[Any, Any]:
        return ssf_receiver.c.tenant == self._tenant, ssf_receiver.c.partner == partner

    def _of(self, partner: str) -> tuple[Any, Any]:
        return ssf_outgoing.c.tenant == self._tenant, ssf_outgoing.c.partner == partner


def _columns(kept: Receiver) -> dict[str, str]:
    return {"token": kept.token, "body": msgspec.json.encode(kept).decode()}
