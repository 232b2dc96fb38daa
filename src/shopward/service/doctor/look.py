"""Looking: gathers what the doctor judges, and changes nothing.

Promise: nothing is made, mended or locked: files are looked at before the store is opened (opening mends the mode of a
database), and the store is read beside whoever owns it. What cannot be looked at is named under its check with the kind of
the failure alone, since a message of the system could hold a path or a password.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

from cryptography import x509
from sqlalchemy import select

from shopward.access.keys import FILE_NAME as KEYS_FILE
from shopward.access.keys import keys_in
from shopward.access.token_key import TOKEN_KEY
from shopward.adapters.bundles import put_in_force
from shopward.adapters.sql import SqlEventLog, open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.audit import AuditTrail
from shopward.audit.keys import AUDIT_KEY
from shopward.audit.tables import audit_head
from shopward.errors import (
    Misconfigured,
    ModelInvalid,
    NotFound,
    PolicyInvalid,
    ShopwardError,
    StoreUnavailable,
)
from shopward.keyring.keys import KEY_BYTES
from shopward.outbox.registry import WEBHOOK_KEY, Endpoints, has_endpoints, sealer_of
from shopward.publication.store import PolicyStore
from shopward.risk.policy import PolicyFiles
from shopward.risk.policy.selftest import run_tests
from shopward.service.checks import check_settings
from shopward.service.desks import TENANT
from shopward.service.doctor.advisories import advisories_in, installed
from shopward.service.doctor.events import look_at_events
from shopward.service.doctor.roots import look_at_root
from shopward.service.doctor.seen import Failure, FileSeen, HookSeen, KeySeen, Seen, StoreSeen
from shopward.service.doctor.staff import look_at_staff
from shopward.service.stores import edition_of_files
from shopward.stepup import Store
from shopward.stepup.keys import STEPUP_KEY
from shopward.values import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from shopward.config import Settings
    from shopward.risk.policy import Policy
    from shopward.values import Clock

_TIME_ERROR: Final = 5
"""What ``adjtimex(2)`` returns where the kernel's clock is not synchronised."""
_TIMEX_BYTES: Final = 512
"""More than ``struct timex`` has on any machine; all zero, it asks and sets nothing."""
FAULTS_MAX: Final = 5


def look(settings: Settings, clock: Clock, *, advisories: str = "") -> Seen:
    """Everything that is judged; it raises nothing of the store's, the policy's or the files'.

    Args:
        settings: as the server would take them.
        clock: what time it is.
        advisories: OSV's zip file of PyPI, or a folder of its records; empty for none.
    """
    failed: dict[str, Failure] = {}
    seen: dict[str, Any] = {
        "now_ms": clock.now_ms(),
        "host": settings.host,
        "is_loopback": is_loopback(settings.host),
        "has_tls": settings.has_tls,
        "behind_proxy": settings.behind_proxy,
        "is_root": os.geteuid() == 0,
        "is_synchronised": _is_synchronised(),
    }
    looks: dict[str, Callable[[Settings], dict[str, Any]]] = {
        "settings": _settings,
        "certificate": _certificate,
        "folder": _files,  # before the store is opened
        "api_keys": _api_keys,
        "disk": _disk,
        "database": _stored,
        "policy": _policy,
        "speed": _kernel,
        "advisories": lambda _settings: _advisories(advisories),
    }
    for check, work in looks.items():
        try:
            seen |= work(settings)
        except ShopwardError as refused:
            is_down = isinstance(refused, StoreUnavailable)
            failed[check] = Failure(refused.message, refused.hint or "", is_down=is_down)
        except (OSError, ValueError, BadZipFile) as error:
            failed[check] = Failure(type(error).__name__)
    if "database" in failed:
        failed |= dict.fromkeys(
            ("keys", "root", "events", "staff", "audit", "webhooks"), Failure("the store cannot be read")
        )
    return Seen(**seen, failed=failed)


def _settings(settings: Settings) -> dict[str, Any]:
    try:
        check_settings(settings)
    except Misconfigured as refused:
        return {"settings_fault": refused.message, "settings_hint": refused.hint or ""}
    return {}


def _certificate(settings: Settings) -> dict[str, Any]:
    if not settings.has_tls:
        return {}
    chain = x509.load_pem_x509_certificates(Path(settings.tls_cert).read_bytes())
    until = min(each.not_valid_after_utc for each in chain)
    return {
        "certificate_until_ms": int(until.timestamp() * 1000),
        "tls_key": _file(Path(settings.tls_key)),
    }


def _files(settings: Settings) -> dict[str, Any]:
    folder = settings.folder
    if not folder.exists():
        return {"files": ()}
    inside = sorted(each for each in folder.iterdir() if each.is_file())
    return {"files": (_file(folder), *(_file(each) for each in inside))}


def _api_keys(settings: Settings) -> dict[str, Any]:
    file = settings.folder / KEYS_FILE
    if not file.exists():
        return {"keys": ()}
    return {"keys": tuple(
        KeySeen(key.name, "admin" in key.roles, int(datetime.fromisoformat(key.created).timestamp() * 1000))
        for key in keys_in(file.read_bytes())
    )}  # fmt: skip


def _disk(settings: Settings) -> dict[str, Any]:
    folder = settings.folder
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return {"disk_free": usage.free, "disk_total": usage.total}


def _stored(settings: Settings) -> dict[str, Any]:
    try:
        log = SqlEventLog.open_to_read(settings.database_url)
    except NotFound:  # nothing was started here yet
        return {"store": None}
    engine = open_engine(settings.database_url)
    records = SqlRecords(engine)
    try:
        newest = log.read(after_seq=max(0, log.last_seq() - 1), limit=1)
        return records.read(
            lambda connection: {
                "store": StoreSeen(
                    backend={"sqlite": "SQLite"}.get(engine.dialect.name, "PostgreSQL"),
                    is_remote=not _is_here(engine.url.host),
                    last_seq=log.last_seq(),
                    newest_ms=max((entry.recorded_ms for entry in newest), default=0),
                    **_of_database(connection),
                    **_of_records(connection),
                ),
                "root": look_at_root(connection, settings),
                "events": look_at_events(connection, log.last_seq()),
                "staff": look_at_staff(connection, settings.folder),
                "missing_keys": tuple(_missing(connection, settings.folder, has_events=log.last_seq() > 0)),
            }
        )
    finally:
        records.close()
        log.close()


def _of_database(connection: Connection) -> dict[str, Any]:
    """How durable it is, and whether others can listen on the way."""
    if connection.dialect.name == "sqlite":
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        unsafe = [] if mode == "wal" else [f"journal_mode is {mode}, not wal"]
        unsafe += [] if level in (2, 3) else ["synchronous is not full"]
        return {"unsafe": tuple(unsafe), "is_encrypted": False}
    off = [
        f"{name} is off"
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off"
    ]
    has_tls = connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar()
    return {"unsafe": tuple(off), "is_encrypted": bool(has_tls)}


def _of_records(connection: Connection) -> dict[str, Any]:
    """What stands in the audit log and among the webhooks."""
    checkpoint = AuditTrail(TENANT).newest_checkpoint(connection)
    lines = connection.scalar(select(audit_head.c.last_seq).where(audit_head.c.tenant == TENANT))
    endpoints = Endpoints(
        TENANT, sealer_of(bytes(KEY_BYTES)), secrets.token_bytes
    )  # nothing is unsealed here
    return {
        "audit_lines": int(lines or 0),
        "checkpoint_ms": 0 if checkpoint is None else checkpoint.at_ms,
        "hooks": tuple(
            HookSeen(each.id, each.state == "off", each.failing_since_ms, each.topics)
            for each in endpoints.all(connection)
        ),
    }


def _missing(connection: Connection, folder: Path, *, has_events: bool) -> Iterator[str]:
    """Keys that are gone beside what was made under them."""
    in_use = {
        TOKEN_KEY: has_events,
        AUDIT_KEY: AuditTrail(TENANT).newest_checkpoint(connection) is not None,
        STEPUP_KEY: not Store(TENANT).nothing_enrolled(connection),
        WEBHOOK_KEY: has_endpoints(connection, TENANT),
    }
    for file, is_needed in in_use.items():
        if is_needed and not (folder / file.name).exists():
            yield file.name


def _policy(settings: Settings) -> dict[str, Any]:
    """The policy that would be in force: a folder's, else what was published last, else the one that ships."""
    try:
        policy = _published(settings) or edition_of_files(settings).policy
        put_in_force(policy, settings.models)
    except (PolicyInvalid, ModelInvalid, NotFound) as wrong:
        return {"policy_faults": (f"{wrong.message} ({wrong.path or wrong.found or 'see policy check'})",)}
    failed = [each for each in run_tests(policy) if not each.passed]
    faults = tuple(f"test {each.number} of rule {each.rule} fails" for each in failed[:FAULTS_MAX])
    return {"policy": policy.version, "policy_faults": faults}


def _published(settings: Settings) -> Policy | None:
    """What was published last; ``None`` where a folder comes first, or nothing was."""
    if settings.policy:
        return None
    try:
        SqlEventLog.open_to_read(settings.database_url).close()
    except ShopwardError:  # the check of the database says so
        return None
    records, store = SqlRecords(open_engine(settings.database_url)), PolicyStore(TENANT)
    try:
        newest = records.read(store.newest)
        files = None if newest is None else records.read(lambda each: store.files(each, newest.digest))
    finally:
        records.close()
    return None if files is None else PolicyFiles(files).compiled()


def _kernel(_settings: Settings) -> dict[str, Any]:
    return {"is_compiled": importlib.util.find_spec("numba") is not None}


def _advisories(source: str) -> dict[str, Any]:
    return {"advisories": advisories_in(Path(source), installed())} if source else {}


def _file(path: Path) -> FileSeen:
    """As it is, and not as a link to it is."""
    found = path.stat()
    return FileSeen(path.name, found.st_mode, found.st_uid == os.geteuid() or os.geteuid() == 0)


def _is_here(host: str | None) -> bool:
    """Whether a database is on this machine: a file, a socket, or loopback."""
    return not host or host.startswith("/") or is_loopback(host)


def _is_synchronised() -> bool | None:
    """What the kernel says of its clock; ``None`` where it cannot be asked."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else bool(state != _TIME_ERROR)
