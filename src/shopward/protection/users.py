"""Declared users in SQL, and how many of them an order covers.

Promise: a declaration replaces the earlier one of that user whole; ``measure`` is exact up to ``EXACT_UP_TO`` users and
beyond it an estimate from the first so many in the order of their tokens, which is a random sample because tokens are
keyed hashes. It says which of the two it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import func, select

from shopward.bulk import put_rows
from shopward.protection.attributes import Declared, compiled_predicate
from shopward.protection.orders import STORED_SET, Measured
from shopward.protection.tables import declared_user
from shopward.risk.cel import EvalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.protection.orders import Target
    from shopward.protection.sets import SetStore

EXACT_UP_TO: Final = 200_000
SET_EXACT_UP_TO: Final = 20_000
"""Users of a set are looked up by their keys, which costs more than reading on in the table."""
SAMPLE: Final = 10
_PAGE: Final = 10_000
_HOMES: Final = 5_000
_COLUMNS: Final = [declared_user.c[name] for name in Declared.__struct_fields__]


class DeclaredUsers:
    """The declared users of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        blind: gives the token of a value in a domain, for tokens inside predicates.
        sets: the stored victim sets.
    """

    def __init__(self, tenant: str, blind: Callable[[str, str], str], sets: SetStore) -> None:
        self._tenant = tenant
        self._blind = blind
        self._sets = sets

    def put(self, connection: Connection, users: Mapping[str, Declared]) -> None:
        """Declarations by user token; each replaces an earlier one."""
        rows = [self._row(token, user) for token, user in sorted(users.items())]
        put_rows(connection, declared_user, rows, replacing=Declared.__struct_fields__)

    def get(self, connection: Connection, tokens: Sequence[str]) -> dict[str, Declared]:
        """The declarations among these users."""
        table = declared_user.c
        found: dict[str, Declared] = {}
        for start in range(0, len(tokens), 500):
            rows = connection.execute(
                select(table.user_token, *_COLUMNS).where(
                    table.tenant == self._tenant, table.user_token.in_(tokens[start : start + 500])
                )
            )
            found.update((row[0], _declared(row)) for row in rows)
        return found

    def homes(self, connection: Connection, tokens: Sequence[str]) -> Iterator[tuple[str, str, bool, bool]]:
        """Of those who are declared: token, region, whether an e-mail address is known, and whether a phone number is."""
        table = declared_user.c
        for start in range(0, len(tokens), _HOMES):
            asked = select(table.user_token, table.region, table.email != "", table.phone != "").where(
                table.tenant == self._tenant, table.user_token.in_(tokens[start : start + _HOMES])
            )
            yield from map(tuple, connection.execute(asked))

    def measure(self, connection: Connection, target: Target) -> Measured:
        """How many declared users a target covers."""
        of = self._count(connection)
        if target.kind == "predicate":
            holds = compiled_predicate(target.predicate, self._blind)
            return self._estimated(connection, of, holds, lambda _user: True)[0]
        if target.kind == "everyone":
            sample = [token for token, _user in self._rows(connection, SAMPLE)]
            return Measured(of, of, 1.0 if of else 0.0, exact=True, sample=tuple(sample))
        count, sample_of = len(target.tokens), target.tokens[:SAMPLE]
        if target.kind == STORED_SET:
            members = self._sets.members(connection, target.set_id)
            count, sample_of = len(members), tuple(members.first(SAMPLE))
        return Measured(count, of, min(1.0, count / of) if of else 0.0, exact=True, sample=sample_of)

    def progress(
        self, connection: Connection, target: Target, done: Callable[[Declared], bool]
    ) -> tuple[int, int, bool]:
        """Of how many covered users something is done, of how many, and whether that is exact."""
        if target.kind in ("user", "victim_set"):
            users = self.get(connection, target.tokens)
            return sum(done(user) for user in users.values()), len(target.tokens), True
        if target.kind == STORED_SET:
            members = self._sets.members(connection, target.set_id)
            looked_at = members.first(SET_EXACT_UP_TO)
            finished = sum(done(user) for user in self.get(connection, looked_at).values())
            exact = len(looked_at) == len(members)
            return round(finished * len(members) / max(1, len(looked_at))), len(members), exact
        holds: Callable[[Declared], bool] = lambda _user: True  # noqa: E731 -- everyone
        if target.kind == "predicate":
            holds = compiled_predicate(target.predicate, self._blind)
        covered, counted = self._estimated(connection, self._count(connection), holds, done)
        return counted.count, covered.count, covered.exact

    def fitting(self, connection: Connection, predicate: str) -> Iterator[str]:
        """The tokens of all declared users that a predicate covers."""
        holds = compiled_predicate(predicate, self._blind)
        everybody = self._count(connection)
        return (token for token, user in self._rows(connection, everybody) if _holds(holds, user))

    def _estimated(
        self,
        connection: Connection,
        of: int,
        holds: Callable[[Declared], bool],
        done: Callable[[Declared], bool],
    ) -> tuple[Measured, Measured]:
        """How many a condition covers, and of how many of these something is done besides."""
        looked_at = covered = finished = 0
        sample: list[str] = []
        for token, user in self._rows(connection, EXACT_UP_TO):
            looked_at += 1
            if not _holds(holds, user):
                continue
            covered += 1
            finished += done(user)
            if len(sample) < SAMPLE:
                sample.append(token)
        exact = looked_at >= of
        scale = 1.0 if exact or not looked_at else of / looked_at

        def measured(count: int) -> Measured:
            share = count / looked_at if looked_at else 0.0
            return Measured(round(count * scale), of, share, exact=exact, sample=tuple(sample))

        return measured(covered), measured(finished)

    def _count(self, connection: Connection) -> int:
        asked = select(func.count()).where(declared_user.c.tenant == self._tenant)
        return int(connection.scalar(asked) or 0)

    def _rows(self, connection: Connection, most: int) -> Iterator[tuple[str, Declared]]:
        """Users in the order of their tokens."""
        table, after, left = declared_user.c, "", most
        while left > 0:
            rows = connection.execute(
                select(table.user_token, *_COLUMNS)
                .where(table.tenant == self._tenant, table.user_token > after)
                .order_by(table.user_token)
                .limit(min(_PAGE, left))
            ).all()
            yield from ((row[0], _declared(row)) for row in rows)
            if len(rows) < min(_PAGE, left):
                return
            left -= len(rows)
            after = rows[-1][0]

    def _row(self, token: str, user: Declared) -> tuple[Any, ...]:
        said = {name: getattr(user, name) for name in Declared.__struct_fields__}
        said["identity_providers"] = msgspec.json.encode(user.identity_providers).decode()
        said |= {"tenant": self._tenant, "user_token": token}
        return tuple(said[column.name] for column in declared_user.columns)


def _holds(holds: Callable[[Declared], bool], user: Declared) -> bool:
    try:
        return holds(user)
    except EvalError:  # as the index does: what cannot be computed covers
        return True


def _declared(row: Any) -> Declared:
    _token, registered, password, providers, *words = row
    linked = _providers(providers) if providers != "[]" else ()
    return Declared(registered, password, linked, *words)


_providers: Final = msgspec.json.Decoder(tuple[str, ...]).decode
