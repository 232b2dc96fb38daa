"""The keys of a tenant: made once, wrapped by the root, held in memory while the process runs.

Promise:
- a key of the store lies there wrapped by the root, bound to its tenant, use and version;
- there is one version in use for writing; older ones open until they are retired, and a retired one is destroyed: whoever
  needs it hears ``key_retired``, and no other key is tried;
- another process sees a rotation with its next transaction: the versions are read in each, their keys unwrapped once.

Hierarchy: root -> tenant keys (``kek``, ``index``, ``token``, ``mark``) -> a random key for each customer and retention
class -> values. Keys of customers are random and never derived: what can be derived again cannot be destroyed.
A vault of the width ``shop`` has ``data`` in the place of ``kek``: one key seals every value of the shop (XAES-256-GCM), and no
customer's can be destroyed apart from the others'.

Memory: Python cannot wipe it. Who can read the memory of the process has the keys of the tenant (docs/threat-model.md).
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, select, update

from shopward.errors import Conflict, Misconfigured, SealBroken, StoreError
from shopward.vault.envelope import GCM_SIV, KEY_BYTES, XAES, Cipher, Place
from shopward.vault.rows import SHARED, WIDTHS, KeyState
from shopward.vault.search import IndexKey
from shopward.vault.tables import vault_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.ports import KeyRoot


class Ring(NamedTuple):
    """The keys as they stand in one transaction."""

    keks: Mapping[int, Cipher]
    kek_version: int
    indexes: Mapping[int, IndexKey]
    index_version: int
    secrets: Mapping[tuple[str, int], bytes]
    datas: Mapping[int, Cipher]
    data_version: int

    @property
    def width(self) -> str:
        """One of ``WIDTHS``."""
        return "shop" if self.datas else "customer"

    def data_of(self, version: int) -> Cipher:
        """The key that seals for the whole shop; raises ``StoreError`` where it is retired, or each customer has a key."""
        cipher = self.datas.get(version)
        if cipher is None:
            raise _retired(version)
        return cipher

    def kek_of(self, version: int) -> Cipher:
        """The key that wraps; raises ``StoreError`` where it is retired."""
        cipher = self.keks.get(version)
        if cipher is None:
            raise _retired(version)
        return cipher

    @property
    def newest(self) -> Cipher:
        """The key right below the root that is in use: ``kek``, or ``data`` where one key seals for the whole shop."""
        return self.datas[self.data_version] if self.datas else self.kek_of(self.kek_version)

    def below_root(self, version: int) -> Cipher:
        """The same of an older version; raises ``StoreError`` where it is retired."""
        return self.data_of(version) if self.datas else self.kek_of(version)

    def secret(self, use: str) -> bytes:
        """The newest key of a use."""
        return self.secrets[max(each for each in self.secrets if each[0] == use)]


class Wrapped(NamedTuple):
    """A key as it is to be kept: wrapped before the transaction that keeps it, since a root may be far away."""

    use: str
    version: int
    root: str
    wrapped: bytes


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
        self._ring = Ring({}, 0, {}, 0, {}, {}, 0)

    def begin(self, connection: Connection, now_ms: int, *, width: str = "customer") -> None:
        """Make the keys that are missing, and unwrap all: what cannot be unwrapped is known before anything is served.

        Raises:
            StoreError: the root is another than the one that wrapped them.
            Misconfigured: the vault was made with keys of another width.
        """
        states = self.states(connection)
        have = {each.use for each in states}
        made = next((each for each, use in WIDTHS.items() if use in have), width)
        if made != width:  # fails closed
            raise Misconfigured(
                "the vault was made with keys of another width", path="vault_keys", expected=made, found=width,
                hint="it is chosen once; to change it, export the records into a new vault",
            )  # fmt: skip
        for use in (WIDTHS[width], *SHARED):
            if use not in have:
                self.add(connection, self.prepared(states, use), now_ms)
        self.ring(connection)

    def ring(self, connection: Connection) -> Ring:
        """The keys, as of this transaction."""
        standing = self._read(connection)
        with self._guard:
            if standing != self._standing:
                self._take(connection, standing)
            return self._ring

    def prepared(self, states: Sequence[KeyState], use: str) -> Wrapped:
        """A new key of a use, wrapped and not kept yet; raises ``KeysUnavailable``. Call it outside of transactions."""
        version = 1 + max((each.version for each in states if each.use == use), default=0)
        wrapped = self._root.wrap(self._entropy(KEY_BYTES), self._bound(use, version))
        return Wrapped(use, version, self._root.name, wrapped)

    def add(self, connection: Connection, new: Wrapped, now_ms: int) -> int:
        """Keep a new version, from now on the one for writing; its number. Raises ``Conflict`` where another came first."""
        use, version = new.use, new.version
        if any(each[:2] == (use, version) for each in self._read(connection)):
            raise _raced()
        connection.execute(
            update(vault_key)
            .where(vault_key.c.tenant == self._tenant, vault_key.c.use == use, vault_key.c.state == "active")
            .values(state="retiring", changed_ms=now_ms)
        )
        row = {
            "tenant": self._tenant, "use": use, "version": version, "root": new.root, "wrapped": new.wrapped, "state": "active", "created_ms": now_ms, "changed_ms": now_ms,
        }  # fmt: skip
        connection.execute(insert(vault_key), row)
        return version

    def retire(self, connection: Connection, use: str, version: int, now_ms: int) -> None:
        """Destroy a key that nothing needs any more; the caller has counted."""
        self._update(connection, use, version, state="retired", wrapped=b"", changed_ms=now_ms)

    def rewrapped(self, ring: Ring, new_root: KeyRoot) -> list[Wrapped]:
        """Every key wrapped by another root; raises ``KeysUnavailable``. Call it outside of transactions."""
        return [
            Wrapped(use, version, new_root.name, new_root.wrap(key, self._bound(use, version)))
            for (use, version), key in sorted(ring.secrets.items())
        ]

    def rewrap(self, connection: Connection, keys: Sequence[Wrapped], now_ms: int) -> None:
        """Keep every key as ``rewrapped`` gave it; the old root can go when this is committed.

        Raises:
            Conflict: there are other keys by now.
        """
        standing = [each[:2] for each in self._read(connection) if each[2] != "retired"]
        if standing != [(each.use, each.version) for each in keys]:
            raise _raced()
        for each in keys:
            self._update(
                connection, each.use, each.version, wrapped=each.wrapped, root=each.root, changed_ms=now_ms
            )

    def known(self, use: str) -> dict[int, bytes]:
        """The keys of a use by version, as of the newest transaction of this process that asked for the ring."""
        return {version: key for (each, version), key in self._ring.secrets.items() if each == use}

    def roots(self, connection: Connection) -> Counter[tuple[str, str]]:
        """How many keys hang from which root and version of it; versions of another root than the one set are not known."""
        query = select(vault_key.c.root, vault_key.c.wrapped).where(
            vault_key.c.tenant == self._tenant, vault_key.c.state != "retired"
        )
        return Counter(
            (root, self._root.version(bytes(wrapped)) if root == self._root.name else "")
            for root, wrapped in connection.execute(query)
        )

    def adopt(self, root: KeyRoot) -> None:
        """Wrap by this root from now on: ``rewrap`` to it is committed."""
        self._root = root

    def states(self, connection: Connection) -> list[KeyState]:
        """Every key there is or was."""
        return states_of(connection, self._tenant)

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
        datas = {version: Cipher(XAES, version, key) for (use, version), key in kept.items() if use == "data"}
        self._ring = Ring(
            keks,
            max(keks, default=0),
            indexes,
            max(indexes, default=0),
            dict(kept),
            datas,
            max(datas, default=0),
        )
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


def states_of(connection: Connection, tenant: str) -> list[KeyState]:
    """Every key of a tenant there is or was; no root is asked."""
    columns = [vault_key.c[name] for name in KeyState._fields]
    query = select(*columns).where(vault_key.c.tenant == tenant)
    return [
        KeyState(*row) for row in connection.execute(query.order_by(vault_key.c.use, vault_key.c.version))
    ]


def _raced() -> Conflict:
    return Conflict(
        "the keys changed meanwhile", code="rotation_state", expected="the keys as they stood", found="another rotation",
        retry_after_s=1.0,
    )  # fmt: skip


def _retired(version: int) -> StoreError:
    return StoreError(
        "the key that this was sealed under is retired",
        code="key_retired",
        expected="a key that is in use or retiring",
        found=f"version {version}",
        hint="a row from before the rotation was put back; restore it from a newer backup",
    )
