"""Protection: how an order is drafted, begins, ends and lets single users out, each deed audited as it is done.

Promise:
- the row, the place in the journal and the line of the audit log are one transaction; after a crash an order is what
  its row says and nothing else;
- stopping takes one person; a release for many users, and what cannot be taken back (a reset or an unlink for many),
  takes two: another person with another key, which the credential says and never the body;
- when a call that begins an order returns, no capture of a covered operation commits any more (``flows.authorize``), and
  the next group of events is decided under it (``DecisionDesk`` takes the journal before it decides).

The story of every change:
  (1) the caller may do it
  (2) what is asked for is complete and does not weaken what stands
  (3) the fence, exclusively; then the order as it is now
  (4) its arrow, its version, its row, and what the shop is owed to hear of it
  (5) the line of the audit log, last; commit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, Refused
from shopward.flows.evidence import SEEN
from shopward.outbox import Topic
from shopward.protection.orders import RELEASE_CONDITIONS, STORED_SET, Order, OrderRequest, order_from
from shopward.protection.states import NOT_AGREED, moved
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.access import Caller
    from shopward.flows.evidence import Evidence
    from shopward.flows.ground import Ground
    from shopward.values import IdSource

EXCEPTIONS_EACH_MAX: Final = 1_000
"""So many users one person lets out of one mass order on his word; more is a release, and takes two."""


class Exempted(Struct):
    """What ``/exceptions`` answers: how many were let out now, and how many had been before."""

    released: int
    already: int


class ProtectionDesk:
    """Tells the stories; may be called from any thread.

    Args:
        ground: what the stories stand on.
        ids: names orders.
        evidence: conditions of release that were seen here.
    """

    def __init__(self, ground: Ground, ids: IdSource, evidence: Evidence) -> None:
        self._on = ground
        self._ids = ids
        self._evidence = evidence

    def place(self, caller: Caller, request: OrderRequest, key: str | None = None) -> Order:
        """A new order: a draft with its measure for a dry run, else in force, scheduled or waiting for approval.

        Args:
            caller: whose key it is.
            request: what is asked for.
            key: an idempotency key; the same request under it again gives the same order.
        """
        caller.require("analyst")  # (1)
        now_ms = self._on.clock.now_ms()
        draft = order_from(  # (2)
            request,
            order_id=self._ids.new("o", now_ms),
            author=caller.person,
            author_key=caller.key,
            at_ms=now_ms,
            blind=self._on.blind,
        )
        if request.dry_run:
            measured = self._on.records.read(lambda each: self._on.users.measure(each, draft.standing.target))
            draft = msgspec.structs.replace(draft, measured=measured)
        digest = digest16(msgspec.json.encode(request))
        name = None if key is None else digest16(f"{caller.key}\x1f{key}".encode()).hex()

        def work(connection: Any) -> Order:
            self._on.fence.exclusive(connection)  # (3)
            if name is not None and (known := self._on.store.keyed(connection, name)) is not None:
                if known[0] != digest:
                    raise key_reused()
                return self._on.arrows.got(connection, known[1])
            if name is not None:
                self._on.store.add_key(connection, name, digest, draft.id)
            return self.placed(connection, caller, draft, now_ms, begins=not request.dry_run)

        return self._on.records.write(work)

    def placed(
        self, connection: Any, caller: Caller, draft: Order, now_ms: int, *, begins: bool = True
    ) -> Order:
        """(4) and (5) of ``place``, in a transaction that holds the fence."""
        if draft.standing.target.kind == STORED_SET:
            self._on.sets.sealed(connection, draft.standing.target.set_id)
        self._on.store.add(connection, draft)
        self._on.arrows.audit(connection, caller.key, "order:create", draft, now_ms)
        if not begins:
            return draft
        if draft.needs_approval:
            return self._on.arrows.move(connection, draft, "submit", caller.key, now_ms)
        return self._on.arrows.activate(connection, draft, caller.key, now_ms)

    def approve(self, caller: Caller, order_id: str, *, is_release: bool | None = None) -> Order:
        """Let a draft begin, agree to an order that waits for a second person, or to a release that does.

        ``is_release`` says which of both the caller saw: the other, which it became meanwhile, is a ``Conflict``.
        """
        caller.require("analyst")  # (1)
        now_ms = self._on.clock.now_ms()
        self.check_share(caller, order_id)  # (2)

        def work(connection: Any) -> Order:
            self._on.fence.exclusive(connection)  # (3)
            order = self._on.arrows.got(connection, order_id)
            if is_release not in (None, bool(order.release_by)):
                raise _moved_on(order)
            return self.approved(connection, caller, order, now_ms)

        return self._on.records.write(work)

    def approved(self, connection: Any, caller: Caller, order: Order, now_ms: int) -> Order:
        """(4) and (5) of ``approve``, in a transaction that holds the fence."""
        if order.release_by:
            _refuse_same(caller, order.release_by, order.release_key)
            self._on.arrows.audit(connection, caller.key, "order:approve", order, now_ms)
            return self._on.arrows.end(connection, order, "cancel", caller, now_ms)
        if order.needs_approval and order.state in NOT_AGREED:
            _refuse_same(caller, order.author, order.author_key)
        elif order.state != "draft":
            moved(order.state, "activate")
            raise Conflict("there is nothing to approve", code="order_state", found=order.state)
        approved = msgspec.structs.replace(order, approver=caller.person, approver_key=caller.key)
        self._on.store.put(connection, order, approved)
        self._on.arrows.audit(connection, caller.key, "order:approve", approved, now_ms)
        return self._on.arrows.activate(connection, approved, caller.key, now_ms)

    def release(
        self, caller: Caller, order_id: str, *, withdraw: bool = False, is_agreed: bool | None = None
    ) -> Order:
        """End an order at once, or, for many users, ask for a second person; ``withdraw`` takes that back.

        ``is_agreed`` says whether the caller saw an order that somebody had let begin, or a draft: the other is a ``Conflict``.
        """
        caller.require("analyst")  # (1)
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> Order:
            self._on.fence.exclusive(connection)  # (3)
            order = self._on.arrows.got(connection, order_id)
            if is_agreed not in (None, order.state not in NOT_AGREED):
                raise _moved_on(order)
            return self.released(connection, caller, order, now_ms, withdraw=withdraw)

        return self._on.records.write(work)

    def released(
        self, connection: Any, caller: Caller, order: Order, now_ms: int, *, withdraw: bool = False
    ) -> Order:
        """(4) and (5) of ``release``, in a transaction that holds the fence."""
        moved(order.state, "cancel")
        if withdraw:
            kept = msgspec.structs.replace(order, release_by="", release_key="")
            self._on.store.put(connection, order, kept)
            self._on.arrows.audit(connection, caller.key, "order:refuse", kept, now_ms)
            return kept
        if order.release_by:
            raise Conflict(
                "a release of this order waits for approval already", code="release_pending",
                expected="an approval by a second person", found="a second request",
            )  # fmt: skip
        if not order.is_mass or order.state in NOT_AGREED:
            return self._on.arrows.end(connection, order, "cancel", caller, now_ms)
        asked = msgspec.structs.replace(order, release_by=caller.person, release_key=caller.key)
        self._on.store.put(connection, order, asked)
        self._on.arrows.owe(connection, Topic.ORDER_RELEASE_REQUESTED, asked, now_ms)
        self._on.arrows.audit(connection, caller.key, "order:submit", asked, now_ms)
        return asked

    def exempt(
        self, caller: Caller, order_id: str, users: Sequence[str], *, cause: str, evidence: str
    ) -> Exempted:
        """Let single users out of one order; every other order that covers them goes on covering them.

        ``password_changed`` is held against what is declared, ``identity_proved`` and ``passkey_enrolled`` against what
        was seen here (``evidence``); ``staff_release`` is the caller's word, and of a mass order one person lets out
        ``EXCEPTIONS_EACH_MAX`` users.
        """

        def work(connection: Any) -> Exempted:
            self._on.fence.exclusive(connection)  # (3)
            order = self._on.arrows.got(connection, order_id)
            return self.exempted(connection, caller, order, users, cause=cause, evidence=evidence)

        return self._on.records.write(work)

    def exempted(
        self,
        connection: Any,
        caller: Caller,
        order: Order,
        users: Sequence[str],
        *,
        cause: str,
        evidence: str,
    ) -> Exempted:
        """All of ``exempt``, in a transaction that holds the fence."""
        is_word = cause == "staff_release"
        caller.require("analyst", *(() if is_word else ("service",)))  # (1)
        now_ms = self._on.clock.now_ms()
        tokens = [self._on.blind("user", user) for user in dict.fromkeys(users)]
        if order.state != "active":
            raise Conflict("the order is not in force", code="order_state", found=order.state)
        _check_cause(order, cause)  # (2)
        if cause in SEEN:
            self._evidence.require(connection, order, tokens, cause=cause, evidence=evidence)
        elif not is_word:
            self._check_passwords(connection, order, tokens)
        elif order.is_mass:
            self._check_word(connection, order, caller, len(tokens))
        fresh = self._on.arrows.except_users(  # (4), (5)
            connection, order, tokens, caller=caller, cause=cause, evidence=evidence, at_ms=now_ms
        )
        if not fresh:
            raise Conflict(
                "these users were released before", code="already_released", path="users",
                expected="users that the order covers", found=f"{len(tokens)} that have an exception",
            )  # fmt: skip
        return Exempted(fresh, len(tokens) - fresh)

    def check_share(self, caller: Caller, order_id: str) -> None:
        """Who may approve for a part of the users only approves no order, and no release, for more."""
        order = self._on.records.read(lambda connection: self._on.arrows.got(connection, order_id))
        if not order.is_mass or caller.share_max >= 1.0:
            return
        target = order.standing.target
        measured = self._on.records.read(lambda connection: self._on.users.measure(connection, target))
        if measured.share > caller.share_max:
            raise Refused(
                "the order is about more users than this key may approve", code="share_exceeded",
                expected=f"at most {caller.share_max:.2%}", found=f"{measured.share:.2%}",
            )  # fmt: skip

    def _check_passwords(self, connection: Any, order: Order, tokens: Sequence[str]) -> None:
        declared = self._on.users.get(connection, tokens)
        since_ms = order.standing.begun_ms
        missing = sum(
            token not in declared or declared[token].password_set_at_ms < since_ms for token in tokens
        )
        if missing:  # fails closed: nobody is let out of this call
            raise Refused(
                "not every one of these users has set a new password since", code="release_condition", path="users",
                expected="a declared password_set_at after the order began", found=f"{missing} without",
            )  # fmt: skip

    def _check_word(self, connection: Any, order: Order, caller: Caller, more: int) -> None:
        if self._on.store.count_exceptions(connection, order.id, caller.person) + more > EXCEPTIONS_EACH_MAX:
            raise Refused(
                "that is a release, and takes a second person", code="release_needs_two", path="users",
                expected=f"at most {EXCEPTIONS_EACH_MAX} users of an order by one person", found="more",
                hint="POST /v1/orders/{id}/release, and have it approved",
            )  # fmt: skip


def _check_cause(order: Order, cause: str) -> None:
    if cause not in RELEASE_CONDITIONS or cause not in order.release:
        raise Refused(
            "the order does not name this condition of release", code="release_condition", path="cause",
            expected="one of " + ", ".join(order.release) if order.release else "the order's end",
            found="another condition",
        )  # fmt: skip


def _moved_on(order: Order) -> Conflict:
    return Conflict("the order moved on", code="order_state", path="id", found=order.state)


def _refuse_same(caller: Caller, person: str, key: str) -> None:
    """Two persons are two persons with two keys. Fails closed."""
    if not caller.is_other_than(person, key):
        raise Refused(
            "this takes a second person", code="second_person_needed",
            expected="the key of somebody else", found="a key of the one who asked",
        )  # fmt: skip


def key_reused() -> Conflict:
    """One key, two requests."""
    return Conflict(
        "this idempotency key was used with another body", code="idempotency_key_reused", path="Idempotency-Key",
        expected="the same body as before, or a new key", found="another body",
    )  # fmt: skip
