"""Drawers: the key and the ledger of one customer's class, opened and kept on a connection of the caller's.

Promise:
- the wrapped key of a class lies in ``vault_subject`` and nowhere else, under the key of the tenant that wraps; where one key
  seals for the whole shop nothing is wrapped, and the drawer has that key;
- the ledger is sealed with its epoch, and is written only over the epoch that was read: two writers who did not see each other
  do not both succeed.

Not here: what lies in a drawer (``records``, ``texts``, ``periods``), when one is destroyed (``flows.erase``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import select, update

from shopward.bulk import put_rows
from shopward.errors import StoreError
from shopward.vault.envelope import (
    GCM,
    KEY_BYTES,
    Cipher,
    class_suffix,
    customer_prefix,
    padded,
    unpadded,
)
from shopward.vault.tables import vault_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.vault.keys import Ring

T = TypeVar("T")
CHUNK: Final = 400
Name = tuple[str, str]
"""A customer's token and a retention class."""


class Ledger(msgspec.Struct):
    """What a customer's class holds: whose it is, empty while nobody said it, and of each record its version and its form (``records``)."""

    user: str
    records: dict[str, tuple[int, int]]


_KEY: Final = "customer key"
_LEDGER: Final = "ledger"
_ledger_bytes: Final = msgspec.json.Encoder().encode
_ledger_of: Final = msgspec.json.Decoder(Ledger).decode


class Drawer(NamedTuple):
    """A customer's class, opened; ``place`` leads that of all that it holds."""

    place: bytes
    cipher: Cipher
    ledger: Ledger
    epoch: int
    is_new: bool
    kek: int
    wrapped: bytes


class Drawers:
    """The drawers of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        entropy: makes keys of customers.
    """

    def __init__(self, tenant: str, entropy: Entropy) -> None:
        self._tenant = tenant
        self._entropy = entropy

    def of(self, connection: Connection, ring: Ring, wanted: Mapping[Name, str | None]) -> dict[Name, Drawer]:
        """The drawers of customers; new ones where a user is given, else ``StoreError`` where one is gone."""
        found = self.standing(connection, ring, wanted)
        for name, user in wanted.items():
            drawer = found.get(name)
            if drawer is None:
                if user is None:  # fails closed
                    raise rolled_back()
                found[name] = self._new(ring, *name, user)
            elif (
                user and not drawer.ledger.user
            ):  # it was made for a text about somebody known by token alone
                drawer.ledger.user = user
        return found

    def standing(self, connection: Connection, ring: Ring, names: Iterable[Name]) -> dict[Name, Drawer]:
        """Those of the drawers that there are."""
        table, found = vault_subject.c, {}
        for part in parts(list(names)):
            wanted, (subjects, classes) = set(part), map(set, zip(*part, strict=True))
            query = select(
                table.subject,
                table.retention,
                table.key_id,
                table.kek,
                table.wrapped,
                table.epoch,
                table.ledger,
            ).where(
                table.tenant == self._tenant,
                table.subject.in_(subjects),  # pairs of values would make SQLite read the whole table
                table.retention.in_(classes),
            )
            for subject, retention, *row in connection.execute(query).all():
                if (subject, retention) in wanted:
                    found[subject, retention] = self._opened(ring, subject, retention, *row)
        return found

    def write(self, connection: Connection, drawers: Mapping[Name, Drawer], now_ms: int = 0) -> None:
        """Keep new drawers and the ledgers of the others, each with its next epoch."""
        fresh, changed, table = [], [], vault_subject
        for (subject, retention), drawer in drawers.items():
            epoch = drawer.epoch + 1
            ledger = self._sealed_ledger(retention, drawer, epoch)
            if drawer.is_new:
                fresh.append(
                    (
                        self._tenant, subject, retention, drawer.cipher.key_id, drawer.kek, drawer.wrapped, epoch,
                        ledger, now_ms,
                    )
                )  # fmt: skip
            else:
                changed.append((subject, retention, drawer, epoch, ledger))
        put_rows(connection, table, fresh)
        for subject, retention, drawer, epoch, ledger in changed:
            moved = connection.execute(
                update(table)
                .where(
                    table.c.tenant == self._tenant, table.c.subject == subject, table.c.retention == retention,
                    table.c.epoch == drawer.epoch,
                )
                .values(epoch=epoch, ledger=ledger, kek=drawer.kek, key_id=drawer.cipher.key_id)
            )  # fmt: skip
            if moved.rowcount != 1:  # fails closed
                raise StoreError(
                    "a customer's records changed behind this transaction's back", retry_after_s=0.1
                )

    def _opened(
        self,
        ring: Ring,
        subject: str,
        retention: str,
        key_id: int,
        kek: int,
        wrapped: bytes,
        epoch: int,
        ledger: bytes,
    ) -> Drawer:
        place = customer_prefix(self._tenant, subject)
        if wrapped:
            bound = place + class_suffix(_KEY, retention, key_id)
            key = ring.kek_of(kek).open(bytes(wrapped), bound)
            cipher = Cipher(GCM, key_id, key)
        else:  # a vault of one key for everybody; where each customer has one, there is none such
            cipher = ring.data_of(kek)
        raw = cipher.open(bytes(ledger), place + class_suffix(_LEDGER, retention, epoch))
        return Drawer(place, cipher, _ledger_of(unpadded(raw)), epoch, False, kek, wrapped)  # noqa: FBT003 -- a tuple's field

    def _new(self, ring: Ring, subject: str, retention: str, user: str) -> Drawer:
        place = customer_prefix(self._tenant, subject)
        if ring.width == "shop":
            cipher = ring.data_of(ring.data_version)
            return Drawer(place, cipher, Ledger(user, {}), 0, True, ring.data_version, b"")  # noqa: FBT003 -- a tuple's field
        key = self._entropy(KEY_BYTES)
        wrapped = ring.kek_of(ring.kek_version).seal(key, place + class_suffix(_KEY, retention, 1))
        return Drawer(place, Cipher(GCM, 1, key), Ledger(user, {}), 0, True, ring.kek_version, wrapped)  # noqa: FBT003 -- as above

    @staticmethod
    def _sealed_ledger(retention: str, drawer: Drawer, epoch: int) -> bytes:
        """A ledger as it is kept."""
        plain = padded(_ledger_bytes(drawer.ledger))
        return drawer.cipher.seal(plain, drawer.place + class_suffix(_LEDGER, retention, epoch))


def key_place(tenant: str, subject: str, retention: str, key_id: int) -> bytes:
    """Where the wrapped key of a customer's class belongs."""
    return customer_prefix(tenant, subject) + class_suffix(_KEY, retention, key_id)


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """A list in pieces that one statement can name."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def rolled_back() -> StoreError:
    """The error for a record that is not the one which its customer's ledger names."""
    return StoreError(
        "a record is not the one that its customer's ledger names",
        code="record_rolled_back",
        expected="the newest version of a record that was not erased",
        found="another version, or no key",
        hint="the store was changed behind our back, or restored in part; restore it whole",
    )
