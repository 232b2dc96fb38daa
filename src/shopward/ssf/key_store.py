"""Our own keys of Shared Signals in SQL.

Promise: the newest signs; those of before are published for a while and can sign nothing any more, since their private halves
are gone. Works inside the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, insert, select, update

from shopward.ssf.signing import OVERLAP_DAYS
from shopward.ssf.tables import ssf_key
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.keyring import BoundSealer
    from shopward.ssf.signing import Made

_PLACE: Final = "key"


class KeyStore:
    """The keys of one tenant.

    Args:
        tenant: leads every key.
        sealer: closes and opens private halves.
    """

    def __init__(self, tenant: str, sealer: BoundSealer) -> None:
        self._tenant = tenant
        self._sealer = sealer

    def put_in_use(self, connection: Connection, made: Made, *, at_ms: int) -> None:
        """A new key signs from now on; private halves of before are dropped, and public ones of long before, too."""
        table = ssf_key.c
        mine = table.tenant == self._tenant
        connection.execute(
            delete(ssf_key).where(mine, table.made_ms < at_ms - OVERLAP_DAYS * DAY_MS, table.sealed == b"")
        )
        connection.execute(update(ssf_key).where(mine, table.sealed != b"").values(sealed=b"", made_ms=at_ms))
        connection.execute(insert(ssf_key), {
            "tenant": self._tenant, "kid": made.kid, "made_ms": at_ms, "public": msgspec.json.encode(made.public).decode(),
            "sealed": self._sealer.close(made.private, _PLACE, made.kid),
        })  # fmt: skip

    def in_use(self, connection: Connection) -> bytes | None:
        """The private half of the key that signs; none where there is none yet."""
        table = ssf_key.c
        row = connection.execute(
            select(table.kid, table.sealed).where(table.tenant == self._tenant, table.sealed != b"").order_by(table.made_ms.desc())
        ).first()  # fmt: skip
        return None if row is None else self._sealer.open(bytes(row.sealed), _PLACE, row.kid)

    def published(self, connection: Connection, *, now_ms: int) -> list[dict[str, Any]]:
        """What verifies: the key in use, and those that signed within the last days."""
        table = ssf_key.c
        rows = connection.execute(
            select(table.public, table.made_ms, table.sealed).where(table.tenant == self._tenant).order_by(table.made_ms.desc())
        )  # fmt: skip
        since_ms = now_ms - OVERLAP_DAYS * DAY_MS
        return [msgspec.json.decode(row.public) for row in rows if row.sealed or row.made_ms >= since_ms]
