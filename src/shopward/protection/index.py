"""The index: which of the orders in force are about an event, in a few microseconds.

Promise: ``matching`` gives exactly the orders whose scope, target and provider cover the event, in the order of their
beginning; an event that no order's scope covers costs one look at its type. Who pays through a provider is linked to it,
declared or not: a declaration that is late lets nobody by. A predicate that cannot be computed for somebody
(a regular expression that fails, say) covers him: money and accounts fail closed.

An index is immutable. It knows nothing of exceptions, sums or passwords; that is ``inforce``.

The predicates of one operation are one generated Python function; the source holds nothing but names of ours and
literals that the CEL compiler wrote.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.protection.attributes import NOTHING_DECLARED, Declared, predicate_source
from shopward.protection.operations import mask_of
from shopward.protection.orders import STORED_SET
from shopward.risk import cel

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from shopward.events import Facts
    from shopward.protection.orders import Standing

Covering = list["Standing"]
_NONE: Final[Covering] = []
_ACTOR_KINDS: Final = {"staff": "staff", "partner": "partner", "channel": "service"}


class OrderIndex:
    """Orders by whom they are about.

    Args:
        orders: those in force.
        blind: gives the token of a value in a domain, for tokens inside predicates.
        members: of stored victim sets, by id; looked at when somebody acts, so that it may be filled later. A set that
            is missing then covers everybody (fails closed).

    Attributes:
        mask: operations that any of them covers.
        asks_attributes: whether any of them asks for declared attributes.
    """

    def __init__(
        self,
        orders: Iterable[Standing],
        blind: Callable[[str, str], str],
        members: Mapping[str, Container[str]] = MappingProxyType({}),
    ) -> None:
        self.orders = tuple(sorted(orders, key=lambda order: (order.begun, order.id)))
        self.mask = 0
        self.asks_attributes = any(
            order.target.kind == "predicate" or order.kind in ("reset", "unlink") for order in self.orders
        )
        self._broad: list[tuple[int, int, str]] = []
        self._members = members
        self._sets: list[tuple[int, int, str]] = []
        self._named: dict[tuple[str, str], list[int]] = {}
        self._functions: dict[int, Callable[[Declared], list[int]]] = {}
        for place, order in enumerate(self.orders):
            self.mask |= order.mask
            kind = order.target.kind
            if kind == "everyone":
                self._broad.append((order.mask, place, "True"))
            elif kind == "predicate":
                self._broad.append((order.mask, place, predicate_source(order.target.predicate, blind)))
            elif kind == STORED_SET:
                self._sets.append((order.mask, place, order.target.set_id))
            else:
                who = _ACTOR_KINDS.get(kind, "user")
                for token in order.target.tokens:
                    self._named.setdefault((who, token), []).append(place)

    def matching(self, facts: Facts, declared: Declared | None) -> Covering:
        """The orders that cover an event. What only reports a failure is never covered."""
        mask = mask_of(facts.type, facts.instrument) & self.mask
        if not mask or facts.status == "failed":
            return _NONE
        return self.of_user(mask, facts, declared)

    def of_user(self, mask: int, facts: Facts, declared: Declared | None) -> Covering:
        """The orders that cover any of these operations for the user and actor of an event."""
        function = self._functions.get(mask)
        if function is None:
            function = self._functions[mask] = self._function(mask)
        orders = self.orders
        if facts.user:
            places = function(_seen(declared, facts))
        else:  # nobody is known yet: what is for everyone still holds
            places = [place for covers, place, source in self._broad if covers & mask and source == "True"]
        if self._named or self._sets:
            places += self._of_name(mask, facts)
            places.sort()
        if not places:
            return _NONE
        provider = facts.identity_provider
        return [order for order in (orders[place] for place in places) if order.is_through(provider)]

    @property
    def set_ids(self) -> set[str]:
        """The stored sets that orders are about."""
        return {set_id for _mask, _place, set_id in self._sets}

    def _of_name(self, mask: int, facts: Facts) -> list[int]:
        """The places of orders that name the user or actor, or a set that the user is in."""
        found = []
        for key in (("user", facts.user), (facts.actor_type, facts.actor)):
            found += [place for place in self._named.get(key, ()) if self.orders[place].mask & mask]
        for covers, place, set_id in self._sets:
            if covers & mask and facts.user:
                members = self._members.get(set_id)
                if members is None or facts.user in members:
                    found.append(place)
        return found

    def _function(self, mask: int) -> Callable[[Declared], list[int]]:
        """One function over declared attributes for these operations."""
        lines = ["def match(u):", " found = []"]
        for covers, place, source in self._broad:
            if covers & mask:
                lines += [" try:", f"  if {source}: found.append({place})"]
                lines.append(f" except EvalError: found.append({place})")  # fails closed
        lines.append(" return found")
        namespace: dict[str, Any] = dict(cel.RUNTIME_NAMESPACE) | {"EvalError": cel.EvalError}
        exec("\n".join(lines), namespace)  # noqa: S102 -- source made by our own compiler from checked trees
        return namespace["match"]  # type: ignore[no-any-return]


def _seen(declared: Declared | None, facts: Facts) -> Declared:
    """What is declared of a user, and what the event itself says where that is more."""
    seen = declared
    if seen is None:
        registered = facts.registered_at_ms
        seen = Declared(registered_at_ms=registered) if registered else NOTHING_DECLARED
    provider = facts.identity_provider
    if provider and provider not in seen.identity_providers:
        return msgspec.structs.replace(seen, identity_providers=(*seen.identity_providers, provider))
    return seen
