"""Signed checkpoints: "at this time the log ended here", and the small file that carries one elsewhere.

Promise: every field is signed, so that a checkpoint is taken as it was made or not at all. The file is JSON, holds
nothing secret and names nobody; it is as useful as the place where it is kept is out of reach of who runs the database.

Not here: when one is made (``trail``), and what it is held against (``verifier``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from shopward.audit.chain import checkpoint_bytes
from shopward.audit.keys import is_signed
from shopward.errors import MalformedInput

if TYPE_CHECKING:
    from shopward.audit.keys import SigningKey

FILE_BYTES_MAX: Final = 4_096
_KIND: Final = "shopward audit checkpoint"
_VERSION: Final = 1

_Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The log of a tenant ended at ``seq`` with ``hash``; said at ``at_ms`` by the holder of ``key``."""

    tenant: str
    seq: int
    at_ms: int
    hash: bytes
    key: bytes
    signature: bytes

    def file(self) -> CheckpointFile:
        """What its file holds."""
        return CheckpointFile(
            _KIND,
            _VERSION,
            self.tenant,
            self.seq,
            self.at_ms,
            self.hash.hex(),
            self.key.hex(),
            self.signature.hex(),
        )

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether this key, and no other, signed every field of it."""
        message = checkpoint_bytes(
            tenant=self.tenant.encode(errors="surrogatepass"),
            seq=self.seq,
            at_ms=self.at_ms,
            entry_hash=self.hash,
            key=self.key,
        )
        return self.key == public_key and is_signed(message, signature=self.signature, public_key=public_key)


class CheckpointFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file that carries a checkpoint elsewhere; bytes in hexadecimal digits."""

    kind: str
    version: int
    tenant: Annotated[str, Meta(min_length=1, max_length=64)]
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    at_ms: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    hash: _Hex32
    key: _Hex32
    signature: _Hex64


def signed_checkpoint(key: SigningKey, *, tenant: str, seq: int, at_ms: int, entry_hash: bytes) -> Checkpoint:
    """A new checkpoint."""
    message = checkpoint_bytes(
        tenant=tenant.encode(), seq=seq, at_ms=at_ms, entry_hash=entry_hash, key=key.public_key
    )
    return Checkpoint(
        tenant=tenant,
        seq=seq,
        at_ms=at_ms,
        hash=entry_hash,
        key=key.public_key,
        signature=key.sign(message),
    )


def export_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The content of its file."""
    return msgspec.json.format(msgspec.json.encode(checkpoint.file()), indent=2) + b"\n"


def import_checkpoint(content: bytes) -> Checkpoint:
    """The checkpoint of a file; its signature is looked at by ``verify``.

    Raises:
        MalformedInput: it is no such file.
    """
    try:
        file = msgspec.json.decode(content[: FILE_BYTES_MAX + 1], type=CheckpointFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        file = None
    if file is None or file.kind != _KIND or file.version != _VERSION:
        raise MalformedInput(
            "this is no checkpoint of an audit log",
            expected=f"the JSON that shopward audit checkpoint wrote, version {_VERSION}",
            found="something else",
        )
    return Checkpoint(
        tenant=file.tenant,
        seq=file.seq,
        at_ms=file.at_ms,
        hash=bytes.fromhex(file.hash),
        key=bytes.fromhex(file.key),
        signature=bytes.fromhex(file.signature),
    )
