"""A model in force: what it changes, what it leaves alone, and how it is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import datetime

import msgspec
import pytest

from models.worlds import payments
from shopward.config import Settings
from shopward.errors import ModelInvalid, NotFound, PolicyInvalid
from shopward.flows.replay import Replay
from shopward.risk.models import Scorer, Scorers, pack
from shopward.risk.models.scale import score_of_log_odds
from shopward.risk.policy import Policy, RuleSpec, Texts, load_default_policy
from shopward.risk.policy.spec import RuleTest
from shopward.service import Shopward
from shopward.values import ManualClock, to_ms

pytest.importorskip("lightgbm")

WORDS = Texts(id="a", zh="b", en="c")
ASKING = RuleSpec(
    name="likely_fraud",
    description="d",
    on=("payment",),
    when="model.payment >= 60.0",
    decision="deny",
    text=WORDS,
    test=(RuleTest({"model.payment": 80.0}), RuleTest({}, fires=False)),
)


def policy_with(bundle, *rules) -> Policy:
    spec = load_default_policy()
    made = Policy(msgspec.structs.replace(spec, rules=(*spec.rules, *rules)))
    made.scorers = Scorers([Scorer(bundle, made.inputs["payment"])])
    return made


def replayed(policy, stream):
    return [result[1] for result in Replay(policy).run(stream)]


def test_features_learn_the_same_with_a_model_and_without(stream, bundle):
    """The state after a stream is the same bytes, as long as no decision is another one."""
    plain, scored = Replay(Policy(load_default_policy())), Replay(policy_with(bundle))
    early = stream[:400]
    for run in (plain, scored):
        for _result in run.run(early):
            pass
    assert plain.engine.dump() == scored.engine.dump()


def test_a_rule_may_ask_a_model(stream, bundle):
    """It fires where the score says so; without the bundle it stays silent."""
    denied = [record for record in replayed(policy_with(bundle, ASKING), stream) if record.decision == "deny"]
    assert denied
    assert all(record.score >= 60 and "likely_fraud" in record.deciding for record in denied)
    alone = policy_with(bundle, ASKING)
    alone.scorers = None
    assert not [record for record in replayed(alone, stream[:500]) if record.decision == "deny"]


def test_a_rule_that_asks_a_model_that_is_not_there_does_not_compile(bundle):
    """A misspelt model is found before the policy is in force."""
    with pytest.raises(PolicyInvalid):
        policy_with(bundle, msgspec.structs.replace(ASKING, when="model.paiment >= 60.0"))


def test_scores_rise_with_the_chance_and_stay_between_0_and_100():
    """One in thirty is 50; the order of chances is the order of scores."""
    log_odds = [each / 10 for each in range(-150, 151)]
    scores = [score_of_log_odds(each) for each in log_odds]
    assert scores == sorted(set(scores))
    assert 0 < scores[0] < scores[-1] < 100
    assert score_of_log_odds(-math.log(29)) == pytest.approx(50)


def test_a_server_scores_with_a_bundle_and_says_why_in_three_languages(bundle, stream, tmp_path):
    """Served with ``model``, the score is the model's; after a restart the recorded answer stands."""
    file = tmp_path / "payment.model"
    file.write_bytes(pack(bundle))
    settings = Settings(data=str(tmp_path / "data"), model=str(file))
    events = payments()[:3_000]
    expected = {record.event_id: record for record in replayed(policy_with(bundle), stream[:3_000])}
    high = None
    with Shopward.open(settings, clock=ManualClock(to_ms_of(events[-1]))) as shopward:
        assert shopward.models == ("payment",)
        for event in events:
            decision = shopward.decide(event)
            assert decision.score == expected[decision.event_id].score
            high = event if decision.score >= 60 else high
    assert high is not None
    with Shopward.open(settings, clock=ManualClock(to_ms_of(events[-1]))) as shopward:
        texts = {
            language: {
                reason.code: reason.text
                for reason in shopward.decide(high, language=language).reasons
                if reason.code.startswith("model_")
            }
            for language in ("id", "zh", "en")
        }
    assert texts["en"]["model_payment_payee"] == "Fraud was reported at this recipient lately."
    assert len({texts[language]["model_payment_payee"] for language in texts}) == 3


def test_a_server_does_not_start_with_a_bundle_that_is_none(bundle, tmp_path):
    """A damaged bundle and a missing one are refused with the reason, and nothing is left open."""
    file = tmp_path / "payment.model"
    file.write_bytes(pack(bundle)[:-50])
    for path, error in ((file, ModelInvalid), (tmp_path / "none.model", NotFound)):
        with pytest.raises(error):
            Shopward.open(Settings(data=str(tmp_path / "data"), model=str(path)))
    Shopward.open(Settings(data=str(tmp_path / "data"))).close()


def test_the_commands_train_and_replay(tmp_path):
    """As a person runs them: train, then replay with the bundle; a foreign file ends with a clear line."""
    events = tmp_path / "events.ndjson"
    events.write_text("\n".join(json.dumps(event) for event in payments()) + "\n")
    bundle, out = tmp_path / "payment.model", tmp_path / "out.ndjson"
    made = shopward("train", "payment", str(events), "--until", "2026-02-15", "--out", str(bundle))
    assert made.returncode == 0, made.stderr
    assert b"# Model `payment`" in made.stdout
    done = shopward("replay", str(events), "--model", str(bundle), "--out", str(out), "--since", "2026-02-15")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert any(reason["code"].startswith("model_payment_") for line in lines for reason in line["reasons"])
    foreign = shopward("replay", str(events), "--model", str(events))
    assert foreign.returncode == 1
    assert b"the model bundle is refused" in foreign.stderr
    unknown = shopward("train", "nothing", str(events), "--out", str(bundle))
    assert unknown.returncode == 2


def shopward(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "shopward", *arguments], capture_output=True, timeout=300, check=False
    )


def to_ms_of(event):
    return to_ms(datetime.fromisoformat(event["time"]))


def test_a_model_takes_nothing_from_what_the_rules_would_stop(stream, bundle):
    """Where the rules' own points reach the challenge, the event is challenged at least, however low the model scores it."""
    spec = load_default_policy()
    heavy = RuleSpec(
        name="heavy", description="d", on=("payment",), when="transaction.amount_minor % 7 == 0", weight=60.0,
        decision="allow", text=WORDS,
    )  # fmt: skip
    reached = [
        record
        for record in replayed(policy_with(bundle, heavy), stream)
        if record.learnt is not None and record.learnt >= spec.head.score.challenge
    ]
    assert any(record.score < spec.head.score.challenge for record in reached), (
        "the model would have let some go"
    )
    assert {record.decision for record in reached} <= {"challenge", "deny"}
