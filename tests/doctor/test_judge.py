"""What the doctor makes of what it saw: all well is all ok, and each fault is named with what mends it."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from shopward.service.doctor import CHECKS, judge, worst
from shopward.service.doctor.seen import (
    AdvisoriesSeen,
    Advisory,
    EventsSeen,
    Failure,
    FileSeen,
    HookSeen,
    KeySeen,
    Seen,
    StaffSeen,
    StoreSeen,
)
from shopward.values import DAY_MS, HOUR_MS

NOW_MS = 1_790_000_000_000
STORE = StoreSeen(
    backend="SQLite", is_remote=False, is_encrypted=False, unsafe=(), last_seq=9, audit_lines=3,
    checkpoint_ms=NOW_MS - HOUR_MS, newest_ms=NOW_MS - 1_000, hooks=(HookSeen("w-1", False, 0, ()),),
)  # fmt: skip
WELL = Seen(
    now_ms=NOW_MS, host="127.0.0.1", is_loopback=True, has_tls=False, behind_proxy=False,
    files=(FileSeen("data", 0o40700, is_ours=True), FileSeen("token.key", 0o100600, is_ours=True)),
    keys=(KeySeen("first", is_admin=True, made_ms=NOW_MS - DAY_MS), KeySeen("shop", is_admin=False, made_ms=NOW_MS - DAY_MS)),
    store=STORE, policy="default@1", is_compiled=True, disk_free=2**40, disk_total=2**41, is_synchronised=True,
    advisories=AdvisoriesSeen(20_000, 0, "2026-09-20", ()),
)  # fmt: skip
TLS = {"has_tls": True, "is_loopback": False, "certificate_until_ms": NOW_MS + 90 * DAY_MS}


def test_all_well_says_so_of_every_check():
    """One line each, none of them to mend."""
    checks = judge(WELL)
    assert [each.check for each in checks] == list(CHECKS)
    assert {(each.level, each.mend) for each in checks} == {("ok", "")}
    assert worst(checks) == "ok"


@pytest.mark.parametrize(
    ("check", "level", "changes"),
    [
        ("settings", "unsafe", {"settings_fault": "no", "settings_hint": ""}),
        ("exposure", "unsafe", {"is_loopback": False}),
        ("exposure", "warn", {"is_loopback": False, "behind_proxy": True}),
        ("certificate", "unsafe", TLS | {"certificate_until_ms": NOW_MS - 1}),
        ("certificate", "warn", TLS | {"certificate_until_ms": NOW_MS + 5 * DAY_MS}),
        ("certificate", "unsafe", TLS | {"tls_key": FileSeen("k.pem", 0o100640, is_ours=True)}),
        ("process", "warn", {"is_root": True}),
        ("folder", "unsafe", {"files": (FileSeen("data", 0o40755, is_ours=True),)}),
        ("folder", "unsafe", {"files": (*WELL.files, FileSeen("audit.key", 0o100604, is_ours=True))}),
        ("folder", "warn", {"files": (FileSeen("data", 0o40700, is_ours=False),)}),
        ("keys", "unsafe", {"missing_keys": ("token.key",)}),
        ("staff", "warn", {"staff": StaffSeen(2, ("ani",))}),
        ("events", "warn", {"events": EventsSeen(clear=7)}),
        ("events", "warn", {"events": EventsSeen(0, 2, NOW_MS - 2 * DAY_MS)}),
        ("api_keys", "warn", {"keys": WELL.keys[:1]}),
        ("api_keys", "warn", {"keys": (*WELL.keys, KeySeen("old", is_admin=False, made_ms=NOW_MS - 400 * DAY_MS))}),
        ("database", "unsafe", {"store": replace(STORE, unsafe=("fsync is off",))}),
        ("database", "unsafe", {"store": replace(STORE, is_remote=True)}),
        ("database", "unsafe", {"failed": {"database": Failure("no", is_down=True)}}),
        ("database", "unknown", {"failed": {"database": Failure("older")}}),
        ("audit", "warn", {"store": replace(STORE, checkpoint_ms=NOW_MS - 3 * DAY_MS)}),
        ("audit", "warn", {"store": replace(STORE, checkpoint_ms=0)}),
        ("webhooks", "warn", {"store": replace(STORE, hooks=())}),
        ("webhooks", "warn", {"store": replace(STORE, hooks=(*STORE.hooks, HookSeen("w-2", True, 0, ())))}),
        ("webhooks", "warn", {"store": replace(STORE, hooks=(HookSeen("w-1", False, NOW_MS - 2 * HOUR_MS, ()),))}),
        ("advisories", "unknown", {"advisories": None}),
        ("advisories", "unknown", {"advisories": AdvisoriesSeen(1, 1, "2026-09-20", ())}),
        ("advisories", "warn", {"advisories": AdvisoriesSeen(9, 0, "2026-09-01", ())}),
        ("advisories", "warn", {"advisories": AdvisoriesSeen(9, 0, "2026-09-20", (Advisory("G-1", "x", "1", "2", is_grave=False),))}),
        ("advisories", "unsafe", {"advisories": AdvisoriesSeen(9, 0, "2026-09-20", (Advisory("G-1", "x", "1", "", is_grave=True),))}),
        ("policy", "unsafe", {"policy_faults": ("test 1 of rule x fails",)}),
        ("disk", "warn", {"disk_free": 2**30}),
        ("disk", "unsafe", {"disk_free": 2**20}),
        ("clock", "unsafe", {"store": replace(STORE, newest_ms=NOW_MS + HOUR_MS)}),
        ("clock", "warn", {"is_synchronised": False}),
        ("clock", "unknown", {"is_synchronised": None}),
        ("speed", "warn", {"is_compiled": False}),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_what_mends_it(check, level, changes):
    """That check alone is not ok, as bad as it is, and says what to do."""
    bad = [each for each in judge(replace(WELL, **changes)) if each.level != "ok"]
    assert {each.check for each in bad} == {check}
    assert worst(bad) == level
    assert all(each.says and each.mend for each in bad)


def test_nothing_was_started_yet_is_nothing_unsafe():
    """An empty machine has only to be told what will be made."""
    empty = replace(WELL, files=(), keys=(), store=None)
    assert worst(judge(empty)) == "warn"


def test_every_check_has_its_row():
    """docs/doctor.md explains each, and none that is gone."""
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(CHECKS)
