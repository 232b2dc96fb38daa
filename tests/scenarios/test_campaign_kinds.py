"""Kinds of campaigns that the default policy finds, from attacks amid honest days; honest days alone open none."""

from shopward.testing.attackers import InsiderScrape, OtpPumping

KINDS = ("insider_reads", "code_pumping")


def test_row_18_an_insiders_reads_are_one_campaign(stage):
    """Most of the accounts that were looked up without a reason belong to it; no other kind is opened by it."""
    before = {kind: stage.campaigns(kind) for kind in KINDS}
    assert before == {kind: [] for kind in KINDS}
    stage.attack(InsiderScrape(reads=90))
    ((accounts, confidence),) = stage.campaigns("insider_reads")
    assert accounts >= 60
    assert confidence >= 50
    assert stage.campaigns("code_pumping") == []


def test_row_12_codes_pumped_from_three_addresses_are_one_campaign(stage):
    """They share neither device nor address: the rate of codes for strangers joins them."""
    told = stage.attack(OtpPumping(requests=160))
    asked = {each.event["user"]["id"] for each in told}
    ((accounts, _confidence),) = stage.campaigns("code_pumping")
    assert 0.8 * len(asked) <= accounts <= 1.1 * len(asked)
    assert stage.campaigns("insider_reads") == []
