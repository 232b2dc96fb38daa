"""Training: one pass of the live code path over a recorded stream, and a model of what was known at a time.

Promise: a row is taken where a model would be asked, with the same facts, readings and points, so that nothing is
learnt that would not be seen; the engine decides by rules alone meanwhile. Events at or after ``until_ms`` are neither
learnt from nor read. Labels come from ``label`` events, or from words that are handed over with event ids for a
history whose labels arrived outside the stream; such a word has no time of its own and counts as known with its event.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shopward.errors import InvalidField, ShopwardError
from shopward.flows.replay import Line, Replay
from shopward.risk.models import Bundle, Examples, train
from shopward.risk.models.bundle import FORMAT, Head
from shopward.risk.models.card import card_of
from shopward.risk.models.likelihood import LoginLikelihood
from shopward.risk.verdict import score_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shopward.events import Facts
    from shopward.risk.features import Readings
    from shopward.risk.policy import Policy
    from shopward.risk.policy.inputs import Inputs

FRAUD, GENUINE = "fraud", "genuine"
BASELINES = ("rules", "freeman")
"""Measured beside the model; the second one speaks of logins alone."""
_FOREVER_MS = 2**62


class Collector:
    """Stands where models are asked, says nothing, and keeps what they would have seen.

    Args:
        inputs: of the model that is to learn.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.types = frozenset(inputs.spec.types)
        self.examples = Examples(len(inputs.columns), BASELINES)
        self._likelihood = LoginLikelihood()

    names: tuple[str, ...] = ()

    def score(self, facts: Facts, readings: Readings, points: float) -> None:
        """Keep the row of an event that the model is to score."""
        if facts.type in self.types:
            row = self.inputs.row(facts, readings, points)
            freeman = self._likelihood.observe(facts) if facts.type == "login" else math.nan
            weight = self.inputs.spec.trainer.failed_weight if facts.status == "failed" else 1.0
            beside = (score_of(points), freeman)
            self.examples.add(facts.id, facts.at_ms, facts.type, row, beside=beside, weight=weight)


def gather(
    policy: Policy,
    name: str,
    stream: Iterable[Line],
    *,
    until_ms: int = _FOREVER_MS,
    on_refused: Callable[[ShopwardError], None],
) -> tuple[Collector, int]:
    """The examples of a stream for the model of that name, and the time up to which it was read."""
    collector = Collector(policy.inputs[name])
    run = Replay(policy)
    policy.scorers = collector
    latest_ms = 0
    try:
        for result in run.run(stream):
            if isinstance(result, ShopwardError):
                on_refused(result)
                continue
            facts, _record = result
            if facts.at_ms >= until_ms:  # times never go back: all that follows is later too
                break
            latest_ms = facts.at_ms
            if facts.type == "label":
                collector.examples.label(facts.labelled, known_ms=facts.at_ms, is_fraud=facts.status == FRAUD)
    finally:
        policy.scorers = None
    return collector, min(until_ms, latest_ms + 1)


def labelled(collector: Collector, words: Iterable[tuple[str, str, int | None]]) -> None:
    """Add labels that arrived outside the stream: ``(event_id, word, known_ms)``; an event whose word the model does not know is neither."""
    positive = {FRAUD, *collector.inputs.spec.positive}
    for event_id, word, known_ms in words:
        is_fraud = True if word in positive else False if word == GENUINE else None
        collector.examples.label(event_id, known_ms=known_ms, is_fraud=is_fraud)


def bundle_of(policy: Policy, collector: Collector, *, until_ms: int) -> Bundle:
    """A model of everything known at ``until_ms``; raises ``InvalidField`` where that is too little."""
    inputs, examples = collector.inputs, collector.examples
    spec = inputs.spec
    if not len(examples):
        raise InvalidField(
            "no event of the stream is of the model's types", path="types", expected=", ".join(spec.types),
            found="none",
        )  # fmt: skip
    made = train(examples, inputs, until_ms=until_ms)
    head = Head(
        format=FORMAT,
        name=spec.name,
        types=made.types,
        columns=tuple(column.name for column in inputs.columns),
        schema=inputs.schema,
        policy=policy.version,
        from_ms=made.from_ms,
        until_ms=until_ms,
        label_delay_ms=inputs.delay_ms,
        frauds=made.frauds,
        genuine=made.genuine,
        start=made.start,
        calibration=made.calibration,
        trainer=spec.trainer,
        seed=spec.seed,
        evaluation=made.evaluation,
    )
    return Bundle(head, made.forest, card_of(head, spec, made.forest))
