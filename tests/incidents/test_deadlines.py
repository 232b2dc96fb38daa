"""Nobody becomes late in silence: dates are told before they pass and when they have, each once."""

import pytest

from outbox.reading import owed
from protection.conftest import NOW_MS
from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.flows.complain import Complained
from shopward.flows.workload import Standing
from shopward.incidents import Facts, shipped_rules, steps
from shopward.incidents.deadlines import Date, nearness
from shopward.incidents.incident import Task
from shopward.service import Shopward
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, ManualClock
from stores import empty_store

NPC = "PH-npc"
"""A rule that wants the full report five days after the first notice."""
DEWI = Caller("dewi-laptop", "dewi", ("admin", "analyst"))


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def shop(request, tmp_path_factory):
    """One Shopward over each kind of store for all of this file."""
    folder = tmp_path_factory.mktemp("data")
    with empty_store(request.param, folder) as database:
        settings = Settings(data=str(folder), database=database, shop_jurisdiction="ID")
        with Shopward.open(settings, clock=ManualClock(NOW_MS)) as opened:
            yield opened


def incident(shop, title):
    """One with people in Indonesia, whose clock of 72 hours begins now."""
    made = shop.incidents.open(
        DEWI, title=title, kind="data_leak", severity="high", campaign="", began_ms=0, ended_ms=0
    )
    return step(
        shop,
        made.id,
        lambda each, by, now: steps.facts_said(each, Facts(subjects={"ID": 3}), by=by, now_ms=now),
    )


def step(shop, name, take):
    """One step of it."""
    return shop.incidents.step(DEWI, name, "step", take)


def sent(incident, rule_id, by, now):
    """It with a notice that says all that its rule wants."""
    rule = shipped_rules()[rule_id]
    for content in rule.contents:
        incident = steps.content_said(incident, content, rule.languages[0], "text", by=by, now_ms=now)
    return steps.notice_sent(
        incident, shipped_rules(), rule_id, receipt="1", late_reason="we looked first", by=by, now_ms=now
    )


def told(shop, subject):
    """What was ever told of it, after one more look."""
    shop.deadlines.step()
    return [
        (topic.partition(".")[2], payload["of"]) for topic, about, payload in owed(shop)
        if topic.startswith("deadline.") and about == subject
    ]  # fmt: skip


def test_a_date_is_near_when_a_third_of_its_time_is_left():
    """Of 72 hours the last 24, of four the last 80 minutes, of ninety days the last three; what is owed at once at once."""
    for lasts_ms, left_ms in (
        (72 * HOUR_MS, DAY_MS),
        (4 * HOUR_MS, 80 * MINUTE_MS),
        (90 * DAY_MS, 3 * DAY_MS),
    ):
        date = Date("duty:X", NOW_MS, NOW_MS + lasts_ms)
        assert nearness(date, at_ms=date.due_ms - left_ms - 1) is None
        assert nearness(date, at_ms=date.due_ms - left_ms) == nearness(date, at_ms=date.due_ms) == "near"
        assert nearness(date, at_ms=date.due_ms + 1) == "passed"
    assert nearness(Date("duty:X", NOW_MS, NOW_MS), at_ms=NOW_MS + DAY_MS) == "near"


def test_notices_are_told_before_they_are_late_and_when_they_are(shop):
    """One message an incident and step, however often the server looks; what was sent is told no more; a moved clock anew."""
    made = incident(shop, "a stolen export")
    assert told(shop, made.id) == []
    shop.clock.advance(49 * HOUR_MS)
    near = ("near", ["duty:ID-agency", "duty:ID-subject"])
    assert told(shop, made.id) == told(shop, made.id) == [near]
    step(shop, made.id, lambda each, by, now: sent(each, "ID-agency", by, now))
    shop.clock.advance(24 * HOUR_MS)
    assert told(shop, made.id) == [near, ("passed", ["duty:ID-subject"])]
    step(shop, made.id, lambda each, by, now: steps.clock_set(
        each, "may_have_happened", at_ms=now - HOUR_MS, reason="the log was read wrongly", by=by, now_ms=now))  # fmt: skip
    shop.clock.advance(48 * HOUR_MS)
    assert told(shop, made.id)[2:] == [("near", ["duty:ID-subject"])]


def test_a_date_that_is_long_over_is_told_once_too(shop):
    """A clock that began years ago: what was told of it is kept as long as the incident is worked on."""
    made = incident(shop, "a leak of long ago")
    step(shop, made.id, lambda each, by, now: steps.clock_set(
        each, "may_have_happened", at_ms=now - 900 * DAY_MS, reason="an old backup", by=by, now_ms=now))  # fmt: skip
    first = told(shop, made.id)
    assert "passed" in {word for word, _of in first}
    shop.deadlines.forget()
    assert told(shop, made.id) == first


def test_vendors_and_tasks_are_told(shop):
    """A vendor who is to be asked again, until an answer came; a task, until it is done."""
    made = incident(shop, "a partner's key")
    now_ms = shop.clock.now_ms()
    step(shop, made.id, lambda each, by, now: steps.vendor_asked(
        each, "Relay", "which keys", next_ms=now_ms + 3 * HOUR_MS, by=by, now_ms=now))  # fmt: skip
    step(shop, made.id, lambda each, by, now: steps.task_added(
        each, Task("t1", "turn the key", "analyst", now_ms + 6 * HOUR_MS), by=by, now_ms=now))  # fmt: skip
    shop.clock.advance(2 * HOUR_MS)
    assert told(shop, made.id) == [("near", ["vendor:1"])]
    step(shop, made.id, lambda each, by, now: steps.vendor_answered(each, "Relay", "two", by=by, now_ms=now))
    shop.clock.advance(5 * HOUR_MS)
    assert told(shop, made.id)[1:] == [("passed", ["task:t1"])]


def test_a_queue_is_told_in_one_message(shop):
    """Two complaints whose date is a few hours away: one message with their number, once."""
    for user in ("anna", "budi"):
        shop.complaints.file(DEWI, Complained(user=user, about="service", statement="they do not answer"))
    for _step in range(48):
        shop.clock.advance(2 * HOUR_MS)
        shop.deadlines.step()
    (said,) = [
        payload
        for topic, _about, payload in owed(shop)
        if topic == "deadline.near" and payload["kind"] == "complaint"
    ]
    assert said["dates"] == 2
    assert 5 <= said["hours_left"] < 8


def test_later_phases_are_counted(shop):
    """What the law wants after a first notice is a gauge and a date of its own, until the second went out."""
    made = incident(shop, "a leak in Manila")
    step(shop, made.id, lambda each, by, now: steps.facts_said(each, Facts(subjects={"PH": 9}), by=by, now_ms=now))  # fmt: skip
    step(shop, made.id, lambda each, by, now: sent(each, NPC, by, now))
    assert shop.workload.now().followups == Standing(1, 0)
    shop.clock.advance(200 * DAY_MS)
    assert shop.workload.now().followups == Standing(1, 1)
    assert [f"followup:{NPC}" in of for word, of in told(shop, made.id) if word == "passed"] == [True]
    step(shop, made.id, lambda each, by, now: sent(each, NPC, by, now))
    assert shop.workload.now().followups == Standing(0, 0)
