"""The verdict: rules that fired become one decision with a score, reasons and actions.

Promise: a pure function of the policy, the facts, their readings and the challenges that were passed.
1. Points start from the policy's base for the event type, and every rule that fires adds its own; ``score = 100 * (1 - exp(-points / 50))``: monotone, below 100, finer than
   whole numbers, and comparable between events of all types because points are.
   Where a model speaks of the event type, its score stands in that place; points are then what the rules alone say.
2. The strongest decision of a rule that is not satisfied by a passed challenge wins: allow < review < challenge < deny.
3. The score decides too, from the policy's thresholds on, under the name ``score``; where a model speaks, what the
   rules' own points would have decided stands beside it and the stronger wins: a model adds and talks no rule out of it.
4. A challenge names its factor: the first of the policy's order that no reason excludes, and all excluded factors.
   Where every factor is excluded it is a deny: a challenge that proves nothing must not let anybody through.
5. Rules in shadow are reported and change nothing.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.risk.policy.compile import STRENGTH
from shopward.risk.policy.spec import Action

if TYPE_CHECKING:
    from collections.abc import Collection

    from shopward.events.facts import Facts
    from shopward.risk.features import Readings
    from shopward.risk.policy.compile import CompiledRule, Policy

SCORE_SCALE: Final = 50.0
SCORE_RULE: Final = "score"
_KINDS: Final = tuple(STRENGTH)


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why: the rule's name and the values it saw, with the constants it held them against."""

    code: str
    evidence: dict[str, Any] = {}


class Verdict(Struct, frozen=True):
    """What the rules say of one event.

    Attributes:
        decision: allow, review, challenge or deny.
        points: the sum of the weights, the additive form of the rules' score; features learn from it alone.
        score: 0 to 100.
        reasons: strongest first.
        actions: what the shop is asked to do beside the decision.
        deciding: rules that a passed challenge would have to satisfy.
        condemned: ``(path, token, until_ms)`` of sources that stop earning trust.
        shadow: names of shadow rules that fired.
    """

    decision: str
    points: float
    score: float
    reasons: tuple[Reason, ...] = ()
    actions: tuple[Action, ...] = ()
    deciding: tuple[str, ...] = ()
    condemned: tuple[tuple[str, str, int], ...] = ()
    shadow: tuple[str, ...] = ()


def score_of(points: float) -> float:
    """Points as a score from 0 to 100."""
    return round(100.0 * (1.0 - math.exp(-points / SCORE_SCALE)), 4)


def judge(policy: Policy, facts: Facts, readings: Readings, satisfied: Collection[str] = ()) -> Verdict:
    """The verdict on an event whose features were observed; ``satisfied`` are rules answered by a passed challenge."""
    fired = policy.fire(facts, readings)
    base = policy.base_points(facts)
    if not fired and policy.scorers is None:
        return _nothing_fired(base)
    rules = policy.rules
    total = base + sum(points for index, points in fired if not rules[index].spec.shadow)
    scored = None if policy.scorers is None else policy.scorers.score(facts, readings, total)
    if scored is not None:
        fired = fired + policy.fire_asking(facts, readings, scored.values)
    live = [(rules[index], points) for index, points in fired if not rules[index].spec.shadow]
    shadow = (
        tuple(rules[index].spec.name for index, _points in fired if rules[index].spec.shadow)
        if len(live) < len(fired)
        else ()
    )
    by_points = score_of(total)
    score = by_points if scored is None else scored.score
    weighed = max(score, by_points)
    unanswered = [rule for rule, _points in live if rule.spec.name not in satisfied]
    by_score = 0 if SCORE_RULE in satisfied else _by_score(policy, facts.type, weighed)
    strength = max([by_score, *[rule.strength for rule in unanswered]])
    deciding: tuple[str, ...] = ()
    if strength:
        deciding = tuple(rule.spec.name for rule in unanswered if rule.strength == strength)
        if by_score == strength:
            deciding = (*deciding, SCORE_RULE)
    actions, strength = _actions(policy, unanswered, strength)
    if len(live) > 1:
        live.sort(key=lambda item: (-item[0].strength, -item[1]))
    reasons = tuple([Reason(rule.spec.name, rule.evidence(readings)) for rule, _points in live])
    if SCORE_RULE in deciding:
        reasons = (*reasons, Reason(SCORE_RULE, {"score": weighed}))
    if scored is not None and _by_score(policy, facts.type, score):
        reasons = (*reasons, *(Reason(code, seen) for code, seen in scored.reasons()))
    condemned = _condemned(unanswered, facts)
    return Verdict(_KINDS[strength], total, score, reasons, actions, deciding, condemned, shadow)


@lru_cache(maxsize=256)
def _nothing_fired(base: float) -> Verdict:
    """The usual verdict; there are as many as there are base points in a policy."""
    return Verdict("allow", base, score_of(base))


def _by_score(policy: Policy, type_: str, score: float) -> int:
    thresholds = policy.thresholds(type_)
    if score >= thresholds.deny:
        return STRENGTH["deny"]
    if score >= thresholds.challenge:
        return STRENGTH["challenge"]
    return STRENGTH["review"] if score >= thresholds.review else 0


def _actions(policy: Policy, rules: list[CompiledRule], strength: int) -> tuple[tuple[Action, ...], int]:
    """Actions of the rules that fired, and a step-up with its factor where the decision is a challenge."""
    asked = [action for rule in rules for action in rule.spec.actions]
    actions = tuple(dict.fromkeys([action for action in asked if action.type != "step_up"])) if asked else ()
    if strength != STRENGTH["challenge"]:
        return actions, strength
    wanted = [action for action in asked if action.type == "step_up"]
    excluded = {factor for rule in rules for factor in rule.spec.exclude} | {
        factor for action in wanted for factor in action.exclude
    }
    preferred = [action.factor for action in wanted if action.factor is not None] + list(
        policy.spec.head.challenge.factors
    )
    factor = next((each for each in preferred if each not in excluded), None)
    if factor is None:  # fails closed: no factor is left that the threat does not own
        return actions, STRENGTH["deny"]
    return (Action("step_up", factor, tuple(sorted(excluded))), *actions), strength


def _condemned(rules: list[CompiledRule], facts: Facts) -> tuple[tuple[str, str, int], ...]:
    return tuple(
        (path, token, facts.at_ms + rule.condemn_ms)
        for rule in rules
        for path, attribute in rule.condemns
        if (token := getattr(facts, attribute))
    )
