"""Canary rows: orders that nobody placed, each shown to one recipient alone.

Promise: a canary follows from the key, the recipient and a number, so there is no list to steal, and a leaked row is
recognised by making the canaries again. Its phone is in a pool that the shop owns, its address of mail in a domain of the
shop's: nobody real is named. A leak of a share f of a recipient's rows holds one of k canaries with chance 1 - (1 - f)^k.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GIVEN: Final = ("Adi", "Bayu", "Citra", "Dewi", "Eko", "Fitri", "Gilang", "Hana", "Indra", "Joko", "Kartika", "Lestari", "Maya", "Nanda", "Putra", "Rina")  # fmt: skip
_FAMILY: Final = ("Hidayat", "Kusuma", "Lubis", "Maulana", "Nasution", "Permana", "Pratama", "Rahayu", "Saputra", "Setiawan", "Siregar", "Susanto", "Utami", "Wibowo", "Wijaya", "Yulianto")  # fmt: skip
_STREETS: Final = ("Anggrek", "Cempaka", "Dahlia", "Flamboyan", "Kenanga", "Mawar", "Melati", "Teratai")


class Canary(NamedTuple):
    """One row that nobody placed."""

    recipient: str
    number: int
    row: dict[str, str]


class Canaries:
    """The canaries of one shop.

    Args:
        key: at least 32 secret bytes.
        phone_prefix: digits of a pool of numbers that the shop owns, such as ``+62851000``.
        mail_domain: a domain of the shop whose mailbox takes every address.
        each: how many a recipient has.
    """

    def __init__(self, key: bytes, *, phone_prefix: str, mail_domain: str, each: int) -> None:
        if len(key) < 32:
            raise InvalidField("the key of canaries is short", expected="32 bytes or more", found=f"{len(key)} bytes")  # fmt: skip
        self._key, self._prefix, self._domain, self.each = key, phone_prefix, mail_domain, each

    def of(self, recipient: str) -> list[Canary]:
        """All canaries of a recipient."""
        return [self._make(recipient, number) for number in range(self.each)]

    def hits(self, rows: Iterable[Mapping[str, str]], recipients: Iterable[str]) -> dict[str, int]:
        """How many different canaries of each recipient stand in some rows; told by phone or mail."""
        owners = {}
        for recipient in recipients:
            for canary in self.of(recipient):
                owners[canary.row["phone"][-9:]] = owners[canary.row["email"]] = (recipient, canary.number)
        found = set()
        for row in rows:
            digits = "".join([letter for letter in row.get("phone", "") if letter.isdigit()])[-9:]
            for key in (digits, row.get("email", "").strip().lower()):
                if key in owners:
                    found.add(owners[key])
        hits: dict[str, int] = {}
        for recipient, _number in found:
            hits[recipient] = hits.get(recipient, 0) + 1
        return hits

    def _make(self, recipient: str, number: int) -> Canary:
        name = recipient.encode()
        seed = hmac.digest(
            self._key,
            b"canary" + len(name).to_bytes(4, "big") + name + number.to_bytes(4, "big"),
            hashlib.sha256,
        )
        given, family = _GIVEN[seed[0] % 16], _FAMILY[seed[1] % 16]
        digits = str(int.from_bytes(seed[2:8], "big"))[-6:].zfill(6)
        row = {
            "name": f"{given} {family}",
            "phone": self._prefix + digits,
            "email": f"{given}.{family}.{seed[8:11].hex()}@{self._domain}".lower(),
            "address": f"Jl. {_STREETS[seed[11] % 8]} No. {seed[12] % 180 + 1}, Bandung {40100 + seed[13] % 99}",
        }
        return Canary(recipient, number, row)
