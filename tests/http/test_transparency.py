"""The page for everybody on what is done with personal data: rights, duties, purposes, recipients; in three languages."""

import asyncio
import re
import tomllib
from typing import get_args

from ordering import NOW_MS
from shopward.http import privacy
from shopward.http.account_words import HERE
from shopward.http.partner_paths import EXAMPLE
from shopward.partners.partner import PartnerKind
from shopward.processing import Basis, shipped_activities
from shopward.processing.activity import DataClass
from shopward.processing.wording import texts
from shopward.values import ManualClock

OFFERS = {
    "title": {"id": "Kabar penawaran", "zh": "优惠信息", "en": "News of <offers>"}, "basis": "consent",
    "law": "GDPR art. 6(1)a", "data": ["contact"], "subjects": ["customers"], "keep": "Bis auf Widerruf",
    "recipients": ["who sends the letters"], "transfers": ["Singapore"], "keep_days": 30,
}  # fmt: skip
STAFFS = OFFERS | {"title": {"id": "Daftar jaga", "zh": "值班表", "en": "The rota"}, "subjects": ["staff"]}


def test_everybody_reads_rights_duties_and_purposes_in_their_language(world_in, tmp_path, monkeypatch):
    """Without a key or a script; the shop's own activities as it declared them, staff's not; read once in ten seconds, for a crowd too."""
    clock, readings = ManualClock(NOW_MS), []

    async def story(client, world):
        key = dict(client.headers)
        client.headers.pop("Authorization")
        for language, words in tomllib.loads((HERE / "privacy.toml").read_text(encoding="utf-8")).items():
            page = await client.get(f"/privacy?lang={language}")
            assert (page.status_code, f'<html lang="{language}">' in page.text) == (200, True)
            assert words["duties_are"][3] in page.text
            for each in shipped_activities().values():
                assert getattr(each.title, language) in page.text
            assert not re.search(r"<script|\sstyle=|\son\w+=|(?:src|href|action)=.https?:", page.text)
        auth = {"Authorization": key["authorization"]}
        for name, declared in (("offers", OFFERS), ("rota", STAFFS)):
            path = f"/v1/processing/activities/{name}"
            assert (await client.put(path, json=declared, headers=auth)).status_code == 200
        made = await client.post("/v1/partners", json=EXAMPLE, headers=auth)
        assert made.status_code == 201, made.text
        assert "News of" not in (await client.get("/privacy?lang=en")).text
        clock.advance(privacy.FRESH_MS)
        register, listed = world.shopward.processing, world.shopward.processing.activities
        with monkeypatch.context() as counting:
            counting.setattr(register, "activities", lambda: readings.append(1) or listed())
            crowd = await asyncio.gather(*(client.get("/privacy?lang=en") for _each in range(9)))
        assert ([each.status_code for each in crowd], len(readings)) == ([200] * 9, 1)
        page = (await client.get("/privacy", headers={"Accept-Language": "en"})).text
        assert "News of &lt;offers&gt;" in page
        assert "Bis auf Widerruf (30 days)" in page
        assert texts()["partner"][EXAMPLE["kind"]]["en"] in page
        assert EXAMPLE["name"] not in page
        assert "The rota" not in page

    world_in(tmp_path / "data", clock=clock).run(story)


def test_every_word_and_sentence_that_ships_is_there_in_three_languages():
    """The closed sets, and what the activities that ship say; the texts of the page have the same keys and as many sentences."""
    found = texts()
    for section, words in (("basis", Basis), ("data", DataClass), ("partner", PartnerKind)):
        assert found[section].keys() == set(get_args(words))
        assert all(each.keys() == {"id", "zh", "en"} for each in found[section].values())
    sentences = {
        each
        for activity in shipped_activities().values()
        for each in (activity.keep, activity.measures, *activity.recipients, *activity.transfers)
    }
    assert found["said"].keys() == sentences
    assert all(each.keys() == {"id", "zh"} and all(each.values()) for each in found["said"].values())
    pages = tomllib.loads((HERE / "privacy.toml").read_text(encoding="utf-8"))
    shapes = [
        {key: len(said) if isinstance(said, list) else 1 for key, said in each.items()}
        for each in pages.values()
    ]
    assert pages.keys() == {"id", "zh", "en"}
    assert shapes[0] == shapes[1] == shapes[2]
