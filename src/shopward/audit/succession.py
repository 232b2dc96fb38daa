"""One signing key follows another: the statement that both of them sign, as it stands in the log.

Promise: an entry ``audit:rotate`` leads from the old key to the new one and back only where both signed that very pair for that
very tenant; who can write the tables and has neither key brings none of his own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from shopward.audit.chain import rotation_bytes
from shopward.audit.keys import is_signed

if TYPE_CHECKING:
    from shopward.audit.keys import SigningKey

_Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]


class _Statement(Struct, forbid_unknown_fields=True):
    """The details of the entry: both public keys, and the signature of each."""

    old: _Key
    new: _Key
    by_old: _Signature
    by_new: _Signature


def statement(tenant: str, old: SigningKey, new: SigningKey) -> dict[str, str]:
    """The details of an entry ``audit:rotate``."""
    said = rotation_bytes(tenant=tenant.encode(), old=old.public_key, new=new.public_key)
    return {
        "old": old.public_key.hex(), "new": new.public_key.hex(), "by_old": old.sign(said).hex(), "by_new": new.sign(said).hex(),
    }  # fmt: skip


def linked(tenant: str, details: bytes) -> tuple[bytes, bytes] | None:
    """The old and the new key of an entry; ``None`` where it is no such statement, or one of them did not sign it."""
    try:
        said = msgspec.json.decode(details, type=_Statement)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    old, new = bytes.fromhex(said.old), bytes.fromhex(said.new)
    message = rotation_bytes(tenant=tenant.encode(errors="surrogatepass"), old=old, new=new)
    both = ((old, said.by_old), (new, said.by_new))
    if all(is_signed(message, signature=bytes.fromhex(by), public_key=key) for key, by in both):
        return old, new
    return None
