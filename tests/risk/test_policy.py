"""Policies: what compiles, what is refused and with which words, and what verdicts follow."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.errors import PolicyInvalid
from shopward.events import Facts
from shopward.risk.features import FeatureSpec, Kernel, KernelChoice, Outcome, open_kernel
from shopward.risk.policy import Action, Policy, PolicySpec, RuleSpec, Texts, load_default_policy
from shopward.risk.policy.selftest import run_tests
from shopward.risk.policy.spec import Challenge, Condemn, PolicyHead, RuleTest, ScoreThresholds
from shopward.risk.verdict import judge, score_of

WORDS = Texts(id="a", zh="b", en="c")
COUNTRY = FeatureSpec(name="user_country_last", measure="last", of="context.country", key=("user.id",))
FAILED = FeatureSpec(name="failed", measure="count", key=("user.id",), window="10m", panes=10)


def rule(when: str, **fields: Any) -> RuleSpec:
    return RuleSpec(**({"name": "the_rule", "description": "d", "when": when, "text": WORDS} | fields))


def policy(*rules: RuleSpec, features: tuple[FeatureSpec, ...] = (COUNTRY, FAILED), **head: Any) -> Policy:
    return Policy(PolicySpec(PolicyHead(name="policy", version=1, score_text=WORDS, **head), features, rules))


def verdict_on(made: Policy, satisfied: tuple[str, ...] = (), **fields: Any) -> Any:
    facts = Facts("e-1", "login", "succeeded", 1_000_000, **({"user": "u"} | fields))
    return judge(made, facts, Kernel(made.layout).observe(facts), satisfied)


def test_every_rule_of_the_default_policy_passes_its_own_tests() -> None:
    """Each rule shows on what it fires and on what it does not."""
    assert [result for result in run_tests(Policy(load_default_policy())) if not result.passed] == []


def test_every_challenge_of_the_default_policy_leaves_a_factor() -> None:
    """No rule excludes all factors, and those that suspect the phone or a code exclude the text message."""
    spec = load_default_policy()
    for each in spec.rules:
        assert set(spec.head.challenge.factors) - set(each.exclude), each.name
        if each.decision == "challenge" and (
            "otp" in each.on or "phone_change" in each.on or "device_link" in each.on
        ):
            assert "sms" in each.exclude, each.name


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ('type == "lgoin"', "did you mean"),
        ("f.ip_user >= 5", "no field"),
        ('transaction.amount_minor == "x"', "1:"),
        ("f.failed > 5 && f.failed < 3", "never"),
        ("context.os", "bool"),
        ("f.failed >", "1:"),
    ],
)
def test_a_condition_that_cannot_work_does_not_compile(when: str, found: str) -> None:
    """Unknown names, wrong types and impossible conditions are errors with a place, before anything is in force."""
    with pytest.raises(PolicyInvalid) as caught:
        policy(rule(when))
    assert found in str(caught.value)
    assert caught.value.path == "rule the_rule: when"


@pytest.mark.parametrize(
    "when",
    [
        'context.country == "CN"',
        '"CN" == context.country',
        'context.country in ["CN", "ID"]',
        'context.country.startsWith("C")',
        'context.country + "x" == "CNx"',
        '["CN"].exists(c, c == context.country)',
        "context.asn % 2 == 0",
        "context.asn > 4000",
        'f.user_country_last == "CN"',
        'context.language == "id"',
    ],
)
def test_origin_is_no_risk_in_itself(when: str) -> None:
    """Country, provider and language may be held against the customer's history, in no other way."""
    with pytest.raises(PolicyInvalid, match="origin is no risk"):
        policy(rule(when))
    with pytest.raises(PolicyInvalid, match="origin is no risk"):
        policy(rule("f.failed > 1", weight=f"{when} ? 5.0 : 0.0"))
    with pytest.raises(PolicyInvalid, match="origin is no risk"):
        policy(features=(COUNTRY, FeatureSpec(name="detour", measure="derived", value=when)))


def test_a_change_of_country_may_be_noticed() -> None:
    """The comparison with the customer's own last country compiles."""
    assert policy(rule('f.user_country_last != "" && context.country != f.user_country_last'))


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": ("lgoin",)},
        {"weight": -1.0},
        {"weight": '"x"'},
        {"condemn": Condemn(("context.ip",), "soon")},
        {"condemn": Condemn(("context.ipp",))},
        {"exclude": ("sms",), "actions": (Action("step_up", "sms"),)},
        {"name": "score"},
    ],
)
def test_a_rule_with_a_wrong_part_is_named(wrong: dict[str, Any]) -> None:
    """Every other mistake in a rule is a ``PolicyInvalid`` that names the rule and the part."""
    with pytest.raises(PolicyInvalid) as caught:
        policy(rule("f.failed > 1", **wrong))
    assert "rule" in (caught.value.path or "")


def test_a_challenge_that_no_time_satisfies_is_refused() -> None:
    """A duration that cannot be read is an error of the policy, not of the input."""
    with pytest.raises(PolicyInvalid):
        policy(challenge=Challenge(satisfied_for="a while"))


@pytest.mark.parametrize(
    ("weight", "points"), [("-5.0", 0.0), ("0.0 / 0.0", 0.0), ("1.0 / 0.0", 1000.0), ("2.5", 2.5)]
)
def test_points_of_an_expression_stay_within_bounds(weight: str, points: float) -> None:
    """A negative weight, or one that is no number, counts nothing; evidence never lowers a score."""
    made = policy(rule("f.failed >= 1", weight=f"f.failed > 1000 ? 1.0 : {weight}"))
    assert verdict_on(made).points == points


def test_the_strongest_decision_wins_and_a_satisfied_rule_is_silent() -> None:
    """Allow < review < challenge < deny; a passed challenge answers its own rule and no other."""
    asked = rule("f.failed >= 1", name="asked", decision="challenge", exclude=("totp",))
    looked = rule("f.failed >= 1", name="looked", decision="review")
    both = policy(asked, looked)
    verdict = verdict_on(both)
    assert (verdict.decision, verdict.deciding) == ("challenge", ("asked",))
    assert verdict.actions[0] == Action("step_up", "passkey", ("totp",))
    assert verdict_on(both, ("asked",)).decision == "review"


def test_a_challenge_without_a_trustworthy_factor_is_a_denial() -> None:
    """Where the threat owns every factor nothing can be proved."""
    made = policy(rule("f.failed >= 1", decision="challenge", exclude=("passkey", "totp", "email")))
    assert verdict_on(made).decision == "deny"


def test_a_shadow_rule_is_reported_and_changes_nothing() -> None:
    """Neither decision, score nor reasons know it."""
    made = policy(rule("f.failed >= 1", decision="deny", weight=50.0, shadow=True))
    verdict = verdict_on(made)
    assert (verdict.decision, verdict.score, verdict.reasons, verdict.shadow) == (
        "allow",
        0.0,
        (),
        ("the_rule",),
    )


def test_the_score_decides_from_its_thresholds_on() -> None:
    """Points that pass a threshold challenge under the name ``score``, with the score as evidence."""
    made = policy(rule("f.failed >= 1", weight=60.0), score=ScoreThresholds(review=50, challenge=60, deny=99))
    verdict = verdict_on(made)
    assert (verdict.decision, verdict.deciding) == ("challenge", ("score",))
    assert verdict.reasons[-1].evidence == {"score": verdict.score}


@given(st.lists(st.floats(0, 1000), max_size=8), st.floats(0, 1000))
def test_the_score_is_monotone_and_bounded(points: list[float], more: float) -> None:
    """More evidence never lowers a score, and no score leaves 0 to 100."""
    before, after = score_of(sum(points)), score_of(sum(points) + more)
    assert 0.0 <= before <= after <= 100.0


@settings(max_examples=50)
@given(st.floats(0.01, 200))
def test_the_score_is_finer_than_whole_numbers(points: float) -> None:
    """Half a point more is visible wherever it can matter."""
    assert score_of(points + 0.5) > score_of(points) or math.isclose(score_of(points), 100.0, abs_tol=2.0)


def test_an_overflow_silences_one_rule_for_one_event() -> None:
    """A condition that cannot be computed does not fire; the others stand."""
    breaks = rule("transaction.amount_minor * transaction.amount_minor > 5", name="breaks", decision="deny")
    stands = rule("f.failed >= 1", name="stands", decision="review")
    verdict = verdict_on(policy(breaks, stands), amount_minor=2**53)
    assert [reason.code for reason in verdict.reasons] == ["stands"]


@pytest.mark.parametrize("choice", ["reference", "compiled"])
def test_a_late_filter_that_cannot_be_computed_counts_nothing(choice: KernelChoice) -> None:
    """It fails open for its own features; one filter that several share, and one that always holds, still count."""

    def late(name: str, where: str) -> FeatureSpec:
        return FeatureSpec(
            name=name, measure="count", key=("user.id",), window="1h", panes=1, where=where, phase="decision"
        )

    features = (
        FAILED,
        late("breaks", "decision.score_centi / f.failed > 0 || f.failed / 0 == 1"),
        late("holds", "f.failed >= 1"),
        FeatureSpec(name="seen", measure="last_seen", key=("context.device_id",), where="f.failed >= 1", phase="decision"),
        late("always", ""),
    )  # fmt: skip
    made = policy(features=features)
    kernel = open_kernel(made.layout, choice)
    for at_ms in (1_000_000, 1_001_000):
        facts = Facts("e-1", "login", "succeeded", at_ms, at_ms, user="u", device="d")
        readings = kernel.observe(facts)
        read = {spec.name: readings[index] for index, spec in enumerate(features)}
        kernel.settle(facts, readings, Outcome("allow", 0))
    assert read == {"failed": 2, "breaks": 0, "holds": 1, "seen": 1_000, "always": 1}
    assert made.failing_filters == {"feature.breaks.where": 2}


@pytest.mark.parametrize("choice", ["reference", "compiled"])
def test_an_early_filter_that_cannot_be_computed_counts_nothing(choice: KernelChoice) -> None:
    """A division by zero before the rules read fails open for that feature: the event is decided, its neighbours count."""
    count = {"measure": "count", "key": ("user.id",), "window": "1h", "panes": 1}
    features = (
        FeatureSpec(name="breaks", where="100 / transaction.amount_minor > 1", **count),  # type: ignore[arg-type]
        FeatureSpec(name="all", **count),  # type: ignore[arg-type]
    )
    compiled = policy(features=features)
    kernel = open_kernel(compiled.layout, choice)
    read = []
    for amount in (0, 10, 0):
        facts = Facts("e-1", "payment", "attempted", 1_000_000, 1_000_000, user="u", amount_minor=amount)
        readings = kernel.observe(facts)
        read.append([readings[0], readings[1]])
        kernel.settle(facts, readings, Outcome("allow", 0))
    assert read == [[0, 1], [1, 2], [1, 3]]
    assert compiled.failing_filters == {"feature.breaks.where": 2}


@pytest.mark.parametrize("measure", ["sum", "distinct"])
@pytest.mark.parametrize("of", ["decision.score_centi", "decision.kind"])
def test_of_a_decision_only_the_last_value_is_kept(measure: str, of: str) -> None:
    """A sum or a distinct count of it is refused when the policy is loaded, with the feature's name, and not when an event comes."""
    spec = FeatureSpec(
        name="odd", measure=measure, of=of, key=("user.id",), window="1h", panes=1, phase="decision",  # type: ignore[arg-type]
    )  # fmt: skip
    with pytest.raises(PolicyInvalid, match="'odd'") as caught:
        policy(features=(spec,))
    assert caught.value.path == "feature.odd.of"


def test_a_test_of_a_rule_that_gives_a_wrong_value_fails_with_its_words() -> None:
    """An unknown field or a value of another type is a failed test, not a crash."""
    made = policy(
        rule("f.failed > 1", test=(RuleTest({"f.failed": "many"}), RuleTest({"f.nothing": 1}, fires=False)))
    )
    assert [result.passed for result in run_tests(made)] == [False, False]


def test_a_rule_may_ask_whether_a_field_is_set() -> None:
    """``has`` on a field and on a feature, alone and in a choice."""
    made = policy(
        rule("has(session.id) || has(f.failed)"), rule("has(session.id) ? true : user.known", name="other")
    )
    assert [reason.code for reason in verdict_on(made, session="s").reasons] == ["the_rule", "other"]
