"""Mailings over a real mail server, killed and not: everybody is told, and at most one message comes twice."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from notices.letterbox import mails
from notices.telling import BUDI, LETTERS, SITI, by_mail, opened, under_way
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows.notify import LEASE_MS
from shopward.notices.mailing import Letter
from shopward.values import HOUR_MS, ManualClock, SystemClock

HERE = Path(__file__).parent
KILLS = int(os.environ.get("SHOPWARD_TEST_KILLS", "2")) * 2


def process(*words):
    """One of ours."""
    paths = os.pathsep.join([str(HERE.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


@pytest.fixture
def letterbox(tmp_path):
    """A mail server: its URL, and the file of what it took."""
    file = tmp_path / "mails.ndjson"
    server = process(HERE / "letterbox.py", file)
    yield f"smtp://127.0.0.1:{server.stdout.readline().strip()}", file
    server.kill()
    server.wait(timeout=120)
    server.stdout.close()


@pytest.fixture
def shop(database, tmp_path, clock, letterbox):
    """An open Shopward that can send."""
    with opened(str(tmp_path / "data"), database, letterbox[0], clock=clock) as shop:
        yield shop


def sent_all(shop):
    """Send until nothing is due."""
    while shop.notices.step():
        pass
    shop.notices.step()


def test_everybody_is_told_in_his_language(shop, letterbox):
    """Two languages, one address that does not exist, one that is busy for an hour."""
    people = [("u1", "anna@a.example", "id"), ("u2", "bo@b.example", "zh"), ("u3", "refused@c.example", "id"),
              ("u4", "later@d.example", "id")]  # fmt: skip
    mailing = under_way(shop, people)
    sent_all(shop)
    state, counts = shop.notices.get(mailing)
    assert (state.state, counts) == ("sending", {"sent": 2, "refused": 1, "queued": 1})
    taken = mails(letterbox[1])
    assert sorted(each["to"] for each in taken) == ["anna@a.example", "bo@b.example"]
    assert all(each["id"].endswith("@shop.example>") for each in taken)
    assert len({each["subject"] for each in taken}) == 2


def test_what_bounced_is_known_by_its_message(shop, letterbox):
    """Its id is what the mail server saw; the mailing counts it, and the shop hears that it is owed again."""
    mailing = under_way(shop, [("u1", "anna@a.example", "id")])
    sent_all(shop)
    assert shop.notices.get(mailing)[0].state == "done"
    (mail,) = mails(letterbox[1])
    assert shop.notices.bounced(SITI, mail["id"].strip("<>").partition("@")[0], "550 full") == mailing
    assert shop.notices.get(mailing)[1] == {"bounced": 1}
    with pytest.raises(NotFound):
        shop.notices.bounced(SITI, "n-none", "550")


def test_a_mailing_takes_two_and_is_whole(shop):
    """Who made it does not start it; nobody is left without a text; no link in any language; filling ends with the start."""
    with pytest.raises(InvalidField) as refused:
        shop.notices.make(
            SITI, incident="i", rule="", letters={"id": Letter("Akun", "Buka shop.example/akun sekarang")}
        )
    assert refused.value.code == "notice_link"
    made = shop.notices.make(SITI, incident="i", rule="", letters=LETTERS)
    with pytest.raises(Conflict):
        shop.notices.start(BUDI, made.id)
    assert shop.notices.fill(SITI, made.id, by_mail([("u1", "a@a.example", "en")])) == 1
    assert (
        shop.notices.fill(
            SITI, made.id, by_mail([("u1", "other@a.example", "en"), ("u2", "b@a.example", "id")])
        )
        == 1
    )
    with pytest.raises(Conflict) as missing:
        shop.notices.start(BUDI, made.id)
    assert "en" in missing.value.expected
    whole = under_way(shop, [("u1", "a@a.example", "id")])
    with pytest.raises(Refused):
        shop.notices.start(SITI, made.id)
    with pytest.raises(Conflict):
        shop.notices.fill(SITI, whole, by_mail([("u2", "b@a.example", "id")]))


def test_a_paused_mailing_goes_on_where_it_stood(shop, letterbox, clock):
    """Half is sent, the rest waits, and nobody is told twice."""
    mailing = under_way(shop, [(f"u{number}", f"u{number}@a.example", "id") for number in range(30)])
    shop.notices.step()
    shop.notices.pause(BUDI, mailing)
    assert (shop.notices.step(), shop.notices.get(mailing)[1]) == (0, {"sent": 20, "queued": 10})
    shop.notices.start(BUDI, mailing)
    clock.advance(HOUR_MS)
    sent_all(shop)
    assert Counter(each["to"] for each in mails(letterbox[1])).most_common(1)[0][1] == 1
    assert shop.notices.get(mailing)[0].state == "done"


def test_no_address_stands_in_the_store(shop):
    """The rows hold it sealed; copied to another row it does not open."""
    under_way(shop, [("u1", "anna@secret.example", "id")])
    rows = shop.records.read(lambda each: each.execute(text("SELECT * FROM notice_recipient")).all())
    assert "secret.example" not in str(rows)


def test_killed_while_it_sends(tmp_path, database, letterbox):
    """Killed again and again: everybody is told; at most the one in flight at each kill comes twice, under its id."""
    url, file = letterbox
    data = str(tmp_path / "data")
    people = [(f"u{number}", f"slow{number}@a.example", "id") for number in range(12)]
    with opened(data, database, url, clock=SystemClock()) as shop:
        mailing = under_way(shop, people)
    rng = random.Random(3)
    for _kill in range(KILLS):
        worker = process(HERE / "mailer_worker.py", data, database, url)
        worker.stdout.readline()
        time.sleep(rng.uniform(0.3, 1.2))
        worker.kill()
        worker.wait(timeout=120)
        worker.stdout.close()
    clock = ManualClock(SystemClock().now_ms())
    with opened(data, database, url, clock=clock) as shop:
        while shop.notices.get(mailing)[1].get("queued"):
            clock.advance(LEASE_MS)
            shop.notices.step()
    taken = mails(file)
    times = Counter(each["to"] for each in taken)
    assert set(times) == {address for _user, address, _language in people}
    assert sum(times.values()) - len(times) <= KILLS
    assert len({(each["to"], each["id"]) for each in taken}) == len(people)
