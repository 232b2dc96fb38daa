"""Row 19: a partner who pulls what it does not ship, beside one who has much to do."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import msgspec

from scenarios.stage import POLICY, Told
from shopward.flows.replay import Replay

DAY_S = 86_400
START = 1_767_571_200  # 2026-01-05T00:00:00Z


def pulls(partner, day, records, *, hour=9, page=40, purpose="delivery"):
    """A day's pulls of a partner, a page every few minutes from some hour on."""
    return [
        {
            "id": f"{partner}-{day}-{hour}-{purpose}-{number}",
            "type": "partner_pull",
            "status": "succeeded",
            "time": moment(START + day * DAY_S + hour * 3_600 + number * 240),
            "actor": {"type": "partner", "id": partner},
            "access": {"purpose": purpose, "records": min(page, records - number * page)},
        }
        for number in range(-(-records // page))
    ]


def moment(at_s):
    """A second as RFC 3339."""
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


def told(events):
    """The decisions of the default policy on some events, in time order."""
    ordered = sorted(events, key=lambda each: (each["time"], each["id"]))
    answers = Replay(POLICY).run(msgspec.json.encode(each) for each in ordered)
    return [Told(event, answer[1], "") for event, answer in zip(ordered, answers, strict=True)]


def of(all_told, partner, day=None):
    """Those of one partner, on one day."""
    return [
        each
        for each in all_told
        if each.event["id"].startswith(f"{partner}-{'' if day is None else f'{day}-'}")
    ]


def ordinary(partner, days, records, seed):
    """Days of work: a little more, a little less."""
    rng = random.Random(seed)
    return [each for day in range(days) for each in pulls(partner, day, int(records * rng.uniform(0.6, 1.4)))]


def test_row_19_a_leaking_partner_is_stopped_in_its_download_and_a_busy_one_is_not() -> None:
    """On one day both pull more: the one four times as much for a sale, the other the whole shop."""
    events = ordinary("busy", 20, 120, 1) + ordinary("leaky", 20, 120, 2)
    events += pulls("busy", 20, 500) + pulls("leaky", 20, 4_000)
    all_told = told(events)
    assert not [each for each in of(all_told, "busy") if each.stopped]
    assert "partner_pulls_more" in of(all_told, "busy", 20)[-1].codes
    leak = of(all_told, "leaky", 20)
    first = next(number for number, each in enumerate(leak) if each.record.decision == "deny")
    assert sum(each.event["access"]["records"] for each in leak[:first]) <= 900
    assert all(each.record.decision == "deny" for each in leak[first:])
    assert "partner_pulls_far_more" in leak[first].codes


def test_row_19_at_night_less_is_enough() -> None:
    """Three times a usual day, at an hour of none of the last seven days."""
    night = told(ordinary("leaky", 20, 120, 2) + pulls("leaky", 20, 420, hour=1))
    day = told(ordinary("leaky", 20, 120, 2) + pulls("leaky", 20, 420, hour=9))
    assert [each.record.decision for each in of(night, "leaky", 20)][-1] == "deny"
    assert not [each for each in of(day, "leaky", 20) if each.stopped]


def test_a_new_partner_and_a_new_purpose_are_looked_at_and_not_stopped() -> None:
    """A first week has no usual day to hold it against; a known partner's new purpose is for a person."""
    first = told(pulls("fresh", 0, 3_000))
    assert not [each for each in first if each.stopped]
    assert first[-1].record.decision == "review"
    later = told(ordinary("known", 12, 100, 3) + pulls("known", 12, 40, purpose="call"))
    assert (later[-1].record.decision, "partner_new_purpose" in later[-1].codes) == ("review", True)


def test_partners_of_an_ordinary_shop_are_not_stopped(quiet) -> None:
    """Over some weeks of the simulator no honest pull is."""
    quiet.shop.ordinary_days(14)
    assert not quiet.everything().of("partner_pull").stopped
