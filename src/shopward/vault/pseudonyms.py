"""Pseudonyms: one name of a customer for each partner, purpose and epoch, that no two partners can put together.

Promise: a pseudonym is 130 bits of HMAC-SHA256 under a key of its own for each partner (HKDF), over the customer's token,
the purpose and the epoch, in 26 letters of base32; without the key nothing links two of them. It is made again rather than
kept; who it is, only the vault can say, by making those of the customers in question.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from typing import Final

from shopward.keyring import derived, joined

_LETTERS: Final = 26


def pseudonym(key: bytes, *, partner: str, purpose: str, subject: str, epoch: int = 0) -> str:
    """What a partner is to call a customer.

    Args:
        key: the tenant's key for tokens.
        partner: who will use it.
        purpose: for what.
        subject: the customer's keyed token.
        epoch: another number gives names that have nothing to do with the old ones.
    """
    own = derived(key, b"shopward pseudonym " + joined((partner,)))
    made = hmac.digest(own, joined((subject, purpose, str(epoch))), hashlib.sha256)
    return b32encode(made)[:_LETTERS].decode().lower()
