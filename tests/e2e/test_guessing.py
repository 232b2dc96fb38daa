"""Gift cards and vouchers under guesses: from one address, from forty, and by somebody who keeps nothing."""

from __future__ import annotations

import pytest

from e2e.people import VICTIMS, browser_of, email, password
from e2e.shops import Browser

CODES = [f"GIFT{n:04}AAA{letter}" for n, letter in zip(range(12), "BCDEFGAAAAAA", strict=True)]
FORTY = [f"62.{n}.5.5" for n in range(40)]


def guesses(shop, ips, codes):
    """Which code a guesser, who keeps its browser, was stopped at, counted from 1; and which cards it found."""
    found = []
    with Browser(shop, ips[0]) as browser:
        for number, code in enumerate(codes, 1):
            browser.http.headers["X-Forwarded-For"] = ips[number % len(ips)]
            answer = browser.post("/giftcards/", code=code)
            if answer.status_code == 403:
                return number, found
            if "500,000" in answer.text or "500.000" in answer.text:
                found.append(code)
    return 0, found


@pytest.mark.parametrize("addresses", [["62.4.4.4"], FORTY], ids=["one", "forty"])
def test_gift_card_guessing_ends_at_the_fifth_code(own_shop, unguarded, figures, addresses):
    """Whoever guesses codes learns nothing from the fifth on, also on changing addresses; without Shopward it finds cards."""
    stopped_at, found = guesses(own_shop, addresses, CODES)
    free, taken = guesses(unguarded, addresses, CODES)
    figures(
        {"attack": "gift-card guessing", "addresses": len(addresses), "stopped_at": stopped_at, "found": len(found),
         "unguarded_found": len(taken)}
    )  # fmt: skip
    assert 0 < stopped_at <= 5
    assert found == []
    assert (free, len(taken)) == (0, 6)


def test_a_guesser_who_keeps_nothing_learns_nothing_either(own_shop, own_server, histories, figures):
    """Another address and another browser with each code: from the fifth on nothing is said; the owner of a card is served."""
    assert own_server.post("/v1/events", histories, content_type="application/x-ndjson")[0] == 202
    stopped_at = 0
    for number, code in enumerate(CODES[:7], 1):
        with Browser(own_shop, f"66.{number}.6.6", number=number) as browser:
            answer = browser.post("/giftcards/", code=code)
        if answer.status_code == 403:
            stopped_at = stopped_at or number
    with browser_of(own_shop, VICTIMS[8]) as owner:
        assert owner.log_in(email(VICTIMS[8]), password(VICTIMS[8]))
        mine = owner.post("/giftcards/", code="GIFT0009AAAA")
    figures({"attack": "gift-card guessing, nothing kept", "stopped_at": stopped_at})
    assert 0 < stopped_at <= 5
    assert answer.status_code == 403, "the seventh is a card, and nothing is said of it"
    assert (mine.status_code, "500" in mine.text) == (200, True)
