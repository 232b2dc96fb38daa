"""Wording: a recorded decision becomes the contract's Decision, with reasons in the reader's language.

Promise: all keys of the contract are always present; the same record gives the same answer, byte for byte, as long as
the same policy is in force. A reason of a rule that the policy no longer has keeps its code as its text: the recorded
decision stands, whatever became of the rule.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.protection.view import decision_texts
from shopward.risk.policy import LANGUAGES, Action
from shopward.risk.verdict import SCORE_RULE

if TYPE_CHECKING:
    from shopward.flows.engine import DecisionRecord
    from shopward.risk.policy import PolicySpec

DEFAULT_LANGUAGE: Final = "en"
_HEADER_MAX: Final = 256
_OTHER_NAMES: Final = {"in": "id", "cmn": "zh", "yue": "zh"}
"""``in`` is Java's old word for Indonesian; the other two are Chinese under their own names."""


class ReasonGiven(Struct, frozen=True):
    """Why: the rule's code, its text in the language asked for, and the values it saw."""

    code: str
    text: str
    evidence: dict[str, Any]


class Decision(Struct, frozen=True):
    """The answer to one event.

    Attributes:
        id: of the decision; a challenge's proof names it.
        event_id: the shop's id of the event.
        decision: allow, review, challenge or deny.
        score: 0 to 100, comparable between events of all types.
        reasons: strongest first.
        actions: what the shop is asked to do beside the decision.
        orders: protection orders in force that had a say.
        policy: name and version of the policy that decided.
        shadow: rules on trial that would have fired.
    """

    id: str
    event_id: str
    decision: str
    score: float
    reasons: tuple[ReasonGiven, ...]
    actions: tuple[Action, ...]
    orders: tuple[str, ...]
    policy: str
    shadow: tuple[str, ...]


class Wording:
    """Gives decisions their texts.

    Args:
        spec: the policy whose rules wrote the texts.
    """

    def __init__(self, spec: PolicySpec) -> None:
        self._texts = {language: decision_texts(language) for language in LANGUAGES}
        self.take(spec)

    def take(self, spec: PolicySpec) -> None:
        """Speak for another policy; reasons of the ones before keep their texts."""
        by_code = {rule.name: rule.text for rule in spec.rules} | {SCORE_RULE: spec.head.score_text}
        by_code |= {
            f"model_{model.name}_{each.name}": each.text for model in spec.models for each in model.group
        }
        self._texts = {
            language: known | {code: texts.in_language(language) for code, texts in by_code.items()}
            for language, known in self._texts.items()
        }

    def text(self, code: str, language: str) -> str:
        """The text of one reason; its code where the policy has none."""
        return self._texts[language if language in self._texts else DEFAULT_LANGUAGE].get(code, code)

    def decision(self, record: DecisionRecord, language: str) -> Decision:
        """A record as the contract's Decision."""
        texts = self._texts[language if language in self._texts else DEFAULT_LANGUAGE]
        return Decision(
            record.id,
            record.event_id,
            record.decision,
            record.score,
            tuple(
                ReasonGiven(reason.code, texts.get(reason.code, reason.code), reason.evidence)
                for reason in record.reasons
            ),
            record.actions,
            record.orders,
            record.policy,
            record.shadow,
        )


@lru_cache(maxsize=1024)
def language_of(accept_language: bytes) -> str:
    """The best of our languages for an ``Accept-Language`` header (RFC 9110, 12.5.4); English where none is asked for."""
    best, best_q = DEFAULT_LANGUAGE, 0.0
    for part in accept_language[:_HEADER_MAX].decode("latin-1").split(","):
        tag, _, parameter = part.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        language = _OTHER_NAMES.get(primary, primary)
        q = _quality(parameter)
        if language in LANGUAGES and q > best_q:
            best, best_q = language, q
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
