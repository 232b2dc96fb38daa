"""Judging what was seen: each check says what is, how bad it is, and how to mend it; pure.

Promise: every check says something, also where all is well; what could not be looked at is ``unknown`` and not ``ok``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from shopward.service.doctor.seen import FileSeen, Seen

Level = Literal["ok", "unknown", "warn", "unsafe"]
LEVELS: Final[tuple[Level, ...]] = ("ok", "unknown", "warn", "unsafe")
"""The worst last."""

CERTIFICATE_SOON_MS: Final = 21 * DAY_MS
CHECKPOINT_OLD_MS: Final = 2 * DAY_MS
"""The server signs once a day."""
UNSETTLED_MS: Final = DAY_MS
KEY_OLD_MS: Final = 365 * DAY_MS
DISK_WARN: Final = 2 * 1024**3
DISK_UNSAFE: Final = 256 * 1024**2
FAILING_MS: Final = HOUR_MS
ADVISORIES_OLD_MS: Final = 7 * DAY_MS
OSV_LIST: Final = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
_OTHERS: Final = 0o077


class Check(Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    check: str
    level: Level
    says: str
    mend: str = ""


def judge(seen: Seen) -> list[Check]:
    """All checks, in the order of the page."""
    made: list[Check] = []
    for name, looks in _CHECKS.items():
        if name in seen.failed:
            failure = seen.failed[name]
            level: Level = "unsafe" if failure.is_down else "unknown"
            made.append(
                Check(name, level, f"could not be looked at: {failure.says}", failure.mend or _UNKNOWN)
            )
        else:
            found = list(looks(seen))
            made += [Check(name, level, says, mend) for level, says, mend in found]
    return made


def worst(checks: list[Check]) -> Level:
    """How bad the worst of them is."""
    return max((each.level for each in checks), key=LEVELS.index, default="ok")


_Said = Iterator[tuple[Level, str, str]]
_UNKNOWN: Final = "run it as the user of the server, with the server's settings"


def _settings(seen: Seen) -> _Said:
    if seen.settings_fault:
        yield "unsafe", seen.settings_fault, seen.settings_hint or "see docs/reference/settings.md"
    else:
        yield "ok", "the settings can be used together", ""


def _exposure(seen: Seen) -> _Said:
    if seen.is_loopback:
        yield "ok", "listens on this machine alone", ""
    elif seen.has_tls:
        yield "ok", "listens beyond this machine, under TLS", ""
    elif seen.behind_proxy:
        yield (
            "warn",
            "listens beyond this machine in clear text, for a proxy: who reaches the port goes past the proxy",
            "listen on 127.0.0.1 with the proxy beside it, or let a firewall admit the proxy alone",
        )
    else:
        yield (
            "unsafe",
            "listens beyond this machine in clear text",
            "give --tls-cert and --tls-key, or --host 127.0.0.1",
        )


def _certificate(seen: Seen) -> _Said:
    if not seen.has_tls:
        yield "ok", "no certificate of its own", ""
        return
    left_ms = seen.certificate_until_ms - seen.now_ms
    if left_ms <= 0:
        yield "unsafe", "the certificate has run out", "renew it and restart the server"
    elif left_ms < CERTIFICATE_SOON_MS:
        yield (
            "warn",
            f"the certificate runs out in {left_ms // DAY_MS} days",
            "renew it and restart the server",
        )
    else:
        yield "ok", f"the certificate is good for {left_ms // DAY_MS} days", ""
    if seen.tls_key is not None and seen.tls_key.mode & _OTHERS:
        yield "unsafe", "others can read the key of the certificate", f"chmod 600 {seen.tls_key.name}"


def _folder(seen: Seen) -> _Said:
    if not seen.files:
        yield "ok", "no data folder yet; the first start makes it", ""
        return
    folder, files = seen.files[0], seen.files[1:]
    open_to_others = [each for each in files if each.mode & _OTHERS]
    foreign = [each for each in seen.files if not each.is_ours]
    if folder.mode & _OTHERS:
        yield (
            "unsafe",
            f"others can enter the data folder (mode {folder.mode & 0o777:o})",
            f"chmod 700 {folder.name}",
        )
    if open_to_others:
        yield (
            "unsafe",
            f"others can read or write {_names(open_to_others)}",
            f"chmod 600 {_names(open_to_others, ' ')}",
        )
    if foreign:
        yield (
            "warn",
            f"{_names(foreign)}: another user's",
            "let the user of the server own the data folder and all in it",
        )
    if not (folder.mode & _OTHERS or open_to_others or foreign):
        yield "ok", "the data folder and its files are the server's alone", ""


def _keys(seen: Seen) -> _Said:
    for name in seen.missing_keys:
        yield (
            "unsafe",
            f"{name} is missing beside what was made under it",
            "restore it from the backup of the data folder",
        )
    if not seen.missing_keys:
        yield "ok", "every key that the store needs is there", ""


def _root(seen: Seen) -> _Said:
    root = seen.root
    if root is None:
        yield "ok", "no key of the vault yet; the first start makes them", ""
    elif root.fault:
        yield "unsafe", f"{root.name}: {root.fault}", root.hint
    elif root.is_bare:
        yield "ok", f"{root.name} opens the vault's {root.keys} keys; who has the data folder has it", ""
    else:
        yield "ok", f"{root.name} answers and opens the vault's {root.keys} keys", ""


def _events(seen: Seen) -> _Said:
    events = seen.events
    if events is None:
        yield "ok", "no event yet; all are sealed as they come", ""
        return
    if events.clear:
        yield (
            "warn",
            f"{events.clear} events from before they were sealed lie in clear",
            "keep the server running: it seals them beside the decisions",
        )
    if events.oldest_ended_ms and seen.now_ms - events.oldest_ended_ms > UNSETTLED_MS:
        yield (
            "warn",
            f"{events.waiting} days of the log are not settled: one key opens everybody's events of such a day",
            "keep the server running: it settles them; its log says why it cannot",
        )
        return
    if not events.clear:
        yield "ok", f"events are sealed as they were sent; {events.waiting} days are being settled", ""


def _api_keys(seen: Seen) -> _Said:
    if not seen.keys:
        yield "ok", "no API key yet; the first start prints one", ""
        return
    old = [each.name for each in seen.keys if seen.now_ms - each.made_ms > KEY_OLD_MS]
    if all(each.is_admin for each in seen.keys):
        yield (
            "warn",
            "every API key may do everything: a shop's server needs the role service alone",
            "make keys with roles (POST /v1/keys) and keep the first one for administration",
        )
    if old:
        yield (
            "warn",
            f"API keys older than a year: {', '.join(old)}",
            "make new ones, and take the old out of api-keys.json",
        )
    if not old and not all(each.is_admin for each in seen.keys):
        yield "ok", f"{len(seen.keys)} API keys, with roles", ""


def _staff(seen: Seen) -> _Said:
    staff = seen.staff
    if staff is None:
        yield "ok", "no person has a key of his own yet", ""
    elif staff.bare:
        yield (
            "warn",
            f"may see values of customers by the API key alone, and cannot meet a challenge: {', '.join(staff.bare)}",
            "let each enrol a passkey or an app: POST /v1/staff/PERSON/factors (docs/step-up.md, Staff)",
        )
    else:
        yield "ok", f"each of {staff.persons} persons who may see values has a second factor", ""


def _database(seen: Seen) -> _Said:
    store = seen.store
    if store is None:
        yield "ok", "no store yet; the first start makes it", ""
        return
    for each in store.unsafe:
        yield (
            "unsafe",
            f"an answer may be lost by a power cut: {each}",
            "set it as docs/doctor.md has it, and restart",
        )
    if store.is_remote and not store.is_encrypted:
        yield (
            "unsafe",
            "the database is elsewhere and is spoken to in clear text",
            "add ?sslmode=verify-full to its URL",
        )
    if not store.unsafe and (store.is_encrypted or not store.is_remote):
        yield "ok", f"{store.backend} answers, is durable, and holds {store.last_seq:,} events", ""


def _audit(seen: Seen) -> _Said:
    store = seen.store
    if store is None or not store.audit_lines:
        yield "ok", "nothing was audited yet", ""
    elif seen.now_ms - (store.checkpoint_ms or 0) > CHECKPOINT_OLD_MS:
        since = (
            f"{(seen.now_ms - store.checkpoint_ms) // DAY_MS} days ago" if store.checkpoint_ms else "never"
        )
        yield (
            "warn",
            f"the audit log was signed last: {since}",
            "keep the server running, or run shopward audit checkpoint; keep checkpoints where the server cannot change them",
        )
    else:
        yield "ok", "the audit log was signed within two days", ""


def _webhooks(seen: Seen) -> _Said:
    hooks = () if seen.store is None else seen.store.hooks
    off = [each.id for each in hooks if each.is_off]
    failing = [
        each.id for each in hooks
        if not each.is_off and each.failing_since_ms and seen.now_ms - each.failing_since_ms > FAILING_MS
    ]  # fmt: skip
    alerted = any(not each.is_off and (not each.topics or "campaign.opened" in each.topics) for each in hooks)
    if off:
        yield "warn", f"switched off: {', '.join(off)}", "mend the receiver, then shopward webhook replay"
    if failing:
        yield (
            "warn",
            f"nothing was taken for an hour: {', '.join(failing)}",
            "shopward webhook deliveries says why",
        )
    if not alerted:
        yield "warn", "nobody is told when an attack begins", "shopward webhook add https://... or mailto:..."
    if not off and not failing and alerted:
        yield "ok", f"{len(hooks)} webhooks take what they are told", ""


def _policy(seen: Seen) -> _Said:
    for each in seen.policy_faults:
        yield "unsafe", each, "shopward policy check and shopward policy test say more"
    if not seen.policy_faults:
        yield "ok", f"{seen.policy} compiles and passes its tests", ""


def _disk(seen: Seen) -> _Said:
    free = f"{seen.disk_free / 1024**3:.1f} GiB free of {seen.disk_total / 1024**3:.1f}"
    mend = "make room: a full disk stops decisions (503)"
    if seen.disk_free < DISK_UNSAFE:
        yield "unsafe", free, mend
    elif seen.disk_free < DISK_WARN:
        yield "warn", free, mend
    else:
        yield "ok", free, ""


def _clock(seen: Seen) -> _Said:
    ahead_ms = 0 if seen.store is None else seen.store.newest_ms - seen.now_ms
    if ahead_ms > MINUTE_MS:
        yield (
            "unsafe",
            f"this clock is {ahead_ms // MINUTE_MS} minutes behind what is recorded already",
            "set the clock and keep it by NTP: events would be refused as being of the future",
        )
    if seen.is_synchronised is False:
        yield "warn", "nothing keeps this clock right", "run chrony or systemd-timesyncd"
    elif seen.is_synchronised is None:
        yield "unknown", "this system does not say whether its clock is kept right", "keep it by NTP"
    elif ahead_ms <= MINUTE_MS:
        yield "ok", "the clock is kept right", ""


def _process(seen: Seen) -> _Said:
    if seen.is_root:
        yield (
            "warn",
            "runs as root",
            "give the server a user of its own, who owns the data folder and nothing else",
        )
    else:
        yield "ok", "runs without the rights of root", ""


def _speed(seen: Seen) -> _Said:
    if seen.is_compiled:
        yield "ok", "the compiled kernel is there", ""
    else:
        yield (
            "warn",
            "the compiled kernel is not installed: decisions are right, and slower",
            "pip install 'shopward[fast]'",
        )


def _advisories(seen: Seen) -> _Said:
    known = seen.advisories
    if known is None:
        yield (
            "unknown",
            "no list of known vulnerabilities was given",
            f"fetch {OSV_LIST}, then --advisories all.zip",
        )
        return
    for each in known.found:
        mend = (
            f"pip install -U '{each.package}>={each.fixed}'"
            if each.fixed
            else "no version mends it yet: read it"
        )
        yield "unsafe" if each.is_grave else "warn", f"{each.package} {each.version}: {each.id}", mend
    if not known.records or known.broken:
        yield (
            "unknown",
            f"{known.broken} records of the list could not be read, {known.records} could",
            f"fetch {OSV_LIST} anew",
        )
    elif seen.now_ms - _day_ms(known.newest) > ADVISORIES_OLD_MS:
        yield "warn", f"the list of known vulnerabilities ends on {known.newest}", f"fetch {OSV_LIST} anew"
    elif not known.found:
        yield "ok", f"none of {known.records:,} known vulnerabilities is of a package here", ""


def _day_ms(day: str) -> int:
    """The beginning of an ISO day, in milliseconds since 1970; 0 for no day."""
    try:
        return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return 0


def _names(files: list[FileSeen] | tuple[FileSeen, ...], between: str = ", ") -> str:
    return between.join(each.name for each in files)


_CHECKS: Final[dict[str, Callable[[Seen], _Said]]] = {
    "settings": _settings, "exposure": _exposure, "certificate": _certificate, "process": _process, "folder": _folder,
    "keys": _keys, "root": _root, "events": _events, "api_keys": _api_keys, "staff": _staff, "database": _database, "audit": _audit,
    "webhooks": _webhooks,
    "policy": _policy, "disk": _disk, "clock": _clock, "speed": _speed,
    "advisories": _advisories,
}  # fmt: skip
CHECKS: Final = tuple(_CHECKS)
"""Every check by its name; docs/doctor.md has a row for each."""
