# ruff: noqa: E402 -- first whether Django is there at all, then its settings, then what needs them
"""The Django package against a real server, and against everything that is none."""

from __future__ import annotations

import hashlib
import json
import logging
import re

import pytest

pytest.importorskip("allauth", reason="Django and allauth are not installed: pip install --group shops")

from asgiref.sync import async_to_sync

from contrib import site

site.begin()

from django.contrib.auth import BACKEND_SESSION_KEY, authenticate, get_user_model
from django.contrib.messages import get_messages
from django.core import checks, mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import AsyncClient, Client, override_settings
from django.urls import set_script_prefix
from django.utils.translation import override

from listening import Listener
from serving import Server
from shopward.contrib.django.guards import GuardedView
from shopward.contrib.django.money import amount
from shopward.contrib.django.options import shopward
from shopward.contrib.django.texts import _all
from shopward.contrib.django.validators import PasswordScreening
from shopward.screening.passwords.building import write_store

NAME, WORD = "ayu", "correct horse"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def said(kind, status=200, **more):
    """An HTTP answer with a decision in it; each call of the package hears the same."""
    body = {"id": "d-e-1", "event_id": "e-1", "decision": kind, "score": 1.0, "actions": [], "reasons": [
        {"code": "x", "text": "Because."}], "orders": [], "state": "authorized", "recorded": 1}  # fmt: skip
    return answered(status, body | more)


def answered(status, body):
    """An HTTP answer as bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n\r\n"
    return head.encode() + raw


@pytest.fixture(autouse=True)
def customer():
    """One customer, in an otherwise empty shop."""
    cache.clear()
    mail.outbox = []
    get_user_model().objects.all().delete()
    return get_user_model().objects.create_user(NAME, "ayu@shop.example", WORD)


@pytest.fixture
def listen():
    """The shop, asking a listener that always says the same."""
    made = []

    def begin(answer, **options):
        made.append(Listener(answer))
        change = override_settings(
            SHOPWARD={"url": made[-1].url, "key": "sw_secret", "timeout_s": 5} | options
        )
        change.enable()
        made.append(change)
        return made[-2]

    yield begin
    for each in made:
        each.close() if isinstance(each, Listener) else each.disable()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real server."""
    with Server(tmp_path_factory.mktemp("contrib") / "data", policy=None) as it:
        yield it


def enters(browser, word=WORD, **headers):
    """The answer of the shop's own login."""
    return browser.post("/entrance/", {"username": NAME, "password": word}, **headers)


def told(listener):
    """The events that a listener heard."""
    return [json.loads(each.partition(b"\r\n\r\n")[2]) for each in listener.seen if each.startswith(b"POST")]


# --- logins ------------------------------------------------------------------------------------------------------


def test_a_login_is_decided_between_the_password_and_the_session(listen):
    """One event, with what the password turned out to be; the session keeps the name of the shop's own backend."""
    listener = listen(said("allow"))
    browser = Client()
    assert enters(browser, "wrong").content == b"wrong"
    assert enters(browser).content == b"in"
    assert browser.session[BACKEND_SESSION_KEY] == MODEL_BACKEND
    wrong, right = told(listener)
    assert (wrong["status"], right["status"]) == ("failed", "succeeded")
    assert right["session"]["id"]
    assert right["context"]["device_id"] == wrong["context"]["device_id"]
    assert WORD not in json.dumps(right)
    assert "ayu@" not in json.dumps(right)


def test_a_right_password_is_looked_up_among_stolen_ones(tmp_path):
    """Against a real list: the flag stands on the right password alone, nothing of it leaves, and one option ends it."""
    write_store(
        tmp_path / "pwned.bin", [(hashlib.sha1(WORD.encode(), usedforsecurity=False).digest(), 7)], expected=1
    )
    environment = {"SHOPWARD_PASSWORD_STORE": str(tmp_path / "pwned.bin")}
    with Server(tmp_path / "data", policy=None, environment=environment) as knowing:
        of = {"url": knowing.url, "key": knowing.key, "timeout_s": 10}
        for option, flagged in (({}, True), ({"screens_logins": False}, False)):
            with override_settings(SHOPWARD=of | option):
                assert shopward().credential(WORD).get("breached", False) == flagged
                assert "breached" not in shopward().credential("wrong")
                assert enters(Client()).content == b"in"
        status, text = knowing.get(f"/v1/users/{get_user_model().objects.get().pk}/timeline")
    assert status == 200
    entries = json.loads(text)["entries"]
    codes = [[reason["code"] for reason in each["decision"]["reasons"]] for each in entries]
    assert ["breached_password_used" in each for each in codes] == [False, True], "newest first"
    assert not any(WORD in line for line in (*knowing.out, *knowing.err))


def test_a_list_that_does_not_answer_stops_no_login(listen):
    """Silence costs its bounded wait once and the customer is in: the flag is left out."""
    listener = listen(said("allow"))
    assert enters(Client()).content == b"in"
    assert told(listener)[0]["credential"].keys() == {"password_hmac"}


def test_events_of_a_new_password_say_what_is_known_of_it(listen):
    """With the validator in place Django tells of a saved password; the registration carries what was found."""
    listener = listen(said("allow"))
    screening = [{"NAME": "shopward.contrib.django.validators.PasswordScreening"}]
    with override_settings(AUTH_PASSWORD_VALIDATORS=screening):
        assert Client().post("/joining/").content == b"in"
    (joined,) = told(listener)
    assert (joined["type"], joined["credential"].keys()) == ("registration", {"password_hmac"})


def test_events_say_which_page_a_form_came_from(listen):
    """With the tag in the form and the option set; without the option nothing is said, and a program's JSON is no form."""
    listener = listen(said("allow"), pages=True)
    browser = Client()
    token = re.search(r'name="shopward_page" value="([^"]+)"', browser.get("/form/").content.decode())[1]
    for more in ({"shopward_page": token}, {"shopward_page": "made up"}, {}):
        browser.post("/entrance/", {"username": NAME, "password": "wrong", **more})
    states = [each["properties"]["page"]["state"] for each in told(listener)]
    assert states == ["fresh", "forged", "none"]
    with override_settings(SHOPWARD={"url": listener.url, "key": "sw_secret"}):
        enters(Client(), "wrong")
    assert "properties" not in told(listener)[-1]


def test_a_script_in_a_browsers_name_is_told(listen):
    """Over TLS, where a browser says more; one that does so has no signs."""
    listener = listen(said("allow"))
    chrome = (
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
    )
    honest = {"accept-language": "id", "sec-fetch-mode": "navigate"}
    for headers in ({}, honest):
        enters(Client(), "wrong", headers={"user-agent": chrome, **headers}, secure=True)
    script, browser = told(listener)
    assert script["properties"]["client_signs"] == ["no_language", "no_fetch_metadata"]
    assert "properties" not in browser


def test_without_the_package_the_session_still_holds(listen):
    """Taking the edits out logs nobody out."""
    listen(said("allow"))
    browser = Client()
    enters(browser)
    with override_settings(
        AUTHENTICATION_BACKENDS=site.BACKENDS[1:],
        MIDDLEWARE=[each for each in site.MIDDLEWARE if each != site.GUARD],
    ):
        later = Client()
        later.cookies = browser.cookies
        assert later.get("/page/").wsgi_request.user.username == NAME


def test_a_denied_login_is_a_wrong_login(listen):
    """The right password of a denied login reads like a wrong one, in the shop's own view and in allauth's."""
    listener = listen(said("deny"))
    assert enters(Client()).content == b"wrong"
    page = Client().post("/allauth/login/", {"login": NAME, "password": WORD})
    assert page.status_code == 200
    assert b"not correct" in page.content
    assert {each["status"] for each in told(listener)} == {"succeeded"}, "our own denials are no failures"


def test_allauth_lets_in_who_is_allowed(listen):
    """Its backend stays the session's."""
    listen(said("allow"))
    browser = Client()
    assert browser.post("/allauth/login/", {"login": NAME, "password": WORD}).status_code == 302
    assert browser.session[BACKEND_SESSION_KEY] != site.VETO
    assert browser.get("/page/").wsgi_request.user.username == NAME


def test_an_account_that_does_not_exist_is_told_as_such(listen):
    """By a token of what was typed, which is the same for the same name."""
    listener = listen(said("allow"))
    for name in ("nobody@else.example", " Nobody@else.example"):
        Client().post("/entrance/", {"username": name, "password": "x"})
    first, second = (each["user"] for each in told(listener))
    assert first == second
    assert first["known"] is False
    assert "nobody" not in first["id"].lower()


def test_a_login_around_the_backends_is_decided_too(listen):
    """Its session ends before the answer leaves, and what its view wrote is rolled back (``ATOMIC_REQUESTS``)."""
    listen(said("deny"))
    browser = Client()
    refused = browser.post("/side-door/")
    assert refused.status_code == 403
    assert b"Because." in refused.content
    assert not browser.get("/page/").wsgi_request.user.is_authenticated
    assert get_user_model().objects.get(username=NAME).last_name == ""


def test_a_registration_is_no_login(listen):
    """Who joins and is signed in at once is told once, as what it is."""
    listener = listen(said("allow"))
    assert Client().post("/joining/").content == b"in"
    assert [each["type"] for each in told(listener)] == ["registration"]


def test_who_is_let_in_with_a_password_that_is_out_is_told(listen):
    """In the shop's own messages, with the server's sentence."""
    listen(said("review", actions=[{"type": "reset_password"}]))
    assert [str(each) for each in get_messages(enters(Client()).wsgi_request)] == ["Because."]


# --- challenges --------------------------------------------------------------------------------------------------


def mailed_code():
    """The newest one."""
    return "".join(re.search(r"\b(\d{4}) (\d{4})\b", mail.outbox[-1].body).groups())


def test_a_challenge_is_passed_by_mail_and_the_login_goes_on(server):
    """From the password over the page and the mail into the account, with a real server that challenges and is told."""
    order = {
        "kind": "step_up",
        "scope": ["login"],
        "reason": "account_at_risk",
        "ends_at": "2027-01-01T00:00:00Z",
    }
    pk = get_user_model().objects.get(username=NAME).pk
    status, body = server.post("/v1/orders", order | {"target": {"user": str(pk)}, "assurance": 1})
    assert status == 201, body
    with override_settings(SHOPWARD={"url": server.url, "key": server.key, "timeout_s": 10}):
        browser = Client()
        assert enters(browser)["location"] == "/shopward/challenge"
        assert not browser.get("/page/").wsgi_request.user.is_authenticated
        assert b"a***@s***" in browser.get("/shopward/challenge").content
        browser.post("/shopward/challenge", {"send": "1"})
        wrong = browser.post("/shopward/challenge", {"factor": "email", "answer": "0000 0000"})
        assert wrong.status_code == 200
        assert (
            browser.post("/shopward/challenge", {"factor": "email", "answer": mailed_code()})["location"]
            == "/in/"
        )
        assert browser.get("/page/").wsgi_request.user.username == NAME
        assert browser.session[BACKEND_SESSION_KEY] == MODEL_BACKEND


def test_a_code_has_five_tries_and_an_account_five_codes(listen):
    """After the fifth wrong answer the right one is worth nothing; a sixth code is not sent."""
    listen(said("challenge"))
    browser = Client()
    enters(browser)
    for _ in range(7):
        browser.post("/shopward/challenge", {"send": "1"})
    assert len(mail.outbox) == 5
    for guess in range(5):
        browser.post("/shopward/challenge", {"factor": "email", "answer": f"{guess:08}"})
    right = browser.post("/shopward/challenge", {"factor": "email", "answer": mailed_code()})
    assert right.status_code == 200
    assert not browser.get("/page/").wsgi_request.user.is_authenticated


def test_a_session_that_is_played_again_gives_no_further_tries(listen):
    """Where sessions live in cookies, an old cookie brings back neither tries nor a code that was used."""
    listen(said("challenge"))
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        browser = Client()
        enters(browser)
        browser.post("/shopward/challenge", {"send": "1"})
        kept = browser.cookies["sessionid"].value
        for guess in range(5):
            browser.cookies["sessionid"] = kept
            browser.post("/shopward/challenge", {"factor": "email", "answer": f"{guess:08}"})
        browser.cookies["sessionid"] = kept
        right = browser.post("/shopward/challenge", {"factor": "email", "answer": mailed_code()})
    assert right.status_code == 200, "the page again"


def test_a_shop_under_a_path_has_its_page_there(listen):
    """What the server calls ``SCRIPT_NAME`` stands before the challenge."""
    listen(said("challenge"))
    browser = Client()
    set_script_prefix("/shop/")
    try:
        assert enters(browser)["location"] == "/shop/shopward/challenge"
        assert browser.get("/shopward/challenge").status_code == 200
    finally:
        set_script_prefix("/")


def test_an_excluded_mailbox_proves_nothing(listen):
    """Where the thief may read the mail, no code is offered, sent or taken."""
    listen(said("challenge", actions=[{"type": "step_up", "factor": "totp", "exclude": ["email", "sms"]}]))
    browser = Client()
    enters(browser)
    assert browser.post("/shopward/challenge", {"send": "1"}).status_code == 403
    assert mail.outbox == []


def test_the_page_checks_where_a_form_comes_from(listen):
    """A form of another site sends no codes."""
    listen(said("challenge"))
    browser = Client(enforce_csrf_checks=True)
    browser.handler.enforce_csrf_checks = False
    enters(browser)
    browser.handler.enforce_csrf_checks = True
    assert browser.post("/shopward/challenge", {"send": "1"}).status_code == 403
    assert mail.outbox == []


def test_a_customer_is_led_to_their_own_page_and_a_visitor_to_the_login(listen, server):
    """A link of a real server for whoever is signed in, in the shop's language and zone; where it is not heard, a page says so."""
    listen(said("allow"))
    assert Client().get("/shopward/account")["location"].endswith("/accounts/login/?next=/shopward/account")
    of = {"url": server.url, "key": server.key, "timeout_s": 10}
    with override_settings(SHOPWARD=of, TIME_ZONE="Asia/Jakarta"):
        browser = Client()
        assert enters(browser).content == b"in"
        answer = browser.get("/shopward/account", headers={"accept-language": "id"})
        assert answer["location"].startswith(f"{server.url}/visit/")
        assert answer["cache-control"] == "no-store"
        status, door = server.get(answer["location"].removeprefix(server.url))
        assert (status, b"<form" in door) == (200, True)
    listen(b"")
    browser = Client()
    enters(browser)
    assert browser.get("/shopward/account").status_code == 503


def test_the_page_without_a_challenge_leads_home():
    """Nothing to see, whoever asks."""
    assert Client().get("/shopward/challenge")["location"] == "/"


def test_a_way_on_never_leads_to_another_site(listen):
    """``next`` of a login is followed within the shop alone."""
    listen(said("challenge"))
    browser = Client()
    browser.post(
        "/entrance/?next=https://evil.example/",
        {"username": NAME, "password": WORD, "next": "//evil.example"},
    )
    assert browser.session["_shopward_pending"]["next"] == "/"


# --- guarded views -----------------------------------------------------------------------------------------------


def test_a_guarded_view_does_not_run_where_it_may_not(listen):
    """The answer says why, with a number; a program gets a problem."""
    listen(said("deny"), guards={"card": "gift_card_check"})
    refused = Client().post("/card/", {"code": "GIFT"})
    assert (refused.status_code, b"left on" in refused.content, b"d-e-1" in refused.content) == (
        403,
        False,
        True,
    )
    assert refused["Cache-Control"] == "no-store"
    problem = Client().post("/card/", {"code": "GIFT"}, headers={"accept": "application/json"})
    assert problem["Content-Type"] == "application/problem+json"
    assert problem.json()["decision_id"] == "d-e-1"


def test_a_guess_is_stopped_although_the_view_ran(listen):
    """A view that tells secrets is asked about again before its answer leaves."""
    listener = listen(said("allow"), guards={"card": GuardedView("gift_card_check", tells_secrets=True)})
    assert b"left on" in Client().post("/card/", {"code": "GIFT"}).content
    assert [each["status"] for each in told(listener)] == ["attempted", "succeeded"]


def test_a_view_can_read_what_was_decided(listen):
    """A hold of a payment that goes ahead is the shop's to keep."""
    listen(said("review", actions=[{"type": "hold", "window_s": 60}]), guards={"card": "payment"})
    shown = Client().post("/card/", {"code": "GIFT"})
    assert shown.wsgi_request.shopward.decisions["payment"].action("hold")["window_s"] == 60


def test_who_is_not_signed_in_changes_no_account_and_pays_as_a_guest(listen):
    """The shop's own view says that one has to sign in; a guest's payment is decided under the guest's device."""
    listener = listen(
        said("allow"), guards={"page": "email_change", "card": GuardedView("payment", moves_money=True)}
    )
    assert Client().post("/page/").content == b"a page"
    assert listener.seen == []
    Client().post("/card/", {"code": "GIFT"})
    assert {each["user"]["id"].split(":")[0] for each in told(listener) if "user" in each} == {"guest"}


def test_pages_that_nobody_guards_cost_nothing(listen):
    """No call and no cookie, so that they can be cached."""
    listener = listen(said("deny"))
    page = Client().get("/page/")
    assert page.content == b"a page"
    assert not page.cookies
    assert listener.seen == []


def test_a_reader_that_fails_is_the_table_and_no_error(listen, caplog):
    """A guard that does not understand a request stops no page, and its log line quotes nothing of it."""

    def reads(request, _kwargs):
        raise KeyError(request.POST["code"])

    guards = {
        "page": GuardedView("payment_method_add", parts=reads),
        "card": GuardedView("gift_card_check", parts=reads),
    }
    listener = listen(said("allow"), guards=guards)
    with caplog.at_level(logging.WARNING):
        assert Client().post("/page/", {"code": "SECRET"}).content == b"a page"
        assert Client().post("/card/", {"code": "SECRET"}).status_code == 503
    assert listener.seen == []
    assert "SECRET" not in caplog.text
    assert "KeyError" in caplog.text


def test_under_asgi_it_is_the_same(listen):
    """Django runs the guard and the views in threads; the visit is the request's own there too."""
    listener = listen(said("allow"), guards={"card": "gift_card_check"})

    async def story():
        browser = AsyncClient()
        entered = await browser.post("/entrance/", {"username": NAME, "password": WORD})
        return entered, await browser.post("/card/", {"code": "GIFT"})

    entered, shown = async_to_sync(story)()
    assert (entered.content, shown.content) == (b"in", b"left on GIFT: 500")
    assert [each["type"] for each in told(listener)] == ["login", "gift_card_check", "gift_card_check"]


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (answered(401, {"code": "unauthorized"}), "unauthorized"),
        (answered(404, {"code": "not_found"}), "too_old_server"),
        (answered(422, {"code": "event_in_future", "path": "time"}), "clock_skew"),
        (answered(422, {"code": "unknown_word", "path": "type"}), "event_refused"),
        (answered(200, b"<html>"), "bad_answer"),
        (answered(503, {"code": "not_ready"}), "unavailable"),
        (b"", "unreachable"),
    ],
)
def test_whatever_is_wrong_with_the_server_is_the_shops_table(listen, caplog, answer, fault):
    """A login goes on, a card asks for a code or waits, nothing raises, and the fault is told once and without the key."""
    listen(answer, guards={"card": "gift_card_check"})
    with caplog.at_level(logging.WARNING):
        browser = Client()
        assert enters(browser).content == b"in"
        assert browser.post("/card/", {"code": "GIFT"})["location"] == "/shopward/challenge"
        assert Client().post("/card/", {"code": "GIFT"}).status_code == 503
        browser.post("/shopward/challenge", {"send": "1"})
        browser.post("/shopward/challenge", {"factor": "email", "answer": mailed_code()})
        assert b"left on" in browser.post("/card/", {"code": "GIFT"}).content
    assert caplog.text.count(f"shopward: {fault}:") == 1
    assert "sw_secret" not in caplog.text


def test_an_event_type_that_the_server_does_not_know_stops_nothing(server, caplog):
    """A guard with a word of its own is refused by a real server, told, and decided by the table."""
    with override_settings(
        SHOPWARD={"url": server.url, "key": server.key, "timeout_s": 10, "guards": {"page": "teleport"}}
    ):
        browser = Client()
        enters(browser)
        assert browser.post("/page/").content == b"a page"
    assert "event_refused" in caplog.text


@pytest.mark.parametrize(
    ("proxies", "forwarded", "ip"),
    [
        ([], "203.0.113.9", "127.0.0.1"),
        (["127.0.0.1"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.1"], "8.8.8.8, 203.0.113.9", "203.0.113.9"),
        (["10.0.0.0/8"], "203.0.113.9", "127.0.0.1"),
        (["127.0.0.1"], "<script>, ' or 1=1", "127.0.0.1"),
    ],
)
def test_a_forwarding_header_is_believed_from_proxies_alone(listen, proxies, forwarded, ip):
    """What a customer writes into it changes nothing."""
    listener = listen(said("allow"), proxies=proxies)
    enters(Client(), headers={"x-forwarded-for": forwarded})
    assert told(listener)[0]["context"]["ip"] == ip


def test_a_device_that_was_made_up_is_nobodys(listen):
    """A cookie with another signature is a device never seen, and the browser gets a new one."""
    listener = listen(said("allow"))
    browser = Client()
    browser.cookies["shopward_device"] = "phone-of-somebody:" + "A" * 43
    answer = enters(browser)
    assert told(listener)[0]["context"]["device_id"] != "phone-of-somebody"
    assert "shopward_device" in answer.cookies
    enters(browser)
    first, second = (each["context"]["device_id"] for each in told(listener))
    assert first == second


def test_a_login_outside_of_requests_is_the_shops_alone(listen):
    """A command or a worker that checks a password asks nobody."""
    listener = listen(said("deny"))
    assert authenticate(username=NAME, password=WORD).username == NAME
    assert listener.seen == []


# --- wiring ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("E001", {"SHOPWARD": None}),
        ("E001", {"SHOPWARD": {"url": "http://shopward.example", "key": "sw_x"}}),
        ("E001", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": ""}}),
        ("E001", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": "sw_x", "timeout": 1}}),
        ("E001", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": "sw_x", "proxies": ["a proxy"]}}),
        ("E001", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": "sw_x", "on_unreachable": {"login": "perhaps"}}}),
        ("E001", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": "sw_x", "guards": {"card": 7}}}),
        ("E002", {"AUTHENTICATION_BACKENDS": site.BACKENDS[1:]}),
        ("E003", {"AUTHENTICATION_BACKENDS": site.BACKENDS[::-1]}),
        ("E004", {"AUTHENTICATION_BACKENDS": [site.VETO]}),
        ("E005", {"MIDDLEWARE": [each for each in site.MIDDLEWARE if each != site.GUARD]}),
        ("E006", {"MIDDLEWARE": [site.GUARD, *(each for each in site.MIDDLEWARE if each != site.GUARD)]}),
        ("E007", {"SHOPWARD": {"url": "http://127.0.0.1:1", "key": "sw_x", "guards": {"cart": "payment"}}}),
        ("E008", {"TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]}),
    ],
)  # fmt: skip
def test_wrong_wiring_is_found(number, change):
    """Each mistake has its number, and says what to write where."""
    with override_settings(**change):
        found = [each for each in checks.run_checks() if each.id == f"shopward.{number}"]
    assert len(found) == 1
    assert found[0].hint


def test_right_wiring_is_silent():
    """The site as it is."""
    assert [each for each in checks.run_checks() if (each.id or "").startswith("shopward.")] == []


def test_the_deploy_check_asks_the_server(server):
    """A wrong key and a server that is not there are warnings; a right one is none."""

    def found(**said_of_it):
        with override_settings(SHOPWARD={"timeout_s": 10} | said_of_it):
            deployed = checks.run_checks(include_deployment_checks=True)
        return [each for each in deployed if each.id == "shopward.W009"]

    assert found(url=server.url, key=server.key) == []
    assert "key" in found(url=server.url, key="sw_wrong")[0].msg
    assert "connection" in found(url="http://127.0.0.1:1", key="sw_x")[0].msg


# --- words and figures -------------------------------------------------------------------------------------------


def test_every_language_has_every_word():
    """The same keys, and the same places for values."""
    said_in = _all()
    assert set(said_in) == {"en", "id", "zh"}
    for words in said_in.values():
        assert set(words) == set(said_in["en"])
        for key, text in words.items():
            assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", said_in["en"][key]), key


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("90000.00", "IDR", 9_000_000), ("12.345", "KWD", 12_345), ("500", "JPY", 500), ("-1", "EUR", 0)],
)
def test_amounts_are_whole_minor_units(value, currency, minor):
    """As ISO 4217 has them."""
    from decimal import Decimal  # noqa: PLC0415 -- here alone

    assert amount(Decimal(value), currency)["amount_minor"] == minor


def test_a_stolen_password_is_refused_in_the_customers_words(listen, customer):
    """The server's reasons reach the form; words of the customer go with the question, and one who is not heard takes it."""
    rejected = {
        "verdict": "reject", "reasons": [{"code": "password_breached", "text": "Sudah bocor."}], "breach_count": 3,
    }  # fmt: skip
    listener = listen(answered(200, rejected))
    with pytest.raises(ValidationError) as refused, override("id"):
        PasswordScreening(sole_factor=True).validate("sayangku123", customer)
    assert [(each.code, each.message) for each in refused.value.error_list] == [
        ("password_breached", "Sudah bocor.")
    ]
    asked = listener.seen[-1]
    assert b'"username":"ayu"' in asked
    assert b'"sole_factor":true' in asked
    assert b"accept-language: id" in asked.lower()
    listen(answered(503, b"away"))
    PasswordScreening().validate("sayangku123")
    assert "Gabungkan" in _all()["id"]["password_help"]
