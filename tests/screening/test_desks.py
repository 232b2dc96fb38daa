"""Profiles, lists and cases on both databases: what counts after a restart, in another process, and without the store."""

import json
import threading
import tomllib

import pytest

from screening.shop import TOML
from shopward.access import Caller
from shopward.errors import NotFound, StoreUnavailable
from shopward.flows import screen
from shopward.flows.report_cases import Settling
from shopward.flows.reports import Reported
from shopward.flows.screen import LinkAsked
from shopward.values import DAY_MS

ANALYST = Caller("siti-laptop", "siti", ("analyst",))
PROFILE = tomllib.loads(TOML)


def level(shop, url):
    """Of a link."""
    return shop.screening.link(LinkAsked(url), "en").verdict


def codes(shop, url):
    """Of the reasons of a link."""
    return {reason.code for reason in shop.screening.link(LinkAsked(url), "en").reasons}


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch):
    """Every question looks for what is new."""
    monkeypatch.setattr(screen, "LOOK_S", 0.0)


def test_a_published_profile_survives_a_restart_and_is_written_once(opened):
    """The same profile again is the same publication."""
    with opened() as shop:
        with pytest.raises(NotFound):
            level(shop, "tokonusa.co.id")
        assert shop.screening.publish(ANALYST, PROFILE).number == 1
        assert shop.screening.publish(ANALYST, PROFILE).number == 1
        assert shop.screening.publish(ANALYST, PROFILE | {"aliases": ["Nusa Toko"]}).number == 2
    with opened() as shop:
        assert level(shop, "tokonusa.co.id") == "official"
        assert shop.screening.shown().number == 2


def test_reports_that_come_at_once_open_one_case(opened):
    """Whoever is first, and however many threads report the same site."""
    with opened() as shop:
        shop.screening.publish(ANALYST, PROFILE)
        taken = []

        def report(number):
            said = Reported(kind="link", url=f"https://hadiah.example/{number}", user=f"u{number}")
            taken.append(shop.reports.take(said, "en"))

        threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({each.case_id for each in taken}) == 1
        case, reports, _notes = shop.report_cases.case(taken[0].case_id, after="", limit=100)
        assert (case.reports, len(reports)) == (8, 8)


def test_a_confirmed_link_is_listed_for_its_time_and_after_a_restart(opened, clock):
    """Thirty days later it is somebody else's."""
    with opened() as shop:
        shop.screening.publish(ANALYST, PROFILE)
        case_id = shop.reports.take(Reported(kind="link", url="https://hadiah.example/x"), "en").case_id
        shop.report_cases.settle(ANALYST, case_id, Settling("confirmed"))
        assert "listed" in codes(shop, "https://hadiah.example/y")
    with opened() as shop:
        assert "listed" in codes(shop, "https://hadiah.example/y")
        clock.advance(30 * DAY_MS)
        assert "listed" not in codes(shop, "https://hadiah.example/y")


def test_a_feed_counts_when_its_file_changes_and_a_broken_one_leaves_what_it_said(opened, tmp_path, clock):
    """Beside the shop's own list."""
    feed = tmp_path / "feed.ndjson"
    feed.write_text("")
    with opened(link_lists=str(feed)) as shop:
        shop.screening.publish(ANALYST, PROFILE)
        assert "listed" not in codes(shop, "https://umpan.example/")
        line = {"link": "umpan.example", "source": "feed", "seen": "2999-01-01T00:00:00Z"}
        feed.write_text(json.dumps(line) + "\n")
        assert "listed" in codes(shop, "https://umpan.example/")
        feed.write_text("nonsense and longer than before, so that the file is another\n" * 9)
        assert "listed" in codes(shop, "https://umpan.example/")
        feed.unlink()
        assert "listed" in codes(shop, "https://umpan.example/")


def test_without_the_store_the_profile_in_force_goes_on_judging(opened, monkeypatch):
    """Screening fails open: a question is answered by what was known."""
    with opened() as shop:
        shop.screening.publish(ANALYST, PROFILE)

        def gone(_work):
            raise StoreUnavailable("gone")

        monkeypatch.setattr(shop.screening._records, "read", gone)
        assert level(shop, "tokonusa.co.id") == "official"
