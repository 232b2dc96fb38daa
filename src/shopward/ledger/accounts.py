"""The chart of accounts: a closed list of kinds, each with an owner.

Promise: an account is a kind and an owner and needs no opening. Its balance is the sum of its entries, debits positive and
credits negative, as Beancount counts: what the shop owns and loses is above zero, what it owes is below.

An owner is a token (a user, a gift card), a partner's name, or ``shop``; never a person's name.
"""

from __future__ import annotations

import re
from enum import StrEnum, unique
from typing import Final, NamedTuple

from shopward.errors import InvalidField

OWNER_MAX: Final = 64
SHOP: Final = "shop"
"""The owner of what belongs to nobody else."""
_OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@unique
class Kind(StrEnum):
    """What an account is; the words stand in rows and exports and are never renamed."""

    WALLET = "wallet"
    """What the shop owes a customer: a balance that he may spend."""
    WALLET_HELD = "wallet_held"
    """The part of it that an order holds."""
    GIFT_CARD = "gift_card"
    """What the shop owes the holder of a gift card."""
    GIFT_CARD_HELD = "gift_card_held"
    """The part of it that an order holds."""
    CLAIM_PAYABLE = "claim_payable"
    """What was approved on a claim and is not paid yet."""
    OUTSIDE = "outside"
    """Money beyond these books, by the way it goes: the owner is ``card``, ``bank`` or a partner's name."""
    RECEIVABLE = "receivable"
    """What a partner, an insurer or a thief owes the shop."""
    PROVISIONAL = "provisional"
    """What was credited while a claim is still looked at."""
    FRAUD_LOSS = "fraud_loss"
    """An expense: losses that the shop bears."""
    GOODWILL = "goodwill"
    """An expense: paid without being owed."""
    RECOVERED = "recovered"
    """An income: got back after the loss was booked."""
    WRITE_OFF = "write_off"
    """An expense: a receivable that nobody will pay."""
    OPENING = "opening"
    """The other side of balances that were there before these books."""


OWED: Final = frozenset(
    {Kind.WALLET, Kind.WALLET_HELD, Kind.GIFT_CARD, Kind.GIFT_CARD_HELD, Kind.CLAIM_PAYABLE}
)
"""Never overdrawn: nobody is paid what is not owed to him."""
OWNED: Final = frozenset({Kind.RECEIVABLE, Kind.PROVISIONAL})
"""Never below nothing: nobody pays back more than he owes."""
HELD: Final = {Kind.WALLET: Kind.WALLET_HELD, Kind.GIFT_CARD: Kind.GIFT_CARD_HELD}
"""Where the part of a balance goes that an order holds."""
KINDS: Final = {kind.value: kind for kind in Kind}


class Account(NamedTuple):
    """An account of these books; written ``kind:owner``."""

    kind: Kind
    owner: str = SHOP

    def __str__(self) -> str:
        # Not by a format, which would ask the enumeration for every line of every transfer.
        return self.kind + ":" + self.owner


def parse_account(text: str, *, path: str) -> Account:
    """``wallet:u008490`` as an account.

    Raises:
        InvalidField: with ``path`` where it names no kind or no owner.
    """
    word, _colon, owner = text.partition(":")
    if word in KINDS and _OWNER.fullmatch(owner):
        return Account(KINDS[word], owner)
    raise InvalidField(
        "not an account", path=path, found="another text",
        expected=f"kind:owner, a kind of {', '.join(Kind)}, an owner of letters, digits, '_', '.' and '-'",
    )  # fmt: skip
