"""SIM swaps: an operator is asked before a code goes to a phone, and what it says is known to rules."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from camara import CLIENT, SCOPE, Operator
from serving import POLICY
from shopward.adapters.camara import KEPT_S, REST_S, CamaraSimSwaps, NoSimSwaps
from shopward.config import Settings
from shopward.errors import Misconfigured
from shopward.service.checks import check_settings
from shopward.values import DAY_MS, ManualClock
from stepup.front import NOW_MS, WHO, Front

PHONE, OTHER = "+6281234567890", "+6281234567891"
TO = {"channel": "whatsapp", "to": PHONE}
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Steady:
    """A clock that never jumps, moved by the test."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


class Ticking(ManualClock):
    """A clock on which no two looks see the same moment."""

    def now_ms(self):
        self.advance(1)
        return super().now_ms()


@pytest.fixture
def operator():
    """An operator on this machine."""
    with Operator() as it:
        yield it


def by_phone(folder):
    """The policy of these tests, which would rather send codes to a phone."""
    mine = shutil.copytree(POLICY, folder / "policy")
    with (mine / "policy.toml").open("a") as file:
        file.write('[challenge]\nfactors = ["whatsapp", "email"]\n')
    return mine


def asking(operator, **changes):
    """The adapter, and its clock."""
    steady = Steady()
    parts = {"token_url": operator.token_url, "client": CLIENT, "scope": SCOPE} | changes
    return CamaraSimSwaps(operator.url, steady_s=steady, **parts), steady


def test_an_operator_is_asked_as_camara_says(operator):
    """The number, the time and nothing else; one token for many questions; an answer is kept for some minutes."""
    swaps, steady = asking(operator)
    operator.swapped.add(PHONE)
    said = [swaps.was_swapped(each, within_h=72) for each in (PHONE, OTHER, PHONE)]
    assert said == [True, False, True]
    assert operator.checks == [{"phoneNumber": PHONE, "maxAge": 72}, {"phoneNumber": OTHER, "maxAge": 72}]
    assert operator.tokens == 1
    steady.now_s += KEPT_S
    assert swaps.was_swapped(PHONE, within_h=72)
    assert (len(operator.checks), swaps.asked, swaps.swapped, swaps.unheard) == (3, 3, 2, 0)


def test_a_token_that_is_taken_back_is_replaced_once(operator):
    """401 is answered by one new token."""
    swaps, _ = asking(operator)
    assert swaps.was_swapped(PHONE, within_h=72) is False
    operator.revoke()
    assert swaps.was_swapped(OTHER, within_h=72) is False
    assert operator.tokens == 2


@pytest.mark.parametrize(
    "mood", ["down", "slow", '{"swapped": "true"}', "{}", "[]", '{"swapped": 1}', '"x"', "null"]
)
def test_whoever_says_nothing_clear_says_nothing(operator, mood):
    """Fails open, is counted, and is left alone for a while instead of holding everybody up."""
    swaps, steady = asking(operator)
    operator.mood = mood
    assert swaps.was_swapped(PHONE, within_h=72) is None
    operator.mood = ""
    assert swaps.was_swapped(OTHER, within_h=72) is None, "it rests"
    assert (swaps.asked, swaps.unheard) == (2, 2)
    steady.now_s += REST_S
    assert swaps.was_swapped(OTHER, within_h=72) is False


@pytest.mark.parametrize("answer", ["unknown", "malformed"])
def test_a_number_that_the_operator_does_not_know_is_no_outage(operator, answer):
    """404 and 400 are about that number alone: the next one is asked about at once."""
    swaps, _ = asking(operator)
    getattr(operator, answer).add(PHONE)
    operator.swapped.add(OTHER)
    assert swaps.was_swapped(PHONE, within_h=72) is None
    assert swaps.was_swapped(OTHER, within_h=72) is True


def test_credentials_that_are_refused_ask_about_no_number(operator):
    """Without a token no number leaves."""
    swaps, _ = asking(operator, client=("shop", "wrong"))
    assert swaps.was_swapped(PHONE, within_h=72) is None
    assert operator.checks == []


def test_a_number_never_goes_out_in_clear():
    """Plain HTTP beyond this machine is refused at the start, and so is half a setting."""
    parts = {"token_url": "https://a.example", "client": CLIENT, "scope": SCOPE, "steady_s": Steady()}
    with pytest.raises(Misconfigured):
        CamaraSimSwaps("http://api.example/x", **parts)
    with pytest.raises(Misconfigured) as refused:
        check_settings(Settings(sim_swap_url="https://api.example/sim-swap/v2", sim_swap_client_id="shop"))
    assert refused.value.path == "sim_swap_token_url"
    assert NoSimSwaps().was_swapped(PHONE, within_h=72) is None


def test_no_code_goes_to_a_phone_that_moved(operator, tmp_path):
    """The phone is refused as a factor, the log hears of it once a day, and mail still proves; counted in ``/metrics``."""
    operator.swapped.add(PHONE)
    codes = {"code_webhook_url": "http://127.0.0.1:1/codes", "code_webhook_secret": SECRET}
    more = operator.settings | codes | {"policy": str(by_phone(tmp_path))}

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}/codes"
        for _ in range(2):
            status, refused = await shop.post(path, WHO | TO)
            assert (status, refused["code"]) == (403, "excluded_factor")
            assert PHONE not in str(refused)
        status, _sent = await shop.post(path, WHO | {"channel": "email", "to": "budi@mail.example"})
        assert status == 200
        entries = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        heard = [each["event"] for each in entries if each["event"]["type"] == "custom"]
        assert [each["changes"][0]["field"] for each in heard] == ["sim"]
        assert PHONE not in str(entries)
        shop.clock.advance(DAY_MS)
        later = (await shop.challenged_login())["id"]
        await shop.post(f"/v1/challenges/{later}/codes", WHO | TO)
        entries = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        assert sum(each["event"]["type"] == "custom" for each in entries) == 2
        metrics = (await shop.client.get("/metrics")).text
        assert "shopward_sim_swaps_found 1" in metrics

    with Front(tmp_path / "data", **more) as front:
        front.run(story)
    assert {each["phoneNumber"] for each in operator.checks} == {PHONE}


def test_a_shop_asks_before_it_pays_out(operator, tmp_path):
    """By the default policy the payout that follows takes another proof and waits; nobody to ask is null; no number, no call."""
    operator.swapped.add(PHONE)

    async def story(shop):
        assert (await shop.post("/v1/sim-swaps", {"user": "u1", "phone": OTHER})) == (200, {"swapped": False})
        assert (await shop.post("/v1/sim-swaps", {"user": "u1", "phone": PHONE})) == (200, {"swapped": True})
        money = {
            "id": "t-1",
            "amount_minor": 900,
            "currency": "IDR",
            "instrument": "transfer",
            "payee_id": "bank-9",
        }
        decision = await shop.decide("withdrawal", transaction=money)
        assert (decision["decision"], [each["code"] for each in decision["reasons"]][:1]) == (
            "challenge",
            ["sim_swapped_money_out"],
        )
        status, refused = await shop.post("/v1/sim-swaps", {"user": "u1", "phone": "0812"})
        assert (status, refused["code"]) == (422, "invalid_field")
        operator.mood = "down"
        assert (await shop.post("/v1/sim-swaps", {"user": "u1", "phone": "+6281234567892"}))[1] == {
            "swapped": None
        }

    with Front(tmp_path / "data", policy="", **operator.settings) as front:
        front.run(story)


def test_two_who_look_at_once_hear_the_same(operator, tmp_path):
    """Whoever comes second hears of the change as well, and it stands in the log once."""
    operator.swapped.add(PHONE)

    async def story(shop):
        asked = [shop.post("/v1/sim-swaps", {"user": "u1", "phone": PHONE}) for _ in range(6)]
        assert await asyncio.gather(*asked) == [(200, {"swapped": True})] * 6
        entries = (await shop.get("/v1/users/u1/timeline"))[1]["entries"]
        assert [each["event"]["type"] for each in entries] == ["custom"]

    with Front(tmp_path / "data", **operator.settings) as front:
        front.clock = Ticking(NOW_MS)
        front.run(story)


def test_a_phone_is_asked_about_only_where_a_code_would_go(operator, tmp_path):
    """Another person, a decision that asked for nothing, a factor that is not offered: no number leaves."""

    async def story(shop):
        decision = await shop.challenged_login()
        path = f"/v1/challenges/{decision['id']}/codes"
        others = {"user": {"id": "u2"}, "context": {"device_id": "phone-1"}}
        assert (await shop.post(path, others | TO))[1]["code"] == "wrong_subject"
        assert (await shop.post(path, WHO | TO))[1]["code"] != "excluded_factor"
        quiet = await shop.decide("order_view")
        assert (await shop.post(f"/v1/challenges/{quiet['id']}/codes", WHO | TO))[0] == 404

    with Front(tmp_path / "data", **operator.settings) as front:
        front.run(story)
    assert operator.checks == []
