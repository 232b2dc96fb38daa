"""Tracing: how far one bad phone number, address, identity card or foreign account reaches among ours.

Promise:
- the token that is asked about is blinded before anything is looked up, and stands in no answer, log or audit line;
- an answer says how many accounts are linked, by which kind, exactly or at least; which hubs were met; and which orders
  in force cover how many of those reached. It names accounts by tokens of this installation alone;
- every trace is a line of the audit log, written before the answer leaves: who shares a phone with whom is personal.

Reading how much one user shares (``shared_by``) names nobody else and is not audited.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.errors import InvalidField
from shopward.events.catalogue import Word
from shopward.events.facts import Facts
from shopward.protection.linkage import (
    LINK_KINDS,
    STEPS_MAX,
    Hub,
    Linkage,
    LinkKind,
    Reach,
    Shared,
    Step,
    from_account,
    from_identifier,
    shared,
)
from shopward.protection.operations import OPERATIONS, mask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.ground import Ground
    from shopward.flows.oversee import Overseer

SAMPLE: Final = 10
_EVERYTHING: Final = mask(OPERATIONS)


class LinksAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/v1/links`` takes: a user, or an identifier by its kind and the shop's token.

    Attributes:
        user: an account to start from.
        kind: of the identifier to start from.
        token: the shop's opaque token of it, as declared or as the event carried it.
        provider: of an ``identity``: whose account the token is of.
        steps: how often to go on to those who share something with whom was reached.
    """

    user: Word = ""
    kind: LinkKind | UnsetType = UNSET
    token: Word = ""
    provider: Word = ""
    steps: Annotated[int, Meta(ge=1, le=STEPS_MAX)] = 1


class Covering(Struct, frozen=True):
    """An order in force and how many of the reached accounts it covers in anything."""

    id: str
    accounts: int


class LinksView(Struct, frozen=True):
    """How far it reaches.

    Attributes:
        start: the identifier that was asked about; ``null`` for a user.
        accounts: how many were reached and looked at, the start not counted.
        steps: those that reached anybody.
        hubs: identifiers that were met and not walked through, by tokens of this installation.
        orders: orders in force that cover any of them.
        sample: tokens of the nearest.
        complete: whether no bound cut the walk; else there are more.
    """

    start: Shared | None
    accounts: int
    steps: tuple[Step, ...]
    hubs: tuple[Hub, ...]
    orders: list[Covering]
    sample: tuple[str, ...]
    complete: bool


class Tracer:
    """Tells how far; may be called from any thread.

    Args:
        ground: what the stories stand on.
        links: the links as a transaction sees them.
        overseer: the orders in force.
    """

    def __init__(self, ground: Ground, links: Callable[[Any], Linkage], overseer: Overseer) -> None:
        self._on = ground
        self._links = links
        self._overseer = overseer

    def trace(self, caller: Caller, asked: LinksAsked) -> LinksView:
        """How far an identifier or an account reaches."""
        caller.require("analyst")
        walk = self._walk(asked)
        reach, orders = self._on.records.read(lambda connection: self._reached(connection, walk))
        details = {
            "kind": "user" if asked.kind is UNSET else asked.kind, "steps": asked.steps,
            "accounts": len(reach.accounts), "complete": reach.complete,
        }  # fmt: skip
        now_ms = self._on.clock.now_ms()
        self._on.records.write(
            lambda connection: self._on.arrows.line(
                connection, caller.key, "links:trace", "links", details, now_ms
            )
        )
        return LinksView(
            reach.start, len(reach.accounts), reach.steps, reach.hubs, orders, reach.accounts[:SAMPLE],
            complete=reach.complete,
        )  # fmt: skip

    def reached(self, asked: LinksAsked) -> Reach:
        """Everybody whom a trace reaches, by token; for stories that act on them and audit themselves."""
        walk = self._walk(asked)
        return self._on.records.read(lambda connection: walk(self._links(connection)))

    def shared_by(self, user: str) -> list[Shared]:
        """The identifiers of a user, by how many other accounts have them too."""
        token = self._on.blind("user", user)

        def work(connection: Any) -> list[Shared]:
            links = self._links(connection)
            return [shared(links, each, but=1) for each in links.identifiers_of([token])[token]]

        return self._on.records.read(work)

    def _walk(self, asked: LinksAsked) -> Callable[[Linkage], Reach]:
        if bool(asked.user) == (asked.kind is not UNSET):
            raise _wrong("user", "a user, or a kind and its token", "both or neither")
        if asked.kind is UNSET:
            if asked.token or asked.provider:
                raise _wrong("kind", "the kind of the token: " + ", ".join(LINK_KINDS), "nothing")
            account = self._on.blind("user", asked.user)
            return lambda links: from_account(links, account, asked.steps)
        if not asked.token:
            raise _wrong("token", "the shop's token", "nothing")
        if (asked.kind == "identity") != bool(asked.provider):
            raise _wrong("provider", "the provider of an identity, nothing for others", "otherwise")
        value = f"{asked.provider}:{asked.token}" if asked.provider else asked.token
        identifier = (asked.kind, self._on.blind(asked.kind, value))
        return lambda links: from_identifier(links, identifier, asked.steps)

    def _reached(self, connection: Any, walk: Callable[[Linkage], Reach]) -> tuple[Reach, list[Covering]]:
        reach = walk(self._links(connection))
        return reach, self._covering(connection, reach.accounts)

    def _covering(self, connection: Any, accounts: Sequence[str]) -> list[Covering]:
        """The orders in force that cover any of these accounts, most covering first."""
        index = self._overseer.index(connection)
        declared = self._on.users.get(connection, accounts)
        covered: dict[str, list[str]] = {}
        for account in accounts:
            facts = Facts("", "", "", user=account, actor=account)
            for order in index.of_user(_EVERYTHING, facts, declared.get(account)):
                covered.setdefault(order.id, []).append(account)
        counts: Counter[str] = Counter()
        for order_id, whom in covered.items():
            counts[order_id] = len(whom) - len(self._on.store.excepted(connection, order_id, whom))
        return [Covering(order_id, count) for order_id, count in counts.most_common() if count]


def _wrong(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField("this cannot be traced", path=path, expected=expected, found=found)
