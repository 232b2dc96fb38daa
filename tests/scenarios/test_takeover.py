"""Rows 6, 7, 11, 13, 14, 20 and 21: into one account after another."""

from __future__ import annotations

from datetime import datetime

from scenarios.stage import Stage, Stranger
from shopward.testing.attackers import (
    DormantTakeover,
    ImpossibleTravel,
    NewDeviceThenChange,
    OtpPhishing,
    RefundHijack,
    SessionTheft,
    WhatsAppTap,
)

HONEST_STOPPED_MAX = 0.015
CHANGES = ("password_change", "phone_change", "mfa_remove", "payee_add")


def known_before(stage, tale):
    """The part of a story that happens to customers whom the engine had seen succeed more than two days before."""
    seen = {}
    for told in stage.everything():
        if not told.label and told.event["status"] == "succeeded" and "actor" not in told.event:
            seen.setdefault(told.user, told.event["time"])

    def long_enough(told):
        first = seen.get(told.user)
        return first is not None and moment(told.event["time"]) - moment(first) > 2 * 86_400

    return type(tale)(told for told in tale if long_enough(told))


def moment(text):
    """Seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def card(number):
    """A gift card."""
    return {"id": f"t-{number}", "amount_minor": 2_500, "currency": "USD", "instrument": "gift_card"}


def test_row_06_impossible_travel(stage):
    """Whoever signs in far away within the hour on a device never seen is challenged at once."""
    told = known_before(stage, stage.attack(ImpossibleTravel(victims=8)))
    entries = told.of("login")
    assert entries.share(entries.with_code("impossible_travel").stopped) >= 0.8
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_07_new_device_then_change(stage):
    """A change of credentials or payees right after a new device is challenged, never by a message to the new phone."""
    told = known_before(stage, stage.attack(NewDeviceThenChange(victims=14)))
    changes = type(told)(t for kind in CHANGES for t in told.of(kind))
    caught = changes.with_code("new_device_credential_change", "new_device_new_payee").stopped
    assert changes.share(caught) >= 0.75
    credentials = changes.with_code("new_device_credential_change")
    assert all({"sms", "whatsapp"} <= t.excluded for t in credentials)
    assert all("hold" in {action.type for action in t.record.actions} for t in caught)
    money = told.of("wallet_transfer", "attempted")
    assert money.share(money.stopped) >= 0.8
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_11_otp_phishing(stage):
    """A code typed in on another device than it was asked for on is challenged, and no code is asked for again."""
    told = stage.attack(OtpPhishing(victims=12, split_share=1.0))
    typed = told.of("otp", "succeeded")
    assert typed.share(typed.with_code("otp_relayed").stopped) >= 0.9
    assert typed.first("otp_relayed") <= 2
    assert all({"sms", "whatsapp"} <= t.excluded for t in typed.with_code("otp_relayed"))
    entries = told.of("login").with_code("code_relayed_login")
    assert told.of("login").share(entries) >= 0.9
    assert entries.share(t for t in entries if t.record.decision != "allow") >= 0.9
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_11_code_talked_out_on_one_device(stage):
    """A code asked for and typed in on one foreign device is doubted, and most accounts are stopped before the end."""
    told = known_before(stage, stage.attack(OtpPhishing(victims=12, split_share=0.0)))
    typed = told.of("otp", "succeeded")
    assert typed.share(typed.with_code("foreign_code")) >= 0.8
    assert all("sms" in t.excluded for t in told.with_code("foreign_code").stopped)
    assert sum(bool(user.stopped) for user in told.users.values()) >= 0.5 * len(told.users)


def test_row_13_session_theft(stage):
    """A session that goes on elsewhere is challenged at its first event there, and ended."""
    told = stage.attack(SessionTheft())
    first = [user[0] for user in told.users.values()]
    assert all(t.stopped and "session_stolen" in t.codes for t in first)
    assert all("revoke_sessions" in {action.type for action in t.record.actions} for t in first)
    assert all("sms" in t.excluded for t in first)
    assert told.share(told.stopped) >= 0.9
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_14_whatsapp_tap(stage):
    """The link is challenged without messages, and so is each reading on it, days later too."""
    told = stage.attack(WhatsAppTap())
    link = told.of("device_link")[0]
    assert link.stopped
    assert "device_linked_after_code" in link.codes
    reads = told.of("message_received")
    assert reads.share(reads.with_code("messages_read_by_stranger").stopped) == 1.0
    assert all({"sms", "whatsapp"} <= t.excluded for t in [link, *reads])
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_14_link_without_a_code(quiet):
    """A device that nobody knows, linked by a stolen picture of a code, is challenged; the agent's own is not."""
    owner = quiet.regular()
    link = Stranger(quiet).does(owner, "device_link")
    assert link.stopped
    assert "device_linked_by_stranger" in link.codes
    assert {"sms", "whatsapp"} <= link.excluded
    assert quiet.last(owner.do("device_link")).record.decision == "allow"
    assert quiet.last(owner.do("message_received")).record.decision == "allow"


def test_row_14_agents_link_again_and_read(stage):
    """What the shop's own agents link and read is never stopped."""
    stage.shop.ordinary_days(10)
    told = stage.everything()
    assert not [t for kind in ("device_link", "message_received") for t in told.of(kind).stopped]


def test_row_20_dormant_takeover():
    """An account that was silent for 90 watched days and spends at once from a new device is challenged."""
    stage = Stage(1, days=92, residents=60)
    told = stage.attack(DormantTakeover(victims=8))
    spends = [user.of("payment")[0] for user in told.users.values()]
    caught = [t for t in spends if t.stopped and "dormant_account_spends" in t.codes]
    assert len(caught) >= 0.8 * len(spends)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_20_an_account_seen_long_ago(quiet):
    """Who was here before and comes back after 90 days is challenged on a new device, and not on the old one."""
    sleepers = quiet.regulars(2)
    quiet.shop.advance(days=95)
    thief = Stranger(quiet)
    thief.does(sleepers[0], "login")
    spent = thief.does(
        sleepers[0],
        "payment",
        transaction={"id": "t-1", "amount_minor": 4_900, "currency": "USD", "instrument": "card"},
    )
    assert spent.stopped
    assert "dormant_account_spends" in spent.codes
    assert quiet.last(sleepers[1].login()).record.decision == "allow"
    assert quiet.last(sleepers[1].pay()).record.decision == "allow"


def test_row_21_refund_hijack(stage):
    """An order called off and a refund asked for after a strange change of address are challenged, and held."""
    told = stage.attack(RefundHijack(victims=8))
    for kind in ("order_cancel", "refund_request"):
        steps = told.of(kind)
        caught = steps.with_code("refund_redirected").stopped
        assert steps.share(caught) >= 0.8
        assert all("hold" in {action.type for action in t.record.actions} for t in caught)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


# --- look-alikes, and what a thief cannot teach -----------------------------------------------------------------


def test_a_traveller_is_not_stopped(quiet):
    """A regular customer who lands abroad with the same phone is let in."""
    told = quiet.tell(quiet.shop.traveller(quiet.regular()))
    assert not told.stopped


def test_new_phones_are_not_denied_and_seldom_challenged(quiet):
    """Regular customers with a new phone at home get in with a code and buy something."""
    told = type(quiet.everything())()
    for person in quiet.regulars(10):
        told += quiet.tell(quiet.shop.new_phone(person))
    assert not told.denied
    assert told.share(told.stopped) <= 0.05


def test_a_challenged_device_is_not_learnt(quiet):
    """A thief who was challenged and reads on has a device as strange after two days as at first."""
    owner = quiet.regular()
    thief = Stranger(quiet, far_from=owner)
    thief.does(owner, "otp", "requested")
    thief.does(owner, "otp")
    owner.login()
    entry = thief.does(owner, "login")
    assert entry.record.decision == "challenge"
    assert "impossible_travel" in entry.codes
    for _ in range(4):
        thief.does(owner, "order_view")
        quiet.shop.advance(hours=12)
    third = [thief.does(owner, "gift_card_redeem", transaction=card(number)) for number in range(3)][2]
    assert third.stopped
    assert "rapid_redemption" in third.codes


def test_a_device_is_learnt_once_its_challenge_is_passed(quiet):
    """The owner abroad on a new phone passes the challenge, enters again, and the phone is known a day later."""
    owner = quiet.regular()
    abroad = Stranger(quiet, far_from=owner)
    owner.login()
    asked = abroad.does(owner, "login")
    assert asked.record.decision == "challenge"
    proof = {"decision_id": asked.record.id, "factor": "passkey"}
    abroad.does(owner, "challenge", challenge=proof)
    assert abroad.does(owner, "login").record.decision == "allow"
    quiet.shop.advance(hours=30)
    redeemed = [abroad.does(owner, "gift_card_redeem", transaction=card(number)) for number in range(3)]
    assert not [t for t in redeemed if "rapid_redemption" in t.codes]
    assert abroad.does(owner, "phone_change").record.decision == "allow"
