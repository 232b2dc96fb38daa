"""Victim sets: who was touched, named and sealed, so that one order can be about a million of them.

Promise:
- a set is filled page by page with users' ids, or made at once of whom a predicate or a trace reaches now; then it is
  sealed and never changes, and its digest stands in the audit log: what an order was about can be told years later;
- a page is taken whole or not at all, and may be sent again; sealing says how many users were meant, where the caller
  knows, and refuses another number;
- a set says who was touched and does nothing to anybody; orders do (``flows.protect``).

The members are read and sorted outside of any writing transaction: nobody waits for a million users to be sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.errors import Conflict, InputTooLarge, InvalidField
from shopward.events.catalogue import Id
from shopward.flows.trace import LinksAsked
from shopward.protection.attributes import PREDICATE_MAX
from shopward.protection.members import PAGES_MAX, SET_USERS_MAX, WIDTH, VictimSet, merged, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shopward.access import Caller
    from shopward.flows.ground import Ground
    from shopward.flows.trace import Tracer
    from shopward.protection.members import Source
    from shopward.values import IdSource


class SetAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/v1/victim-sets`` takes: a name, and at most one of where its users come from; else pages follow.

    Attributes:
        name: of the set; an existing name makes its next version.
        predicate: everybody declared whom a condition covers now.
        links: everybody whom a trace reaches now.
    """

    name: Id
    predicate: Annotated[str, Meta(max_length=PREDICATE_MAX)] = ""
    links: LinksAsked | UnsetType = UNSET


class SealAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/seal`` takes: how many different users are meant to be in it, where the caller knows."""

    users: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class VictimDesk:
    """Tells the stories; may be called from any thread.

    Args:
        ground: what the stories stand on.
        tracer: finds whom a trace reaches.
        ids: names sets.
    """

    def __init__(self, ground: Ground, tracer: Tracer, ids: IdSource) -> None:
        self._on = ground
        self._tracer = tracer
        self._ids = ids

    def make(self, caller: Caller, asked: SetAsked) -> VictimSet:
        """An open set, or one that is sealed already where its users are found here."""
        caller.require("analyst")
        if not asked.predicate and asked.links is UNSET:
            return self._begin(caller, asked.name, "upload")
        if asked.predicate and asked.links is not UNSET:
            raise InvalidField(
                "two sources of one set", path="links", expected="a predicate or links", found="both"
            )
        source: Source = "predicate" if asked.predicate else "links"
        tokens = self._found(asked)
        return self._sealed(caller, self._begin(caller, asked.name, source), tokens)

    def put_page(self, caller: Caller, set_id: str, number: int, users: Sequence[str]) -> VictimSet:
        """A page of users' ids, in the place of one of the same number."""
        caller.require("analyst", "service")
        if not 0 <= number < PAGES_MAX:
            raise InvalidField(
                "not a page", path="page", expected=f"a number from 0 to {PAGES_MAX - 1}", found="another"
            )
        tokens = packed(self._on.blind("user", user) for user in users)
        return self._on.records.write(
            lambda connection: self._on.sets.put_page(connection, set_id, number, tokens)
        )

    def seal(self, caller: Caller, set_id: str, asked: SealAsked) -> VictimSet:
        """Close a set; asking again hears the same where the same number was meant."""
        caller.require("analyst")
        found, pages = self._on.records.read(
            lambda connection: (
                self._on.sets.get(connection, set_id), list(self._on.sets.pages(connection, set_id)),
            )
        )  # fmt: skip
        if found.state == "sealed":
            _check_count(asked, found.users)
            return found
        tokens = merged(pages)
        _check_count(asked, len(tokens) // WIDTH)
        return self._sealed(caller, found, tokens)

    def get(self, set_id: str) -> VictimSet:
        """One set; raises ``NotFound``."""
        return self._on.records.read(lambda connection: self._on.sets.get(connection, set_id))

    def newest(self, *, name: str | None, limit: int) -> list[VictimSet]:
        """Sets, newest first."""
        return self._on.records.read(
            lambda connection: self._on.sets.newest(connection, name=name, limit=limit)
        )

    def _found(self, asked: SetAsked) -> bytes:
        if asked.links is not UNSET:
            reach = self._tracer.reached(asked.links)
            if not reach.complete:  # fails closed: a set that leaves somebody out is worse than none
                raise Conflict(
                    "the trace did not reach everybody", code="trace_incomplete", path="links",
                    expected="a trace that no bound cuts", found=f"{len(reach.accounts)} accounts and more",
                    hint="trace fewer steps, or aim a predicate at the token",
                )  # fmt: skip
            start = [self._on.blind("user", asked.links.user)] if asked.links.user else []
            return packed([*reach.accounts, *start])
        return self._on.records.read(
            lambda connection: packed(_bounded(self._on.users.fitting(connection, asked.predicate)))
        )

    def _begin(self, caller: Caller, name: str, source: Source) -> VictimSet:
        now_ms = self._on.clock.now_ms()
        made = VictimSet(
            id=self._ids.new("vs", now_ms), name=name, version=0, state="open", source=source, users=0, digest=b"",
            author=caller.person, created_ms=now_ms, sealed_ms=0, revision=0,
        )  # fmt: skip

        def work(connection: Any) -> VictimSet:
            begun = self._on.sets.add(connection, made)
            details = {"name": name, "version": begun.version, "source": source}
            self._on.arrows.line(connection, caller.key, "set:create", made.id, details, now_ms)
            return begun

        return self._on.records.write(work)

    def _sealed(self, caller: Caller, read: VictimSet, tokens: bytes) -> VictimSet:
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> VictimSet:
            sealed = self._on.sets.seal(connection, read, tokens, now_ms)
            details = {"users": sealed.users, "digest": sealed.digest.hex()}
            self._on.arrows.line(connection, caller.key, "set:seal", sealed.id, details, now_ms)
            return sealed

        return self._on.records.write(work)


def _bounded(tokens: Iterable[str]) -> Iterable[str]:
    for count, token in enumerate(tokens):
        if count >= SET_USERS_MAX:
            raise InputTooLarge(
                "too many users for a set", path="predicate", expected=f"at most {SET_USERS_MAX} users", found="more",
                hint="an order about a predicate reaches any number",
            )  # fmt: skip
        yield token


def _check_count(asked: SealAsked, users: int) -> None:
    if asked.users is not UNSET and asked.users != users:
        raise Conflict(
            "the set does not hold so many users", code="set_count", path="users", expected=f"{asked.users} users",
            found=f"{users}", hint="send the pages that are missing; a page sent twice counts once",
        )  # fmt: skip
