"""Known vulnerabilities of what is installed here, from a list that lies on this machine; nothing is asked of the network.

Promise: every record of the list that concerns an installed package and its version is named once, however many databases
name it (aliases); a record that was withdrawn is passed over; one that cannot be read spoils no other and is counted. The
list is OSV's of PyPI (``https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip``), or a folder of such records.
What it does not do: it knows Python packages alone, and no list is newer than the day it was fetched.

Source: OSV schema 1.7, section "Evaluation" (https://ossf.github.io/osv-schema/#evaluation); PEP 440, PEP 503.
"""

from __future__ import annotations

import zipfile
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shopward.service.doctor.seen import AdvisoriesSeen, Advisory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

RECORD_BYTES_MAX: Final = 4 * 1024 * 1024
_UNREADABLE: Final = b""
"""For a record that is longer: no JSON, so that it is counted as one that cannot be read."""
_ECOSYSTEM: Final = "PyPI"
_FIRST: Final = Version("0.dev0")
"""OSV's "0": before every version, early ones too."""
_GRAVE: Final = frozenset({"HIGH", "CRITICAL"})


class _Package(Struct):
    name: str = ""
    ecosystem: str = ""


class _Event(Struct):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class _Range(Struct):
    type: str = ""
    events: list[_Event] = []


class _Affected(Struct):
    package: _Package = msgspec.field(default_factory=_Package)
    ranges: list[_Range] = []
    versions: list[str] = []


class _Specific(Struct):
    severity: str | None = None


class _Record(Struct):
    id: str
    modified: str
    withdrawn: str | None = None
    aliases: list[str] = []
    affected: list[_Affected] = []
    database_specific: _Specific | None = None


_record: Final = msgspec.json.Decoder(_Record)


def installed() -> dict[str, str]:
    """Version by normalised name of everything that this interpreter can import."""
    return {
        canonicalize_name(name): each.version for each in distributions() if (name := each.metadata["Name"])
    }


def advisories_in(source: Path, packages: Mapping[str, str]) -> AdvisoriesSeen:
    """What a list says of these packages.

    Args:
        source: OSV's zip file, or a folder of its ``.json`` records.
        packages: version by normalised name.

    Raises:
        OSError: the list cannot be read at all.
        BadZipFile: the file is no zip.
    """
    found: dict[str, Advisory] = {}
    newest, records, broken = "", 0, 0
    for data in _records_of(source):
        try:
            record = _record.decode(data)
        except msgspec.MsgspecError:
            broken += 1
            continue
        records += 1
        newest = max(newest, record.modified)
        if record.withdrawn:
            continue
        for advisory in _concerning(record, packages):
            _keep(found, advisory, (record.id, *record.aliases))
    distinct = {id(each): each for each in found.values()}
    return AdvisoriesSeen(records, broken, newest[:10], tuple(distinct.values()))


def is_affected(affected: _Affected, version: str) -> tuple[bool, str]:
    """Whether a version is affected, and the first version that is not, if the record names one."""
    try:
        at = Version(version)
    except InvalidVersion:
        return version in affected.versions, ""
    for each in affected.ranges:
        if each.type not in ("ECOSYSTEM", "SEMVER"):
            continue
        inside, fixed = _inside(each.events, at)
        if inside:
            return True, fixed
    return any(_same(each, at) for each in affected.versions), ""


def _inside(events: Iterable[_Event], at: Version) -> tuple[bool, str]:
    """Whether a version lies between an introduction and its end, and the first version above it that is free of it."""
    inside, fixed = False, ""
    for moment, each in sorted(_moments(events), key=lambda pair: pair[0]):
        if each.introduced is not None:
            inside = inside or at >= moment
        elif each.last_affected is not None:
            inside = inside and at <= moment
        elif at >= moment:
            inside = False
        elif inside and not fixed:
            fixed = each.fixed or ""
    return inside, fixed if inside else ""


def _moments(events: Iterable[_Event]) -> Iterator[tuple[Version, _Event]]:
    """Events with their version; one that is no version of Python's is passed over, as ``limit`` is (it names branches)."""
    for each in events:
        text = each.introduced or each.fixed or each.last_affected
        if text is None:
            continue
        try:
            yield _FIRST if text == "0" else Version(text), each
        except InvalidVersion:
            continue


def _same(text: str, at: Version) -> bool:
    try:
        return Version(text) == at
    except InvalidVersion:
        return False


def _concerning(record: _Record, packages: Mapping[str, str]) -> Iterator[Advisory]:
    severity = (record.database_specific.severity if record.database_specific else None) or ""
    for affected in record.affected:
        if affected.package.ecosystem != _ECOSYSTEM:
            continue
        name = canonicalize_name(affected.package.name)
        version = packages.get(name)
        if version is None:
            continue
        is_hit, fixed = is_affected(affected, version)
        if is_hit:
            yield Advisory(record.id, name, version, fixed, is_grave=severity.upper() in _GRAVE)


def _keep(found: dict[str, Advisory], advisory: Advisory, names: tuple[str, ...]) -> None:
    """Keep one advisory under all of its names: the graver one, with a version that mends it."""
    keys = [f"{advisory.package} {each}" for each in names]
    had = next((found[key] for key in keys if key in found), advisory)
    kept = msgspec.structs.replace(
        had, fixed=had.fixed or advisory.fixed, is_grave=had.is_grave or advisory.is_grave
    )
    same = [key for key, each in found.items() if each is had]
    found.update(dict.fromkeys([*keys, *same], kept))


def _records_of(source: Path) -> Iterator[bytes]:
    if source.is_dir():
        for file in sorted(source.rglob("*.json")):
            yield file.read_bytes() if file.stat().st_size <= RECORD_BYTES_MAX else _UNREADABLE
        return
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".json"):
                yield archive.read(entry) if entry.file_size <= RECORD_BYTES_MAX else _UNREADABLE
