"""Rekeying: keys of the vault are replaced while it serves, in steps that a restart goes on with.

Promise: a rotation is one deed with a person's name; its steps hold up nobody for longer than a batch; the report says of
each key how many rows still need it, and a key is destroyed only where that is none and a newer one is in use. The root is
changed by wrapping the few keys of the tenant anew: no row of a customer is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.vault.rows import WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.ports import KeyRoot
    from shopward.vault.rows import KeyState, Rotation


class KeyReport(NamedTuple):
    """A key, how many rows name it, and whether it can be destroyed."""

    key: KeyState
    left: int
    is_safe_to_retire: bool


class RekeyDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        next_root: opens the root that is to follow, as the settings name it; ``None`` where they name none.
    """

    def __init__(self, room: Strongroom, next_root: Callable[[], KeyRoot | None]) -> None:
        self._room = room
        self._next_root = next_root

    def begin(self, caller: Caller, use: str) -> Rotation:
        """Make a new ``kek`` (or ``data``) or ``index`` key; raises ``Conflict`` where a rotation of it runs."""
        values = WIDTHS[self._room.records.read(self._room.keys.ring).width]
        if use not in {values, "index"}:
            raise InvalidField(
                "no such key to rotate", path="use", expected=f"root, {values} or index", found="another"
            )
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

    def retire(self, caller: Caller, use: str, version: int) -> None:
        """Destroy a key that nothing needs; raises ``NotFound``, and ``Conflict`` where rows still name it."""
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
            if not found[0].is_safe_to_retire:
                raise Conflict(
                    "the key is needed", code="rotation_state", path="version", expected="a key that no row names",
                    found=f"{found[0].left} rows, state {found[0].key.state}",
                )  # fmt: skip
            if use == "index":
                self._room.sealed.past.retire(connection, version)
            self._room.keys.retire(connection, use, version, now_ms)
            self._room.line(connection, caller.key, "vault:retire", use, {"version": version}, now_ms)

        self._room.records.write(work)

    def _reported(self, connection: Any) -> list[KeyReport]:
        made = []
        for key in self._room.keys.states(connection):
            if key.state == "retired":
                continue
            left = self._room.rotations.left(connection, key.use, key.version)
            made.append(KeyReport(key, left, key.state == "retiring" and left == 0))
        return made
