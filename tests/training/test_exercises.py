"""Exercises over HTTP with a real mail server: who got which mail, who opened its link, who reported it, and who never gets one."""

from __future__ import annotations

import json
import re

import pytest

from shopward.training.exercise import LURES, shown, token_in, written
from shopward.values import DAY_MS
from stepup.front import Front
from vault.conftest import ORDER, deeds

SETTINGS = {"page_url": "https://shopward.shop.example/", "staff_domains": "staff.example, shop.example"}
PEOPLE = [
    {"person": "ani", "email": "ani@staff.example", "language": "id"},
    {"person": "mei", "email": "mei@Shop.example", "language": "zh"},
    {"person": "tom", "email": "tom@staff.example"},
]
PATH = "/v1/training/exercises"


def text_of(mail):
    """The text of a mail that the server was handed."""
    from email import message_from_bytes, policy  # noqa: PLC0415 -- beside its one use

    return message_from_bytes(mail.content, policy=policy.default).get_content()


def test_an_exercise_tells_who_opened_the_link_and_who_reported_it(tmp_path):
    """Each has a link of his own in his language; opened and reported count once; the page says that nothing happened."""

    async def story(shop):
        ani = await shop.key_for("ani", "analyst")
        status, said = await shop.post(PATH, {"lure": "password", "people": PEOPLE})
        assert (status, said["sent"], said["failed"], said["clicked"]) == (201, 3, 0, 0)
        mails = {mail.rcpt_tos[0]: text_of(mail) for mail in shop.letterbox.mails}
        assert "kata sandi" in mails["ani@staff.example"].lower()
        links = {to: re.search(r"https://\S+", text)[0] for to, text in mails.items()}
        assert len(set(links.values())) == 3
        assert all(each.startswith("https://shopward.shop.example/exercises/") for each in links.values())

        del shop.client.headers["authorization"]  # the page needs no key
        path = links["mei@Shop.example"].removeprefix("https://shopward.shop.example")
        assert (await shop.client.head(path)).status_code == 404
        for _ in range(2):
            page = await shop.client.get(path)
        assert (page.status_code, "演练" in page.text, 'lang="zh"' in page.text) == (200, True, True)
        assert (await shop.client.get(path[:-1] + "1")).status_code == 404
        shop.client.headers["authorization"] = f"Bearer {shop.key}"

        body = {"link": "Fwd: what is this?\n> " + mails["tom@staff.example"]}
        for _ in range(2):
            assert await shop.post(PATH + "/reports", body, **ani) == (201, {"exercise": said["id"]})
        assert (await shop.post(PATH + "/reports", {"link": "https://x.example/exercises/none"}))[0] == 404
        _status, whole = await shop.get(f"{PATH}/{said['id']}")
        assert [(each["person"], bool(each["clicked_at"]), bool(each["reported_at"])) for each in whole["people"]] == [
            ("ani", False, False), ("mei", True, False), ("tom", False, True),
        ]  # fmt: skip
        listed = (await shop.client.get(PATH, headers=ani)).json()["exercises"]
        assert [(each["clicked"], each["reported"], "people" in each) for each in listed] == [(1, 1, False)]
        assert deeds(shop.shopward).count("exercise:report") == 1
        kept = (tmp_path / "data/shopward.db").read_bytes() + (tmp_path / "data/shopward.db-wal").read_bytes()
        shop.clock.advance(400 * DAY_MS)
        assert shop.shopward.exercises.forget() == 0
        shop.clock.advance(1)
        assert (shop.shopward.exercises.forget(), (await shop.get(PATH))[1]["exercises"]) == (3, [])
        assert not [each for each in (*links.values(), "ani@staff.example") if each[-32:].encode() in kept]

    with Front(tmp_path / "data", **SETTINGS) as shop:
        shop.run(story)


def test_a_long_exercise_goes_on_where_it_was_and_sends_nobody_a_second_mail(tmp_path):
    """Some a call; a server that takes nothing is left alone, and tried when somebody asks again; a day later it is another exercise."""
    staff = [{"person": f"p{number}", "email": f"p{number}@staff.example"} for number in range(7)]
    asked = {"lure": "parcel", "people": staff}

    def counts(said):
        return said["sent"], said["failed"], said["waiting"]

    async def story(shop):
        first = (await shop.post(PATH, asked))[1]
        assert (counts(first), len(shop.letterbox.mails)) == ((5, 0, 2), 5)
        shop.letterbox.is_busy = True
        assert counts((await shop.post(PATH, asked))[1]) == (5, 2, 0)
        shop.letterbox.is_busy = False
        again = (await shop.post(PATH, asked | {"people": staff[::-1]}))[1]
        assert (counts(again), again["id"]) == ((7, 0, 0), first["id"])
        assert counts((await shop.post(PATH, asked))[1]) == (7, 0, 0)
        assert len({mail.rcpt_tos[0] for mail in shop.letterbox.mails}) == len(shop.letterbox.mails) == 7
        assert deeds(shop.shopward).count("exercise:send") == 2  # what failed was asked for once more
        token = token_in(text_of(shop.letterbox.mails[-1]))
        assert (await shop.client.get(f"/exercises/{token}")).status_code == 200
        shop.clock.advance(DAY_MS)
        shop.letterbox.is_busy = True
        other = (await shop.post(PATH, asked))[1]
        assert (counts(other), other["id"] == first["id"]) == ((0, 7, 0), False)

    with Front(tmp_path / "data", **SETTINGS) as shop:
        shop.run(story)


def test_no_customer_is_ever_sent_an_exercise(tmp_path):
    """Another domain, or one address of a customer among others: nobody is sent anything; without the setting nothing works."""

    async def story(shop):
        record = {"id": "o-1", "user": "u1", "kind": "order", "region": "ID", "fields": ORDER}
        record["fields"] = ORDER | {"email": "Tom@Staff.example"}
        assert (await shop.post("/v1/vault/records", {"records": [record]}))[0] == 201
        status, said = await shop.post(PATH, {"lure": "parcel", "people": PEOPLE})
        assert (status, said["code"], said["path"]) == (403, "exercise_customer", "people[2].email")
        newest = shop.shopward.records.read(lambda at: shop.shopward.trail.read(at, after_seq=0, limit=500))[
            -1
        ]
        assert (newest.deed, newest.subject) == ("exercise:send", "lure:parcel")
        assert json.loads(newest.details)["refused"] == "exercise_customer"
        other = [PEOPLE[0], {"person": "x", "email": "x@mail.example"}]
        status, said = await shop.post(PATH, {"lure": "parcel", "people": other})
        assert (status, said["path"]) == (422, "people[1].email")
        for address in ("=?utf-8?q?x=40mail.example=2C?=x@staff.example", "x,y@staff.example"):
            two = [{"person": "x", "email": address}]
            assert (await shop.post(PATH, {"lure": "parcel", "people": two}))[0] == 422
        status, said = await shop.post(PATH, {"lure": "parcel", "people": [PEOPLE[0], PEOPLE[0]]})
        assert (status, said["path"]) == (422, "people")
        assert (shop.letterbox.mails, (await shop.get(PATH))[1]["exercises"]) == ([], [])
        budi = await shop.key_for("budi", "analyst")
        assert (await shop.post(PATH, {"lure": "parcel", "people": PEOPLE[:1]}, **budi))[0] == 403

    with Front(tmp_path / "data", **SETTINGS) as shop:
        shop.run(story)

        async def off(shop):
            status, said = await shop.post(PATH, {"lure": "parcel", "people": PEOPLE[:1]})
            assert (status, said["code"]) == (409, "exercise_off")

        shop.more["staff_domains"] = ""
        shop.run(off)


@pytest.mark.parametrize("language", ["id", "zh", "en"])
@pytest.mark.parametrize("lure", LURES)
def test_every_mail_has_its_link_and_what_gave_it_away(lure, language):
    """In each language, with nothing left to fill in."""
    link = "https://shopward.shop.example/exercises/" + "a2" * 16
    mail = written(lure, language, shop="Toko", link=link)
    page = shown(lure, language, shop="Toko")
    assert token_in(mail.text) == "a2" * 16
    assert mail.text.count(link) == 1
    assert len(page["tells_of"]) == 3
    assert not [text for text in (mail.subject, mail.text, page["lead"], *page["tells_of"]) if "{" in text]
