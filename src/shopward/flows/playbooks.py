"""Playbooks of a shop: those that ship, and those that it brought.

Promise:
- what is brought is read as CACAO 2.0 and kept as a new version, with its line in the audit log, in one transaction; the same
  again makes none;
- an id stays one playbook's: no other takes it, be it by its name, and two who bring a version at the same moment do not make one;
- the newest version of an id is what an incident begins with; one that runs keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, NotFound
from shopward.incidents.cacao import cacao_id, read
from shopward.incidents.playbooks import shipped

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.incidents.playbooks import Playbook
    from shopward.incidents.playbooks.store import PlaybookStore
    from shopward.ports import Records
    from shopward.values import Clock

BROUGHT_MAX: Final = 200


class PlaybookDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: what was brought.
        trail: the audit log.
        clock: the server's.
    """

    def __init__(self, *, records: Records, store: PlaybookStore, trail: Trail, clock: Clock) -> None:
        self._records = records
        self._store = store
        self._trail = trail
        self._clock = clock

    def get(self, playbook_id: str) -> Playbook:
        """The newest version; raises ``NotFound``."""
        found = self._records.read(lambda connection: self._newest(connection, playbook_id))
        if found is None:
            raise NotFound(
                "no such playbook", path="playbook", expected="the id of a playbook", found="another id"
            )
        return found

    def listed(self) -> list[Playbook]:
        """The newest version of each, by id."""
        brought = {each.id: each for each in self._records.read(self._store.listed)}
        return sorted({**shipped(), **brought}.values(), key=lambda each: each.id)

    def bring(self, caller: Caller, raw: bytes) -> Playbook:
        """Keep a CACAO 2.0 document as the next version of its playbook.

        Raises:
            BadInput: it is none that can be followed.
            Conflict: there are too many, its id is another playbook's, or somebody else brings one at the same moment.
        """
        told, now_ms = read(raw), self._clock.now_ms()

        def work(connection: Any) -> Playbook:
            newest = self._newest(connection, told.id)
            if newest is not None and cacao_id(newest) != cacao_id(told):
                raise Conflict(
                    "another playbook has this id", code="playbook_taken", path="name",
                    expected="a name of its own, or the id of the playbook that it is a version of", found="another id",
                    hint="to change the one that is here, export it and bring it back",
                )  # fmt: skip
            if newest is not None and msgspec.structs.replace(told, version=newest.version) == newest:
                return newest
            if newest is None and len(self._store.listed(connection)) >= BROUGHT_MAX:
                raise Conflict(
                    "there are too many playbooks",
                    code="playbooks_full",
                    expected=f"at most {BROUGHT_MAX}",
                    found="more",
                )
            made = msgspec.structs.replace(told, version=1 if newest is None else newest.version + 1)
            if not self._store.add(connection, made, person=caller.person, at_ms=now_ms):
                raise Conflict(
                    "somebody else brought this playbook at the same moment", code="playbook_raced", path="id",
                    expected="one at a time", found="a version of now", hint="look at it, and bring yours again",
                )  # fmt: skip
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="playbook:import", subject=made.id,
                details={"version": made.version, "steps": len(made.steps)},
            )  # fmt: skip
            return made

        return self._records.write(work)

    def _newest(self, connection: Any, playbook_id: str) -> Playbook | None:
        return self._store.newest(connection, playbook_id) or shipped().get(playbook_id)
