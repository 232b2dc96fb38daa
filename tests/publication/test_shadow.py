"""Rules on trial: counted beside the real ones, and held against labels that come later."""

from __future__ import annotations

import json

from publishing import decided, publish, small_files

SHADOW = ('decision = "deny"\n', 'decision = "deny"\nshadow = true\n')


def pay(server, number, user, minor, **more):
    return decided(
        server,
        number,
        type="payment",
        status="attempted",
        user={"id": user},
        transaction={"id": f"t-{number}", "amount_minor": minor, "currency": "IDR"} | more,
    )


def label(server, number, status, **named):
    return decided(server, number, type="label", status=status, user={"id": "u1"}, label=named)


def shadows(server):
    return {each["rule"]: each for each in json.loads(server.get("/v1/policies/shadow")[1])["rules"]}


def test_a_shadow_rule_decides_nothing_and_is_counted(server):
    """Fired, what was enforced, that it would have been stronger; then labels, by event and by transaction, the last word."""
    publish(server, small_files(SHADOW))
    assert shadows(server)["much_money"]["fired"] == 0
    answers = [pay(server, number, f"u{number}", 4_000_000) for number in (1, 2, 3)]
    assert [(each["decision"], each["shadow"]) for each in answers] == [("allow", ["much_money"])] * 3
    label(server, 11, "fraud", event_id="e-1")
    label(server, 12, "genuine", event_id="e-2", transaction_id="t-2")
    label(server, 13, "fraud", transaction_id="t-3")
    label(server, 14, "genuine", event_id="e-3")
    label(server, 15, "fraud", event_id="e-99")
    counts = shadows(server)["much_money"]
    assert counts["decision"] == "deny"
    assert (counts["fired"], counts["would_strengthen"], counts["agrees"]) == (3, 3, 0)
    assert counts["enforced"] == {"allow": 3, "review": 0, "challenge": 0, "deny": 0}
    assert (counts["fraud"], counts["genuine"]) == (1, 2)
    text = server.get("/metrics")[1].decode()
    assert 'shopward_shadow_fired_total{policy="small@2",rule="much_money",enforced="allow"} 3' in text
    assert 'shopward_shadow_labels_total{policy="small@2",rule="much_money",label="genuine"} 2' in text


def test_counts_of_a_policy_stay_apart_from_those_of_the_next(server):
    """The same rule in another version begins at zero; what the one before counted is still told."""
    publish(server, small_files(SHADOW))
    pay(server, 1, "u1", 4_000_000)
    publish(server, small_files(SHADOW, version=3))
    rules = json.loads(server.get("/v1/policies/shadow")[1])["rules"]
    assert [(each["policy"], each["fired"]) for each in rules] == [("small@3", 0), ("small@2", 1)]
