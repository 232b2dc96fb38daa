"""The keys of a tenant: made once, wrapped by the root, held in memory while the process runs.

Promise:
- a key of the store lies there wrapped by the root, bound to its tenant, use and version;
- there is one version in use for writing; older ones open until they are retired, and a retired one is destroyed: whoever
  needs it hears ``key_retired``, and no other key is tried;
- another process sees a rotation with its next transaction: the versions are read in each, their keys unwrapped once.

Hierarchy: root -> tenant keys (``kek``, ``index``, ``token``, ``mark``) -> a random key for each customer and retention
class -> values. Keys of customers are random and never derived: what can be derived again cannot be destroyed.

Memory: Python cannot wipe it. Who can read the memory of the process has the keys of the tenant (docs/threat-model.md).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import insert, select, update

from shopward.errors import SealBroken, StoreError
from shopward.vault.envelope import GCM_SIV, KEY_BYTES, Cipher, Place
from shopward.vault.rows import KeyState
from shopward.vault.search import IndexKey
from shopward.vault.tables import vault_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.ports import KeyRoot

USES: Final = ("kek", "index", "token", "mark")
"""Wraps the keys of customers; blind indexes; pseudonymous tokens; marks in what a recipient gets."""


class Ring(NamedTuple):
    """The keys as they stand in one transaction."""

    keks: Mapping[int, Cipher]
    kek_version: int
    indexes: Mapping[int, IndexKey]
    index_version: int
    secrets: Mapping[tuple[str, int], bytes]

    def kek_of(self, version: int) -> Cipher:
        """The key that wraps; raises ``StoreError`` where it is retired."""
        cipher = self.keks.get(version)
        if cipher is None:
            raise _retired(version)
        return cipher

    def secret(self, use: str) -> bytes:
        """The newest key of a use."""
        return self.secrets[max(each for each in self.secrets if each[0] == use)]


class TenantKeys:
    """The keys of one tenant; may be shared by threads.

    Args:
        tenant: whose.
        root: wraps them; asked once for each key, at the start and after a rotation.
        entropy: makes new ones.
    """

    def __init__(self, tenant: str, root: KeyRoot, entropy: Entropy) -> None:
        self._tenant = tenant
        self._root = root
        self._entropy = entropy
        self._guard = threading.Lock()
        self._unwrapped: dict[tuple[str, int], bytes] = {}
        self._standing: tuple[tuple[str, int, str], ...] = ()
        self._ring = Ring({}, 0, {}, 0, {})

    def begin(self, connection: Connection, now_ms: int) -> None:
        """Make the keys that are missing, and unwrap all: what cannot be unwrapped is known before anything is served.

        Raises:
            StoreError: the root is another than the one that wrapped them.
        """
        have = {use for use, _version, _state in self._read(connection)}
        for use in USES:
            if use not in have:
                self.add(connection, use, now_ms)
        self.ring(connection)

    def ring(self, connection: Connection) -> Ring:
        """The keys, as of this transaction."""
        standing = self._read(connection)
        with self._guard:
            if standing != self._standing:
                self._take(connection, standing)
            return self._ring

    def add(self, connection: Connection, use: str, now_ms: int) -> int:
        """A new version, from now on the one for writing; its number."""
        version = 1 + max((each[1] for each in self._read(connection) if each[0] == use), default=0)
        key = self._entropy(KEY_BYTES)
        wrapped = self._root.wrap(key, self._bound(use, version))
        connection.execute(
            update(vault_key)
            .where(vault_key.c.tenant == self._tenant, vault_key.c.use == use, vault_key.c.state == "active")
            .values(state="retiring", changed_ms=now_ms)
        )
        row = {
            "tenant": self._tenant, "use": use, "version": version, "root": self._root.name, "wrapped": wrapped,
            "state": "active", "created_ms": now_ms, "changed_ms": now_ms,
        }  # fmt: skip
        connection.execute(insert(vault_key), row)
        return version

    def retire(self, connection: Connection, use: str, version: int, now_ms: int) -> None:
        """Destroy a key that nothing needs any more; the caller has counted."""
        self._update(connection, use, version, state="retired", wrapped=b"", changed_ms=now_ms)

    def rewrap(self, connection: Connection, new_root: KeyRoot, now_ms: int) -> int:
        """Wrap every key by another root; how many. The old root can go when this is committed."""
        self.ring(connection)
        for (use, version), key in sorted(self._unwrapped.items()):
            wrapped = new_root.wrap(key, self._bound(use, version))
            self._update(connection, use, version, wrapped=wrapped, root=new_root.name, changed_ms=now_ms)
        return len(self._unwrapped)

    def adopt(self, root: KeyRoot) -> None:
        """Wrap by this root from now on: ``rewrap`` to it is committed."""
        self._root = root

    def states(self, connection: Connection) -> list[KeyState]:
        """Every key there is or was."""
        columns = [vault_key.c[name] for name in KeyState._fields]
        query = select(*columns).where(vault_key.c.tenant == self._tenant)
        return [
            KeyState(*row) for row in connection.execute(query.order_by(vault_key.c.use, vault_key.c.version))
        ]

    def _take(self, connection: Connection, standing: tuple[tuple[str, int, str], ...]) -> None:
        rows = connection.execute(
            select(vault_key.c.use, vault_key.c.version, vault_key.c.wrapped, vault_key.c.root).where(
                vault_key.c.tenant == self._tenant, vault_key.c.state != "retired"
            )
        )
        kept: dict[tuple[str, int], bytes] = {}
        for use, version, wrapped, root in rows:
            known = self._unwrapped.get((use, version))
            kept[use, version] = self._unwrap(use, version, wrapped, root) if known is None else known
        self._unwrapped = kept
        keks = {
            version: Cipher(GCM_SIV, version, key) for (use, version), key in kept.items() if use == "kek"
        }
        indexes = {version: IndexKey(key, version) for (use, version), key in kept.items() if use == "index"}
        self._ring = Ring(keks, max(keks, default=0), indexes, max(indexes, default=0), dict(kept))
        self._standing = standing

    def _unwrap(self, use: str, version: int, wrapped: bytes, root: str) -> bytes:
        if root != self._root.name:  # fails closed
            raise StoreError(
                "the vault's keys are wrapped by another root than the one that is set",
                code="root_differs",
                path="vault_root",
                expected=root,
                found=self._root.name,
                hint="set the root that wrapped them, or move them with shopward vault rotate root",
            )
        try:
            return self._root.unwrap(bytes(wrapped), self._bound(use, version))
        except SealBroken:
            pass
        raise StoreError(
            "the root does not open the vault's keys",
            code="root_differs",
            path="vault_root",
            expected="the root key or passphrase that wrapped them",
            found="another one",
            hint="restore the root key's file, or set the right SHOPWARD_VAULT_PASSPHRASE",
        )

    def _read(self, connection: Connection) -> tuple[tuple[str, int, str], ...]:
        query = select(vault_key.c.use, vault_key.c.version, vault_key.c.state)
        found = connection.execute(query.where(vault_key.c.tenant == self._tenant))
        return tuple(sorted((str(use), int(version), str(state)) for use, version, state in found))

    def _update(self, connection: Connection, use: str, version: int, **values: Any) -> None:
        connection.execute(
            update(vault_key)
            .where(vault_key.c.tenant == self._tenant, vault_key.c.use == use, vault_key.c.version == version)
            .values(**values)
        )

    def _bound(self, use: str, version: int) -> bytes:
        return Place(self._tenant, "", "tenant key", use, "", version).bound()


def _retired(version: int) -> StoreError:
    return StoreError(
        "the key that this was sealed under is retired",
        code="key_retired",
        expected="a key that is in use or retiring",
        found=f"version {version}",
        hint="a row from before the rotation was put back; restore it from a newer backup",
    )
