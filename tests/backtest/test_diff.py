"""What differs between two policies, in meaning and on a stream."""

from __future__ import annotations

import json

from serving import POLICY


def told(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_spacing_comments_and_files_are_no_difference(command, small_policy):
    """The same conditions written otherwise mean the same."""
    copy = small_policy(
        ("f.user_failures_1h >= 4", "( f.user_failures_1h  >=   4 )"),
        ("[[rule]]\n", "# a comment\n[[rule]]\n"),
    )
    assert told(command("diff", POLICY, copy, "--json"))["differences"] == []


def test_each_difference_is_named_with_before_and_after(command, small_policy):
    """A condition, a threshold, a feature and words; words alone are marked as such."""
    copy = small_policy(
        ("f.user_failures_1h >= 4", "f.user_failures_1h >= 2"),
        ("review = 30", "review = 20"),
        ('window = "1h"', 'window = "2h"'),
        ('en = "Much money in a day."', 'en = "A great deal of money."'),
    )
    found = {
        (each["part"], each["name"]): each
        for each in told(command("diff", POLICY, copy, "--json"))["differences"]
    }
    assert found["rule", "many_failures"]["fields"]["when"] == [
        "f.user_failures_1h >= 4",
        "f.user_failures_1h >= 2",
    ]
    assert found["policy", ""]["fields"]["score"][1]["review"] == 20
    assert found["feature", "user_failures_1h"]["fields"]["window"] == ["1h", "2h"]
    assert found["rule", "much_money"]["words_only"] is True
    assert found["rule", "many_failures"]["words_only"] is False


def test_rules_that_come_and_go_are_named(command, small_policy):
    """Added and removed, and a changed condition under the old name."""
    copy = small_policy(('name = "much_money"', 'name = "very_much_money"'))
    found = told(command("diff", POLICY, copy, "--json"))["differences"]
    assert [(each["change"], each["name"]) for each in found] == [
        ("removed", "much_money"),
        ("added", "very_much_money"),
    ]


def test_whose_decision_changes_is_counted_on_a_stream(command, small_policy, stream_file, recorded):
    """The same change over a file and over a log gives the same counts."""
    copy = small_policy(("f.user_failures_1h >= 4", "f.user_failures_1h >= 1"))
    over_file = told(command("diff", POLICY, copy, stream_file, "--json"))
    over_log = told(command("diff", POLICY, copy, "--data", recorded(), "--json"))
    assert over_file["changes"]
    assert [
        (each["before"], each["after"], each["events"], each["users"]) for each in over_file["changes"]
    ] == [(each["before"], each["after"], each["events"], each["users"]) for each in over_log["changes"]]
    done = command("diff", POLICY, copy, stream_file)
    assert "get another decision" in done.stdout
    assert "f.user_failures_1h >= 4 -> f.user_failures_1h >= 1" in done.stdout
