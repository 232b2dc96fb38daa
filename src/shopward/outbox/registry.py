"""Endpoints in SQL: rows, sealed secrets, health.

Promise: every method works inside the caller's transaction; a secret leaves ``webhook_endpoint`` only unsealed in
memory, for signing, and lies there bound to its tenant, endpoint and place, so that a copied row signs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import delete, func, insert, select, update

from shopward.keyring import Generations, KeyFile, RenewableSealer, Sealer, derived
from shopward.outbox.endpoints import Backlog, Endpoint
from shopward.outbox.tables import webhook_delivery, webhook_endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from shopward.keyring import Entropy

WEBHOOK_KEY: Final = KeyFile(
    "webhook.key", "webhook key of this store", "the key under which the secrets of webhooks were sealed"
)
_USE: Final = b"shopward/webhooks/1/seal"
_WHAT: Final = "the secret of a webhook"
_HINT: Final = (
    "restore webhook.key and the store from one backup; otherwise rotate the secret of each webhook"
)
_SHOWN: Final = [webhook_endpoint.c[name] for name in Endpoint.__struct_fields__]
_topics: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class Endpoints:
    """The endpoints of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        sealer: seals secrets.
        entropy: gives nonces.
    """

    def __init__(self, tenant: str, sealer: Sealer | RenewableSealer, entropy: Entropy) -> None:
        self._tenant = tenant
        self._sealer = sealer
        self._entropy = entropy

    def add(self, connection: Connection, endpoint: Endpoint, secret: bytes) -> None:
        """A new row."""
        row = msgspec.structs.asdict(endpoint) | {
            "tenant": self._tenant,
            "topics": msgspec.json.encode(endpoint.topics).decode(),
            "secret": self._sealed(endpoint.id, "secret", secret),
            "old_secret": b"",
        }
        connection.execute(insert(webhook_endpoint), row)

    def get(self, connection: Connection, endpoint_id: str) -> Endpoint | None:
        """One of them, its row locked until the transaction ends where it writes."""
        table = webhook_endpoint.c
        asked = select(*_SHOWN).where(table.tenant == self._tenant, table.id == endpoint_id)
        row = connection.execute(asked.with_for_update()).first()
        return None if row is None else _endpoint(row)

    def all(self, connection: Connection) -> list[Endpoint]:
        """All of them, oldest first."""
        table = webhook_endpoint.c
        rows = connection.execute(select(*_SHOWN).where(table.tenant == self._tenant).order_by(table.id))
        return [_endpoint(row) for row in rows]

    def put(self, connection: Connection, endpoint: Endpoint) -> None:
        """State and health of an endpoint as it is now."""
        self._set(
            connection,
            endpoint.id,
            state=endpoint.state,
            why=endpoint.why,
            failing_since_ms=endpoint.failing_since_ms,
            last_code=endpoint.last_code,
            last_ms=endpoint.last_ms,
        )

    def rotate(self, connection: Connection, endpoint_id: str, secret: bytes, *, old_until_ms: int) -> None:
        """Another secret; the one before signs beside it for a while, and one before that no longer."""
        old = self.secrets(connection, endpoint_id, at_ms=old_until_ms)[0]
        self._set(
            connection,
            endpoint_id,
            secret=self._sealed(endpoint_id, "secret", secret),
            old_secret=self._sealed(endpoint_id, "old_secret", old),
            old_until_ms=old_until_ms,
        )

    def secrets(self, connection: Connection, endpoint_id: str, *, at_ms: int) -> list[bytes]:
        """What signs now, the newest first; raises ``StoreError`` where it cannot be opened."""
        table = webhook_endpoint.c
        secret, old, old_until_ms = connection.execute(
            select(table.secret, table.old_secret, table.old_until_ms).where(
                table.tenant == self._tenant, table.id == endpoint_id
            )
        ).one()
        found = [self._opened(endpoint_id, "secret", secret)]
        return [*found, self._opened(endpoint_id, "old_secret", old)] if at_ms < old_until_ms else found

    def resealed(self, connection: Connection) -> int:
        """Seal every secret by the key in use, where an older one is still needed; how many were. Twice does no harm."""
        moved = 0
        for endpoint_id, place, sealed in self._secrets(connection):
            if not self._is_by_the_newest(endpoint_id, place, sealed):
                secret = self._opened(endpoint_id, place, sealed)
                self._set(connection, endpoint_id, **{place: self._sealed(endpoint_id, place, secret)})
                moved += 1
        return moved

    def by_older_keys(self, connection: Connection) -> int:
        """How many secrets still need an older key."""
        return sum(1 for each in self._secrets(connection) if not self._is_by_the_newest(*each))

    def _secrets(self, connection: Connection) -> list[tuple[str, str, bytes]]:
        if isinstance(self._sealer, RenewableSealer):
            self._sealer.reload()
        table = webhook_endpoint.c
        rows = connection.execute(
            select(table.id, table.secret, table.old_secret)
            .where(table.tenant == self._tenant)
            .order_by(table.id)
            .with_for_update()
        )
        return [
            (str(endpoint_id), place, bytes(sealed))
            for endpoint_id, *both in rows
            for place, sealed in zip(("secret", "old_secret"), both, strict=True)
            if sealed
        ]

    def _is_by_the_newest(self, endpoint_id: str, place: str, sealed: bytes) -> bool:
        context = (self._tenant, endpoint_id, place)
        return not isinstance(self._sealer, RenewableSealer) or self._sealer.is_by_the_newest(
            sealed, context=context
        )

    def remove(self, connection: Connection, endpoint_id: str) -> None:
        """The endpoint, its secrets and its deliveries."""
        for table in (webhook_delivery.c.endpoint_id, webhook_endpoint.c.id):
            connection.execute(
                delete(table.table).where(table.table.c.tenant == self._tenant, table == endpoint_id)
            )

    def backlogs(self, connection: Connection) -> dict[str, Backlog]:
        """What each has not taken."""
        table = webhook_delivery.c
        rows = connection.execute(
            select(table.endpoint_id, table.state, func.count(), func.min(table.due_ms))
            .where(table.tenant == self._tenant, table.state != "delivered")
            .group_by(table.endpoint_id, table.state)
        ).all()
        found: dict[str, Backlog] = {}
        for endpoint_id, state, count, first_ms in rows:
            known = found.get(endpoint_id, Backlog())
            changes = {"pending": count, "next_ms": first_ms} if state == "pending" else {"failed": count}
            found[endpoint_id] = msgspec.structs.replace(known, **changes)
        return found

    def _set(self, connection: Connection, endpoint_id: str, **values: Any) -> None:
        table = webhook_endpoint.c
        connection.execute(
            update(webhook_endpoint)
            .where(table.tenant == self._tenant, table.id == endpoint_id)
            .values(**values)
        )

    def _sealed(self, endpoint_id: str, place: str, secret: bytes) -> bytes:
        return self._sealer.seal(secret, context=(self._tenant, endpoint_id, place), entropy=self._entropy)

    def _opened(self, endpoint_id: str, place: str, sealed: bytes) -> bytes:
        return self._sealer.unseal(bytes(sealed), context=(self._tenant, endpoint_id, place))


def has_endpoints(connection: Connection, tenant: str) -> bool:
    """Whether any secret hangs from the key."""
    asked = select(webhook_endpoint.c.id).where(webhook_endpoint.c.tenant == tenant).limit(1)
    return connection.execute(asked).first() is not None


def sealer_of(key: bytes) -> Sealer:
    """What seals secrets under the key of webhooks."""
    return Sealer(derived(key, _USE), what=_WHAT, hint=_HINT)


def renewable_sealer(generations: Generations) -> RenewableSealer:
    """The same over all keys of the data folder that were not destroyed."""
    return RenewableSealer(generations, use=_USE, what=_WHAT, hint=_HINT)


def _endpoint(row: Sequence[Any]) -> Endpoint:
    kept = dict(zip(Endpoint.__struct_fields__, row, strict=True))
    return Endpoint(**kept | {"topics": _topics(kept["topics"])})
