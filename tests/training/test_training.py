"""Training of staff over HTTP and from a terminal: what was learnt, who is due, and purposes that are for who is trained."""

from __future__ import annotations

import pytest

from shopward.errors import Misconfigured
from shopward.training import Training, courses_of, due
from shopward.values import DAY_MS
from stepup.front import Front
from vault.conftest import ORDER

LINE = {"person": "ani", "course": "privacy", "done_on": "2026-01-02", "valid_until": "2026-01-20"}
ASK = {"records": ["o-1"], "fields": ["name"], "purpose": "fraud_investigation", "case_id": "c-1"}


def test_a_purpose_is_for_who_is_trained_and_the_newest_line_counts(tmp_path):
    """Nobody before a record by somebody else, nobody after its last day; overdue people are listed, machines are not."""

    async def story(shop):
        ani, budi = await shop.key_for("ani", "analyst"), await shop.key_for("budi", "analyst")
        await shop.key_for("relay", "service")
        record = {"id": "o-1", "user": "u1", "kind": "order", "region": "ID", "fields": ORDER}
        assert (await shop.post("/v1/vault/records", {"records": [record]}))[0] == 201

        async def code(path, body, headers=ani):
            status, said = await shop.post(path, body, **headers)
            return said.get("code", status)

        records = "/v1/training/records"
        assert await code("/v1/vault/reveal", ASK) == "training_needed"
        assert await code("/v1/vault/reveal", ASK | {"purpose": "after_sales"}) == 200
        assert await code("/v1/vault/users/u1/export", {"case_id": "c-1"}) == "training_needed"
        assert await code(records, LINE) == "second_person_needed"
        assert await code(records, LINE | {"done_on": "2026-01-06"}, budi) == "invalid_field"
        assert await code(records, LINE | {"valid_until": "2026-01-01"}, budi) == "invalid_field"
        assert await code(records, LINE | {"course": "other"}, budi) == 201
        assert await code("/v1/vault/reveal", ASK) == "training_needed"
        status, said = await shop.post(records, LINE, **budi)
        assert (status, said["recorded_by"], said["ends_at"]) == (201, "budi", "2026-01-21T00:00:00.000Z")
        assert await code("/v1/vault/reveal", ASK) == 200
        assert await code("/v1/vault/users/u1/export", {"case_id": "c-1"}) == 200

        async def listed():
            _status, said = await shop.get("/v1/training/due")
            return [(each["person"], each["course"], each["why"]) for each in said["due"]]

        never = [("budi", "privacy", "never"), ("first", "privacy", "never")]
        assert await listed() == [("ani", "other", "soon"), ("ani", "privacy", "soon"), *never]
        shop.clock.advance(16 * DAY_MS)
        assert await code("/v1/vault/reveal", ASK) == "training_needed"
        assert (await listed())[:2] == [("ani", "other", "lapsed"), ("ani", "privacy", "lapsed")]
        assert await code(records, LINE | {"valid_until": "2026-12-31"}, budi) == 201
        assert (await listed())[1:] == never
        _status, said = await shop.get(f"{records}?person=ani&limit=2")
        _status, rest = await shop.get(f"{records}?before={said['next']}")
        courses = [each["course"] for each in said["records"] + rest["records"]]
        assert (courses[0], sorted(courses), rest["next"]) == (
            "privacy",
            ["other", "privacy", "privacy"],
            None,
        )

    demands = "fraud_investigation=privacy, subject_access=privacy"
    with Front(tmp_path / "data", trained_purposes=demands) as shop:
        shop.run(story)


@pytest.mark.parametrize("text", ["fraud", "fraud=A b", "a=b,a=c"])
def test_what_cannot_be_read_is_refused(text):
    """No purpose is left to everybody by a slip of the pen."""
    with pytest.raises(Misconfigured):
        courses_of(text)


def test_a_purpose_that_is_none_stops_the_start(tmp_path):
    """A misspelt purpose would be for everybody."""
    with Front(tmp_path / "data", trained_purposes="delivry=privacy") as shop, pytest.raises(Misconfigured):
        shop.run(lambda _shop: None)


def test_a_line_that_is_put_right_by_a_later_one_is_over():
    """Recorded once more with an earlier end, it holds no more."""
    first = Training("tr-1", "ani", "privacy", 0, 90 * DAY_MS, "", "budi", 1)
    mended = first._replace(id="tr-2", ends_ms=DAY_MS, at_ms=2)
    assert due({("ani", "privacy"): first}, [], [], 2 * DAY_MS) == []
    (said,) = due({("ani", "privacy"): mended}, [], [], 2 * DAY_MS)
    assert (said.why, said.ends_ms) == ("lapsed", DAY_MS)
