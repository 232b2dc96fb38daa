"""Rekeying: keys of the vault are replaced while it serves, in steps that a restart goes on with.

Promise: a rotation is one deed with a person's name; its steps hold up nobody for longer than a batch; the report says of
each key how many rows still need it, and a key is destroyed only where that is none and a newer one is in use. The root is
changed by wrapping the few keys of the tenant anew: no row of a customer is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.flows.renew import KeyReport, outside_of
from shopward.vault.rows import SHARED, WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.access import Caller
    from shopward.flows.renew import Renewal
    from shopward.flows.strongroom import Strongroom
    from shopward.ports import KeyRoot
    from shopward.vault.rows import Rotation


class RekeyDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        next_root: opens the root that is to follow, as the settings name it; ``None`` where they name none.
        renewals: keys that are replaced by stories of their own (``flows.renew``), by their use.
        shares: how many shares with partners lived in a span of time (milliseconds since 1970).
    """

    def __init__(
        self, room: Strongroom, next_root: Callable[[], KeyRoot | None], renewals: Mapping[str, Renewal],
        shares: Callable[[Any, int, int], int],
    ) -> None:  # fmt: skip
        self._room = room
        self._next_root = next_root
        self._renewals = renewals
        self._shares = shares

    def rotate(self, caller: Caller, use: str) -> None:
        """Replace a key: ``root``, one of ``flows.renew``, or one of the vault; raises as the story of it does."""
        if use == "root":
            self.move_root(caller)
        elif use in self._renewals:
            self._renewals[use].begin(caller)
        else:
            self.begin(caller, use)

    def begin(self, caller: Caller, use: str) -> Rotation:
        """Make a new key of the vault; ``token`` and ``mark`` have nothing to move. Raises ``Conflict`` where one runs."""
        values = WIDTHS[self._room.records.read(self._room.keys.ring).width]
        if use not in {values, *SHARED}:
            others = ", ".join(("root", *self._renewals, values, *SHARED))
            raise InvalidField("no such key to rotate", path="use", expected=others, found="another")
        now_ms = self._room.clock.now_ms()
        new = self._room.keys.prepared(self._room.records.read(self._room.keys.states), use)

        def work(connection: Any) -> Rotation:
            self._room.fence.one_user(connection, "vault:keys")
            if any(
                each.use == use and each.state == "running" for each in self._room.rotations.all(connection)
            ):
                raise Conflict("a rotation of this key runs", code="rotation_state", path="use")
            rotation = self._room.rotations.begin(connection, new, caller.person, now_ms)
            self._room.line(
                connection, caller.key, "vault:rotate", use, {"version": rotation.version}, now_ms
            )
            return rotation

        return self._room.records.write(work)

    def move_root(self, caller: Caller) -> int:
        """Wrap the keys of the tenant by the root that is to follow; how many. Then set it and restart, at leisure.

        Raises:
            Conflict: the settings name no next root.
            KeysUnavailable: it does not answer; nothing is changed.
        """
        root = self._next_root()
        if root is None:
            raise Conflict(
                "no root is to follow", code="rotation_state", path="vault_root_next", expected="the setting vault_root_next"
            )  # fmt: skip
        now_ms = self._room.clock.now_ms()
        keys = self._room.keys.rewrapped(self._room.records.read(self._room.keys.ring), root)

        def work(connection: Any) -> None:
            self._room.fence.one_user(connection, "vault:keys")
            self._room.keys.rewrap(connection, keys, now_ms)
            self._room.line(connection, caller.key, "vault:rotate", "root", {"root": root.name}, now_ms)

        self._room.records.write(work)
        self._room.keys.adopt(root)
        return len(keys)

    def step(self) -> bool:
        """Do some of the rotation that runs; false where none does."""
        for each in self._renewals.values():
            each.step()
        if not any(each.state == "running" for each in self.rotations()):
            return False
        now_ms = self._room.clock.now_ms()
        return self._room.records.write(lambda connection: self._room.rotations.step(connection, now_ms))

    def rotations(self) -> list[Rotation]:
        """Every rotation, the running ones first."""
        return self._room.records.read(self._room.rotations.all)

    def report(self) -> list[KeyReport]:
        """Every key that is not destroyed, and whether it may be."""
        return self._room.records.read(self._reported)

    def roots(self) -> dict[tuple[str, str], int]:
        """How many keys hang from which root and which version of it; a version that is not here can be destroyed there."""
        return dict(self._room.records.read(self._room.keys.roots))

    def retire(self, caller: Caller, use: str, version: int, *, give_up: bool = False) -> None:
        """Destroy a key that nothing needs; ``give_up`` what needs it outside of our rows.

        Raises:
            NotFound: there is no such key.
            Conflict: rows still name it, or something outside needs it and nobody gave that up.
        """
        now_ms = self._room.clock.now_ms()

        def work(connection: Any) -> None:
            self._room.fence.one_user(connection, "vault:keys")
            found = [
                each
                for each in self._reported(connection)
                if (each.key.use, each.key.version) == (use, version)
            ]
            if not found:
                raise NotFound("no such key", path="version", expected="a key of the report", found="another")
            _check_free(found[0], give_up=give_up)
            if use in self._renewals:
                return
            if use == "index":
                self._room.sealed.past.retire(connection, version)
            self._room.keys.retire(connection, use, version, now_ms)
            self._room.line(connection, caller.key, "vault:retire", use, {"version": version}, now_ms)

        self._room.records.write(work)
        if use in self._renewals:
            self._renewals[use].retire(caller, version)

    def _reported(self, connection: Any) -> list[KeyReport]:
        made = []
        for key in self._room.keys.states(connection):
            if key.state == "retired":
                continue
            until_ms = key.changed_ms if key.state == "retiring" else self._room.clock.now_ms() + 1
            shares = self._shares(connection, key.created_ms, until_ms) if key.use == "mark" else 0
            left = shares + self._room.rotations.left(connection, key.use, key.version)
            outside = outside_of(key.use, shares)
            is_safe = key.state == "retiring" and left == 0 and not outside
            made.append(KeyReport(key, left, is_safe, outside))
        return made + [each for renewal in self._renewals.values() for each in renewal.report(connection)]


def _check_free(found: KeyReport, *, give_up: bool) -> None:
    """Raise ``Conflict`` where the key is needed."""
    if found.is_safe_to_retire or (found.key.state == "retiring" and found.outside and give_up):
        return
    hint = f"give_up: {found.outside}" if found.key.state == "retiring" and found.outside else None
    raise Conflict(
        "the key is needed", code="rotation_state", path="version", expected="a key that nothing needs",
        found=f"{found.left} rows, state {found.key.state}", hint=hint,
    )  # fmt: skip
