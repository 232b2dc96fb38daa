"""The guard of the vault: what is locked, and second persons who agree to a reveal.

Promise: a lock holds for every server from the moment it is placed; nobody opens the lock on himself, and nobody agrees to his
own reveal. Each is a line of the audit log in its own transaction, and the shop hears of locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import Conflict, NotFound, Refused
from shopward.outbox import Topic
from shopward.vault.rows import Lock

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.flows.words import Words
    from shopward.vault.rows import RevealRequest

LOCK: Final = "lock"
"""What the words of a lock are called."""
CANARY: Final = "canary"
"""The reason of the lock, and the purpose that the decision engine hears, of whoever asks for a canary."""


class GuardDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        words: keeps why something was locked.
    """

    def __init__(self, room: Strongroom, words: Words) -> None:
        self._room = room
        self._words = words

    def approve(self, caller: Caller, request_id: str) -> RevealRequest:
        """Agree to somebody else's reveal; raises ``NotFound``, ``Refused`` and ``Conflict``."""
        now_ms = self._room.clock.now_ms()

        def work(connection: Any) -> RevealRequest:
            request = self.request(connection, request_id)
            if not caller.is_other_than(request.person, request.key):
                raise Refused(
                    "a second person has to agree",
                    code="second_person_needed",
                    expected="another person with another key",
                )
            is_open = request.state == "waiting" and request.ends_ms > now_ms
            if not is_open or not self._room.accesses.move(connection, request, "approved", by=caller.person):
                raise request_state()
            self._room.line(
                connection, caller.key, "personal:approve", request.id, {"person": request.person}, now_ms
            )
            return request._replace(state="approved", approved_by=caller.person)

        return self._room.records.write(work)

    def waiting(self) -> list[RevealRequest]:
        """Reveals that wait for a second person, oldest first."""
        now_ms = self._room.clock.now_ms()
        return self._room.records.read(
            lambda connection: self._room.accesses.waiting(connection, now_ms, 100)
        )

    def locks(self) -> list[Lock]:
        """Everything that is shut."""
        return self._room.records.read(self._told)

    def lock(self, caller: Caller, kind: str, target: str, reason: str) -> Lock:
        """Shut a person, a customer (by the shop's id), a record or the vault; at once, for every server."""
        now_ms = self._room.clock.now_ms()
        lock = Lock(kind, self._target(kind, target), reason, caller.person, now_ms)

        def work(connection: Any) -> None:
            if self._room.accesses.lock(connection, lock._replace(reason="")):
                self._words.keep(connection, LOCK, self._name(lock.kind, lock.target), reason, subject="")
                self.tell_lock(connection, caller.key, lock, now_ms)

        self._room.records.write(work)
        return lock

    def unlock(self, caller: Caller, kind: str, target: str) -> None:
        """Open it again; nobody opens the lock on himself. Raises ``NotFound`` and ``Refused``."""
        now_ms, named = self._room.clock.now_ms(), self._target(kind, target)
        if (kind, target) == ("person", caller.person):
            raise Refused(
                "a second person has to agree",
                code="second_person_needed",
                expected="another person with another key",
            )

        def work(connection: Any) -> None:
            if not self._room.accesses.unlock(connection, kind, named):
                raise NotFound("no such lock", path="target", expected="something that is locked")
            self._words.drop(connection, LOCK, [self._name(kind, named)])
            self._room.line(connection, caller.key, "vault:unlock", named or kind, {"kind": kind}, now_ms)

        self._room.records.write(work)

    def request(self, connection: Any, request_id: str) -> RevealRequest:
        """A request; raises ``NotFound``."""
        request = self._room.accesses.request(connection, request_id)
        if request is None:
            raise NotFound(
                "no such request", path="request_id", expected="the id of a request", found="another id"
            )
        return request

    def tell_lock(self, connection: Any, actor: str, lock: Lock, now_ms: int) -> None:
        """What the shop is owed to hear of a lock, and the line of the audit log, which is last.

        Staff's own words stay with the lock: they may name a customer, and what is told cannot be taken back.
        """
        told = {"kind": lock.kind, "reason": CANARY if lock.reason == CANARY else "staff"}
        self._room.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.VAULT_LOCKED, subject=lock.target or lock.kind,
            payload=told,
        )  # fmt: skip
        self._room.line(connection, actor, "vault:lock", lock.target or lock.kind, told, now_ms)

    def _told(self, connection: Any) -> list[Lock]:
        """Locks with the words of those who shut."""
        locks = self._room.accesses.locks(connection)
        names = [self._name(each.kind, each.target) for each in locks]
        told = self._words.of(connection, LOCK, names)
        return [
            each._replace(reason=told.get(name, each.reason)) for name, each in zip(names, locks, strict=True)
        ]

    def _name(self, kind: str, target: str) -> str:
        """What the reason of a lock is called."""
        return self._words.keyed(lock_name(kind, target))

    def _target(self, kind: str, target: str) -> str:
        if kind == "vault":
            return ""
        return self._room.subject(target) if kind == "subject" else target


def lock_name(kind: str, target: str) -> str:
    """What tells a lock from every other and is no person's name once it is keyed."""
    return f"lock {kind} {target}"


def locked(lock: Lock) -> Refused:
    """The refusal for what is locked."""
    return Refused(
        "this is locked in the vault",
        code="vault_locked",
        expected="a person, a customer and a record that are not locked",
        found=f"a lock on a {lock.kind}" if lock.kind != "vault" else "a lock on everything",
        hint="somebody with the role admin can open it: POST /v1/vault/locks/release",
    )


def request_state() -> Conflict:
    """The refusal for a request that cannot be agreed to or used."""
    return Conflict(
        "the request is over, used, or not agreed to", code="request_state", path="request_id",
        expected="a request that waits, or was agreed to within the hour and not used",
    )  # fmt: skip
