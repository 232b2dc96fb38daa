"""Says whether an evidence pack is what was signed, with nothing but the public key.

Promise: a pack holds only if

1. it is, byte for byte, the archive of its own files (``packs.archived``): nothing is hidden between them, doubled or renamed;
2. its manifest is in its form and signed by the key that was given;
3. ``SHA256SUMS`` is the one that the manifest names, and names every file with its digest and no other;
4. the entries follow each other without a gap from the manifest's first to the checkpoint, each hashed with the one before;
5. the checkpoint is signed by the same key and stands at the last of them with its hash;
6. one of them is about the pack's subject.

The first that fails is reported, and every failure to read is one: fails closed. Nothing is unpacked and nothing is fetched.

Not here: whether the log was right before the first entry (``verifier``, on the store), and what the files say.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from struct import error as StructError  # noqa: N812 -- it is an exception
from typing import Final

import msgspec
from msgspec import Struct

from shopward.audit.chain import entry_bytes, hash_of
from shopward.audit.checkpoints import Checkpoint, export_checkpoint, import_checkpoint
from shopward.audit.keys import is_signed
from shopward.audit.packs import (
    CHECKPOINT,
    ENTRIES,
    KIND,
    MANIFEST,
    SUMS,
    VERSION,
    Manifest,
    PackLine,
    archived,
    manifest_file,
    sums_of,
)
from shopward.errors import MalformedInput

_UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, StructError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip
"""What ``zipfile`` raises over a broken archive."""


class PackFault(Struct, frozen=True):
    """What is wrong, in which part."""

    part: str
    expected: str
    found: str


class PackReport(Struct, frozen=True, kw_only=True):
    """What a pack is; it holds where there is no fault. Numbers of one with a fault are not proved."""

    subject: str = ""
    made_ms: int = 0
    files: int = 0
    first_seq: int = 0
    last_seq: int = 0
    fault: PackFault | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


class _Broken(Exception):
    """Carries a fault to the report; never leaves this module."""

    def __init__(self, part: str, *, expected: str, found: str) -> None:
        super().__init__(part)
        self.fault = PackFault(part, expected, found)


def check_pack(raw: bytes, *, public_key: bytes) -> PackReport:
    """Whether this archive is a pack that the holder of the key signed, and its log is linked up to a signed checkpoint."""
    try:
        files = _files(raw)  # 1
        manifest = _manifest(files, public_key)  # 2
        _check_sums(files, manifest)  # 3
        last = _linked(files[ENTRIES], manifest)  # 4 and 6
        _check_checkpoint(files[CHECKPOINT], manifest, last)  # 5
    except _Broken as broken:
        return PackReport(fault=broken.fault)
    return PackReport(
        subject=manifest.subject, made_ms=manifest.made_ms, files=len(files), first_seq=manifest.first_seq,
        last_seq=manifest.last_seq,
    )  # fmt: skip


def _files(raw: bytes) -> dict[str, bytes]:
    """Every file of the archive, which is no larger than the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if any(each.compress_type != zipfile.ZIP_STORED for each in members) or (
                sum(each.file_size for each in members) > len(raw)
            ):
                raise _Broken(
                    "archive", expected="files that are stored as they are", found="compressed ones"
                )
            files = {each.filename: archive.read(each) for each in members}
        again = archived(files)
    except _UNREADABLE:
        raise _Broken("archive", expected="a whole zip archive", found="one that cannot be read") from None
    if again != raw:
        raise _Broken(
            "archive", expected="the archive of its own files and nothing else", found="another byte"
        )
    for name in (MANIFEST, SUMS, ENTRIES, CHECKPOINT):
        if name not in files:
            raise _Broken(name, expected="a file of this name", found="none")
    return files


def _manifest(files: dict[str, bytes], public_key: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    except (msgspec.MsgspecError, ValueError):
        manifest = None
    if (
        manifest is None
        or manifest_file(manifest) != files[MANIFEST]
        or (manifest.kind, manifest.version) != (KIND, VERSION)
    ):
        raise _Broken(MANIFEST, expected=f"a manifest of version {VERSION}", found="something else")
    if manifest.key != public_key.hex():
        raise _Broken(
            MANIFEST, expected=f"key {public_key.hex()[:16]}", found=f"another key, {manifest.key[:16]}"
        )
    signature = bytes.fromhex(manifest.signature)
    if not is_signed(manifest.message(), signature=signature, public_key=public_key):
        raise _Broken(
            MANIFEST, expected=f"a signature of key {public_key.hex()[:16]}", found="another signature"
        )
    return manifest


def _check_sums(files: dict[str, bytes], manifest: Manifest) -> None:
    if hashlib.sha256(files[SUMS]).hexdigest() != manifest.sums:
        raise _Broken(SUMS, expected=f"SHA-256 {manifest.sums}", found="another")
    said = {
        line[66:]: line[:64] for line in files[SUMS].decode(errors="replace").splitlines()
    }  # name by digest: a digest of 64 digits, two spaces
    held = {name: content for name, content in files.items() if name not in (SUMS, MANIFEST)}
    for name in sorted(said.keys() | held.keys()):
        if name not in held:
            raise _Broken("archive", expected="every file of SHA256SUMS", found="one is missing")
        if name not in said:
            raise _Broken("archive", expected="no file but those of SHA256SUMS", found="one more")
        if hashlib.sha256(held[name]).hexdigest() != said[name]:
            raise _Broken(name, expected=f"SHA-256 {said[name]}", found="another")
    if sums_of(held) != files[SUMS]:
        raise _Broken(SUMS, expected="a line for each file, by name", found="another form")


def _linked(content: bytes, manifest: Manifest) -> bytes:
    """The hash of the last entry."""
    last, expected, is_about = bytes.fromhex(manifest.before), manifest.first_seq, False
    try:
        lines = msgspec.json.Decoder(PackLine).decode_lines(content)
    except (msgspec.MsgspecError, ValueError):
        raise _Broken(ENTRIES, expected="one entry a line", found="something else") from None
    for line in lines:
        if line.seq != expected:
            raise _Broken(ENTRIES, expected=f"entry {expected}", found=f"entry {line.seq}")
        last = hash_of(
            entry_bytes(
                last, tenant=manifest.tenant.encode(), seq=line.seq, at_ms=line.at_ms, actor=line.actor.encode(),
                deed=line.deed.encode(), subject=line.subject.encode(), details=line.details.encode(),
            )
        )  # fmt: skip
        is_about |= line.subject == manifest.subject
        expected += 1
    if expected - 1 != manifest.last_seq:
        raise _Broken(ENTRIES, expected=f"entries up to {manifest.last_seq}", found=f"up to {expected - 1}")
    if not is_about:  # 6
        raise _Broken(ENTRIES, expected="a line about the subject of the pack", found="none")
    return last


def _check_checkpoint(content: bytes, manifest: Manifest, last: bytes) -> None:
    try:
        kept = import_checkpoint(content)
    except MalformedInput:
        raise _Broken(CHECKPOINT, expected="a checkpoint of an audit log", found="something else") from None
    if export_checkpoint(kept) != content or not _is_ours(kept, manifest):
        raise _Broken(
            CHECKPOINT, expected="the checkpoint that the manifest names, signed by its key", found="another"
        )
    if kept.hash != last:
        raise _Broken(
            CHECKPOINT, expected=f"hash {last.hex()} of the last entry", found=f"hash {kept.hash.hex()}"
        )


def _is_ours(kept: Checkpoint, manifest: Manifest) -> bool:
    named = (kept.tenant, kept.seq, kept.at_ms) == (manifest.tenant, manifest.last_seq, manifest.made_ms)
    return named and kept.is_signed_by(bytes.fromhex(manifest.key))
