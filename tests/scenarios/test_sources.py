"""Rows 1, 2, 3, 9, 12 and 23: one source, or many, against many accounts."""

from __future__ import annotations

from scenarios.stage import Stranger
from shopward.testing.attackers import (
    DistributedStuffing,
    GiftCardEnumeration,
    OneAddressStuffing,
    OtpBombing,
    OtpPumping,
    PasswordSpray,
    RecoveryAbuse,
)

HONEST_STOPPED_MAX = 0.015
SOURCES = ("stuffing_one_source", "stuffing_unknown_accounts", "stuffing_device", "brute_force_source")
WAVES = ("stuffing_wave_site", "stuffing_wave_provider")


def test_row_01_one_address_stuffing(stage):
    """Tries from one address are refused from the sixth on, and what got in is doubted on its return."""
    told = stage.attack(OneAddressStuffing(tries=60, hits=4))
    tries = [*told.of("login", label="stuffing"), *told.of("login", label="stuffing_hit")]
    tries.sort(key=lambda t: t.event["time"])
    assert all(t.record.decision == "deny" for t in tries[6:])
    assert told.first(*SOURCES) <= 6
    assert told.first("stuffing_one_source") <= 15
    back = told.of("login", label="ato")
    assert back.share(back.with_code("condemned_source", "foreign_after_suspicion")) >= 0.75
    entered = [user for user in told.users.values() if user.of("login", label="ato")]
    assert sum(bool(user.stopped) for user in entered) >= 0.75 * len(entered)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_02_distributed_stuffing(stage):
    """With an address for each try the wave itself is the sign: most of what gets in is doubted, failures are not."""
    told = stage.attack(DistributedStuffing(tries=200, hits=12))
    hits = told.of("login", label="stuffing_hit")
    assert hits.share(hits.with_code(*WAVES)) >= 0.8
    assert hits.share(t for t in hits if t.record.decision != "allow") >= 0.7
    assert hits.first(*WAVES) <= 6
    failed = told.of("login", "failed")
    assert failed.share(failed.denied) <= 0.05
    taken = [user for user in told.users.values() if user.of("login", label="ato")]
    assert sum(bool(user.stopped) for user in taken) >= 0.5 * len(taken)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_03_password_spray(stage):
    """One wrong password is refused from the tenth account on, and where it fits it has to be changed."""
    told = stage.attack(PasswordSpray(users=40, hits=6))
    for word in {t.event["credential"]["password_hmac"] for t in told.of("login", "failed")}:
        tries = [t for t in told.of("login", "failed") if t.event["credential"]["password_hmac"] == word]
        assert all(t.record.decision == "deny" and "password_spraying" in t.codes for t in tries[9:])
    fits = told.of("login", "succeeded").with_code("sprayed_password_fits")
    assert fits
    assert all(t.stopped for t in fits)
    assert all("sms" in t.excluded for t in fits if t.record.decision == "challenge")
    assert all("reset_password" in {action.type for action in t.record.actions} for t in fits)
    entered = [user for user in told.users.values() if user.of("login", label="ato")]
    assert sum(bool(user.stopped) for user in entered) >= 0.8 * len(entered)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_09_gift_card_enumeration(stage):
    """Guessed card numbers are refused from the sixth of an address on, also the right ones."""
    told = stage.attack(GiftCardEnumeration(checks=60))
    for address in {t.event["context"]["ip"] for t in told}:
        asked = [t for t in told if t.event["context"]["ip"] == address]
        assert all(t.record.decision == "deny" for t in asked[5:])
        assert {"gift_card_enumeration", "gift_card_guessing"} & asked[5].codes
    assert told.first("gift_card_enumeration") <= 12
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_12_otp_pumping(stage):
    """Codes for ever new numbers that nobody enters are refused from the eleventh of an address on."""
    told = stage.attack(OtpPumping(requests=120, hours=1.5))
    for address in {t.event["context"]["ip"] for t in told}:
        asked = [t for t in told.of("otp", "requested") if t.event["context"]["ip"] == address]
        assert all(t.record.decision == "deny" and "otp_pumping" in t.codes for t in asked[10:])
    assert all({"sms"} <= t.excluded for t in told if t.record.decision == "challenge")
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_12_otp_bombing(stage):
    """The fourth code in ten minutes, and the code that is then given away, need another factor than a message."""
    told = stage.attack(OtpBombing(gives_in=1.0))
    for flood in told.users.values():
        asked = flood.of("otp", "requested")
        assert all(t.stopped and "otp_bombing" in t.codes for t in asked[3:])
        given = flood.of("otp", "succeeded")
        assert all(t.stopped and "otp_after_flood" in t.codes for t in given)
        assert all({"sms", "whatsapp"} <= t.excluded for t in [*asked[3:], *given])
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_23_recovery_abuse(stage):
    """Resets for the fifth account are refused, and a sign-in from elsewhere after a reset is challenged."""
    told = stage.attack(RecoveryAbuse())
    asked = told.of("password_reset_request")
    assert all(t.record.decision == "deny" and "recovery_many_accounts" in t.codes for t in asked[4:])
    back = told.of("login", label="ato")
    assert back.share(back.with_code("recovered_from_elsewhere").stopped) >= 0.6
    challenged = [t for t in back.stopped if t.record.decision == "challenge"]
    assert all({"sms", "email"} <= t.excluded for t in challenged if "recovered_from_elsewhere" in t.codes)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


# --- a stranger's failed tries lock nobody out ------------------------------------------------------------------


def test_brute_force_on_one_account_does_not_lock_its_owner_out(quiet):
    """Thirty wrong passwords from a stranger are stopped by the fifth; the owner on the earned device is let in."""
    owner = quiet.regular()
    stranger = Stranger(quiet)
    tries = [
        stranger.does(owner, "login", "failed", credential={"password_hmac": f"p{number}"})
        for number in range(30)
    ]
    assert all(t.stopped and {"brute_force_source", "brute_force_device"} & t.codes for t in tries[4:])
    assert all("sms" in t.excluded for t in tries[4:])
    assert quiet.last(owner.login()).record.decision == "allow"
    assert quiet.last(owner.login(typos=3)).record.decision == "allow"


def test_stuffing_and_spraying_do_not_lock_customers_out(quiet):
    """While lists are tried on everybody, a customer who was tried too gets in on the earned device."""
    people = quiet.regulars(8)
    stranger = Stranger(quiet)
    for person in people * 3:
        tried = stranger.does(person, "login", "failed", credential={"password_hmac": "sprayed"})
    assert "stuffing_one_source" in tried.codes
    quiet.attack(OneAddressStuffing(tries=60, hits=0))
    quiet.attack(PasswordSpray(users=60, hits=0, hours=2.0))
    assert {quiet.last(person.login(typos=1)).record.decision for person in people} == {"allow"}


def test_the_owner_of_a_sprayed_password_is_let_in_to_change_it(quiet):
    """Whose own password is being sprayed is not stopped on the earned device, but asked to change it."""
    owner = quiet.regular()
    stranger = Stranger(quiet)
    for person in [quiet.shop.customer() for _ in range(12)]:
        stranger.does(person, "login", "failed", credential={"password_hmac": owner.customer.password})
    told = quiet.last(owner.login())
    assert told.record.decision == "review"
    assert told.codes == {"sprayed_password_owned"}
    assert [action.type for action in told.record.actions] == ["reset_password"]


# --- look-alikes ------------------------------------------------------------------------------------------------


def test_a_family_behind_one_address_is_not_stopped(quiet):
    """Eight people who sign in from one address within minutes, some with a typo, are all let in."""
    told = quiet.tell(quiet.shop.family_evening(members=8))
    assert not told.stopped


def test_regulars_behind_one_carrier_address_are_not_stopped(quiet):
    """Thirty customers behind one new address, every third with a typo or two, are let in on their earned devices."""
    people = quiet.regulars(30, days=3)
    line = quiet.shop.customer().customer.home
    for person in people:
        person.customer.home = line
    told = quiet.tell([person.login(typos=number % 3) for number, person in enumerate(people)])
    assert len({t.event["context"]["ip"] for t in told}) == 1
    assert {t.record.decision for t in told} == {"allow"}


def test_newcomers_behind_one_carrier_address_are_not_denied(quiet):
    """Forty customers whom nobody has seen before, behind one address with typos, may be asked but are not refused."""
    told = quiet.tell(quiet.shop.carrier_rush(customers=40))
    assert not told.denied
    assert not told.with_code(*SOURCES)
