"""The door to the page about one's own account: a link that works once, the visit behind it, and its bounds."""

import json
import logging
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from claims.account import past, theft
from ordering import NOW_MS
from protection.conftest import database  # noqa: F401 -- a fixture
from serving import Server
from shopward.config import Settings
from shopward.errors import Misconfigured, StoreUnavailable
from shopward.flows import visit
from shopward.flows.selfservice import WAITING_MAX
from shopward.http.visits import COOKIE
from shopward.service.checks import check_settings
from shopward.values import MINUTE_MS, ManualClock
from visiting import entered, invited, pressed, told


@pytest.fixture
def own(world_in, tmp_path):
    """An application on a clock that stands."""
    return world_in(tmp_path / "data", clock=ManualClock(NOW_MS))


def test_a_link_opens_once_and_a_preview_does_not_use_it_up(own):
    """Looked at ten times it is as good as new; the button opens it; then it is shut, as is the visit after 15 minutes."""

    async def story(client, world):
        path = await invited(client, language="en")
        assert len(path.removeprefix("/visit/")) == 43
        for method in ["GET", "HEAD"] * 5:
            looked = await client.request(method, path)
            assert looked.status_code == 200
        looked = await client.get(path)
        assert "set-cookie" not in looked.headers
        assert (looked.headers["cache-control"], looked.headers["referrer-policy"]) == (
            "no-store",
            "strict-origin",
        )
        assert "Open the page" in looked.text
        assert (await client.get("/account")).status_code == 401
        opened = await client.post(path)
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "Max-Age=900", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        page = await client.get("/account")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert [(await client.post(path)).status_code, (await client.get(path)).status_code] == [404, 404]
        assert (await client.get("/account")).status_code == 200
        await entered(client)
        world.clock.advance(visit.VISIT_MS)
        assert (await client.get("/account")).status_code == 401
        late = await invited(client)
        world.clock.advance(visit.LINK_MS)
        assert (await client.post(late)).status_code == 404

    own.run(story)


def test_behind_https_the_cookie_is_bound_to_this_very_host(world_in, tmp_path):
    """``__Host-`` and ``Secure``; the setting ``customer_url`` makes the link whole."""
    world = world_in(tmp_path / "data", behind_proxy=True, customer_url="https://safe.shop.example/")

    async def story(client, _world):
        made = (await client.post("/v1/users/anna/visits")).json()
        assert made["url"] == f"https://safe.shop.example{made['path']}"
        for origin in ("https://evil.example", "https://safe.shop.example.evil.example", "null", ""):
            assert (await client.post(made["path"], headers={"Origin": origin})).status_code == 403
        rewritten = {
            "Origin": "https://safe.shop.example",
            "Host": "10.0.0.7:8700",
        }  # of a proxy, to an older browser
        cookie = (await client.post(made["path"], headers=rewritten)).headers["set-cookie"]
        assert cookie.startswith(f"__Host-{COOKIE}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    world.run(story)


@pytest.mark.parametrize(
    "url",
    [
        "http://safe.shop.example",
        "safe.shop.example",
        "https://safe.shop.example/?q",
        "https://shop.example/safe",
        "javascript:x",
    ],
)
def test_customers_are_led_nowhere_in_clear(tmp_path, url):
    """An address of a setting that is none, or goes over the wire in clear, is refused at the start."""
    with pytest.raises(Misconfigured) as refused:
        check_settings(Settings(data=str(tmp_path), customer_url=url))
    assert refused.value.path == "customer_url"


def test_a_link_that_could_not_be_used_up_is_as_good_as_it_was(own, monkeypatch):
    """Where the audit log is away nobody gets in, and reads so in words; the same button works a minute later, once."""

    async def story(client, world):
        path = await invited(client)

        def fail(*_args, **_kwargs):
            raise StoreUnavailable("append: the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(world.shopward.trail, "append", fail)
            shut = await client.post(path, headers={"Accept-Language": "en"})
        assert (shut.status_code, shut.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "Not available for a moment" in shut.text
        assert "set-cookie" not in shut.headers
        assert [(await client.post(path)).status_code for _each in range(2)] == [303, 404]

    own.run(story)


def test_nothing_of_anybody_else_is_shown_or_reached(own):
    """Another customer's event, order, claim and consent are ``gone``; their page says nothing of each other."""

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now), *past(now, "budi"))
        frozen = (await client.post("/v1/users/budi/freeze", json={})).json()
        filed = {"user": "budi", "about": "service", "statement": "slow"}
        his = (await client.post("/v1/complaints", json=filed)).json()["id"]
        page = await entered(client, language="en")
        assert "budi" not in page
        for form in (
            {"do": "not_me", "event": "budi-own"},
            {"do": "not_me", "event": "nobodys"},
            {"do": "complain", "about": f"order:{frozen['orders'][0]}", "said": "why"},
            {"do": "complain", "about": "decision:budi-own", "said": "why"},
            {"do": "complain", "about": "claim:nobodys", "said": "why"},
            {"do": "complain", "about": "decision:", "said": "why"},
            {"do": "withdraw", "purpose": "offers"},
            {"do": "appeal", "about": f"complaint:{his}"},
            {"do": "appeal", "about": "claim:nobodys"},
            {"do": "not_me", "event": "budi-own\0"},
        ):
            assert "Nothing was changed" in await pressed(client, **form)
        assert (await client.get("/v1/reports?user=budi")).json()["cases"] == []
        assert [each["id"] for each in (await client.get("/v1/complaints")).json()["complaints"]] == [his]
        assert "Nothing was recorded" in await entered(client, "new", language="en")

    own.run(story)


def test_a_form_of_another_site_and_a_key_of_staff_are_refused(own):
    """By what browsers say of where a form comes from; nobody of staff comes as a customer; too many links are refused."""

    async def story(client, _world):
        asked = {"name": "siti", "person": "siti", "roles": ["analyst"]}
        key = (await client.post("/v1/keys", json=asked)).json()["key"]
        staff = {"Authorization": f"Bearer {key}"}
        assert (await client.post("/v1/users/anna/visits", headers=staff)).status_code == 403
        path = await invited(client)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert (await client.post(path, headers=headers)).status_code == 403
        await client.post(path)
        for headers in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
            answer = await client.post("/account", data={"do": "freeze"}, headers=headers)
            assert answer.status_code == 403
        assert (await client.get("/v1/recoveries?user=anna")).json()["recoveries"] == []
        assert (await client.post("/account", data={"do": "release"})).json()["code"] == "invalid_field"
        for wrong in ({"timezone": "Mars/Base"}, {"language": "xx"}, {"regime": "none"}):
            assert (await client.post("/v1/users/anna/visits", json=wrong)).status_code in (404, 422)
        answers = [await client.post("/v1/users/anna/visits") for _each in range(visit.ASKED_MAX)]
        assert (answers[0].status_code, answers[-1].json()["code"]) == (201, "too_many_visits")
        assert (await client.post("/v1/users/budi/visits")).status_code == 201

    own.run(story)


def test_a_visit_is_bounded(own, monkeypatch):
    """Pages a minute, presses a visit, links of one customer that wait."""
    monkeypatch.setattr(visit, "LOOKS_MAX", 3)
    monkeypatch.setattr(visit, "PRESSES_MAX", 1)

    async def story(client, world):
        first = await invited(client)
        for _each in range(visit.LINKS_MAX):
            await invited(client)
        assert (await client.get(first)).status_code == 404
        await entered(client, language="en")
        assert (await client.get("/account")).status_code == 200
        assert (await client.get("/account")).status_code == 200
        busy = await client.get("/account")
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "60")
        world.clock.advance(MINUTE_MS)
        assert "We have your complaint" in await pressed(client, do="complain", about="service", said="slow")
        assert "too much for one visit" in await pressed(client, do="complain", about="service", said="again")
        assert len((await client.get("/v1/complaints")).json()["complaints"]) == 1
        assert (await client.post("/account", data={"said": "x" * 40_000})).status_code == 413
        await entered(client, language="en")  # another visit is another page of the same three
        assert (await client.get("/account")).status_code == 429
        await client.post("/account", data={"do": "close"})
        assert (await client.get("/account")).status_code == 401

    own.run(story)


def test_a_flood_of_customers_is_held_to_so_many_and_the_oldest_goes(own, monkeypatch):
    """Links, visits, and whose pace is known: beyond the bound who came first comes from the shop again, and nobody else."""
    monkeypatch.setattr(visit, "HELD_MAX", 3)

    async def story(client, world):
        paths = [await invited(client, f"u{number}") for number in range(5)]
        assert [(await client.get(path)).status_code for path in paths] == [404, 404, 200, 200, 200]
        secrets = []
        for number in range(4):
            await entered(client, f"u{number}")
            secrets.append(client.cookies[COOKIE])
        for secret, status in zip(secrets, (401, 200, 200, 200), strict=True):
            client.cookies = {COOKIE: secret}
            assert (await client.get("/account")).status_code == status
        answers = [await client.post("/v1/users/u3/visits") for _each in range(visit.ASKED_MAX)]
        assert answers[-1].json()["code"] == "too_many_visits"

    own.run(story)


def test_no_value_of_a_person_or_a_link_is_logged_or_audited(own, caplog):
    """Neither the user's id nor a secret nor what was typed: not in the log, not in the audit log, which has both deeds."""

    async def story(client, world):
        caplog.set_level(logging.DEBUG)
        path = await invited(client, "zq-anna")
        await client.post(path)
        secret = client.cookies[COOKIE]
        await pressed(client, do="complain", about="service", said="zqword")
        trail, records = world.shopward.trail, world.shopward.records
        lines = records.read(lambda each: trail.read(each, after_seq=0, limit=50))
        assert {"visit:ask", "visit:open", "complaint:step"} <= {line.deed for line in lines}
        written = [each for each in caplog.text.splitlines() if "HTTP Request" not in each]
        for word in ("zq-anna", "zqword", path.removeprefix("/visit/"), secret):
            assert word not in "\n".join(written)
            assert word not in str(lines)

    own.run(story)


def test_a_real_server_writes_nothing_of_a_visit_and_complaints_do_not_pile_up(tmp_path):
    """Through a socket, with a browser's cookies: what the process prints has no link, secret, user or word; ten complaints wait at most."""
    with Server(tmp_path / "data") as server:
        path = json.loads(server.post("/v1/users/zq-anna/visits", {"language": "en"})[1])["path"]
        jar = CookieJar()
        browser = build_opener(HTTPCookieProcessor(jar))
        assert b"Open the page" in browser.open(server.url + path).read()
        assert b"The last 30 days" in browser.open(server.url + path, b"").read()
        for number in range(WAITING_MAX + 1):
            form = urlencode({"do": "complain", "about": "service", "said": f"zqword {number}"}).encode()
            page = browser.open(server.url + "/account", form).read()
        assert b"still wait to be confirmed" in page
        complaints = json.loads(server.get("/v1/complaints?user=zq-anna&limit=50")[1])["complaints"]
        assert len(complaints) == WAITING_MAX
        (secret,) = [each.value for each in jar]
        server.stop()
        written = "".join(server.out + server.err)
        for word in (path.removeprefix("/visit/"), secret, "zq-anna", "zqword"):
            assert word not in written
