"""The shop's own lines: what WhatsApp tells of them, what staff announce, and what goes out by them meanwhile."""

import json
import os
from base64 import b64encode
from pathlib import Path
from typing import get_args

import pytest

from notices.channels import serving
from notices.telling import BUDI, LETTERS, SITI
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from shopward.config import Settings
from shopward.errors import Conflict, InvalidField, Refused
from shopward.flows.line import LineAsked
from shopward.lines import Line, Signal, signal_of
from shopward.lines.line import STATES, TwoStep, concerned
from shopward.lines.signals import EXPLAINS, FIELDS, SEVERITIES, Kind, Work
from shopward.lines.wording import texts
from shopward.notices.mailing import Way
from shopward.service import Shopward
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS

VECTORS = Path(os.environ.get("SHOPWARD_SHARED", "/nowhere")) / "data" / "vectors" / "whatsapp"
NUMBER, PHONE_ID, ACCOUNT = "+622150001234", "1122", "102290129340398"
TOKEN, SECRET = "t-1", b"k" * 32


@pytest.fixture
def channel():
    """What stands in for WhatsApp and for the shop's endpoints."""
    with serving() as server:
        yield server


@pytest.fixture
def shop(database, tmp_path, clock, channel):  # noqa: F811 -- the fixtures
    """An open Shopward whose line is declared."""
    secret = "whsec_" + b64encode(SECRET).decode()
    settings = Settings(
        data=str(tmp_path / "data"), database=database, whatsapp_url=f"{channel.url}/v23.0", whatsapp_phone_id=PHONE_ID,
        notice_webhook_url=f"{channel.url}/notices", whatsapp_token=TOKEN, notice_webhook_secret=secret,
        code_webhook_url=f"{channel.url}/codes", code_webhook_secret=secret, shop_domain="shop.example",
    )  # fmt: skip
    with Shopward.open(settings, clock=clock, rebuild=False) as opened:
        opened.lines.declare(SITI, LineAsked(number=NUMBER, phone_id=PHONE_ID, account=ACCOUNT))
        yield opened


def told(shop, field, value, *, at_ms=None):
    """A change of the webhook, taken in; how many signals were new."""
    at_ms = shop.clock.now_ms() if at_ms is None else at_ms
    signal = signal_of(field, json.dumps(value).encode(), account=ACCOUNT, at_ms=at_ms)
    return shop.lines.hear([signal])


def pin(event="PIN_CHANGED"):
    """A change of the two-step PIN, as Meta sends it."""
    return {"display_phone_number": "622150001234", "event": event, "requester": "61555822107539"}


def line_of(shop):
    """The one line."""
    (line,) = shop.lines.listed()
    return line


def test_every_word_has_its_texts_and_its_severity():
    """States, PINs and what to do in three languages; each kind has a severity, and only kinds are explained."""
    found = texts()
    for section, words in (("states", STATES), ("do", STATES), ("two_step", get_args(TwoStep))):
        assert found[section].keys() == set(words)
        assert all(set(each) == {"id", "zh", "en"} for each in found[section].values())
    assert SEVERITIES.keys() == set(get_args(Kind))
    assert EXPLAINS.keys() == set(get_args(Work))
    assert set().union(*EXPLAINS.values()) <= SEVERITIES.keys()


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("security", pin(), "pin_changed"),
        ("security", pin("PIN_RESET_REQUEST"), "pin_reset_requested"),
        ("security", pin("PIN_REQUEST_SUCCESS"), "pin_removed"),
        ("security", pin("SOMETHING_NEW"), None),
        ("account_update", {"event": "PARTNER_REMOVED", "disconnection_info": {"reason": "USER_RE_REGISTERED"}}, "re_registered"),
        ("account_update", {"event": "PARTNER_REMOVED", "disconnection_info": {"reason": "CHANGE_NUMBER"}}, "re_registered"),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["DISABLE"]}}, "banned"),
        ("phone_number_quality_update", {"display_phone_number": "62", "event": "FLAGGED"}, "quality_fell"),
        ("phone_number_quality_update", {"display_phone_number": "62", "event": "UPGRADE"}, None),
        ("account_alerts", {"entity_type": "PHONE_NUMBER", "entity_id": 1122, "alert_type": "PROFILE_PICTURE_LOST"}, "account_alert"),
        ("smb_message_echoes", {"metadata": {"phone_number_id": "1122"}, "message_echoes": [{"from": "62", "id": "wamid.1"}]}, "sent_from_elsewhere"),
    ],
)  # fmt: skip
def test_changes_of_the_platform_are_signals(field, value, kind):
    """What Meta documents becomes the kind it is; what says nothing of a takeover becomes none."""
    signal = signal_of(field, json.dumps(value).encode(), account=ACCOUNT, at_ms=1)
    assert (signal.kind if signal else None) == kind


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the recorded payloads are not here")
def test_recorded_payloads_are_the_signals_that_they_are():
    """Payloads that WhatsApp sent to somebody else: each is read, and each of these is known for what it is."""
    kinds = {}
    for file in VECTORS.glob("*.json"):
        for name, payload in json.loads(file.read_text("utf-8")).items():
            for change in payload.get("entry", [{"changes": []}])[0]["changes"]:
                if change["field"] in FIELDS:
                    raw = json.dumps(change["value"]).encode()
                    signal = signal_of(change["field"], raw, account="a", at_ms=1)
                    kinds[name] = signal and signal.kind
    wanted = {
        "account_offboarded": "offboarded", "account_reconnected": "reconnected", "partner_added": "partner_joined",
        "partner_removed": "partner_gone", "partner_removed_wa_app_disconnection": "disconnected_unused",
        "account_restriction": "restricted", "account_disabled": "reinstated", "pricing_tiering_update": None,
        "approved": "template_changed", "rejected": None, "yellow": "template_quality_fell",
    }  # fmt: skip
    assert {name: kinds[name] for name in wanted} == wanted


def test_a_signal_names_its_number_or_is_about_the_whole_account():
    """By number, by the platform's id of it, else every line of the account; nobody else's."""
    mine = [Line(id=name, number=name, phone_id=f"p{name}", account="a", since_ms=0) for name in ("1", "2")]
    other = Line(id="3", number="3", account="b", since_ms=0)

    def ids(**about):
        return [each.id for each in concerned([*mine, other], Signal("k", "banned", 1, **about))]

    assert ids(account="a", number="2") == ["2"]
    assert ids(account="a", phone_id="p1") == ["1"]
    assert ids(account="a") == ["1", "2"]
    assert ids(account="c") == ids() == []


def test_an_unannounced_pin_condemns_the_line_once(shop):
    """Told again it is one signal; one incident, the shop is told, and more signals of the same time open no other."""
    assert told(shop, "security", pin("PIN_RESET_REQUEST")) == 1
    assert told(shop, "security", pin("PIN_RESET_REQUEST")) == 0
    shop.clock.advance(MINUTE_MS)
    assert told(shop, "security", pin("PIN_REQUEST_SUCCESS")) == 1
    assert told(shop, "account_update", {"event": "ACCOUNT_OFFBOARDED"}) == 1
    line, signals = shop.lines.get(line_of(shop).id)
    assert (line.state, line.two_step, len(signals)) == ("condemned", "unknown", 3)
    (incident,) = shop.incidents.listed(state="", before="", limit=10)
    assert (incident.id, incident.kind, incident.state) == (
        line.incident,
        "messaging_account_hijacked",
        "proposed",
    )
    assert incident.severity == "critical"
    assert told(shop, "account_update", {"event": "ACCOUNT_RECONNECTED"}) == 1
    assert line_of(shop).state == "condemned"  # no signal makes it better


def test_announced_work_raises_no_alarm_and_nothing_is_announced_afterwards(shop):
    """A ticket explains its own kinds within its time; one that begins in the past, or lasts for months, is refused."""
    now, line_id = shop.clock.now_ms(), line_of(shop).id
    for from_ms, until_ms in ((now - HOUR_MS, now + HOUR_MS), (now, now), (now, now + 8 * DAY_MS)):
        with pytest.raises(InvalidField):
            shop.lines.announce(SITI, line_id, "pin", from_ms=from_ms, until_ms=until_ms, reason="r")
    shop.lines.announce(SITI, line_id, "pin", from_ms=None, until_ms=now + HOUR_MS, reason="each quarter")
    shop.clock.advance(MINUTE_MS)
    told(shop, "security", pin())
    assert (line_of(shop).state, line_of(shop).two_step) == ("in_order", "set")
    assert line_of(shop).recent[0].severity == "info"
    told(shop, "account_update", {"event": "PARTNER_ADDED"})
    assert line_of(shop).state == "suspected"
    shop.clock.advance(2 * HOUR_MS)
    told(shop, "security", pin())
    assert (line_of(shop).state, line_of(shop).two_step) == ("condemned", "set_by_others")


def test_nothing_goes_out_by_a_condemned_line(shop, channel):
    """Notices take the next way, no code is offered by WhatsApp; after it was restored both go again."""
    line_id = line_of(shop).id
    shop.lines.condemn(SITI, line_id, "customers were asked for codes in our name")
    assert noticed(shop, channel, "inc-1") == ["/notices"]
    desk = shop.proofs._desk
    assert desk.channel.carries == {"email"}
    with pytest.raises(Conflict) as refused:
        shop.lines.restore(BUDI, line_id, "done", pin_is_new=False)
    assert refused.value.code == "line_pin"
    with pytest.raises(Refused) as refused:
        shop.lines.restore(SITI, line_id, "done", pin_is_new=True)
    assert refused.value.code == "second_person_needed"
    shop.lines.restore(BUDI, line_id, "devices unlinked", pin_is_new=True)
    assert desk.channel.carries == {"email", "whatsapp"}
    assert noticed(shop, channel, "inc-2")[1:] == ["/v23.0/1122/messages"]
    with pytest.raises(Conflict) as refused:
        shop.lines.restore(BUDI, line_id, "again", pin_is_new=True)
    assert refused.value.code == "line_state"


def noticed(shop, channel, incident):
    """The paths that were called once a customer was told, by WhatsApp or else by the shop."""
    made = shop.notices.make(
        SITI, incident=incident, rule="ID-subject", letters=LETTERS, via=("whatsapp", "shop"), template="account_notice"
    )  # fmt: skip
    shop.notices.fill(SITI, made.id, [("u1", [Way("whatsapp", "+6281100001"), Way("shop", "u1")], "id")])
    shop.notices.start(BUDI, made.id)
    while shop.notices.step():
        pass
    return [path for path, _headers, _raw in channel.calls]


def test_a_condemned_line_of_an_unknown_id_may_be_the_one_that_sends(shop, channel):
    """Nothing goes out until it is said that it is another one; one that is known to be another is no bar."""
    told(shop, "security", pin() | {"display_phone_number": "+62 21 999"})
    assert line_of_number(shop, NUMBER.lstrip("+")).state == "in_order"
    assert noticed(shop, channel, "inc-1") == ["/notices"]
    shop.lines.declare(SITI, LineAsked(number="+6221999", phone_id="3344"))
    assert noticed(shop, channel, "inc-2")[1:] == ["/v23.0/1122/messages"]


def test_a_signal_that_names_nothing_is_told_once(shop):
    """It has one line of its own, and one incident, however often it comes."""
    signal = signal_of("security", json.dumps({"event": "PIN_CHANGED"}).encode(), account="", at_ms=1)
    assert [shop.lines.hear([signal]) for _time in range(2)] == [1, 0]
    assert [each.state for each in shop.lines.listed() if not each.declared_by] == ["condemned"]


def test_what_is_told_of_a_line_that_nobody_declared_is_kept(shop):
    """It has a line of its own, with its incident; declaring the number later takes it over with its state."""
    stranger = pin() | {"display_phone_number": "+62 21 999"}
    told(shop, "security", stranger)
    unknown = next(each for each in shop.lines.listed() if not each.declared_by)
    assert (unknown.number, unknown.state, bool(unknown.incident)) == ("6221999", "condemned", True)
    assert line_of_number(shop, NUMBER.lstrip("+")).state == "in_order"
    shop.lines.declare(SITI, LineAsked(number="+6221999"))
    assert line_of_number(shop, "6221999").state == "condemned"


def line_of_number(shop, number):
    """A line by its digits."""
    return next(each for each in shop.lines.listed() if each.number == number)


def test_old_signals_are_forgotten_and_with_the_last_a_line_that_nobody_declared(shop, clock):  # noqa: F811
    """One that is declared stays, and one that was taken: while it is condemned it may bar all others."""
    desk, now_ms = shop.lines, clock.now_ms()
    desk.declare(SITI, LineAsked("+622150009999"))
    for number in ("622150009999", "628111111111"):
        desk.hear([Signal(number, "reconnected", now_ms, number=number)])
    desk.hear([Signal("taken", "pin_changed", now_ms, number="628222222222")])
    assert desk.forget() == 0
    clock.advance(91 * DAY_MS)
    before = {each.number for each in desk.listed()}
    assert desk.forget() == 3
    assert {each.number for each in desk.listed()} == before - {"628111111111"}
    assert all(desk.get(each.id)[1] == [] for each in desk.listed())
