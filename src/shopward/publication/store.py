"""Publications in SQL. Every method works inside the caller's transaction; nothing here begins, commits or decides.

Promise: what is read was written by ``add``; files of a digest are written once and never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import insert, select

from shopward.publication.editions import Publication
from shopward.publication.tables import policy_publication, policy_version
from shopward.risk.policy import PolicyFiles

if TYPE_CHECKING:
    from sqlalchemy import Connection

_decode: Final = msgspec.json.Decoder(Publication).decode


class PolicyStore:
    """The publications of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, publication: Publication, files: PolicyFiles) -> None:
        """A new publication, and its files where they are new; its number follows the newest."""
        if self.files(connection, publication.digest) is None:
            connection.execute(
                insert(policy_version),
                {
                    "tenant": self._tenant,
                    "digest": publication.digest,
                    "policy": publication.policy,
                    "files": msgspec.json.encode(files.files).decode(),
                },
            )
        body = msgspec.json.encode(publication).decode()
        connection.execute(
            insert(policy_publication), {"tenant": self._tenant, "number": publication.number, "body": body}
        )

    def newest(self, connection: Connection) -> Publication | None:
        """The publication in force; ``None`` where nothing was ever published."""
        found = self.listed(connection, before=None, limit=1)
        return found[0] if found else None

    def numbered(self, connection: Connection, number: int) -> Publication | None:
        """One publication."""
        table = policy_publication.c
        body = connection.scalar(
            select(table.body).where(table.tenant == self._tenant, table.number == number)
        )
        return None if body is None else _decode(body)

    def listed(self, connection: Connection, *, before: int | None, limit: int) -> list[Publication]:
        """Publications, newest first, from the one before a number on."""
        table = policy_publication.c
        asked = select(table.body).where(table.tenant == self._tenant)
        if before is not None:
            asked = asked.where(table.number < before)
        return [
            _decode(body) for body in connection.scalars(asked.order_by(table.number.desc()).limit(limit))
        ]

    def files(self, connection: Connection, digest: str) -> dict[str, str] | None:
        """The files of a digest, by their names."""
        table = policy_version.c
        text = connection.scalar(
            select(table.files).where(table.tenant == self._tenant, table.digest == digest)
        )
        return None if text is None else msgspec.json.decode(text, type=dict[str, str])

    def all_files(self, connection: Connection) -> dict[str, PolicyFiles]:
        """The files of every digest, in the order of their first publication."""
        table = policy_publication.c
        bodies = connection.scalars(
            select(table.body).where(table.tenant == self._tenant).order_by(table.number)
        )
        found: dict[str, PolicyFiles] = {}
        for digest in dict.fromkeys(_decode(body).digest for body in bodies):
            files = self.files(connection, digest)
            if files is not None:
                found[digest] = PolicyFiles(files)
        return found

    def digest_of(self, connection: Connection, policy: str) -> str | None:
        """Under which digest a name and version was published; ``None`` where it never was."""
        table = policy_version.c
        return connection.scalar(
            select(table.digest).where(table.tenant == self._tenant, table.policy == policy).limit(1)
        )
