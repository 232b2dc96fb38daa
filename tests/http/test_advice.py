"""The page for customers: advice without a log-in, the shop's own names, and an answer to "is it really you?"."""

import re
import tomllib
from functools import partial

from screening.shop import TOML
from shopward.http import advice

PROFILE = tomllib.loads(TOML)
ZH_CODE = "【TokoNusa】您的账户异常。请将验证码发送给客服"
SHIPPED = "Pesanan Anda sudah dikirim, lihat https://tokonusa.co.id/x"
CODE = "TokoNusa: kirim kode OTP Anda ke https://tokonusa-hadiah.example/ <b>sekarang</b>"


def test_anybody_reads_the_advice_in_the_own_language_before_there_is_a_profile(world):
    """No log-in, no form, nothing from outside; by the browser's language or the one that was chosen."""

    async def story(client, _world):
        client.headers.pop("Authorization")
        page = await client.get("/advice", headers={"Accept-Language": "zh-CN"})
        assert (page.status_code, 'lang="zh"' in page.text, "绝不会" in page.text) == (200, True, True)
        assert "set-cookie" not in page.headers
        assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "tidak pernah meminta" in (await client.get("/advice?lang=id")).text
        assert "<form" not in page.text
        asked = await client.post("/advice", data={"asked": "tokonusa.co.id", "lang": "en"})
        assert (asked.status_code, "<form" in asked.text) == (200, False)

    world.run(story)


def test_a_customer_asks_and_is_told_in_every_language(world):
    """The shop's own and a thief's, with the reason; the profile's sites and numbers stand there; what was asked is no markup."""

    async def story(client, _world):
        assert (await client.put("/v1/screen/profile", json=PROFILE)).status_code == 200
        client.headers.pop("Authorization")
        for language, words in tomllib.loads(open_texts()).items():
            page = (await client.get(f"/advice?lang={language}")).text
            for told in ("Toko Nusantara", "tokonusa.co.id", "+62 811-1000-200", "123-456-7890", "tkns.link"):
                assert told in page
            said = partial(answered, client, language, words)
            assert (await said("link", "https://tokonusa.co.id/x"))[0] == "official"
            assert (await said("sender", "TOKONUSA"))[0] == "official"
            level, html = await said("message", CODE)
            assert level == "dangerous"
            assert "&lt;b&gt;sekarang" in html
            assert "<b>sekarang" not in html
            assert (await said("link", CODE))[0] == "dangerous"  # people paste all of it
            assert (await said("link", ZH_CODE))[0] == "dangerous"
            form = {"asked": SHIPPED, "kind": "message", "lang": language}
            honest = await client.post("/advice", data=form)
            assert (words["unknown_message"] in honest.text, words["unknown"] in honest.text) == (True, False)
            assert not re.search(r"<script|\sstyle=|\son\w+=|(?:src|href|action)=.https?:", html)

    world.run(story)


async def answered(client, language, words, kind, asked):
    """The level of an answer and its page."""
    form = {"asked": asked, "kind": kind, "lang": language}
    answer = await client.post("/advice", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    level = re.search(r'class="verdict (\w+)"', answer.text)[1]
    assert words[level].replace("{shop}", "Toko Nusantara") in answer.text
    return level, answer.text


def test_everybody_together_asks_no_more_than_the_server_can_bear(world, monkeypatch):
    """Over the bound the page says so and when there is room again, and the advice stands; too large a form is refused."""
    monkeypatch.setattr(advice, "ASKED_MAX", 1)

    async def story(client, _world):
        await client.put("/v1/screen/profile", json=PROFILE)
        form = {"asked": "tokonusa.co.id", "lang": "en"}
        first, second = [await client.post("/advice", data=form) for _ in range(2)]
        assert (first.status_code, second.status_code) == (200, 429)
        assert ("retry-after" in first.headers, second.headers["retry-after"]) == (False, "60")
        assert (await client.post("/advice", data={"asked": "x" * 70_000})).status_code == 413

    world.run(story)


def test_the_advice_says_the_same_in_every_language():
    """The same keys and as many sentences in id, zh and en, none empty; no link that could be followed."""
    texts = tomllib.loads(open_texts())
    assert texts.keys() == set(advice.LANGUAGES)
    shapes = [
        {key: len(said) if isinstance(said, list) else 1 for key, said in each.items()}
        for each in texts.values()
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    sentences = [
        one
        for each in texts.values()
        for said in each.values()
        for one in (said if isinstance(said, list) else [said])
    ]
    assert all(sentences)
    assert not any("http" in each for each in sentences)


def open_texts():
    """The file of the sentences."""
    return (advice.HERE / "advice.toml").read_text(encoding="utf-8")
