"""``shopward audit``: hold the audit log against itself and against a checkpoint that was kept elsewhere.

Promise: exit code 0 the log is intact, 1 it is broken, 2 wrong use, or nothing can be said because the store or the key
cannot be had. ``verify`` writes nothing, reads one state of the log in pages and keeps no writer waiting;
``checkpoint`` adds one entry with its signature, then writes the file. Neither upgrades a store. ``pack`` reads one file and needs
no store at all.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from shopward.audit import (
    AuditTrail,
    check_pack,
    export_checkpoint,
    import_checkpoint,
    open_signing_key,
    public_keys,
    verify,
)
from shopward.audit.rows import head_row
from shopward.audit.trail import DEFAULT_TENANT
from shopward.cli.stores import DATA, DATABASE, reading, said, writing
from shopward.config import settings_from
from shopward.errors import Misconfigured
from shopward.keyring import write_private
from shopward.values import SystemClock, to_rfc3339

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.audit import Checkpoint, PackReport, Report
    from shopward.config import Settings

TABLE: Final = "audit_head"
_FILE_MAX: Final = 65_536
_PACK_MAX: Final = 512 * 1024 * 1024
_KEY: Final = re.compile("[0-9a-f]{64}")


@click.group()
def audit() -> None:
    """The hash-linked log of deeds: verify it, and sign where it stands."""


@audit.command("verify")
@DATA
@DATABASE
@click.option(
    "--checkpoint",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def verify_(data: str | None, database: str | None, file: Path | None, *, as_json: bool) -> None:
    """Read the whole log: any changed, missing, added or moved entry is found.

    With --checkpoint also a cut-off tail, and a log that was rewritten as a whole. Without a data folder at hand the
    key is taken from that file.

    \b
    Examples:
      shopward audit verify --data /srv/shopward
      shopward audit verify --database postgresql://auditor@db/shopward --checkpoint 2026-11-22.json
    """
    with said("read the audit log"):
        settings = settings_from(os.environ, data=data, database=database)
        kept = None if file is None else _kept(file)
        with reading(settings.database_url, table=TABLE) as connection:
            report = _verified(connection, _public_keys(settings, kept, connection), kept)
    click.echo(_as_json(report) if as_json else _as_text(report))
    sys.exit(0 if report.intact else 1)


@audit.command()
@DATA
@DATABASE
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the checkpoint here; keep it where the database's operator cannot reach.",
)
def checkpoint(data: str | None, database: str | None, out: Path) -> None:
    """Sign where the log stands now, and write the checkpoint as a small JSON file.

    Verify the log against the last file first: a signature says what the log is, not that it is right.

    \b
    Examples:
      shopward audit checkpoint --out /media/stick/2026-11-22.json
    """
    with said("read the audit log"):
        settings = settings_from(os.environ, data=data, database=database)
        with writing(settings.database_url, table=TABLE) as connection:
            signed = AuditTrail().newest_checkpoint(connection) is not None
            key = open_signing_key(settings.folder, has_checkpoints=signed)
            made = AuditTrail(signer=key).checkpoint(
                connection,
                at_ms=SystemClock().now_ms(),
                actor="cli",
            )
        write_private(out, export_checkpoint(made))
    click.echo(f"checkpoint of the audit log at entry {made.seq}: {out}")


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    metavar="PUBLIC",
    required=True,
    help="Public key of the audit log, 64 hexadecimal digits, from elsewhere than the pack.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def pack(file: Path, key: str, *, as_json: bool) -> None:
    """Check an evidence pack with the public key alone: no server, no store, nothing unpacked.

    \b
    Examples:
      shopward audit pack inc-019b8f2c5a10.zip --key 5f0c...e1
    """  # fmt: skip
    if not _KEY.fullmatch(key):
        raise click.BadParameter("64 hexadecimal digits are a public key", param_hint="--key")
    report = check_pack(_read(file, _PACK_MAX, "FILE"), public_key=bytes.fromhex(key))
    click.echo(
        msgspec.json.encode({"ok": report.holds, **msgspec.structs.asdict(report)})
        if as_json
        else _pack_text(report)
    )
    sys.exit(0 if report.holds else 1)


def _pack_text(report: PackReport) -> str:
    fault = report.fault
    if fault is not None:
        return f"BROKEN: {fault.part}\n  expected: {fault.expected}\n  found: {fault.found}"
    return (
        f"holds: {report.files} files about {report.subject}, as of {to_rfc3339(report.made_ms)}; entries {report.first_seq} to "
        f"{report.last_seq} of the audit log are linked, and the last is signed"
    )


def _verified(connection: Connection, keys: tuple[bytes, ...], kept: Checkpoint | None) -> Report:
    """The report, with a bar on a terminal."""
    head = head_row(connection, DEFAULT_TENANT)
    length = 0 if head is None or head.kinds else max(head.last_seq, 0)
    bar: Any = click.progressbar(
        length=length, label="verify", file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    with bar:
        return verify(
            connection,
            public_key=keys[0],
            older=keys[1:],
            checkpoint=kept,
            tenant=DEFAULT_TENANT,
            progress=lambda done: bar.update(done - bar.pos),
        )


def _public_keys(settings: Settings, kept: Checkpoint | None, connection: Connection) -> tuple[bytes, ...]:
    """The keys of the data folder, else that of the kept file; none is needed where nothing is signed yet."""
    keys = public_keys(settings.folder)
    if keys:
        return keys
    if kept is not None:
        return (kept.key,)
    if AuditTrail().newest_checkpoint(connection) is None:
        return (b"",)
    raise Misconfigured(  # fails closed
        "the key that signed the checkpoints of this audit log is missing",
        path="audit.key",
        expected="the key in the data folder, or a checkpoint that was kept elsewhere",
        found="neither",
        hint="point --data at the folder that has it, or give --checkpoint",
    )


def _kept(file: Path) -> Checkpoint:
    return import_checkpoint(_read(file, _FILE_MAX, "--checkpoint"))


def _read(file: Path, most: int, hint: str) -> bytes:
    """The file's bytes, at most so many."""
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        refusal = click.BadParameter(os.strerror(error.errno or 0), param_hint=hint)
    raise refusal


def _as_json(report: Report) -> bytes:
    return msgspec.json.encode({"ok": report.intact, **msgspec.structs.asdict(report)})


def _as_text(report: Report) -> str:
    fault = report.fault
    if fault is not None:
        return (
            f"BROKEN at entry {fault.seq}: {fault.kind}\n  expected: {fault.expected}\n  found: {fault.found}"
        )
    held = (
        "not held against a checkpoint kept elsewhere"
        if report.held_against_seq is None
        else f"reaches the kept checkpoint at {report.held_against_seq}"
    )
    return (
        f"intact: {report.entries} entries, {report.checkpoints} checkpoints, signed up to entry {report.signed_to_seq}; "
        + held
    )
