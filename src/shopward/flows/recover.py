"""Recovering: a customer freezes the account at once, and is led back step by step.

Promise:
- freezing takes one call and no agent; coming back takes a proof by a factor that the threat left trustworthy, a new
  password, new sessions and a look at what was changed, in this order (``recovery.states``);
- a step is one transaction: the case, the orders, what the shop is owed to hear, and the audit line stand together or
  not at all; taken once more, it changes nothing and hears the same;
- the end lets the customer out of exactly the orders whose condition is met by what Shopward itself saw: a proof
  (``identity_proved``), a password set here since the order began (``password_changed``), a passkey enrolled since
  (``passkey_enrolled``). ``staff_release`` is met by nobody here.

The story of a step:
  (1) whose case, and on which device
  (2) the case, locked; it is this step's turn, and the proof is not older than an hour
  (3) what the step asks for
  (4) the case moved, orders placed or ended, messages owed
  (5) the line of the audit log, last; commit

Fails closed: no trustworthy factor is ``no_factor_left``, and a member of staff has to look (``staff_release``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward import stepup
from shopward.errors import Conflict, NotFound, Refused, ShopwardError
from shopward.events import Facts
from shopward.events.catalogue import Id
from shopward.flows.changes import changes_since
from shopward.outbox import Topic
from shopward.protection.attributes import NOTHING_DECLARED
from shopward.protection.operations import OPERATIONS, expanded, mask
from shopward.protection.orders import Order, Standing, Target
from shopward.recovery.cases import LOOK_BACK_MAX_MS, LOOK_BACK_MS, Case, has_lapsed
from shopward.recovery.states import is_done, moved
from shopward.recovery.view import RecoveryView, view
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox
    from shopward.flows.asked import Who, Witnesses
    from shopward.flows.changes import Changes
    from shopward.flows.evidence import Evidence
    from shopward.flows.ground import Ground
    from shopward.flows.oversee import Overseer
    from shopward.flows.trusted import RecoveryAsking
    from shopward.ports import EventLog
    from shopward.protection.orders import Kind
    from shopward.recovery.states import Verb
    from shopward.recovery.store import RecoveryStore
    from shopward.stepup import Desk
    from shopward.values import IdSource

FROZEN_SCOPE: Final = ("money_out", "account_changes")
"""Signing in stays open: who is locked out of looking cannot be led back."""
AT_ONCE: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("freeze", FROZEN_SCOPE),
    ("revoke", ("everything",)),
)
REVIEW_MS: Final = 30 * DAY_MS
SESSIONS_MS: Final = 30 * DAY_MS
"""How long sessions from before the new password are told to end."""


class Reviewed(Struct, frozen=True):
    """What the owner says of each change: it was me, or it was not."""

    keep: tuple[Id, ...] = ()
    undo: tuple[Id, ...] = ()


class RecoveryDesk:
    """Tells the story; may be called from any thread.

    Args:
        ground: orders, fence, users, clock, tokens.
        store: the cases.
        desk: of step-up.
        overseer: the orders in force.
        log: what happened to an account.
        asking: which challenge proves a case.
        evidence: conditions that were seen here.
        witnesses: see to the audit line of a factor that is removed.
        outbox: takes what the shop is owed to hear.
        ids: names cases and orders.
    """

    def __init__(
        self,
        *,
        ground: Ground,
        store: RecoveryStore,
        desk: Desk,
        overseer: Overseer,
        log: EventLog,
        asking: RecoveryAsking,
        evidence: Evidence,
        witnesses: Witnesses,
        outbox: Outbox,
        ids: IdSource,
    ) -> None:
        self._on = ground
        self._store = store
        self._desk = desk
        self._overseer = overseer
        self._log = log
        self._asking = asking
        self._evidence = evidence
        self._witnesses = witnesses
        self._outbox = outbox
        self._ids = ids

    def freeze(self, caller: Caller, user_id: str, *, reason: str, since_ms: int) -> Case:
        """Freeze a user's account at once, and open the way back; again changes nothing but what was released meanwhile."""
        caller.require("service", "analyst")  # (1)
        token = self._on.blind("user", user_id)

        def work(connection: Any) -> Case:
            self._on.fence.exclusive(connection)
            return self.frozen(connection, caller, token, reason=reason, since_ms=since_ms)

        return self._on.records.write(work)

    def frozen(self, connection: Any, caller: Caller, user: str, *, reason: str, since_ms: int) -> Case:
        """(2) to (5) of ``freeze``, in a transaction that holds the fence."""
        now_ms = self._on.clock.now_ms()
        since_ms = min(max(since_ms or now_ms - LOOK_BACK_MS, now_ms - LOOK_BACK_MAX_MS), now_ms)
        known = self._store.open_of(connection, user)  # (2)
        if known is not None and known.state == "frozen" and self._stands(connection, known):
            return known
        case = known or Case(
            id=self._ids.new("r", now_ms),
            user=user,
            state="frozen",
            reason=reason,
            opened_ms=now_ms,
            since_ms=since_ms,
        )
        orders = tuple(
            self._place(connection, caller, user, kind, scope, reason)
            for kind, scope in AT_ONCE
            if known is None or not self._stands(connection, known)
        )
        case = msgspec.structs.replace(  # (4)
            case, state=moved(case.state, "freeze"), since_ms=min(case.since_ms, since_ms),
            orders=(*case.orders, *orders), device="", factor="", proved_ms=0, password_ms=0,
        )  # fmt: skip
        if known is None:
            self._store.add(connection, case)
        else:
            self._store.put(connection, case)
        self._owe(connection, Topic.RECOVERY_STARTED, case)
        self._line(connection, caller, "self:freeze" if known is None else "recovery:start", case)  # (5)
        return case

    def look(self, case_id: str, language: str) -> RecoveryView:
        """Where a case is, what comes next, and what has to be looked through."""
        case = self._on.records.read(lambda connection: self._got(self._store.get(connection, case_id)))
        changes = self._changes(case)
        return view(case, language, changes.listed, complete=changes.complete)

    def under_way(self, *, user_id: str, before: str, limit: int, language: str) -> list[RecoveryView]:
        """Open cases, newest first, without what has to be looked through; an empty user asks for everybody's."""
        user = self._on.blind("user", user_id) if user_id else ""
        cases = self._on.records.read(
            lambda connection: self._store.under_way(connection, user=user, before=before, limit=limit)
        )
        return [view(case, language) for case in cases]

    def prove(self, caller: Caller, case_id: str, who: Who) -> Case:
        """The passed challenge of a case, spent: from here on an hour, on this device."""
        asked = self._asking.asked(case_id, who)

        def work(connection: Any, case: Case, now_ms: int) -> Case:
            challenge = self._desk.store.of_decision(connection, asked.subject.decision_id)
            if challenge is None:
                raise stepup.StepUpRefused(
                    "no_proof", expected="a passed challenge of this recovery", found="none"
                )
            proved = stepup.spend(  # (3)
                self._desk, connection, challenge.id, operation=asked.subject.operation, user=case.user,
                device=asked.subject.device, at_ms=now_ms,
            )  # fmt: skip
            return msgspec.structs.replace(
                case, device=proved.subject.device, factor=proved.factor, proved_ms=now_ms
            )

        return self._step(caller, case_id, who, "identity", work)

    def renew(self, caller: Caller, case_id: str, who: Who, *, password_hmac: str, breached: bool) -> Case:
        """A new password was set in the shop; one that is known, or was used here before, is refused."""
        password = self._on.blind("password", password_hmac)
        used = self._changes(self._peek(case_id)).passwords

        def work(connection: Any, case: Case, now_ms: int) -> Case:
            if breached or not password or password in used:  # (3)
                raise Refused(
                    "this password cannot be the new one", code="password_refused", path="password_hmac",
                    expected="one that stands in no breach and was not used here before",
                    found="a breached one" if breached else "a used one" if password else "none",
                )  # fmt: skip
            declared = self._on.users.get(connection, [case.user]).get(case.user, NOTHING_DECLARED)
            renewed = msgspec.structs.replace(declared, password_set_at_ms=now_ms)
            self._on.users.put(connection, {case.user: renewed})  # (4): what reset orders are held against
            return msgspec.structs.replace(case, password_ms=now_ms)

        return self._step(caller, case_id, who, "password", work)

    def end_sessions(self, caller: Caller, case_id: str, who: Who) -> Case:
        """Every session from before this moment is over: an epoch, compared when somebody acts."""

        def work(connection: Any, case: Case, now_ms: int) -> Case:
            ends_ms = now_ms + SESSIONS_MS
            order = self._place(
                connection, caller, case.user, "revoke", ("everything",), case.reason, ends_ms
            )
            return msgspec.structs.replace(case, orders=(*case.orders, order))

        return self._step(caller, case_id, who, "sessions", work)

    def review(self, caller: Caller, case_id: str, who: Who, said: Reviewed) -> Case:
        """What of the changes was the owner's; what was not, the shop is asked to take back."""
        changes = self._changes(self._peek(case_id))
        listed = {each.event_id: each for each in changes.listed}

        def work(connection: Any, case: Case, now_ms: int) -> Case:
            answered = [*said.keep, *said.undo]
            if sorted(answered) != sorted(listed):  # (3)
                raise Conflict(
                    "every change has to be answered, once", code="recovery_review", path="keep",
                    expected=f"each of {len(listed)} changes in keep or undo", found=f"{len(answered)} answers",
                    hint="GET /v1/recoveries/{id} lists them as they are now",
                )  # fmt: skip
            desk = self._witnesses.of(self._desk, caller, cause="recovery")
            for event_id in said.undo:  # (4)
                change = listed[event_id]
                if change.kind == "factor":
                    self._remove_factor(desk, connection, case, event_id, now_ms)
                payload = {"type": change.type, "kind": change.kind, "recovery": case.id}
                self._outbox.owe(
                    connection, at_ms=now_ms, topic=Topic.CHANGE_UNDO_ASKED, subject=event_id, payload=payload
                )
            return case

        return self._step(caller, case_id, who, "review", work)

    def release(self, caller: Caller, case_id: str, who: Who) -> Case:
        """Out of exactly the orders whose condition is met; all others stay."""

        def work(connection: Any, case: Case, now_ms: int) -> Case:
            released = []
            for order in self._covering(connection, case.user):
                cause = self._met(connection, case, order)
                if cause:
                    self._let_out(connection, caller, case, order, cause, now_ms)
                    released.append(order.id)
            return msgspec.structs.replace(case, released=tuple(released), closed_ms=now_ms)

        return self._step(caller, case_id, who, "release", work)

    def _step(
        self, caller: Caller, case_id: str, who: Who, verb: Verb, work: Callable[[Any, Case, int], Case]
    ) -> Case:
        """One step, as the module's docstring tells it."""
        caller.require("service")  # (1)
        user = self._on.blind("user", who.user.id)
        device = self._asking.device_of(who)

        def stepped(connection: Any) -> Case | ShopwardError:
            self._on.fence.exclusive(connection)
            case = self._got(self._store.locked(connection, case_id))  # (2)
            now_ms = self._on.clock.now_ms()
            if case.user != user:
                raise stepup.StepUpRefused(
                    "wrong_subject", expected="the user of this recovery", found="another user"
                )
            if is_done(case.state, verb):
                return case
            after = moved(case.state, verb)
            if verb != "identity" and case.device != device:
                raise stepup.StepUpRefused(
                    "wrong_subject", expected="the device that the proof was given on", found="another device"
                )
            if has_lapsed(case, verb, now_ms):
                return self._lapsed(connection, caller, case)
            done = msgspec.structs.replace(work(connection, case, now_ms), state=after)  # (3), (4)
            self._store.put(connection, done)
            self._owe(
                connection, Topic.RECOVERY_COMPLETED if done.closed_ms else Topic.RECOVERY_STEPPED, done
            )
            self._line(
                connection, caller, "recovery:complete" if done.closed_ms else "recovery:step", done
            )  # (5)
            return done

        result = self._on.records.write(stepped)
        if isinstance(result, ShopwardError):
            raise result
        return result

    def _lapsed(self, connection: Any, caller: Caller, case: Case) -> ShopwardError:
        """Back to the proof; the refusal is raised once that is committed."""
        back = msgspec.structs.replace(
            case, state=moved(case.state, "lapse"), device="", factor="", proved_ms=0
        )
        self._store.put(connection, back)
        self._line(connection, caller, "recovery:step", back)
        return Conflict(
            "the proof of this recovery is older than an hour", code="recovery_lapsed",
            expected="each step within an hour of the proof", found="a later one", hint="prove it again",
        )  # fmt: skip

    def _place(
        self,
        connection: Any,
        caller: Caller,
        user: str,
        kind: Kind,
        scope: Sequence[str],
        reason: str,
        ends_ms: int = 0,
    ) -> str:
        """An order on one user; with an end it is an epoch that nothing takes back, without one it waits for the proof."""
        now_ms = self._on.clock.now_ms()
        standing = Standing(
            self._ids.new("o", now_ms),
            kind,
            expanded(scope),
            Target("user", (user,)),
            reason,
            ends_ms=ends_ms,
        )
        order = Order(
            standing=standing, state="draft", created_ms=now_ms, starts_ms=now_ms, author=caller.person,
            author_key=caller.key, release=() if ends_ms else ("identity_proved", "staff_release"),
            review_ms=0 if ends_ms else now_ms + REVIEW_MS,
        )  # fmt: skip
        self._on.store.add(connection, order)
        self._on.arrows.audit(connection, caller.key, "order:create", order, now_ms)
        return self._on.arrows.activate(connection, order, caller.key, now_ms).id

    def _stands(self, connection: Any, case: Case) -> bool:
        """Whether the freeze of a case is still in force: staff may have ended it."""
        orders = [self._on.arrows.got(connection, order_id) for order_id in case.orders]
        return any(order.standing.kind == "freeze" and order.state == "active" for order in orders)

    def _covering(self, connection: Any, user: str) -> list[Order]:
        """The orders in force that cover a user and have not let him out."""
        index = self._overseer.index(connection)
        declared = self._on.users.get(connection, [user]).get(user)
        covering = index.of_user(mask(OPERATIONS), Facts("", "", "", user=user, actor=user), declared)
        ids = [order.id for order in covering]
        out = self._on.store.exceptions_of(connection, user, ids) if ids else set()
        return [self._on.arrows.got(connection, order_id) for order_id in ids if order_id not in out]

    def _met(self, connection: Any, case: Case, order: Order) -> str:
        """The first condition of an order that Shopward itself has seen met; empty where none is."""
        begun_ms = order.standing.begun_ms
        if "identity_proved" in order.release and case.proved_ms >= begun_ms:
            return "identity_proved"
        if "password_changed" in order.release and case.password_ms >= begun_ms > 0:
            return "password_changed"
        if "passkey_enrolled" in order.release and self._evidence.has_passkey(connection, order, case.user):
            return "passkey_enrolled"
        return ""

    def _let_out(
        self, connection: Any, caller: Caller, case: Case, order: Order, cause: str, now_ms: int
    ) -> None:
        """An order about this user alone ends; of any other he is excepted."""
        if order.standing.target.kind == "user":
            self._on.arrows.end(connection, order, "cancel", caller, now_ms)
        else:
            self._on.arrows.except_users(
                connection, order, [case.user], caller=caller, cause=cause, evidence=case.id, at_ms=now_ms
            )

    def _remove_factor(self, desk: Desk, connection: Any, case: Case, event_id: str, now_ms: int) -> None:
        factor_id = event_id.removesuffix("-added") if event_id.endswith("-added") else stepup.RECOVERY_CODES
        stepup.revoke_by_order(desk, connection, case.user, factor_id, at_ms=now_ms)

    def _changes(self, case: Case) -> Changes:
        until_ms = case.proved_ms or self._on.clock.now_ms()
        return changes_since(self._log, case.user, since_ms=case.since_ms, until_ms=until_ms)

    def _peek(self, case_id: str) -> Case:
        return self._on.records.read(lambda connection: self._got(self._store.get(connection, case_id)))

    def _got(self, case: Case | None) -> Case:
        if case is None:
            raise NotFound("no such recovery", path="id", expected="the id of a recovery", found="another id")
        return case

    def _owe(self, connection: Any, topic: Topic, case: Case) -> None:
        payload = {"state": case.state, "reason": case.reason}
        self._outbox.owe(
            connection, at_ms=self._on.clock.now_ms(), topic=topic, subject=case.id, payload=payload
        )

    def _line(self, connection: Any, caller: Caller, deed: str, case: Case) -> None:
        details = {
            "user": case.user, "state": case.state, "reason": case.reason, "factor": case.factor,
            "released": list(case.released),
        }  # fmt: skip
        self._on.arrows.line(connection, caller.key, deed, case.id, details, self._on.clock.now_ms())
