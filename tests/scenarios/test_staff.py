"""Row 18: staff who read or export what no case asks for, and staff who have much to do."""

from __future__ import annotations

from shopward.testing.attackers import InsiderScrape

HONEST_STOPPED_MAX = 0.015


def test_row_18_insider(stage):
    """Reads without a case are challenged by the 45th, most of what follows too, and a large export is refused."""
    told = stage.attack(InsiderScrape(reads=120, exports=2, records_per_export=1_500))
    reads = told.of("pii_view")
    assert reads.first("unexplained_reads", "steady_overreading") <= 45
    later = type(told)(reads[45:])
    assert later.share(later.stopped) >= 0.7
    assert all("sms" in t.excluded for t in reads.stopped)
    exports = told.of("pii_export")
    assert all(t.record.decision == "deny" and "large_export" in t.codes for t in exports)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_a_sale_day_at_one_desk_is_not_stopped(quiet):
    """Ten times the usual reads in a day, each with its case, are at most looked at afterwards."""
    told = quiet.tell(quiet.shop.staff_peak(reads=150))
    assert not told.stopped


def test_honest_staff_are_not_stopped_on_the_shops_own_sale_days(quiet):
    """Over a month with two sale days, nobody on the staff is stopped."""
    quiet.shop.ordinary_days(16)
    told = quiet.everything()
    reads = type(told)(t for kind in ("pii_view", "pii_search", "pii_export") for t in told.of(kind))
    assert not reads.stopped
