"""Policies and events at random, for tests that hold two ways of deciding against each other."""

from __future__ import annotations

from hypothesis import strategies as st

from shopward.events import Facts, FactsMaker, Tokeniser
from shopward.flows.engine import Engine
from shopward.flows.replay import REPLAY_KEY, MemoryRecall
from shopward.risk.features import FeatureSpec
from shopward.risk.policy import Policy, PolicySpec, RuleSpec, Texts
from shopward.risk.policy.spec import PolicyHead, ScoreThresholds

WORDS = Texts(id="a", zh="b", en="c")
FEATURES = (
    FeatureSpec(name="events", measure="count", key=("user.id",), window="10m", panes=10),
    FeatureSpec(name="spent", measure="sum", of="transaction.amount_minor", key=("user.id",), window="24h", panes=24),
    FeatureSpec(name="devices", measure="distinct", of="context.device_id", key=("user.id",), window="24h", panes=24),
    FeatureSpec(name="os_last", measure="last", of="context.os", key=("user.id",)),
    FeatureSpec(name="share", measure="ratio", numerator="devices", denominator="events"),
    FeatureSpec(name="steep", measure="derived", value="f.spent / (f.events - 2)"),
    FeatureSpec(name="frauds", measure="count", key=("transaction.payee_id",), window="24h", panes=24, where='type == "label" && status == "fraud"'),
    FeatureSpec(name="leaked", measure="count", key=("context.device_id",), window="1h", panes=12, where="credential.breached"),
    FeatureSpec(name="far", measure="distance_km", key=("user.id",)),
)  # fmt: skip
CONDITIONS = (
    "f.events >= 3",
    "f.devices >= 2 && f.events < 5",
    'f.os_last != context.os && f.os_last != ""',
    "f.spent * 9000000000000 > 5 || f.events == 1",
    "f.spent / (f.events - 2) >= 3 && f.share > 0.3",
    "f.steep > 10",
    'context.os.startsWith("A") && f.events >= 2',
    'context.os < "B" && f.devices >= 1',
    'type in ["payment", "login"] && transaction.amount_minor > 0',
    "f.frauds >= 1",
    "has(session.id) ? f.events > 1 : f.devices > 1",
    "double(f.events) > f.share * 4.0",
    "user.known && !context.located",
    "f.leaked >= 2 || f.far > 500",
)
RULES = st.lists(
    st.tuples(
        st.sampled_from(CONDITIONS),
        st.sampled_from([(), ("login",), ("payment",), ("label",), ("payment", "login")]),
        st.sampled_from(["allow", "review", "challenge", "deny"]),
        st.sampled_from([0.0, 3.7, 25.0, "double(f.events) * 2.5", "double(f.spent / (f.events - 1))"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["login", "payment", "label", "challenge"]),
        st.sampled_from(["attempted", "succeeded", "failed"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.sampled_from(["", "Android", "Beos"]),
        st.sampled_from([0, 1, 2_000_000, 2**62]),
        st.integers(0, 300),
    ),
    min_size=1,
    max_size=40,
)


def policy_of(rules):
    specs = tuple(
        RuleSpec(
            name=f"rule_{number}", description="d", when=when, text=WORDS, on=on, decision=decision, weight=weight,
            shadow=shadow,
        )
        for number, (when, on, decision, weight, shadow) in enumerate(rules)
    )  # fmt: skip
    head = PolicyHead(
        name="policy", version=1, score_text=WORDS, score=ScoreThresholds(review=20, challenge=40, deny=80)
    )
    return Policy(PolicySpec(head, FEATURES, specs))


def facts_of(events):
    at_ms, made = 1_700_000_000_000, []
    for number, (type_, status, user, device, os, minor, after_s) in enumerate(events):
        at_ms += after_s * 1000
        facts = Facts(f"e{number}", type_, status, at_ms, at_ms, f"u{user}", device=f"d{device}", os=os)
        facts.amount_minor, facts.payee, facts.currency = minor, f"p{device}", "IDR"
        facts.transaction = f"t{number // 2}" if type_ == "payment" else ""
        if type_ == "label":
            facts.status, facts.labelled = ("fraud", f"e{max(number - 2, 0)}")
        if type_ == "challenge":
            facts.challenged_decision, facts.factor = f"d-e{max(number - 1, 0)}", "passkey"
        facts.breached, facts.located, facts.lat_deg = number % 3 == 0, number % 2 == 0, number
        made.append(facts)
    return made


def engine_of(policy, kernel="reference"):
    return Engine(policy, FactsMaker(Tokeniser(REPLAY_KEY)), MemoryRecall(), kernel=kernel)
