"""Shapes of the policy files: what an analyst writes.

Promise: a file that converts into these structs has the right fields and types; ``compile`` checks the meaning.
A policy is a folder: ``policy.toml`` (name, version, score thresholds, challenge), ``features.toml``,
``rules/*.toml``, ``models/*.toml`` and ``campaigns.toml``, the last two where wanted. See docs/policy.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from shopward.risk.campaigns.spec import CampaignsSpec
from shopward.risk.features import FeatureSpec

DecisionKind = Literal["allow", "review", "challenge", "deny"]
Factor = Literal["totp", "passkey", "recovery_code", "email", "whatsapp", "sms", "captcha"]
ActionType = Literal[
    "step_up", "limit", "hold", "freeze", "revoke_sessions", "reset_password", "notify", "unlink_identity"
]
Score = Annotated[float, Meta(ge=0, le=100)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{2,63}\Z")]
LANGUAGES = ("id", "zh", "en")


class Action(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the shop is asked to do beside the decision; ``exclude`` are factors that the threat makes worthless."""

    type: ActionType
    factor: Factor | None = None
    exclude: tuple[Factor, ...] = ()
    amount_minor: int | None = None
    currency: str | None = None
    window_s: int | None = None
    until: str | None = None


class Condemn(Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """Sources that stop earning trust, and lose what they earned, for a while."""

    keys: tuple[str, ...]
    for_: str = "24h"


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """One reason in the three languages."""

    id: str
    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in one of the three languages; English for any other."""
        return {"id": self.id, "zh": self.zh}.get(language, self.en)


class RuleTest(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's own test: field and feature values, and whether the rule fires on them."""

    given: dict[str, str | int | float | bool]
    fires: bool = True


class RuleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule.

    Attributes:
        on: event types it looks at; all where empty.
        when: condition in CEL.
        weight: points for the score, never negative: a number, or a CEL expression of one.
        decision: what it decides by itself; where empty it only adds to the score.
        exclude: factors that a challenge for this reason must not use.
    """

    name: Name
    description: str
    when: str
    text: Texts
    on: tuple[str, ...] = ()
    weight: float | str = 0.0
    decision: DecisionKind = "allow"
    exclude: tuple[Factor, ...] = ()
    actions: tuple[Action, ...] = ()
    condemn: Condemn | None = None
    shadow: bool = False
    test: tuple[RuleTest, ...] = ()


class ScoreThresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """From which score on the score alone decides."""

    review: Score = 100.0
    challenge: Score = 100.0
    deny: Score = 100.0


class Challenge(Struct, frozen=True, forbid_unknown_fields=True):
    """Factors in order of preference, and how long a passed challenge satisfies the same rule."""

    factors: tuple[Factor, ...] = ("passkey", "totp", "email")
    satisfied_for: str = "10m"


CarriedOut = Literal["freeze", "hold", "limit", "revoke_sessions", "reset_password", "unlink_identity"]


class Consequences(Struct, frozen=True, forbid_unknown_fields=True):
    """Which actions become orders of the system by themselves, and how many of these may be placed in an hour."""

    carry_out: tuple[CarriedOut, ...] = ()
    orders_per_hour_max: Annotated[int, Meta(ge=0, le=10_000)] = 100


class PolicyHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``policy.toml``.

    Attributes:
        base_points: what an event of a type starts from: how often such events are attacks at all.
    """

    name: Name
    version: Annotated[int, Meta(ge=1)]
    description: str = ""
    score: ScoreThresholds = ScoreThresholds()
    score_by_type: dict[str, ScoreThresholds] = field(default_factory=dict)
    base_points: dict[str, Annotated[float, Meta(ge=0, le=100)]] = field(default_factory=dict)
    score_text: Texts
    challenge: Challenge = Challenge()
    consequences: Consequences = Consequences()


class InputGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """Inputs of a model that one sentence explains.

    Attributes:
        name: names the reason, as ``MODEL.NAME``.
        inputs: event fields, features as ``f.NAME``, or ``rules.points``.
        words: for a field of free words, the words that are told apart; all others are one.
    """

    name: Name
    inputs: tuple[str, ...]
    text: Texts
    words: dict[str, tuple[str, ...]] = {}


class Trainer(Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is fitted: boosted trees, in LightGBM's terms.

    Attributes:
        failed_weight: how much a failed try counts as an example beside what succeeded: it harmed nobody, and there are
            many of them. Below 1 it is left out of evaluation and calibration.
        from_points: whether boosting starts from the log-odds of the rules' points, so that few labels move little.
    """

    rounds: Annotated[int, Meta(ge=1, le=2_000)] = 200
    leaves: Annotated[int, Meta(ge=2, le=255)] = 15
    learning_rate: Annotated[float, Meta(gt=0, le=1)] = 0.05
    leaf_rows_min: Annotated[int, Meta(ge=1)] = 100
    l2: Annotated[float, Meta(ge=0)] = 5.0
    input_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    row_share: Annotated[float, Meta(gt=0, le=1)] = 0.7
    failed_weight: Annotated[float, Meta(gt=0, le=1)] = 1.0
    from_points: bool = False


class ModelSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``models/NAME.toml``: a score that is learnt.

    Attributes:
        types: event types that it scores.
        positive: labels that mean fraud, beside ``fraud`` itself; any other word of a CSV is passed over.
        label_delay: after how long an event that nobody labelled counts as genuine.
        history: how far back before ``--until`` examples reach.
    """

    name: Name
    description: str
    types: tuple[str, ...]
    label_delay: str
    group: tuple[InputGroup, ...]
    positive: tuple[str, ...] = ()
    history: str = "180d"
    seed: Annotated[int, Meta(ge=0)] = 1
    trainer: Trainer = Trainer()


class PolicySpec(Struct, frozen=True):
    """A whole policy as written."""

    head: PolicyHead
    features: tuple[FeatureSpec, ...]
    rules: tuple[RuleSpec, ...]
    models: tuple[ModelSpec, ...] = ()
    campaigns: CampaignsSpec = field(default_factory=CampaignsSpec)

    @property
    def version(self) -> str:
        """How decisions name it."""
        return f"{self.head.name}@{self.head.version}"
