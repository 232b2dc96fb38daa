"""A provider's trouble: one deed for everyone who is linked to it, until two persons end it.

Promise:
- an advisory is orders about everyone linked to a provider, placed together in one transaction: a limit on what is paid
  through it, and a step-up with factors that the threat does not own; each with its end or review and its way out;
- there is one advisory of a provider in an incident: asking again hears the same orders, asking otherwise is a conflict;
- a dry run counts, shows what customers would be told, and keeps nothing;
- one person places it; two end it, all of its orders in one transaction. Each order remains an order: it can be looked at,
  and single users are let out of it, by ``flows.protect``.

The orders are found again by the keys that they were placed under; nothing else is kept of an advisory.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from shopward.errors import Conflict, NotFound
from shopward.events.catalogue import Id, Moment, Word
from shopward.flows.protect import Exempted, key_reused
from shopward.protection.operations import GROUPS
from shopward.protection.orders import Limit, Order, OrderRequest, ReleaseCondition, TargetAsked, order_from
from shopward.protection.states import FINAL
from shopward.risk.policy.spec import Factor
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.ground import Ground
    from shopward.flows.protect import ProtectionDesk
    from shopward.values import IdSource

PARTS: Final = ("limit", "step_up")
PREFIX: Final = "ad-"
_REASON: Final = "linked_identity_breach"


class AdvisoryAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An advisory as it is asked for.

    Attributes:
        provider: whose accounts are in danger, as users are declared with it and payments name it.
        incident: the shop's number of what happened.
        limit: the most that each linked user may pay through the provider in a window.
        scope: what a linked user proves more for.
        exclude: factors that the threat may own: who has the identity has its mailbox and often its number.
        assurance: the least level of a factor.
        ends_at: when it ends by itself.
        review_at: when somebody looks at it again.
        release: which conditions let a single user out.
        dry_run: count and show, and keep nothing.
    """

    provider: Id
    incident: Id
    limit: Limit
    scope: Annotated[list[Word], Meta(max_length=32)] = field(
        default_factory=lambda: ["pay_linked", *GROUPS["account_changes"]]
    )
    exclude: Annotated[list[Factor], Meta(max_length=8)] = field(default_factory=lambda: ["email", "sms"])
    assurance: Annotated[int, Meta(ge=1, le=3)] = 1
    ends_at: Moment | UnsetType = UNSET
    review_at: Moment | UnsetType = UNSET
    release: Annotated[list[ReleaseCondition], Meta(max_length=8)] = field(
        default_factory=lambda: ["identity_proved", "staff_release"]
    )
    dry_run: bool = False


class Advisory(Struct, frozen=True):
    """An advisory and its orders; ``orders`` of a dry run have no id."""

    id: str
    orders: tuple[Order, ...]


class AdvisoryDesk:
    """Tells the stories; may be called from any thread.

    Args:
        ground: what the stories stand on.
        desk: does what is done to each order.
        ids: names orders.
    """

    def __init__(self, ground: Ground, desk: ProtectionDesk, ids: IdSource) -> None:
        self._on = ground
        self._desk = desk
        self._ids = ids

    def place(self, caller: Caller, asked: AdvisoryAsked) -> Advisory:
        """Its orders, in force when this returns; those of before where it was asked for before."""
        caller.require("analyst")
        now_ms = self._on.clock.now_ms()
        name = advisory_id(asked.provider, asked.incident)
        drafts = {
            part: self._draft(caller, request, "" if asked.dry_run else self._ids.new("o", now_ms), now_ms)
            for part, request in requests(asked).items()
        }
        if asked.dry_run:
            target = drafts["limit"].standing.target
            measured = self._on.records.read(lambda each: self._on.users.measure(each, target))
            counted = (msgspec.structs.replace(draft, measured=measured) for draft in drafts.values())
            return Advisory(name, tuple(counted))
        digest = digest16(msgspec.json.encode(asked))

        def work(connection: Any) -> Advisory:
            self._on.fence.exclusive(connection)
            known = self._known(connection, name)
            if known:
                if any(kept != digest for kept, _order in known):
                    raise key_reused()
                return Advisory(name, tuple(order for _digest, order in known))
            placed = []
            for part, draft in drafts.items():
                self._on.store.add_key(connection, f"{name}:{part}", digest, draft.id)
                placed.append(self._desk.placed(connection, caller, draft, now_ms))
            details = {"provider": asked.provider, "orders": [order.id for order in placed]}
            self._on.arrows.line(connection, caller.key, "advisory:receive", name, details, now_ms)
            return Advisory(name, tuple(placed))

        return self._on.records.write(work)

    def get(self, name: str) -> Advisory:
        """An advisory and its orders as they are now."""
        return Advisory(name, self._on.records.read(lambda connection: self._orders(connection, name)))

    def release(self, caller: Caller, name: str, *, withdraw: bool = False) -> Advisory:
        """Ask for a second person to end all of it; ``withdraw`` takes that back."""
        return self._each(
            caller, name,
            lambda connection, order, now_ms: self._desk.released(
                connection, caller, order, now_ms, withdraw=withdraw
            ),
        )  # fmt: skip

    def approve(self, caller: Caller, name: str) -> Advisory:
        """Agree as the second person that all of it ends."""
        for order in self.get(name).orders:
            self._desk.check_share(caller, order.id)
        return self._each(
            caller, name,
            lambda connection, order, now_ms: self._desk.approved(connection, caller, order, now_ms),
        )  # fmt: skip

    def exempt(
        self, caller: Caller, name: str, users: Sequence[str], *, cause: str, evidence: str
    ) -> list[Exempted]:
        """Let single users out of each of its orders, or of none."""

        def work(connection: Any) -> list[Exempted]:
            self._on.fence.exclusive(connection)
            standing = [order for order in self._orders(connection, name) if order.state == "active"]
            if not standing:
                raise _ended()
            done, refused = [], None
            for order in standing:
                try:
                    done.append(
                        self._desk.exempted(connection, caller, order, users, cause=cause, evidence=evidence)
                    )
                except Conflict as known:  # let out of this one before, maybe not of the others
                    refused = known
            if refused is not None and not done:
                raise refused
            return done

        return self._on.records.write(work)

    def _each(self, caller: Caller, name: str, deed: Callable[[Any, Order, int], Order]) -> Advisory:
        """A deed on each of its orders that has not ended, in one transaction."""
        caller.require("analyst")
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> Advisory:
            self._on.fence.exclusive(connection)
            orders = self._orders(connection, name)
            if all(order.state in FINAL for order in orders):
                raise _ended()
            done = (order if order.state in FINAL else deed(connection, order, now_ms) for order in orders)
            return Advisory(name, tuple(done))

        return self._on.records.write(work)

    def _draft(self, caller: Caller, request: OrderRequest, order_id: str, now_ms: int) -> Order:
        return order_from(
            request, order_id=order_id, author=caller.person, author_key=caller.key, at_ms=now_ms,
            blind=self._on.blind,
        )  # fmt: skip

    def _orders(self, connection: Any, name: str) -> tuple[Order, ...]:
        known = self._known(connection, name)
        if not known:
            raise NotFound(
                "no such advisory", path="id", expected="the id of an advisory", found="another id"
            )
        return tuple(order for _digest, order in known)

    def _known(self, connection: Any, name: str) -> list[tuple[bytes, Order]]:
        """The digests and orders that were placed under its keys."""
        found = [self._on.store.keyed(connection, f"{name}:{part}") for part in PARTS]
        return [(each[0], self._on.arrows.got(connection, each[1])) for each in found if each is not None]


def advisory_id(provider: str, incident: str) -> str:
    """The one name of a provider's advisory in an incident."""
    return PREFIX + digest16(f"{provider}\x1f{incident}".encode()).hex()


def requests(asked: AdvisoryAsked) -> dict[str, OrderRequest]:
    """The orders of an advisory, by their part in it."""
    common: dict[str, Any] = {
        "target": TargetAsked(predicate=f"{json.dumps(asked.provider)} in identity_providers"),
        "reason": _REASON, "incident": asked.incident, "ends_at": asked.ends_at, "review_at": asked.review_at,
        "release": asked.release, "dry_run": asked.dry_run,
    }  # fmt: skip
    return {
        "limit": OrderRequest(
            kind="limit", scope=["pay_linked"], limit=asked.limit, provider=asked.provider, **common
        ),
        "step_up": OrderRequest(
            kind="step_up", scope=asked.scope, exclude=asked.exclude, assurance=asked.assurance, **common
        ),
    }


def _ended() -> Conflict:
    return Conflict(
        "this advisory has ended", code="order_state", expected="an advisory with an order in force",
        found="all of its orders ended",
    )  # fmt: skip
