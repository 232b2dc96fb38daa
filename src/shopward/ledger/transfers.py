"""Transfers as values: what one is, when it is sound, and the digests that bind it to its key and to its neighbours.

Promise: pure. A transfer that ``check`` lets through has entries that sum to zero in each currency, amounts that both
databases can add, and a key, by which a retry that lost the first answer finds the same one. Its id follows from its key.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shopward.errors import BadInput, InvalidField
from shopward.ledger.accounts import OWNER_MAX, Account

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_MAX: Final = 128
ENTRIES_MAX: Final = 32
REFS_MAX: Final = 8
REF_MAX: Final = 128
AMOUNT_MAX: Final = 2**53 - 1
"""Exact in every JSON reader; a thousand such amounts still fit in 64 bits."""
GENESIS: Final = bytes(32)
"""Stands for the chain before the first transfer."""
_encode: Final = msgspec.json.Encoder().encode
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_WORD: Final = re.compile(r"[a-z][a-z_]{0,31}")
_TIME: Final = re.compile(r"-([0-9a-f]{12})")
"""The milliseconds of an id that is in a key, as ``values.SystemIds`` writes them."""


@unique
class Stage(StrEnum):
    """What a transfer is to the books."""

    POSTED = "posted"
    """It counts."""
    PENDING = "pending"
    """It is promised: it binds what is owed, and counts once it is posted."""
    POST = "post"
    """Posts a pending one, whose entries it repeats."""
    VOID = "void"
    """Gives up a pending one; has no entries."""
    REVERSAL = "reversal"
    """Takes a posted one back, whose entries it turns round."""


STAGES: Final = {stage.value: stage for stage in Stage}
ENDING: Final = frozenset({Stage.POST, Stage.VOID, Stage.REVERSAL})
"""These name the transfer that they end; each transfer is ended once."""


class Entry(NamedTuple):
    """A line of a transfer: a debit above zero, a credit below, in minor units of the currency (ISO 4217)."""

    account: Account
    currency: str
    amount_minor: int


class Transfer(NamedTuple):
    """A movement that is asked for.

    Attributes:
        key: of the caller's choice; the same key is the same transfer.
        word: what it is for: ``claim_paid``, ``hold`` and so on; for reports.
        entries: its lines; empty where it ends another one, whose lines are taken.
        stage: what it is to the books.
        ends: the id of the transfer that it posts, voids or reverses.
        refs: what it is about, by kind: ``claim``, ``incident``, ``order``, ``transaction``.
    """

    key: str
    word: str
    entries: tuple[Entry, ...] = ()
    stage: Stage = Stage.POSTED
    ends: str = ""
    refs: Mapping[str, str] = {}


def check(transfer: Transfer) -> BadInput | None:
    """Why it can never be in the books, or ``None``."""
    if not 0 < len(transfer.key) <= KEY_MAX or not transfer.key.isprintable():
        return _invalid("key", f"1 to {KEY_MAX} printable characters", f"{len(transfer.key)} characters")
    if not _WORD.fullmatch(transfer.word):
        return _invalid("word", "lower-case letters and '_'", f"{len(transfer.word)} characters")
    if len(transfer.refs) > REFS_MAX or not all(_is_ref(*each) for each in transfer.refs.items()):
        return _invalid("refs", f"at most {REFS_MAX} ids by the kind of thing", f"{len(transfer.refs)} refs")
    return _check_ending(transfer) if transfer.stage in ENDING else _check_entries(transfer)


def turned(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries that take these back."""
    return tuple(each._replace(amount_minor=-each.amount_minor) for each in entries)


def id_of(tenant: str, key: str) -> str:
    """The id of the transfer of a key: the same for every attempt.

    It sorts by the time of what the key names, where that has one: rows about the same days then lie together. What older
    books have keeps the id that it was given.
    """
    digest = hashlib.blake2b(f"{tenant}\0{key}".encode(), digest_size=19).hexdigest()
    named = _TIME.search(key)
    return f"t-{digest}" if named is None else f"t-{named[1]}{digest[:26]}"


def fingerprint(transfer: Transfer) -> bytes:
    """32 bytes of SHA-256 over everything that was asked for, as JSON without spaces:
    ``[key, word, stage, ends, [[[kind, owner], currency, amount_minor], ...], [[ref kind, ref], ...]]``.

    The order of entries counts, that of references does not.
    """
    refs = sorted(transfer.refs.items())
    asked = (transfer.key, transfer.word, transfer.stage, transfer.ends, transfer.entries, refs)
    return hashlib.sha256(_encode(asked)).digest()


def chained(before: bytes, seq: int, at_ms: int, print_: bytes) -> bytes:
    """The chain after a transfer: 32 bytes that change with this one and with every one before it."""
    return hashlib.sha256(before + seq.to_bytes(8, "big") + at_ms.to_bytes(8, "big") + print_).digest()


def _is_ref(name: str, value: str) -> bool:
    return bool(_WORD.fullmatch(name)) and 0 < len(value) <= REF_MAX and value.isprintable()


def _check_ending(transfer: Transfer) -> BadInput | None:
    if transfer.ends and not transfer.entries:
        return None
    return _invalid("ends", "the id of a transfer, and no entries", "none, or entries beside it")


def _check_entries(transfer: Transfer) -> BadInput | None:
    entries = transfer.entries
    if transfer.ends:
        return _invalid("ends", "nothing where nothing is ended", "an id")
    if not 2 <= len(entries) <= ENTRIES_MAX:
        return _invalid("entries", f"2 to {ENTRIES_MAX} entries", f"{len(entries)}")
    sums: dict[str, int] = {}
    for place, (account, currency, amount_minor) in enumerate(entries):
        if not (
            _CURRENCY.fullmatch(currency)
            and 0 < abs(amount_minor) <= AMOUNT_MAX
            and 0 < len(account.owner) <= OWNER_MAX
        ):
            return _why_not(f"entries[{place}]", entries[place])
        sums[currency] = sums.get(currency, 0) + amount_minor
    for currency, left in sums.items():
        if left:
            return InvalidField(
                "debits and credits differ", code="unbalanced", path="entries",
                expected=f"entries in {currency} that sum to zero", found=f"a sum of {left}",
            )  # fmt: skip
    return None


def _why_not(path: str, entry: Entry) -> BadInput:
    if not _CURRENCY.fullmatch(entry.currency):
        return _invalid(f"{path}.currency", "an ISO 4217 code", f"{len(entry.currency)} characters")
    if not 0 < abs(entry.amount_minor) <= AMOUNT_MAX:
        return _invalid(f"{path}.amount_minor", f"1 to {AMOUNT_MAX}, either sign", "zero or more than that")
    return _invalid(f"{path}.account", "an owner", f"{len(entry.account.owner)} characters")


def _invalid(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField("the ledger takes no such transfer", path=path, expected=expected, found=found)
