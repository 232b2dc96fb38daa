"""The page about one's own account in three languages, and whatever is sent to it."""

import random
import re
import tomllib
from itertools import pairwise
from typing import get_args
from urllib.parse import urlencode

import pytest

from claims.account import event, past, theft
from ordering import NOW_MS
from protection.conftest import database  # noqa: F401 -- a fixture
from shopward.flows import counsel, lately, visit
from shopward.flows.selfservice import WISHES
from shopward.http import account_words
from shopward.http.visits import DEEDS
from shopward.protection.orders import KINDS
from shopward.values import DAY_MS, MINUTE_MS, ManualClock
from visiting import entered, told

WORDS = (
    "event",
    "said",
    "about",
    "wish",
    "purpose",
    "claim",
    "event:anna-stolen-0",
    "anna-thief",
    "decision:anna-own",
    "order:x",
    "copy",
    "service",
)
CHROME = {"os": "Android 14", "browser": "Chrome 120", "country": "ID"}


@pytest.fixture
def own(world_in, tmp_path):
    """An application on a clock that stands."""
    return world_in(tmp_path / "data", clock=ManualClock(NOW_MS))


def test_the_page_speaks_three_languages_and_needs_no_script(own):
    """Lang, headings, labels and names of buttons; no script, no style of its own, no link to outside; the advice holds no link."""

    async def story(client, world):
        now = world.clock.now_ms()
        guesses = [
            event(f"guess-{number}", now - MINUTE_MS, status="failed", device=f"bot-{number}")
            for number in range(7)
        ]
        stranger = event("stranger", now - DAY_MS, context=CHROME | {"device_id": "new"})
        await told(client, *past(now), stranger, *guesses)
        await entered(client)
        for language in ("id", "zh", "en"):
            page = (await client.get(f"/account?lang={language}")).text
            words = account_words.words(language, "")
            assert f'<html lang="{language}">' in page
            assert words["counsel"]["new_device"][0] in page
            assert words["times_same"].partition("{at}")[0].format(n=7) in page
            assert account_words.countries(language)["ID"] in page
            assert ("Chrome" in page, "120" in page) == (True, False)
            assert not re.search(r"<script|\sstyle=|\son\w+=|(?:src|href|action)=.https?:", page)
            assert "<a " not in page.split('id="advice"')[1].split("</section>")[0]
            fields = re.findall(r'<(?:select|textarea)[^>]* ?id="(\w+)"', page)
            assert len(fields) == 4
            assert all(f'<label for="{each}">' in page for each in fields)
            ids = re.findall(r' id="([\w-]+)"', page)
            assert len(ids) == len(set(ids))
            assert set(re.findall(r'aria-labelledby="([\w-]+)"', page)) <= set(ids)
            levels = [int(each) for each in re.findall(r"<h([1-6])", page)]
            assert (levels[0], levels.count(1)) == (1, 1)
            assert all(after - before <= 1 for before, after in pairwise(levels))
            buttons = re.findall(r'value="not_me" aria-label="([^"]+)"', page)
            assert len(set(buttons)) == len(buttons) > 1

    own.run(story)


def test_every_text_is_there_in_three_languages():
    """The same keys everywhere, none empty but what needs no word; each type, outcome, advice, wish and answer has its own."""
    texts = tomllib.loads((account_words.HERE / "account.toml").read_text(encoding="utf-8"))
    assert texts.keys() == {"id", "zh", "en"}
    shapes = [shape(each) for each in texts.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    for each in texts.values():
        assert each["type"].keys() == lately.SHOWN
        assert each["kind"].keys() == set(KINDS)
        assert each["way"].keys() == {"passkey", "totp", "recovery_code", "provider"}
        assert each["outcome"].keys() == set(get_args(lately.Outcome))
        assert list(each["counsel"]) == list(counsel.WORDS)
        assert {f"wish_{word}" for word in WISHES} <= each.keys()
        words = {
            *visit.DONE,
            "freeze_first",
            "waiting",
            "nothing_ticked",
            "claimed_before",
            "too_late",
            "gone",
            "incomplete",
            "enough",
        }
        assert {f"told_{word}" for word in words} == {
            key for key in each if re.fullmatch(r"told_(?!.*_text)\w+", key)
        }
        assert {f"told_{word}_text" for word in words - {"reported"}} <= each.keys()
        flat = [word for word in walk(each) if word != each["outcome"]["done"]]
        assert all(flat)
        assert not any("http" in word or "www" in word for word in flat)
    places = tomllib.loads((account_words.HERE / "countries.toml").read_text(encoding="utf-8"))
    assert places["id"].keys() == places["zh"].keys() == places["en"].keys()


def shape(said, at=""):
    """Every key with what it holds to fill in."""
    if isinstance(said, dict):
        return {path: what for key, each in said.items() for path, what in shape(each, f"{at}.{key}").items()}
    if isinstance(said, list):
        return {f"{at}[{number}]": sorted(re.findall(r"{\w+}", each)) for number, each in enumerate(said)}
    return {at: sorted(re.findall(r"{\w+}", said))}


def walk(said):
    """Every sentence."""
    if isinstance(said, str):
        yield said
    else:
        for each in said.values() if isinstance(said, dict) else said:
            yield from walk(each)


def test_whatever_is_pressed_is_answered(world_in, tmp_path, database):  # noqa: F811 -- the fixture
    """No form of any words is a fault of ours, on either database; the page stands after each."""
    world = world_in(tmp_path / "data", clock=ManualClock(NOW_MS), database=database)
    draw = random.Random(11)

    def word():
        mixed = "".join(draw.choice("a:é\0\U0001f512\ud800'\"%;<") for _each in range(draw.randrange(12)))
        return draw.choice([*WORDS, mixed])

    async def story(client, world):
        now = world.clock.now_ms()
        await told(client, *past(now), *theft(now))
        await client.post("/v1/users/anna/freeze", json={})
        for number in range(96):
            if number % 16 == 0:
                world.clock.advance(MINUTE_MS)
                await entered(client, language=draw.choice(["id", "zh", "en"]))
            form = {word(): word() for _each in range(4)} | {"do": draw.choice([*DEEDS[:-1], word()])}
            body = urlencode(form, errors="surrogatepass").encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await client.post("/account", content=body, headers=kind)
            assert answer.status_code in (303, 422), (form, answer.text)
            if answer.status_code == 422:
                assert answer.json()["code"] == "invalid_field"
            if number % 4 == 0:
                assert (await client.get("/account")).status_code == 200

    world.run(story)
