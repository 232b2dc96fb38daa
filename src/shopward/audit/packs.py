"""Evidence packs: one archive that an auditor checks with the public key alone.

Promise: the same content gives the same bytes. A pack is a zip (stored, names sorted, every time 1980-01-01) of the files it was
given, and of

- ``audit/entries.jsonl``: the log from the first line about the subject to a checkpoint, without a gap;
- ``audit/checkpoint.json``: that checkpoint, as ``shopward audit checkpoint`` writes it;
- ``SHA256SUMS``: the SHA-256 of every file but itself and the manifest, as ``sha256sum -c`` reads it;
- ``manifest.json``: whom it is about, where the excerpt begins and ends, the digest of ``SHA256SUMS``, and an Ed25519 signature
  over all of it (``chain.pack_bytes``).

Not here: whether a pack holds (``pack_check``), what is in it (who calls), and that nobody shortened the log before its first line.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from shopward.audit.chain import pack_bytes
from shopward.audit.checkpoints import export_checkpoint
from shopward.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.audit.checkpoints import Checkpoint
    from shopward.audit.keys import SigningKey
    from shopward.audit.records import AuditEntry

ENTRIES: Final = "audit/entries.jsonl"
CHECKPOINT: Final = "audit/checkpoint.json"
SUMS: Final = "SHA256SUMS"
MANIFEST: Final = "manifest.json"
KIND: Final = "shopward evidence pack"
VERSION: Final = 1

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_MODE: Final = 0o100600 << 16
_Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
_Seq = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class Excerpt(NamedTuple):
    """A part of the log without a gap; ``before`` is the hash of the entry before its first."""

    before: bytes
    entries: list[AuditEntry]


class PackLine(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the log in a pack; its hash follows from it and from the entry before."""

    seq: int
    at_ms: int
    actor: str
    deed: str
    subject: str
    details: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds a pack together; bytes in hexadecimal digits.

    Attributes:
        subject: what the pack is about, as the lines of the log name it.
        first_seq: the first entry of the excerpt; ``before`` is the hash of the entry before it.
        last_seq: the checkpoint's.
        sums: SHA-256 of ``SHA256SUMS``.
    """

    kind: str
    version: int
    tenant: str
    subject: str
    made_ms: int
    first_seq: _Seq
    last_seq: _Seq
    before: _Hex32
    sums: _Hex32
    key: _Hex32
    signature: _Hex64

    def message(self) -> bytes:
        """What the signature is made over."""
        return pack_bytes(
            tenant=self.tenant.encode(), subject=self.subject.encode(), made_ms=self.made_ms, first_seq=self.first_seq,
            last_seq=self.last_seq, before=bytes.fromhex(self.before), sums=bytes.fromhex(self.sums),
            key=bytes.fromhex(self.key),
        )  # fmt: skip


def sealed_pack(
    files: Mapping[str, bytes], *, subject: str, excerpt: Excerpt, checkpoint: Checkpoint, key: SigningKey
) -> bytes:
    """The archive.

    Args:
        files: by name, in ASCII; none has a name of this module.
        subject: what it is about.
        excerpt: ends with the checkpoint's entry.
        checkpoint: the end of the excerpt, signed.
        key: that signed it.

    Raises:
        Misconfigured: the key was rotated between the two. Fails closed.
    """
    if checkpoint.key != key.public_key:
        raise Misconfigured(
            "the key that signs the audit log changed meanwhile", path="audit.key", expected="the key of the checkpoint",
            found="another", hint="ask again",
        )  # fmt: skip
    held = {**files, ENTRIES: lines_of(excerpt), CHECKPOINT: export_checkpoint(checkpoint)}
    sums = sums_of(held)
    unsigned = Manifest(
        kind=KIND, version=VERSION, tenant=checkpoint.tenant, subject=subject, made_ms=checkpoint.at_ms,
        first_seq=excerpt.entries[0].seq, last_seq=checkpoint.seq, before=excerpt.before.hex(),
        sums=hashlib.sha256(sums).hexdigest(), key=key.public_key.hex(), signature=bytes(64).hex(),
    )  # fmt: skip
    signed = msgspec.structs.replace(unsigned, signature=key.sign(unsigned.message()).hex())
    return archived({**held, SUMS: sums, MANIFEST: manifest_file(signed)})


def lines_of(excerpt: Excerpt) -> bytes:
    """The entries, one JSON object a line."""
    lines = [
        PackLine(each.seq, each.at_ms, each.actor, each.deed, each.subject, each.details)
        for each in excerpt.entries
    ]
    return msgspec.json.Encoder().encode_lines(lines)


def sums_of(files: Mapping[str, bytes]) -> bytes:
    """``SHA256SUMS`` of these files."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def manifest_file(manifest: Manifest) -> bytes:
    """The content of its file."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def archived(files: Mapping[str, bytes]) -> bytes:
    """The zip of these files: stored, so that no version of a compressor changes a byte of it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system, member.external_attr = _UNIX, _MODE
            archive.writestr(member, files[name])
    return made.getvalue()
