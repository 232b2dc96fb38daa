"""Linkage: which accounts hang together by what they share, and how far one bad identifier reaches.

Promise:
- a pure walk over a port: step by step, each account is looked at once and each identifier once; the answer says how
  many accounts each step reached and by which kind of identifier;
- a count is exact, or a lower bound that is marked so;
- an identifier of more than ``HUB_ACCOUNTS`` accounts is a hub (a call centre's phone, a parcel shop's address): it is
  named with its count and never walked through, since what it joins has nothing else in common;
- bounded: ``STEPS_MAX`` steps, ``REACHED_MAX`` accounts; where a bound cut the walk, ``complete`` is false.

Identifiers and accounts are keyed tokens of this installation; no clear value comes here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LinkKind = Literal["email", "phone", "address", "national_id", "identity"]
LINK_KINDS: Final[tuple[LinkKind, ...]] = get_args(LinkKind)
DECLARED_KINDS: Final = LINK_KINDS[:-1]
"""Those that the shop declares of a user; identities are told by events."""

HUB_ACCOUNTS: Final = 50
"""More than a household or a small shop has behind one phone, address or card of identity."""
COUNTED_MAX: Final = 10_000
"""How far an identifier's accounts are counted; beyond it the count is a lower bound."""
REACHED_MAX: Final = 1_000
STEPS_MAX: Final = 3

Identifier = tuple[LinkKind, str]


class Linkage(Protocol):
    """Who shares what."""

    def identifiers_of(self, accounts: Sequence[str]) -> Mapping[str, Sequence[Identifier]]:
        """What these accounts are reached by or signed in with."""
        ...

    def accounts_of(
        self, identifiers: Sequence[Identifier], limit: int
    ) -> Mapping[Identifier, Sequence[str]]:
        """The first ``limit`` accounts of each of these identifiers."""
        ...

    def count(self, identifier: Identifier, limit: int) -> int:
        """How many accounts an identifier has, counted up to ``limit``."""
        ...


class Shared(Struct, frozen=True):
    """An identifier by how many accounts have it; ``exact`` is false where there are more than were counted."""

    kind: LinkKind
    accounts: int
    exact: bool
    hub: bool


class Hub(Struct, frozen=True):
    """An identifier that too many share to tell anything; by its token of this installation."""

    kind: LinkKind
    token: str
    accounts: int
    exact: bool


class Step(Struct, frozen=True):
    """What one step reached that none before did, and by which kind of identifier first."""

    step: int
    accounts: int
    by_kind: dict[LinkKind, int]


class Reach(Struct, frozen=True):
    """Where a walk came to.

    Attributes:
        start: the identifier that was asked for; ``None`` where an account was.
        steps: those that reached anybody.
        accounts: tokens of everybody reached, nearest first; the start is not among them.
        hubs: what was met and not walked through.
        complete: whether no bound cut the walk.
    """

    start: Shared | None
    steps: tuple[Step, ...]
    accounts: tuple[str, ...]
    hubs: tuple[Hub, ...]
    complete: bool


def shared(links: Linkage, identifier: Identifier, *, but: int = 0) -> Shared:
    """How many accounts have an identifier, ``but`` so many that are known to."""
    count = links.count(identifier, COUNTED_MAX + 1)
    accounts = max(0, min(count, COUNTED_MAX) - but)
    return Shared(identifier[0], accounts, exact=count <= COUNTED_MAX, hub=count > HUB_ACCOUNTS)


def from_identifier(links: Linkage, identifier: Identifier, steps: int) -> Reach:
    """Everybody who shares an identifier, and who shares one with them in up to ``steps`` steps."""
    start = shared(links, identifier)
    found = links.accounts_of([identifier], REACHED_MAX)[identifier]
    walk = _Walk(links, known={identifier})
    walk.enter(1, dict.fromkeys(found, identifier[0]))
    if start.hub:  # named, and not walked through
        complete = start.exact and start.accounts <= len(found) and steps == 1
        return walk.reach(start, complete=complete)
    walk.go(2, steps)
    return walk.reach(start)


def from_account(links: Linkage, account: str, steps: int) -> Reach:
    """Everybody who shares an identifier with an account, in up to ``steps`` steps."""
    walk = _Walk(links, seen={account}, frontier=[account])
    walk.go(1, steps)
    return walk.reach(None)


class _Walk:
    """Breadth first; what was looked at is not looked at again."""

    def __init__(
        self,
        links: Linkage,
        *,
        known: set[Identifier] | None = None,
        seen: set[str] | None = None,
        frontier: list[str] | None = None,
    ) -> None:
        self._links = links
        self._known = known or set()
        self._seen = seen or set()
        self._frontier = frontier or []
        self._reached: list[str] = []
        self._steps: list[Step] = []
        self._hubs: list[Hub] = []
        self._cut = False

    def go(self, first: int, last: int) -> None:
        """The steps from one to another."""
        for step in range(first, last + 1):
            if not self._frontier:
                return
            self.enter(step, self._next())

    def enter(self, step: int, found: Mapping[str, LinkKind]) -> None:
        """Take who was found, as far as the bound lets."""
        room = REACHED_MAX - len(self._reached)
        entering = dict(list(found.items())[:room])
        self._cut |= len(entering) < len(found)
        self._frontier = list(entering)
        self._seen.update(entering)
        self._reached += entering
        if entering:
            self._steps.append(Step(step, len(entering), dict(Counter(entering.values()))))

    def reach(self, start: Shared | None, *, complete: bool = True) -> Reach:
        """The answer."""
        return Reach(
            start,
            tuple(self._steps),
            tuple(self._reached),
            tuple(self._hubs),
            complete=complete and not self._cut,
        )

    def _next(self) -> dict[str, LinkKind]:
        held = self._links.identifiers_of(self._frontier)
        fresh = {each for identifiers in held.values() for each in identifiers} - self._known
        self._known |= fresh
        found: dict[str, LinkKind] = {}
        sharing = self._links.accounts_of(sorted(fresh), HUB_ACCOUNTS + 1)
        for identifier in sorted(fresh):
            accounts = sharing.get(identifier, ())
            if len(accounts) > HUB_ACCOUNTS:
                counted = shared(self._links, identifier)
                self._hubs.append(Hub(*identifier, counted.accounts, exact=counted.exact))
                continue
            for account in accounts:
                if account not in self._seen:
                    found.setdefault(account, identifier[0])
        return found
