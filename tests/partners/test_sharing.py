"""What a partner may get, and what opens it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shopward.errors import InvalidField, MalformedInput
from shopward.partners import (
    Agreement,
    AuditPlan,
    Contact,
    Partner,
    Share,
    check_partner,
    check_rows,
    check_share,
    due_ms,
    open_page,
    presets,
    refusal_of,
    reminder,
    seal_page,
)
from shopward.partners.audits import DAY_MS
from shopward.partners.partner import day_ms

KEY = X25519PrivateKey.generate()
COURIER = Partner(
    id="courier", name="Courier", kind="courier", agreement=Agreement("C-1", "2026-01-01", "2026-12-31"),
    scope={"delivery": ("name", "address")}, duties=("delete",), audit=AuditPlan(180, "2026-01-01"),
    contact=Contact("desk", "desk@courier.example"), public_key=base64.b64encode(KEY.public_key().public_bytes_raw()).decode(),
)  # fmt: skip
NOW = day_ms("2026-06-01", path="")
SHARE = Share("sh-1", "courier", "delivery", ("name",), 1, 1, "", "shop", NOW, NOW + DAY_MS)
ROWS = [{"id": "o-1", "name": "Budi"}]


def test_a_page_opens_for_its_place_alone() -> None:
    """Another page, share, partner, key or a flipped byte is refused."""
    sealed = seal_page(COURIER, "sh-1", 0, ROWS)
    assert b"Budi" not in sealed
    assert open_page(KEY, "courier", "sh-1", 0, sealed) == ROWS
    for key, partner, share, page, given_bytes in (
        (KEY, "courier", "sh-1", 1, sealed),
        (KEY, "courier", "sh-2", 0, sealed),
        (KEY, "courie", "rsh-1", 0, sealed),
        (X25519PrivateKey.generate(), "courier", "sh-1", 0, sealed),
        (KEY, "courier", "sh-1", 0, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, "courier", "sh-1", 0, sealed[:20]),
    ):
        with pytest.raises(MalformedInput):
            open_page(key, partner, share, page, given_bytes)


@pytest.mark.parametrize(
    ("partner", "share", "page", "now_ms", "code"),
    [
        (COURIER, SHARE, 0, NOW, None),
        (replace(COURIER, state="suspended"), SHARE, 0, NOW, "partner_suspended"),
        (replace(COURIER, state="ended"), SHARE, 0, NOW, "partner_agreement_over"),
        (
            COURIER,
            replace(SHARE, expires_ms=2 * NOW),
            0,
            day_ms("2027-01-01", path=""),
            "partner_agreement_over",
        ),
        (COURIER, SHARE, 0, NOW + DAY_MS, "share_over"),
        (COURIER, replace(SHARE, state="closed"), 0, NOW, "share_over"),
        (replace(COURIER, scope={"delivery": ("address",)}), SHARE, 0, NOW, "share_beyond_scope"),
        (COURIER, SHARE, 1, NOW, "share_page_missing"),
    ],
)
def test_each_reason_against_a_page_has_its_code(partner, share, page, now_ms, code) -> None:
    """What is over, suspended, narrowed or missing is refused, and the rest given."""
    refusal = refusal_of(partner, share, page=page, now_ms=now_ms)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("purpose", "fields", "rows", "days"),
    [
        ("delivery", ["name", "phone"], [{"id": "1"}], 1),
        ("marketing", ["name"], [{"id": "1"}], 1),
        ("delivery", ["name"], [{"id": "1", "address": "x"}], 1),
        ("delivery", ["name"], [{"name": "x"}], 1),
        ("delivery", ["name"], [], 1),
        ("delivery", ["name"], [{"id": "1"}], 0),
        ("delivery", [], [{"id": "1"}], 1),
    ],
)
def test_a_share_beyond_the_scope_is_refused(purpose, fields, rows, days) -> None:
    """Other fields, purposes, no rows and no days are no share."""

    def check():
        check_share(COURIER, purpose, fields, rows=len(rows), days=days)
        check_rows(fields, rows)

    with pytest.raises(InvalidField):
        check()


@pytest.mark.parametrize(
    "changes",
    [
        {"agreement": Agreement("C-1", "2026-01-02", "2025-01-01")},
        {"agreement": Agreement("C-1", "2026-02-30", "2027-01-01")},
        {"public_key": "AAAA"},
        {"public_key": base64.b64encode(bytes(32)).decode()},
        {"preset": "none"},
        {"preset": "taobao", "scope": {"call": ("address",)}},
        {"scope": {}},
    ],
)
def test_what_cannot_be_registered_is_refused(changes) -> None:
    """Dates out of order, keys that are none and fields beyond the preset."""
    with pytest.raises(InvalidField):
        check_partner(replace(COURIER, **changes))


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_can_be_used(name) -> None:
    """A partner with all that a preset allows is good, and its limits bind shares."""
    preset = presets()[name]
    partner = replace(COURIER, preset=name, scope=preset.purposes)
    check_partner(partner)
    purpose, fields = next(iter(preset.purposes.items()))
    with pytest.raises(InvalidField):
        check_share(partner, purpose, fields, rows=1, days=preset.days_max + 1)
    with pytest.raises(InvalidField):
        check_share(partner, purpose, fields, rows=preset.rows_max + 1, days=1)


def test_reminders_come_before_on_and_after_the_day() -> None:
    """Thirty days, seven days, the day, and each week of delay; none twice."""
    plan, told, days = AuditPlan(180, "2026-01-01"), 0, []
    for day in range(200):
        owed = reminder(plan, reminded=told, now_ms=day_ms("2026-01-01", path="") + day * DAY_MS)
        if owed is not None:
            told = owed.number
            days.append(owed.days_left)
    assert days == [30, 7, 0, -7, -14]


@given(st.integers(min_value=1, max_value=1_096), st.integers(min_value=-400, max_value=2_000))
def test_a_reminder_that_was_told_is_not_owed_again(every, day) -> None:
    """Telling what is owed leaves nothing owed at the same moment."""
    plan = AuditPlan(every, "2026-01-01")
    now_ms = due_ms(plan) + day * DAY_MS
    owed = reminder(plan, reminded=0, now_ms=now_ms)
    if owed is not None:
        assert reminder(plan, reminded=owed.number, now_ms=now_ms) is None
