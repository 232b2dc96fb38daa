"""Periods of the log and their keys, as rows, on a connection of the caller's.

Promise:
- a period is the entries behind ``after_seq`` up to where the next one begins; what is sealed in it hangs from its key, which
  lies here wrapped by the key right below the root;
- a period that is over is **settled**: each customer of its entries gets their key of it sealed under their own key of the class
  ``events``. When all of them have, the period's key is destroyed (it has **lapsed**), and whose own key is destroyed later
  cannot be read any more, in any backup that holds no older keys;
- where one key seals for the whole shop, no customer has a key: periods are not settled and do not lapse.

Period 0 is what was recorded in clear before there were periods. Two writers come one after the other where the caller holds
the fence of erasures.

Not here: the entries (``flows.keeping``), when a period begins and who is erased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from shopward.bulk import put_rows
from shopward.vault.drawers import Drawers, parts
from shopward.vault.envelope import KEY_BYTES, Place, broken
from shopward.vault.erasures import overwrite_freed
from shopward.vault.kinds import EVENTS
from shopward.vault.period_key import CustomerKey, PeriodKey
from shopward.vault.rows import Period
from shopward.vault.tables import vault_period, vault_period_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.vault.keys import TenantKeys

_KIND: Final = "period key"


class Periods:
    """The periods of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        keys: of the tenant.
        entropy: makes keys.
    """

    def __init__(self, tenant: str, keys: TenantKeys, entropy: Entropy) -> None:
        self._tenant = tenant
        self._keys = keys
        self._entropy = entropy
        self._drawers = Drawers(tenant, entropy)

    def newest(self, connection: Connection) -> Period | None:
        """The period in which is recorded now; ``None`` where there never was one."""
        query = _select(self._tenant).order_by(vault_period.c.number.desc()).limit(1)
        return next((Period(*row) for row in connection.execute(query)), None)

    def living(self, connection: Connection) -> list[Period]:
        """Those whose key is there, oldest first."""
        return living_of(connection, self._tenant)

    def begin(self, connection: Connection, number: int, *, after_seq: int, now_ms: int) -> PeriodKey:
        """Make a period for what is recorded behind a position."""
        key, ring = self._entropy(KEY_BYTES), self._keys.ring(connection)
        outer = ring.newest
        period = Period(
            number, outer.key_id, outer.seal(key, self._place("", number)), after_seq, now_ms, after_seq, 0
        )
        connection.execute(insert(vault_period), {"tenant": self._tenant, **period._asdict()})
        return PeriodKey(self._tenant, number, key)

    def open(self, connection: Connection, period: Period) -> PeriodKey:
        """The key of a living period; raises ``SealBroken``, or ``StoreError`` where the key above it is retired."""
        outer = self._keys.ring(connection).below_root(period.wrapped_by)
        key = outer.open(bytes(period.wrapped), self._place("", period.number))
        return PeriodKey(self._tenant, period.number, key)

    def keys_of(
        self, connection: Connection, wanted: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], CustomerKey]:
        """The keys of customers in periods, by both; without those that were destroyed.

        Raises:
            SealBroken: a period is named that never was.
        """
        living = {period.number: period for period in self.living(connection)}
        newest = max(living, default=-1)  # in which is recorded now, so it lives
        if max((number for _subject, number in wanted), default=0) > newest:
            raise broken("an event as it was sent")  # fails closed
        opened = {
            number: self.open(connection, living[number])
            for number in {each[1] for each in wanted} & living.keys()
        }
        found = {
            (subject, number): opened[number].of(subject) for subject, number in wanted if number in opened
        }
        return found | self.kept(connection, [each for each in wanted if each[1] not in opened])

    # What comes of a period that is over.

    def settle(
        self, connection: Connection, number: int, subjects: Iterable[str], now_ms: int,
        *, key_of: Callable[[str], bytes] | None = None,
    ) -> None:  # fmt: skip
        """Give customers their keys of a period, sealed under their own; who has it already keeps it.

        Args:
            connection: of the caller.
            number: the period's.
            subjects: the customers.
            now_ms: the time.
            key_of: gives the key that a customer had till now; a fresh one is made where ``None``.
        """
        ring, table = self._keys.ring(connection), vault_period_key.c
        for part in parts(sorted(subjects)):
            query = select(table.subject).where(
                table.tenant == self._tenant, table.number == number, table.subject.in_(part)
            )
            have = set(connection.scalars(query))
            names: dict[tuple[str, str], str | None] = {
                (subject, EVENTS): "" for subject in part if subject not in have
            }
            drawers = self._drawers.of(connection, ring, names)
            self._drawers.write(
                connection, {name: each for name, each in drawers.items() if each.is_new}, now_ms
            )
            rows = []
            for (subject, _class), drawer in drawers.items():
                key = self._entropy(KEY_BYTES) if key_of is None else key_of(subject)
                sealed = drawer.cipher.seal(key, self._place(subject, number))
                rows.append((self._tenant, subject, number, sealed))
            put_rows(connection, vault_period_key, rows)

    def kept(
        self, connection: Connection, wanted: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], CustomerKey]:
        """The keys of customers in periods that were sealed under their own; without those that were destroyed."""
        ring, table = self._keys.ring(connection), vault_period_key.c
        found: dict[tuple[str, int], CustomerKey] = {}
        drawers = self._drawers.standing(connection, ring, {(subject, EVENTS) for subject, _number in wanted})
        for part in parts(list(wanted)):
            asked, (subjects, numbers) = set(part), map(set, zip(*part, strict=True))
            query = select(table.subject, table.number, table.sealed).where(
                table.tenant == self._tenant, table.subject.in_(subjects), table.number.in_(numbers)
            )
            for subject, number, sealed in connection.execute(query):
                drawer = drawers.get((subject, EVENTS))
                if drawer is not None and (subject, number) in asked:
                    key = drawer.cipher.open(bytes(sealed), self._place(subject, number))
                    found[subject, number] = CustomerKey(drawer.place, number, key)
        return found

    def note(self, connection: Connection, period: Period, settled_seq: int) -> None:
        """A period is settled up to a position."""
        self._update(connection, period.number, settled_seq=settled_seq)

    def lapse(self, connection: Connection, period: Period, now_ms: int) -> None:
        """Destroy the key of a period that is settled to its end."""
        overwrite_freed(connection)
        self._update(connection, period.number, wrapped=b"", lapsed_ms=now_ms)

    def shred(self, connection: Connection, subject: str) -> set[int]:
        """Destroy a customer's keys of all periods that are settled; the periods' numbers."""
        overwrite_freed(connection)
        mine = (vault_period_key.c.tenant == self._tenant) & (vault_period_key.c.subject == subject)
        numbers = set(connection.scalars(select(vault_period_key.c.number).where(mine)))
        connection.execute(delete(vault_period_key).where(mine))
        return numbers

    # The key above.

    def rewrap(self, connection: Connection) -> None:
        """Wrap the keys of living periods by the newest key right below the root; there are a few."""
        ring = self._keys.ring(connection)
        for period in self.living(connection):
            place = self._place("", period.number)
            key = ring.below_root(period.wrapped_by).open(bytes(period.wrapped), place)
            self._update(
                connection, period.number, wrapped=ring.newest.seal(key, place), wrapped_by=ring.newest.key_id
            )

    def wrapped_by(self, connection: Connection, version: int) -> int:
        """How many keys a key right below the root wraps."""
        table = vault_period.c
        query = select(func.count()).where(
            table.tenant == self._tenant, table.wrapped_by == version, table.lapsed_ms == 0
        )
        return int(connection.scalar(query) or 0)

    def _place(self, subject: str, number: int) -> bytes:
        return Place(self._tenant, subject, _KIND, "", "", number).bound()

    def _update(self, connection: Connection, number: int, **values: Any) -> None:
        mine = (vault_period.c.tenant == self._tenant) & (vault_period.c.number == number)
        connection.execute(update(vault_period).where(mine).values(**values))


def living_of(connection: Connection, tenant: str) -> list[Period]:
    """The periods of a tenant whose key is there, oldest first; no key is opened."""
    query = _select(tenant).where(vault_period.c.lapsed_ms == 0).order_by(vault_period.c.number)
    return [Period(*row) for row in connection.execute(query)]


def _select(tenant: str) -> Any:
    return select(*(vault_period.c[name] for name in Period._fields)).where(vault_period.c.tenant == tenant)
