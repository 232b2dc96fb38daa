"""Canaries: records of nobody, planted among the others, that tell who read or leaked them.

Promise:
- a canary is a record like any other to who lists or finds it masked: its fields are plausible, its ids have the shape of the
  shop's own; that it is one is told by no answer but the one that planted it;
- it counts in no quota and no figure of a trace, and nobody is behind it who could be written to: its phone is in a pool, its
  mail in a domain of the shop's;
- planted for a partner it goes out with that partner's shares alone, so that its leak names the partner; any other is a
  trap, and who asks for it is locked at once (``flows.reveal``, ``flows.pulling``);
- it gives way: where the shop comes to use an id that a canary has, the canary is gone (``flows.custody``).

Who reads the store itself sees the column ``canary``; who lists records by time sees that they were kept together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, NotFound
from shopward.flows.consign import PARTNER
from shopward.leaks.decoys import check_pool, decoy, like
from shopward.vault.rows import Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom

PLANTED_MAX: Final = 200
SEED_BYTES: Final = 32
_USER: Final = "u"
_TRIES: Final = 20
_MORE_DIGITS: Final = 9


class Planted(NamedTuple):
    """Canaries that were planted; ``recipient`` is empty for traps."""

    records: tuple[str, ...]
    recipient: str


class CanaryDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        entropy: makes what nobody can guess.
        is_partner: whether somebody of this id is registered.
    """

    def __init__(
        self, room: Strongroom, entropy: Callable[[int], bytes], is_partner: Callable[[Any, str], bool]
    ) -> None:
        self._room = room
        self._entropy = entropy
        self._is_partner = is_partner

    def plant(
        self, caller: Caller, *, count: int, region: str, phones: str, domain: str, partner: str = ""
    ) -> Planted:
        """Plant canaries.

        Args:
            caller: who plants.
            count: how many; ``PLANTED_MAX`` at most.
            region: of which country their orders look.
            phones: how the numbers of the shop's own pool begin.
            domain: of the shop, whose mailbox takes every address.
            partner: for whom; for nobody where it is empty. Raises ``NotFound`` where nobody of this id is registered: its
                canaries would go out with no share, and be traps for everybody.
        """
        if not 1 <= count <= PLANTED_MAX:
            raise InvalidField("so many canaries are not planted at once", path="count", expected=f"1 to {PLANTED_MAX}", found=str(count))  # fmt: skip
        check_pool(phones, domain)
        recipient, now_ms = PARTNER + partner if partner else "", self._room.clock.now_ms()

        def work(connection: Any) -> Planted:
            if partner and not self._is_partner(connection, partner):
                raise NotFound("no such partner", path="partner", expected="the id of a registered partner")
            shape, made = self._shape(connection), []
            for _ in range(count):  # one by one, so that each finds an id that none before it has
                write = self._write(connection, shape, region, phones, domain, now_ms)
                self._room.fenced(connection, [write.subject])
                made += self._room.sealed.put(connection, [write], now_ms)
            records = tuple(each.id for each in made)
            self._room.canaries.note(
                connection, records, recipient=recipient, person=caller.person, now_ms=now_ms
            )
            details = {"canaries": count, "recipient": recipient}
            self._room.line(connection, caller.key, "canary:plant", recipient or "trap", details, now_ms)
            return Planted(records, recipient)

        return self._room.records.write(work)

    def _shape(self, connection: Any) -> tuple[str, str, str]:
        """The ids of a recent order: of the record, the customer and the order; empty where there is none."""
        newest = self._room.sealed.rows(connection, [self._room.census.newest(connection, "order")])
        if not newest:
            return "", "", ""
        (opened,) = self._room.sealed.open(connection, newest, ("order_id",))
        return opened.row.id, opened.user, opened.values.get("order_id", "")

    def _write(
        self, connection: Any, shape: tuple[str, str, str], region: str, phones: str, domain: str, now_ms: int
    ) -> Write:
        sealed = self._room.sealed
        record = self._free(shape[0], lambda each: bool(sealed.rows(connection, [each])))
        user = self._free(shape[1] or _USER, lambda each: bool(sealed.of_subject(connection, self._room.subject(each), limit=1)))  # fmt: skip
        order = self._free(
            shape[2], lambda each: bool(sealed.find(connection, "order.order_id.exact", (each,), 1))
        )
        record = record or self._room.ids.new("v", now_ms)
        values = decoy(self._entropy(SEED_BYTES), region=region, phones=phones, domain=domain)
        if order:
            values["order_id"] = order
        return Write(record, user, self._room.subject(user), "order", values, region, canary=True)

    def _free(self, example: str, is_taken: Callable[[str], bool]) -> str:
        """An id like another that nothing has yet; a longer one where those are used up."""
        if not example:
            return ""
        for _ in range(_TRIES):
            found = like(example, self._entropy(SEED_BYTES))
            if not is_taken(found):
                return found
        return like(example + "0" * _MORE_DIGITS, self._entropy(SEED_BYTES))
