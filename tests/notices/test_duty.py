"""What a mailing means for the duty that it was made for, over a real mail server."""

from concurrent.futures import ThreadPoolExecutor

from notices.letterbox import mails
from notices.telling import BUDI, LETTERS, SITI, by_mail, under_way
from notices.test_telling import letterbox, sent_all, shop  # noqa: F401 -- fixtures
from shopward.incidents import steps
from shopward.incidents.incident import Facts

CONTENTS = ("data", "when_and_how", "measures")


def incident(at, *, said=CONTENTS):
    """An incident with one person in Indonesia, and these parts of its notice written."""

    def take(made, by, now_ms):
        made = steps.facts_said(made, Facts(subjects={"ID": 1}), by=by, now_ms=now_ms)
        for content in said:
            made = steps.content_said(made, content, "id", "Nama dan alamat.", by=by, now_ms=now_ms)
        return made

    made = at.incidents.open(
        SITI, title="Kebocoran", kind="data_leak", severity="high", campaign="", began_ms=0, ended_ms=0
    )
    return at.incidents.step(SITI, made.id, "facts", take).id


def told(at, about, people):
    """A mailing for the duty towards the persons concerned, sent; its id."""
    made = at.notices.make(SITI, incident=about, rule="ID-subject", letters=LETTERS)
    at.notices.fill(SITI, made.id, by_mail(people))
    at.notices.start(BUDI, made.id)
    sent_all(at)
    return made.id


def status(at, about):
    """Where that duty stands."""
    return next(each.status for each in at.incidents.get(about)[1] if each.rule == "ID-subject")


def test_who_was_told_is_owed_nothing(shop):  # noqa: F811 -- the fixtures
    """A mailing that reached everybody is the notice of its rule, with its id as the receipt and who started it."""
    about = incident(shop)
    made = told(shop, about, [("u1", "anna@a.example", "id")])
    assert status(shop, about) == "sent"
    (sent,) = shop.incidents.get(about)[0].sent
    assert (sent.receipt, sent.by) == (f"mailing {made}", "budi")


def test_somebody_who_was_not_reached_is_owed_it_still(shop):  # noqa: F811 -- the fixtures
    """One of two addresses does not exist: the duty stays open though the mailing is done."""
    about = incident(shop)
    told(shop, about, [("u1", "anna@a.example", "id"), ("u2", "refused@b.example", "id")])
    assert status(shop, about) == "open"


def test_a_bounce_opens_the_duty_again(shop, letterbox):  # noqa: F811 -- the fixtures
    """What came back after the mailing was done voids its notice, and the timeline says why."""
    about = incident(shop)
    told(shop, about, [("u1", "anna@a.example", "id")])
    (mail,) = mails(letterbox[1])
    shop.notices.bounced(SITI, mail["id"].strip("<>").partition("@")[0], "550 full")
    assert status(shop, about) == "open"
    assert "did not arrive" in shop.incidents.get(about)[0].timeline[-1].text


def test_an_incomplete_notice_meets_no_duty(shop):  # noqa: F811 -- the fixtures
    """A letter may go out early; the duty stays open until what the law wants is written and a person says so."""
    about = incident(shop, said=())
    told(shop, about, [("u1", "anna@a.example", "id")])
    assert status(shop, about) == "open"


def test_a_bounce_quicker_than_the_answer_stays(shop, letterbox):  # noqa: F811 -- the fixtures
    """The mail server takes its time; what came back meanwhile is not overwritten by its yes."""
    mailing = under_way(shop, [("u1", "slow@a.example", "id")])
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(shop.notices.step)
        while not (taken := mails(letterbox[1])):
            pass
        shop.notices.bounced(SITI, taken[0]["id"].strip("<>").partition("@")[0], "550 no such user")
        sending.result(timeout=120)
    assert shop.notices.get(mailing)[1] == {"bounced": 1}
