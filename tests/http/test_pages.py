"""The page "Now", the reference, and the headers that guard them."""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from serving import failed_login
from shopward import http as http_package
from shopward.config import described
from shopward.events.catalogue import EVENT_TYPES
from shopward.flows.decide import Group
from shopward.flows.engine import DecisionRecord
from shopward.flows.wording import Wording
from shopward.http.activity import Activity
from shopward.http.metrics import Metrics
from shopward.http.problems import CODES
from shopward.http.reference import document
from shopward.risk.policy import load_default_policy
from shopward.risk.verdict import Reason
from shopward.values import SystemClock

ROOT = Path(__file__).parents[2]
HTTP = Path(http_package.__file__).parent


def test_the_page_needs_the_key_or_the_link(world):
    """No session: to the form; a wrong key: 401; the right one: a strict cookie, the page, and its data."""

    async def story(client, world):
        client.headers.pop("Authorization")
        assert (await client.get("/")).headers["location"] == "/login"
        assert (await client.get("/now.json")).status_code == 401
        form = await client.get("/login")
        assert form.status_code == 200
        wrong = await client.post("/login", data={"key": "sw_wrong"})
        assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)
        right = await client.post("/login", data={"key": world.key})
        assert right.status_code == 303
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert world.key.lower() not in cookie
        page = await client.get("/", headers={"Accept-Language": "id"})
        assert "Sekarang" in page.text
        assert (await client.get("/now.json")).json()["ready"] is True
        assert (await client.post("/logout", headers={"Origin": "http://evil.example"})).status_code == 403
        assert (await client.post("/logout", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
        assert (await client.post("/logout", headers={"Origin": "null"})).status_code == 403
        proxied = {"Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/login", data={"key": world.key}, headers=proxied)).status_code == 303
        assert form.headers["referrer-policy"] == "same-origin"  # under no-referrer forms would say "null"
        assert (await client.post("/logout", headers={"Origin": "http://shop"})).status_code == 303
        assert (await client.get("/now.json")).status_code == 401

    world.run(story)


def test_the_link_works_once(world):
    """The second use is refused and says so."""

    async def story(client, world):
        once = world.application.pages.one_time_token()
        first = await client.get(f"/login?once={once}")
        assert (first.status_code, first.headers["location"]) == (303, "/")
        client.cookies.clear()
        second = await client.get(f"/login?once={once}")
        assert second.status_code == 200
        assert "set-cookie" not in second.headers
        big = await client.post("/login", content=b"key=" + b"x" * 5000)
        assert big.status_code == 413

    world.run(story)


def test_now_shows_decisions_as_they_come(world):
    """Totals, the chart's seconds, reasons in the reader's language, newest first."""

    async def story(client, world):
        await client.get(f"/login?once={world.application.pages.one_time_token()}")
        for number in range(1, 7):
            await client.post("/v1/decisions", json=failed_login(number))
        now = (await client.get("/now.json", headers={"Accept-Language": "zh"})).json()
        assert now["decisions"] == {"allow": 3, "review": 0, "challenge": 3, "deny": 0}
        assert sum(map(sum, now["seconds"])) == 6
        assert len(now["seconds"]) == 120
        assert now["reasons"] == [{"text": "登录失败次数过多。", "count": 3}]
        assert [(row["event_id"], row["what"]) for row in now["latest"]] == [
            ("e-6", "登录"), ("e-5", "登录"), ("e-4", "登录"),
        ]  # fmt: skip
        assert now["campaigns"] == []
        assert now["found"]["findings_open"] == 0

    world.run(story)


def test_reasons_that_read_the_same_are_counted_together():
    """Rules of the shipped policy that tell a customer the same are one line: the reader sees sentences, not codes."""
    spec = load_default_policy()
    by_text = Counter(rule.text.id for rule in spec.rules)
    text, rules = by_text.most_common(1)[0]
    assert rules > 1
    given = [
        ("payment", DecisionRecord("d", "e", "deny", 80, (Reason(rule.name),)))
        for rule in spec.rules
        if rule.text.id == text
    ]
    activity = Activity(SystemClock(), Metrics())
    activity.take(Group([], [], given))
    shown = activity.shown(Wording(spec), "id", {"type_payment": "pembayaran"})
    assert shown["reasons"] == [{"text": text, "count": rules}]


def test_what_a_person_should_look_at_outlasts_an_attack():
    """Sixty refusals do not push away the one decision that waits for a person."""
    activity = Activity(SystemClock(), Metrics())
    given = [DecisionRecord(f"d-{n}", f"e-{n}", "deny" if n else "review", 40) for n in range(60)]
    activity.take(Group([], [], [("payment", each) for each in given]))
    shown = activity.shown(Wording(load_default_policy()), "zh", {"type_payment": "支付"})
    assert [each["event_id"] for each in shown["reviews"]] == ["e-0"]
    assert "e-0" not in {each["event_id"] for each in shown["latest"]}


def test_every_type_of_event_has_a_word():
    """In the reader's language, whatever a shop sends."""
    words = tomllib.loads((HTTP / "texts_events.toml").read_text(encoding="utf-8"))
    assert words["id"].keys() == {f"type_{each}" for each in EVENT_TYPES}


def test_every_answer_is_guarded_by_its_headers(world):
    """No sniffing, no framing, no inline script anywhere; nothing with data is stored."""

    async def story(client, _world):
        for path in (
            "/login",
            "/docs",
            "/openapi.json",
            "/healthz",
            "/metrics",
            "/nowhere",
            "/static/now.js",
            "/v1/users/u",
        ):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "cache-control" in answer.headers
        for path in ("/login", "/docs"):
            html = (await client.get(path)).text
            assert not re.search(
                r"<script(?![^>]*src=)|\sstyle=|\son\w+=|<style|(?:src|href|action)=.https?:",
                html.split('<h2 id="shapes"')[0],
            )

    world.run(story)


def test_the_pages_words_exist_in_every_language():
    """The same keys in id, zh and en, none empty; every word of a template is in the catalogue."""
    files = [tomllib.loads(file.read_text(encoding="utf-8")) for file in HTTP.glob("texts*.toml")]
    for texts in files:
        assert texts.keys() == {"id", "zh", "en"}
        assert texts["id"].keys() == texts["zh"].keys() == texts["en"].keys()
        assert all(text for words in texts.values() for text in words.values())
    keys = [key for texts in files for key in texts["en"]]
    assert len(keys) == len(set(keys))
    for template in (HTTP / "templates").glob("*.html"):
        for key in re.findall(r"\bt\.(\w+)", template.read_text(encoding="utf-8")):
            assert key in keys or key == "get", (template.name, key)


def test_the_reference_page_names_every_call_and_code(world):
    """/docs is rendered from the document and needs nothing from outside."""

    async def story(client, _world):
        page = (await client.get("/docs")).text
        for path in document()["paths"]:
            assert path in page
        for code in CODES:
            assert f'id="problem-{code}"' in page
        served = (await client.get("/openapi.json")).json()
        assert served == json.loads(msgspec.json.encode(document()))
        assert served["openapi"].startswith("3.1")

    world.run(story)


@pytest.mark.parametrize("name", ["http-api.md", "settings.md"])
def test_the_written_reference_is_complete(name):
    """Every call and code, every setting with its default and description, stands in docs/reference."""
    text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    if name == "http-api.md":
        for path in document()["paths"]:
            assert path in text, path
        for code in CODES:
            assert f"`{code}`" in text, code
    else:
        for setting, (description, default) in described().items():
            row = next(line for line in text.splitlines() if line.startswith(f"| `{setting}`"))
            assert description in row
            assert f"`{default}`" in row or default in ("", False)
            assert f"`SHOPWARD_{setting.upper()}`" in row
