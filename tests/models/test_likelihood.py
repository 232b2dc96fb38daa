"""The baseline: the stranger a login, the higher, step by step of the back-off."""

from __future__ import annotations

import pytest

from shopward.events import Facts
from shopward.risk.models.likelihood import LoginLikelihood


def login(user="u", *, country="ID", asn=1, net="n1", ip="i1", os="Android 14", status="succeeded", **fields):
    return Facts(
        "e",
        "login",
        status,
        user=user,
        country=country,
        asn=asn,
        net=net,
        ip=ip,
        os=os,
        device_type="mobile",
        browser="B",
        **fields,
    )


@pytest.fixture
def taught():
    """Twenty customers in two countries, and one who always comes from the same place."""
    likelihood = LoginLikelihood()
    for number in range(200):
        likelihood.observe(
            login(
                f"v{number % 20}",
                country="CN" if number % 2 else "ID",
                asn=number % 5,
                net=f"n{number % 9}",
                ip=f"i{number % 30}",
            )
        )
        likelihood.observe(login())
    return likelihood


def test_the_further_from_home_the_stranger(taught):
    """The same address, a new one in the known network, a new network, a new provider, a new country: each is stranger."""
    steps = [
        {},
        {"ip": "new"},
        {"net": "new", "ip": "new"},
        {"asn": 99, "net": "new", "ip": "new"},
        {"country": "SG", "asn": 99, "net": "new", "ip": "new"},
    ]
    scores = [taught.observe(login(status="failed", **step)) for step in steps]
    assert scores == sorted(scores)
    assert scores[0] < 0 < scores[-1]


def test_a_customer_without_history_is_as_likely_as_anybody(taught):
    """Nothing is known, so nothing speaks for or against."""
    assert taught.observe(login("new", status="failed", country="SG")) == 0.0


def test_failures_teach_nothing(taught):
    """A guesser does not make his own place known."""
    before = taught.observe(login(status="failed", ip="guess", net="guess", asn=7, country="CN"))
    for _ in range(50):
        after = taught.observe(login(status="failed", ip="guess", net="guess", asn=7, country="CN"))
    assert after == before
