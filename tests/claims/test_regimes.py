"""Regimes against worked examples: who bears how much, how long it may take."""

from datetime import UTC, datetime

import pytest

from shopward.calendars import Place, Within, due_ms
from shopward.claims import Claim, Item, assess, load_regime, shipped_regimes
from shopward.claims.liability import Loss, customer_share
from shopward.errors import InvalidField
from shopward.values import DAY_MS, from_ms, to_ms

MONDAY = to_ms(datetime(2026, 3, 2, 15, tzinfo=UTC))
REG_E, UK, FULL = (shipped_regimes()[name] for name in ("reg_e", "uk_app", "full"))


def usd(*losses):
    """Losses by day after Monday, in whole dollars."""
    return [Loss(MONDAY + day * DAY_MS, dollars * 100) for day, dollars in losses]


def reg_e_share(losses, *, learned, notice, statement=None):
    """What the customer bears, in dollars, by days after Monday."""
    share = customer_share(
        usd(*losses), currency="USD", regime=REG_E, notice_ms=MONDAY + notice * DAY_MS,
        learned_ms=MONDAY + learned * DAY_MS, is_vulnerable=False,
        statement_ms=0 if statement is None else MONDAY + statement * DAY_MS,
    )  # fmt: skip
    return share / 100


@pytest.mark.parametrize(
    ("losses", "when", "bears"),
    [
        # told in two business days: 50 at most, or what was lost
        ([(0, 100), (1, 600)], {"learned": 0, "notice": 2}, 50),
        ([(0, 20)], {"learned": 0, "notice": 1}, 20),
        # told later: 50 of the first two days and what came after them, 500 at most
        ([(0, 100), (3, 300)], {"learned": 0, "notice": 5}, 350),
        ([(0, 100), (3, 600)], {"learned": 0, "notice": 5}, 500),
        ([(0, 30), (3, 40)], {"learned": 0, "notice": 5}, 70),
        # learned on Friday: Saturday and Sunday are no business days
        ([(4, 100), (8, 400)], {"learned": 4, "notice": 8}, 50),
        # more than 60 days after the statement: what went after them is his: 500 + 800
        ([(0, 100), (3, 600), (75, 800)], {"learned": 0, "notice": 80, "statement": 10}, 1_300),
        ([(75, 800)], {"learned": 0, "notice": 80, "statement": 10}, 800),
    ],
)
def test_regulation_e(losses, when, bears):
    """12 CFR 1005.6(b)(1), (2) and (3)."""
    assert reg_e_share(losses, **when) == bears


def uk_claim(*amounts, is_vulnerable=False, age_days=1):
    """A claim in pounds."""
    at = MONDAY - age_days * DAY_MS
    items = tuple(
        Item(event_id=f"e-{number}", transaction_id="t", at_ms=at + number, type="wallet_transfer", amount_minor=each * 100,
             currency="GBP")
        for number, each in enumerate(amounts)
    )  # fmt: skip
    return Claim(
        id="c", user="u", state="under_review", regime="uk_app", created_ms=at, items=items, notice_ms=MONDAY,
        received_ms=MONDAY, is_vulnerable=is_vulnerable,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "paid", "automatic"),
    [
        (uk_claim(450), 350, True),
        (uk_claim(450, is_vulnerable=True), 450, True),
        (uk_claim(60), 0, True),
        (uk_claim(700), 600, False),
        (uk_claim(90_000), 85_000, False),
        (uk_claim(90_000, is_vulnerable=True), 85_000, False),
        (uk_claim(40_000, 50_000, 10_000), 85_000, False),
        (uk_claim(450, age_days=500), 350, False),
    ],
)
def test_uk_like(claim, paid, automatic):
    """An excess of 100 that a vulnerable customer is spared, a cap of 85,000, thirteen months."""
    found = assess(claim, UK, is_victim=False)
    assert sum(item.borne_minor for item in found.items) == paid * 100
    assert found.is_automatic == automatic


def day_of(at_ms, zone_hours=0):
    """The day, in UTC moved by so many hours."""
    return from_ms(at_ms + zone_hours * 3_600_000).strftime("%m-%d %H:%M")


def test_five_business_days_pass_over_weekends_and_holidays():
    """Received on the Thursday before Easter in England: Friday and Monday are holidays."""
    thursday = to_ms(datetime(2026, 4, 2, 9, tzinfo=UTC))
    assert day_of(due_ms(thursday, UK.decide_within, UK.place), 1) == "04-13 23:59"
    assert day_of(due_ms(thursday, Within(72, "hours"), UK.place)) == "04-05 09:00"


def test_a_day_ends_where_the_regime_says():
    """In New York the second of March still has hours when London's has ended; summer time moves the end."""
    late = to_ms(datetime(2026, 3, 3, 2, tzinfo=UTC))
    place = Place("US", "America/New_York")
    assert from_ms(due_ms(late, Within(1, "days"), place)).isoformat() == "2026-03-04T04:59:59.999000+00:00"
    assert from_ms(due_ms(late, Within(7, "days"), place)).isoformat() == "2026-03-10T03:59:59.999000+00:00"


@pytest.mark.parametrize(
    "change",
    [
        ('source = "', 'origin = "'),
        ("amount = 5,", "amount = -5,"),
        ("business_days", "working_days"),
        ("CNY = 1", "yuan = 1"),
        ('name = "full"', "name = 1"),
        ("Asia/Shanghai", "Asia/Atlantis"),
        ('country = "CN"', 'country = "XX"'),
        ("[auto", "[[auto"),
    ],
)
def test_a_broken_regime_is_refused(change):
    """A missing source, a negative time, an unknown word: refused with its place."""
    from importlib.resources import files  # noqa: PLC0415 -- the text that ships

    text = files("shopward.claims.regimes").joinpath("full.toml").read_text("utf-8")
    assert load_regime(text) == FULL
    with pytest.raises(InvalidField) as refused:
        load_regime(text.replace(*change))
    assert refused.value.path
