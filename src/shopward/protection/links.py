"""Links in SQL: which accounts have an identifier, and which identifiers an account has.

Promise: every question is answered from an index by so many rows as it gives back, whatever the number of users; a
count stops at its limit. Identifiers come from what the shop declared of a user, and from the ``identity_link`` and
``identity_unlink`` events that named the foreign account by a token (``put``, ``remove``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import delete, func, select, text

from shopward.bulk import put_new
from shopward.protection.linkage import DECLARED_KINDS
from shopward.protection.tables import declared_user, linked_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, TextClause

    from shopward.protection.linkage import Identifier, LinkKind

_PAGE: Final = 500
_TABLES: Final[dict[str, str]] = {
    **dict.fromkeys(DECLARED_KINDS, "declared_user"),
    "identity": "linked_identity",
}


class AccountLinks:
    """The links of one tenant, inside one transaction: ``linkage.Linkage``.

    Args:
        connection: of the transaction.
        tenant: leads every key.
    """

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    def identifiers_of(self, accounts: Sequence[str]) -> dict[str, list[Identifier]]:
        """What is declared of these accounts, and the foreign accounts that sign in to them."""
        found: dict[str, list[Identifier]] = {account: [] for account in accounts}
        user, identity = declared_user.c, linked_identity.c
        columns = [user[name] for name in DECLARED_KINDS]
        for start in range(0, len(accounts), _PAGE):
            page = accounts[start : start + _PAGE]
            declared = select(user.user_token, *columns).where(
                user.tenant == self._tenant, user.user_token.in_(page)
            )
            for account, *tokens in self._connection.execute(declared):
                named = zip(DECLARED_KINDS, tokens, strict=True)
                found[account] += [(kind, token) for kind, token in named if token]
            linked = select(identity.user_token, identity.identity).where(
                identity.tenant == self._tenant, identity.user_token.in_(page), identity.identity != ""
            )
            for account, token in self._connection.execute(linked):
                found[account].append(("identity", token))
        return found

    def accounts_of(self, identifiers: Sequence[Identifier], limit: int) -> dict[Identifier, list[str]]:
        """The first accounts of each identifier, in the order of their tokens."""
        by_kind: dict[LinkKind, list[str]] = {}
        for kind, token in identifiers:
            by_kind.setdefault(kind, []).append(token)
        found: dict[Identifier, list[str]] = {identifier: [] for identifier in identifiers}
        name = self._connection.dialect.name
        for kind, tokens in by_kind.items():
            given = msgspec.json.encode(tokens).decode() if name == "sqlite" else tokens
            rows = self._connection.execute(
                _ACCOUNTS[name][kind], {"tenant": self._tenant, "tokens": given, "most": limit}
            )
            for token, accounts in rows:
                found[kind, token] = msgspec.json.decode(accounts) if name == "sqlite" else accounts
        return found

    def count(self, identifier: Identifier, limit: int) -> int:
        """How many accounts have an identifier, at most ``limit``."""
        kind, token = identifier
        asked = {"tenant": self._tenant, "token": token, "most": limit}
        return int(self._connection.scalar(_COUNTS[kind], asked) or 0)

    def providers_of(self, account: str) -> list[tuple[str, int]]:
        """Through whom an account is signed in to, each since when; oldest first."""
        table = linked_identity.c
        linked = (
            select(table.provider, func.min(table.linked_ms).label("since_ms"))
            .where(table.tenant == self._tenant, table.user_token == account)
            .group_by(table.provider)
        )
        return sorted(
            ((str(provider), int(since_ms)) for provider, since_ms in self._connection.execute(linked)),
            key=lambda each: each[1],
        )

    def put(self, account: str, provider: str, identity: str, at_ms: int) -> None:
        """An account signs in through a provider; ``identity`` is empty where the foreign account was not told."""
        row = {
            "tenant": self._tenant, "user_token": account, "provider": provider, "identity": identity,
            "linked_ms": at_ms,
        }  # fmt: skip
        put_new(self._connection, linked_identity, row)

    def remove(self, account: str, provider: str, identity: str) -> None:
        """It does so no longer; without an ``identity`` through none of that provider."""
        table = linked_identity.c
        gone = delete(linked_identity).where(
            table.tenant == self._tenant, table.user_token == account, table.provider == provider
        )
        self._connection.execute(gone.where(table.identity == identity) if identity else gone)


def _of_each(kind: str, given: str, gathered: str) -> TextClause:
    """One statement for many identifiers: each takes its own few rows of the index."""
    return text(
        f"SELECT g.value, {gathered.format(found=_rows(kind, 'g.value'))} FROM {given}"  # noqa: S608 -- closed words
    )


def _rows(kind: str, token: str) -> str:
    """Accounts of an identifier; ``<> ''`` is what the index was made with, and lets it be used."""
    return (
        f"SELECT user_token FROM {_TABLES[kind]} WHERE tenant = :tenant AND {kind} = {token} AND {kind} <> '' "  # noqa: S608 -- closed words
        "ORDER BY user_token LIMIT :most"
    )


_ACCOUNTS: Final = {
    "sqlite": {
        kind: _of_each(
            kind, "json_each(:tokens) AS g", "(SELECT json_group_array(user_token) FROM ({found}))"
        )
        for kind in _TABLES
    },
    "postgresql": {
        kind: _of_each(kind, "unnest(CAST(:tokens AS text[])) AS g (value)", "ARRAY({found})")
        for kind in _TABLES
    },
}
_COUNTS: Final = {
    kind: text(f"SELECT count(*) FROM ({_rows(kind, ':token')}) AS found")  # noqa: S608 -- closed words
    for kind in _TABLES
}
